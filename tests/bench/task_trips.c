/*
 * One task and its result, back and forth: through a pool process of this machine, or as a client
 * of a coordinator through its worker and a pool process there. The same links and messages that
 * the programs use; the task folds one element of a range, so that what is timed is the way.
 *
 *   bench-trips pool WORKER-PROGRAM ROUNDS
 *   bench-trips farm URL ROUNDS
 *
 * Prints the median round trip in seconds on standard error.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/link_pool.h"
#include "link/link_zmq.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000, JOB = 1 };

struct giver {
    struct link *link;
    link_peer peer;
    uint64_t units;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench-trips: %s\n", what);
    exit(1);
}

static void send_one(struct giver *giver, struct message *message)
{
    giver->link->ops->send(giver->link, giver->peer, message, 1);
    giver->link->ops->flush(giver->link);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleep until the link has something, or wants to be flushed. */
static void sleep_on(struct link *link, int64_t until_ns)
{
    struct pollfd poller = {.fd = link->ops->fd(link), .events = POLLIN};
    int64_t wake_ns = earlier(link->ops->deadline(link), until_ns) - clock_now_ns();
    int wait_ms = wake_ns > 0 ? (int)((wake_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;

    poll(&poller, 1, wait_ms);
    link->ops->flush(link);
}

static enum link_event_type next_event(struct giver *giver, struct link_event *event)
{
    int64_t until_ns = clock_now_ns() + ANSWER_MS * NS_PER_MS;
    enum link_event_type type;

    while ((type = giver->link->ops->receive(giver->link, event)) == LINK_NOTHING) {
        if (clock_now_ns() > until_ns)
            fail("no answer within 10 s");
        sleep_on(giver->link, until_ns);
    }
    if (type == LINK_GONE)
        fail("the peer is gone");
    return type;
}

/* Wait for a message of one type; heartbeats and the like in between are let go. */
static void await(struct giver *giver, enum message_type wanted, struct message *message)
{
    struct link_event event;

    for (;;) {
        if (next_event(giver, &event) == LINK_MESSAGE && event.message.type == wanted)
            break;
        message_clear(&event.message);
    }
    giver->peer = event.peer;
    *message = event.message;
}

static void await_connection(struct giver *giver)
{
    struct link_event event = {0};

    while (next_event(giver, &event) != LINK_CONNECTED)
        message_clear(&event.message);
    giver->peer = event.peer;
}

static void describe_job(struct giver *giver, struct message *message)
{
    struct job_spec *spec = memory_new(sizeof *spec);
    struct source *source = memory_new(sizeof *source);

    *message = (struct message){.type = MESSAGE_JOB};
    message->job.job = JOB;
    message->job.spec = spec;
    spec->op = OP_SUM;
    spec->cut.kind = CUT_TOTAL;
    spec->value_bytes_max = VALUE_BYTES_DEFAULT;
    spec->sources = source;
    spec->source_count = 1;
    source_init(source);
    source->format = SOURCE_RANGE;
    source->access = SOURCE_NOTHING;
    source->name = memory_text("a range");
    source->units = giver->units;
    mpz_set_ui(source->begin, 1);
    mpz_set_ui(source->step, 1);
}

static void start_pool(struct giver *giver, const char *program)
{
    struct pool_options options = {.program = program, .processes = 1};
    struct error error;
    struct message hello;

    if (link_pool_open(&giver->link, &options, &error) != OK)
        fail(error.text);
    await(giver, MESSAGE_HELLO, &hello);
    message_clear(&hello);
}

static void start_client(struct giver *giver, const char *url)
{
    struct message message;
    struct error error;

    if (link_zmq_connect(&giver->link, url, &error) != OK)
        fail(error.text);
    await_connection(giver);
    message = (struct message){.type = MESSAGE_HELLO};
    message.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                           .role = ROLE_CLIENT,
                                           .host = "bench-trips",
                                           .session = (uint64_t)clock_now_ns()};
    send_one(giver, &message);
    await(giver, MESSAGE_WELCOME, &message);
    message_clear(&message);
}

static void trip(struct giver *giver, uint64_t number)
{
    struct message message = {.type = MESSAGE_TASK};

    message.task = (struct message_task){.job = JOB,
                                         .task = number + 1,
                                         .attempt = 1,
                                         .kind = TASK_FOLD,
                                         .slice = {.begin = {0, number}, .end = {0, number + 1}},
                                         .room_bytes = RESULT_BYTES_MAX};
    send_one(giver, &message);
    await(giver, MESSAGE_RESULT, &message);
    if (!message.result.done || message.result.task != number + 1)
        fail("the result is of another task");
    message_clear(&message);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static double median_trip(struct giver *giver)
{
    uint64_t warm = giver->units / 10, rounds = giver->units - warm;
    int64_t *taken_ns = memory_array(rounds, sizeof *taken_ns);
    double median;

    for (uint64_t i = 0; i < warm; i++)
        trip(giver, i);
    for (uint64_t i = 0; i < rounds; i++) {
        int64_t start_ns = clock_now_ns();

        trip(giver, warm + i);
        taken_ns[i] = clock_now_ns() - start_ns;
    }
    qsort(taken_ns, rounds, sizeof *taken_ns, compare_ns);
    median = (double)taken_ns[rounds / 2] / (double)NS_PER_S;
    memory_free(taken_ns);
    return median;
}

int main(int argc, char **argv)
{
    struct giver giver = {0};
    struct message message;

    if (argc != 4 || (giver.units = strtoull(argv[3], NULL, 10)) == 0)
        fail("usage: bench-trips pool WORKER-PROGRAM ROUNDS | bench-trips farm URL ROUNDS");
    if (strcmp(argv[1], "pool") == 0)
        start_pool(&giver, argv[2]);
    else
        start_client(&giver, argv[2]);
    describe_job(&giver, &message);
    send_one(&giver, &message);
    fprintf(stderr, "%.9f\n", median_trip(&giver));
    giver.link->ops->close(&giver.link, 0);
    return 0;
}
