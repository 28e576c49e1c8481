#include "wire/wire_read.h"

void read_fail(struct reader *in)
{
    in->failed = 1;
    in->at = in->end;
}

static uint64_t read_big_endian(struct reader *in, unsigned width)
{
    uint64_t value = 0;

    if (reader_left(in) < width) {
        read_fail(in);
        return 0;
    }
    for (unsigned i = 0; i < width; i++)
        value = value << 8 | in->at[i];
    in->at += width;
    return value;
}

static uint8_t read_byte(struct reader *in)
{
    return (uint8_t)read_big_endian(in, 1);
}

static int64_t sign_extend(uint64_t value, unsigned width)
{
    unsigned shift = 64 - 8 * width;

    return (int64_t)(value << shift) >> shift;
}

int64_t read_int(struct reader *in)
{
    uint8_t first = read_byte(in);

    if (first < 0x80 || first >= 0xe0)
        return (int8_t)first;
    if (first >= 0xd0 && first <= 0xd3) {
        unsigned width = 1U << (first - 0xd0);

        return sign_extend(read_big_endian(in, width), width);
    }
    if (first >= 0xcc && first <= 0xcf) {
        uint64_t value = read_big_endian(in, 1U << (first - 0xcc));

        if (value <= INT64_MAX)
            return (int64_t)value;
    }
    read_fail(in);
    return 0;
}

uint64_t read_uint_long(struct reader *in)
{
    int64_t value;

    if (in->at < in->end && *in->at == 0xcf) {
        in->at++;
        return read_big_endian(in, 8);
    }
    value = read_int(in);
    if (value >= 0)
        return (uint64_t)value;
    read_fail(in);
    return 0;
}

bool read_bool(struct reader *in)
{
    uint8_t first = read_byte(in);

    if (first != 0xc2 && first != 0xc3)
        read_fail(in);
    return first == 0xc3;
}

bool read_is_text(const struct reader *in)
{
    uint8_t first = in->at < in->end ? *in->at : 0;

    return (first >= 0xa0 && first <= 0xbf) || (first >= 0xc4 && first <= 0xc6) ||
           (first >= 0xd9 && first <= 0xdb);
}

/* The length of the string or binary whose first byte was `first`. */
static uint64_t read_text_length(struct reader *in, uint8_t first)
{
    if (first <= 0xbf)
        return first & 0x1f;
    return read_big_endian(in, 1U << (first - (first >= 0xd9 ? 0xd9 : 0xc4)));
}

struct text read_text(struct reader *in, size_t most)
{
    struct text text = {0};
    uint64_t length = 0;

    if (read_is_text(in))
        length = read_text_length(in, read_byte(in));
    else
        read_fail(in);
    if (length > most || length > reader_left(in))
        read_fail(in);
    if (in->failed)
        return text;
    text.data = in->at;
    text.length = (size_t)length;
    in->at += length;
    return text;
}

size_t read_array(struct reader *in)
{
    uint8_t first = read_byte(in);
    uint64_t items = 0;

    if (first >= 0x90 && first <= 0x9f)
        items = first & 0x0f;
    else if (first == 0xdc || first == 0xdd)
        items = read_big_endian(in, first == 0xdc ? 2 : 4);
    else
        read_fail(in);
    if (items > reader_left(in))
        read_fail(in);
    return in->failed ? 0 : (size_t)items;
}

void read_array_of(struct reader *in, size_t items)
{
    if (read_array(in) != items)
        read_fail(in);
}

/* Bytes behind the first byte of an item that has no length of its own; 0xc0 to 0xdf. */
static const uint8_t FIXED_BYTES[32] = {
    [0x0a] = 4, [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8, [0x10] = 1, [0x11] = 2,
    [0x12] = 4, [0x13] = 8, [0x14] = 2, [0x15] = 3, [0x16] = 5, [0x17] = 9, [0x18] = 17};

/* Pass over an item but not over the items inside it; returns how many these are. */
static uint64_t skip_one(struct reader *in)
{
    uint8_t first;
    uint64_t bytes = 0;

    if (read_is_text(in)) {
        read_text(in, SIZE_MAX);
        return 0;
    }
    first = read_byte(in);
    if ((first & 0xf0) == 0x80)
        return 2U * (first & 0x0f);
    if ((first & 0xf0) == 0x90)
        return first & 0x0f;
    if (first == 0xdc || first == 0xdd)
        return read_big_endian(in, first == 0xdc ? 2 : 4);
    if (first == 0xde || first == 0xdf)
        return 2 * read_big_endian(in, first == 0xde ? 2 : 4);
    if (first == 0xc1)
        read_fail(in);
    if (first >= 0xc7 && first <= 0xc9)
        bytes = 1 + read_big_endian(in, 1U << (first - 0xc7));
    else if (first >= 0xc0 && first < 0xe0)
        bytes = FIXED_BYTES[first & 0x1f];
    if (bytes > reader_left(in))
        read_fail(in);
    else
        in->at += bytes;
    return 0;
}

void read_skip(struct reader *in, uint64_t items)
{
    while (items && !in->failed) {
        items += skip_one(in) - 1;
        if (items > reader_left(in))
            read_fail(in);
    }
}
