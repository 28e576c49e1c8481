/*
 * Bounded reading of MessagePack, item by item, for the decoder. Nothing is allocated here, and no
 * announced length is believed before as many bytes are there (msgpack-c's unpacker would allocate
 * gigabytes for five bytes).
 *
 * A failed reader stays failed and stands at its end, so that a decoder may read on and ask once.
 */
#ifndef SHEAF_WIRE_WIRE_READ_H
#define SHEAF_WIRE_WIRE_READ_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const uint8_t *data; /* inside the bytes that are read; not terminated */
    size_t length;
};

void read_fail(struct reader *in);
uint64_t read_uint_long(struct reader *in);
int64_t read_int(struct reader *in);
bool read_bool(struct reader *in);
/* A string or a binary of at most `most` bytes. */
struct text read_text(struct reader *in, size_t most);
/* The number of items of an array; at most the bytes left, as no item has less than one. */
size_t read_array(struct reader *in);
/* An array of exactly that many items, else a failure. */
void read_array_of(struct reader *in, size_t items);
/* Pass over `items` whole items of any kind, to any depth, without recursion. */
void read_skip(struct reader *in, uint64_t items);
/* The next item is a string or a binary. */
bool read_is_text(const struct reader *in);

/* A non-negative integer in any of MessagePack's widths. */
static inline uint64_t read_uint(struct reader *in)
{
    if (in->at < in->end && *in->at < 0x80)
        return *in->at++;
    return read_uint_long(in);
}

/* The same, refused when it is not in [least, most]. */
static inline uint64_t read_uint_in(struct reader *in, uint64_t least, uint64_t most)
{
    uint64_t value = read_uint(in);

    if (value < least || value > most)
        read_fail(in);
    return value;
}

#endif
