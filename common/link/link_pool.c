/*
 * The pool as a link: each slot is a peer, with or without a process behind it.
 *
 * A slot's peer number holds the slot's index and a generation; with every death the slot becomes a
 * new peer, so whatever still names the old one (a late action, an event of the same epoll_wait) is
 * recognised and ignored. All descriptors are in one level-triggered epoll set, the link's fd.
 *
 * A death counts once both ends of it were seen: the socket's end of file, behind which no result
 * can hide, and the process's end, which says what killed it.
 */
#include "link/link_pool.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/pool_channel.h"
#include "link/pool_failures.h"
#include "link/pool_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SLOTS_MAX = 4096, READY_MAX = 64 };
/* What a process is given ahead of the piece it works on. */
enum { CREDIT_TASKS = 64 };
enum { KIND_SHIFT = 60 };

/* A stop gives no descriptor to wait for. */
#define CHECK_NS (250 * NS_PER_MS)
/* How long a slot rests whose process ended before it did anything: it would only do so again. */
#define REST_NS_MIN (50 * NS_PER_MS)
#define REST_NS_MAX (5 * NS_PER_S)
#define FINISH_NS (2 * NS_PER_S)

enum watch_kind { WATCH_SOCKET = 1, WATCH_PROCESS, WATCH_DROPPED };

struct slot {
    link_peer peer;
    bool is_announced; /* its HELLO was given out */
    bool is_running;
    bool is_lost;         /* the process could not even be started: to be reported */
    bool has_task;        /* one waits that is worth a process */
    bool has_spoken;      /* since its start */
    bool has_ended;       /* end of file seen */
    bool has_exited;      /* end of process seen */
    bool was_stopped;     /* found stopped, and killed by us */
    bool waits_for_room;  /* its socket was full */
    struct outbox outbox; /* before its start */
    struct pool_channel channel;
    struct pool_process process;
    int64_t rest_ns, rests_until_ns;
};

struct pool {
    struct link link;
    char *program;
    struct pool_failures failures;
    int epoll;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t running_count;
    uint32_t unannounced_count;
    uint32_t lost_count;
    struct pool_process *dropped; /* killed, not yet reaped */
    size_t dropped_count;
    struct epoll_event ready[READY_MAX];
    int ready_next, ready_count;
    struct inbox inbox;
    link_peer inbox_peer;
    int64_t next_check_ns;
};

static struct pool *pool_of(const struct link *link)
{
    return (struct pool *)(uintptr_t)link;
}

static struct slot *slot_of(struct pool *pool, link_peer peer)
{
    uint32_t index = pool_slot_of(peer);

    return index < pool->slot_count && pool->slots[index].peer == peer ? pool->slots + index : NULL;
}

static void watch(struct pool *pool, int operation, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};

    epoll_ctl(pool->epoll, operation, fd, &event);
}

static uint64_t tag_of(enum watch_kind kind, uint64_t who)
{
    return (uint64_t)kind << KIND_SHIFT | who;
}

static void watch_socket(struct pool *pool, struct slot *slot, bool for_room)
{
    if (slot->waits_for_room == for_room)
        return;
    slot->waits_for_room = for_room;
    watch(pool, EPOLL_CTL_MOD, slot->channel.socket, EPOLLIN | (for_room ? EPOLLOUT : 0u),
          tag_of(WATCH_SOCKET, slot->peer));
}

/* The slot as a new peer, without a process. */
static void renew(struct pool *pool, struct slot *slot)
{
    if (slot->is_announced) {
        slot->is_announced = false;
        pool->unannounced_count++;
    }
    if (slot->is_lost) {
        slot->is_lost = false;
        pool->lost_count--;
    }
    outbox_clear(&slot->outbox);
    slot->has_task = slot->has_spoken = slot->has_ended = slot->has_exited = false;
    slot->was_stopped = slot->waits_for_room = false;
    slot->peer += 1u << POOL_SLOT_BITS;
}

static void detach_process(struct pool *pool, struct slot *slot)
{
    channel_close(&slot->channel);
    slot->is_running = false;
    pool->running_count--;
}

