#include "number/format.h"
#include "unit.h"
#include "vectors.h"

#include <inttypes.h>
#include <limits.h>

static bool is_as_python_prints_it(char *line)
{
    char text[FORMAT_NUMBER_BYTES + 1] = "";
    uint64_t bits = strtoull(line, NULL, 16);
    double value;

    memcpy(&value, &bits, sizeof value);
    text[format_float(text, value)] = 0;
    return !strcmp(text, line + 17);
}

static void floats_are_printed_as_python_prints_them(void)
{
    vectors_recorded("format", is_as_python_prints_it);
    vectors_live("format", 7, 100000, is_as_python_prints_it);
}

static void check_int(int64_t value)
{
    char text[FORMAT_NUMBER_BYTES + 1] = "", expected[FORMAT_NUMBER_BYTES];

    text[format_int(text, value)] = 0;
    snprintf(expected, sizeof expected, "%" PRId64, value);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void ints_of_every_length_are_printed(void)
{
    int64_t power = 1;

    check_int(INT64_MIN);
    check_int(INT64_MAX);
    for (int i = 0; i < 19; i++, power = i < 19 ? 10 * power : power)
        for (int64_t near = -12; near <= 12; near++) {
            check_int(power + near);
            check_int(-power - near);
        }
}

static void check_big(struct bytes *out, const char *digits)
{
    size_t before = out->length;
    mpz_t value;

    mpz_init_set_str(value, digits, 10);
    format_big(out, value);
    CU_ASSERT_EQUAL_FATAL(out->length - before, strlen(digits));
    CU_ASSERT(!memcmp(out->data + before, digits, strlen(digits)));
    mpz_clear(value);
}

static void big_integers_are_appended(void)
{
    struct bytes out = {0};

    check_big(&out, "0");
    check_big(&out, "-1");
    check_big(&out, "99999999999999999999");
    check_big(&out, "-100000000000000000000000000000000000000000000000000");
    bytes_clear(&out);
}

static const struct unit_case CASES[] = {
    {"floats are printed as Python prints them", floats_are_printed_as_python_prints_them},
    {"ints of every length are printed", ints_of_every_length_are_printed},
    {"big integers are appended", big_integers_are_appended},
};

UNIT_MAIN("format", CASES)
