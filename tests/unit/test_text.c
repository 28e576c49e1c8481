/* Text and CSV against an oracle in Python, and the sentences of its faults. */
#include "fold_vectors.h"
#include "unit.h"

static bool check_vector(char *line)
{
    return fold_vector_check(line, SOURCE_TEXT);
}

static void test_recorded(void)
{
    vectors_recorded("fold_text", check_vector);
}

static void test_live(void)
{
    vectors_live("fold_text", 7, 1000, check_vector);
}

static const struct {
    const char *input;
    enum op_kind op;
    const char *sentence;
} SENTENCES[] = {
    {"1 2\n3\n4 5 abc 6\n", OP_SUM, "input: line 3, byte 10: 'abc' is not a number"},
    {"1,,2", OP_SUM, "input: line 1, byte 2: a number is missing beside this comma"},
    {"1, ;2", OP_SUM, "input: line 1, byte 3: a number is missing beside this comma"},
    {" ,1", OP_SUM, "input: line 1, byte 1: a number is missing beside this comma"},
    {"2\n1 2, \n", OP_SUM, "input: line 2, byte 5: a number is missing beside this comma"},
    {"1 2,\r\n", OP_SUM, "input: line 1, byte 3: a number is missing beside this comma"},
    {"1 2,", OP_SUM, "input: line 1, byte 3: a number is missing beside this comma"},
    {"1\r2\n", OP_SUM, "input: line 1, byte 1: a carriage return without a line feed behind it"},
    {"1\n2\r", OP_SUM, "input: line 2, byte 3: a carriage return without a line feed behind it"},
    {"1_000", OP_SUM, "input: line 1, byte 0: '1_000' is not a number"},
    {"a\x01\x7f\xc3\xa9", OP_SUM, "input: line 1, byte 0: 'a\\x01\\x7f\\xc3\\xa9' is not a number"},
    {"\n 1e400 x", OP_SUM, "input: line 2, byte 2: '1e400' is too large for a float"},
    {"2 1.5", OP_PRODUCT,
     "input: line 1, byte 2: '1.5' is a float; products of floats are not supported yet"},
    {"1 0123456789012345678901234567890123456789x 5", OP_SUM,
     "input: line 1, byte 2: '0123456789012345678901234567890123456789' (cut) is not a number"},
};

static void test_sentences(void)
{
    for (size_t i = 0; i < sizeof SENTENCES / sizeof *SENTENCES; i++)
        check_sentence(SOURCE_TEXT, SENTENCES[i].op, SENTENCES[i].input, strlen(SENTENCES[i].input),
                       SENTENCES[i].sentence);
}

static void check_values(const char *input, size_t length, const char *values)
{
    struct folding folding;
    struct bytes said = {0};

    folding_init(&folding, SOURCE_TEXT, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, input, length);
    folding_whole(&folding, &said);
    CU_ASSERT_STRING_EQUAL((char *)said.data, values);
    bytes_clear(&said);
    folding_clear(&folding);
}

static void test_lines(void)
{
    check_values("", 0, "");
    check_values("\n", 1, "0 ");
    check_values(" ", 1, "0 ");
    check_values("1 2\n\n3", 6, "3 0 3 ");
    check_values("1\r\n\r\n", 5, "1 0 ");
    check_values("1e100 1 -1e100", 14, "1.0 ");
    check_values("1;2 ,3", 6, "6 ");
}

/* Every length around the widths that the hot loop reads in, with every kind of end. */
static void test_digits(void)
{
    char input[256], wanted[64];

    for (int digits = 1; digits <= 19; digits++)
        for (int behind = 0; behind < 40; behind++) {
            long long value = digits < 19 ? 1 : 1000000000000000000;
            int length;

            for (int i = 1; i < digits && digits < 19; i++)
                value = value * 10 + i % 10;
            length = snprintf(input, sizeof input, "%lld -%lld\n%lld,%lld;3%*s", value, value,
                              value / 7, value / 9, behind, "");
            snprintf(wanted, sizeof wanted, "0 %lld ", value / 7 + value / 9 + 3);
            check_values(input, (size_t)length, wanted);
        }
}

/* A number in a million pieces is as quick as in one. */
static void test_long_token(void)
{
    enum { DIGITS = 300000 };
    struct folding folding;
    char *input = memory_new(DIGITS + 1);
    struct bytes whole = {0}, fed = {0};

    for (int i = 0; i < DIGITS; i++)
        input[i] = (char)('1' + i % 9);
    folding_init(&folding, SOURCE_TEXT, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, input, DIGITS);
    folding_whole(&folding, &whole);
    CU_ASSERT_EQUAL(whole.length, DIGITS + 2);
    CU_ASSERT(!memcmp(whole.data, input, DIGITS));
    folding.spec.value_bytes_max = 1000;
    folding_whole(&folding, &fed);
    CU_ASSERT_STRING_EQUAL((char *)fed.data,
                           "! a value would be larger than 1000 bytes (--max-value)");
    bytes_clear(&whole);
    bytes_clear(&fed);
    folding_clear(&folding);
    memory_free(input);
}

static const struct unit_case CASES[] = {
    {"recorded texts give what Python gives", test_recorded},
    {"other texts give what Python gives", test_live},
    {"a fault is told in one sentence, the same for every cut", test_sentences},
    {"a line is what Python's file iteration yields", test_lines},
    {"integers of every length end anywhere", test_digits},
    {"a long number is one token, and may be too long", test_long_token},
};

UNIT_MAIN("text", CASES)
