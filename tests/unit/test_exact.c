#include "number/exact.h"
#include "unit.h"
#include "vectors.h"

#include <math.h>
#include <stdint.h>

enum { VALUES_MAX = 20000 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static size_t read_doubles(char *line, double *values)
{
    size_t count = 0;
    char *word;

    while ((word = strsep(&line, " ")))
        values[count++] = double_of(strtoull(word, NULL, 16));
    return count;
}

static double round_exact(const struct exact *exact)
{
    mpz_t zero;
    double value;

    mpz_init(zero);
    value = exact_round(exact, zero);
    mpz_clear(zero);
    return value;
}

static bool is_rounded(const struct exact *exact, const char *expected)
{
    double value = round_exact(exact);

    if (!strcmp(expected, "nan"))
        return isnan(value) && isnan(exact_round_small(exact, 0));
    return bits_of(value) == strtoull(expected, NULL, 16) &&
           bits_of(exact_round_small(exact, 0)) == bits_of(value);
}

static bool is_the_fraction_rounded(char *line)
{
    double values[VALUES_MAX];
    const char *expected = strsep(&line, " ");
    size_t count = line ? read_doubles(line, values) : 0;
    struct exact one_by_one, array;

    exact_init(&one_by_one);
    exact_init(&array);
    for (size_t i = 0; i < count; i++)
        exact_add(&one_by_one, values[i]);
    exact_add_array(&array, values, count);
    return is_rounded(&one_by_one, expected) && is_rounded(&array, expected);
}

static void sums_are_the_fraction_rounded_once(void)
{
    vectors_recorded("exact", is_the_fraction_rounded);
    vectors_live("exact", 7, 10000, is_the_fraction_rounded);
}

/* An integer of any size and sign beside the doubles, in both forms of rounding. */
static bool is_the_fraction_with_an_integer_rounded(char *line)
{
    double values[VALUES_MAX];
    uint64_t expected = strtoull(strsep(&line, " "), NULL, 16);
    mpz_t integer;
    struct exact exact;
    size_t count;
    bool same;

    mpz_init_set_str(integer, strsep(&line, " "), 10);
    count = line ? read_doubles(line, values) : 0;
    exact_init(&exact);
    for (size_t i = 0; i < count; i++)
        exact_add(&exact, values[i]);
    same = bits_of(exact_round(&exact, integer)) == expected;
    if (!count)
        same = same && bits_of(exact_round(NULL, integer)) == expected;
    mpz_clear(integer);
    return same;
}

static void integers_near_the_end_of_the_range_are_added_exactly(void)
{
    vectors_recorded("exact_integer", is_the_fraction_with_an_integer_rounded);
    vectors_live("exact_integer", 7, 4000, is_the_fraction_with_an_integer_rounded);
}

/* Doubles of `binades` different exponents; now and then a special one. */
static void fill(double *values, size_t count, unsigned binades, uint64_t *state)
{
    uint64_t low = next_random(state) % (2048 - binades);

    for (size_t i = 0; i < count; i++) {
        uint64_t bits = next_random(state);
        uint64_t exponent = low + bits % binades;

        bits = next_random(state);
        values[i] = double_of((bits & ~(UINT64_C(2047) << 52)) | exponent << 52);
    }
}

static struct bytes encoded(const struct exact *exact)
{
    struct bytes out = {0};

