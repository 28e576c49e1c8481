/*
 * A partial: what the elements of one unfinished sublist amount to so far. It is the carrier of
 * every operation's monoid; op/ says how two are joined.
 *
 * A partial is void until something opens the sublist (its first element, or the byte or bracket
 * that begins it). A void partial is the identity of joining and yields no value when its sublist
 * is closed; an open one without elements yields the operation's identity.
 */
#ifndef SHEAF_NUMBER_PARTIAL_H
#define SHEAF_NUMBER_PARTIAL_H

#include "base/bytes.h"
#include "number/exact.h"
#include "number/factors.h"

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

struct partial {
    bool open;
    bool has_elements;
    bool is_float;         /* a float was seen: the value is a float */
    bool is_negative_zero; /* has elements, and every one so far was -0.0 */
    bool is_too_large;     /* a product past the limit, so far without a zero, which alone can mend
                              that: its value is not kept; neither big nor factors */
    bool is_big;           /* the integer part is in `big`, else in `small` */
    int64_t small;         /* the integer part; the operation's identity when void */
    mpz_t big;             /* initialised only while is_big */
    struct exact *exact;   /* the float part, owned; NULL while it is zero and unneeded */
    struct factors *factors; /* a product's factors not yet multiplied together, owned; NULL
                                elsewhere. The value is small or big times these. */
};

/* A void partial holding the identity `small` (0 for sums, 1 for products). */
void partial_init(struct partial *partial, int64_t identity);
void partial_clear(struct partial *partial); /* frees; leaves void with small 0 */
void partial_move(struct partial *to, struct partial *from,
                  int64_t identity); /* `to` is cleared first; `from` re-initialised */
/* Bytes of integer the partial holds: 0 while that fits 64 bits (the float part is of constant
 * size). The measure for HEAVY_BYTES. */
size_t partial_weight(const struct partial *partial);
/* Bring big integers that fit int64 back into `small`, so that equal values have equal forms. */
void partial_normalise(struct partial *partial);
/* Turn the integer part into mpz form for work on it (big is initialised from small). */
void partial_make_big(struct partial *partial);

/* Before encoding or weighing, whoever folded brings the partial to rest: op->settle(). */
void partial_encode(const struct partial *partial, struct bytes *out);
/* `partial` must be initialised. false: not a valid encoding; the partial is then void. */
bool partial_decode(struct partial *partial, int64_t identity, struct reader *in);

#endif
