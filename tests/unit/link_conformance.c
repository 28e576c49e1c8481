#include "link_conformance.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "unit.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static uint8_t byte_of(uint64_t task, size_t i)
{
    return (uint8_t)((task * 31 + i) ^ (i >> 8) ^ (i >> 16));
}

void conformance_order(struct message *message, enum partner_order order, uint64_t task,
                       size_t payload_bytes)
{
    struct bytes bytes = {0};

    *message = (struct message){.type = MESSAGE_TASK};
    message->task.job = order;
    message->task.task = task;
    message->task.attempt = 1;
    message->task.kind = TASK_FOLD;
    message->task.by_value = payload_bytes > 0;
    if (payload_bytes)
        bytes_extend(&bytes, payload_bytes);
    for (size_t i = 0; i < payload_bytes; i++)
        bytes.data[i] = byte_of(task, i);
    message->payload = chunk_take(&bytes);
}

/* ---- the partner ---- */

static uint64_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count - 3; /* ".", ".." and the folder itself */
}

static uint64_t touch_slack(const struct chunk *payload)
{
    volatile const uint8_t *at = payload->data;
    uint64_t seen = 0;

    for (ptrdiff_t i = -32; payload->length && i < (ptrdiff_t)payload->length + 64; i++)
        seen += 1 + (at[i] & 0u);
    return seen;
}

static void obey(const struct partner *partner, const struct message *task, struct message *result,
                 int answered)
{
    switch ((enum partner_order)task->task.job) {
    case PARTNER_ECHO:
        break;
    case PARTNER_PAUSE:
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
        break;
    case PARTNER_DIE:
        raise(SIGKILL);
        break;
    case PARTNER_STOP:
        raise(SIGSTOP);
        break;
    case PARTNER_LEAVE:
        _exit(answered & 0x7f);
    case PARTNER_GARBAGE:
        partner->garbage(partner->context);
        break;
    case PARTNER_COUNT_FDS:
        result->result.units = count_fds();
        break;
    case PARTNER_TOUCH_SLACK:
        result->result.units = touch_slack(&task->payload);
        break;
    }
}

static bool answer(const struct partner *partner, struct message *task, int answered)
{
    struct message result = {.type = MESSAGE_RESULT};
    bool is_sent;

    if (partner->started && task->task.job != PARTNER_LEAVE)
        partner->started(partner->context, task->task.task, task->task.attempt);
    result.result.job = task->task.job;
    result.result.task = task->task.task;
    result.result.attempt = task->task.attempt;
    result.result.kind = TASK_FOLD;
    result.result.done = true;
    obey(partner, task, &result, answered);
    result.payload = task->payload;
    task->payload = (struct chunk){0};
    is_sent = partner->send(partner->context, &result);
    if (partner->started)
        partner->started(partner->context, 0, 0);
    return is_sent;
}

int conformance_partner(const struct partner *partner)
{
    struct message message = {0};
    bool is_alive = true;
    int answered = 0;

    while (is_alive && partner->receive(partner->context, &message)) {
        if (message.type == MESSAGE_TASK)
            is_alive = answer(partner, &message, answered++);
        message_clear(&message);
    }
    return 0;
}

/* ---- the cases ---- */

enum link_event_type conformance_wait(struct link *link, struct link_event *event, int timeout_ms)
{
    int64_t end_ns = clock_now_ns() + timeout_ms * NS_PER_MS;

    *event = (struct link_event){0};
    for (;;) {
        int64_t now_ns = clock_now_ns(), until_ns;
        struct pollfd ready = {.fd = link->ops->fd(link), .events = POLLIN};

        if (link->ops->receive(link, event) != LINK_NOTHING)
            return event->type;
        link->ops->flush(link);
        if (now_ns >= end_ns)
            return LINK_NOTHING;
        until_ns = link->ops->deadline(link);
        until_ns = until_ns < end_ns ? until_ns : end_ns;
        poll(&ready, 1,
             until_ns > now_ns ? (int)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS) : 0);
    }
}

/* The subject under test: CUnit's cases take no arguments. */
static struct subject *current;

static void give(enum partner_order order, uint64_t task, size_t payload_bytes)
{
    struct message message;

    conformance_order(&message, order, task, payload_bytes);
    current->link->ops->send(current->link, current->peer, &message, 1);
    CU_ASSERT_EQUAL_FATAL(message.type, 0);
}

static bool is_whole(const struct chunk *payload, uint64_t task, size_t length)
{
    bool same = payload->length == length;

    for (size_t i = 0; same && i < length; i++)
        same = payload->data[i] == byte_of(task, i);
    return same;
}