    exact_encode(exact, &out);
    return out;
}

static bool are_equal(const struct exact *a, const struct exact *b)
{
    struct bytes left = encoded(a), right = encoded(b);
    bool same = left.length == right.length && !memcmp(left.data, right.data, left.length);

    bytes_clear(&left);
    bytes_clear(&right);
    return same;
}

/* The sum of a run, in a random grouping, partly as encoded bytes, partly by arrays. */
static void sum_somehow(struct exact *exact, const double *values, size_t count, uint64_t *state)
{
    struct exact right;
    struct bytes bytes;
    struct reader in;
    size_t cut;

    exact_init(exact);
    if (count < 2 || next_random(state) % 4 == 0) {
        exact_add_array(exact, values, count);
        return;
    }
    cut = next_random(state) % count;
    sum_somehow(exact, values, cut, state);
    sum_somehow(&right, values + cut, count - cut, state);
    if (next_random(state) % 2)
        exact_canonicalise(&right);
    bytes = encoded(exact);
    in = reader_of(bytes.data, bytes.length);
    CU_ASSERT(exact_decode(exact, &in));
    CU_ASSERT_EQUAL(reader_left(&in), 0);
    bytes_clear(&bytes);
    exact_join(exact, &right);
}

static void check_grouping(unsigned binades, size_t count, uint64_t *state)
{
    static double values[VALUES_MAX];
    struct exact expected, found;

    fill(values, count, binades, state);
    exact_init(&expected);
    for (size_t i = 0; i < count; i++)
        exact_add(&expected, values[i]);
    sum_somehow(&found, values, count, state);
    CU_ASSERT(are_equal(&expected, &found));
    exact_init(&found);
    exact_add_array(&found, values, count);
    CU_ASSERT(are_equal(&expected, &found));
}

static void any_grouping_gives_the_same_bytes(void)
{
    static const unsigned BINADES[] = {1, 2, 20, 40, 60, 80, 100, 130, 210, 600, 1200, 2046};
    uint64_t state = 88172645463325252;

    for (size_t i = 0; i < sizeof BINADES / sizeof *BINADES; i++)
        for (int round = 0; round < 12; round++)
            check_grouping(BINADES[i], next_random(&state) % VALUES_MAX, &state);
}

/* What makes a block of an array unlike the one before. */
static void arrays_of_changing_kind_are_exact(void)
{
    static double values[VALUES_MAX];
    uint64_t state = 1234567;
    struct exact expected, found;

    for (int round = 0; round < 60; round++) {
        size_t at = 0;

        while (at < VALUES_MAX) {
            size_t run = 1 + next_random(&state) % 6000;

            run = run < VALUES_MAX - at ? run : VALUES_MAX - at;
            fill(values + at, run, 1u << next_random(&state) % 11, &state);
            at += run;
        }
        for (int i = 0; i < round % 3; i++)
            values[next_random(&state) % VALUES_MAX] =
                double_of(next_random(&state) % 2 ? 0x7ff0000000000000 : 0x8000000000000000);
        exact_init(&expected);
        for (size_t i = 0; i < VALUES_MAX; i++)
            exact_add(&expected, values[i]);
        exact_init(&found);
        exact_add_array(&found, values, VALUES_MAX);
        CU_ASSERT(are_equal(&expected, &found));
    }
}

static void check_integer(const char *digits, double value, double expected)
{
    struct exact exact;
    mpz_t integer;

    mpz_init_set_str(integer, digits, 10);
    exact_init(&exact);
    exact_add(&exact, value);
    CU_ASSERT_EQUAL(bits_of(exact_round(&exact, integer)), bits_of(expected));
    if (mpz_fits_slong_p(integer))
        CU_ASSERT_EQUAL(bits_of(exact_round_small(&exact, mpz_get_si(integer))), bits_of(expected));
    mpz_clear(integer);
}

static void an_integer_counts_with_its_exact_value(void)
{
    char huge[402] = "-1";

    check_integer("0", 1.5, 1.5);
    check_integer("-1", 1.0, 0.0);
    check_integer("9007199254740993", 0.0, 9007199254740992.0);
    check_integer("9007199254740993", 5e-324, 9007199254740994.0);
    check_integer("9007199254740993", -5e-324, 9007199254740992.0);
    check_integer("-9007199254740993", -5e-324, -9007199254740994.0);
    check_integer("1000000000000000000000000000000", -1e30, -19884624838656.0);
    check_integer("9223372036854775807", -0x1p63, -1.0);
    check_integer("-9223372036854775808", 0x1p63, 0.0);
    memset(huge + 2, '0', 399);
    check_integer(huge, 1e308, -HUGE_VAL);
    check_integer(huge + 1, -1e308, HUGE_VAL);
}

static void numbers_at_every_position_are_added(void)
{
    struct exact exact;

    for (uint32_t position = 0; position <= EXACT_POSITION_MAX; position++) {
        exact_init(&exact);
        exact_add_scaled(&exact, INT64_MIN, position);
        exact_add_scaled(&exact, INT64_MAX, position);
        CU_ASSERT_EQUAL(round_exact(&exact), -ldexp(1, (int)position - 1074));
    }
}

static void encodings_that_nobody_writes_are_refused(void)
{
    static const struct {
        size_t length;
        uint8_t bytes[12];
    } TABLE[] = {
        {3, {0}},                          /* cut off */
        {4, {8, 0, 0, 0}},                 /* an unknown special */
        {4, {3, 0, 0, 0}},                 /* two at once */
        {8, {1, 0, 0, 1, 5}},              /* a special with a number */
        {4, {0, 1, 0, 0}},                 /* minus zero */
        {4, {0, 0, 7, 0}},                 /* nothing at limb 7 */
        {8, {0, 2, 0, 1, 5}},              /* a third sign */
        {8, {0, 0, 68, 1, 5}},             /* past the last limb */
        {8, {0, 0, 255, 255, 5}},          /* far past it */
        {8, {0, 0, 0, 1, 0}},              /* leading zeros */
        {12, {0, 0, 0, 2, 0, 0, 0, 0, 5}}, /* trailing zeros */
        {8, {0, 0, 0, 2, 5}},              /* fewer limbs than said */
    };
    struct exact exact;

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct reader in = reader_of(TABLE[i].bytes, TABLE[i].length);

        CU_ASSERT_FALSE(exact_decode(&exact, &in));
    }
}

static const struct unit_case CASES[] = {
    {"sums are the fraction rounded once", sums_are_the_fraction_rounded_once},
    {"any grouping gives the same bytes", any_grouping_gives_the_same_bytes},
    {"arrays of changing kind are exact", arrays_of_changing_kind_are_exact},
    {"an integer counts with its exact value", an_integer_counts_with_its_exact_value},
    {"integers near the end of the range are added exactly",
     integers_near_the_end_of_the_range_are_added_exactly},
    {"numbers at every position are added", numbers_at_every_position_are_added},
    {"encodings that nobody writes are refused", encodings_that_nobody_writes_are_refused},
};

UNIT_MAIN("exact", CASES)
