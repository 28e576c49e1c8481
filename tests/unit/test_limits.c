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

/* The longest token that is looked at has 2.5 times the limit's bytes and a page. */
enum { TOKEN_MOST = 2 * LIMIT + LIMIT / 2 + 4096 };

static void append_many(struct bytes *out, char byte, size_t count)
{
    memset(bytes_extend(out, count), byte, count);
}

/* `count` bytes of one kind between a begin and an end. Whatever begins with '[' is JSON. */
static void check_long(const char *begin, char byte, size_t count, const char *end,
                       const char *expected)
{
    struct bytes input = {0}, whole = {0};
    struct folding folding;
    uint64_t random = 5;

    bytes_append(&input, begin, strlen(begin));
    append_many(&input, byte, count);
    bytes_append(&input, end, strlen(end));
    folding_init(&folding, *begin == '[' ? SOURCE_JSON : SOURCE_TEXT, OP_SUM, SUBLISTS);
    folding.spec.value_bytes_max = LIMIT;
    folding_set(&folding, input.data, input.length);
    folding_whole(&folding, &whole);
    CU_ASSERT_STRING_EQUAL((char *)whole.data, expected);
    for (int i = 0; i < 40 / FOLDING_LESS; i++)
        CU_ASSERT(trees_check_cuts(&folding, &random));
    bytes_clear(&whole);
    bytes_clear(&input);
    folding_clear(&folding);
}

static void what_is_wrong_with_a_long_token_shows_first_under_every_tree(void)
{
    const char *ones = "! input: line 1, byte 0: '1111111111111111111111111111111111111111' (cut) "
                       "is not a number";

    check_long("1\nx", '0', 30, " 5",
               "1 ! input: line 2, byte 2: "
               "'x000000000000000000000000000000' is not a number");
    check_long("\nx", '0', 38, " 5",
               "0 ! input: line 2, byte 1: "
               "'x00000000000000000000000000000000000000' is not a number");
    check_long("", '1', 200, "x1 5", ones);
    check_long("", '1', TOKEN_MOST - 1, "x1 5", ones);
    check_long("", '1', TOKEN_MOST, "x1 5", TOO_LARGE);
    check_long("", '1', TOKEN_MOST + 1, " x", TOO_LARGE);
    check_long("", '0', TOKEN_MOST - 1, "7 5", "12 ");
    check_long("", '0', TOKEN_MOST, "7 5", TOO_LARGE);
    check_long(".", '0', TOKEN_MOST - 3, "e5 5", "5.0 ");
    check_long("3\n", 'y', 3 * TOKEN_MOST, "\n",
               "3 ! input: line 2, byte 2: "
               "'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy' (cut) is not a number");
    check_long("[[3],[", '1', TOKEN_MOST - 1, "x]]",
               "3 ! input: line 1, byte 6: "
               "'1111111111111111111111111111111111111111' (cut) is not a number");
    check_long("[[3],[", '1', TOKEN_MOST, "x]]", "3 " TOO_LARGE);
    check_long("[3,\"", 'a', 3 * TOKEN_MOST, "\"]",
               "! input: line 1, byte 3: "
               "'\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' (cut) is not a number");
}

static const struct unit_case CASES[] = {
    {"text and JSON are the same under every tree", text_is_the_same_under_every_tree},
    {"arrays are the same under every tree", arrays_are_the_same_under_every_tree},
    {"ranges are the same under every tree", ranges_are_the_same_under_every_tree},
    {"what is wrong with a long token shows first under every tree",
     what_is_wrong_with_a_long_token_shows_first_under_every_tree},
};

UNIT_MAIN("limits", CASES)
