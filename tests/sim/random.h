/*
 * The simulator's dice: splitmix64, one stream for each subsystem, so that switching one class of
 * faults off leaves the dice of the others alone.
 */
#ifndef SHEAF_SIM_RANDOM_H
#define SHEAF_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct random random_stream(uint64_t seed, uint64_t stream)
{
    struct random random = {seed * UINT64_C(0xd1342543de82ef95) + stream};

    random.state = random_next(&random) ^ (stream << 32);
    return random;
}

/* 0 … n - 1; n at least 1. */
static inline uint64_t random_below(struct random *random, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)random_next(random) * n) >> 64);
}

/* Both ends included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(random, (uint64_t)(high - low) + 1);
}

static inline bool random_chance(struct random *random, uint32_t in_thousand)
{
    return random_below(random, 1000) < in_thousand;
}

/* Every order of magnitude between the two is equally likely; low at least 1. */
static inline int64_t random_log(struct random *random, int64_t low, int64_t high)
{
    int bits = 63 - __builtin_clzll((uint64_t)(high / low) | 1);
    int shift = (int)random_below(random, (uint64_t)bits + 1);
    int64_t from = low << shift;
    int64_t to = from <= high / 2 ? from * 2 : high;

    return random_between(random, from, to);
}

#endif
