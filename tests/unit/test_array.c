/* Arrays and ranges: every lane in every form against an oracle in Python, cut anywhere. */
#include "fold_vectors.h"
#include "unit.h"

static void read_shape(struct fold_vector *vector, const char *line)
{
    struct source *source = &vector->folding.spec.sources[0];
    unsigned lane, half, boolean, big;

    if (sscanf(line + vector->behind, "%u %u %u %u %" SCNu64 " %" SCNu64, &lane, &half, &boolean,
               &big, &source->rows, &source->columns) != 6)
        abort();
    source->lane = (enum lane)lane;
    source->lane_half = (uint8_t)half;
    source->lane_bool = (uint8_t)boolean;
    source->is_big_endian = (uint8_t)big;
    folding_set(&vector->folding, vector->data, (size_t)(source->rows * source->columns));
}

/* Every cut in two, and feeds of a few elements. */
static bool every_cut_holds(struct fold_vector *vector)
{
    struct folding *folding = &vector->folding;
    bool ok = fold_vector_holds(vector);

    folding->feed_bytes = 3 * source_unit_bytes(&folding->spec.sources[0]);
    for (size_t cut = 1; cut <= folding->units; cut++) {
        struct segment left, right;

        folding_piece(folding, 0, cut, &left);
        folding_piece(folding, cut, folding->units + 1, &right);
        segment_glue(&left, &right, &folding->spec);
        ok &= fold_vector_is(&left, vector->wanted);
        segment_clear(&left);
    }
    return ok;
}

static bool check_vector(char *line)
{
    struct fold_vector vector;
    bool ok;

    fold_vector_read(&vector, line, SOURCE_ARRAY);
    read_shape(&vector, line);
    ok = every_cut_holds(&vector);
    fold_vector_clear(&vector);
    return ok;
}

static void test_recorded(void)
{
    vectors_recorded("fold_array", check_vector);
}

static void test_live(void)
{
    vectors_live("fold_array", 7, 1500, check_vector);
}

/* Stored at an odd address, as behind an .npy header of odd length. */
static void test_unaligned(void)
{
    double elements[100];
    struct folding folding;
    struct fold *fold;
    struct span span;
    struct segment segment;
    struct bytes said = {0};
    char *memory = memory_new(sizeof elements + 1);

    for (int i = 0; i < 100; i++)
        elements[i] = i + 0.5;
    memcpy(memory + 1, elements, sizeof elements);
    folding_init(&folding, SOURCE_ARRAY, OP_SUM, (struct cut){.kind = CUT_TOTAL});
    folding.spec.sources[0].lane = LANE_F64;
    folding.spec.sources[0].rows = 1;
    folding.spec.sources[0].columns = 100;
    folding_set(&folding, memory + 1, 100);
    fold_new(&fold, &folding.spec, &(struct slice){.end = place_of_end(&folding.spec)},
             SEGMENT_FOLD);
    while (fold_next(fold, UINT64_MAX, &span))
        fold_feed(fold, memory + 1, sizeof elements, UINT64_MAX);
    fold_take(fold, &segment);
    fold_free(&fold);
    CU_ASSERT(fold_vector_is(&segment, "5000.0"));
    segment_clear(&segment);
    bytes_clear(&said);
    folding_clear(&folding);
    memory_free(memory);
}

static const struct {
    const char *begin, *step;
    uint64_t count;
    enum op_kind op;
    struct cut cut;
    const char *wanted;
} RANGES[] = {
    {"1", "1", 400, OP_SUM, {.kind = CUT_EVERY, .size = 100}, "5050 15050 25050 35050"},
    {"1", "1", 10, OP_SUM, {.kind = CUT_SUBLISTS}, "55"},
    {"1", "1", 20, OP_PRODUCT, {.kind = CUT_TOTAL}, "2432902008176640000"},
    {"10", "-3", 5, OP_SUM, {.kind = CUT_EVERY, .size = 2}, "17 5 -2"},
    {"1", "1", 7, OP_SUM, {.kind = CUT_SPLIT, .parts = 3}, "6 9 13"},
    {"1", "1", 2, OP_PRODUCT, {.kind = CUT_SPLIT, .parts = 4}, "1 2 1 1"},
    {"5", "0", 4, OP_SUM, {.kind = CUT_TOTAL}, "20"},
    {"9223372036854775807",
     "1",
     2,
     OP_SUM,
     {.kind = CUT_EVERY, .size = 1},
     "9223372036854775807 9223372036854775808"},
    {"100000000000000000000",
     "100000000000000000000",
     3,
     OP_SUM,
     {.kind = CUT_SUBLISTS},
     "600000000000000000000"},
    {"-1000", "7", 300, OP_SUM, {.kind = CUT_EVERY, .size = 70}, "-53095 -18795 15505 49805 20530"},
    {"1", "1", 0, OP_SUM, {.kind = CUT_TOTAL}, "0"},
};

static void test_ranges(void)
{
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        struct fold_vector vector = {.wanted = RANGES[i].wanted};
        struct source *source;

        folding_init(&vector.folding, SOURCE_RANGE, RANGES[i].op, RANGES[i].cut);
        source = &vector.folding.spec.sources[0];
        source->access = SOURCE_NOTHING;
        mpz_set_str(source->begin, RANGES[i].begin, 10);
        mpz_set_str(source->step, RANGES[i].step, 10);
        folding_set(&vector.folding, NULL, (size_t)RANGES[i].count);
        CU_ASSERT(every_cut_holds(&vector));
        fold_vector_clear(&vector);
    }
}

