/*
 * The shortest decimal that reads back: Schubfach (Giulietti, "The Schubfach way to render
 * doubles", 2021), as in Alexander Bolz' Drachennest. The candidates are the multiples of one power
 * of ten around the value; that power is the largest which is sure to leave one inside the rounding
 * interval, and the interval's ends are compared as products rounded to odd, which keeps order.
 */
#include "number/format.h"

#include "base/memory.h"
#include "number/powers.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { FRACTION_BITS = 52, EXPONENT_BIAS = 1075 };

struct decimal {
    uint64_t digits;
    int exponent; /* digits * 10^exponent */
};

static const char PAIRS[] = "00010203040506070809"
                            "10111213141516171819"
                            "20212223242526272829"
                            "30313233343536373839"
                            "40414243444546474849"
                            "50515253545556575859"
                            "60616263646566676869"
                            "70717273747576777879"
                            "80818283848586878889"
                            "90919293949596979899";

/* Writes backwards, ending before `end`; returns where the text begins. */
static char *write_digits(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, PAIRS + 2 * value, 2);
        return end;
    }
    *--end = (char)('0' + value);
    return end;
}

size_t format_int(char text[FORMAT_NUMBER_BYTES], int64_t value)
{
    char buffer[FORMAT_NUMBER_BYTES];
    char *end = buffer + sizeof buffer;
    char *begin = write_digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--begin = '-';
    memcpy(text, begin, (size_t)(end - begin));
    return (size_t)(end - begin);
}

/* floor(log2(10^e)) for |e| <= 1233. */
static int log2_of_power(int exponent)
{
    return (exponent * 1741647) >> 19;
}

/* The power's 128 bits, rounded up. */
static struct power power_above(int exponent)
{
    struct power power = POWERS[exponent - POWER_FIRST];

    if (exponent < 0 || exponent > POWER_EXACT_LAST) {
        power.low++;
        power.high += !power.low;
    }
    return power;
}

static uint64_t multiply_to_odd(struct power power, uint64_t factor)
{
    unsigned __int128 low = (unsigned __int128)power.low * factor;
    unsigned __int128 high = (unsigned __int128)power.high * factor + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* Of two neighbouring candidates, `units` and the next: the one inside the interval, if just one
 * is; else the nearer, at a tie the even one. All is in quarters. */
static struct decimal choose(uint64_t units, uint64_t value, bool low_inside, bool high_inside,
                             int exponent)
{
    uint64_t middle = 4 * units + 2;
    bool up = low_inside != high_inside ? high_inside
                                        : value > middle || (value == middle && (units & 1));

    return (struct decimal){.digits = units + up, .exponent = exponent};
}

static struct decimal shortest_of(uint64_t significand, int exponent, bool lower_is_closer)
{
    bool is_odd = significand & 1;
    int k = (exponent * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22;
    int shift = exponent + log2_of_power(-k) + 1;
    struct power power = power_above(-k);
    uint64_t quarters = 4 * significand;
    uint64_t lower = multiply_to_odd(power, (quarters - 2 + lower_is_closer) << shift) + is_odd;
    uint64_t value = multiply_to_odd(power, quarters << shift);
    uint64_t upper = multiply_to_odd(power, (quarters + 2) << shift) - is_odd;
    uint64_t units = value / 4, tens = units / 10;
    bool low_inside = lower <= 40 * tens, high_inside = 40 * tens + 40 <= upper;

    if (units >= 10 && low_inside != high_inside)
        return (struct decimal){.digits = tens + high_inside, .exponent = k + 1};
    return choose(units, value, lower <= 4 * units, 4 * units + 4 <= upper, k);
}

/* bits: of a positive finite double. */
static struct decimal shortest(uint64_t bits)
{
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int biased = (int)(bits >> FRACTION_BITS);
    uint64_t significand = biased ? fraction | UINT64_C(1) << FRACTION_BITS : fraction;
    int exponent = (biased ? biased : 1) - EXPONENT_BIAS;
    struct decimal decimal;

    if (exponent <= 0 && exponent > -53 && !(significand & ((UINT64_C(1) << -exponent) - 1)))
        decimal = (struct decimal){.digits = significand >> -exponent};
    else
        decimal = shortest_of(significand, exponent, !fraction && biased > 1);
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

static char *put(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static char *put_zeros(char *at, int count)
{
    for (; count > 0; count--)
        *at++ = '0';
    return at;
}

/* point: digits before the decimal point; as repr() has it, for -4 < point <= 16. */
static char *put_plain(char *at, const char *digits, int count, int point)
{
    if (point <= 0) {
        at = put_zeros(put(at, "0.", 2), -point);
        return put(at, digits, (size_t)count);
    }
    if (point >= count) {
        at = put_zeros(put(at, digits, (size_t)count), point - count);
        return put(at, ".0", 2);
    }
    at = put(put(at, digits, (size_t)point), ".", 1);
    return put(at, digits + point, (size_t)(count - point));
}

static char *put_scientific(char *at, const char *digits, int count, int exponent)
{
    char text[FORMAT_NUMBER_BYTES];
    size_t length = format_int(text, exponent < 0 ? -exponent : exponent);

    *at++ = digits[0];
    if (count > 1)
        at = put(put(at, ".", 1), digits + 1, (size_t)count - 1);
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    return put(put_zeros(at, 2 - (int)length), text, length);
}

static char *put_finite(char *at, uint64_t bits)
{
    struct decimal decimal = shortest(bits);
    char digits[FORMAT_NUMBER_BYTES];
    int count = (int)format_int(digits, (int64_t)decimal.digits);
    int point = count + decimal.exponent;

    if (point > -4 && point <= 16)
        return put_plain(at, digits, count, point);
    return put_scientific(at, digits, count, point - 1);
}

size_t format_float(char text[FORMAT_NUMBER_BYTES], double value)
{
    uint64_t bits;
    char *at = text;

    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (size_t)(put(at, "nan", 3) - text);
    if (bits >> 63)
        *at++ = '-';
    bits &= ~(UINT64_C(1) << 63);
    if (isinf(value))
        at = put(at, "inf", 3);
    else
        at = bits ? put_finite(at, bits) : put(at, "0.0", 3);
    return (size_t)(at - text);
}

void format_big(struct bytes *out, const mpz_t value)
{
    size_t room = mpz_sizeinbase(value, 10) + 2;
    char *text;

    bytes_reserve(out, room);
    text = (char *)out->data + out->length;
    mpz_get_str(text, 10, value);
    out->length += strlen(text);
}
