/*
 * After Demmel & Hida, "Accurate and efficient floating point summation" (2004), and Rump's
 * extraction of leading parts (2008).
 *
 * A lane's sum S starts at 1.5 * 2^k and stays within [2^k, 2^(k+1)], so S + x cuts x at a fixed
 * bit, exactly: (S + x) - S is what S took, and what is left of x goes to the next level, whose
 * window lies below. When nothing is left after the last level, the windows hold the exact sum, as
 * counts of their last bits; else they are dropped. A nan or an infinity always leaves something.
 *
 * Round to nearest is assumed, and no contraction to fused operations.
 */
#include "number/exact_window.h"

#include "number/simd.h"

#include <assert.h>
#include <string.h>

enum { LEVELS_MAX = 6, VECTORS_MAX = 2, LANES = 4, DOUBLE_BITS = 53, PREFETCH_AHEAD = 256 };

struct windows {
    vector_double start[LEVELS_MAX];
    vector_double sum[LEVELS_MAX][VECTORS_MAX];
    int exponent[LEVELS_MAX];
};

struct block {
    const double *values;
    size_t count;
    int top;
};

/* 2^exponent, or half as much again, of a normal exponent. */
static double power_of_two(int exponent, bool half_more)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52 | (uint64_t)half_more << 51;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Bits that `additions` numbers, added up, need above the largest of them, and half a binade. */
static int headroom(size_t additions)
{
    return additions > 1 ? 65 - __builtin_clzll(additions - 1) : 1;
}

SIMD_INLINE void open_windows(struct windows *windows, const struct block *block, const int levels,
                              const int vectors)
{
    int room = headroom(block->count / (size_t)(LANES * vectors));
    int exponent = block->top + room;

    for (int level = 0; level < levels; level++) {
        exponent = exponent < WINDOW_TOP_MIN ? WINDOW_TOP_MIN : exponent;
        windows->exponent[level] = exponent;
        windows->start[level] = (vector_double){0} + power_of_two(exponent, true);
        for (int v = 0; v < vectors; v++)
            windows->sum[level][v] = windows->start[level];
        exponent += room - DOUBLE_BITS;
    }
}

/* Returns whether the windows held every element whole. */
SIMD_INLINE bool fill_windows(struct windows *windows, const struct block *block, const int levels,
                              const int vectors)
{
    const vector_double bound = (vector_double){0} + power_of_two(block->top, false);
    const vector_bits magnitude = (vector_bits){0} + INT64_MAX;
    vector_bits wrong = {0}, left = {0};

    for (size_t i = 0; i < block->count; i += (size_t)(LANES * vectors)) {
        const double *at = block->values + i;

        __builtin_prefetch(at + PREFETCH_AHEAD);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            vector_double rest = *(const vector_double_there *)(at + LANES * v);

            wrong |= (vector_bits)((vector_double)((vector_bits)rest & magnitude) >= bound);
#pragma GCC unroll 8
            for (int level = 0; level < levels; level++) {
                vector_double next = windows->sum[level][v] + rest;

                rest -= next - windows->sum[level][v];
                windows->sum[level][v] = next;
            }
            left |= (vector_bits)rest;
        }
    }
    left = (left & magnitude) | wrong;
    return !(left[0] | left[1] | left[2] | left[3]);
}

/* The distance of two neighbouring doubles is one in their bits: so is a window's last bit. */
SIMD_INLINE void close_windows(const struct windows *windows, struct exact *exact, const int levels,
                               const int vectors)
{
    for (int level = 0; level < levels; level++) {
        vector_bits units = {0};

        for (int v = 0; v < vectors; v++)
            units += (vector_bits)windows->sum[level][v] - (vector_bits)windows->start[level];
        exact_add_scaled(exact, units[0] + units[1] + units[2] + units[3],
                         (uint32_t)(windows->exponent[level] - WINDOW_TOP_MIN));
    }
}

SIMD_INLINE bool add_block(struct exact *exact, const struct block *block, const int levels,
                           const int vectors)
{
    struct windows windows;

    open_windows(&windows, block, levels, vectors);
    if (!fill_windows(&windows, block, levels, vectors))
        return false;
    close_windows(&windows, exact, levels, vectors);
    return true;
}

/* Levels, and vectors in flight: what 16 registers can hold. With blocks of 2048 elements these
 * take doubles of 36, 78, 122 and 204 neighbouring binades. */
#define SHAPES(add, attributes)                                                                    \
    attributes static bool add(struct exact *exact, const struct block *block, int shape)          \
    {                                                                                              \
        if (shape == 0)                                                                            \
            return add_block(exact, block, 2, 2);                                                  \
        if (shape == 1)                                                                            \
            return add_block(exact, block, 3, 2);                                                  \
        return shape == 2 ? add_block(exact, block, 4, 2) : add_block(exact, block, 6, 1);         \
    }

SHAPES(add_plain, )
SHAPES(add_avx2, SIMD_AVX2)

bool window_add(struct exact *exact, const struct window *window, const double *values,
                size_t count)
{
    const struct block block = {.values = values, .count = count, .top = window->top};

    assert(count % WINDOW_MULTIPLE == 0);
    assert(window->top >= WINDOW_TOP_MIN && window->top <= WINDOW_TOP_MAX);
    return simd_has_avx2() ? add_avx2(exact, &block, window->shape)
                           : add_plain(exact, &block, window->shape);
}
