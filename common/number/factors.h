/*
 * A product that is not yet multiplied together: factors are gathered and multiplied with their
 * likes in size, so that the whole is a balanced tree and large operands meet only large ones.
 */
#ifndef SHEAF_NUMBER_FACTORS_H
#define SHEAF_NUMBER_FACTORS_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct factors;

void factors_new(struct factors **out); /* the product of nothing, 1 */
void factors_free(struct factors **factors);
/* Times a word. A zero is the caller's business: it makes all else void. Returns whether that made
 * numbers longer, so that it is time to ask factors_exceed(). */
bool factors_add_word(struct factors *factors, uint64_t word);
void factors_negate(struct factors *factors);
/* Times a number that is not zero, which is left unspecified (its limbs are taken over). */
void factors_take(struct factors *factors, mpz_t number);
size_t factors_bytes(const struct factors *factors); /* held now: about the product's size */
/* The product, times a number of `more_bits` (0: none), is certain to need more than `bytes_max`.
 */
bool factors_exceed(const struct factors *factors, size_t more_bits, uint64_t bytes_max);
/* Multiply all together into `product`; the factors are then 1 again. false, and nothing done with
 * `product`, when it would need more than bytes_max. */
bool factors_multiply(struct factors *factors, mpz_t product, uint64_t bytes_max);

/* bytes_max in bits: at least a word's, and at most GMP's own limit, which would end the process.
 */
uint64_t factors_bits_max(uint64_t bytes_max);
/* product := a * b, refused before anything is allocated when it would need more than bytes_max. */
bool factors_multiply_two(mpz_t product, const mpz_t a, const mpz_t b, uint64_t bytes_max);
/* The number needs more than bytes_max. */
bool factors_is_longer(const mpz_t number, uint64_t bytes_max);

#endif