/* The first outputs of SplitMix64, as published with it and computed from it by others. */
static const struct {
    uint64_t seed, count;
    enum op_kind op;
    struct cut cut;
    const char *wanted;
} RANDOMS[] = {
    {0,
     5,
     OP_SUM,
     {.kind = CUT_EVERY, .size = 1},
     "-2152535657050944081 7960286522194355700 487617019471545679 -537132696929009172 "
     "1961750202426094747"},
    {1234567,
     5,
     OP_SUM,
     {.kind = CUT_EVERY, .size = 1},
     "6457827717110365317 3203168211198807973 -8629252141511181193 4593380528125082431 "
     "-2037821214251327795"},
    {1234567, 3, OP_SUM, {.kind = CUT_SUBLISTS}, "1031743786797992097"},
    {1234567, 2, OP_PRODUCT, {.kind = CUT_TOTAL}, "20685508456846490600433267032962272441"},
    {7, 0, OP_SUM, {.kind = CUT_SUBLISTS}, "0"},
};

static void test_random_integers(void)
{
    for (size_t i = 0; i < sizeof RANDOMS / sizeof *RANDOMS; i++) {
        struct fold_vector vector = {.wanted = RANDOMS[i].wanted};
        struct source *source;

        folding_init(&vector.folding, SOURCE_RANDOM, RANDOMS[i].op, RANDOMS[i].cut);
        source = &vector.folding.spec.sources[0];
        source->access = SOURCE_NOTHING;
        source->seed = RANDOMS[i].seed;
        folding_set(&vector.folding, NULL, (size_t)RANDOMS[i].count);
        CU_ASSERT(every_cut_holds(&vector));
        fold_vector_clear(&vector);
    }
}

/* 2^40 sublists would be 8 TiB: the fold stops where there is room for no more. */
static void test_room(void)
{
    struct folding folding;
    struct slice slice;
    struct segment glued;
    struct fold *fold;
    struct span span;

    folding_init(&folding, SOURCE_RANGE, OP_SUM, (struct cut){.kind = CUT_EVERY, .size = 1});
    folding.spec.sources[0].access = SOURCE_NOTHING;
    mpz_set_ui(folding.spec.sources[0].begin, 1);
    mpz_set_ui(folding.spec.sources[0].step, 1);
    folding_set(&folding, NULL, (size_t)1 << 40);
    slice = (struct slice){.end = place_of_end(&folding.spec)};
    fold_new(&fold, &folding.spec, &slice, SEGMENT_FOLD);
    CU_ASSERT(!fold_next(fold, 1000, &span));
    fold_take(fold, &glued);
    for (int i = 0; i < 3; i++) {
        struct segment segment;

        CU_ASSERT(!fold_next(fold, 1000, &span));
        fold_take(fold, &segment);
        CU_ASSERT(segment.closed.count > 100 && segment.closed.count < 200);
        segment_glue(&glued, &segment, &folding.spec);
    }
    /* The last one has begun and is not closed. */
    CU_ASSERT_EQUAL(fold_place(fold).unit, glued.closed.count + 1);
    CU_ASSERT_EQUAL(glued.tail.small, (int64_t)glued.closed.count + 1);
    segment_clear(&glued);
    fold_free(&fold);
    folding_clear(&folding);
}

/* Four arrays of 2^63 - 1 empty rows each: no fold counts more values than 64 bits can tell. */
static void test_empty_rows(void)
{
    enum { ARRAYS = 4 };
    struct job_spec spec = {.op = OP_SUM, .cut = {.kind = CUT_SUBLISTS}};
    unsigned __int128 count = 0;
    int folds = 0;
    struct slice slice;
    struct fold *fold;
    struct span span;

    spec.sources = memory_array(ARRAYS, sizeof *spec.sources);
    for (; spec.source_count < ARRAYS; spec.source_count++) {
        struct source *source = &spec.sources[spec.source_count];

        source_init(source);
        *source = (struct source){.format = SOURCE_ARRAY,
                                  .access = SOURCE_FILE,
                                  .lane = LANE_I64,
                                  .rows = INT64_MAX,
                                  .begin = {*source->begin},
                                  .step = {*source->step}};
    }
    slice = (struct slice){.end = place_of_end(&spec)};
    fold_new(&fold, &spec, &slice, SEGMENT_FOLD);
    for (; place_compare(fold_place(fold), slice.end) < 0 && folds < 100; folds++) {
        struct segment segment;

        CU_ASSERT_FALSE(fold_next(fold, UINT64_MAX, &span));
        fold_take(fold, &segment);
        count += segment.closed.count;
        segment_clear(&segment);
    }
    CU_ASSERT(count == (unsigned __int128)ARRAYS * INT64_MAX);
    CU_ASSERT(folds == 2);
    fold_free(&fold);
    job_spec_clear(&spec);
}

static const struct unit_case CASES[] = {
    {"recorded arrays give what Python gives, cut anywhere", test_recorded},
    {"other arrays give what Python gives, cut anywhere", test_live},
    {"elements may stand at any address", test_unaligned},
    {"ranges are cut into sublists by number", test_ranges},
    {"random integers depend on their seed and index alone", test_random_integers},
    {"a fold stops where its room ends, and goes on from there", test_room},
    {"more empty rows than 64 bits can count are counted in parts", test_empty_rows},
};

UNIT_MAIN("array", CASES)
