/*
 * An edge: what a cut inside a token or a structure leaves undecided at one end of a segment.
 *
 * entry: what the segment's first units do to whatever state the left neighbour ends in, up to the
 * point from where on everything is known. exit: the state after the last unit. text.h and json.h
 * own the meaning. The size is bounded by the unfinished token, never by a run of blanks or
 * separators. At the begin of a source, and anywhere in arrays and ranges, an edge is EDGE_CLEAN.
 */
#ifndef SHEAF_SOURCE_EDGE_H
#define SHEAF_SOURCE_EDGE_H

#include "base/bytes.h"
#include "number/prefix.h"
#include "source/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum edge_kind { EDGE_CLEAN = 0, EDGE_TEXT, EDGE_JSON, EDGE_COUNT, EDGE_KINDS };

enum text_state {
    TEXT_NOTHING = 0, /* only token bytes so far, perhaps of a token begun on the left */
    TEXT_BLANK,       /* after a separator; whether the line has a token is not known */
    TEXT_LINE,        /* no token on this line yet */
    TEXT_TOKEN,       /* in a token that began here */
    TEXT_AFTER,       /* after a token */
    TEXT_COMMA,       /* after a comma */
    TEXT_CR,          /* after a CR */
    TEXT_STATES
};

/* What ended the units of which a text segment knows too little. */
enum text_sync {
    TEXT_SYNC_NONE = 0, /* nothing yet: the segment is all entry */
    TEXT_SYNC_TOKEN,    /* a token begins, after a separator */
    TEXT_SYNC_NEWLINE,
    TEXT_SYNC_END,  /* the source ends */
    TEXT_SYNC_FAULT /* a fault whatever stands on the left */
};

/* Positions of the JSON automaton between two tokens. */
enum json_state {
    JSON_NOTHING = 0, /* nothing but blanks in this source so far */
    JSON_TOP,         /* a line of its own begins, behind a document */
    JSON_TOP_AFTER,   /* behind a document, on its last line */
    JSON_OPEN,        /* behind the first '[' */
    JSON_FLAT_AFTER,  /* behind a number at depth one */
    JSON_FLAT_COMMA,
    JSON_OUTER_AFTER, /* behind an inner ']' */
    JSON_OUTER_COMMA,
    JSON_INNER_OPEN,
    JSON_INNER_AFTER, /* behind a number at depth two */
    JSON_INNER_COMMA,
    JSON_STATES
};
enum { JSON_DEAD = JSON_STATES };

/* What becomes of one state in which the automaton may enter a segment. */
struct json_route {
    uint8_t track;   /* the exit track it leads to, or JSON_DEAD: `fault` */
    bool bounded;    /* at the fault: a boundary lies before … */
    uint64_t closed; /* … and so many closed values */
    struct fault fault;
};

struct edge {
    enum edge_kind kind;
    /* entry: the first unit is a token byte and counts as an element. exit: EDGE_COUNT only, the
     * last unit is a token byte. */
    bool token;
    uint32_t source;
    uint64_t unit; /* where `text` begins in the source */
    /* entry: the leading token bytes; exit: the unfinished token. Of what can be no number only its
     * begin, which a sentence quotes. */
    struct bytes text;
    size_t looked; /* bytes of `text` that `states` has taken; not encoded: found again */
    prefix_states states;

    /* EDGE_TEXT, entry: what separators follow the leading token bytes */
    enum text_sync sync;
    bool blank, comma, cr;
    uint64_t comma_unit, cr_unit;
    /* EDGE_TEXT, exit */
    enum text_state state;
    uint64_t mark_unit; /* of the comma or CR that `state` speaks of */

    /* EDGE_JSON, entry: JSON_STATES routes, owned; NULL while there are only leading token bytes */
    struct json_route *routes;
    /* EDGE_JSON, exit: the states the automaton may be in; one when the begin is known */
    uint8_t track_count;
    uint8_t track[JSON_STATES];
};

void edge_clear(struct edge *edge);
void edge_move(struct edge *to, struct edge *from); /* `to` is cleared first */
/*
 * More bytes of the token in `text`; `states` are those before its first byte. Those behind what
 * makes it no number are left out, as soon as there is enough to quote. Returns whether that is so.
 */
bool edge_append(struct edge *edge, const void *data, size_t length, enum token_grammar grammar,
                 prefix_states states);
void edge_end_token(struct edge *edge); /* no text any more */
void edge_encode(const struct edge *edge, struct bytes *out);
/* `edge` is empty. false: malformed; what was built is then still to be cleared. */
bool edge_decode(struct edge *edge, struct reader *in);

#endif
