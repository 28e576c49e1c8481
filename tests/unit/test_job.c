#include "source/job.h"
#include "unit.h"

#include "base/memory.h"

#include <string.h>

static void every_ends_at_the_next_multiple(void)
{
    static const struct {
        uint64_t size, element, end;
    } table[] = {
        {1, 0, 1},
        {1, 41, 42},
        {3, 0, 3},
        {3, 2, 3},
        {3, 3, 6},
        {UINT64_MAX, 5, UINT64_MAX},
        {10, UINT64_MAX - 1, UINT64_MAX},
        {UINT64_C(1) << 63, UINT64_C(1) << 63, UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cut cut = {.kind = CUT_EVERY, .size = table[i].size};

        CU_ASSERT_EQUAL(cut_sublist_end(&cut, table[i].element), table[i].end);
    }
}

/* The definition, sublist by sublist: sizes differ by at most one, larger ones first. */
static void check_split(uint64_t elements, uint64_t parts)
{
    struct cut cut = {.kind = CUT_SPLIT, .parts = parts, .elements = elements};
    uint64_t begin = 0;

    for (uint64_t part = 0; part < parts; part++) {
        uint64_t end = begin + elements / parts + (part < elements % parts);

        for (uint64_t element = begin; element < end; element++)
            CU_ASSERT_EQUAL(cut_sublist_end(&cut, element), end);
        begin = end;
    }
    CU_ASSERT_EQUAL(begin, elements);
}

static void split_is_nearly_equal_with_larger_ones_first(void)
{
    for (uint64_t elements = 0; elements < 40; elements++)
        for (uint64_t parts = 1; parts < 45; parts++)
            check_split(elements, parts);
}

static void split_works_at_the_largest_sizes(void)
{
    struct cut cut = {.kind = CUT_SPLIT, .parts = 2, .elements = UINT64_MAX - 2};

    CU_ASSERT_EQUAL(cut_sublist_end(&cut, 0), INT64_MAX);
    CU_ASSERT_EQUAL(cut_sublist_end(&cut, UINT64_MAX - 3), UINT64_MAX - 2);
    CU_ASSERT_EQUAL(cut_sublist_end(&cut, UINT64_MAX - 2), UINT64_MAX);
}

static void only_every_and_split_number_elements(void)
{
    static const struct {
        enum cut_kind kind;
        bool numbered;
    } table[] = {{CUT_SUBLISTS, false}, {CUT_EVERY, true}, {CUT_SPLIT, true}, {CUT_TOTAL, false}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cut cut = {.kind = table[i].kind, .size = 1, .parts = 1};

        CU_ASSERT_EQUAL(cut_is_numbered(&cut), table[i].numbered);
    }
}

static void places_are_ordered_by_source_then_unit(void)
{
    static const struct place ascending[] = {{0, 0}, {0, 1}, {0, UINT64_MAX}, {1, 0}, {2, 0}};
    size_t count = sizeof ascending / sizeof *ascending;

    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++)
            CU_ASSERT_EQUAL(place_compare(ascending[a], ascending[b]), (a > b) - (a < b));
}

