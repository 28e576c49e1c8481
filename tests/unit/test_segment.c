/* Segments as values: encoded and decoded, weighed, counted, thinned; jobs of several sources. */
#include "folding.h"
#include "unit.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static const char *const INPUTS[] = {"1 2\n3 , 4\n",
                                     "abc",
                                     " , ",
                                     "12",
                                     "\r\n5",
                                     "1.5 -0.0 nan\n2",
                                     "123456789012345678901234567890 1\n7\n"};
static const char *const JSONS[] = {"[[1,2],[3]]", "1,2],[3", "],[[", "]]\n[4]", "12", ",3,\"x\""};

static void fold_middle(struct folding *folding, const char *text, struct segment *out)
{
    size_t length = strlen(text);
    struct slice slice = {.begin = {.unit = 1}, .end = {.unit = length}};

    folding_set(folding, text, length);
    folding_fold(folding, slice, out);
}

/* Any change of any byte: refused, or a segment that can be glued without harm. */
static void check_hostile(struct folding *folding, const struct bytes *good, uint64_t *random)
{
    const struct op *op = op_of(folding->spec.op);

    for (int i = 0; i < 2000 / FOLDING_LESS; i++) {
        size_t length =
            next_random(random) % 4 ? good->length : (size_t)(next_random(random) % good->length);
        uint8_t *bad = malloc(length ? length : 1);
        struct segment one, two;

        memcpy(bad, good->data, length);
        for (uint64_t k = next_random(random) % 4; k && length; k--)
            bad[next_random(random) % length] = (uint8_t)next_random(random);
        if (segment_decode(&one, op, bad, length)) {
            struct bytes again = {0};
            bool valid = segment_decode(&two, op, good->data, good->length);

            CU_ASSERT(valid);
            segment_encode(&one, &again);
            bytes_clear(&again);
            if (one.kind == two.kind && i % 2)
                segment_glue(&one, &two, &folding->spec);
            else if (one.kind == two.kind)
                segment_glue(&two, &one, &folding->spec);
            segment_clear(&two);
        }
        segment_clear(&one);
        free(bad);
    }
}

static void check_hostile_inputs(enum source_format format, const char *const *inputs, size_t count)
{
    uint64_t random = 1;

    for (size_t i = 0; i < count; i++) {
        struct folding folding;
        struct segment segment;
        struct bytes good = {0};

        folding_init(&folding, format, i % 2 ? OP_PRODUCT : OP_SUM,
                     (struct cut){.kind = CUT_SUBLISTS});
        fold_middle(&folding, inputs[i], &segment);
        segment_encode(&segment, &good);
        segment_clear(&segment);
        check_hostile(&folding, &good, &random);
        good.length = 0;
        folding_count(&folding, (struct slice){.end = place_of_end(&folding.spec)}, &segment);
        segment_encode(&segment, &good);
        segment_clear(&segment);
        check_hostile(&folding, &good, &random);
        bytes_clear(&good);
        folding_clear(&folding);
    }
}

static void test_hostile(void)
{
    check_hostile_inputs(SOURCE_TEXT, INPUTS, sizeof INPUTS / sizeof *INPUTS);
    check_hostile_inputs(SOURCE_JSON, JSONS, sizeof JSONS / sizeof *JSONS);
}

/* Starts of tokens, counted as slowly as it can be said. */
static uint64_t count_slowly(const char *text, size_t begin, size_t end, const char *separators)
{
    uint64_t starts = 0;

    for (size_t i = begin; i < end; i++)
        starts += !strchr(separators, text[i]) && (!i || strchr(separators, text[i - 1]));
    return starts;
}

static void check_checkpoints(const struct segment *counted, const char *text,
                              const char *separators)
{
    for (uint32_t i = 0; i < counted->checkpoint_count; i++) {
        const struct checkpoint *at = &counted->checkpoints[i];
        size_t unit = (size_t)at->place.unit;

        CU_ASSERT_EQUAL(at->element, count_slowly(text, 0, unit, separators));
        CU_ASSERT_EQUAL(at->in_token, unit != 0 && !strchr(separators, text[unit - 1]));
    }
}