static void rest(struct slot *slot)
{
    slot->rest_ns = slot->rest_ns ? 2 * slot->rest_ns : REST_NS_MIN;
    if (slot->rest_ns > REST_NS_MAX)
        slot->rest_ns = REST_NS_MAX;
    slot->rests_until_ns = clock_now_ns() + slot->rest_ns;
}

static void start(struct pool *pool, struct slot *slot)
{
    struct error error = {0};
    int child_socket = -1;
    int rc = channel_pair(&slot->channel, &child_socket, &error);

    if (rc == OK)
        rc = process_start(&slot->process, pool->program, child_socket, slot->channel.shared,
                           &error);
    if (child_socket >= 0)
        close(child_socket);
    if (rc != OK) {
        channel_close(&slot->channel);
        failures_add(&pool->failures, error.text, clock_now_ns());
        slot->is_lost = true;
        pool->lost_count++;
        return;
    }
    slot->channel.outbox = slot->outbox;
    slot->outbox = (struct outbox){0};
    slot->is_running = true;
    pool->running_count++;
    watch(pool, EPOLL_CTL_ADD, slot->channel.socket, EPOLLIN, tag_of(WATCH_SOCKET, slot->peer));
    watch(pool, EPOLL_CTL_ADD, slot->process.pidfd, EPOLLIN, tag_of(WATCH_PROCESS, slot->peer));
}

static void flush_slot(struct pool *pool, struct slot *slot)
{
    enum channel_result result;

    if (!slot->is_running && slot->has_task && !slot->is_lost)
        start(pool, slot);
    if (!slot->is_running || slot->has_ended || !outbox_count(&slot->channel.outbox))
        return;
    result = channel_flush(&slot->channel, false);
    /* A closed socket is reported by its end of file. */
    watch_socket(pool, slot, result == CHANNEL_AGAIN);
    if (result == CHANNEL_BROKEN)
        process_kill(&slot->process);
}

static enum link_event_type report_loss(struct pool *pool, struct slot *slot,
                                        struct link_event *event)
{
    struct error error;

    *event = (struct link_event){.type = LINK_GONE, .peer = slot->peer};
    if (slot->is_running) {
        event->started_task = pool_shared_started(slot->channel.shared, &event->started_attempt);
        process_reap(&slot->process, &event->signal);
        /* Whoever stopped it did that from outside: the piece in work is not to blame. */
        if (slot->was_stopped)
            event->signal = SIGSTOP;
        if (slot->was_stopped || !event->started_task)
            event->started_task = event->started_attempt = 0;
        if (!slot->has_spoken && !event->started_task && !slot->was_stopped) {
            process_explain(&slot->process, pool->program, slot->channel.shared, &error);
            failures_add(&pool->failures, error.text, clock_now_ns());
            rest(slot);
        }
        detach_process(pool, slot);
    } else {
        rest(slot);
    }
    renew(pool, slot);
    return LINK_GONE;
}

static enum link_event_type report_lost(struct pool *pool, struct link_event *event)
{
    struct slot *slot = pool->slots;

    while (!slot->is_lost)
        slot++;
    return report_loss(pool, slot, event);
}

static enum link_event_type announce(struct pool *pool, struct link_event *event)
{
    int64_t now_ns = clock_now_ns();

    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct slot *slot = pool->slots + i;

        if (slot->is_announced || slot->rests_until_ns > now_ns)
            continue;
        slot->is_announced = true;
        pool->unannounced_count--;
        *event = (struct link_event){.type = LINK_MESSAGE, .peer = slot->peer};
        event->message.type = MESSAGE_HELLO;
        event->message.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                                      .role = ROLE_PROCESS,
                                                      .slots = 1,
                                                      .credit_tasks = CREDIT_TASKS,
                                                      .session = slot->peer};
        return LINK_MESSAGE;
    }
    return LINK_NOTHING;
}

static void read_slot(struct pool *pool, struct slot *slot)
{
    enum channel_result result = channel_receive(&slot->channel, false, &pool->inbox);

    if (result == CHANNEL_DONE) {
        pool->inbox_peer = slot->peer;
        slot->has_spoken = true;
        slot->rest_ns = 0;
        failures_clear(&pool->failures);
    }
    if (result != CHANNEL_CLOSED && result != CHANNEL_BROKEN)
        return;
    /* Nothing more can be had from it, dead or not. */
    slot->has_ended = true;
    epoll_ctl(pool->epoll, EPOLL_CTL_DEL, slot->channel.socket, NULL);
    process_kill(&slot->process);
}