static void a_copy_shares_nothing_with_its_original(void)
{
    struct job_spec spec = {.op = OP_SUM, .cut = {.kind = CUT_EVERY, .size = 7}}, copy;

    spec.sources = memory_array(1, sizeof *spec.sources);
    spec.source_count = 1;
    source_init(&spec.sources[0]);
    spec.sources[0].path = memory_text("/data/a.txt");
    spec.sources[0].name = memory_text("a.txt");
    bytes_append(&spec.sources[0].inline_data, "1 2", 3);
    mpz_set_str(spec.sources[0].begin, "123456789012345678901234567890", 10);
    mpz_set_si(spec.sources[0].step, -3);
    job_spec_copy(&copy, &spec);
    job_spec_clear(&spec);

    CU_ASSERT_EQUAL(copy.cut.size, 7);
    CU_ASSERT_EQUAL(copy.source_count, 1);
    CU_ASSERT_STRING_EQUAL(copy.sources[0].path, "/data/a.txt");
    CU_ASSERT_STRING_EQUAL(copy.sources[0].name, "a.txt");
    CU_ASSERT_EQUAL(copy.sources[0].inline_data.length, 3);
    CU_ASSERT_NSTRING_EQUAL(copy.sources[0].inline_data.data, "1 2", 3);
    CU_ASSERT_EQUAL(mpz_cmp_si(copy.sources[0].step, -3), 0);
    CU_ASSERT_EQUAL(mpz_sizeinbase(copy.sources[0].begin, 10), 30);
    CU_ASSERT_EQUAL(place_of_end(&copy).source, 1);
    job_spec_clear(&copy);
    CU_ASSERT_EQUAL(copy.source_count, 0);
}

static void elements_are_numbered_in_64_bits(void)
{
    static const struct {
        uint64_t units[3];
        bool fits;
    } table[] = {
        {{INT64_MAX, INT64_MAX, 0}, true},
        {{INT64_MAX, INT64_MAX, 1}, false}, /* 2^64 - 1 says that the number is not known */
        {{INT64_MAX, INT64_MAX, INT64_MAX}, false},
        {{INT64_MAX, SOURCE_UNITS_UNKNOWN, 5}, true},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct job_spec spec = {.source_count = 3};

        spec.sources = memory_array(3, sizeof(struct source));
        for (int s = 0; s < 3; s++) {
            source_init(&spec.sources[s]);
            spec.sources[s].units = table[i].units[s];
        }
        CU_ASSERT_EQUAL(job_elements_fit(&spec), table[i].fits);
        job_spec_clear(&spec);
    }
}

static void a_unit_is_as_wide_as_it_is_stored(void)
{
    static const struct {
        enum source_format format;
        enum lane lane;
        uint8_t half;
        uint32_t bytes;
    } table[] = {
        {SOURCE_RANGE, LANE_I8, 0, 0},  {SOURCE_TEXT, LANE_I64, 0, 1},
        {SOURCE_JSON, LANE_I64, 0, 1},  {SOURCE_ARRAY, LANE_I8, 0, 1},
        {SOURCE_ARRAY, LANE_U8, 0, 1},  {SOURCE_ARRAY, LANE_U16, 0, 2},
        {SOURCE_ARRAY, LANE_F32, 1, 2}, {SOURCE_ARRAY, LANE_F32, 0, 4},
        {SOURCE_ARRAY, LANE_I32, 0, 4}, {SOURCE_ARRAY, LANE_U64, 0, 8},
        {SOURCE_ARRAY, LANE_F64, 0, 8},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct source source;

        source_init(&source);
        source.format = table[i].format;
        source.lane = table[i].lane;
        source.lane_half = table[i].half;
        CU_ASSERT_EQUAL(source_unit_bytes(&source), table[i].bytes);
        CU_ASSERT_EQUAL(source_needs_count(&source),
                        source.format == SOURCE_TEXT || source.format == SOURCE_JSON);
        source_clear(&source);
    }
}

static const struct unit_case CASES[] = {
    {"every: a sublist ends at the next multiple of its size", every_ends_at_the_next_multiple},
    {"split: sizes differ by at most one, larger ones first",
     split_is_nearly_equal_with_larger_ones_first},
    {"split: works at the largest sizes", split_works_at_the_largest_sizes},
    {"only --every and --split number elements", only_every_and_split_number_elements},
    {"elements are numbered in 64 bits", elements_are_numbered_in_64_bits},
    {"places are ordered by source, then unit", places_are_ordered_by_source_then_unit},
    {"a copy shares nothing with its original", a_copy_shares_nothing_with_its_original},
    {"a unit is as wide as it is stored", a_unit_is_as_wide_as_it_is_stored},
};

UNIT_MAIN("job", CASES)
