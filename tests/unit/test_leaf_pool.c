/* The leaf behind a real pool: this program starts itself as its pool processes. */
#include "leaf.h"
#include "unit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/link_pool.h"
#include "source/reader.h"
#include "source/segment.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOB = 5, ELEMENTS = 100000, WAIT_MS = 20000 };

/* A pool of one process, and a job over a file of the integers 0, 1, 2, … */
struct bench {
    struct link *pool;
    link_peer leaf;
    struct job_spec spec;
    char path[64];
};

static enum link_event_type wait_event(struct link *pool, struct link_event *event)
{
    int64_t end_ns = clock_now_ns() + WAIT_MS * NS_PER_MS;

    while (clock_now_ns() < end_ns) {
        struct pollfd poll_fd = {.fd = pool->ops->fd(pool), .events = POLLIN};
        enum link_event_type type = pool->ops->receive(pool, event);

        if (type != LINK_NOTHING)
            return type;
        pool->ops->flush(pool);
        poll(&poll_fd, 1, 50);
    }
    return LINK_NOTHING;
}

static void describe_file(struct bench *bench)
{
    struct source *source = bench->spec.sources;
    struct stat status;

    CU_ASSERT_EQUAL_FATAL(stat(bench->path, &status), 0);
    source_init(source);
    source->format = SOURCE_ARRAY;
    source->access = SOURCE_FILE;
    source->path = memory_text(bench->path);
    source->name = memory_text("numbers");
    source->lane = LANE_I64;
    source->rows = 100;
    source->columns = ELEMENTS / 100;
    source->units = ELEMENTS;
    source->file_bytes = (uint64_t)status.st_size;
    source->file_mtime_ns = reader_mtime_ns(&status);
}

