/*
 * What the fuzz targets of the parsers share: the first four bytes choose the job and the cuts, the
 * rest is the input. Folded whole and folded in three slices glued in either grouping, it must say
 * the same.
 */
#ifndef SHEAF_FUZZ_CUT_H
#define SHEAF_FUZZ_CUT_H

#include "../unit/folding.h"

static inline struct cut fuzz_cut_of(uint8_t byte)
{
    switch (byte % 4) {
    case 0:
        return (struct cut){.kind = CUT_SUBLISTS};
    case 1:
        return (struct cut){.kind = CUT_EVERY, .size = 1 + byte / 64};
    case 2:
        return (struct cut){.kind = CUT_SPLIT, .parts = 1 + byte / 64};
    default:
        return (struct cut){.kind = CUT_TOTAL};
    }
}

static inline void fuzz_cut_say(struct folding *folding, size_t first, size_t second,
                                bool right_first, struct bytes *out)
{
    struct segment a, b, c;

    folding_piece(folding, 0, first, &a);
    folding_piece(folding, first, second, &b);
    folding_piece(folding, second, folding->units + 1, &c);
    if (right_first) {
        segment_glue(&b, &c, &folding->spec);
        segment_glue(&a, &b, &folding->spec);
    } else {
        segment_glue(&a, &b, &folding->spec);
        folding_round_trip(folding, &a);
        segment_glue(&a, &c, &folding->spec);
    }
    folding_say(folding, &a, out);
    segment_clear(&a);
}

static inline void fuzz_cut_check(struct folding *folding, size_t first, size_t second)
{
    struct bytes whole = {0}, glued = {0};

    folding_whole(folding, &whole);
    for (int right_first = 0; right_first < 2; right_first++) {
        glued.length = 0;
        fuzz_cut_say(folding, first, second, right_first, &glued);
        if (glued.length != whole.length || memcmp(glued.data, whole.data, whole.length) != 0)
            abort();
    }
    bytes_clear(&whole);
    bytes_clear(&glued);
}

static inline int fuzz_cut_run(enum source_format format, const uint8_t *data, size_t length)
{
    enum { CHOICES = 4 };
    struct folding folding;
    size_t units, first, second;

    if (length < CHOICES + 1)
        return 0;
    units = length - CHOICES;
    folding_init(&folding, format, data[0] & 1 ? OP_PRODUCT : OP_SUM, fuzz_cut_of(data[0] >> 1));
    folding.spec.type = (enum element_type)(data[1] % 3);
    if (data[1] & 8)
        folding.spec.value_bytes_max = 8;
    folding.feed_bytes = data[1] / 16;
    folding_set(&folding, data + CHOICES, units);
    first = 1 + data[2] * units / 256;
    second = first + data[3] * (units + 1 - first) / 256;
    if (second > first && second <= units)
        fuzz_cut_check(&folding, first, second);
    folding_clear(&folding);
    return 0;
}

#endif
