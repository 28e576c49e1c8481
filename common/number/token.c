/*
 * A token is scanned once, into at most 19 significant digits and a decimal exponent. Most convert
 * from these: integers directly, decimals by Clinger's fast path ("How to read floating point
 * numbers accurately", 1990). The rest go to strtod as "digits e exponent": no decimal point, so no
 * locale can matter, and no more digits than can decide a rounding.
 */
#include "number/token.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_DIGITS = 19, /* decimal digits that always fit 64 bits */
    /*
     * Halfway points between doubles have at most 768 significant digits; a 1 behind as many stands
     * for all that follow. Not one digit more: glibc's strtod (2.36) forgets a subnormal's 54th bit
     * when nothing follows it, and so takes what is past halfway for a tie. Such a number has 769
     * digits or more, and ends in a 5.
     */
    DIGITS_MAX = 768,
    CLINGER_POWER_MAX = 22, /* 10^22 is a double */
    BYTES_MAX_LEAST = 4096
};

#define EXPONENT_MAX INT64_C(100000000000000000)

struct scan {
    const char *digits; /* the first significant digit */
    const char *end;    /* past the last digit or point */
    const char *point;  /* NULL: none */
    uint64_t word;      /* the first significant digits, WORD_DIGITS at most */
    size_t significant; /* how many digits, from the first that is not zero */
    int64_t exponent;   /* the value is all significant digits, as an integer, times 10^exponent */
    bool is_negative;
    bool is_float;
};