static void bench_init(struct bench *bench)
{
    struct pool_options options = {.program = "/proc/self/exe", .processes = 1};
    struct link_event event;
    int64_t *numbers = memory_array(ELEMENTS, sizeof *numbers);
    int fd;

    *bench = (struct bench){.path = "/tmp/sheaf-leaf-XXXXXX"};
    for (int64_t i = 0; i < ELEMENTS; i++)
        numbers[i] = i;
    fd = mkstemp(bench->path);
    CU_ASSERT_EQUAL_FATAL(write(fd, numbers, 8 * ELEMENTS), 8 * ELEMENTS);
    close(fd);
    memory_free(numbers);
    bench->spec = (struct job_spec){.op = OP_SUM,
                                    .cut = {.kind = CUT_SUBLISTS},
                                    .value_bytes_max = VALUE_BYTES_DEFAULT,
                                    .source_count = 1};
    bench->spec.sources = memory_array(1, sizeof *bench->spec.sources);
    describe_file(bench);
    CU_ASSERT_EQUAL_FATAL(link_pool_open(&bench->pool, &options, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(wait_event(bench->pool, &event), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.message.type, MESSAGE_HELLO);
    bench->leaf = event.peer;
}

static void bench_clear(struct bench *bench)
{
    bench->pool->ops->close(&bench->pool, 0);
    job_spec_clear(&bench->spec);
    unlink(bench->path);
}

static void send_message(struct bench *bench, struct message *message)
{
    bench->pool->ops->send(bench->pool, bench->leaf, message, 1);
}

static void send_job(struct bench *bench)
{
    struct message message = {.type = MESSAGE_JOB};

    message.job.job = JOB;
    message.job.spec = memory_new(sizeof *message.job.spec);
    job_spec_copy(message.job.spec, &bench->spec);
    send_message(bench, &message);
}

static struct message task_of(uint64_t task, uint64_t begin, uint64_t end)
{
    struct message message = {.type = MESSAGE_TASK};

    message.task.job = JOB;
    message.task.task = task;
    message.task.kind = TASK_FOLD;
    message.task.room_bytes = RESULT_BYTES_MAX;
    message.task.slice.begin = (struct place){0, begin};
    message.task.slice.end = end == ELEMENTS ? (struct place){1, 0} : (struct place){0, end};
    return message;
}

static void send_task(struct bench *bench, uint64_t task, uint64_t begin, uint64_t end)
{
    struct message message = task_of(task, begin, end);

    send_message(bench, &message);
}

static struct message next_answer(struct bench *bench, enum message_type type)
{
    struct link_event event = {0};

    CU_ASSERT_EQUAL_FATAL(wait_event(bench->pool, &event), LINK_MESSAGE);
    CU_ASSERT_EQUAL_FATAL(event.message.type, type);
    return event.message;
}

static struct segment segment_of(const struct message *answer)
{
    struct segment segment;

    CU_ASSERT_FATAL(
        segment_decode(&segment, op_of(OP_SUM), answer->payload.data, answer->payload.length));
    return segment;
}

/* Row r holds 1000 r … 1000 r + 999. */
static void check_row_sums(const struct segment *segment)
{
    struct reader in = reader_of(segment->closed.packed.data, segment->closed.packed.length);
    struct values_run run;
    int64_t row = 0;

    CU_ASSERT_EQUAL(segment->fault.kind, FAULT_NONE);
    while (values_next_run(&in, &run)) {
        struct reader values = reader_of(run.payload, run.payload_bytes);

        CU_ASSERT_EQUAL_FATAL(run.kind, VALUES_INT);
        for (uint64_t i = 0; i < run.count; i++, row++)
            CU_ASSERT_EQUAL((int64_t)reader_u64(&values), row * 1000 * 1000 + 499500);
    }
    CU_ASSERT_EQUAL(row, 100);
}

static void tasks_are_answered_in_order_and_glue_to_the_whole(void)
{
    struct bench bench;
    struct segment all;
    uint64_t task = 1;

    bench_init(&bench);
    send_job(&bench);
    for (uint64_t begin = 0; begin < ELEMENTS; begin += 777, task++)
        send_task(&bench, task, begin, begin + 777 < ELEMENTS ? begin + 777 : ELEMENTS);
    for (uint64_t i = 1; i < task; i++) {
        struct message answer = next_answer(&bench, MESSAGE_RESULT);
        struct segment segment = segment_of(&answer);

        CU_ASSERT_EQUAL(answer.result.task, i);
        CU_ASSERT(answer.result.done);
        CU_ASSERT_EQUAL(answer.result.units, i < task - 1 ? 777 : ELEMENTS % 777);
        if (i > 1)
            segment_glue(&all, &segment, &bench.spec);
        else
            all = segment;
        message_clear(&answer);
    }
    check_row_sums(&all);
    segment_clear(&all);
    bench_clear(&bench);
}

static void slices_by_value_and_pairs_are_folded_too(void)
{
    struct message task, left, right, glued;
    struct bytes pair = {0};
    struct segment segment;
    struct bench bench;

    bench_init(&bench);
    send_job(&bench);
    send_task(&bench, 1, 0, 50001);
    task = task_of(2, 50001, ELEMENTS);
    task.task.by_value = true;
    for (uint64_t i = 50001; i < ELEMENTS; i++)
        bytes_append_u64(&pair, i);
    task.payload = chunk_take(&pair);
    send_message(&bench, &task);
    left = next_answer(&bench, MESSAGE_RESULT);
    right = next_answer(&bench, MESSAGE_RESULT);
    task = task_of(3, 0, ELEMENTS);
    task.task.kind = TASK_GLUE;
    bytes_append_u64(&pair, left.payload.length);
    bytes_append(&pair, left.payload.data, left.payload.length);
    bytes_append(&pair, right.payload.data, right.payload.length);
    task.payload = chunk_take(&pair);
    send_message(&bench, &task);
    glued = next_answer(&bench, MESSAGE_RESULT);
    segment = segment_of(&glued);
    check_row_sums(&segment);
    segment_clear(&segment);
    message_clear(&left);
    message_clear(&right);
    message_clear(&glued);
    bench_clear(&bench);
}

static void a_file_that_is_not_here_is_declined(void)
{
    struct message declined;
    struct bench bench;

    bench_init(&bench);
    bench.spec.sources[0].file_mtime_ns++;
    send_job(&bench);
    send_task(&bench, 9, 0, 10);
    declined = next_answer(&bench, MESSAGE_DECLINED);
    CU_ASSERT_EQUAL(declined.declined.job, JOB);
    CU_ASSERT_EQUAL(declined.declined.task, 9);
    CU_ASSERT_EQUAL(declined.declined.reason, DECLINE_ABSENT);
    CU_ASSERT_EQUAL(declined.declined.source, 0);
    bench_clear(&bench);
}

static void a_file_that_changes_is_a_fault(void)
{
    struct message answer;
    struct segment segment;
    struct bench bench;

    bench_init(&bench);
    send_job(&bench);
    send_task(&bench, 1, 0, 10);
    answer = next_answer(&bench, MESSAGE_RESULT);
    message_clear(&answer);
    CU_ASSERT_EQUAL(truncate(bench.path, 8 * ELEMENTS - 8), 0);
    send_task(&bench, 2, 10, 20);
    answer = next_answer(&bench, MESSAGE_RESULT);
    segment = segment_of(&answer);
    CU_ASSERT_EQUAL(segment.fault.kind, FAULT_CHANGED);
    CU_ASSERT_EQUAL(segment.fault.source, 0);
    segment_clear(&segment);
    message_clear(&answer);
    bench_clear(&bench);
}

static void a_task_of_no_job_ends_the_process_not_the_pool(void)
{
    struct link_event event = {0};
    struct message answer;
    struct bench bench;

    bench_init(&bench);
    send_task(&bench, 1, 0, 10);
    CU_ASSERT_EQUAL_FATAL(wait_event(bench.pool, &event), LINK_GONE);
    CU_ASSERT_EQUAL(event.peer, bench.leaf);
    CU_ASSERT_EQUAL_FATAL(wait_event(bench.pool, &event), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.message.type, MESSAGE_HELLO);
    bench.leaf = event.peer;
    send_job(&bench);
    send_task(&bench, 2, 0, 10);
    answer = next_answer(&bench, MESSAGE_RESULT);
    CU_ASSERT_EQUAL(answer.result.task, 2);
    message_clear(&answer);
    bench_clear(&bench);
}

static void what_is_forgotten_is_not_answered(void)
{
    struct message message = {.type = MESSAGE_FORGET};
    struct message answer;
    struct bench bench;
    uint64_t task;

    bench_init(&bench);
    send_job(&bench);
    for (task = 1; task <= 3; task++)
        send_task(&bench, task, 0, ELEMENTS);
    message.forget.job = JOB;
    send_message(&bench, &message);
    send_job(&bench); /* the same number anew */
    send_task(&bench, 4, 0, 10);
    do {
        answer = next_answer(&bench, MESSAGE_RESULT);
        task = answer.result.task;
        message_clear(&answer);
    } while (task < 4);
    CU_ASSERT_EQUAL(task, 4);
    bench_clear(&bench);
}

static const struct unit_case CASES[] = {
    {"tasks are answered in order, and glue to the whole",
     tasks_are_answered_in_order_and_glue_to_the_whole},
    {"slices by value, and pairs, are folded too", slices_by_value_and_pairs_are_folded_too},
    {"a file that is not here is declined", a_file_that_is_not_here_is_declined},
    {"a file that changes is a fault", a_file_that_changes_is_a_fault},
    {"a task of no job ends the process, not the pool",
     a_task_of_no_job_ends_the_process_not_the_pool},
    {"what is forgotten is not answered", what_is_forgotten_is_not_answered},
};

static int run_leaf(const char *fd)
{
    struct error error = {0};

    if (leaf_run((int)strtol(fd, NULL, 10), &error) == OK)
        return 0;
    fprintf(stderr, "%s\n", error.text);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--leaf") == 0)
        return run_leaf(argv[2]);
    return unit_run("leaf_pool", CASES, sizeof CASES / sizeof *CASES);
}
