/* The merge: what is glued at once, what stays apart, and what a leaf must glue. */
#include "unit.h"

#include "base/memory.h"
#include "core/merge.h"

#include <string.h>

enum { RUN_BYTES_MAX = 4096, LONG_DIGITS = 3000 };

struct fixture {
    struct job_spec spec;
    struct merge merge;
    uint64_t held;
};

static void setup(struct fixture *f, bool is_final)
{
    *f = (struct fixture){0};
    f->spec = (struct job_spec){.op = OP_PRODUCT,
                                .cut = {.kind = CUT_SUBLISTS},
                                .value_bytes_max = VALUE_BYTES_DEFAULT,
                                .source_count = 1};
    f->spec.sources = memory_array(1, sizeof(struct source));
    source_init(f->spec.sources);
    f->spec.sources[0].format = SOURCE_RANGE;
    f->spec.sources[0].units = UINT64_MAX / 2;
    merge_init(&f->merge, &f->spec, RUN_BYTES_MAX, &f->held);
    f->merge.is_final = is_final;
}

static void teardown(struct fixture *f)
{
    merge_clear(&f->merge);
    CU_ASSERT_EQUAL(f->held, 0);
    job_spec_clear(&f->spec);
}

/* The next ten units, as a tile. */
static struct tile *append(struct fixture *f)
{
    uint64_t begin = f->merge.tiles.last ? f->merge.tiles.last->slice.end.unit : 0;
    struct slice slice = {.begin = {0, begin}, .end = {0, begin + 10}};

    return merge_append(&f->merge, &slice, NULL);
}

static struct tile *count(struct fixture *f, struct tile *tile, struct segment *segment)
{
    struct slice rest = tile->slice;

    rest.begin = rest.end;
    return merge_count(&f->merge, tile, &rest, segment);
}

static void init(struct segment *segment)
{
    segment_init(segment, SEGMENT_FOLD, op_of(OP_PRODUCT));
}

/* A part of one sublist: a number of LONG_DIGITS digits. */
static struct tile *count_heavy(struct fixture *f, struct tile *tile)
{
    struct segment segment;

    init(&segment);
    segment.tail.open = segment.tail.has_elements = true;
    partial_make_big(&segment.tail);
    mpz_ui_pow_ui(segment.tail.big, 10, LONG_DIGITS);
    return count(f, tile, &segment);
}

/* `values` whole sublists, behind a boundary. */
static struct tile *count_light(struct fixture *f, struct tile *tile, uint64_t values)
{
    struct segment segment;

    init(&segment);
    segment.bounded = true;
    for (uint64_t i = 0; i < values; i++)
        values_append_int(&segment.closed, (int64_t)(i * i));
    return count(f, tile, &segment);
}

static void light_neighbours_become_one_run(void)
{
    struct fixture f;
    struct tile *a, *b, *c;

    setup(&f, false);
    a = append(&f);
    b = append(&f);
    c = append(&f);
    count_light(&f, a, 3);
    count_light(&f, c, 4);
    CU_ASSERT_PTR_NOT_NULL(f.merge.tiles.first->next);
    count_light(&f, b, 5);
    CU_ASSERT_PTR_NULL(f.merge.tiles.first->next);
    CU_ASSERT_EQUAL(f.merge.tiles.first->run->closed.count, 12);
    CU_ASSERT_EQUAL(f.held, f.merge.tiles.first->run->closed.packed.length);
    teardown(&f);
}

/* Bytes of a number that goes on to the right, and perhaps began on the left. */
static void count_token(struct fixture *f, struct tile *tile, size_t length)
{
    struct segment segment;

    init(&segment);
    segment.entry.kind = segment.exit.kind = EDGE_TEXT;
    segment.tail.open = true;
    memset(bytes_extend(&segment.entry.text, length), '7', length);
    count(f, tile, &segment);
}

/* Else the slices of a token without end are held by no window. */
static void the_text_of_tokens_is_held(void)
{
    struct fixture f;
    struct segment taken;
    struct tile *a, *b, *c;

    setup(&f, false);
    f.spec.sources[0].format = SOURCE_TEXT;
    a = append(&f);
    b = append(&f);
    c = append(&f);
    count_token(&f, a, 5000);
    count_token(&f, c, 3000);
    CU_ASSERT_EQUAL(f.held, 8000);
    count_token(&f, b, 2000);
    CU_ASSERT_PTR_NULL(merge_front(&f.merge)->next);
    CU_ASSERT_EQUAL(f.held, 10000);
    merge_take_front(&f.merge, &taken);
    CU_ASSERT_EQUAL(f.held, 0);
    CU_ASSERT_EQUAL(taken.entry.text.length, 10000);
    segment_clear(&taken);
    teardown(&f);
}

static void runs_of_many_values_stay_apart(void)
{
    struct fixture f;
    struct tile *a, *b;

    setup(&f, true);
    a = append(&f);
    b = append(&f);
    count_light(&f, a, 400);
    count_light(&f, b, 400);
    CU_ASSERT_PTR_NOT_NULL_FATAL(merge_front(&f.merge)->next);
    CU_ASSERT_FALSE(merge_front(&f.merge)->is_waiting);
    teardown(&f);
}

