/*
 * What can be seen from outside, on the links: a task is given only within credit and after its
 * job, its id is not in use, its results follow one another without a gap and end where it ends.
 */
#include "world.h"

#include "base/memory.h"

#include <string.h>

enum { RESULT_SANE_BYTES = 64 << 20 };

#define U(x) ((unsigned long long)(x))

static struct given *given_find(struct conduit *conduit, uint64_t task)
{
    for (size_t i = 0; i < conduit->given_count; i++)
        if (conduit->given[i].task == task)
            return &conduit->given[i];
    return NULL;
}

static void given_remove(struct conduit *conduit, struct given *given)
{
    *given = conduit->given[--conduit->given_count];
}

static bool job_is_known(const struct conduit *conduit, uint64_t job)
{
    for (size_t i = 0; i < conduit->known_count; i++)
        if (conduit->known_jobs[i] == job)
            return true;
    return false;
}

static void job_is_sent(struct conduit *conduit, uint64_t job)
{
    if (conduit->known_count == conduit->known_capacity) {
        conduit->known_capacity = conduit->known_capacity ? 2 * conduit->known_capacity : 4;
        conduit->known_jobs =
            memory_grow(conduit->known_jobs, conduit->known_capacity, sizeof(uint64_t));
    }
    conduit->known_jobs[conduit->known_count++] = job;
}

static void job_is_forgotten(struct conduit *conduit, uint64_t job)
{
    size_t kept = 0;

    for (size_t i = 0; i < conduit->known_count; i++)
        if (conduit->known_jobs[i] != job)
            conduit->known_jobs[kept++] = conduit->known_jobs[i];
    conduit->known_count = kept;
    kept = 0;
    for (size_t i = 0; i < conduit->given_count; i++)
        if (conduit->given[i].job != job)
            conduit->given[kept++] = conduit->given[i];
    conduit->given_count = kept;
}

void check_new_session(struct conduit *conduit)
{
    conduit->given_count = 0;
    conduit->known_count = 0;
    conduit->session = 0;
}

/* The same greeting again is no new session. */
static void greeted(struct conduit *conduit, uint64_t session)
{
    if (conduit->session != session)
        check_new_session(conduit);
    conduit->session = session;
}

static void task_is_sent(struct world *world, struct conduit *conduit,
                         const struct message_task *task, const struct chunk *payload)
{
    if (!job_is_known(conduit, task->job))
        world_fail(world, "a task of a job that was not sent");
    if (given_find(conduit, task->task))
        world_fail(world, "task id %llu is in use", U(task->task));
    if (conduit->given_count >= conduit->credit)
        world_fail(world, "%zu tasks given to a peer that takes %u", conduit->given_count + 1,
                   conduit->credit);
    if (place_compare(task->slice.begin, task->slice.end) >= 0)
        world_fail(world, "an empty task");
    if (task->kind != TASK_GLUE && payload->length > VALUE_SLICE_BYTES_MAX)
        world_fail(world, "a task by value of %zu bytes", payload->length);
    if (conduit->given_count == conduit->given_capacity) {
        conduit->given_capacity = conduit->given_capacity ? 2 * conduit->given_capacity : 8;
        conduit->given =
            memory_grow(conduit->given, conduit->given_capacity, sizeof *conduit->given);
    }
    conduit->given[conduit->given_count++] = (struct given){.job = task->job,
                                                            .task = task->task,
                                                            .attempt = task->attempt,
                                                            .kind = task->kind,
                                                            .slice = task->slice,
                                                            .next = task->slice.begin};
}

