#include "wire/wire.h"

#include "base/limits.h"
#include "wire/wire_layout.h"
#include "wire/wire_spec.h"
#include "wire/wire_write.h"

#include <assert.h>

/* The widest form of an array's length, so that it can be set when the messages are counted. */
enum { BATCH_MARK_BYTES = 3 };

static uint64_t load_u64(const void *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

static uint32_t load_u32(const void *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

static void encode_field(msgpack_packer *out, const struct field *field, const char *from)
{
    switch (field->kind) {
    case FIELD_U64:
        msgpack_pack_uint64(out, load_u64(from));
        break;
    case FIELD_U32:
        msgpack_pack_uint32(out, load_u32(from));
        break;
    case FIELD_BOOL:
        write_bool(out, *(const bool *)from);
        break;
    case FIELD_TEXT:
        msgpack_pack_str_with_body(out, from, strnlen(from, field->most - 1));
        break;
    case FIELD_PAYLOAD:
        msgpack_pack_uint64(out, *(const size_t *)(const void *)from);
        break;
    }
}

static void encode_message(const struct message *message, struct bytes *header)
{
    const struct layout *layout = &WIRE_LAYOUTS[message->type];
    bool has_spec = message->type == MESSAGE_JOB;
    msgpack_packer out = write_to(header);

    msgpack_pack_array(&out, 1 + layout->count + has_spec);
    msgpack_pack_uint32(&out, message->type);
    for (uint32_t i = 0; i < layout->count; i++)
        encode_field(&out, &layout->fields[i], (const char *)message + layout->fields[i].offset);
    if (has_spec)
        spec_encode(message->job.spec, header);
}

size_t wire_encode(const struct message *const *messages, size_t count, struct bytes *header)
{
    size_t begin = header->length;
    size_t done = 0;
    uint8_t *mark;

    bytes_extend(header, BATCH_MARK_BYTES);
    while (done < count && done < BATCH_MESSAGES_MAX) {
        size_t end = header->length;

        assert(messages[done]->type >= MESSAGE_HELLO && messages[done]->type < MESSAGE_TYPES);
        encode_message(messages[done], header);
        if (done && header->length - begin > BATCH_HEADER_BYTES_MAX) {
            header->length = end;
            break;
        }
        done++;
    }
    mark = header->data + begin;
    mark[0] = 0xdc;
    mark[1] = (uint8_t)(done >> 8);
    mark[2] = (uint8_t)done;
    return done;
}

bool wire_job_fits(const struct job_spec *spec)
{
    /* The message's type and number, and the batch's own bytes. */
    enum { AROUND_BYTES = 32 };
    struct bytes encoded = {0};
    bool fits;

    if (!spec_paths_fit(spec))
        return false;
    spec_encode(spec, &encoded);
    fits = encoded.length + AROUND_BYTES <= BATCH_HEADER_BYTES_MAX;
    bytes_clear(&encoded);
    return fits;
}
