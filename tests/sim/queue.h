/* What will happen, by virtual time; happenings at one time keep the order in which they were
 * added. */
#ifndef SHEAF_SIM_QUEUE_H
#define SHEAF_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;
struct happening;

typedef void happening_run(struct world *world, struct happening *happening);

struct happening {
    int64_t at_ns;
    uint64_t order;
    happening_run *run;
    void *subject;
    uint64_t number; /* what `run` makes of it; often a generation, so that a late one is void */
};

struct queue {
    struct happening *heap;
    size_t count, capacity;
    uint64_t added;
};

void queue_add(struct queue *queue, int64_t at_ns, happening_run *run, void *subject,
               uint64_t number);
/* The next one; false: nothing will ever happen. */
bool queue_take(struct queue *queue, struct happening *out);
void queue_clear(struct queue *queue);

#endif