static void trace_message(struct world *world, const struct conduit *conduit, int from,
                          const struct message *message, const char *verb)
{
    static const char *const NAMES[MESSAGE_TYPES] = {[MESSAGE_HELLO] = "HELLO",
                                                     [MESSAGE_WELCOME] = "WELCOME",
                                                     [MESSAGE_REFUSED] = "REFUSED",
                                                     [MESSAGE_HEARTBEAT] = "HEARTBEAT",
                                                     [MESSAGE_BYE] = "BYE",
                                                     [MESSAGE_JOB] = "JOB",
                                                     [MESSAGE_FORGET] = "FORGET",
                                                     [MESSAGE_TASK] = "TASK",
                                                     [MESSAGE_CANCEL] = "CANCEL",
                                                     [MESSAGE_ROOM] = "ROOM",
                                                     [MESSAGE_RESULT] = "RESULT",
                                                     [MESSAGE_DECLINED] = "DECLINED",
                                                     [MESSAGE_ASK_STATUS] = "ASK_STATUS",
                                                     [MESSAGE_STATUS] = "STATUS"};
    const struct message_task *task = &message->task;
    const struct message_result *result = &message->result;

    if (!world->is_traced || message->type == MESSAGE_HEARTBEAT)
        return;
    if (message->type == MESSAGE_TASK)
        world_trace(world,
                    "link %llu.%d %s TASK kind %d job %llx task %llu/%u [%u:%llu, %u:%llu) el %llu "
                    "room %llu deaths %u lost %u%s %zu",
                    U(conduit->index), from, verb, (int)task->kind, U(task->job), U(task->task),
                    task->attempt, task->slice.begin.source, U(task->slice.begin.unit),
                    task->slice.end.source, U(task->slice.end.unit), U(task->slice.element),
                    U(task->room_bytes), task->deaths, task->lost_daemons,
                    task->by_value ? " by value" : "", message->payload.length);
    else if (message->type == MESSAGE_RESULT)
        world_trace(world,
                    "link %llu.%d %s RESULT kind %d job %llx task %llu/%u [%u:%llu, %u:%llu) "
                    "units %llu deaths %u%s",
                    U(conduit->index), from, verb, (int)result->kind, U(result->job),
                    U(result->task), result->attempt, result->begin.source, U(result->begin.unit),
                    result->middle.source, U(result->middle.unit), U(result->units), result->deaths,
                    result->done ? " done" : "");
    else if (message->type == MESSAGE_CANCEL || message->type == MESSAGE_ROOM ||
             message->type == MESSAGE_DECLINED)
        world_trace(world, "link %llu.%d %s %s job %llx task %llu", U(conduit->index), from, verb,
                    NAMES[message->type], U(message->cancel.job), U(message->cancel.task));
    else
        world_trace(world, "link %llu.%d %s %s", U(conduit->index), from, verb,
                    NAMES[message->type]);
}

void check_sent(struct world *world, struct conduit *conduit, int from,
                const struct message *message)
{
    struct given *given;

    trace_message(world, conduit, from, message, "sends");
    if (conduit->stranger)
        return;
    if (message->type == MESSAGE_HELLO && message->hello.role == ROLE_CLIENT)
        greeted(conduit, message->hello.session);
    if (from != conduit->giver)
        return;
    if (message->type == MESSAGE_JOB)
        job_is_sent(conduit, message->job.job);
    if (message->type == MESSAGE_FORGET)
        job_is_forgotten(conduit, message->forget.job);
    if (message->type == MESSAGE_TASK)
        task_is_sent(world, conduit, &message->task, &message->payload);
    given = message->type == MESSAGE_CANCEL ? given_find(conduit, message->cancel.task) : NULL;
    if (given)
        given_remove(conduit, given);
}

static void result_arrives(struct world *world, struct conduit *conduit,
                           const struct message_result *result, const struct chunk *payload)
{
    struct given *given = given_find(conduit, result->task);
    int order;

    if (payload->length > RESULT_SANE_BYTES)
        world_fail(world, "a result of %zu bytes", payload->length);
    if (!given || given->attempt != result->attempt)
        return;
    order = place_compare(result->begin, given->next);
    if (order > 0)
        world_fail(world, "results of task %llu leave a gap", U(given->task));
    if (place_compare(result->middle, given->slice.end) > 0)
        world_fail(world, "a result beyond the end of task %llu", U(given->task));
    if (order == 0)
        given->next = result->middle;
    if (result->done)
        given_remove(conduit, given);
}

void check_arrived(struct world *world, struct conduit *conduit, int to,
                   const struct message *message)
{
    struct given *given;

    trace_message(world, conduit, to, message, "hears");
    if (conduit->stranger)
        return;
    if (message->type == MESSAGE_HELLO && to == 0) {
        conduit->giver = message->hello.role == ROLE_CLIENT ? 1 : 0;
        if (conduit->giver == 0) {
            greeted(conduit, message->hello.session);
            conduit->credit = message->hello.credit_tasks;
        }
    }
    if (message->type == MESSAGE_WELCOME && to == 1 && conduit->giver == 1)
        conduit->credit = message->welcome.credit_tasks;
    if (to != conduit->giver)
        return;
    if (message->type == MESSAGE_RESULT)
        result_arrives(world, conduit, &message->result, &message->payload);
    given = message->type == MESSAGE_DECLINED ? given_find(conduit, message->declined.task) : NULL;
    if (given)
        given_remove(conduit, given);
}
