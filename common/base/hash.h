/*
 * A 64-bit checksum of bytes that come in pieces of any size. It tells damage, not malice: every
 * change of bytes that stay within one aligned word of eight is noticed, any other but once in
 * 2^64.
 */
#ifndef SHEAF_BASE_HASH_H
#define SHEAF_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
    uint64_t state;
    uint64_t word;   /* the last length % 8 bytes, not yet mixed in */
    uint64_t length; /* bytes so far */
};

void hash_init(struct hash *hash);
void hash_add(struct hash *hash, const void *data, size_t length);
void hash_add_u64(struct hash *hash, uint64_t value);
/* Of all bytes so far; more may follow. */
uint64_t hash_value(const struct hash *hash);
uint64_t hash_of(const void *data, size_t length);

#endif
