/*
 * The wire decoder: any bytes are refused or decoded to messages that say the same once more when
 * encoded and decoded again; and msgpack-c agrees that what was decoded is MessagePack.
 * Input: one byte, the length of the payload frame; the rest is the header frame.
 */
#include "base/memory.h"
#include "wire/wire.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void encode(const struct message *messages, size_t count, struct bytes *header)
{
    const struct message **list = memory_array(count, sizeof *list);

    for (size_t i = 0; i < count; i++)
        list[i] = &messages[i];
    demand(wire_encode(list, count, header) == count, "an encoding longer than what was decoded");
    memory_free(list);
}

static void messages_free(struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        message_clear(&messages[i]);
    memory_free(messages);
}

static void check_msgpack(const uint8_t *data, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_unpack_return status;
    size_t end = 0;

    msgpack_unpacked_init(&unpacked);
    status = msgpack_unpack_next(&unpacked, (const char *)data, size, &end);
    /* It has no memory for what is nested deeper than 32: a greeting of another version may be. */
    demand(status == MSGPACK_UNPACK_NOMEM_ERROR ||
               (status == MSGPACK_UNPACK_SUCCESS && end == size),
           "decoded, but not MessagePack");
    msgpack_unpacked_destroy(&unpacked);
}

static void check_again(const struct message *messages, size_t count, const struct chunk *payload)
{
    struct bytes once = {0}, twice = {0};
    struct message *again;
    size_t again_count;

    encode(messages, count, &once);
    demand(wire_decode(once.data, once.length, payload, &again, &again_count) &&
               again_count == count,
           "what was encoded cannot be decoded");
    encode(again, count, &twice);
    demand(once.length == twice.length && !memcmp(once.data, twice.data, once.length),
           "not the same when encoded again");
    messages_free(again, again_count);
    bytes_clear(&once);
    bytes_clear(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[256];
    struct chunk payload;
    struct message *messages;
    size_t count;

    if (!size)
        return 0;
    payload = chunk_copy(zeros, data[0]);
    if (wire_decode(data + 1, size - 1, &payload, &messages, &count)) {
        check_msgpack(data + 1, size - 1);
        check_again(messages, count, &payload);
        messages_free(messages, count);
    }
    chunk_drop(&payload);
    return 0;
}
