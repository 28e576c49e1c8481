#include "leaf_queue.h"

#include "base/memory.h"

static struct message *item(struct leaf_queue *queue, size_t index)
{
    return &queue->items[(queue->first + index) & (queue->capacity - 1)];
}

static struct message *find(struct leaf_queue *queue, uint64_t task, uint32_t attempt)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct message *message = item(queue, i);

        if (message->type == MESSAGE_TASK && message->task.task == task &&
            message->task.attempt == attempt)
            return message;
    }
    return NULL;
}

void leaf_queue_clear(struct leaf_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        message_clear(item(queue, i));
    memory_free(queue->items);
    *queue = (struct leaf_queue){0};
}

static void grow(struct leaf_queue *queue)
{
    size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
    struct message *items = memory_array(capacity, sizeof *items);

    for (size_t i = 0; i < queue->count; i++)
        items[i] = *item(queue, i);
    memory_free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->first = 0;
}

void leaf_queue_put(struct leaf_queue *queue, struct message *task)
{
    if (queue->count == queue->capacity)
        grow(queue);
    *item(queue, queue->count++) = *task;
    *task = (struct message){0};
}

bool leaf_queue_take(struct leaf_queue *queue, struct message *task)
{
    while (queue->count) {
        *task = *item(queue, 0);
        *item(queue, 0) = (struct message){0};
        queue->first = (queue->first + 1) & (queue->capacity - 1);
        queue->count--;
        if (task->type == MESSAGE_TASK)
            return true;
    }
    return false;
}

void leaf_queue_cancel(struct leaf_queue *queue, uint64_t task, uint32_t attempt)
{
    struct message *message = find(queue, task, attempt);

    if (message)
        message_clear(message);
}

void leaf_queue_forget(struct leaf_queue *queue, uint64_t job)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct message *message = item(queue, i);

        if (message->type == MESSAGE_TASK && message->task.job == job)
            message_clear(message);
    }
}

void leaf_queue_add_room(struct leaf_queue *queue, uint64_t task, uint32_t attempt,
                         uint64_t more_bytes)
{
    struct message *message = find(queue, task, attempt);

    if (message &&
        __builtin_add_overflow(message->task.room_bytes, more_bytes, &message->task.room_bytes))
        message->task.room_bytes = UINT64_MAX;
}
