/*
 * Faults of the input: what is wrong, and where. They are values: a segment carries the first one,
 * gluing keeps it first, and the sentence is made at the very end from the fault and the job alone.
 */
#ifndef SHEAF_SOURCE_FAULT_H
#define SHEAF_SOURCE_FAULT_H

#include "base/bytes.h"
#include "base/limits.h"
#include "source/job.h"

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_NOT_A_NUMBER, /* text: the token */
    FAULT_EMPTY_FIELD,  /* a leading, doubled or trailing comma */
    FAULT_LONE_CR,
    FAULT_DECIMAL_RANGE,    /* 1e400: the token */
    FAULT_NOT_AN_INTEGER,   /* --type int: the token (empty for arrays) */
    FAULT_FLOAT_PRODUCT,    /* the token (empty for arrays) */
    FAULT_JSON_SYNTAX,      /* text: the automaton's state (enum json_state), the offending byte */
    FAULT_JSON_NOT_NUMERIC, /* a string, true, null, an object: its first bytes */
    FAULT_JSON_CUT_OFF,     /* the input ends inside an array */
    FAULT_VALUE_TOO_LARGE,  /* --max-value */
    FAULT_CHANGED,          /* the file changed while it was read */
    FAULT_UNREADABLE,       /* reading failed: text is the system's sentence */
    FAULT_KILLED, /* the piece that begins here killed its processes: text is the signal */
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    uint32_t source;
    uint64_t unit; /* unit in the source (bytes or elements; without data_begin) */
    uint64_t line; /* text and JSON: newlines between the segment's begin, or the source's if later,
                      and here */
    bool line_is_absolute; /* the source began inside the segment */
    uint8_t text_bytes;
    char text[FAULT_TEXT_BYTES];
};

/* The first FAULT_TEXT_BYTES bytes of the text. */
void fault_set_text(struct fault *fault, const void *text, size_t length);
/* Lines counted from a begin further left: `lines` more newlines lie before, absolute or not. */
void fault_rebase(struct fault *fault, uint64_t lines, bool lines_are_absolute);

void fault_encode(const struct fault *fault, struct bytes *out);
/* false: malformed. */
bool fault_decode(struct fault *fault, struct reader *in);

/* The sentence for a fault, as the user sees it; the same for every cut, backend and number of
 * workers. */
void fault_sentence(const struct fault *fault, const struct job_spec *spec, struct bytes *out);

#endif
