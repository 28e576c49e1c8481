/*
 * A shared, immutable run of bytes: a reference-counted block, and views into it. Bulk data moves
 * through links, messages and nodes as chunks, without being copied. The count is atomic, because
 * libzmq gives a block back from its own thread.
 */
#ifndef SHEAF_BASE_CHUNK_H
#define SHEAF_BASE_CHUNK_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

struct block;

struct chunk {
    struct block *block; /* NULL for an empty chunk */
    const uint8_t *data;
    size_t length;
};

typedef void chunk_release(void *owner);

struct chunk chunk_copy(const void *data, size_t length); /* new block with a copy of the bytes */
struct chunk chunk_take(struct bytes *bytes);             /* new block that takes the bytes over */
/* A block over foreign memory; release(owner) is called when the last view is dropped, from any
 * thread. */
struct chunk chunk_wrap(const void *data, size_t length, chunk_release *release, void *owner);
struct chunk chunk_share(const struct chunk *chunk); /* one more view of all of it */
struct chunk chunk_part(const struct chunk *chunk, size_t begin,
                        size_t length); /* one more view of a part */
void chunk_drop(struct chunk *chunk);   /* leaves an empty chunk */

#endif
