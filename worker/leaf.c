#include "leaf.h"

#include "leaf_files.h"
#include "leaf_queue.h"
#include "leaf_work.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/link_pool.h"

#include <inttypes.h>
#include <uthash.h>

struct leaf_job {
    uint64_t id;
    struct job_spec *spec;
    UT_hash_handle hh;
};

/*
 * Small tasks are answered together, and CANCELs wait this long while they are performed; nothing
 * waits for a task that takes longer, or that has more bytes than can be folded in that time.
 */
#define LONG_NS (50 * INT64_C(1000))
#define LONG_BYTES (64 * KIB)

struct leaf {
    struct pool_child *parent;
    int64_t now_ns;    /* when the last task ended */
    int64_t polled_ns; /* when the parent was last heard */
    struct leaf_job *jobs;
    struct leaf_queue queue;
    struct leaf_files files;
};

static struct leaf_job *find_job(const struct leaf *leaf, uint64_t id)
{
    struct leaf_job *job;

    HASH_FIND(hh, leaf->jobs, &id, sizeof id, job);
    return job;
}

static void drop_job(struct leaf *leaf, struct leaf_job *job)
{
    leaf_files_forget(&leaf->files, job->id);
    HASH_DEL(leaf->jobs, job);
    job_spec_clear(job->spec);
    memory_free(job->spec);
    memory_free(job);
}

/* A job that is described again keeps its tasks: the new description is the more complete one. */
static void take_job(struct leaf *leaf, struct message *message)
{
    struct leaf_job *job = find_job(leaf, message->job.job);

    if (job)
        drop_job(leaf, job);
    job = memory_new(sizeof *job);
    job->id = message->job.job;
    job->spec = message->job.spec;
    message->job.spec = NULL;
    HASH_ADD(hh, leaf->jobs, id, sizeof job->id, job);
}

static void take_forget(struct leaf *leaf, uint64_t id)
{
    struct leaf_job *job = find_job(leaf, id);

    leaf_queue_forget(&leaf->queue, id);
    if (job)
        drop_job(leaf, job);
}

static void take_message(struct leaf *leaf, struct message *message)
{
    switch (message->type) {
    case MESSAGE_JOB:
        take_job(leaf, message);
        break;
    case MESSAGE_FORGET:
        take_forget(leaf, message->forget.job);
        break;
    case MESSAGE_TASK:
        leaf_queue_put(&leaf->queue, message);
        break;
    case MESSAGE_CANCEL:
        leaf_queue_cancel(&leaf->queue, message->cancel.task, message->cancel.attempt);
        break;
    case MESSAGE_ROOM:
        leaf_queue_add_room(&leaf->queue, message->room.task, message->room.attempt,
                            message->room.more_bytes);
        break;
    case MESSAGE_HELLO:
    case MESSAGE_WELCOME:
    case MESSAGE_REFUSED:
    case MESSAGE_HEARTBEAT:
    case MESSAGE_BYE:
    case MESSAGE_RESULT:
    case MESSAGE_DECLINED:
    case MESSAGE_ASK_STATUS:
    case MESSAGE_STATUS:
    case MESSAGE_TYPES:
        break; /* the link's affair, or nobody's */
    }
    message_clear(message);
}

/* Feed one span from its file. false: the file is not here. */
static bool feed_span(struct leaf *leaf, struct leaf_work *work, const struct span *span)
{
    const struct source *source = &work->spec->sources[span->source];
    uint32_t width = source_unit_bytes(source);
    uint64_t unit = span->unit, left = span->units, got = 0;
    struct source_reader *reader;
    struct error error;
    const uint8_t *data;

    if (leaf_files_get(&leaf->files, work->task.job, span->source, source, &reader) != READER_OK)
        return false;
    for (; left; unit += got, left -= got) {
        int status = reader_get(reader, unit, left, &data, &got, &error);

        if (status != READER_OK) {
            leaf_work_fault(work, status == READER_CHANGED ? FAULT_CHANGED : FAULT_UNREADABLE,
                            status == READER_CHANGED ? "" : error.text);
            leaf_files_forget(&leaf->files, work->task.job);
            return true;
        }
        if (leaf_work_feed(work, data, (size_t)got * width) < got * width)
            return true;
    }
    return true;
}

static void decline(const struct message_task *task, uint32_t source, struct message *answer)
{
    *answer = (struct message){.type = MESSAGE_DECLINED};
    answer->declined.job = task->job;
    answer->declined.task = task->task;
    answer->declined.attempt = task->attempt;
    answer->declined.reason = DECLINE_ABSENT;
    answer->declined.source = source;
}

