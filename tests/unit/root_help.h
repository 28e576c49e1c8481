/*
 * For tests of a root node: a job over bytes in memory, two pool processes that fold at once
 * whatever they are given, in any order, and what the shell was handed.
 */
#ifndef SHEAF_TESTS_ROOT_HELP_H
#define SHEAF_TESTS_ROOT_HELP_H

#include "leaf_work.h"

#include "base/limits.h"
#include "base/memory.h"
#include "core/node.h"

#include <CUnit/CUnit.h>

#include <string.h>

enum { ROOT_CHILDREN = 2, ROOT_TASKS_MAX = 256, ROOT_SLACK_BYTES = 64, ROOT_TICKS_MAX = 200 };

struct root {
    struct node *node;
    const struct job_spec *spec; /* borrowed, as is the data: of the first source */
    const uint8_t *data;
    struct job_spec told; /* as the children know it */
    struct actions actions;
    struct message tasks[ROOT_TASKS_MAX];
    struct event inputs[ROOT_TASKS_MAX];
    size_t task_count, input_count;
    struct bytes values;
    uint64_t value_count;
    bool has_ended;
    struct fault fault;
    int64_t now_ns;
    uint64_t random;
    int ticks; /* one after the other without anything else to do */
};

static inline uint64_t root_random(struct root *root, uint64_t below)
{
    root->random = root->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (root->random >> 33) % below;
}

static inline size_t root_width(const struct root *root)
{
    return source_unit_bytes(&root->spec->sources[0]);
}

static inline void root_read(struct root *root, const struct action *action)
{
    const struct source *source = &root->spec->sources[action->read.source];
    uint64_t end = action->read.unit + action->read.units;
    struct event *event = &root->inputs[root->input_count++];

    *event = (struct event){.type = EVENT_INPUT};
    event->input.source = action->read.source;
    event->input.unit = action->read.unit;
    event->input.bytes = chunk_wrap(root->data + action->read.unit * root_width(root),
                                    action->read.units * root_width(root), NULL, NULL);
    event->input.end = end >= source->units;
}

static inline void root_learn(struct root *root, struct message *message)
{
    if (message->type == MESSAGE_JOB) {
        job_spec_clear(&root->told);
        job_spec_copy(&root->told, message->job.spec);
    } else if (message->type == MESSAGE_TASK) {
        CU_ASSERT_FATAL(root->task_count < ROOT_TASKS_MAX);
        root->tasks[root->task_count++] = *message;
        *message = (struct message){0};
    }
}

/* A task is answered to whom it was given: its number tells, as both children have the same. */
static inline void root_perform(struct root *root)
{
    for (size_t i = 0; i < root->actions.count; i++) {
        struct action *action = &root->actions.items[i];

        if (action->type == ACTION_SEND) {
            size_t before = root->task_count;

            root_learn(root, &action->message);
            if (root->task_count > before) /* remembered where nothing else needs it */
                root->tasks[before].task.lost_daemons = (uint32_t)action->peer;
        } else if (action->type == ACTION_READ) {
            root_read(root, action);
        } else if (action->type == ACTION_VALUES) {
            bytes_append(&root->values, action->values.packed.data, action->values.packed.length);
            root->value_count += action->values.count;
        } else if (action->type == ACTION_END) {
            root->has_ended = true;
            root->fault = action->fault;
        }
    }
    actions_clear(&root->actions);
}

static inline void root_event(struct root *root, struct event *event)
{
    const char *broken;

    event->now_ns = root->now_ns;
    node_step(root->node, event, &root->actions);
    broken = node_check(root->node);
    if (broken)
        fprintf(stderr, "%s does not hold\n", broken);
    CU_ASSERT_PTR_NULL(broken);
    root_perform(root);
}

static inline void root_child(struct root *root, uint32_t number)
{
    struct message hello = {.type = MESSAGE_HELLO};
    struct event event = {.type = EVENT_MESSAGE, .peer = number, .message = &hello};

    hello.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                         .role = ROLE_PROCESS,
                                         .slots = 1,
                                         .credit_tasks = 4,
                                         .session = number};
    root_event(root, &event);
}