static void reap_dropped(struct pool *pool, int pidfd)
{
    int signal;

    for (size_t i = 0; i < pool->dropped_count; i++)
        if (pool->dropped[i].pidfd == pidfd && process_reap(&pool->dropped[i], &signal)) {
            pool->dropped[i] = pool->dropped[--pool->dropped_count];
            return;
        }
}

static enum link_event_type handle(struct pool *pool, const struct epoll_event *ready,
                                   struct link_event *event)
{
    uint64_t who = ready->data.u64 & ((UINT64_C(1) << KIND_SHIFT) - 1);
    enum watch_kind kind = (enum watch_kind)(ready->data.u64 >> KIND_SHIFT);
    struct slot *slot = kind == WATCH_DROPPED ? NULL : slot_of(pool, who);

    if (kind == WATCH_DROPPED)
        reap_dropped(pool, (int)who);
    if (!slot || !slot->is_running)
        return LINK_NOTHING;
    if (kind == WATCH_PROCESS) {
        slot->has_exited = true;
        epoll_ctl(pool->epoll, EPOLL_CTL_DEL, slot->process.pidfd, NULL);
    } else {
        if (ready->events & EPOLLOUT)
            flush_slot(pool, slot);
        if (ready->events & ~(uint32_t)EPOLLOUT)
            read_slot(pool, slot);
    }
    return slot->has_ended && slot->has_exited ? report_loss(pool, slot, event) : LINK_NOTHING;
}

static bool next_ready(struct pool *pool, struct epoll_event *ready)
{
    if (pool->ready_next == pool->ready_count) {
        pool->ready_next = 0;
        pool->ready_count = epoll_wait(pool->epoll, pool->ready, READY_MAX, 0);
        if (pool->ready_count < 0)
            pool->ready_count = 0;
    }
    if (pool->ready_next == pool->ready_count)
        return false;
    *ready = pool->ready[pool->ready_next++];
    return true;
}

static enum link_event_type pool_receive(struct link *link, struct link_event *event)
{
    struct pool *pool = pool_of(link);
    enum link_event_type type;
    struct epoll_event ready;

    for (;;) {
        if (inbox_pop(&pool->inbox, &event->message)) {
            event->type = LINK_MESSAGE;
            event->peer = pool->inbox_peer;
            return LINK_MESSAGE;
        }
        if (pool->lost_count)
            return report_lost(pool, event);
        if (pool->unannounced_count && announce(pool, event) != LINK_NOTHING)
            return LINK_MESSAGE;
        if (!next_ready(pool, &ready))
            return event->type = LINK_NOTHING;
        type = handle(pool, &ready, event);
        if (type != LINK_NOTHING)
            return type;
    }
}

/* A slot without a process has no use for pleasantries. */
static bool is_for_processes(const struct message *message)
{
    return message->type != MESSAGE_WELCOME && message->type != MESSAGE_HEARTBEAT &&
           message->type != MESSAGE_BYE;
}

static void pool_send(struct link *link, link_peer peer, struct message *messages, size_t count)
{
    struct pool *pool = pool_of(link);
    struct slot *slot = slot_of(pool, peer);

    for (size_t i = 0; i < count; i++) {
        if (!slot || !is_for_processes(messages + i)) {
            message_clear(messages + i);
            continue;
        }
        slot->has_task |= messages[i].type == MESSAGE_TASK;
        outbox_push(slot->is_running ? &slot->channel.outbox : &slot->outbox, messages + i);
    }
}

static void kill_stopped(struct pool *pool)
{
    int64_t now_ns = clock_now_ns();

    if (!pool->running_count || now_ns < pool->next_check_ns)
        return;
    pool->next_check_ns = now_ns + CHECK_NS;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct slot *slot = pool->slots + i;

        if (slot->is_running && !slot->has_exited && process_is_stopped(&slot->process)) {
            slot->was_stopped = true;
            process_kill(&slot->process);
        }
    }
}

static void pool_flush(struct link *link)
{
    struct pool *pool = pool_of(link);

    for (uint32_t i = 0; i < pool->slot_count; i++)
        flush_slot(pool, pool->slots + i);
    kill_stopped(pool);
}