/* What was folded before an absent file is an answer; only a task that begins there is declined. */
static void fold_by_reference(struct leaf *leaf, struct leaf_work *work, struct message *answer)
{
    struct span span;

    while (leaf_work_next(work, &span)) {
        if (feed_span(leaf, work, &span))
            continue;
        if (place_compare(fold_place(work->fold), work->task.slice.begin) > 0)
            break;
        fold_free(&work->fold);
        decline(&work->task, span.source, answer);
        return;
    }
    leaf_work_end(work, answer);
}

static void fold_by_value(struct leaf_work *work, const struct chunk *payload,
                          struct message *answer)
{
    leaf_work_feed_payload(work, payload);
    leaf_work_end(work, answer);
}

static int perform(struct leaf *leaf, const struct leaf_job *job, const struct message *message,
                   struct message *answer, struct error *error)
{
    const struct message_task *task = &message->task;
    struct leaf_work work;

    if (task->kind == TASK_GLUE) {
        if (leaf_work_glue(job->spec, task, &message->payload, answer))
            return OK;
        return error_set(error, ERROR_PROTOCOL, "task %" PRIu64 " does not hold two segments",
                         task->task);
    }
    if (task->by_value)
        leaf_work_learn_length(job->spec, task, message->payload.length);
    leaf_work_begin(&work, job->spec, task);
    if (task->by_value)
        fold_by_value(&work, &message->payload, answer);
    else
        fold_by_reference(leaf, &work, answer);
    return OK;
}

static bool task_is_sound(const struct leaf_job *job, const struct message_task *task)
{
    const struct slice *slice = &task->slice;

    return job && place_compare(slice->begin, slice->end) <= 0 &&
           place_compare(slice->end, place_of_end(job->spec)) <= 0 &&
           (task->kind == TASK_GLUE || slice->begin.source < job->spec->source_count);
}

static bool task_is_long(const struct job_spec *spec, const struct message *message)
{
    const struct slice *slice = &message->task.slice;
    uint64_t units = slice->end.unit - slice->begin.unit;

    if (message->task.kind == TASK_GLUE || message->task.by_value)
        return message->payload.length >= LONG_BYTES;
    if (slice->begin.source != slice->end.source)
        return true; /* files to open */
    return units >= LONG_BYTES ||
           units * source_unit_bytes(&spec->sources[slice->begin.source]) >= LONG_BYTES;
}

static int perform_task(struct leaf *leaf, struct message *message, struct error *error)
{
    struct leaf_job *job = find_job(leaf, message->task.job);
    int64_t begin_ns = clock_now_ns();
    struct message answer = {0};
    bool is_sent;
    int rc;

    if (!task_is_sound(job, &message->task))
        return error_set(error, ERROR_PROTOCOL, "task %" PRIu64 " is of no job known here",
                         message->task.task);
    if (task_is_long(job->spec, message))
        pool_child_flush(leaf->parent);
    pool_child_started(leaf->parent, message->task.task, message->task.attempt);
    rc = perform(leaf, job, message, &answer, error);
    if (rc != OK)
        return rc;
    leaf->now_ns = clock_now_ns();
    if (answer.type == MESSAGE_RESULT)
        answer.result.busy_ns = (uint64_t)(leaf->now_ns - begin_ns);
    is_sent = pool_child_send(leaf->parent, &answer);
    if (leaf->now_ns - begin_ns >= LONG_NS)
        is_sent &= pool_child_flush(leaf->parent);
    /* An answer that cannot be handed over is the end of this process, for which it is to blame. */
    if (is_sent)
        pool_child_started(leaf->parent, 0, 0);
    return OK;
}

static void hear(struct leaf *leaf)
{
    struct message message = {0};

    leaf->polled_ns = leaf->now_ns;
    while (pool_child_poll(leaf->parent, &message))
        take_message(leaf, &message);
}

/* The next task; false when the parent is gone. What has come is heard first, for its CANCELs. */
static bool next_task(struct leaf *leaf, struct message *task)
{
    struct message message = {0};

    if (leaf->now_ns - leaf->polled_ns >= LONG_NS)
        hear(leaf);
    while (!leaf_queue_take(&leaf->queue, task)) {
        if (!pool_child_receive(leaf->parent, &message))
            return false;
        take_message(leaf, &message);
        hear(leaf);
    }
    return true;
}

static void leaf_clear(struct leaf *leaf)
{
    struct leaf_job *job, *next;

    HASH_ITER(hh, leaf->jobs, job, next)
    {
        drop_job(leaf, job);
    }
    leaf_queue_clear(&leaf->queue);
    leaf_files_clear(&leaf->files);
    pool_child_free(&leaf->parent);
}

int leaf_run(int fd, struct error *error)
{
    struct leaf leaf = {0};
    struct message task = {0};
    int rc = pool_child_open(&leaf.parent, fd, error);

    while (rc == OK && next_task(&leaf, &task)) {
        rc = perform_task(&leaf, &task, error);
        message_clear(&task);
    }
    leaf_clear(&leaf);
    return rc;
}
