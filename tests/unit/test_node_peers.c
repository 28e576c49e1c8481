/* A coordinator among peers that lie: they are dropped, their work runs elsewhere, nothing else. */
#include "node_drive.h"

enum { CLIENT = 1, LIAR, HONEST, MORE_PEERS };
enum { UNITS = 300000 };

static void init(struct segment *segment, enum segment_kind kind)
{
    segment_init(segment, kind, op_of(OP_SUM));
    segment->bounded = kind == SEGMENT_FOLD;
}

static void close_values(struct segment *segment, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        values_append_int(&segment->closed, (int64_t)(i * i));
}

/* --- results that cannot be ------------------------------------------------------------------- */

static void beyond_the_task(struct message *result)
{
    result->result.middle.unit++;
}

static void in_no_source(struct message *result)
{
    result->result.middle = (struct place){UINT32_MAX, UINT64_MAX};
}

static void behind_the_source(struct message *result)
{
    result->result.middle = (struct place){0, UINT64_MAX};
}

static void before_its_begin(struct message *result)
{
    result->result.begin.unit = result->result.middle.unit;
    result->result.middle.unit = 0;
}

static void of_another_kind(struct message *result)
{
    result->result.kind = TASK_COUNT;
}

static void of_nothing(struct message *result)
{
    result->result.middle = result->result.begin;
}

static void without_a_segment(struct message *result)
{
    chunk_drop(&result->payload);
}

static void replace(struct message *result, struct segment *segment)
{
    struct bytes bytes = {0};

    segment_encode(segment, &bytes);
    segment_clear(segment);
    chunk_drop(&result->payload);
    result->payload = chunk_take(&bytes);
}

static void with_a_count(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_COUNT);
    replace(result, &segment);
}

static void with_more_elements_than_bytes(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_FOLD);
    segment.elements = UINT64_MAX;
    replace(result, &segment);
}

static void with_a_fault_nowhere(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_FOLD);
    segment.fault = (struct fault){.kind = FAULT_NOT_A_NUMBER, .source = 7};
    replace(result, &segment);
}

static void with_an_edge_of_json(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_FOLD);
    segment.exit.kind = EDGE_JSON;
    segment.exit.track_count = 1;
    replace(result, &segment);
}

static void with_an_edge_nowhere(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_FOLD);
    segment.exit.kind = EDGE_TEXT;
    segment.exit.source = 9;
    replace(result, &segment);
}

/* Glued to what others counted it would be no encoding: the coordinator would be the liar. */
static void with_a_sum_past_the_limit(struct message *result)
{
    struct segment segment;

    init(&segment, SEGMENT_FOLD);
    segment.tail.open = segment.tail.has_elements = segment.tail.is_too_large = true;
    replace(result, &segment);
}

/* The liar has a task of a job of text, and an honest worker stands by. */
static void begin(struct drive *drive, struct cut cut)
{
    drive_new(drive, 0);
    drive_hello(drive, CLIENT, ROLE_CLIENT, 0);
    drive_hello(drive, LIAR, ROLE_WORKER, 1);
    drive_ask(drive, CLIENT, drive_spec(SOURCE_TEXT, cut, UNITS), MIB);
    CU_ASSERT_PTR_NOT_NULL_FATAL(drive_task(drive, LIAR));
}

static struct message answer(const struct drive *drive)
{
    struct segment segment;

    init(&segment, drive_task(drive, LIAR)->kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD);
    return drive_result(drive_task(drive, LIAR), &segment);
}

/* It is dropped, and what it had goes to the honest one, blamed for nothing. */
static void is_dropped(struct drive *drive, struct message *lie)
{
    struct place at = lie->result.begin;

    drive_message(drive, LIAR, lie);
    CU_ASSERT_TRUE(drive_has_dropped(drive, LIAR));
    drive_hello(drive, HONEST, ROLE_WORKER, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(drive_task(drive, HONEST));
    CU_ASSERT(place_compare(drive_task(drive, HONEST)->slice.begin, at) <= 0);
    CU_ASSERT_EQUAL(drive_task(drive, HONEST)->lost_daemons, 0);
    drive_free(drive);
}

static void a_result_that_cannot_be_costs_its_sender_the_session(void)
{
    static void (*const LIES[])(struct message *) = {beyond_the_task,
                                                     in_no_source,
                                                     behind_the_source,
                                                     of_another_kind,
                                                     of_nothing,
                                                     without_a_segment,
                                                     with_a_count,
                                                     with_more_elements_than_bytes,
                                                     with_a_fault_nowhere,
                                                     with_an_edge_of_json,
                                                     with_an_edge_nowhere,
                                                     before_its_begin,
                                                     with_a_sum_past_the_limit};

    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        struct drive drive;
        struct message lie;

        begin(&drive, (struct cut){.kind = CUT_SUBLISTS});
        lie = answer(&drive);
        LIES[i](&lie);
        is_dropped(&drive, &lie);
    }
}

