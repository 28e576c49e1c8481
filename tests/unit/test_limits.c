/*
 * --max-value: what is too large depends on a sublist's elements alone, never on a cut or a
 * grouping. The limit here is the least there is, eight bytes: an element of 2^64 or more is
 * refused where it stands, a value of that size where its sublist closes.
 */
#include "trees.h"
#include "unit.h"

#define TOO_LARGE "! a value would be larger than 8 bytes (--max-value)"
#define U64(n) UINT64_C(n)

enum { LIMIT = 8 };

static const struct cut SUBLISTS = {.kind = CUT_SUBLISTS}, TOTAL = {.kind = CUT_TOTAL},
                        PAIRS = {.kind = CUT_EVERY, .size = 2};

static void check(struct folding *folding, const char *expected)
{
    struct bytes whole = {0};

    folding_whole(folding, &whole);
    if (strcmp((char *)whole.data, expected))
        trees_complain(folding, "uncut", (char *)whole.data, expected);
    CU_ASSERT_STRING_EQUAL((char *)whole.data, expected);
    CU_ASSERT(trees_check_all(folding));
    bytes_clear(&whole);
}

static void text_is_the_same_under_every_tree(void)
{
    static const struct {
        enum source_format format;
        enum op_kind op;
        const struct cut *cut;
        const char *input, *expected;
    } TABLE[] = {
        /* Values: past the limit only when the sublist closes there. */
        {SOURCE_TEXT, OP_SUM, &SUBLISTS, "9223372036854775807\n1 -1", "9223372036854775807 0 "},
        {SOURCE_TEXT, OP_SUM, &SUBLISTS, "18446744073709551615 1\n", TOO_LARGE},
        {SOURCE_TEXT, OP_SUM, &SUBLISTS, "3\n18446744073709551615 1 -1", "3 18446744073709551615 "},
        {SOURCE_TEXT, OP_SUM, &SUBLISTS, "18446744073709551615 9 .5", "1.8446744073709552e+19 "},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "4294967296 4294967296\n", TOO_LARGE},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "4294967296 4294967295", "18446744069414584320 "},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "7\n4294967296 4294967296 0", "7 0 "},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "0 4294967296 4294967296\n2", "0 2 "},
        {SOURCE_TEXT, OP_PRODUCT, &TOTAL, "4294967296\n-4294967296\n0", "0 "},
        {SOURCE_TEXT, OP_PRODUCT, &PAIRS, "1 4294967296 -4294967296 2", "4294967296 -8589934592 "},
        {SOURCE_TEXT, OP_PRODUCT, &PAIRS, "5 4294967296 4294967296 2", "21474836480 8589934592 "},
        /* Elements: where they stand, whatever the others are. */
        {SOURCE_TEXT, OP_SUM, &SUBLISTS, "18446744073709551616 -1", TOO_LARGE},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "0 18446744073709551616", TOO_LARGE},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "1\n18446744073709551616 x", "1 " TOO_LARGE},
        /* Other faults come first, where they stand first. */
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "4294967296 4294967296 x",
         "! input: line 1, byte 22: 'x' is not a number"},
        {SOURCE_TEXT, OP_PRODUCT, &SUBLISTS, "4294967296 4294967296\nx", TOO_LARGE},
        {SOURCE_JSON, OP_PRODUCT, &SUBLISTS, "[[4294967296,4294967296],2]", TOO_LARGE},
        {SOURCE_JSON, OP_PRODUCT, &SUBLISTS, "[[4294967296,4294967296,0]]", "0 "},
        {SOURCE_JSON, OP_PRODUCT, &SUBLISTS, "[4294967296,4294967296,[1]]",
         "! input: line 1, byte 23: expected a number, found '['"},
        {SOURCE_JSON, OP_PRODUCT, &SUBLISTS, "[[1],9,4294967296,4294967296]",
         "1 ! input: line 1, byte 5: expected '[', found '9'"},
        {SOURCE_JSON, OP_PRODUCT, &PAIRS, "[4294967296,4294967296],[5]",
         "! input: line 1, byte 23: expected a new line or the end, found ','"},
        {SOURCE_JSON, OP_PRODUCT, &PAIRS, "[[4294967296,4294967296],[5]]", TOO_LARGE},
        {SOURCE_JSON, OP_PRODUCT, &SUBLISTS, "[4294967296]\n[4294967296,0]", "4294967296 0 "},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct folding folding;

        folding_init(&folding, TABLE[i].format, TABLE[i].op, *TABLE[i].cut);
        folding.spec.value_bytes_max = LIMIT;
        folding_set(&folding, TABLE[i].input, strlen(TABLE[i].input));
        check(&folding, TABLE[i].expected);
        folding_clear(&folding);
    }
}