/* What a front without values holds up is glued to it, however much that is: nobody else will. */
static void a_front_that_was_emptied_takes_the_next_run(void)
{
    struct fixture f;
    struct values taken;
    struct tile *a, *b;

    setup(&f, true);
    a = append(&f);
    b = append(&f);
    count_light(&f, a, 400);
    count_light(&f, b, 4 * RUN_BYTES_MAX);
    merge_take_closed(&f.merge, merge_front(&f.merge), &taken);
    CU_ASSERT_EQUAL(taken.count, 400);
    values_clear(&taken);
    merge_glue_front(&f.merge);
    CU_ASSERT_PTR_NULL(merge_front(&f.merge)->next);
    CU_ASSERT_EQUAL(merge_front(&f.merge)->run->closed.count, UINT64_C(4) * RUN_BYTES_MAX);
    teardown(&f);
}

static void a_heavy_value_before_light_ones_is_a_pair_for_a_leaf(void)
{
    struct fixture f;
    struct tile *a, *b, *left;

    setup(&f, true);
    a = append(&f);
    b = append(&f);
    count_heavy(&f, a);
    count_light(&f, b, 4 * RUN_BYTES_MAX);
    CU_ASSERT_FALSE(merge_take_pair(&f.merge, false, &left)); /* not of like weight */
    CU_ASSERT_FATAL(merge_take_pair(&f.merge, true, &left));
    CU_ASSERT_PTR_EQUAL(left, merge_front(&f.merge) ? NULL : f.merge.tiles.first);
    merge_pair_lost(&f.merge, left);
    CU_ASSERT_TRUE(merge_take_pair(&f.merge, true, &left));
    merge_pair_lost(&f.merge, left);
    teardown(&f);
}

static void heavy_values_of_like_weight_are_glued_first(void)
{
    struct fixture f;
    struct segment glued;
    struct tile *a, *b, *left;

    setup(&f, true);
    a = append(&f);
    b = append(&f);
    count_heavy(&f, a);
    count_heavy(&f, b);
    CU_ASSERT_FATAL(merge_take_pair(&f.merge, false, &left));
    init(&glued);
    glued.tail.open = glued.tail.has_elements = true;
    left = merge_pair_glued(&f.merge, left, &glued);
    CU_ASSERT_EQUAL(left->slice.end.unit, 20);
    CU_ASSERT_PTR_NULL(left->next);
    teardown(&f);
}

/* Empty sublists by the run: 2^63 of them are 17 bytes. */
static struct tile *count_equal(struct fixture *f, struct tile *tile, uint64_t values)
{
    struct segment segment;

    init(&segment);
    segment.bounded = true;
    values_append_same(&segment.closed, 1, values);
    return count(f, tile, &segment);
}

static void more_values_than_can_be_numbered_stay_apart(void)
{
    struct fixture f;
    struct values taken;
    struct tile *a, *b, *c;

    setup(&f, true);
    a = append(&f);
    b = append(&f);
    c = append(&f);
    count_equal(&f, a, UINT64_C(1) << 63);
    count_equal(&f, b, INT64_MAX - 1);
    CU_ASSERT_EQUAL(merge_front(&f.merge)->run->closed.count, UINT64_MAX - 1);
    merge_front(&f.merge)->run->tail.open = true; /* closed by the next boundary: one more */
    count_equal(&f, c, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(merge_front(&f.merge)->next);
    merge_take_closed(&f.merge, merge_front(&f.merge), &taken);
    CU_ASSERT_EQUAL(taken.count, UINT64_MAX - 1);
    values_clear(&taken);
    merge_glue_front(&f.merge);
    CU_ASSERT_PTR_NULL(merge_front(&f.merge)->next);
    CU_ASSERT_EQUAL(merge_front(&f.merge)->run->closed.count, 2);
    teardown(&f);
}

/* The last elements of a range of 2^63 - 1, counted from its end to its begin. */
static void places_near_2_to_the_63_are_counted(void)
{
    static const uint64_t LAST = INT64_MAX;
    struct fixture f;
    struct slice slice = {.begin = {0, 0}, .end = {0, LAST}, .element = 0}, right;
    struct tile *tile, *rest;

    setup(&f, true);
    f.spec.sources[0].units = LAST;
    f.spec.cut = (struct cut){.kind = CUT_EVERY, .size = 1};
    tile = merge_append(&f.merge, &slice, NULL);
    for (uint64_t behind = 1; behind <= 4; behind++) {
        right = tile->slice;
        right.begin.unit = right.element = LAST - behind;
        rest = merge_split(&f.merge, tile, &right);
        CU_ASSERT_EQUAL(rest->slice.element, LAST - behind);
        count_light(&f, rest, 1);
    }
    count_light(&f, tile, 3);
    CU_ASSERT_PTR_NULL(merge_front(&f.merge)->next);
    CU_ASSERT_EQUAL(merge_front(&f.merge)->slice.end.unit, LAST);
    CU_ASSERT_EQUAL(merge_front(&f.merge)->run->closed.count, 7);
    teardown(&f);
}

static const struct unit_case cases[] = {
    {"more values than can be numbered stay apart", more_values_than_can_be_numbered_stay_apart},
    {"places near 2^63 are counted", places_near_2_to_the_63_are_counted},
    {"the text of tokens is held", the_text_of_tokens_is_held},
    {"light neighbours become one run", light_neighbours_become_one_run},
    {"runs of many values stay apart", runs_of_many_values_stay_apart},
    {"a front that was emptied takes the next run", a_front_that_was_emptied_takes_the_next_run},
    {"a heavy value before light ones is a pair for a leaf",
     a_heavy_value_before_light_ones_is_a_pair_for_a_leaf},
    {"heavy values of like weight are glued first", heavy_values_of_like_weight_are_glued_first},
};

UNIT_MAIN("merge", cases)