static void check_counts(enum source_format format, const char *letters, const char *separators)
{
    char text[1000];
    struct folding folding;
    uint64_t random = 3;

    folding_init(&folding, format, OP_SUM, (struct cut){.kind = CUT_EVERY, .size = 3});
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = letters[next_random(&random) % strlen(letters)];
    for (size_t length = 0; length <= sizeof text; length += 1 + length / 5) {
        struct segment left, right;
        size_t middle = length / 3;

        folding_set(&folding, text, length);
        folding_count(&folding, (struct slice){.end = {.unit = middle}}, &left);
        folding_count(&folding,
                      (struct slice){.begin = {.unit = middle}, .end = place_of_end(&folding.spec)},
                      &right);
        CU_ASSERT(right.checkpoint_count <= CHECKPOINTS_PER_RESULT);
        CU_ASSERT(length - middle < 1000 || right.checkpoint_count > CHECKPOINTS_PER_RESULT / 2);
        segment_glue(&left, &right, &folding.spec);
        CU_ASSERT_EQUAL(left.elements, count_slowly(text, 0, length, separators));
        check_checkpoints(&left, text, separators);
        segment_thin(&left, 10);
        CU_ASSERT(left.checkpoint_count <= 10);
        check_checkpoints(&left, text, separators);
        segment_clear(&left);
    }
    folding_clear(&folding);
}

static void test_counts(void)
{
    check_counts(SOURCE_TEXT, "11 ,;\n\r\tx", " ,;\n\r\t");
    check_counts(SOURCE_JSON, "11 ,[]\n\r\tx;", " ,[]\n\r\t");
}

static void test_weights(void)
{
    static char digits[5002];
    struct folding folding;
    struct segment heavy, light;

    memset(digits, '7', 5000);
    folding_init(&folding, SOURCE_TEXT, OP_SUM, (struct cut){.kind = CUT_TOTAL});
    folding_set(&folding, digits, 5000);
    folding_fold(&folding, (struct slice){.end = {.unit = 5000}}, &heavy);
    CU_ASSERT(segment_weight(&heavy) >= 5000);
    folding_set(&folding, digits, 5001);
    folding_fold(&folding, (struct slice){.begin = {.unit = 5000}, .end = {.unit = 5001}}, &light);
    CU_ASSERT(segment_weight(&light) <= HEAVY_BYTES);
    CU_ASSERT(segment_glue_weight(&light, &light) <= HEAVY_BYTES);
    CU_ASSERT(segment_glue_weight(&heavy, &light) <= HEAVY_BYTES); /* a digit more */
    segment_clear(&light);
    digits[5001] = ' ';
    folding_set(&folding, digits, 5002);
    folding_fold(&folding, (struct slice){.begin = {.unit = 5000}, .end = {.unit = 5002}}, &light);
    CU_ASSERT(segment_glue_weight(&heavy, &light) > HEAVY_BYTES); /* the number is known */
    segment_clear(&heavy);
    segment_clear(&light);
    folding_clear(&folding);
}

/* A slice taken in parts between feeds is the slice. */
static void check_takes(struct folding *folding, const struct bytes *whole)
{
    struct slice slice = {.end = place_of_end(&folding->spec)};
    struct segment glued, part;
    struct bytes said = {0};
    struct fold *fold;
    struct span span;

    fold_new(&fold, &folding->spec, &slice, SEGMENT_FOLD);
    folding->feed_bytes = 3;
    CU_ASSERT_FATAL(fold_next(fold, UINT64_MAX, &span));
    folding_feed(folding, fold, &span);
    fold_take(fold, &glued);
    while (fold_next(fold, UINT64_MAX, &span)) {
        folding_feed(folding, fold, &span);
        fold_take(fold, &part);
        folding_round_trip(folding, &part);
        segment_glue(&glued, &part, &folding->spec);
    }
    fold_take(fold, &part);
    segment_glue(&glued, &part, &folding->spec);
    folding_say(folding, &glued, &said);
    CU_ASSERT_STRING_EQUAL((char *)said.data, (char *)whole->data);
    segment_clear(&glued);
    fold_free(&fold);
    bytes_clear(&said);
}

static void test_takes(void)
{
    static const struct cut CUTS[] = {
        {.kind = CUT_SUBLISTS}, {.kind = CUT_EVERY, .size = 2}, {.kind = CUT_TOTAL}};
    static const char TEXT[] = "1 22 333\n4444 , 5\r\n\n6 77777 8\n9";

    for (size_t i = 0; i < 3; i++) {
        struct folding folding;
        struct bytes whole = {0};

        folding_init(&folding, SOURCE_TEXT, OP_SUM, CUTS[i]);
        folding_set(&folding, TEXT, strlen(TEXT));
        folding_whole(&folding, &whole);
        check_takes(&folding, &whole);
        bytes_clear(&whole);
        folding_clear(&folding);
    }
}

enum { SOURCES = 5 };
struct many {
    struct folding folding;
    const char *data[SOURCES];
};

