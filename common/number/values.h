/*
 * Closed values, packed: the finished answers of sublists, in order, as they travel and wait.
 *
 * The encoding is a sequence of runs, each: u8 kind, u64 count (little-endian), payload.
 *
 * - VALUES_INT: count × 8 bytes, int64 little-endian
 * - VALUES_FLOAT: count × 8 bytes, IEEE double little-endian
 * - VALUES_SAME: 8 bytes, an int64 that stands count times (empty lines by the million cost
 * nothing)
 * - VALUES_TEXT: count bytes, one integer outside int64 in decimal text, formatted on a leaf
 * - VALUES_SAME_FLOAT: 8 bytes, a double that stands count times
 *
 * A concatenation of two encodings is an encoding: gluing never looks inside.
 */
#ifndef SHEAF_NUMBER_VALUES_H
#define SHEAF_NUMBER_VALUES_H

#include "base/bytes.h"
#include "number/partial.h"

#include <stdbool.h>
#include <stdint.h>

enum values_kind {
    VALUES_INT = 1,
    VALUES_FLOAT = 2,
    VALUES_SAME = 3,
    VALUES_TEXT = 4,
    VALUES_SAME_FLOAT = 5
};

struct values {
    struct bytes packed;
    uint64_t count;  /* values, not bytes */
    size_t last_run; /* offset of the last run, extended in place by appends; packed.length when
                        there is none */
};

void values_clear(struct values *values);
void values_append_int(struct values *values, int64_t value);
void values_append_same(struct values *values, int64_t value, uint64_t count);
/* `count` equal floats as one run: empty sublists under --type float. */
void values_append_same_float(struct values *values, double value, uint64_t count);
void values_append_float(struct values *values, double value);
void values_append_text(struct values *values, const char *digits, size_t length);
/* The integer part of a partial at rest, as a number or as text. */
void values_append_integer(struct values *values, const struct partial *partial);
/* `from` (an encoding of from->count values) behind `to`; `from` is empty afterwards. */
void values_concat(struct values *to, struct values *from);
/* Check a foreign encoding completely and count its values. false: malformed. */
bool values_check(const void *packed, size_t length, uint64_t *count);

/* Iteration over a checked encoding, one run at a time: for printing. */
struct values_run {
    enum values_kind kind;
    uint64_t count;
    const uint8_t *payload;
    size_t payload_bytes;
};
/* One number stands for the whole run; the numbers are floats. */
static inline bool values_is_same(enum values_kind kind)
{
    return kind == VALUES_SAME || kind == VALUES_SAME_FLOAT;
}
static inline bool values_is_float(enum values_kind kind)
{
    return kind == VALUES_FLOAT || kind == VALUES_SAME_FLOAT;
}
bool values_next_run(struct reader *in, struct values_run *run);

#endif