static void an_honest_result_is_taken(void)
{
    struct drive drive;
    struct message result;

    begin(&drive, (struct cut){.kind = CUT_SUBLISTS});
    result = answer(&drive);
    drive_message(&drive, LIAR, &result);
    CU_ASSERT_FALSE(drive_has_dropped(&drive, LIAR));
    drive_free(&drive);
}

static void values_without_room_are_not_taken(void)
{
    struct drive drive;
    struct segment segment;
    struct message result;
    struct message_task task;

    begin(&drive, (struct cut){.kind = CUT_SUBLISTS});
    task = *drive_task(&drive, LIAR);
    CU_ASSERT_FATAL(task.slice.begin.unit > 0); /* the front would be given room again */
    for (int i = 0; i < 2; i++) {
        init(&segment, SEGMENT_FOLD);
        close_values(&segment, task.room_bytes / 8 + 1);
        result = drive_result(&task, &segment);
        result.result.begin.unit += (uint64_t)i * 10; /* the first may reach its room */
        result.result.middle = result.result.begin;
        result.result.middle.unit += 10;
        result.result.done = false;
        drive_message(&drive, LIAR, &result);
        CU_ASSERT_EQUAL(drive_has_dropped(&drive, LIAR), i == 1);
    }
    drive_free(&drive);
}

/* --- counts that lie -------------------------------------------------------------------------- */

static void a_checkpoint_outside_costs_its_sender_the_session(void)
{
    static const struct checkpoint LIES[] = {
        {.place = {0, UINT64_MAX}},
        {.place = {1, 5}},
        {.place = {UINT32_MAX, 0}},
        {.place = {0, 5}, .element = UNITS}, /* more than the segment has */
    };

    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        struct drive drive;
        struct segment segment;
        struct message lie;

        begin(&drive, (struct cut){.kind = CUT_EVERY, .size = 10});
        CU_ASSERT_EQUAL_FATAL(drive_task(&drive, LIAR)->kind, TASK_COUNT);
        init(&segment, SEGMENT_COUNT);
        segment.elements = 5;
        segment.checkpoints = memory_array(1, sizeof *segment.checkpoints);
        segment.checkpoints[0] = LIES[i];
        segment.checkpoint_count = 1;
        lie = drive_result(drive_task(&drive, LIAR), &segment);
        is_dropped(&drive, &lie);
    }
}

static void a_count_of_more_elements_than_bytes_is_not_taken(void)
{
    struct drive drive;
    struct segment segment;
    struct message lie;

    begin(&drive, (struct cut){.kind = CUT_EVERY, .size = 10});
    init(&segment, SEGMENT_COUNT);
    segment.elements = UINT64_MAX;
    lie = drive_result(drive_task(&drive, LIAR), &segment);
    is_dropped(&drive, &lie);
}

/* --- clients ---------------------------------------------------------------------------------- */

static void a_client_may_not_describe_jobs_without_end(void)
{
    struct drive drive;
    uint64_t described = 0;
    struct node_stats stats;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
    for (; described < 100000 && !drive_has_dropped(&drive, CLIENT); described++) {
        struct message job = {.type = MESSAGE_JOB};

        job.job.job = described;
        job.job.spec = drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, 10);
        drive_message(&drive, CLIENT, &job);
    }
    CU_ASSERT(described < 1000);
    node_get_stats(drive.node, &stats);
    CU_ASSERT_EQUAL(stats.jobs, 0);
    drive_free(&drive);
}