static void add_source(struct many *many, uint32_t index, enum source_format format,
                       const char *data, uint64_t units)
{
    struct source *source = &many->folding.spec.sources[index];

    source_init(source);
    source->format = format;
    source->access = format == SOURCE_RANGE ? SOURCE_NOTHING : SOURCE_FILE;
    source->name = memory_text("input");
    source->units = units;
    source->lane = LANE_U8;
    source->rows = 2;
    source->columns = units / 2;
    mpz_set_ui(source->begin, 10);
    mpz_set_ui(source->step, 1);
    many->data[index] = data;
}

static void many_init(struct many *many, struct cut cut)
{
    struct job_spec *spec = &many->folding.spec;

    *spec = (struct job_spec){.op = OP_SUM, .cut = cut, .value_bytes_max = VALUE_BYTES_DEFAULT};
    spec->sources = memory_array(SOURCES, sizeof *spec->sources);
    spec->source_count = SOURCES;
    add_source(many, 0, SOURCE_TEXT, "1 2\n3", 5);
    add_source(many, 1, SOURCE_ARRAY, "\1\2\3\4", 4);
    add_source(many, 2, SOURCE_TEXT, "", 0);
    add_source(many, 3, SOURCE_RANGE, NULL, 3);
    add_source(many, 4, SOURCE_JSON, "[[5],[6,7]]", 11);
}

static void many_fold(struct many *many, struct slice slice, enum segment_kind kind,
                      struct segment *out)
{
    struct fold *fold;
    struct span span;

    fold_new(&fold, &many->folding.spec, &slice, kind);
    while (fold_next(fold, UINT64_MAX, &span))
        fold_feed(fold, many->data[span.source] + span.unit, (size_t)span.units, UINT64_MAX);
    fold_take(fold, out);
    fold_free(&fold);
    folding_round_trip(&many->folding, out);
}

static struct slice many_slice(struct many *many, struct place begin, struct place end)
{
    struct slice slice = {.begin = begin, .end = end}, before = {.end = begin};
    struct segment counted;

    if (!cut_is_numbered(&many->folding.spec.cut) || (!begin.unit && !begin.source))
        return slice;
    many_fold(many, before, SEGMENT_COUNT, &counted);
    segment_rest(&counted, &before, begin, &many->folding.spec, &slice);
    slice.end = end;
    segment_clear(&counted);
    return slice;
}

/* All places at which a slice may end, in order. */
static size_t many_places(const struct many *many, struct place *out)
{
    size_t count = 0;

    for (uint32_t source = 0; source < SOURCES; source++)
        for (uint64_t unit = 0; unit <= many->folding.spec.sources[source].units; unit++)
            out[count++] = (struct place){source, unit};
    out[count++] = place_of_end(&many->folding.spec);
    return count;
}

static void check_many(struct cut cut, const char *wanted)
{
    struct many many = {0};
    struct place places[64];
    size_t count;

    many_init(&many, cut);
    count = many_places(&many, places);
    for (size_t i = 1; i + 1 < count; i++)
        for (size_t j = i; j + 1 < count; j++) {
            struct segment left, middle, right;
            struct bytes said = {0};

            many_fold(&many, many_slice(&many, places[0], places[i]), SEGMENT_FOLD, &left);
            many_fold(&many, many_slice(&many, places[j], places[count - 1]), SEGMENT_FOLD, &right);
            if (i < j) {
                many_fold(&many, many_slice(&many, places[i], places[j]), SEGMENT_FOLD, &middle);
                segment_glue(&middle, &right, &many.folding.spec);
                segment_move(&right, &middle);
            }
            segment_glue(&left, &right, &many.folding.spec);
            folding_say(&many.folding, &left, &said);
            if (strcmp((char *)said.data, wanted) != 0)
                printf("\n    cuts %zu, %zu: %s", i, j, (char *)said.data);
            CU_ASSERT_STRING_EQUAL((char *)said.data, wanted);
            CU_ASSERT_EQUAL(left.elements, 13);
            segment_clear(&left);
            bytes_clear(&said);
        }
    job_spec_clear(&many.folding.spec);
}

/* 1 2 | 3 | 1 2 | 3 4 | (nothing) | 10 11 12 | 5 | 6 7 */
static void test_many_sources(void)
{
    check_many((struct cut){.kind = CUT_SUBLISTS}, "3 3 3 7 33 5 13 ");
    check_many((struct cut){.kind = CUT_EVERY, .size = 4}, "7 19 34 7 ");
    check_many((struct cut){.kind = CUT_SPLIT, .parts = 2, .elements = 13}, "16 51 ");
    check_many((struct cut){.kind = CUT_TOTAL}, "67 ");
}

