/*
 * Pseudo-random 64-bit integers that depend on a seed and their index alone, so that a source of
 * them can be cut anywhere and needs no file on any host.
 *
 * Element i of seed s is output i of the generator SplitMix64 started with s (Steele, Lea and
 * Flood, "Fast splittable pseudorandom number generators", 2014; Java's SplittableRandom): its
 * state is a counter, s + (i + 1) × 0x9e3779b97f4a7c15, and its output a mixture of it, taken as
 * signed.
 */
#ifndef SHEAF_SOURCE_RANDOM_H
#define SHEAF_SOURCE_RANDOM_H

#include "source/sink.h"

int64_t random_element(uint64_t seed, uint64_t index);

/* Fold `count` elements from `unit` on. Returns how many were taken: fewer after a fault, or when
 * room_bytes of closed values are there. */
uint64_t random_feed(struct sink *sink, uint64_t count, uint64_t unit, uint64_t room_bytes);

#endif
