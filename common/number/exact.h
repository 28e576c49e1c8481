/*
 * The exact sum of doubles: a superaccumulator. Any order, any grouping, mergeable; correctly
 * rounded once, at the end.
 *
 * Value: sum of limb[i] * 2^(32 i - 1074), plus a count of additions since the last carry
 * propagation and flags for nan and the two infinities (Neal, "Fast exact summation using small and
 * large superaccumulators", 2015).
 */
#ifndef SHEAF_NUMBER_EXACT_H
#define SHEAF_NUMBER_EXACT_H

#include "base/bytes.h"

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXACT_LIMBS = 72, EXACT_POSITION_MAX = 2200 };
enum exact_special { EXACT_NAN = 1, EXACT_PLUS_INFINITY = 2, EXACT_MINUS_INFINITY = 4 };

struct exact {
    int64_t limb[EXACT_LIMBS];
    uint32_t additions; /* since carries were propagated last */
    uint8_t special;
};

void exact_init(struct exact *exact);
void exact_add(struct exact *exact, double value);
/* The fast path for runs in memory: native byte order, any alignment of whole doubles. */
void exact_add_array(struct exact *exact, const double *values, size_t count);
/* Add value * 2^(position - 1074), exactly; position at most EXACT_POSITION_MAX. */
void exact_add_scaled(struct exact *exact, int64_t value, uint32_t position);
void exact_join(struct exact *exact, const struct exact *other);
/* Carries propagated: equal sums have equal canonical forms, whatever was added in which order. */
void exact_canonicalise(struct exact *exact);
bool exact_is_zero(const struct exact *exact); /* exactly zero, and nothing special */
/*
 * The correctly rounded (to nearest, ties to even) value of exact + integer. inf - inf is nan;
 * overflow is an infinity. An exact zero gives +0.0 (signed zeros are the business of struct
 * partial). exact may be NULL, for zero.
 */
double exact_round(const struct exact *exact, const mpz_t integer);
double exact_round_small(const struct exact *exact, int64_t integer); /* exact is not NULL */

void exact_encode(const struct exact *exact,
                  struct bytes *out); /* canonical, compact: only the limbs in use */
bool exact_decode(struct exact *exact, struct reader *in); /* false: not a valid encoding */

#endif