/* The shell's own fault stands where the fold does, behind what it has closed. */
static void test_shell_fault(void)
{
    struct folding folding;
    struct slice slice;
    struct fold *fold;
    struct span span;
    struct segment segment;
    struct bytes said = {0};

    folding_init(&folding, SOURCE_TEXT, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, "1 2\n3 4\n", 8);
    slice = (struct slice){.end = place_of_end(&folding.spec)};
    fold_new(&fold, &folding.spec, &slice, SEGMENT_FOLD);
    CU_ASSERT_FATAL(fold_next(fold, UINT64_MAX, &span));
    fold_feed(fold, "1 2\n3", 5, UINT64_MAX);
    fold_fault(fold, FAULT_CHANGED, "");
    CU_ASSERT(!fold_next(fold, UINT64_MAX, &span));
    CU_ASSERT(!place_compare(fold_place(fold), slice.end));
    fold_take(fold, &segment);
    folding_say(&folding, &segment, &said);
    CU_ASSERT_STRING_EQUAL((char *)said.data, "3 ! input: changed while it was read");
    segment_clear(&segment);
    fold_free(&fold);
    bytes_clear(&said);
    folding_clear(&folding);
}

/* Whatever is folded honestly can be; the same said of a job with no such source, or of a slice
 * with fewer units than elements, cannot. */
static void check_possible(enum source_format format, const char *text, enum segment_kind kind)
{
    struct folding folding;
    size_t length = strlen(text);
    struct segment segment;

    folding_init(&folding, format, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, text, length);
    for (size_t from = 0; from <= length; from++)
        for (size_t to = from + 1; to <= length + 1; to++) {
            struct slice slice = {folding_place(&folding, from), folding_place(&folding, to), 0, 0};

            if (kind == SEGMENT_FOLD)
                folding_fold(&folding, slice, &segment);
            else
                folding_count(&folding, slice, &segment);
            CU_ASSERT_TRUE(segment_is_possible(&segment, &folding.spec, &slice));
            segment.fault = (struct fault){.kind = FAULT_NOT_A_NUMBER, .source = 1};
            CU_ASSERT_FALSE(segment_is_possible(&segment, &folding.spec, &slice));
            segment.fault.kind = FAULT_NONE;
            segment.elements = to - from + 1;
            CU_ASSERT_FALSE(segment_is_possible(&segment, &folding.spec, &slice));
            segment_clear(&segment);
        }
    folding_clear(&folding);
}

static void what_is_folded_honestly_is_possible(void)
{
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++) {
        check_possible(SOURCE_TEXT, INPUTS[i], SEGMENT_FOLD);
        check_possible(SOURCE_TEXT, INPUTS[i], SEGMENT_COUNT);
    }
    for (size_t i = 0; i < sizeof JSONS / sizeof *JSONS; i++) {
        check_possible(SOURCE_JSON, JSONS[i], SEGMENT_FOLD);
        check_possible(SOURCE_JSON, JSONS[i], SEGMENT_COUNT);
    }
}

/* What only the other operation's partials can be would spoil what it is glued to. */
static void a_partial_that_the_operation_never_has_is_refused(void)
{
    for (int kind = OP_SUM; kind <= OP_PRODUCT; kind++) {
        const struct op *op = op_of((enum op_kind)kind);

        for (int is_too_large = 0; is_too_large <= 1; is_too_large++) {
            struct segment segment, decoded;
            struct bytes bytes = {0};
            bool fits;

            segment_init(&segment, SEGMENT_FOLD, op);
            segment.tail.open = segment.tail.has_elements = true;
            segment.tail.is_too_large = is_too_large;
            segment.tail.is_float = !is_too_large;
            segment_encode(&segment, &bytes);
            fits = segment_decode(&decoded, op, bytes.data, bytes.length);
            CU_ASSERT_EQUAL(fits, (kind == OP_PRODUCT) == is_too_large);
            segment_clear(&decoded);
            segment_clear(&segment);
            bytes_clear(&bytes);
        }
    }
}

static const struct unit_case CASES[] = {
    {"a partial that the operation never has is refused",
     a_partial_that_the_operation_never_has_is_refused},
    {"what is folded honestly is possible", what_is_folded_honestly_is_possible},
    {"a changed encoding is refused or does no harm", test_hostile},
    {"counts and checkpoints are exact, glued too", test_counts},
    {"a heavy side makes gluing heavy", test_weights},
    {"a slice may be taken in parts", test_takes},
    {"a job of several sources may be cut anywhere", test_many_sources},
    {"a fault of the shell's own stands where the fold does", test_shell_fault},
};

UNIT_MAIN("segment", CASES)
