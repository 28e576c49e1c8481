#include "base/hash.h"

#include <endian.h>
#include <string.h>

enum { WORD_BYTES = 8 };

/* One to one in the state for each word, and in the word for each state: so words that differ in
 * one place only never meet again. Constants of splitmix64 (Steele, Lea & Flood, 2014). */
static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    return state ^ (state >> 32);
}

static uint64_t load_word(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

void hash_init(struct hash *hash)
{
    *hash = (struct hash){.state = UINT64_C(0x9e3779b97f4a7c15)};
}

static void add_byte(struct hash *hash, uint8_t byte)
{
    hash->word |= (uint64_t)byte << (8 * (hash->length++ % WORD_BYTES));
    if (hash->length % WORD_BYTES)
        return;
    hash->state = mix(hash->state, hash->word);
    hash->word = 0;
}

void hash_add(struct hash *hash, const void *data, size_t length)
{
    const uint8_t *at = data;
    const uint8_t *end = length ? at + length : at;

    while (at < end && hash->length % WORD_BYTES)
        add_byte(hash, *at++);
    for (; end - at >= WORD_BYTES; at += WORD_BYTES, hash->length += WORD_BYTES)
        hash->state = mix(hash->state, load_word(at));
    while (at < end)
        add_byte(hash, *at++);
}

void hash_add_u64(struct hash *hash, uint64_t value)
{
    uint64_t stored = htole64(value);

    hash_add(hash, &stored, sizeof stored);
}

uint64_t hash_value(const struct hash *hash)
{
    uint64_t value = mix(mix(hash->state, hash->word), hash->length);

    return mix(value, value >> 29);
}

uint64_t hash_of(const void *data, size_t length)
{
    struct hash hash;

    hash_init(&hash);
    hash_add(&hash, data, length);
    return hash_value(&hash);
}