/* The next result is this task's, with its payload. */
static bool expect(uint64_t task, size_t payload_bytes)
{
    struct link_event event;
    bool is_right = conformance_wait(current->link, &event, WAIT_MS) == LINK_MESSAGE &&
                    event.peer == current->peer && event.message.type == MESSAGE_RESULT &&
                    event.message.result.task == task &&
                    is_whole(&event.message.payload, task, payload_bytes);

    if (event.type == LINK_MESSAGE)
        message_clear(&event.message);
    return is_right;
}

static bool open_current(void)
{
    bool is_open = current->open(current);

    CU_ASSERT_FATAL(is_open);
    return is_open;
}

static void close_current(void)
{
    current->link->ops->close(&current->link, 0);
    CU_ASSERT_PTR_NULL(current->link);
    if (current->close)
        current->close(current);
}

static void messages_arrive_in_order(void)
{
    enum { BURSTS = 20, BURST = 500 };
    uint64_t given = 0, taken = 0;

    open_current();
    for (int burst = 0; burst < BURSTS; burst++) {
        for (int i = 0; i < BURST; i++, given++)
            give(PARTNER_ECHO, given, given % 40);
        current->link->ops->flush(current->link);
        for (int i = 0; i < BURST / 2; i++, taken++)
            CU_ASSERT_FATAL(expect(taken, taken % 40));
    }
    for (; taken < given; taken++)
        CU_ASSERT_FATAL(expect(taken, taken % 40));
    close_current();
}

static void payloads_of_any_size_arrive_whole(void)
{
    static const size_t SIZES[] = {
        0,       1,       31,      32,      4095,    16384,   65535,   65536,       70000,
        1048576, 1048577, 1114112, 1114113, 2097152, 2097153, 3000000, 8 * 1048576, 64 * 1048576,
    };

    open_current();
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        give(PARTNER_ECHO, i, SIZES[i]);
        CU_ASSERT_FATAL(expect(i, SIZES[i]));
    }
    close_current();
}

static void big_and_small_payloads_keep_their_order(void)
{
    enum { COUNT = 60 };

    open_current();
    for (uint64_t i = 0; i < COUNT; i++)
        give(PARTNER_ECHO, i, i % 7 == 3 ? 2500000 : i % 5 == 1 ? 300000 : i);
    for (uint64_t i = 0; i < COUNT; i++)
        CU_ASSERT_FATAL(expect(i, i % 7 == 3 ? 2500000 : i % 5 == 1 ? 300000 : i));
    close_current();
}

static void what_is_received_may_be_kept(void)
{
    enum { COUNT = 12, BYTES = 500000 };
    struct chunk kept[COUNT];
    struct link_event event;

    open_current();
    for (uint64_t i = 0; i < COUNT; i++) {
        give(PARTNER_ECHO, i, BYTES);
        CU_ASSERT_EQUAL_FATAL(conformance_wait(current->link, &event, WAIT_MS), LINK_MESSAGE);
        kept[i] = event.message.payload;
        event.message.payload = (struct chunk){0};
        message_clear(&event.message);
    }
    close_current();
    for (uint64_t i = 0; i < COUNT; i++) {
        CU_ASSERT(is_whole(&kept[i], i, BYTES));
        chunk_drop(&kept[i]);
    }
}

static void a_slow_peer_never_blocks_the_sender(void)
{
    enum { COUNT = 48, BYTES = 1000000 };
    int64_t begin_ns, longest_ns = 0;

    open_current();
    give(PARTNER_ECHO, 1000, 0);
    CU_ASSERT_FATAL(expect(1000, 0));
    give(PARTNER_PAUSE, 1001, 0);
    current->link->ops->flush(current->link);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct message message;

        conformance_order(&message, PARTNER_ECHO, i, BYTES);
        begin_ns = clock_now_ns();
        current->link->ops->send(current->link, current->peer, &message, 1);
        current->link->ops->flush(current->link);
        if (clock_now_ns() - begin_ns > longest_ns)
            longest_ns = clock_now_ns() - begin_ns;
    }
    CU_ASSERT(longest_ns < 200 * NS_PER_MS);
    CU_ASSERT_FATAL(expect(1001, 0));
    for (uint64_t i = 0; i < COUNT; i++)
        CU_ASSERT_FATAL(expect(i, BYTES));
    close_current();
}

static void many_small_messages_cross(void)
{
    enum { COUNT = 100000, WINDOW = 2000 };
    uint64_t given = 0, taken = 0;
    int64_t begin_ns;

    open_current();
    give(PARTNER_ECHO, COUNT, 0);
    CU_ASSERT_FATAL(expect(COUNT, 0));
    begin_ns = clock_now_ns();
    while (taken < COUNT) {
        while (given < COUNT && given - taken < WINDOW)
            give(PARTNER_ECHO, given++, 0);
        for (int i = 0; i < WINDOW / 2 && taken < given; i++, taken++)
            CU_ASSERT_FATAL(expect(taken, 0));
    }
    printf(" [%.0f/s] ", COUNT / ((double)(clock_now_ns() - begin_ns) / 1e9));
    close_current();
}

