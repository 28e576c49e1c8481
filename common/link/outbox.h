/*
 * Messages waiting to leave, in order; and messages that have come, not yet looked at. Both ends of
 * every link keep these.
 */
#ifndef SHEAF_LINK_OUTBOX_H
#define SHEAF_LINK_OUTBOX_H

#include "core/message.h"

#include <stdbool.h>
#include <stddef.h>

struct outbox {
    struct message *items;
    size_t begin, end, capacity;
};

/* Take the message over, behind all others. A heartbeat or a status takes the place of one that
 * waits at the end: who does not read is not told the news of a whole day. */
void outbox_push(struct outbox *outbox, struct message *message);
size_t outbox_count(const struct outbox *outbox);
const struct message *outbox_at(const struct outbox *outbox, size_t index);
/* Clear the first `count` messages: they have left. */
void outbox_shift(struct outbox *outbox, size_t count);
/* Take one message out of the middle. */
void outbox_take(struct outbox *outbox, size_t index, struct message *message);
void outbox_clear(struct outbox *outbox);

/* What bounds a batch. */
struct batch_limits {
    size_t messages_max;
    uint64_t payload_bytes_max; /* of all messages together; one message alone may exceed it */
    size_t alone_bytes; /* a payload of at least this ends its batch, and has none before it */
};

/*
 * Encode the header frame of the next batch, from the front. Returns how many messages are in it (0
 * when there are none) and the length of their payloads together.
 */
size_t outbox_encode(const struct outbox *outbox, const struct batch_limits *limits,
                     struct bytes *header, uint64_t *payload_bytes);

/* A decoded batch that is handed on one message at a time. */
struct inbox {
    struct message *items; /* owned */
    size_t next, count;
};

bool inbox_pop(struct inbox *inbox, struct message *message);
void inbox_clear(struct inbox *inbox);

#endif
