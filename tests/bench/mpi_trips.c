/*
 * Sheaf's link over MPI alone: rank 0 sends tasks, rank 1 answers each with a small result. No node
 * and no pool: what is timed is what the link adds to bare MPI.
 *
 *   mpirun -n 2 bench-mpi trip ROUNDS [REST_US [spin]]   the median of one task there and back,
 *                                                        after so long a rest; spin: without pauses
 *   mpirun -n 2 bench-mpi bytes MIB                      so many mebibytes by value, one a task
 *
 * Rank 0 prints the seconds on standard error.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/link_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNDER_WAY = 4, BLOCKS = 2 * UNDER_WAY };

struct end {
    struct link *link;
    link_peer peer;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench-mpi: %s\n", what);
    exit(1);
}

/* Once round a loop such as the programs': false when nothing came. */
static bool turn(struct end *end, struct message *message)
{
    struct link_event event = {0};
    enum link_event_type type = end->link->ops->receive(end->link, &event);
    int64_t left_ns;

    if (type == LINK_CONNECTED)
        end->peer = event.peer;
    if (type == LINK_MESSAGE)
        *message = event.message;
    if (type != LINK_NOTHING)
        return type == LINK_MESSAGE;
    end->link->ops->flush(end->link);
    left_ns = end->link->ops->deadline(end->link) - clock_now_ns();
    if (left_ns > 0)
        nanosleep(&(struct timespec){.tv_nsec = left_ns}, NULL);
    return false;
}

static void send_one(struct end *end, struct message *message)
{
    end->link->ops->send(end->link, end->peer, message, 1);
    end->link->ops->flush(end->link);
}

static void answer_all(struct end *end)
{
    struct message message = {0};

    while (!end->link->ops->over(end->link)) {
        struct message result = {.type = MESSAGE_RESULT};

        if (!turn(end, &message))
            continue;
        result.result.task = message.task.task;
        result.result.kind = TASK_FOLD;
        result.result.done = true;
        message_clear(&message);
        send_one(end, &result);
    }
}

static void give(struct end *end, uint64_t number, const struct chunk *payload)
{
    struct message task = {.type = MESSAGE_TASK};

    task.task = (struct message_task){
        .job = 1, .task = number + 1, .attempt = 1, .kind = TASK_FOLD, .by_value = payload != NULL};
    if (payload)
        task.payload = chunk_share(payload);
    send_one(end, &task);
}

static void take(struct end *end)
{
    struct message message = {0};

    while (!turn(end, &message))
        continue;
    message_clear(&message);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static void rest(struct end *end, int64_t ns)
{
    int64_t until_ns = clock_now_ns() + ns;
    struct message message = {0};

    while (clock_now_ns() < until_ns)
        if (turn(end, &message))
            fail("something came");
}

static int64_t trips(struct end *end, uint64_t rounds, int64_t rest_ns)
{
    int64_t *taken_ns = memory_array(rounds, sizeof *taken_ns), median_ns;

    for (uint64_t i = 0; i < rounds; i++) {
        rest(end, rest_ns);
        taken_ns[i] = clock_now_ns();
        give(end, i, NULL);
        take(end);
        taken_ns[i] = clock_now_ns() - taken_ns[i];
    }
    qsort(taken_ns, rounds, sizeof *taken_ns, compare_ns);
    median_ns = taken_ns[rounds / 2];
    memory_free(taken_ns);
    return median_ns;
}

static int64_t bytes(struct end *end, uint64_t blocks)
{
    struct chunk data[BLOCKS];
    struct bytes block = {0};
    int64_t start_ns;

    for (int i = 0; i < BLOCKS; i++) {
        memset(bytes_extend(&block, MIB), 1, MIB);
        data[i] = chunk_take(&block);
    }
    start_ns = clock_now_ns();
    for (uint64_t i = 0; i < blocks + UNDER_WAY; i++) {
        if (i >= UNDER_WAY)
            take(end);
        if (i < blocks)
            give(end, i, &data[i % BLOCKS]);
    }
    start_ns = clock_now_ns() - start_ns;
    for (int i = 0; i < BLOCKS; i++)
        chunk_drop(&data[i]);
    return start_ns;
}

int main(int argc, char **argv)
{
    struct ranks_options options = {.program = "bench-mpi",
                                    .version = "1",
                                    .launch = launch_read(),
                                    .limit_ns = 60 * NS_PER_S,
                                    .never_pauses = argc == 5};
    uint64_t count = argc >= 3 ? strtoull(argv[2], NULL, 10) : 0;
    struct end end = {.peer = 2};
    struct ranks *ranks;
    struct error error;
    int64_t ns;

    if (!count || options.launch.count != 2)
        fail("usage: mpirun -n 2 bench-mpi trip ROUNDS [REST_US [spin]] | bytes MIB");
    if (link_mpi_begin(&ranks, &options, &error) != OK ||
        link_mpi_open(&end.link, ranks, &error) != OK)
        fail(error.text);
    if (options.launch.rank) {
        answer_all(&end);
    } else {
        ns = strcmp(argv[1], "bytes") != 0
                 ? trips(&end, count, argc > 3 ? strtoll(argv[3], NULL, 10) * 1000 : 0)
                 : bytes(&end, count);
        fprintf(stderr, "%.9f\n", (double)ns / (double)NS_PER_S);
    }
    end.link->ops->close(&end.link, 0);
    link_mpi_end(&ranks, 0);
    return 0;
}
