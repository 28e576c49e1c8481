#include "base/chunk.h"

#include "base/memory.h"

#include <assert.h>
#include <stdatomic.h>

struct block {
    atomic_uint views;
    chunk_release *release;
    void *owner;
};

struct chunk chunk_wrap(const void *data, size_t length, chunk_release *release, void *owner)
{
    struct block *block = memory_new(sizeof *block);

    atomic_init(&block->views, 1);
    block->release = release;
    block->owner = owner;
    return (struct chunk){.block = block, .data = data, .length = length};
}

struct chunk chunk_take(struct bytes *bytes)
{
    uint8_t *data = bytes->data;
    size_t length = bytes->length;

    *bytes = (struct bytes){0};
    if (!length) {
        memory_free(data);
        return (struct chunk){0};
    }
    return chunk_wrap(data, length, memory_free, data);
}

struct chunk chunk_copy(const void *data, size_t length)
{
    struct bytes bytes = {0};

    bytes_append(&bytes, data, length);
    return chunk_take(&bytes);
}

struct chunk chunk_share(const struct chunk *chunk)
{
    if (chunk->block)
        atomic_fetch_add_explicit(&chunk->block->views, 1, memory_order_relaxed);
    return *chunk;
}

struct chunk chunk_part(const struct chunk *chunk, size_t begin, size_t length)
{
    struct chunk part;

    assert(begin <= chunk->length && length <= chunk->length - begin);
    if (!length)
        return (struct chunk){0};
    part = chunk_share(chunk);
    part.data += begin;
    part.length = length;
    return part;
}

void chunk_drop(struct chunk *chunk)
{
    struct block *block = chunk->block;

    *chunk = (struct chunk){0};
    if (!block || atomic_fetch_sub_explicit(&block->views, 1, memory_order_acq_rel) != 1)
        return;
    if (block->release)
        block->release(block->owner);
    memory_free(block);
}
