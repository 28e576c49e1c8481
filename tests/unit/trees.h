/*
 * That cuts and gluing trees cannot be seen: all of them for a small input, some for a larger one.
 *
 * For all, instead of walking all trees (there are Catalan many), every interval [i, j) keeps the
 * set of different segments that any tree over any cuts of it gives, built from the sets of its
 * parts. Segments that differ only in form are few, so this covers every tree over every set of
 * cuts; the whole interval's must all say what the uncut fold says.
 */
#ifndef SHEAF_TESTS_TREES_H
#define SHEAF_TESTS_TREES_H

#include "folding.h"

enum { FORMS_MAX = 64 };

struct forms {
    struct bytes form[FORMS_MAX];
    size_t count;
};

static inline void trees_complain(const struct folding *folding, const char *how, const char *got,
                                  const char *wanted)
{
    fprintf(stderr, "\n%s, format %d, cut %d, op %d: input \"", how,
            (int)folding->spec.sources[0].format, (int)folding->spec.cut.kind,
            (int)folding->spec.op);
    for (size_t i = 0; folding->data && i < folding->units && i < 300; i++) {
        uint8_t byte = folding->data[i];

        fprintf(stderr, byte < ' ' || byte > '~' ? "\\x%02x" : "%c", byte);
    }
    fprintf(stderr, "\"\n  got    %s\n  wanted %s\n", got, wanted);
}

/* Whether the segment says what the uncut fold said. */
static inline bool trees_agree(const struct folding *folding, const struct segment *segment,
                               const struct bytes *whole, const char *how)
{
    struct bytes got = {0};
    bool same;

    folding_say(folding, segment, &got);
    same = got.length == whole->length && memcmp(got.data, whole->data, got.length) == 0;
    if (!same)
        trees_complain(folding, how, (char *)got.data, (char *)whole->data);
    if (!segment->fault.kind && segment->elements != folding->elements) {
        trees_complain(folding, how, "another number of elements", "what counting finds");
        same = false;
    }
    bytes_clear(&got);
    return same;
}

static inline bool trees_add_form(struct forms *forms, const struct segment *segment)
{
    struct bytes bytes = {0};

    segment_encode(segment, &bytes);
    for (size_t i = 0; i < forms->count; i++)
        if (forms->form[i].length == bytes.length &&
            memcmp(forms->form[i].data, bytes.data, bytes.length) == 0) {
            bytes_clear(&bytes);
            return true;
        }
    if (forms->count == FORMS_MAX) {
        fprintf(stderr, "\nsegments take too many forms\n");
        bytes_clear(&bytes);
        return false;
    }
    forms->form[forms->count++] = bytes;
    return true;
}

static inline void trees_take_form(const struct folding *folding, const struct bytes *form,
                                   struct segment *segment)
{
    if (!segment_decode(segment, op_of(folding->spec.op), form->data, form->length))
        abort();
}

/* Every form of the left with every form of the right. */
static inline bool trees_glue_forms(const struct folding *folding, const struct forms *left,
                                    const struct forms *right, struct forms *out)
{
    bool ok = true;

    for (size_t a = 0; a < left->count; a++)
        for (size_t b = 0; b < right->count; b++) {
            struct segment one, two;

            trees_take_form(folding, &left->form[a], &one);
            trees_take_form(folding, &right->form[b], &two);
            segment_glue(&one, &two, &folding->spec);
            ok &= trees_add_form(out, &one);
            segment_clear(&one);
            segment_clear(&two);
        }
    return ok;
}

static inline bool trees_fill_interval(struct folding *folding, struct forms *table, size_t cuts,
                                       size_t i, size_t j)
{
    struct segment segment;
    bool ok;

    folding_piece(folding, i, j, &segment);
    ok = trees_add_form(&table[i * cuts + j], &segment);
    segment_clear(&segment);
    for (size_t k = i + 1; k < j; k++)
        ok &= trees_glue_forms(folding, &table[i * cuts + k], &table[k * cuts + j],
                               &table[i * cuts + j]);
    return ok;
}

static inline bool trees_all_agree(const struct folding *folding, const struct forms *forms,
                                   const struct bytes *whole)
{
    bool ok = true;

    for (size_t i = 0; i < forms->count; i++) {
        struct segment segment;

        trees_take_form(folding, &forms->form[i], &segment);
        ok &= trees_agree(folding, &segment, whole, "some tree");
        segment_clear(&segment);
    }
    return ok;
}

/* All cuts and all trees of a small input. */
static inline bool trees_check_all(struct folding *folding)
{
    size_t cuts = folding->units + 2;
    struct forms *table = memory_array(cuts * cuts, sizeof *table);
    struct bytes whole = {0};
    bool ok = true;

    folding_whole(folding, &whole);
    for (size_t width = 1; width < cuts; width++)
        for (size_t i = 0; i + width < cuts; i++)
            ok &= trees_fill_interval(folding, table, cuts, i, i + width);
    ok &= trees_all_agree(folding, &table[cuts - 1], &whole);
    for (size_t i = 0; i < cuts * cuts; i++)
        for (size_t k = 0; k < table[i].count; k++)
            bytes_clear(&table[i].form[k]);
    memory_free(table);
    bytes_clear(&whole);
    return ok;
}

static inline uint64_t trees_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The pieces between the cuts, glued neighbour to neighbour in an order drawn at random. */
static inline bool trees_check_random(struct folding *folding, const size_t *cut, size_t count,
                                      const struct bytes *whole, uint64_t *random)
{
    struct segment *pieces = memory_array(count, sizeof *pieces);
    size_t left = count - 1;
    bool ok;

    for (size_t i = 0; i + 1 < count; i++)
        folding_piece(folding, cut[i], cut[i + 1], &pieces[i]);
    for (; left > 1; left--) {
        size_t at = (size_t)(trees_random(random) % (left - 1));

        segment_glue(&pieces[at], &pieces[at + 1], &folding->spec);
        folding_round_trip(folding, &pieces[at]);
        memmove(&pieces[at + 1], &pieces[at + 2], (left - at - 2) * sizeof *pieces);
    }
    ok = trees_agree(folding, &pieces[0], whole, "a random tree");
    segment_clear(&pieces[0]);
    memory_free(pieces);
    return ok;
}

/* Cut at random places, fed in parts of random size, glued at random. */
static inline bool trees_check_cuts(struct folding *folding, uint64_t *random)
{
    size_t *cut = memory_array(folding->units + 2, sizeof *cut);
    uint64_t one_in = 1 + trees_random(random) % 40;
    struct bytes whole = {0};
    size_t count = 1;
    bool ok;

    for (size_t i = 1; i <= folding->units; i++)
        if (trees_random(random) % one_in == 0)
            cut[count++] = i;
    cut[count++] = folding->units + 1;
    folding->feed_bytes = (size_t)(trees_random(random) % 3 ? 0 : 1 + trees_random(random) % 9);
    folding_whole(folding, &whole);
    ok = trees_check_random(folding, cut, count, &whole, random);
    folding->feed_bytes = 0;
    bytes_clear(&whole);
    memory_free(cut);
    return ok;
}

#endif
