#include "queue.h"

#include "base/memory.h"

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void sift_up(struct happening *heap, size_t at)
{
    struct happening moved = heap[at];

    for (; at > 0 && is_before(&moved, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = moved;
}

static void sift_down(struct happening *heap, size_t count)
{
    struct happening moved = heap[0];
    size_t at = 0;

    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

void queue_add(struct queue *queue, int64_t at_ns, happening_run *run, void *subject,
               uint64_t number)
{
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 256;
        queue->heap = memory_grow(queue->heap, queue->capacity, sizeof *queue->heap);
    }
    queue->heap[queue->count] = (struct happening){
        .at_ns = at_ns, .order = queue->added++, .run = run, .subject = subject, .number = number};
    sift_up(queue->heap, queue->count++);
}

bool queue_take(struct queue *queue, struct happening *out)
{
    if (!queue->count)
        return false;
    *out = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];
    if (queue->count)
        sift_down(queue->heap, queue->count);
    return true;
}

void queue_clear(struct queue *queue)
{
    memory_free(queue->heap);
    *queue = (struct queue){0};
}
