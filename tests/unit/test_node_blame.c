/* Blame: pool processes that a range has killed are counted with the range, over several daemons.
 */
#include "node_drive.h"

enum { ABOVE = 1, PROCESS, CLIENT = 1, WORKER, ANOTHER };
enum { UNITS = 1000 };

static void answer_welcome(struct drive *drive)
{
    struct event connected = {.type = EVENT_CONNECTED, .peer = ABOVE};
    struct message welcome = {.type = MESSAGE_WELCOME};

    drive_event(drive, &connected);
    welcome.welcome = (struct message_welcome){.version = PROTOCOL_VERSION, .credit_tasks = 64};
    welcome.welcome.session =
        drive_last(drive, ACTION_SEND, ABOVE, MESSAGE_HELLO)->message.hello.session;
    drive_message(drive, ABOVE, &welcome);
}

/* A worker daemon with one pool process is given the units from `begin` on. */
static void begin_worker(struct drive *drive, uint64_t begin, uint32_t deaths)
{
    struct message job = {.type = MESSAGE_JOB};
    struct message task = {.type = MESSAGE_TASK};

    drive_new(drive, ROLE_WORKER);
    drive_hello(drive, PROCESS, ROLE_PROCESS, 1);
    answer_welcome(drive);
    job.job.job = 1;
    job.job.spec = drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, UNITS);
    job.job.spec->piece_units = 100;
    drive_message(drive, ABOVE, &job);
    task.task = (struct message_task){.job = 1,
                                      .task = 9,
                                      .attempt = 1,
                                      .kind = TASK_FOLD,
                                      .slice = {.begin = {0, begin}, .end = {1, 0}},
                                      .room_bytes = MIB,
                                      .deaths = deaths};
    drive_message(drive, ABOVE, &task);
    CU_ASSERT_PTR_NOT_NULL_FATAL(drive_task(drive, PROCESS));
}

static const struct message_result *told(const struct drive *drive)
{
    struct action *action = drive_last(drive, ACTION_SEND, ABOVE, MESSAGE_RESULT);

    return action ? &action->message.result : NULL;
}

/* The task that begins at the unit, of those the process was given. */
static struct message_task task_at(const struct drive *drive, uint64_t unit)
{
    for (size_t i = drive->done.count; i-- > 0;) {
        const struct message *message = &drive->done.items[i].message;

        if (message->type == MESSAGE_TASK && message->task.slice.begin.unit == unit)
            return message->task;
    }
    CU_FAIL_FATAL("the process was not given what begins there");
    return (struct message_task){0};
}

static void answer(struct drive *drive, peer_id from, const struct message_task *task)
{
    struct segment segment;
    struct message result;

    segment_init(&segment, SEGMENT_FOLD, op_of(OP_SUM));
    segment.bounded = task->slice.begin.unit == 0;
    result = drive_result(task, &segment);
    drive_message(drive, from, &result);
}

static void a_daemon_tells_at_once_whom_its_first_range_killed(void)
{
    struct drive drive;
    struct message_task started;

    begin_worker(&drive, 0, 0);
    started = task_at(&drive, 0);
    drive_gone(&drive, PROCESS, &started);
    CU_ASSERT_PTR_NOT_NULL_FATAL(told(&drive));
    CU_ASSERT_EQUAL(told(&drive)->deaths, 1);
    CU_ASSERT_FALSE(told(&drive)->done);
    CU_ASSERT_EQUAL(place_compare(told(&drive)->begin, told(&drive)->middle), 0);
    drive_free(&drive);
}

static void what_was_folded_before_the_killer_goes_along_with_the_blame(void)
{
    struct drive drive;
    struct message_task first, second;

    begin_worker(&drive, 0, 0);
    first = task_at(&drive, 0);
    second = task_at(&drive, 100);
    answer(&drive, PROCESS, &first);
    drive_gone(&drive, PROCESS, &second);
    CU_ASSERT_PTR_NOT_NULL_FATAL(told(&drive));
    CU_ASSERT_EQUAL(told(&drive)->begin.unit, 0);
    CU_ASSERT_EQUAL(told(&drive)->middle.unit, 100);
    CU_ASSERT_EQUAL(told(&drive)->deaths, 1);
    drive_free(&drive);
}

static void who_waited_in_the_queue_is_not_to_blame(void)
{
    struct drive drive;

    begin_worker(&drive, 0, 0);
    drive_gone(&drive, PROCESS, NULL);
    CU_ASSERT_PTR_NULL(told(&drive));
    drive_free(&drive);
}

