/*
 * One task of a leaf, from its slice to its result. Pure: whoever performs it brings the bytes.
 *
 *     leaf_work_begin(&work, spec, &task);
 *     while (leaf_work_next(&work, &span))
 *         … leaf_work_feed(&work, bytes of the span, length) or leaf_work_fault() …
 *     leaf_work_end(&work, &result);
 */
#ifndef SHEAF_WORKER_LEAF_WORK_H
#define SHEAF_WORKER_LEAF_WORK_H

#include "core/message.h"
#include "source/fold.h"

#include <stdbool.h>
#include <stddef.h>

struct leaf_work {
    const struct job_spec *spec; /* borrowed */
    struct message_task task;
    struct fold *fold;
    uint64_t room_bytes;
};

/* A FOLD or COUNT task. `spec` is borrowed until leaf_work_end. */
void leaf_work_begin(struct leaf_work *work, const struct job_spec *spec,
                     const struct message_task *task);
/* What is to be fed next; false when the task is done, or its room is used up. */
bool leaf_work_next(struct leaf_work *work, struct span *span);
/*
 * Feed the next bytes of the span, whole units, with room around them as fold_feed() wants it.
 * Returns the bytes consumed; fewer than `length`: no more is wanted.
 */
size_t leaf_work_feed(struct leaf_work *work, const void *data, size_t length);
/* Reading ended here with a fault of the input. */
void leaf_work_fault(struct leaf_work *work, enum fault_kind kind, const char *text);
/* Feed the whole of a task that came by value. */
void leaf_work_feed_payload(struct leaf_work *work, const struct chunk *payload);
/*
 * The task's only result: the segment of what was folded. If the room did not suffice, or nothing
 * more could be fed, `middle` is short of the slice's end: the rest is given back. `result` is out;
 * busy_ns is the caller's to fill.
 */
void leaf_work_end(struct leaf_work *work, struct message *result);

/* A GLUE task. false: the payload is not two segments; `result` is then empty. */
bool leaf_work_glue(const struct job_spec *spec, const struct message_task *task,
                    const struct chunk *payload, struct message *result);

/*
 * A stream's last slice, by value, tells how long the stream is: complete its description, so that
 * the source's end can be folded.
 */
void leaf_work_learn_length(struct job_spec *spec, const struct message_task *task,
                            size_t payload_bytes);

#endif