static bool is_gone_in(int tries)
{
    struct link_event event;

    for (int i = 0; i < tries; i++) {
        enum link_event_type type;

        if (!current->hears_of_death)
            give(PARTNER_ECHO, 1, 0);
        type = conformance_wait(current->link, &event, current->hears_of_death ? WAIT_MS : 20);
        if (type == LINK_GONE)
            return event.peer == current->peer;
        if (type == LINK_MESSAGE)
            message_clear(&event.message);
    }
    return false;
}

static void the_death_of_the_other_side_is_noticed(void)
{
    open_current();
    give(PARTNER_ECHO, 1, 100);
    CU_ASSERT_FATAL(expect(1, 100));
    current->kill_partner(current);
    CU_ASSERT(is_gone_in(250));
    close_current();
}

static void messages_to_a_peer_that_is_gone_are_dropped(void)
{
    struct link_event event;

    open_current();
    give(PARTNER_ECHO, 1, 0);
    CU_ASSERT_FATAL(expect(1, 0));
    current->kill_partner(current);
    CU_ASSERT_FATAL(is_gone_in(250));
    for (uint64_t i = 0; i < 100; i++)
        give(PARTNER_ECHO, i, 20000);
    while (conformance_wait(current->link, &event, 200) != LINK_NOTHING) {
        CU_ASSERT(event.peer != current->peer || event.type == LINK_NOTHING);
        if (event.type == LINK_MESSAGE)
            message_clear(&event.message);
    }
    close_current();
}

static void a_dropped_peer_is_heard_no_more(void)
{
    struct link_event event;

    open_current();
    for (uint64_t i = 0; i < 1000; i++)
        give(PARTNER_ECHO, i, 10);
    CU_ASSERT_FATAL(expect(0, 10));
    current->link->ops->drop(current->link, current->peer);
    while (conformance_wait(current->link, &event, 200) != LINK_NOTHING) {
        CU_ASSERT_NOT_EQUAL(event.peer, current->peer);
        if (event.type == LINK_MESSAGE)
            message_clear(&event.message);
    }
    close_current();
}

static void garbage_ends_the_peer_and_nothing_else(void)
{
    struct link_event event;
    enum link_event_type type;

    if (current->sends_no_garbage)
        return;
    open_current();
    give(PARTNER_GARBAGE, 1, 0);
    do {
        type = conformance_wait(current->link, &event, WAIT_MS);
        if (type == LINK_MESSAGE)
            message_clear(&event.message);
    } while (type == LINK_MESSAGE);
    CU_ASSERT_EQUAL(type, LINK_GONE);
    CU_ASSERT_EQUAL(event.peer, current->peer);
    close_current();
}

static void closing_with_work_outstanding_is_quick(void)
{
    int64_t begin_ns;

    open_current();
    give(PARTNER_PAUSE, 1, 0);
    for (uint64_t i = 2; i < 20; i++)
        give(PARTNER_ECHO, i, 700000);
    current->link->ops->flush(current->link);
    begin_ns = clock_now_ns();
    close_current();
    CU_ASSERT(clock_now_ns() - begin_ns < NS_PER_S);
}

static const struct unit_case CASES[] = {
    {"messages arrive in order", messages_arrive_in_order},
    {"payloads of any size arrive whole", payloads_of_any_size_arrive_whole},
    {"big and small payloads keep their order", big_and_small_payloads_keep_their_order},
    {"what is received may be kept", what_is_received_may_be_kept},
    {"a slow peer never blocks the sender", a_slow_peer_never_blocks_the_sender},
    {"many small messages cross", many_small_messages_cross},
    {"the death of the other side is noticed", the_death_of_the_other_side_is_noticed},
    {"messages to a peer that is gone are dropped", messages_to_a_peer_that_is_gone_are_dropped},
    {"a dropped peer is heard no more", a_dropped_peer_is_heard_no_more},
    {"garbage ends the peer and nothing else", garbage_ends_the_peer_and_nothing_else},
    {"closing with work outstanding is quick", closing_with_work_outstanding_is_quick},
};

int conformance_run(struct subject *const *subjects, size_t count)
{
    int status = 0;

    for (size_t i = 0; i < count; i++) {
        current = subjects[i];
        status |= unit_run(current->name, CASES, sizeof CASES / sizeof *CASES);
    }
    return status;
}
