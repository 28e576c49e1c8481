/*
 * Arrays are added block by block through windows that are placed and widened as the data demand. A
 * block that did not fit is done again, from the first cache: while data keep their size that
 * hardly ever happens. Where windows would be too many, elements of one sign and exponent are added
 * up as integers, in buckets.
 */
#include "number/exact.h"

#include "base/memory.h"
#include "number/exact_window.h"

#include <string.h>

enum {
    BLOCK = 2048,      /* elements: 16 KiB */
    SCALAR_COUNT = 24, /* fewer are added one by one */
    SAMPLE = 4,
    ROOM = 2,           /* binades left above the largest element */
    RETRY_BLOCKS = 64,  /* after as many blocks a cheaper way is tried again */
    BUCKET_BLOCKS = 64, /* between two emptyings of the buckets */
    BUCKETS = 4096,
    BUCKETS_COUNT = 8 * BLOCK, /* fewer elements are not worth emptying the buckets */
    FRACTION_BITS = 52,
    EXPONENT_SPECIAL = 2047,
    PIECE_BITS = 62
};

/* By sign and exponent, the bits as they are: their sum, and 2^96 for each. */
typedef unsigned __int128 bucket;

struct sweep {
    struct exact *exact;
    const double *values;
    size_t left;
    struct window window;
    int retry_blocks;
    int bucket_blocks;
    bucket *buckets; /* NULL until needed */
};

static uint64_t bits_at(const double *values, size_t index)
{
    uint64_t bits;

    memcpy(&bits, (const char *)values + index * sizeof bits, sizeof bits);
    return bits;
}

static void add_singly(struct exact *exact, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value;

        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        exact_add(exact, value);
    }
}

/* The smallest top for these elements; past WINDOW_TOP_MAX when one is too large or not finite. */
static int top_of(const double *values, size_t count)
{
    uint64_t most = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t magnitude = bits_at(values, i) << 1;

        most = magnitude > most ? magnitude : most;
    }
    return (int)(most >> (FRACTION_BITS + 1)) + WINDOW_TOP_MIN;
}

static void empty_bucket(struct exact *exact, bucket content, uint32_t index)
{
    uint64_t count = (uint64_t)(content >> 96);
    uint32_t exponent = index & EXPONENT_SPECIAL;
    bool is_negative = index > EXPONENT_SPECIAL;
    bucket sum = (content << 32 >> 32) - ((bucket)count * index << FRACTION_BITS);
    int64_t low, high;
    uint32_t position = exponent ? exponent - 1 : 0;

    if (exponent == EXPONENT_SPECIAL) {
        exact->special |= sum           ? EXACT_NAN
                          : is_negative ? EXACT_MINUS_INFINITY
                                        : EXACT_PLUS_INFINITY;
        return;
    }
    if (exponent)
        sum += (bucket)count << FRACTION_BITS;
    low = (int64_t)(sum & ((UINT64_C(1) << PIECE_BITS) - 1));
    high = (int64_t)(sum >> PIECE_BITS);
    exact_add_scaled(exact, is_negative ? -low : low, position);
    exact_add_scaled(exact, is_negative ? -high : high, position + PIECE_BITS);
}

static void empty_buckets(struct sweep *sweep)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        if (sweep->buckets[i]) {
            empty_bucket(sweep->exact, sweep->buckets[i], i);
            sweep->buckets[i] = 0;
        }
}

static void add_by_buckets(struct sweep *sweep, size_t count)
{
    if (!sweep->buckets)
        sweep->buckets = memory_array(BUCKETS, sizeof *sweep->buckets);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = bits_at(sweep->values, i);

        sweep->buckets[bits >> FRACTION_BITS] += (bucket)1 << 96 | bits;
    }
    if (--sweep->bucket_blocks == 0)
        empty_buckets(sweep);
}

/* Place or widen the windows after a block did not fit; false when they cannot help. */
static bool adapt(struct sweep *sweep, size_t count)
{
    struct window *window = &sweep->window;
    int top = top_of(sweep->values, count);

    if (top + ROOM > WINDOW_TOP_MAX)
        return false;
    if (top > window->top || top + 2 * ROOM < window->top) {
        window->top = top + ROOM;
        return true;
    }
    sweep->retry_blocks = RETRY_BLOCKS;
    return ++window->shape < WINDOW_SHAPES;
}

static void add_block(struct sweep *sweep, size_t count)
{
    if (sweep->bucket_blocks) {
        add_by_buckets(sweep, count);
        return;
    }
    if (sweep->window.shape && --sweep->retry_blocks == 0) {
        sweep->window.shape--;
        sweep->retry_blocks = RETRY_BLOCKS;
    }
    while (!window_add(sweep->exact, &sweep->window, sweep->values, count))
        if (!adapt(sweep, count)) {
            sweep->window.shape =
                sweep->window.shape < WINDOW_SHAPES ? sweep->window.shape : WINDOW_SHAPES - 1;
            sweep->bucket_blocks = sweep->left >= BUCKETS_COUNT ? BUCKET_BLOCKS : 0;
            add_singly(sweep->exact, sweep->values, count);
            return;
        }
}

void exact_add_array(struct exact *exact, const double *values, size_t count)
{
    struct sweep sweep = {.exact = exact, .values = values, .left = count};

    if (count >= SCALAR_COUNT) {
        int top = top_of(values, SAMPLE) + ROOM;

        sweep.window.top = top < WINDOW_TOP_MAX ? top : WINDOW_TOP_MAX;
    }
    while (sweep.left >= SCALAR_COUNT) {
        size_t block = sweep.left < BLOCK ? sweep.left - sweep.left % WINDOW_MULTIPLE : BLOCK;

        add_block(&sweep, block);
        sweep.values += block;
        sweep.left -= block;
    }
    add_singly(exact, sweep.values, sweep.left);
    if (sweep.buckets)
        empty_buckets(&sweep);
    memory_free(sweep.buckets);
}
