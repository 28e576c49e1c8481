#include "base/bytes.h"

#include "base/memory.h"

#include <string.h>

void bytes_clear(struct bytes *bytes)
{
    memory_free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_reserve(struct bytes *bytes, size_t more)
{
    size_t need = bytes->length + more;
    size_t capacity = bytes->capacity ? bytes->capacity : 64;

    if (need <= bytes->capacity)
        return;
    while (capacity < need)
        capacity += capacity / 2;
    bytes->data = memory_grow(bytes->data, capacity, 1);
    bytes->capacity = capacity;
}

uint8_t *bytes_extend(struct bytes *bytes, size_t more)
{
    bytes_reserve(bytes, more);
    bytes->length += more;
    return bytes->data + bytes->length - more;
}

void bytes_append(struct bytes *bytes, const void *data, size_t length)
{
    if (length)
        memcpy(bytes_extend(bytes, length), data, length);
}

void bytes_append_byte(struct bytes *bytes, uint8_t byte)
{
    *bytes_extend(bytes, 1) = byte;
}

void bytes_append_u32(struct bytes *bytes, uint32_t value)
{
    uint8_t *at = bytes_extend(bytes, 4);

    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void bytes_append_u64(struct bytes *bytes, uint64_t value)
{
    uint8_t *at = bytes_extend(bytes, 8);

    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void bytes_move(struct bytes *to, struct bytes *from)
{
    bytes_clear(to);
    *to = *from;
    *from = (struct bytes){0};
}

struct reader reader_of(const void *data, size_t length)
{
    const uint8_t *at = data;

    return (struct reader){.at = at, .end = length ? at + length : at, .failed = 0};
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

const uint8_t *reader_take(struct reader *reader, uint64_t length)
{
    const uint8_t *at = reader->at;

    if (reader->failed || length > reader_left(reader)) {
        reader->failed = 1;
        return NULL;
    }
    reader->at += length;
    return at;
}

static uint64_t take_number(struct reader *reader, int width)
{
    const uint8_t *at = reader_take(reader, (uint64_t)width);
    uint64_t value = 0;

    for (int i = 0; at && i < width; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)take_number(reader, 1);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)take_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return take_number(reader, 8);
}
