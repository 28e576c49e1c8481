/*
 * Small factors are packed into words, words into a leaf of some limbs, and leaves go on a stack on
 * which each number is at least half as long again as the one above it: pushing one multiplies it
 * with those below while they are of its size. That is a binary counter, so the tree is balanced
 * whatever the factors' sizes, and nothing is multiplied before its like has come.
 */
#include "number/factors.h"

#include "base/memory.h"

#include <assert.h>

enum {
    LEAF_WORDS = 32,
    STACK_MAX = 64 /* sizes grow by 1.5 from one limb: GMP's largest number needs 54 */
};

/* GMP ends the process past 2^31 - 1 limbs. */
#define GMP_BYTES_MAX (UINT64_C(8) << 30)

struct factors {
    uint64_t word; /* small factors multiplied together so far */
    size_t leaf_words;
    mp_limb_t leaf[LEAF_WORDS];
    bool is_negative;
    int height;
    size_t limbs; /* on the stack */
    mpz_t stack[STACK_MAX];
};

uint64_t factors_bits_max(uint64_t bytes_max)
{
    if (bytes_max < sizeof(uint64_t))
        bytes_max = sizeof(uint64_t);
    return 8 * (bytes_max < GMP_BYTES_MAX ? bytes_max : GMP_BYTES_MAX);
}

bool factors_is_longer(const mpz_t number, uint64_t bytes_max)
{
    return mpz_sgn(number) && mpz_sizeinbase(number, 2) > factors_bits_max(bytes_max);
}

bool factors_multiply_two(mpz_t product, const mpz_t a, const mpz_t b, uint64_t bytes_max)
{
    if (mpz_sizeinbase(a, 2) + mpz_sizeinbase(b, 2) - 1 > factors_bits_max(bytes_max))
        return false;
    mpz_mul(product, a, b);
    return !factors_is_longer(product, bytes_max);
}

void factors_new(struct factors **out)
{
    *out = memory_new(sizeof **out);
    (*out)->word = 1;
}

void factors_free(struct factors **factors)
{
    if (!*factors)
        return;
    for (int i = 0; i < (*factors)->height; i++)
        mpz_clear((*factors)->stack[i]);
    memory_free(*factors);
    *factors = NULL;
}

static bool are_alike(const mpz_t lower, const mpz_t upper)
{
    return 2 * mpz_size(lower) < 3 * mpz_size(upper);
}

/* Takes `number` over. */
static void push(struct factors *factors, mpz_t number)
{
    mpz_t *stack = factors->stack;

    while (factors->height && are_alike(stack[factors->height - 1], number)) {
        factors->height--;
        factors->limbs -= mpz_size(stack[factors->height]);
        mpz_mul(number, stack[factors->height], number);
        mpz_clear(stack[factors->height]);
    }
    assert(factors->height < STACK_MAX);
    factors->limbs += mpz_size(number);
    *stack[factors->height++] = *number;
}

static void flush_leaf(struct factors *factors)
{
    mpz_t number;
    mp_limb_t *limb;
    size_t length = 1;

    if (!factors->leaf_words)
        return;
    mpz_init(number);
    limb = mpz_limbs_write(number, (mp_size_t)factors->leaf_words);
    limb[0] = factors->leaf[0];
    for (size_t i = 1; i < factors->leaf_words; i++) {
        mp_limb_t carry = mpn_mul_1(limb, limb, (mp_size_t)length, factors->leaf[i]);

        limb[length] = carry;
        length += carry != 0;
    }
    mpz_limbs_finish(number, (mp_size_t)length);
    factors->leaf_words = 0;
    push(factors, number);
}

/* Returns whether the leaf was flushed, too. */
static bool flush_word(struct factors *factors)
{
    factors->leaf[factors->leaf_words++] = factors->word;
    factors->word = 1;
    if (factors->leaf_words < LEAF_WORDS)
        return false;
    flush_leaf(factors);
    return true;
}

bool factors_add_word(struct factors *factors, uint64_t word)
{
    uint64_t product;
    bool flushed;

    if (!__builtin_mul_overflow(factors->word, word, &product)) {
        factors->word = product;
        return false;
    }
    flushed = flush_word(factors);
    factors->word = word;
    return flushed;
}

void factors_negate(struct factors *factors)
{
    factors->is_negative = !factors->is_negative;
}

void factors_take(struct factors *factors, mpz_t number)
{
    mpz_t taken;

    *taken = *number;
    mpz_init(number);
    if (mpz_sgn(taken) < 0) {
        factors_negate(factors);
        mpz_neg(taken, taken);
    }
    flush_leaf(factors);
    push(factors, taken);
}

size_t factors_bytes(const struct factors *factors)
{
    return (factors->limbs + factors->leaf_words + (factors->word != 1)) * sizeof(mp_limb_t);
}

bool factors_exceed(const struct factors *factors, size_t more_bits, uint64_t bytes_max)
{
    uint64_t bits = more_bits ? more_bits - 1 : 0;

    for (int i = 0; i < factors->height; i++)
        bits += mpz_sizeinbase(factors->stack[i], 2) - 1;
    return bits >= factors_bits_max(bytes_max);
}

bool factors_multiply(struct factors *factors, mpz_t product, uint64_t bytes_max)
{
    mpz_t total;
    bool fits;

    if (factors->word != 1)
        flush_word(factors);
    flush_leaf(factors);
    mpz_init_set_si(total, factors->is_negative ? -1 : 1);
    fits = true;
    while (fits && factors->height) {
        fits = factors_multiply_two(total, factors->stack[factors->height - 1], total, bytes_max);
        mpz_clear(factors->stack[--factors->height]);
    }
    factors->limbs = 0;
    factors->is_negative = false;
    if (fits)
        mpz_swap(product, total);
    mpz_clear(total);
    for (; factors->height; factors->height--)
        mpz_clear(factors->stack[factors->height - 1]);
    return fits;
}
