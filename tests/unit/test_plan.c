/* The plan: slices of what is not yet cut. */
#include "unit.h"

#include "base/memory.h"
#include "core/plan.h"

#include <string.h>

enum { SOURCES = 3 };
static const uint64_t LONGEST = INT64_MAX; /* elements of a range */

/* Ranges of as many elements as there may be; cuts that number them allow two of these. */
static void ranges(struct job_spec *spec, struct cut cut, uint32_t count)
{
    *spec = (struct job_spec){.op = OP_SUM, .cut = cut, .value_bytes_max = VALUE_BYTES_DEFAULT};
    spec->sources = memory_array(count, sizeof(struct source));
    spec->source_count = count;
    for (uint32_t i = 0; i < count; i++) {
        source_init(&spec->sources[i]);
        spec->sources[i].format = SOURCE_RANGE;
        spec->sources[i].access = SOURCE_NOTHING;
        spec->sources[i].units = LONGEST;
        mpz_set_ui(spec->sources[i].step, 1);
    }
}

static void begin(struct plan *plan, const struct job_spec *spec)
{
    struct slice whole = {.end = place_of_end(spec)};

    plan_init(plan, spec, &whole);
}

static void costs_go_past_64_bits(void)
{
    struct job_spec spec;
    struct place end = {.source = 1, .unit = 5};

    ranges(&spec, (struct cut){.kind = CUT_TOTAL}, SOURCES);
    CU_ASSERT(plan_cost(&spec, (struct place){0, 0}, end) == (cost)8 * LONGEST + 40);
    CU_ASSERT(plan_cost(&spec, (struct place){0, 0}, place_of_end(&spec)) ==
              (cost)8 * SOURCES * LONGEST);
    CU_ASSERT(plan_cost(&spec, end, end) == 0);
    job_spec_clear(&spec);
}

static void an_advance_stops_at_any_distance(void)
{
    struct job_spec spec;
    struct place zero = {0, 0}, at;

    ranges(&spec, (struct cut){.kind = CUT_TOTAL}, SOURCES);
    for (int bits = 3; bits < 66; bits++) {
        at = plan_advance(&spec, zero, place_of_end(&spec), (cost)1 << bits);
        CU_ASSERT_EQUAL(at.source, 0);
        CU_ASSERT_EQUAL(at.unit, UINT64_C(1) << (bits - 3));
    }
    at = plan_advance(&spec, zero, place_of_end(&spec), (cost)1 << 67);
    CU_ASSERT_EQUAL(at.source, 1);
    at = plan_advance(&spec, zero, place_of_end(&spec), COST_MAX);
    CU_ASSERT_EQUAL(place_compare(at, place_of_end(&spec)), 0);
    job_spec_clear(&spec);
}

/* As a node cuts: each slice at most eight times the one before. */
static void growing_slices_tile_the_longest_ranges(void)
{
    static const struct cut CUTS[] = {{.kind = CUT_TOTAL},
                                      {.kind = CUT_SUBLISTS},
                                      {.kind = CUT_EVERY, .size = UINT64_C(1) << 62},
                                      {.kind = CUT_SPLIT, .parts = 3, .elements = UINT64_MAX - 1}};

    for (size_t i = 0; i < sizeof CUTS / sizeof *CUTS; i++) {
        struct job_spec spec;
        struct plan plan;
        struct slice slice;
        struct place at = {0, 0};
        cost wanted = 65536;
        int slices = 0;

        ranges(&spec, CUTS[i], cut_is_numbered(&CUTS[i]) ? 2 : SOURCES);
        for (begin(&plan, &spec); plan_next(&plan, wanted, 0, &slice); slices++) {
            uint64_t number = slice.begin.source * LONGEST + slice.begin.unit;

            CU_ASSERT_EQUAL(place_compare(slice.begin, at), 0);
            CU_ASSERT(place_compare(slice.begin, slice.end) < 0);
            CU_ASSERT_EQUAL(slice.element, cut_is_numbered(&CUTS[i]) ? number : 0);
            at = slice.end;
            wanted *= 8;
        }
        CU_ASSERT_EQUAL(place_compare(at, place_of_end(&spec)), 0);
        CU_ASSERT(plan_is_done(&plan) && plan.cost_left == 0);
        CU_ASSERT(slices < 30);
        plan_clear(&plan);
        job_spec_clear(&spec);
    }
}

static void pieces_of_fixed_length_end_with_their_source(void)
{
    struct job_spec spec;
    struct plan plan;
    struct slice slice;

    ranges(&spec, (struct cut){.kind = CUT_TOTAL}, 2);
    begin(&plan, &spec);
    CU_ASSERT(plan_next(&plan, 0, LONGEST - 1, &slice));
    CU_ASSERT_EQUAL(slice.end.unit, LONGEST - 1);
    CU_ASSERT(plan_next(&plan, 0, LONGEST - 1, &slice));
    CU_ASSERT_EQUAL(slice.end.source, 1);
    CU_ASSERT_EQUAL(slice.end.unit, 0);
    plan_clear(&plan);
    job_spec_clear(&spec);
}

static const struct unit_case cases[] = {
    {"costs go past 64 bits", costs_go_past_64_bits},
    {"an advance stops at any distance", an_advance_stops_at_any_distance},
    {"growing slices tile the longest ranges", growing_slices_tile_the_longest_ranges},
    {"pieces of fixed length end with their source", pieces_of_fixed_length_end_with_their_source},
};

UNIT_MAIN("plan", cases)