/* snapshot: NULL, or emptied. by_value: --data value. */
static inline void root_start(struct root *root, const struct job_spec *spec, const void *data,
                              struct snapshot *snapshot, bool by_value)
{
    struct node_options options = {.memory_bytes = MEMORY_BYTES_DEFAULT,
                                   .task_ns = TASK_NS_DEFAULT,
                                   .silence_ns = SILENCE_NS,
                                   .client_silence_ns = CLIENT_SILENCE_NS,
                                   .data_by_value = by_value};
    struct job_spec copy;
    struct event submit = {.type = EVENT_SUBMIT, .spec = &copy, .snapshot = snapshot};

    *root = (struct root){.spec = spec, .data = data, .now_ns = NS_PER_S};
    node_new(&root->node, &options);
    for (uint32_t i = 1; i <= ROOT_CHILDREN; i++)
        root_child(root, i);
    job_spec_copy(&copy, spec);
    root_event(root, &submit);
}

static inline void root_clear(struct root *root)
{
    for (size_t i = 0; i < root->task_count; i++)
        message_clear(&root->tasks[i]);
    for (size_t i = 0; i < root->input_count; i++)
        chunk_drop(&root->inputs[i].input.bytes);
    node_free(&root->node);
    actions_free(&root->actions);
    job_spec_clear(&root->told);
    bytes_clear(&root->values);
    *root = (struct root){0};
}

static inline void root_fold(struct root *root, const struct message *task, struct message *answer)
{
    struct leaf_work work;
    struct span span;
    struct bytes padded = {0};

    leaf_work_begin(&work, &root->told, &task->task);
    if (task->task.by_value) {
        struct chunk payload;

        bytes_extend(&padded, ROOT_SLACK_BYTES);
        bytes_append(&padded, task->payload.data, task->payload.length);
        bytes_extend(&padded, ROOT_SLACK_BYTES);
        payload = chunk_wrap(padded.data + ROOT_SLACK_BYTES, task->payload.length, NULL, NULL);
        leaf_work_feed_payload(&work, &payload);
        chunk_drop(&payload);
    }
    while (!task->task.by_value && leaf_work_next(&work, &span))
        leaf_work_feed(&work, root->data + span.unit * root_width(root),
                       span.units * root_width(root));
    leaf_work_end(&work, answer);
    bytes_clear(&padded);
}

static inline void root_answer(struct root *root, size_t index)
{
    struct message task = root->tasks[index];
    struct message answer = {0};
    struct event event = {
        .type = EVENT_MESSAGE, .peer = task.task.lost_daemons, .message = &answer};

    root->tasks[index] = root->tasks[--root->task_count];
    if (task.task.kind == TASK_GLUE)
        CU_ASSERT_TRUE(leaf_work_glue(&root->told, &task.task, &task.payload, &answer))
    else
        root_fold(root, &task, &answer);
    answer.result.busy_ns = NS_PER_MS;
    message_clear(&task);
    root_event(root, &event);
    message_clear(&answer);
}

static inline void root_input(struct root *root)
{
    struct event event = root->inputs[0];

    root->input_count--;
    memmove(root->inputs, root->inputs + 1, root->input_count * sizeof *root->inputs);
    root_event(root, &event);
    chunk_drop(&event.input.bytes);
}

/* The next thing that happens. */
static inline void root_step(struct root *root)
{
    struct event tick = {.type = EVENT_TICK};

    root->now_ns += NS_PER_MS;
    root->ticks++;
    if (root->input_count && (!root->task_count || root_random(root, 2))) {
        root->ticks = 0;
        root_input(root);
    } else if (root->task_count) {
        root->ticks = 0;
        root_answer(root, root_random(root, root->task_count));
    } else {
        root->now_ns += 60 * NS_PER_MS;
        root_event(root, &tick);
    }
    CU_ASSERT_FATAL(root->ticks < ROOT_TICKS_MAX);
}

#endif
