/*
 * Drives one node by hand: messages in, what it does out. Time stands still unless a test moves it.
 */
#ifndef SHEAF_TESTS_NODE_DRIVE_H
#define SHEAF_TESTS_NODE_DRIVE_H

#include "unit.h"

#include "base/memory.h"
#include "core/node.h"

#include <string.h>

struct drive {
    struct node *node;
    int64_t now_ns;
    struct actions done; /* of all steps since drive_forget() */
};

static inline void drive_new(struct drive *drive, enum role role)
{
    struct node_options options = {.memory_bytes = MEMORY_BYTES_DEFAULT,
                                   .task_ns = TASK_NS_DEFAULT,
                                   .silence_ns = SILENCE_NS,
                                   .client_silence_ns = CLIENT_SILENCE_NS,
                                   .seed = 1,
                                   .slots_hint = 1,
                                   .role = role};

    *drive = (struct drive){.now_ns = NS_PER_S};
    node_new(&drive->node, &options);
}

static inline void drive_free(struct drive *drive)
{
    CU_ASSERT_PTR_NULL(node_check(drive->node));
    node_free(&drive->node);
    actions_free(&drive->done);
}

static inline void drive_forget(struct drive *drive)
{
    actions_clear(&drive->done);
}

static inline void drive_event(struct drive *drive, struct event *event)
{
    event->now_ns = drive->now_ns;
    node_step(drive->node, event, &drive->done);
    CU_ASSERT_PTR_NULL(node_check(drive->node));
}

/* The message is emptied. */
static inline void drive_message(struct drive *drive, peer_id from, struct message *message)
{
    struct event event = {.type = EVENT_MESSAGE, .peer = from, .message = message};

    drive_event(drive, &event);
    message_clear(message);
}

static inline void drive_hello(struct drive *drive, peer_id from, enum role role, uint32_t slots)
{
    struct message hello = {.type = MESSAGE_HELLO};

    hello.hello = (struct message_hello){
        .version = PROTOCOL_VERSION, .role = role, .slots = slots, .credit_tasks = 64};
    hello.hello.session = from;
    drive_message(drive, from, &hello);
}

/* The peer's end is noticed; started: the task that it had begun, or NULL. */
static inline void drive_gone(struct drive *drive, peer_id peer, const struct message_task *started)
{
    struct event event = {.type = EVENT_GONE, .peer = peer};

    if (started) {
        event.gone.signal = 11;
        event.gone.started_task = started->task;
        event.gone.started_attempt = started->attempt;
    }
    drive_event(drive, &event);
}

/* Time passes, in steps that are no pause. */
static inline void drive_wait(struct drive *drive, int64_t ns)
{
    for (int64_t end_ns = drive->now_ns + ns; drive->now_ns < end_ns;) {
        struct event event = {.type = EVENT_TICK};

        drive->now_ns += NS_PER_S / 4;
        drive_event(drive, &event);
    }
}

/* The last action of the type towards the peer, or NULL; for ACTION_SEND of that message. */
static inline struct action *drive_last(const struct drive *drive, enum action_type type,
                                        peer_id peer, enum message_type message)
{
    for (size_t i = drive->done.count; i-- > 0;) {
        struct action *action = &drive->done.items[i];

        if (action->type == type && action->peer == peer &&
            (type != ACTION_SEND || action->message.type == message))
            return action;
    }
    return NULL;
}

static inline bool drive_has_dropped(const struct drive *drive, peer_id peer)
{
    return drive_last(drive, ACTION_DROP, peer, 0) != NULL;
}

/* The last task that the peer was given; NULL: none. */
static inline struct message_task *drive_task(const struct drive *drive, peer_id peer)
{
    struct action *action = drive_last(drive, ACTION_SEND, peer, MESSAGE_TASK);

    return action ? &action->message.task : NULL;
}

/* A job of one file. */
static inline struct job_spec *drive_spec(enum source_format format, struct cut cut, uint64_t units)
{
    struct job_spec *spec = memory_new(sizeof *spec);

    *spec = (struct job_spec){
        .op = OP_SUM, .cut = cut, .value_bytes_max = VALUE_BYTES_DEFAULT, .source_count = 1};
    spec->sources = memory_array(1, sizeof(struct source));
    source_init(spec->sources);
    spec->sources[0].format = format;
    spec->sources[0].access = format == SOURCE_RANGE ? SOURCE_NOTHING : SOURCE_FILE;
    spec->sources[0].path = format == SOURCE_RANGE ? NULL : memory_text("/data/numbers");
    spec->sources[0].name = memory_text("numbers");
    spec->sources[0].units = units;
    mpz_set_ui(spec->sources[0].step, 1);
    return spec;
}

/* A client describes a job and asks for all of it as one task. */
static inline void drive_ask(struct drive *drive, peer_id client, struct job_spec *spec,
                             uint64_t room)
{
    struct message job = {.type = MESSAGE_JOB};
    struct message task = {.type = MESSAGE_TASK};

    task.task = (struct message_task){.job = 1, .task = 1, .attempt = 1, .kind = TASK_FOLD};
    task.task.slice.end = place_of_end(spec);
    task.task.room_bytes = room;
    job.job.job = 1;
    job.job.spec = spec;
    drive_message(drive, client, &job);
    drive_message(drive, client, &task);
}

/* An answer to all of the task, with this segment (consumed). */
static inline struct message drive_result(const struct message_task *task, struct segment *segment)
{
    struct message result = {.type = MESSAGE_RESULT};
    struct bytes bytes = {0};

    result.result = (struct message_result){.job = task->job,
                                            .task = task->task,
                                            .attempt = task->attempt,
                                            .kind = task->kind,
                                            .begin = task->slice.begin,
                                            .middle = task->slice.end,
                                            .busy_ns = NS_PER_MS,
                                            .done = true};
    segment_encode(segment, &bytes);
    segment_clear(segment);
    result.payload = chunk_take(&bytes);
    return result;
}

#endif
