/* The tasks a leaf was given and has not begun, in the order in which they came. */
#ifndef SHEAF_WORKER_LEAF_QUEUE_H
#define SHEAF_WORKER_LEAF_QUEUE_H

#include "core/message.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: an empty one. A cancelled task stays as a hole until its turn. */
struct leaf_queue {
    struct message *items; /* a ring of `capacity`, a power of two */
    size_t capacity, first, count;
};

void leaf_queue_clear(struct leaf_queue *queue);
void leaf_queue_put(struct leaf_queue *queue, struct message *task); /* empties the message */
bool leaf_queue_take(struct leaf_queue *queue, struct message *task);
void leaf_queue_cancel(struct leaf_queue *queue, uint64_t task, uint32_t attempt);
void leaf_queue_forget(struct leaf_queue *queue, uint64_t job);
void leaf_queue_add_room(struct leaf_queue *queue, uint64_t task, uint32_t attempt,
                         uint64_t more_bytes);

#endif
