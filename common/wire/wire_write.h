/* msgpack-c's packer over struct bytes. Writing needs no bounds: what is written is our own. */
#ifndef SHEAF_WIRE_WIRE_WRITE_H
#define SHEAF_WIRE_WIRE_WRITE_H

#include "base/bytes.h"

#include <msgpack/pack.h>
#include <string.h>

static inline int write_append(void *data, const char *from, size_t length)
{
    struct bytes *out = data;

    if (out->capacity - out->length < length)
        bytes_reserve(out, length);
    if (length)
        memcpy(out->data + out->length, from, length);
    out->length += length;
    return 0;
}

static inline msgpack_packer write_to(struct bytes *out)
{
    return (msgpack_packer){.data = out, .callback = write_append};
}

static inline void write_bool(msgpack_packer *out, bool value)
{
    if (value)
        msgpack_pack_true(out);
    else
        msgpack_pack_false(out);
}

#endif
