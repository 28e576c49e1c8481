/*
 * A pool process's view of its parent. Results of small tasks are gathered and leave together: when
 * there is nothing more to read, when they have become many, or when the first of them has waited
 * for a while.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "link/link_pool.h"
#include "link/pool_channel.h"
#include "link/pool_process.h"

#include <fcntl.h>
#include <unistd.h>

enum { GATHERED_MESSAGES_MAX = 256 };
#define GATHERED_BYTES_MAX (32 * KIB)
#define GATHERED_NS_MAX (200 * INT64_C(1000))
/* A process that works on many small pieces does not ask the system before each of them. */
#define LOOK_NS (50 * INT64_C(1000))

struct pool_child {
    struct pool_channel channel;
    struct inbox inbox;
    uint64_t gathered_bytes;
    int64_t gathered_since_ns; /* when the first of what waits was given; 0: nothing waits */
    int64_t looked_ns;         /* when poll last looked at the socket … */
    bool was_empty;            /* … and found nothing */
};

int pool_child_open(struct pool_child **out, int fd, struct error *error)
{
    struct pool_shared *shared = NULL;
    int shared_fd = -1;
    int rc = process_settle(fd, error);

    *out = NULL;
    if (rc == OK)
        rc = channel_take_greeting(fd, &shared_fd, error);
    if (rc == OK)
        rc = pool_shared_map(&shared, shared_fd, error);
    if (shared_fd >= 0)
        close(shared_fd);
    if (rc != OK)
        return rc;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    *out = memory_new(sizeof **out);
    channel_open(&(*out)->channel, fd, shared, POOL_UP);
    return OK;
}

void pool_child_free(struct pool_child **child)
{
    if (!*child)
        return;
    inbox_clear(&(*child)->inbox);
    channel_close(&(*child)->channel);
    memory_free(*child);
    *child = NULL;
}

bool pool_child_flush(struct pool_child *child)
{
    child->gathered_bytes = 0;
    child->gathered_since_ns = 0;
    return channel_flush(&child->channel, true) == CHANNEL_DONE;
}

static bool flush_if_late(struct pool_child *child, int64_t now_ns)
{
    if (!child->gathered_since_ns || now_ns - child->gathered_since_ns < GATHERED_NS_MAX)
        return true;
    return pool_child_flush(child);
}

static enum channel_result look(struct pool_child *child)
{
    enum channel_result result = channel_receive(&child->channel, false, &child->inbox);

    child->was_empty = result == CHANNEL_AGAIN;
    return result;
}

bool pool_child_receive(struct pool_child *child, struct message *message)
{
    while (!inbox_pop(&child->inbox, message)) {
        enum channel_result result = child->was_empty ? CHANNEL_AGAIN : look(child);

        child->was_empty = false;
        if (result == CHANNEL_AGAIN) {
            if (!pool_child_flush(child))
                return false;
            result = channel_receive(&child->channel, true, &child->inbox);
        }
        if (result != CHANNEL_DONE)
            return false;
    }
    return true;
}

bool pool_child_poll(struct pool_child *child, struct message *message)
{
    int64_t now_ns;

    if (inbox_pop(&child->inbox, message))
        return true;
    now_ns = clock_now_ns();
    flush_if_late(child, now_ns);
    if (now_ns - child->looked_ns < LOOK_NS)
        return false;
    child->looked_ns = now_ns;
    return look(child) == CHANNEL_DONE && inbox_pop(&child->inbox, message);
}

void pool_child_started(struct pool_child *child, uint64_t task, uint32_t attempt)
{
    pool_shared_set_started(child->channel.shared, task, attempt);
}

bool pool_child_send(struct pool_child *child, struct message *message)
{
    int64_t now_ns = clock_now_ns();

    child->gathered_bytes += message->payload.length;
    outbox_push(&child->channel.outbox, message);
    if (!child->gathered_since_ns)
        child->gathered_since_ns = now_ns;
    if (child->gathered_bytes >= GATHERED_BYTES_MAX ||
        outbox_count(&child->channel.outbox) >= GATHERED_MESSAGES_MAX)
        return pool_child_flush(child);
    return flush_if_late(child, now_ns);
}
