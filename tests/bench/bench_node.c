/*
 * The scheduler alone: one node, children that answer at once, one-element pieces. Prints tasks per
 * second for each number of children given as an argument.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "core/node.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct node *node;
    struct actions actions;
    struct chunk answer; /* every piece's segment: one element */
    struct message *inbox;
    peer_id *from;
    size_t waiting, capacity;
    uint64_t tasks;
    bool ended;
};

static void step(struct bench *bench, struct event *event);

static void answer_task(struct bench *bench, const struct action *action)
{
    const struct message_task *task = &action->message.task;
    struct message *result;

    if (bench->waiting == bench->capacity) {
        bench->capacity = bench->capacity ? 2 * bench->capacity : 1024;
        bench->inbox = memory_grow(bench->inbox, bench->capacity, sizeof *bench->inbox);
        bench->from = memory_grow(bench->from, bench->capacity, sizeof *bench->from);
    }
    bench->from[bench->waiting] = action->peer;
    result = &bench->inbox[bench->waiting++];
    *result = (struct message){.type = MESSAGE_RESULT};
    result->result = (struct message_result){.job = task->job,
                                             .task = task->task,
                                             .attempt = task->attempt,
                                             .kind = task->kind,
                                             .begin = task->slice.begin,
                                             .middle = task->slice.end,
                                             .busy_ns = 1000,
                                             .units = 1,
                                             .done = true};
    result->payload = chunk_share(&bench->answer);
    bench->tasks++;
}

static void step(struct bench *bench, struct event *event)
{
    event->now_ns = (int64_t)bench->tasks * 100;
    node_step(bench->node, event, &bench->actions);
    for (size_t i = 0; i < bench->actions.count; i++) {
        const struct action *action = &bench->actions.items[i];

        if (action->type == ACTION_SEND && action->message.type == MESSAGE_TASK)
            answer_task(bench, action);
        if (action->type == ACTION_END)
            bench->ended = true;
    }
    actions_clear(&bench->actions);
}

static void join(struct bench *bench, uint64_t children)
{
    for (uint64_t i = 1; i <= children; i++) {
        struct message hello = {.type = MESSAGE_HELLO};
        struct event event = {.type = EVENT_MESSAGE, .peer = i, .message = &hello};

        hello.hello = (struct message_hello){
            .version = PROTOCOL_VERSION, .role = ROLE_PROCESS, .slots = 1, .credit_tasks = 4};
        step(bench, &event);
    }
}

static struct job_spec *spec_of(uint64_t elements)
{
    struct job_spec *spec = memory_new(sizeof *spec);

    *spec = (struct job_spec){.op = OP_SUM,
                              .cut = {.kind = CUT_TOTAL},
                              .piece_units = 1,
                              .value_bytes_max = VALUE_BYTES_DEFAULT,
                              .source_count = 1};
    spec->sources = memory_new(sizeof *spec->sources);
    source_init(spec->sources);
    spec->sources->format = SOURCE_RANGE;
    spec->sources->access = SOURCE_NOTHING;
    spec->sources->name = memory_text("range");
    spec->sources->units = elements;
    mpz_set_ui(spec->sources->begin, 1);
    mpz_set_ui(spec->sources->step, 1);
    return spec;
}

static struct chunk one_element(void)
{
    const struct op *op = op_of(OP_SUM);
    struct segment segment;
    struct bytes bytes = {0};

    segment_init(&segment, SEGMENT_FOLD, op);
    op->add_int(&segment.tail, 1, VALUE_BYTES_DEFAULT);
    segment.elements = 1;
    segment_encode(&segment, &bytes);
    segment_clear(&segment);
    return chunk_take(&bytes);
}

/* In rounds, as messages really arrive: everything that was sent is answered, then the next. */
static void run(struct bench *bench, uint64_t elements)
{
    struct job_spec *spec = spec_of(elements);
    struct event submit = {.type = EVENT_SUBMIT, .spec = spec};

    step(bench, &submit);
    memory_free(spec);
    while (!bench->ended && bench->waiting) {
        size_t count = bench->waiting;
        struct message *messages = bench->inbox;
        peer_id *from = bench->from;

        bench->inbox = NULL;
        bench->from = NULL;
        bench->waiting = bench->capacity = 0;
        for (size_t i = 0; i < count; i++) {
            struct event event = {.type = EVENT_MESSAGE, .peer = from[i], .message = &messages[i]};

            step(bench, &event);
            message_clear(&messages[i]);
        }
        memory_free(messages);
        memory_free(from);
    }
}

static void measure(uint64_t children, uint64_t elements)
{
    struct bench bench = {.answer = one_element()};
    struct node_options options = {.memory_bytes = UINT64_C(1) << 40,
                                   .task_ns = TASK_NS_DEFAULT,
                                   .silence_ns = SILENCE_NS,
                                   .client_silence_ns = CLIENT_SILENCE_NS,
                                   .role = ROLE_WORKER};
    int64_t begin_ns;
    int64_t end_ns;

    node_new(&bench.node, &options);
    join(&bench, children);
    begin_ns = clock_now_ns();
    run(&bench, elements);
    end_ns = clock_now_ns();
    printf("%llu %.0f\n", (unsigned long long)children,
           (double)bench.tasks * 1e9 / (double)(end_ns - begin_ns));
    if (!bench.ended)
        printf("did not end\n");
    node_free(&bench.node);
    actions_free(&bench.actions);
    chunk_drop(&bench.answer);
    memory_free(bench.inbox);
    memory_free(bench.from);
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        measure(strtoull(arguments[i], NULL, 10), 1000000);
    return 0;
}
