#include "number/token.h"
#include "unit.h"
#include "vectors.h"

#include <math.h>
#include <stdint.h>

/* A copy that ends where the token ends, so that a sanitizer sees a read past it. */
static struct token parse_exactly(const char *text, enum token_grammar grammar)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    struct token token;

    memcpy(copy, text, length);
    token = token_parse(copy, length, grammar);
    free(copy);
    return token;
}

static bool is_big(const char *value, const char *text)
{
    mpz_t expected, found;
    bool same;

    mpz_init_set_str(expected, value, 10);
    mpz_init(found);
    token_big(found, text, strlen(text));
    same = !mpz_cmp(expected, found);
    mpz_clears(expected, found, NULL);
    return same;
}

static bool is_double(const char *value, double found)
{
    uint64_t bits;

    memcpy(&bits, &found, sizeof bits);
    return strcmp(value, "nan") ? bits == strtoull(value, NULL, 16) : isnan(found);
}

static bool is_as_python_reads_it(char *line)
{
    enum token_grammar grammar = *strsep(&line, " ") == 'J' ? TOKEN_JSON : TOKEN_TEXT;
    char kind = *strsep(&line, " ");
    const char *value = strsep(&line, " ");
    struct token token = parse_exactly(line, grammar);

    switch (token.kind) {
    case TOKEN_BAD:
        return kind == 'X';
    case TOKEN_RANGE:
        return kind == 'R';
    case TOKEN_INT:
        return kind == 'I' && token.small == strtoll(value, NULL, 10) && is_big(value, line);
    case TOKEN_BIG:
        return kind == 'B' && is_big(value, line);
    case TOKEN_FLOAT:
        return kind == 'F' && is_double(value, token.real);
    }
    return false;
}

static void tokens_are_read_as_python_reads_them(void)
{
    vectors_recorded("token", is_as_python_reads_it);
    vectors_live("token", 7, 20000, is_as_python_reads_it);
}

static char *repeat(const char *begin, char digit, size_t count, const char *end)
{
    size_t begin_bytes = strlen(begin), end_bytes = strlen(end) + 1;
    char *text = malloc(begin_bytes + count + end_bytes);

    memcpy(text, begin, begin_bytes);
    memset(text + begin_bytes, digit, count);
    memcpy(text + begin_bytes + count, end, end_bytes);
    return text;
}

static void numbers_of_a_million_digits_are_read(void)
{
    static const struct {
        const char *begin;
        char digit;
        const char *end;
        double value;
    } TABLE[] = {
        {"0.", '3', "", 1.0 / 3},
        {"0.", '0', "1e1000001", 1.0},
        {"", '1', "e-1000000", 0.1111111111111111111},
        {"9007199254740993.", '0', "1", 9007199254740994.0},
        {"9007199254740993.", '0', "0", 9007199254740992.0},
        {"", '0', "1.5", 1.5},
        {"-1", '0', "e-1000000", -1.0},
    };
    char *text;

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct token token;

        text = repeat(TABLE[i].begin, TABLE[i].digit, 1000000, TABLE[i].end);
        token = parse_exactly(text, TOKEN_TEXT);
        CU_ASSERT_EQUAL(token.kind, TOKEN_FLOAT);
        CU_ASSERT_EQUAL(token.real, TABLE[i].value);
        free(text);
    }
    text = repeat("1", '0', 1000000, "");
    CU_ASSERT_EQUAL(parse_exactly(text, TOKEN_TEXT).kind, TOKEN_BIG);
    free(text);
    text = repeat("", '0', 1000000, "7");
    CU_ASSERT_EQUAL(parse_exactly(text, TOKEN_TEXT).small, 7);
    CU_ASSERT_EQUAL(parse_exactly(text, TOKEN_JSON).kind, TOKEN_BAD);
    free(text);
    text = repeat("1", '0', 1000000, ".0");
    CU_ASSERT_EQUAL(parse_exactly(text, TOKEN_TEXT).kind, TOKEN_RANGE);
    free(text);
}

static const struct unit_case CASES[] = {
    {"tokens are read as Python reads them", tokens_are_read_as_python_reads_them},
    {"numbers of a million digits are read", numbers_of_a_million_digits_are_read},
};

UNIT_MAIN("token", CASES)
