#include "wire/wire.h"

#include "base/limits.h"
#include "base/memory.h"
#include "wire/wire_layout.h"
#include "wire/wire_read.h"
#include "wire/wire_spec.h"

#include <string.h>

/* A NUL inside would make two different texts one. */
static void decode_text(struct reader *in, char *to, size_t size)
{
    struct text text = read_text(in, size - 1);

    if (!text.length)
        return;
    if (memchr(text.data, 0, text.length))
        read_fail(in);
    memcpy(to, text.data, text.length);
}

static void decode_field(struct reader *in, const struct field *field, char *to)
{
    uint64_t number;
    uint32_t small;

    switch (field->kind) {
    case FIELD_U64:
        number = read_uint(in);
        memcpy(to, &number, sizeof number);
        break;
    case FIELD_U32:
        small = (uint32_t)read_uint_in(in, field->least, field->most);
        memcpy(to, &small, sizeof small);
        break;
    case FIELD_BOOL:
        *(bool *)to = read_bool(in);
        break;
    case FIELD_TEXT:
        decode_text(in, to, field->most);
        break;
    case FIELD_PAYLOAD:
        *(size_t *)(void *)to = (size_t)read_uint(in);
        break;
    }
}

/* A greeting of another version is read as far as its version: all that a refusal needs. */
static bool is_foreign(const struct message *message)
{
    return (message->type == MESSAGE_HELLO && message->hello.version != PROTOCOL_VERSION) ||
           (message->type == MESSAGE_WELCOME && message->welcome.version != PROTOCOL_VERSION);
}

static void decode_fields(struct reader *in, struct message *message, size_t items)
{
    const struct layout *layout = &WIRE_LAYOUTS[message->type];
    bool has_spec = message->type == MESSAGE_JOB;

    for (uint32_t i = 0; i < layout->count; i++) {
        if (i == 1 && is_foreign(message)) {
            if (items < 2)
                read_fail(in);
            else
                read_skip(in, items - 2);
            return;
        }
        decode_field(in, &layout->fields[i], (char *)message + layout->fields[i].offset);
    }
    if (items != 1 + layout->count + has_spec)
        read_fail(in);
    if (has_spec)
        message->job.spec = spec_decode(in);
}

/* What must hold between the fields. */
static bool is_sound(const struct message *message)
{
    if (message->type == MESSAGE_TASK)
        return place_compare(message->task.slice.begin, message->task.slice.end) <= 0;
    if (message->type == MESSAGE_RESULT)
        return place_compare(message->result.begin, message->result.middle) <= 0;
    return true;
}

/* On failure message->payload.length is a mere number and there is no block. */
static void decode_message(struct reader *in, struct message *message)
{
    size_t items = read_array(in);
    uint64_t type = read_uint_in(in, MESSAGE_HELLO, MESSAGE_TYPES - 1);

    if (in->failed)
        return;
    message->type = (enum message_type)type;
    decode_fields(in, message, items);
    if (!is_sound(message))
        read_fail(in);
}

/* Give each message its part of the payload frame: together they are exactly all of it. */
static bool hand_out(const struct chunk *payload, struct message *messages, size_t count)
{
    size_t length = payload ? payload->length : 0;
    size_t begin = 0;

    for (size_t i = 0; i < count; i++) {
        size_t part = messages[i].payload.length;

        messages[i].payload.length = 0;
        if (part > length - begin)
            return false;
        if (part)
            messages[i].payload = chunk_part(payload, begin, part);
        begin += part;
    }
    return begin == length;
}

static bool decode_all(struct reader *in, const struct chunk *payload, struct message *messages,
                       size_t count)
{
    for (size_t i = 0; i < count && !in->failed; i++)
        decode_message(in, &messages[i]);
    return !in->failed && in->at == in->end && hand_out(payload, messages, count);
}

bool wire_decode(const void *header, size_t header_length, const struct chunk *payload,
                 struct message **messages, size_t *count)
{
    struct reader in = reader_of(header, header_length);
    size_t found = header_length <= BATCH_HEADER_BYTES_MAX ? read_array(&in) : 0;

    *messages = NULL;
    *count = 0;
    if (!found || found > BATCH_MESSAGES_MAX)
        return false;
    *messages = memory_array(found, sizeof **messages);
    if (!decode_all(&in, payload, *messages, found)) {
        for (size_t i = 0; i < found; i++)
            message_clear(&(*messages)[i]);
        memory_free(*messages);
        *messages = NULL;
        return false;
    }
    *count = found;
    return true;
}
