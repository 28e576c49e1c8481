/*
 * The base state of the exact sum. A double is an integer of 53 bits times a power of two, so
 * adding one touches three limbs and loses nothing; limbs have 32 bits of their own and 31 to
 * spare, which is room for 2^30 additions between two propagations of carries.
 *
 * Canonical, as it is while nothing was added since the last propagation, means: limbs in [0,
 * 2^32), except the last, which is 0 or -1 (two's complement with an endless sign). With a nan or
 * an infinity the finite part no longer counts, so it is zero.
 */
#include "number/exact.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    LIMB_BITS = 32,
    ADDITIONS_MAX = 1 << 30,
    LAST = EXACT_LIMBS - 1,
    ONE_POSITION = 1074, /* the position of the unit */
    /* 2^64 doubles amount to less than 2^1088: an integer past this overflows all the same. */
    INTEGER_BITS_MAX = 1100,
    ENCODED_LIMBS_MAX = 68, /* 2^64 doubles of the largest size need no more */
    FRACTION_BITS = 52
};

#define LIMB_MASK INT64_C(0xffffffff)

/* A number at a position takes three limbs, and the last one is the sign's. */
static_assert(EXACT_POSITION_MAX / LIMB_BITS + 2 < LAST, "no room for a number");
static_assert((ONE_POSITION + INTEGER_BITS_MAX) / LIMB_BITS + 2 < LAST, "no room for an integer");

void exact_init(struct exact *exact)
{
    memset(exact, 0, sizeof *exact);
}

static void propagate(struct exact *exact)
{
    int64_t carry = 0;

    if (!exact->additions)
        return;
    for (int i = 0; i < LAST; i++) {
        int64_t sum = exact->limb[i] + carry;

        exact->limb[i] = sum & LIMB_MASK;
        carry = sum >> LIMB_BITS;
    }
    exact->limb[LAST] += carry;
    exact->additions = 0;
}

static void add_scaled(struct exact *exact, int64_t value, uint32_t position)
{
    __int128 wide = (__int128)((unsigned __int128)(__int128)value << (position % LIMB_BITS));
    int64_t *limb = exact->limb + position / LIMB_BITS;

    limb[0] += (int64_t)wide & LIMB_MASK;
    limb[1] += (int64_t)(wide >> LIMB_BITS) & LIMB_MASK;
    limb[2] += (int64_t)(wide >> (2 * LIMB_BITS));
    if (++exact->additions >= ADDITIONS_MAX)
        propagate(exact);
}

void exact_add_scaled(struct exact *exact, int64_t value, uint32_t position)
{
    assert(position <= EXACT_POSITION_MAX);
    add_scaled(exact, value, position);
}

void exact_add(struct exact *exact, double value)
{
    uint64_t bits;
    uint32_t exponent;
    int64_t mantissa;

    memcpy(&bits, &value, sizeof bits);
    exponent = (uint32_t)(bits >> FRACTION_BITS) & 2047;
    mantissa = (int64_t)(bits & ((UINT64_C(1) << FRACTION_BITS) - 1));
    if (exponent == 2047) {
        exact->special |= mantissa     ? EXACT_NAN
                          : bits >> 63 ? EXACT_MINUS_INFINITY
                                       : EXACT_PLUS_INFINITY;
        return;
    }
    if (exponent)
        mantissa |= INT64_C(1) << FRACTION_BITS;
    add_scaled(exact, bits >> 63 ? -mantissa : mantissa, exponent ? exponent - 1 : 0);
}

void exact_join(struct exact *exact, const struct exact *other)
{
    struct exact right = *other;

    propagate(exact);
    propagate(&right);
    for (int i = 0; i < EXACT_LIMBS; i++)
        exact->limb[i] += right.limb[i];
    exact->additions = 1;
    exact->special |= right.special;
}

void exact_canonicalise(struct exact *exact)
{
    enum { BOTH = EXACT_PLUS_INFINITY | EXACT_MINUS_INFINITY };
    uint8_t special = exact->special;

    if (!special) {
        propagate(exact);
        return;
    }
    exact_init(exact);
    exact->special = (special & EXACT_NAN) || (special & BOTH) == BOTH ? EXACT_NAN : special;
}

/* Canonical limbs to sign and magnitude: returns true and negates them when they are negative. */
static bool take_sign(struct exact *exact)
{
    if (exact->limb[LAST] >= 0)
        return false;
    for (int i = 0; i < EXACT_LIMBS; i++)
        exact->limb[i] = -exact->limb[i];
    exact->additions = 1;
    propagate(exact);
    return true;
}

static int top_limb(const struct exact *exact)
{
    int top = LAST;

    while (top >= 0 && !exact->limb[top])
        top--;
    return top;
}

bool exact_is_zero(const struct exact *exact)
{
    struct exact copy;

    if (!exact->additions)
        return !exact->special && top_limb(exact) < 0;
    copy = *exact;
    exact_canonicalise(&copy);
    return exact_is_zero(&copy);
}