static void pool_drop(struct link *link, link_peer peer)
{
    struct pool *pool = pool_of(link);
    struct slot *slot = slot_of(pool, peer);

    if (!slot)
        return;
    if (pool->inbox_peer == peer)
        inbox_clear(&pool->inbox);
    if (slot->is_running) {
        process_kill(&slot->process);
        pool->dropped = memory_grow(pool->dropped, pool->dropped_count + 1, sizeof *pool->dropped);
        pool->dropped[pool->dropped_count++] = slot->process;
        watch(pool, slot->has_exited ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, slot->process.pidfd, EPOLLIN,
              tag_of(WATCH_DROPPED, (uint64_t)slot->process.pidfd));
        detach_process(pool, slot);
    }
    renew(pool, slot);
}

static int64_t pool_deadline(const struct link *link)
{
    const struct pool *pool = pool_of(link);
    int64_t deadline_ns = pool->running_count ? pool->next_check_ns : INT64_MAX;

    if (pool->lost_count)
        return 0;
    for (uint32_t i = 0; pool->unannounced_count && i < pool->slot_count; i++)
        if (!pool->slots[i].is_announced && pool->slots[i].rests_until_ns < deadline_ns)
            deadline_ns = pool->slots[i].rests_until_ns;
    return deadline_ns;
}

static const char *pool_over(const struct link *link)
{
    return failures_over(&pool_of(link)->failures);
}

/* There is nothing to linger for: what a process would still be told it could not answer. */
static void pool_close(struct link **link, int64_t linger_ns)
{
    struct pool *pool = *link ? pool_of(*link) : NULL;

    (void)linger_ns;
    *link = NULL;
    if (!pool)
        return;
    for (uint32_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].is_running)
            process_kill(&pool->slots[i].process);
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct slot *slot = pool->slots + i;

        if (slot->is_running) {
            process_finish(&slot->process, FINISH_NS);
            detach_process(pool, slot);
        }
        outbox_clear(&slot->outbox);
    }
    for (size_t i = 0; i < pool->dropped_count; i++)
        process_finish(&pool->dropped[i], FINISH_NS);
    inbox_clear(&pool->inbox);
    if (pool->epoll >= 0)
        close(pool->epoll);
    memory_free(pool->dropped);
    memory_free(pool->slots);
    memory_free(pool->program);
    memory_free(pool);
}

static int pool_fd(const struct link *link)
{
    return pool_of(link)->epoll;
}

static const struct link_ops POOL_OPS = {
    .name = "pool",
    .fd = pool_fd,
    .receive = pool_receive,
    .send = pool_send,
    .flush = pool_flush,
    .drop = pool_drop,
    .deadline = pool_deadline,
    .over = pool_over,
    .close = pool_close,
};

int link_pool_open(struct link **out, const struct pool_options *options, struct error *error)
{
    uint32_t count = options->processes ? options->processes : pool_usable_cpus();
    char *program = NULL;
    struct pool *pool;
    int rc = pool_shared_is_possible(error);

    *out = NULL;
    if (count > SLOTS_MAX && !options->processes)
        count = SLOTS_MAX;
    if (count > SLOTS_MAX)
        return error_set(error, ERROR_USAGE, "%u processes are more than a pool can have (%d)",
                         count, SLOTS_MAX);
    if (rc == OK)
        rc = process_program(&program, options->program, error);
    if (rc != OK)
        return rc;
    pool = memory_new(sizeof *pool);
    *pool = (struct pool){.link.ops = &POOL_OPS,
                          .program = program,
                          .failures.log = {"sheaf", (enum log_level)options->log_level},
                          .slots = memory_array(count, sizeof(struct slot)),
                          .slot_count = count,
                          .unannounced_count = count};
    for (uint32_t i = 0; i < count; i++)
        pool->slots[i].peer = (UINT64_C(1) << POOL_SLOT_BITS) + i;
    *out = &pool->link;
    pool->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (pool->epoll < 0) {
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for the pool");
        (*out)->ops->close(out, 0);
    }
    for (uint32_t i = 0; rc == OK && options->starts_now && i < count; i++)
        start(pool, pool->slots + i);
    return rc;
}
