/*
 * Decimal integers straight from memory, for the hot loops of text and JSON: eight digits a step
 * (Lemire, "Quickly parsing eight digits", 2018, after a trick of Johnny Lee's).
 */
#ifndef SHEAF_SOURCE_INTS_H
#define SHEAF_SOURCE_INTS_H

#include <stdint.h>
#include <string.h>

enum {
    INTS_DIGITS_MAX = 18, /* digits that fit an int64 whatever they are */
    INTS_BYTES = 32       /* that can be read where a sign, such digits and a separator are */
};

static inline uint64_t ints_load(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* How many of the eight bytes are digits before the first that is none; `digits` becomes the word
 * with '0' subtracted from the digits. */
static inline unsigned ints_count(uint64_t *digits)
{
    uint64_t low = *digits ^ UINT64_C(0x3030303030303030);
    uint64_t other = (((low & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7676767676767676)) | low) &
                     UINT64_C(0x8080808080808080);

    *digits = low;
    return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* The number that the first `count` (1 to 8) bytes, each 0 to 9, write. */
static inline uint64_t ints_value(uint64_t digits, unsigned count)
{
    digits <<= 64 - 8 * count;
    digits = digits * 10 + (digits >> 8);
    return (((digits & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)) +
            ((digits >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001))) >>
           32;
}

static inline uint64_t ints_power(unsigned count)
{
    static const uint64_t TEN[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    return TEN[count];
}

/*
 * Read the digits at `at`; up to 24 bytes are read. Returns how many there are,
 * at most INTS_DIGITS_MAX + 1: then they may be more, and the value is not to be used.
 */
static inline unsigned ints_read(const uint8_t *at, uint64_t *value)
{
    uint64_t word = ints_load(at);
    unsigned count = ints_count(&word);
    unsigned more;

    if (!count)
        return 0;
    *value = ints_value(word, count);
    if (count < 8)
        return count;
    for (at += 8; count <= INTS_DIGITS_MAX; at += 8) {
        word = ints_load(at);
        more = ints_count(&word);
        if (!more)
            return count;
        if (count + more > INTS_DIGITS_MAX)
            return INTS_DIGITS_MAX + 1;
        *value = *value * ints_power(more) + ints_value(word, more);
        count += more;
        if (more < 8)
            return count;
    }
    return count;
}

#endif
