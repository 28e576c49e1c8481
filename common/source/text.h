/*
 * Text and CSV: the automaton, fed by events, and the hot loop that feeds it from memory.
 *
 * A segment that begins at an unknown place keeps in its entry what its first units are,
 * compressed: leading token bytes, blanks, one comma, one CR; until a newline, the start of a token
 * behind a separator, the source's end or a certain fault (enum text_sync). From there on all is
 * known, for any left neighbour. Gluing replays the entry as events into the left segment's state.
 *
 * The tail is open (CUT_SUBLISTS) once the line has a byte, as a line is what Python's file
 * iteration yields.
 */
#ifndef SHEAF_SOURCE_TEXT_H
#define SHEAF_SOURCE_TEXT_H

#include "source/sink.h"

/* Begin inside a source: is_numbered tells that the slice's in_token is known. */
void text_begin_inside(struct segment *segment, const struct slice *slice, bool is_numbered);
/* Fold bytes; stops at a fault, or when room_bytes of closed values are there. Returns the bytes
 * consumed. */
size_t text_feed(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit,
                 uint64_t room_bytes);
/* The source's last byte was fed. */
void text_end(struct sink *sink, uint64_t unit);
/* Replay the entry of the right neighbour into the sink's segment. */
void text_replay(struct sink *sink, const struct edge *entry);

/* The last unit is a byte of a token. */
bool text_ends_in_token(const struct segment *segment);

/* For the hot loop. */
enum text_class { TEXT_IS_TOKEN = 0, TEXT_IS_BLANK, TEXT_IS_COMMA, TEXT_IS_CR, TEXT_IS_NEWLINE };
extern const uint8_t TEXT_CLASS[256];
/* The exit edge; where the source begins it is made. */
struct edge *text_enter(struct sink *sink);
void text_token_bytes(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit);
void text_whole_token(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit);
void text_blank(struct sink *sink);
void text_comma(struct sink *sink, uint64_t unit);
void text_cr(struct sink *sink, uint64_t unit);
void text_newline(struct sink *sink);

#endif
