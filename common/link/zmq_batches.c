#include "link/zmq_batches.h"

#include "base/limits.h"
#include "base/memory.h"
#include "wire/wire.h"

#include <string.h>

enum { PART_MARK = 0xc1 };
#define PART_BYTES MIB
/* The longest payload taken in parts; memory grows only with what has come. A value and its text
 * of --max-value's default pass, and the two operands of a gluing. */
#define PARTED_BYTES_MAX (4 * GIB)

/* Many small messages, little enough to gather their payloads by copying. */
static const struct batch_limits LIMITS = {1024, 256 * KIB, FRAMES_BULK_BYTES};

void batch_sender_init(struct batch_sender *sender, int room_fd)
{
    *sender = (struct batch_sender){0};
    lending_new(&sender->lending, room_fd);
}

void batch_sender_clear(struct batch_sender *sender)
{
    outbox_clear(&sender->outbox);
    bytes_clear(&sender->header);
    chunk_drop(&sender->payload);
    lending_free(&sender->lending);
    sender->has_batch = false;
}

bool batch_sender_is_empty(const struct batch_sender *sender)
{
    return !sender->has_batch && !outbox_count(&sender->outbox);
}

/* The payloads of the first `count` messages in one chunk; not copied when there is only one. */
static struct chunk gather(const struct outbox *outbox, size_t count, uint64_t bytes)
{
    struct bytes all = {0};

    for (size_t i = 0; bytes && i < count; i++) {
        const struct chunk *payload = &outbox_at(outbox, i)->payload;

        if (payload->length == bytes)
            return chunk_share(payload);
        bytes_append(&all, payload->data, payload->length);
    }
    return chunk_take(&all);
}

static bool next_batch(struct batch_sender *sender)
{
    uint64_t payload_bytes;
    size_t count;

    if (sender->has_batch)
        return true;
    sender->header.length = 0;
    count = outbox_encode(&sender->outbox, &LIMITS, &sender->header, &payload_bytes);
    if (!count)
        return false;
    sender->payload = gather(&sender->outbox, count, payload_bytes);
    sender->sent_bytes = 0;
    sender->has_batch = true;
    outbox_shift(&sender->outbox, count);
    return true;
}

static void end_batch(struct batch_sender *sender)
{
    chunk_drop(&sender->payload);
    sender->has_batch = false;
}

static enum frames_result send_part(struct batch_sender *sender, void *socket,
                                    const uint8_t *identity)
{
    uint64_t left = sender->payload.length - sender->sent_bytes;
    size_t length = left < PART_BYTES ? left : PART_BYTES;
    struct chunk part = chunk_part(&sender->payload, sender->sent_bytes, length);
    struct bytes head = {0};
    enum frames_result result;

    bytes_append_byte(&head, PART_MARK);
    bytes_append_u64(&head, sender->payload.length);
    bytes_append_u64(&head, sender->sent_bytes);
    if (length == left)
        bytes_append(&head, sender->header.data, sender->header.length);
    result = frames_send(socket, identity, &head, &part, sender->lending);
    if (result == FRAMES_DONE)
        sender->sent_bytes += length;
    bytes_clear(&head);
    chunk_drop(&part);
    return result;
}

static enum frames_result send_batch(struct batch_sender *sender, void *socket,
                                     const uint8_t *identity)
{
    enum frames_result result;

    if (sender->payload.length >= FRAMES_BULK_BYTES && !lending_has_room(sender->lending))
        return FRAMES_NOT_NOW;
    if (sender->payload.length > FRAME_BYTES_MAX)
        result = send_part(sender, socket, identity);
    else
        result = frames_send(socket, identity, &sender->header, &sender->payload, sender->lending);
    if (result == FRAMES_DONE &&
        (sender->payload.length <= FRAME_BYTES_MAX || sender->sent_bytes == sender->payload.length))
        end_batch(sender);
    return result;
}

/* Signs of life do not wait behind bulk. One that cannot leave now is worth nothing later. */
static void send_heartbeats(struct batch_sender *sender, void *socket, const uint8_t *identity)
{
    for (size_t i = 0; i < outbox_count(&sender->outbox);) {
        const struct message *beat = outbox_at(&sender->outbox, i);
        const struct chunk nothing = {0};
        struct bytes header = {0};
        struct message sent;

        if (beat->type != MESSAGE_HEARTBEAT) {
            i++;
            continue;
        }
        wire_encode(&beat, 1, &header);
        frames_send(socket, identity, &header, &nothing, sender->lending);
        bytes_clear(&header);
        outbox_take(&sender->outbox, i, &sent);
    }
}

