#include "link/outbox.h"

#include "base/memory.h"
#include "wire/wire.h"

#include <assert.h>
#include <string.h>

static void make_room(struct outbox *outbox)
{
    size_t count = outbox_count(outbox);

    if (outbox->begin > outbox->capacity / 2) {
        memmove(outbox->items, outbox->items + outbox->begin, count * sizeof *outbox->items);
        outbox->begin = 0;
        outbox->end = count;
        return;
    }
    outbox->capacity = outbox->capacity ? 2 * outbox->capacity : 16;
    outbox->items = memory_grow(outbox->items, outbox->capacity, sizeof *outbox->items);
}

/* Of these only the newest says anything. */
static bool is_news(const struct message *message)
{
    return message->type == MESSAGE_HEARTBEAT || message->type == MESSAGE_STATUS;
}

/* An older one of the type, with nothing but such behind it. */
static struct message *older_news(const struct outbox *outbox, enum message_type type)
{
    for (size_t i = outbox->end; i > outbox->begin && is_news(&outbox->items[i - 1]); i--)
        if (outbox->items[i - 1].type == type)
            return &outbox->items[i - 1];
    return NULL;
}

void outbox_push(struct outbox *outbox, struct message *message)
{
    struct message *older = is_news(message) ? older_news(outbox, message->type) : NULL;

    if (older) {
        message_move(older, message);
        return;
    }
    if (outbox->end == outbox->capacity)
        make_room(outbox);
    outbox->items[outbox->end++] = *message;
    memset(message, 0, sizeof *message);
}

size_t outbox_count(const struct outbox *outbox)
{
    return outbox->end - outbox->begin;
}

const struct message *outbox_at(const struct outbox *outbox, size_t index)
{
    assert(index < outbox_count(outbox));
    return outbox->items + outbox->begin + index;
}

void outbox_shift(struct outbox *outbox, size_t count)
{
    assert(count <= outbox_count(outbox));
    for (size_t i = 0; i < count; i++)
        message_clear(outbox->items + outbox->begin + i);
    outbox->begin += count;
    if (outbox->begin == outbox->end)
        outbox->begin = outbox->end = 0;
}

void outbox_take(struct outbox *outbox, size_t index, struct message *message)
{
    struct message *item = outbox->items + outbox->begin + index;
    size_t behind = outbox_count(outbox) - index - 1;

    *message = *item;
    memmove(item, item + 1, behind * sizeof *item);
    outbox->end--;
}

void outbox_clear(struct outbox *outbox)
{
    outbox_shift(outbox, outbox_count(outbox));
    memory_free(outbox->items);
    *outbox = (struct outbox){0};
}

static size_t batch_of(const struct outbox *outbox, const struct batch_limits *limits)
{
    size_t count = outbox_count(outbox);
    uint64_t total = 0;
    size_t i = 0;

    if (count > limits->messages_max)
        count = limits->messages_max;
    while (i < count) {
        size_t length = outbox_at(outbox, i)->payload.length;
        bool is_alone = length >= limits->alone_bytes;

        if (length && total && (is_alone || total + length > limits->payload_bytes_max))
            break;
        total += length;
        i++;
        if (is_alone)
            break;
    }
    return i;
}

size_t outbox_encode(const struct outbox *outbox, const struct batch_limits *limits,
                     struct bytes *header, uint64_t *payload_bytes)
{
    size_t count = batch_of(outbox, limits);
    const struct message **pointers;

    *payload_bytes = 0;
    if (!count)
        return 0;
    pointers = memory_array(count, sizeof *pointers);
    for (size_t i = 0; i < count; i++)
        pointers[i] = outbox_at(outbox, i);
    count = wire_encode(pointers, count, header);
    memory_free(pointers);
    for (size_t i = 0; i < count; i++)
        *payload_bytes += outbox_at(outbox, i)->payload.length;
    return count;
}

bool inbox_pop(struct inbox *inbox, struct message *message)
{
    if (inbox->next == inbox->count)
        return false;
    *message = inbox->items[inbox->next++];
    if (inbox->next == inbox->count) {
        memory_free(inbox->items);
        *inbox = (struct inbox){0};
    }
    return true;
}

void inbox_clear(struct inbox *inbox)
{
    for (size_t i = inbox->next; i < inbox->count; i++)
        message_clear(inbox->items + i);
    memory_free(inbox->items);
    *inbox = (struct inbox){0};
}
