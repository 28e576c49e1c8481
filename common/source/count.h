/*
 * Counting: how many elements start in a slice, scanned and not parsed, with checkpoints where
 * later slices may begin.
 */
#ifndef SHEAF_SOURCE_COUNT_H
#define SHEAF_SOURCE_COUNT_H

#include "source/segment.h"

struct count {
    struct segment *segment; /* borrowed */
    bool in_token;           /* the unit before is a byte of a token */
    bool at_begin;           /* the slice's first unit, of a text whose left neighbour is unknown */
    uint64_t stride;         /* units of text from one checkpoint to the next */
    uint64_t until;          /* units to the next checkpoint */
};

void count_begin(struct count *count, struct segment *segment, const struct job_spec *spec,
                 const struct slice *slice);
/* Bytes of text or JSON from `place` on. */
void count_feed(struct count *count, const uint8_t *data, size_t length, struct place place,
                bool is_json);
/* The source ends. */
void count_end(struct count *count);
/* Settle the exit edge. */
void count_settle(struct count *count, struct place place);

/* left := left · right, both SEGMENT_COUNT. */
void count_glue(struct segment *left, struct segment *right);

#endif