enum frames_result batch_sender_flush(struct batch_sender *sender, void *socket,
                                      const uint8_t *identity)
{
    enum frames_result result = FRAMES_DONE;

    while (result == FRAMES_DONE && next_batch(sender))
        result = send_batch(sender, socket, identity);
    if (result == FRAMES_NOT_NOW)
        send_heartbeats(sender, socket, identity);
    return result;
}

void batch_receiver_clear(struct batch_receiver *receiver)
{
    bytes_clear(&receiver->parts);
}

static bool decode(const uint8_t *header, size_t length, struct chunk *payload, struct inbox *inbox)
{
    bool is_sound = wire_decode(header, length, payload, &inbox->items, &inbox->count);

    chunk_drop(payload);
    return is_sound;
}

/* Whether a part of `length` bytes at `offset` is the next one, of a payload that needs parts. */
static bool is_next(const struct batch_receiver *receiver, uint64_t whole, uint64_t offset,
                    size_t length)
{
    if (whole <= FRAME_BYTES_MAX || whole > PARTED_BYTES_MAX)
        return false;
    if (offset && (offset != receiver->parts.length || whole != receiver->whole_bytes))
        return false;
    return length && length <= FRAME_BYTES_MAX && offset < whole && length <= whole - offset;
}

static bool take_part(struct batch_receiver *receiver, struct frames *frames, struct inbox *inbox)
{
    struct reader head = reader_of(zmq_msg_data(&frames->header), zmq_msg_size(&frames->header));
    uint64_t whole, offset;
    struct chunk payload;

    reader_u8(&head);
    whole = reader_u64(&head);
    offset = reader_u64(&head);
    if (head.failed || !is_next(receiver, whole, offset, frames->payload.length))
        return false;
    if (!offset)
        bytes_clear(&receiver->parts);
    receiver->whole_bytes = whole;
    bytes_append(&receiver->parts, frames->payload.data, frames->payload.length);
    if (receiver->parts.length < whole)
        return reader_left(&head) == 0;
    payload = chunk_take(&receiver->parts);
    return decode(head.at, reader_left(&head), &payload, inbox);
}

bool batch_receiver_take(struct batch_receiver *receiver, struct frames *frames,
                         struct inbox *inbox)
{
    size_t length = zmq_msg_size(&frames->header);
    const uint8_t *header = zmq_msg_data(&frames->header);

    if (!frames->is_sound || !length)
        return false;
    if (*header == PART_MARK)
        return take_part(receiver, frames, inbox);
    return decode(header, length, &frames->payload, inbox);
}

/* Whatever it was: nothing of it is kept. */
static bool only_a_sign_of_life(struct inbox *inbox)
{
    inbox_clear(inbox);
    inbox->items = memory_array(1, sizeof *inbox->items);
    inbox->items[0].type = MESSAGE_HEARTBEAT;
    inbox->count = 1;
    return true;
}

bool batch_take_greeting(struct frames *frames, struct inbox *inbox)
{
    size_t length = zmq_msg_size(&frames->header);
    const uint8_t *header = zmq_msg_data(&frames->header);
    struct message before;

    if (!frames->is_sound || !length)
        return false;
    if (frames->payload.length || length > GREETING_BYTES_MAX || *header == PART_MARK)
        return only_a_sign_of_life(inbox);
    if (!decode(header, length, &frames->payload, inbox))
        return false;
    while (inbox->next < inbox->count && inbox->items[inbox->next].type != MESSAGE_HELLO) {
        inbox_pop(inbox, &before);
        message_clear(&before);
    }
    return inbox->count ? true : only_a_sign_of_life(inbox);
}

bool batch_has_impostor(const struct inbox *inbox)
{
    for (size_t i = inbox->next; i < inbox->count; i++)
        if (inbox->items[i].type == MESSAGE_HELLO && inbox->items[i].hello.role == ROLE_PROCESS)
            return true;
    return false;
}
