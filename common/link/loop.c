/*
 * A peer of the node is a link's peer with the link's number in the top byte.
 *
 * What a step asks for is performed before the next step. A hook may submit an event while that
 * goes on: the node steps at once, but what it then asks for waits for its turn, so that actions
 * are performed in the order in which the node asked.
 */
#include "link/loop.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum { PEER_BITS = 56 };
/* Events of one link before the others have theirs, and before answers are handed over. */
enum { DRAIN_EVENTS = 256 };
/* Turns before time is judged even though more keeps coming. */
enum { DRAIN_TURNS = 256 };
/* What is still queued when a program ends may take this long to leave. */
#define LINGER_NS NS_PER_S

struct loop {
    struct node *node;
    struct loop_hooks hooks;
    struct link *links[LOOP_LINKS_MAX];
    size_t link_count;
    struct pollfd own_fds[LOOP_FDS_MAX];
    size_t own_fd_count;
    struct actions asked, performing;
    bool is_performing;
};

int loop_new(struct loop **out, struct node *node, const struct loop_hooks *hooks,
             struct error *error)
{
    (void)error;
    *out = memory_new(sizeof **out);
    (*out)->node = node;
    if (hooks)
        (*out)->hooks = *hooks;
    return OK;
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    for (size_t i = 0; i < (*loop)->link_count; i++) {
        struct link *link = (*loop)->links[i];

        link->ops->close(&link, LINGER_NS);
    }
    actions_free(&(*loop)->asked);
    actions_free(&(*loop)->performing);
    memory_free(*loop);
    *loop = NULL;
}

void loop_add_link(struct loop *loop, struct link *link)
{
    assert(loop->link_count < LOOP_LINKS_MAX);
    loop->links[loop->link_count++] = link;
}

void loop_add_fd(struct loop *loop, int fd, short events)
{
    assert(loop->own_fd_count < LOOP_FDS_MAX);
    loop->own_fds[loop->own_fd_count++] = (struct pollfd){.fd = fd, .events = events};
}

/* Numbers of links begin at 1: peer 0 is nobody. */
static peer_id peer_above(size_t link, link_peer peer)
{
    assert(peer >> PEER_BITS == 0);
    return (peer_id)(link + 1) << PEER_BITS | peer;
}

static struct link *link_of(const struct loop *loop, peer_id id, link_peer *peer)
{
    size_t number = (size_t)(id >> PEER_BITS);

    assert(number >= 1 && number <= loop->link_count);
    *peer = id & ((UINT64_C(1) << PEER_BITS) - 1);
    return loop->links[number - 1];
}

static void perform(struct loop *loop, struct action *action)
{
    struct link *link;
    link_peer peer;

    switch (action->type) {
    case ACTION_SEND:
        link = link_of(loop, action->peer, &peer);
        link->ops->send(link, peer, &action->message, 1);
        break;
    case ACTION_DROP:
        link = link_of(loop, action->peer, &peer);
        link->ops->drop(link, peer);
        break;
    case ACTION_READ:
    case ACTION_VALUES:
    case ACTION_END:
    case ACTION_NOTICE:
        if (loop->hooks.action)
            loop->hooks.action(loop->hooks.context, action);
        break;
    }
}

static void perform_all(struct loop *loop)
{
    loop->is_performing = true;
    while (loop->asked.count) {
        struct actions taken = loop->asked;

        loop->asked = loop->performing;
        loop->performing = taken;
        for (size_t i = 0; i < loop->performing.count; i++)
            perform(loop, loop->performing.items + i);
        actions_clear(&loop->performing);
    }
    loop->is_performing = false;
}

void loop_submit(struct loop *loop, struct event *event)
{
    node_step(loop->node, event, &loop->asked);
    if (!loop->is_performing)
        perform_all(loop);
}

static void take(struct loop *loop, size_t link, struct link_event *happened)
{
    struct event event = {.now_ns = clock_now_ns(), .peer = peer_above(link, happened->peer)};

    switch (happened->type) {
    case LINK_NOTHING:
        return;
    case LINK_MESSAGE:
        event.type = EVENT_MESSAGE;
        event.message = &happened->message;
        if (loop->hooks.heard)
            loop->hooks.heard(loop->hooks.context, link, happened->peer, &happened->message,
                              event.now_ns);
        break;
    case LINK_CONNECTED:
        event.type = EVENT_CONNECTED;
        break;
    case LINK_GONE:
        event.type = EVENT_GONE;
        event.gone.signal = happened->signal;
        event.gone.started_task = happened->started_task;
        event.gone.started_attempt = happened->started_attempt;
        break;
    }
    loop_submit(loop, &event);
    if (happened->type == LINK_MESSAGE)
        message_clear(&happened->message);
}

static void flush(struct loop *loop)
{
    for (size_t i = 0; i < loop->link_count; i++)
        loop->links[i]->ops->flush(loop->links[i]);
}

/* Whether there may be more. */
static bool drain_turn(struct loop *loop)
{
    struct link_event happened;
    bool has_more = false;

    for (size_t i = 0; i < loop->link_count; i++) {
        int left = DRAIN_EVENTS;

        while (left && loop->links[i]->ops->receive(loop->links[i], &happened) != LINK_NOTHING) {
            take(loop, i, &happened);
            left--;
        }
        has_more |= !left;
    }
    return has_more;
}

/* All input first, and only then the time: after a pause of our own the messages of sound peers are
 * already there. */
static void drain(struct loop *loop)
{
    for (int turn = 0; turn < DRAIN_TURNS && drain_turn(loop); turn++)
        flush(loop);
}

static void tick_if_due(struct loop *loop)
{
    struct event tick = {.type = EVENT_TICK, .now_ns = clock_now_ns()};

    if (tick.now_ns >= node_deadline(loop->node))
        loop_submit(loop, &tick);
}

static int64_t sleep_ns(const struct loop *loop, int64_t max_ns)
{
    int64_t until_ns = node_deadline(loop->node);
    int64_t now_ns = clock_now_ns();

    for (size_t i = 0; i < loop->link_count; i++) {
        int64_t deadline_ns = loop->links[i]->ops->deadline(loop->links[i]);

        until_ns = deadline_ns < until_ns ? deadline_ns : until_ns;
    }
    if (until_ns <= now_ns || max_ns <= 0)
        return 0;
    return until_ns - now_ns < max_ns ? until_ns - now_ns : max_ns;
}

static void sleep_until_ready(struct loop *loop, int64_t max_ns)
{
    struct pollfd fds[LOOP_LINKS_MAX + LOOP_FDS_MAX];
    size_t own = loop->link_count;
    int64_t ns = sleep_ns(loop, max_ns);
    struct timespec timeout = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    int ready;

    for (size_t i = 0; i < own; i++)
        fds[i] = (struct pollfd){.fd = loop->links[i]->ops->fd(loop->links[i]), .events = POLLIN};
    memcpy(fds + own, loop->own_fds, loop->own_fd_count * sizeof *fds);
    ready = ppoll(fds, own + loop->own_fd_count, &timeout, NULL);
    /* Interrupted by a signal: whoever waits for it looks after this round. */
    for (size_t i = own; ready > 0 && loop->hooks.readable && i < own + loop->own_fd_count; i++)
        if (fds[i].revents)
            loop->hooks.readable(loop->hooks.context, fds[i].fd, fds[i].revents);
}

void loop_round(struct loop *loop, int64_t max_ns)
{
    drain(loop);
    tick_if_due(loop);
    flush(loop);
    sleep_until_ready(loop, max_ns);
}