static void deaths_elsewhere_count(void)
{
    struct drive drive;
    struct message_task started;
    struct segment segment;
    struct action *action;

    begin_worker(&drive, 300, PROCESS_DEATHS_MAX - 1);
    started = task_at(&drive, 300);
    CU_ASSERT_EQUAL(started.deaths, PROCESS_DEATHS_MAX - 1);
    CU_ASSERT_EQUAL(started.slice.end.source, 1); /* not cut: the blame stays exact */
    drive_gone(&drive, PROCESS, &started);
    action = drive_last(&drive, ACTION_SEND, ABOVE, MESSAGE_RESULT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(action);
    CU_ASSERT_TRUE(action->message.result.done);
    CU_ASSERT_TRUE_FATAL(segment_decode(&segment, op_of(OP_SUM), action->message.payload.data,
                                        action->message.payload.length));
    CU_ASSERT_EQUAL(segment.fault.kind, FAULT_KILLED);
    CU_ASSERT_EQUAL(segment.fault.unit, 300);
    segment_clear(&segment);
    drive_free(&drive);
}

/* The worker tells of deaths with what begins at `middle`, and is lost. */
static void lose_worker_with(struct drive *drive, uint64_t middle, uint32_t deaths)
{
    struct message_task task = *drive_task(drive, WORKER);
    struct segment segment;
    struct message result;

    segment_init(&segment, SEGMENT_FOLD, op_of(OP_SUM));
    segment.bounded = true;
    result = drive_result(&task, &segment);
    result.result.middle = (struct place){0, middle};
    result.result.done = false;
    result.result.deaths = deaths;
    drive_message(drive, WORKER, &result);
    CU_ASSERT_FALSE(drive_has_dropped(drive, WORKER));
    drive_gone(drive, WORKER, NULL);
    drive_hello(drive, ANOTHER, ROLE_WORKER, 1);
}

static void a_lost_daemon_leaves_its_blame_to_the_next(void)
{
    static const uint64_t MIDDLES[] = {0, 400};

    for (size_t i = 0; i < sizeof MIDDLES / sizeof *MIDDLES; i++) {
        struct drive drive;

        drive_new(&drive, 0);
        drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
        drive_hello(&drive, WORKER, ROLE_WORKER, 1);
        drive_ask(&drive, CLIENT, drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, UNITS),
                  MIB);
        CU_ASSERT_PTR_NOT_NULL_FATAL(drive_task(&drive, WORKER));
        lose_worker_with(&drive, MIDDLES[i], 2);
        CU_ASSERT_PTR_NOT_NULL_FATAL(drive_task(&drive, ANOTHER));
        CU_ASSERT_EQUAL(drive_task(&drive, ANOTHER)->slice.begin.unit, MIDDLES[i]);
        CU_ASSERT_EQUAL(drive_task(&drive, ANOTHER)->deaths, 2);
        drive_free(&drive);
    }
}

static void a_client_hears_of_no_deaths_but_the_last(void)
{
    struct drive drive;
    struct action *action;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
    drive_hello(&drive, WORKER, ROLE_WORKER, 1);
    drive_ask(&drive, CLIENT, drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, UNITS),
              MIB);
    lose_worker_with(&drive, 400, 2);
    drive_wait(&drive, NS_PER_S);
    action = drive_last(&drive, ACTION_SEND, CLIENT, MESSAGE_RESULT);
    CU_ASSERT_TRUE(!action || action->message.result.deaths == 0);
    drive_free(&drive);
}

/* A worker whose greeting is repeated, as no answer reaches it, has not died eight times. */
static void a_worker_that_greets_again_is_alive(void)
{
    struct drive drive;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
    drive_ask(&drive, CLIENT, drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, UNITS),
              MIB);
    for (uint32_t i = 0; i < 2 * DAEMON_DEATHS_MAX; i++)
        drive_hello(&drive, WORKER, ROLE_WORKER, 1);
    CU_ASSERT_PTR_NULL(drive_last(&drive, ACTION_SEND, CLIENT, MESSAGE_RESULT));
    CU_ASSERT_EQUAL(drive_task(&drive, WORKER)->lost_daemons, 0);
    drive_free(&drive);
}

static void a_range_lost_with_eight_daemons_is_a_fault(void)
{
    struct drive drive;
    uint32_t lost = 0;

    drive_new(&drive, 0);
    drive_hello(&drive, CLIENT, ROLE_CLIENT, 0);
    drive_ask(&drive, CLIENT, drive_spec(SOURCE_RANGE, (struct cut){.kind = CUT_TOTAL}, UNITS),
              MIB);
    for (; lost < 20 && !drive_last(&drive, ACTION_SEND, CLIENT, MESSAGE_RESULT); lost++) {
        drive_hello(&drive, WORKER + lost, ROLE_WORKER, 1);
        drive_gone(&drive, WORKER + lost, NULL);
    }
    CU_ASSERT_EQUAL(lost, DAEMON_DEATHS_MAX);
    drive_free(&drive);
}

static const struct unit_case cases[] = {
    {"a daemon tells at once whom its first range killed",
     a_daemon_tells_at_once_whom_its_first_range_killed},
    {"what was folded before the killer goes along with the blame",
     what_was_folded_before_the_killer_goes_along_with_the_blame},
    {"who waited in the queue is not to blame", who_waited_in_the_queue_is_not_to_blame},
    {"deaths elsewhere count", deaths_elsewhere_count},
    {"a lost daemon leaves its blame to the next", a_lost_daemon_leaves_its_blame_to_the_next},
    {"a client hears of no deaths but the last", a_client_hears_of_no_deaths_but_the_last},
    {"a worker that greets again is alive", a_worker_that_greets_again_is_alive},
    {"a range lost with eight daemons is a fault", a_range_lost_with_eight_daemons_is_a_fault},
};

UNIT_MAIN("node: blame", cases)