static void a_client_past_its_credit_is_dropped(void)
{
    struct drive drive;
    uint32_t credit = 0;
    uint64_t asked = 1;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
    credit = drive_last(&drive, ACTION_SEND, CLIENT, MESSAGE_WELCOME)->message.welcome.credit_tasks;
    drive_ask(&drive, CLIENT, drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, 10), MIB);
    while (asked < 100000 && !drive_has_dropped(&drive, CLIENT)) {
        struct message task = {.type = MESSAGE_TASK};

        task.task = (struct message_task){
            .job = 1, .task = ++asked, .attempt = 1, .kind = TASK_FOLD, .room_bytes = 100};
        task.task.slice.end = (struct place){1, 0};
        drive_message(&drive, CLIENT, &task);
    }
    CU_ASSERT_EQUAL(asked, credit + 1);
    drive_free(&drive);
}

static void a_task_that_cannot_be_costs_its_giver_the_session(void)
{
    static const struct slice SLICES[] = {
        {.begin = {0, 5}, .end = {0, 5}},
        {.begin = {0, 0}, .end = {0, UNITS + 1}},
        {.begin = {0, 0}, .end = {2, 0}},
        {.begin = {UINT32_MAX, 0}, .end = {UINT32_MAX, 1}},
        {.begin = {0, 0}, .end = {0, 10}, .element = UINT64_MAX}, /* numbers that wrap */
        {.begin = {0, 0}, .end = {0, 10}, .element = UINT64_MAX - 10},
    };

    for (size_t i = 0; i < sizeof SLICES / sizeof *SLICES; i++) {
        struct drive drive;
        struct message job = {.type = MESSAGE_JOB};
        struct message task = {.type = MESSAGE_TASK};

        drive_new(&drive, 0);
        drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
        job.job.job = 1;
        job.job.spec = drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_EVERY, .size = 1}, UNITS);
        drive_message(&drive, CLIENT, &job);
        task.task = (struct message_task){
            .job = 1, .task = 1, .attempt = 1, .kind = TASK_FOLD, .slice = SLICES[i]};
        drive_message(&drive, CLIENT, &task);
        CU_ASSERT_TRUE(drive_has_dropped(&drive, CLIENT));
        drive_free(&drive);
    }
}

/* --- observers -------------------------------------------------------------------------------- */

static size_t statuses(const struct drive *drive, peer_id peer)
{
    size_t count = 0;

    for (size_t i = 0; i < drive->done.count; i++)
        count += drive->done.items[i].type == ACTION_SEND && drive->done.items[i].peer == peer &&
                 drive->done.items[i].message.type == MESSAGE_STATUS;
    return count;
}

static void the_status_is_told_at_once_but_not_without_end(void)
{
    struct drive drive;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_OBSERVER, 0);
    for (int i = 0; i < 1000; i++) {
        struct message ask = {.type = MESSAGE_ASK_STATUS};

        drive_message(&drive, CLIENT, &ask);
        CU_ASSERT_EQUAL(statuses(&drive, CLIENT), 1);
    }
    CU_ASSERT(node_deadline(drive.node) < drive.now_ns + NS_PER_S / 4);
    drive_wait(&drive, NS_PER_S);
    CU_ASSERT_EQUAL(statuses(&drive, CLIENT), 2); /* the last question has its answer, too */
    drive_free(&drive);
}

static const struct unit_case cases[] = {
    {"the status is told at once, but not without end",
     the_status_is_told_at_once_but_not_without_end},
    {"a result that cannot be costs its sender the session",
     a_result_that_cannot_be_costs_its_sender_the_session},
    {"an honest result is taken", an_honest_result_is_taken},
    {"values without room are not taken", values_without_room_are_not_taken},
    {"a checkpoint outside costs its sender the session",
     a_checkpoint_outside_costs_its_sender_the_session},
    {"a count of more elements than bytes is not taken",
     a_count_of_more_elements_than_bytes_is_not_taken},
    {"a client may not describe jobs without end", a_client_may_not_describe_jobs_without_end},
    {"a client past its credit is dropped", a_client_past_its_credit_is_dropped},
    {"a task that cannot be costs its giver the session",
     a_task_that_cannot_be_costs_its_giver_the_session},
};

UNIT_MAIN("node: peers that lie", cases)