static bool any_below(const struct exact *exact, int limb)
{
    for (int i = 0; i < limb; i++)
        if (exact->limb[i])
            return true;
    return false;
}

/*
 * Round significant * 2^shift_exponent (its top bit set), with `sticky` for anything non-zero below
 * it, to nearest, ties to even. What is below 2^-1074 is always zero here, so subnormal results are
 * exact. An overflow carries into the exponent field of infinity.
 */
static double compose(bool is_negative, uint64_t significant, bool sticky, int exponent_of_top)
{
    int biased = exponent_of_top + 1023;
    int drop = biased >= 1 ? 11 : 12 - biased;
    uint64_t kept = significant >> drop;
    uint64_t rest = significant & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);
    uint64_t bits;
    double value;

    if (biased > 2046)
        return is_negative ? -HUGE_VAL : HUGE_VAL;
    kept += rest > half || (rest == half && (sticky || (kept & 1)));
    bits = kept + ((uint64_t)(biased >= 1 ? biased - 1 : 0) << FRACTION_BITS);
    bits |= (uint64_t)is_negative << 63;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double round_finite(struct exact *exact)
{
    bool is_negative;
    int top, zeros;
    unsigned __int128 wide = 0;

    propagate(exact);
    is_negative = take_sign(exact);
    top = top_limb(exact);
    if (top < 0)
        return 0.0;
    for (int i = top; i > top - 4; i--)
        wide = wide << LIMB_BITS | (uint64_t)(i >= 0 ? exact->limb[i] : 0);
    zeros = __builtin_clzll((uint64_t)(wide >> 64));
    wide <<= zeros;
    return compose(is_negative, (uint64_t)(wide >> 64),
                   (uint64_t)wide != 0 || any_below(exact, top - 3),
                   LIMB_BITS * top + 31 - zeros - ONE_POSITION);
}

static void add_integer(struct exact *exact, const mpz_t integer)
{
    uint32_t word[INTEGER_BITS_MAX / LIMB_BITS + 1];
    size_t count;

    mpz_export(word, &count, -1, sizeof *word, 0, 0, integer);
    for (size_t i = 0; i < count; i++)
        add_scaled(exact, mpz_sgn(integer) < 0 ? -(int64_t)word[i] : (int64_t)word[i],
                   ONE_POSITION + LIMB_BITS * (uint32_t)i);
}

static double round_special(uint8_t special)
{
    if (special == EXACT_PLUS_INFINITY)
        return HUGE_VAL;
    return special == EXACT_MINUS_INFINITY ? -HUGE_VAL : NAN;
}

double exact_round(const struct exact *exact, const mpz_t integer)
{
    struct exact sum;

    if (exact)
        sum = *exact;
    else
        exact_init(&sum);
    if (sum.special)
        return round_special(sum.special);
    if (mpz_sizeinbase(integer, 2) > INTEGER_BITS_MAX)
        return mpz_sgn(integer) < 0 ? -HUGE_VAL : HUGE_VAL;
    add_integer(&sum, integer);
    return round_finite(&sum);
}

double exact_round_small(const struct exact *exact, int64_t integer)
{
    struct exact sum = *exact;

    if (sum.special)
        return round_special(sum.special);
    if (integer)
        add_scaled(&sum, integer, ONE_POSITION);
    return round_finite(&sum);
}

void exact_encode(const struct exact *exact, struct bytes *out)
{
    struct exact sum = *exact;
    bool is_negative;
    int first = 0, top;

    exact_canonicalise(&sum);
    is_negative = take_sign(&sum);
    top = top_limb(&sum);
    while (first < top && !sum.limb[first])
        first++;
    if (top < 0)
        first = 0;
    bytes_append_byte(out, sum.special);
    bytes_append_byte(out, is_negative);
    bytes_append_byte(out, (uint8_t)first);
    bytes_append_byte(out, (uint8_t)(top + 1 - first));
    for (int i = first; i <= top; i++)
        bytes_append_u32(out, (uint32_t)sum.limb[i]);
}

bool exact_decode(struct exact *exact, struct reader *in)
{
    uint8_t special = reader_u8(in), is_negative = reader_u8(in);
    uint8_t first = reader_u8(in), count = reader_u8(in);
    bool is_canonical;

    exact_init(exact);
    if (in->failed || first + count > ENCODED_LIMBS_MAX || is_negative > 1)
        return false;
    for (int i = 0; i < count; i++)
        exact->limb[first + i] = reader_u32(in);
    is_canonical = count ? exact->limb[first] && exact->limb[first + count - 1] : !first;
    if (in->failed || !is_canonical || (!count && is_negative))
        return false;
    if (special && (count || (special & (special - 1)) || special > EXACT_MINUS_INFINITY))
        return false;
    exact->special = special;
    for (int i = 0; is_negative && i < EXACT_LIMBS; i++)
        exact->limb[i] = -exact->limb[i];
    exact->additions = 1;
    propagate(exact);
    return true;
}
