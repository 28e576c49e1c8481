/*
 * JSON: an array of arrays, a flat array, or one such document a line (NDJSON).
 *
 * The automaton (enum json_state) stands between tokens. A segment that begins at an unknown place
 * is folded for all its states at once: they share every value, as a '[' opens a sublist (if none
 * is open) and a ']' closes it (if one is) in any of them, and differ only in what is a fault. Each
 * entry state follows a route to one of the exit tracks, the distinct states that are still
 * possible; two brackets in a row leave one. Gluing composes routes.
 *
 * Leading token bytes are the entry's text, before the routes begin: they may end a token begun on
 * the left, and the routes are for the states behind that.
 */
#ifndef SHEAF_SOURCE_JSON_H
#define SHEAF_SOURCE_JSON_H

#include "source/sink.h"

enum json_event {
    JSON_EVENT_OPEN = 0,
    JSON_EVENT_CLOSE,
    JSON_EVENT_COMMA,
    JSON_EVENT_NEWLINE,
    JSON_EVENT_TOKEN, /* a token starts */
    JSON_EVENT_VALUE, /* it has ended, and is a number */
    JSON_EVENT_END,   /* the source ends */
    JSON_EVENTS
};

/* As in text.h. */
void json_begin_inside(struct segment *segment, const struct slice *slice, bool is_numbered);
size_t json_feed(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit,
                 uint64_t room_bytes);
void json_end(struct sink *sink, uint64_t unit);
bool json_ends_in_token(const struct segment *segment);
/*
 * Replay the entry of `right` into the sink's segment: its leading token bytes, and its routes. The
 * values of right are appended, its exit taken over, unless a fault comes first.
 */
void json_replay(struct sink *sink, struct segment *right);

/* For gluing and the hot loop. */
/* The segment has only leading token bytes so far. */
bool json_is_all_entry(const struct segment *segment);
/* The token ends if one is unfinished; leading token bytes end, and the routes begin. */
void json_end_pending(struct sink *sink);
enum json_class {
    JSON_IS_TOKEN = 0,
    JSON_IS_BLANK,
    JSON_IS_NEWLINE,
    JSON_IS_COMMA,
    JSON_IS_OPEN,
    JSON_IS_CLOSE
};
extern const uint8_t JSON_CLASS[256];
struct edge *json_enter(struct sink *sink);
/* The automaton only: every track takes the event, or ends in a fault at `unit` over `byte`. */
void json_step(struct sink *sink, enum json_event event, uint64_t unit, uint8_t byte);
void json_token_bytes(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit);
void json_whole_token(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit);
/* A byte that is no token byte: ends a token, and does what it does. */
void json_other_byte(struct sink *sink, uint8_t byte, uint64_t unit);

#endif
