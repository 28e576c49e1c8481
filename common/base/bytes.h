/* A growing byte string that owns its memory. A zeroed struct is a valid empty one. */
#ifndef SHEAF_BASE_BYTES_H
#define SHEAF_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

void bytes_clear(struct bytes *bytes);                /* frees; leaves a valid empty one */
void bytes_reserve(struct bytes *bytes, size_t more); /* room for `more` bytes past the length */
uint8_t *bytes_extend(struct bytes *bytes,
                      size_t more); /* lengthen; returns where the new bytes begin */
void bytes_append(struct bytes *bytes, const void *data, size_t length);
void bytes_append_byte(struct bytes *bytes, uint8_t byte);
void bytes_append_u32(struct bytes *bytes, uint32_t value); /* little-endian */
void bytes_append_u64(struct bytes *bytes, uint64_t value); /* little-endian */
void bytes_move(struct bytes *to,
                struct bytes *from); /* `to` is cleared first; `from` is empty after */

/*
 * Bounded reading of bytes that came from elsewhere. Every take returns zero or NULL and sets
 * `failed` once the bytes present do not suffice; so a decoder may read to its end and ask once.
 */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    int failed;
};

struct reader reader_of(const void *data, size_t length);
uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
const uint8_t *reader_take(struct reader *reader, uint64_t length); /* NULL when fewer are left */
size_t reader_left(const struct reader *reader);

#endif
