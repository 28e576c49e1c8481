/*
 * For the tests of folding: one source in memory, folded whole or in slices cut anywhere, glued in
 * any grouping; what a user would see of it as one text, to compare.
 */
#ifndef SHEAF_TESTS_FOLDING_H
#define SHEAF_TESTS_FOLDING_H

#include "base/memory.h"
#include "number/format.h"
#include "source/fold.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer makes everything ten times slower: fewer repetitions then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FOLDING_LESS = 8 };
#else
enum { FOLDING_LESS = 1 };
#endif

struct folding {
    struct job_spec spec;
    const uint8_t *data; /* borrowed: the first source's bytes */
    size_t units;
    uint64_t elements; /* that counting finds in it */
    size_t feed_bytes; /* bytes of one feed; 0: all there are */
};

static inline void folding_init(struct folding *folding, enum source_format format, enum op_kind op,
                                struct cut cut)
{
    *folding = (struct folding){0};
    folding->spec = (struct job_spec){
        .op = op, .type = ELEMENT_AUTO, .cut = cut, .value_bytes_max = VALUE_BYTES_DEFAULT};
    folding->spec.sources = memory_array(1, sizeof(struct source));
    folding->spec.source_count = 1;
    source_init(&folding->spec.sources[0]);
    folding->spec.sources[0].format = format;
    folding->spec.sources[0].access = SOURCE_FILE;
    folding->spec.sources[0].name = memory_text("input");
}

static inline void folding_clear(struct folding *folding)
{
    job_spec_clear(&folding->spec);
}

/* In memory of exactly its size, so that a sanitizer sees any byte read beyond. */
static inline void folding_feed(struct folding *folding, struct fold *fold, struct span *span)
{
    uint32_t width = source_unit_bytes(&folding->spec.sources[span->source]);
    size_t all = (size_t)span->units * width;
    size_t length = folding->feed_bytes && folding->feed_bytes < all ? folding->feed_bytes : all;
    uint8_t *copy = malloc(length ? length : 1);

    memcpy(copy, folding->data + span->unit * width, length);
    fold_feed(fold, copy, length, UINT64_MAX);
    free(copy);
}

/* Encoded and decoded, as it would cross a process boundary. */
static inline void folding_round_trip(const struct folding *folding, struct segment *segment)
{
    struct bytes first = {0}, second = {0};
    const struct op *op = op_of(folding->spec.op);

    segment_encode(segment, &first);
    segment_clear(segment);
    if (!segment_decode(segment, op, first.data, first.length)) {
        fprintf(stderr, "a segment was encoded that cannot be decoded\n");
        abort();
    }
    segment_encode(segment, &second);
    if (first.length != second.length || memcmp(first.data, second.data, first.length) != 0) {
        fprintf(stderr, "a segment changed by being encoded\n");
        abort();
    }
    bytes_clear(&first);
    bytes_clear(&second);
}

static inline void folding_fold(struct folding *folding, struct slice slice, struct segment *out)
{
    struct fold *fold;
    struct span span;

    fold_new(&fold, &folding->spec, &slice, SEGMENT_FOLD);
    while (fold_next(fold, UINT64_MAX, &span))
        folding_feed(folding, fold, &span);
    fold_take(fold, out);
    fold_free(&fold);
    folding_round_trip(folding, out);
}

static inline void folding_say_run(const struct values_run *run, struct bytes *out)
{
    char text[FORMAT_NUMBER_BYTES];

    for (uint64_t i = 0; i < run->count && run->kind != VALUES_TEXT; i++) {
        const uint8_t *at = run->payload + (values_is_same(run->kind) ? 0 : i * 8);
        struct reader in = reader_of(at, 8);
        uint64_t bits = reader_u64(&in);
        double real;
        size_t length;

        memcpy(&real, &bits, sizeof real);
        if (values_is_float(run->kind))
            length = format_float(text, real);
        else
            length = format_int(text, (int64_t)bits);
        bytes_append(out, text, length);
        bytes_append_byte(out, ' ');
    }
    if (run->kind == VALUES_TEXT) {
        bytes_append(out, run->payload, run->payload_bytes);
        bytes_append_byte(out, ' ');
    }
}

static inline void folding_say_values(const struct segment *segment, struct bytes *out)
{
    struct reader in = reader_of(segment->closed.packed.data, segment->closed.packed.length);
    struct values_run run;

    while (values_next_run(&in, &run))
        folding_say_run(&run, out);
}

/* The values in order, then the fault: what must not depend on any cut. Ends with a NUL. */
static inline void folding_say(const struct folding *folding, const struct segment *segment,
                               struct bytes *out)
{
    folding_say_values(segment, out);
    if (segment->fault.kind) {
        bytes_append(out, "! ", 2);
        fault_sentence(&segment->fault, &folding->spec, out);
    } else if (segment->head.open || segment->tail.open || !segment->bounded ||
               segment->exit.kind != EDGE_CLEAN) {
        bytes_append(out, "? open", 6);
    }
    bytes_append_byte(out, 0);
}

static inline void folding_whole(struct folding *folding, struct bytes *out)
{
    struct segment segment;

    folding_fold(folding, (struct slice){.end = place_of_end(&folding->spec)}, &segment);
    folding_say(folding, &segment, out);
    segment_clear(&segment);
}

static inline void folding_count(struct folding *folding, struct slice slice, struct segment *out)
{
    struct fold *fold;
    struct span span;

    fold_new(&fold, &folding->spec, &slice, SEGMENT_COUNT);
    while (fold_next(fold, UINT64_MAX, &span))
        folding_feed(folding, fold, &span);
    fold_take(fold, out);
    fold_free(&fold);
    folding_round_trip(folding, out);
}

/* Set the source's bytes. The element count that --split needs is what counting them gives. */
static inline void folding_set(struct folding *folding, const void *data, size_t units)
{
    struct segment counted;

    folding->data = data;
    folding->units = units;
    folding->spec.sources[0].units = units;
    folding->spec.cut.elements = UINT64_MAX;
    folding_count(folding, (struct slice){.end = place_of_end(&folding->spec)}, &counted);
    folding->elements = counted.elements;
    if (folding->spec.cut.kind == CUT_SPLIT)
        folding->spec.cut.elements = counted.elements;
    segment_clear(&counted);
}

/* The slice with its element number, if the cut wants one. */
static inline struct slice folding_slice(struct folding *folding, struct place begin,
                                         struct place end)
{
    struct slice before = {.end = begin}, slice = {.begin = begin, .end = end};
    struct segment counted;

    if (!cut_is_numbered(&folding->spec.cut))
        return slice;
    folding_count(folding, before, &counted);
    segment_rest(&counted, &before, begin, &folding->spec, &slice);
    slice.end = end;
    segment_clear(&counted);
    return slice;
}

/* Where cut 0 … units + 1 is: the last one behind the source's end. */
static inline struct place folding_place(const struct folding *folding, size_t cut)
{
    if (cut > folding->units)
        return place_of_end(&folding->spec);
    return (struct place){.source = 0, .unit = cut};
}

static inline void folding_piece(struct folding *folding, size_t from, size_t to,
                                 struct segment *out)
{
    struct slice slice =
        folding_slice(folding, folding_place(folding, from), folding_place(folding, to));

    folding_fold(folding, slice, out);
}

#endif
