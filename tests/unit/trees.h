/*
 * All cuts and all gluing trees of a small input.
 *
 * Instead of walking all trees (there are Catalan many), every interval [i, j) keeps the set of
 * different segments that any tree over any cuts of it gives, built from the sets of its parts.
 * Segments that differ only in form are few, so this covers every tree over every set of cuts; the
 * whole interval's must all say what the uncut fold says.
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

#endif