static void arrays_are_the_same_under_every_tree(void)
{
    static const struct {
        enum op_kind op;
        const struct cut *cut;
        uint64_t columns;
        uint64_t element[6];
        const char *expected;
    } TABLE[] = {
        {OP_SUM, &TOTAL, 6, {UINT64_MAX, 0, 0, 0, 0, 0}, "18446744073709551615 "},
        {OP_SUM, &TOTAL, 6, {U64(1) << 63, 0, U64(1) << 63, 0, 0, 0}, TOO_LARGE},
        {OP_SUM, &SUBLISTS, 2, {1, 2, UINT64_MAX, 1, 5, 6}, "3 " TOO_LARGE},
        {OP_PRODUCT, &SUBLISTS, 6, {U64(1) << 40, 3, U64(1) << 40, 1, 0, 2}, "0 "},
        {OP_PRODUCT, &SUBLISTS, 3, {2, 3, 4, U64(1) << 32, U64(1) << 32, 1}, "24 " TOO_LARGE},
        {OP_PRODUCT, &SUBLISTS, 3, {U64(1) << 32, U64(1) << 32, 0, 7, 1, 1}, "0 7 "},
        {OP_PRODUCT,
         &PAIRS,
         6,
         {UINT64_MAX, 1, 0, UINT64_MAX, 2, U64(1) << 62},
         "18446744073709551615 0 9223372036854775808 "},
        {OP_PRODUCT, &PAIRS, 6, {UINT64_MAX, 0, 1, 1, UINT64_MAX, 2}, "0 1 " TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct folding folding;
        struct source *source;

        folding_init(&folding, SOURCE_ARRAY, TABLE[i].op, *TABLE[i].cut);
        folding.spec.value_bytes_max = LIMIT;
        source = &folding.spec.sources[0];
        source->lane = LANE_U64;
        source->columns = TABLE[i].columns;
        source->rows = 6 / TABLE[i].columns;
        source->is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
        folding_set(&folding, TABLE[i].element, 6);
        check(&folding, TABLE[i].expected);
        folding_clear(&folding);
    }
}

static void ranges_are_the_same_under_every_tree(void)
{
    static const struct {
        enum op_kind op;
        const struct cut *cut;
        const char *begin, *step;
        size_t units;
        const char *expected;
    } TABLE[] = {
        {OP_SUM, &TOTAL, "18446744073709551614", "1", 2, TOO_LARGE},
        {OP_SUM, &TOTAL, "18446744073709551614", "1", 3, TOO_LARGE}, /* the last is 2^64 */
        {OP_SUM, &PAIRS, "18446744073709551614", "-18446744073709551614", 2,
         "18446744073709551614 "},
        {OP_SUM, &TOTAL, "18446744073709551615", "-36893488147419103230", 2, "0 "},
        {OP_SUM, &PAIRS, "-18446744073709551615", "36893488147419103231", 2, TOO_LARGE},
        {OP_SUM, &TOTAL, "5", "18446744073709551616", 1, "5 "}, /* a step that nobody takes */
        {OP_SUM, &SUBLISTS, "9223372036854775807", "-1", 2, "18446744073709551613 "},
        {OP_SUM, &SUBLISTS, "9223372036854775807", "-1", 3, TOO_LARGE},
        {OP_PRODUCT, &SUBLISTS, "1", "1", 20, "2432902008176640000 "},
        {OP_PRODUCT, &SUBLISTS, "1", "1", 21, TOO_LARGE},
        {OP_PRODUCT, &TOTAL, "-4294967296", "1073741824", 9, "0 "},
        {OP_PRODUCT, &TOTAL, "-4294967297", "1073741824", 9, TOO_LARGE},
        {OP_PRODUCT, &PAIRS, "4294967296", "-1", 4, "18446744069414584320 18446744052234715142 "},
        {OP_PRODUCT, &PAIRS, "4294967299", "-1", 4, TOO_LARGE},
        {OP_PRODUCT, &TOTAL, "18446744073709551616", "-9223372036854775808", 3, TOO_LARGE},
        {OP_PRODUCT, &TOTAL, "18446744073709551615", "-18446744073709551615", 2, "0 "},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct folding folding;
        struct source *source;

        folding_init(&folding, SOURCE_RANGE, TABLE[i].op, *TABLE[i].cut);
        folding.spec.value_bytes_max = LIMIT;
        source = &folding.spec.sources[0];
        source->access = SOURCE_NOTHING;
        mpz_set_str(source->begin, TABLE[i].begin, 10);
        mpz_set_str(source->step, TABLE[i].step, 10);
        folding_set(&folding, NULL, TABLE[i].units);
        check(&folding, TABLE[i].expected);
        folding_clear(&folding);
    }
}

static const struct unit_case CASES[] = {
    {"text and JSON are the same under every tree", text_is_the_same_under_every_tree},
    {"arrays are the same under every tree", arrays_are_the_same_under_every_tree},
    {"ranges are the same under every tree", ranges_are_the_same_under_every_tree},
};

UNIT_MAIN("limits", CASES)
