/* JSON against an oracle in Python, and the sentences of its faults. */
#include "fold_vectors.h"
#include "unit.h"

static bool check_vector(char *line)
{
    return fold_vector_check(line, SOURCE_JSON);
}

static void test_recorded(void)
{
    vectors_recorded("fold_json", check_vector);
}

static void test_live(void)
{
    vectors_live("fold_json", 7, 1000, check_vector);
}

static const struct {
    const char *input, *sentence;
} SENTENCES[] = {
    {"[[1,2] x", "input: line 1, byte 7: expected ',' or ']', found 'x'"},
    {"[1,2\n,]", "input: line 2, byte 6: expected a number, found ']'"},
    {"[1,[2]]", "input: line 1, byte 3: expected a number, found '['"},
    {"[[1],2]", "input: line 1, byte 5: expected '[', found '2'"},
    {"[[[1]]]", "input: line 1, byte 2: expected a number or ']', found '['"},
    {"[1][2]", "input: line 1, byte 3: expected a new line or the end, found '['"},
    {"[1]\n]", "input: line 2, byte 4: expected '[', found ']'"},
    {"12", "input: line 1, byte 0: expected '[', found '1'"},
    {"{\"a\": 1}", "input: line 1, byte 0: '{' is not a number"},
    {"[,1]", "input: line 1, byte 1: expected a number, '[' or ']', found ','"},
    {"[1, \"a b\"]", "input: line 1, byte 4: '\"a' is not a number"},
    {"[1,true]", "input: line 1, byte 3: 'true' is not a number"},
    {"[1,01]", "input: line 1, byte 3: '01' is not a number"},
    {"[1,NaN]", "input: line 1, byte 3: JSON has no such number as 'NaN'"},
    {"[[Infinity,2]]", "input: line 1, byte 2: JSON has no such number as 'Infinity'"},
    {"[[1],\n[-Infinity ,2]]", "input: line 2, byte 7: JSON has no such number as '-Infinity'"},
    {"[1,nan]", "input: line 1, byte 3: 'nan' is not a number"},
    {"[1,NaN1]", "input: line 1, byte 3: 'NaN1' is not a number"},
    {"[1,1e999]", "input: line 1, byte 3: '1e999' is too large for a float"},
    {"", "input: line 1, byte 0: the input ends before the array does"},
    {" \n", "input: line 2, byte 2: the input ends before the array does"},
    {"[[1,2],\n[3", "input: line 2, byte 10: the input ends before the array does"},
};

static void test_sentences(void)
{
    for (size_t i = 0; i < sizeof SENTENCES / sizeof *SENTENCES; i++)
        check_sentence(SOURCE_JSON, OP_SUM, SENTENCES[i].input, strlen(SENTENCES[i].input),
                       SENTENCES[i].sentence);
}

static void check_values(const char *input, const char *values)
{
    struct folding folding;
    struct bytes said = {0};

    folding_init(&folding, SOURCE_JSON, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, input, strlen(input));
    folding_whole(&folding, &said);
    CU_ASSERT_STRING_EQUAL((char *)said.data, values);
    bytes_clear(&said);
    folding_clear(&folding);
}

static void test_shapes(void)
{
    check_values("[]", "0 ");
    check_values("[[]]", "0 ");
    check_values("[[],[]]", "0 0 ");
    check_values("[1,2,3]", "6 ");
    check_values("[[1,2],[],[3]]\n", "3 0 3 ");
    check_values("[1]\n\n[2]\n[[3],[4]]\n[]", "1 2 3 4 0 ");
    check_values(" [ 1 , 2 ] \r\n", "3 ");
    check_values("[-0, -0.0]", "0.0 ");
    check_values("[-0.0]", "-0.0 ");
}

static const struct unit_case CASES[] = {
    {"recorded JSONs give what Python gives", test_recorded},
    {"other JSONs give what Python gives", test_live},
    {"a fault is told in one sentence, the same for every cut", test_sentences},
    {"arrays of arrays, flat arrays, one array a line", test_shapes},
};

UNIT_MAIN("json", CASES)