/* 2.41 digits a byte. */
uint64_t token_bytes_max(uint64_t value_bytes_max)
{
    uint64_t more = value_bytes_max / 2 + BYTES_MAX_LEAST;

    return value_bytes_max > (UINT64_MAX - more) / 2 ? UINT64_MAX : 2 * value_bytes_max + more;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(struct scan *scan, const char *at, const char *end)
{
    for (; at < end && is_digit(*at); at++) {
        if (!scan->significant && *at == '0')
            continue;
        if (!scan->significant)
            scan->digits = at;
        if (scan->significant < WORD_DIGITS)
            scan->word = 10 * scan->word + (uint64_t)(*at - '0');
        scan->significant++;
    }
    return at;
}

/* The exponent after 'e'; NULL when there is no number. */
static const char *scan_exponent(struct scan *scan, const char *at, const char *end)
{
    bool is_negative = at < end && *at == '-';
    const char *first;
    int64_t exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    for (first = at; at < end && is_digit(*at); at++)
        if (exponent < EXPONENT_MAX)
            exponent = 10 * exponent + (*at - '0');
    if (at == first)
        return NULL;
    scan->exponent += is_negative ? -exponent : exponent;
    return at;
}

/* What RFC 8259 forbids and other texts allow: a plus sign, superfluous zeros, an empty fraction.
 */
static bool json_allows(const char *begin, const char *end, const char *integer_end,
                        const char *fraction_end)
{
    bool has_zero = begin < end && *begin == '0';

    if (integer_end == begin || (has_zero && integer_end - begin > 1))
        return false;
    return fraction_end == integer_end || fraction_end - integer_end > 1;
}

static bool scan_number(struct scan *scan, const char *at, const char *end,
                        enum token_grammar grammar)
{
    const char *begin, *integer_end, *fraction_end;

    *scan = (struct scan){.is_negative = at < end && *at == '-'};
    at += at < end && (*at == '-' || (*at == '+' && grammar == TOKEN_TEXT));
    begin = at;
    integer_end = at = scan_digits(scan, at, end);
    if (at < end && *at == '.') {
        scan->point = at;
        at = scan_digits(scan, at + 1, end);
        scan->exponent = integer_end + 1 - at;
    }
    fraction_end = at;
    if (fraction_end - begin == (scan->point != NULL))
        return false;
    if (grammar == TOKEN_JSON && !json_allows(begin, end, integer_end, fraction_end))
        return false;
    scan->end = fraction_end;
    scan->is_float = scan->point || at < end;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = scan_exponent(scan, at + 1, end);
    return at == end;
}

static struct token parse_int(const struct scan *scan)
{
    uint64_t limit = (uint64_t)INT64_MAX + scan->is_negative;

    if (scan->significant > WORD_DIGITS || scan->word > limit)
        return (struct token){.kind = TOKEN_BIG};
    return (struct token){.kind = TOKEN_INT,
                          .small = (int64_t)(scan->is_negative ? -scan->word : scan->word)};
}

/* The significant digits, as many as can matter, and the exponent, for strtod. */
static double convert_slowly(const struct scan *scan)
{
    char text[DIGITS_MAX + 40];
    size_t length = 0, seen = 0;
    bool is_rest_zero = true;
    const char *at = scan->digits;

    for (; seen < scan->significant && length < DIGITS_MAX; at++) {
        if (at == scan->point)
            continue;
        text[length++] = *at;
        seen++;
    }
    for (; is_rest_zero && at < scan->end; at++)
        is_rest_zero = *at == '0' || *at == '.';
    if (!is_rest_zero)
        text[length++] = '1';
    snprintf(text + length, sizeof text - length, "e%lld",
             (long long)(scan->exponent + (int64_t)(scan->significant - seen) - !is_rest_zero));
    return strtod(text, NULL);
}

static double convert(const struct scan *scan)
{
    static const double POWERS_OF_TEN[CLINGER_POWER_MAX + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t magnitude;

    if (!scan->significant)
        return 0.0;
    if (scan->significant <= WORD_DIGITS && scan->word <= UINT64_C(1) << 53) {
        if (scan->exponent >= 0 && scan->exponent <= CLINGER_POWER_MAX)
            return (double)scan->word * POWERS_OF_TEN[scan->exponent];
        if (scan->exponent < 0 && scan->exponent >= -CLINGER_POWER_MAX)
            return (double)scan->word / POWERS_OF_TEN[-scan->exponent];
    }
    magnitude = scan->exponent + (int64_t)scan->significant; /* value < 10^magnitude */
    if (magnitude > 310)
        return HUGE_VAL;
    return magnitude < -330 ? 0.0 : convert_slowly(scan);
}

static struct token parse_float(const struct scan *scan)
{
    double value = convert(scan);

    if (isinf(value))
        return (struct token){.kind = TOKEN_RANGE};
    return (struct token){.kind = TOKEN_FLOAT, .real = scan->is_negative ? -value : value};
}

/* word: in small letters. Not strcasecmp(), which asks the locale. */
static bool is_word(const char *text, size_t length, const char *word)
{
    if (length != strlen(word))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((text[i] | 0x20) != word[i])
            return false;
    return true;
}

static struct token parse_word(const char *text, size_t length)
{
    bool is_negative = length && *text == '-';
    size_t sign = length && (*text == '-' || *text == '+');
    const char *word = text + sign;

    length -= sign;
    if (is_word(word, length, "nan"))
        return (struct token){.kind = TOKEN_FLOAT, .real = NAN};
    if (is_word(word, length, "inf") || is_word(word, length, "infinity"))
        return (struct token){.kind = TOKEN_FLOAT, .real = is_negative ? -HUGE_VAL : HUGE_VAL};
    return (struct token){.kind = TOKEN_BAD};
}

struct token token_parse(const char *text, size_t length, enum token_grammar grammar)
{
    struct scan scan;

    if (scan_number(&scan, text, text + length, grammar))
        return scan.is_float ? parse_float(&scan) : parse_int(&scan);
    if (grammar == TOKEN_TEXT)
        return parse_word(text, length);
    return (struct token){.kind = TOKEN_BAD};
}

void token_big(mpz_t out, const char *text, size_t length)
{
    size_t plus = length && *text == '+';
    char *copy = memory_new(length + 1);

    memcpy(copy, text + plus, length - plus);
    mpz_set_str(out, copy, 10);
    memory_free(copy);
}
