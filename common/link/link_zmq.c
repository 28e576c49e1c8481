/*
 * ZeroMQ as a link: the module that is loaded on demand.
 *
 * Listening is a ROUTER, and its peers are the identities that it draws for connections. A peer's
 * number is the link's own: an identity that was dropped and speaks again is a new peer, whom the
 * node does not know and will answer so. Loss is the node's to decide, by silence; only an identity
 * that can no longer be sent to is reported gone here.
 *
 * Connecting is a DEALER with one peer at a time and one socket for each connection. When it ends,
 * or when none comes about in time, the next is tried after a pause that grows.
 *
 * libzmq's descriptor is edge-triggered and sending may swallow an edge: after every flush that
 * sent something the socket is asked, and deadline() says 0 until receive() has been called.
 */
#include "link/link_zmq.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/zmq_batches.h"
#include "link/zmq_socket.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

/* A peer whose queue in libzmq is full makes itself heard when it has room; this is if it does not.
 */
#define RETRY_NS (10 * NS_PER_MS)
/* A connection that has not come about by then never will. */
#define DIAL_NS (5 * NS_PER_S)
#define PAUSE_NS_MIN (100 * NS_PER_MS)
#define PAUSE_NS_MAX (5 * NS_PER_S)

struct peer {
    uint8_t identity[FRAMES_IDENTITY_BYTES];
    link_peer number;
    bool has_unsent; /* is in the list of those */
    struct batch_sender sender;
    struct batch_receiver receiver;
    UT_hash_handle by_identity, by_number;
};

struct dial {
    char *url; /* NULL: this link listens */
    void *monitor;
    bool is_up;
    bool has_ended; /* … but what came before the end may not all have been read */
    int64_t attempt_ends_ns;
    int64_t next_attempt_ns; /* when there is no socket */
    int64_t pause_ns;
};

struct zmq_link {
    struct link link;
    void *context, *socket;
    int epoll, room_fd;
    struct peer *by_identity, *by_number;
    link_peer last_number;
    struct peer **unsent;
    size_t unsent_count;
    link_peer *gone; /* to be reported */
    size_t gone_count;
    struct inbox inbox;
    link_peer inbox_peer;
    bool has_input;
    int64_t retry_ns; /* when something could not be sent */
    struct dial dial;
};

static struct zmq_link *link_of(const struct link *link)
{
    return (struct zmq_link *)(uintptr_t)link;
}

/* ---- peers ---- */

static struct peer *peer_new(struct zmq_link *zmq, const uint8_t *identity)
{
    struct peer *peer = memory_new(sizeof *peer);

    memcpy(peer->identity, identity, sizeof peer->identity);
    peer->number = ++zmq->last_number;
    batch_sender_init(&peer->sender, zmq->room_fd);
    HASH_ADD(by_identity, zmq->by_identity, identity, sizeof peer->identity, peer);
    HASH_ADD(by_number, zmq->by_number, number, sizeof peer->number, peer);
    return peer;
}

static void peer_free(struct zmq_link *zmq, struct peer *peer)
{
    for (size_t i = 0; peer->has_unsent && i < zmq->unsent_count; i++)
        if (zmq->unsent[i] == peer) {
            zmq->unsent[i] = zmq->unsent[--zmq->unsent_count];
            break;
        }
    if (zmq->inbox_peer == peer->number)
        inbox_clear(&zmq->inbox);
    HASH_DELETE(by_identity, zmq->by_identity, peer);
    HASH_DELETE(by_number, zmq->by_number, peer);
    batch_sender_clear(&peer->sender);
    batch_receiver_clear(&peer->receiver);
    memory_free(peer);
}

static struct peer *find_number(struct zmq_link *zmq, link_peer number)
{
    struct peer *peer;

    HASH_FIND(by_number, zmq->by_number, &number, sizeof number, peer);
    return peer;
}

static struct peer *find_identity(struct zmq_link *zmq, const uint8_t *identity)
{
    struct peer *peer;

    HASH_FIND(by_identity, zmq->by_identity, identity, FRAMES_IDENTITY_BYTES, peer);
    return peer;
}

/* The peer is gone, and will be said to be. */
static void lose(struct zmq_link *zmq, struct peer *peer)
{
    zmq->gone = memory_grow(zmq->gone, zmq->gone_count + 1, sizeof *zmq->gone);
    zmq->gone[zmq->gone_count++] = peer->number;
    peer_free(zmq, peer);
}

static const uint8_t NO_IDENTITY[FRAMES_IDENTITY_BYTES];

/* ---- the connecting side ---- */

static void watch(struct zmq_link *zmq, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    epoll_ctl(zmq->epoll, operation, fd, &event);
}

static int64_t jittered(int64_t ns)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint32_t)clock_now_ns();
    return ns / 2 + (int64_t)((uint64_t)ns / 2 * random >> 32);
}

static int dial(struct zmq_link *zmq, struct error *error)
{
    int rc = socket_dial(&zmq->socket, &zmq->dial.monitor, zmq->context, zmq->dial.url, error);

    if (rc != OK)
        return rc;
    watch(zmq, EPOLL_CTL_ADD, socket_fd(zmq->socket));
    watch(zmq, EPOLL_CTL_ADD, socket_fd(zmq->dial.monitor));
    zmq->dial.attempt_ends_ns = clock_now_ns() + DIAL_NS;
    /* Edges from before the descriptors were watched. */
    zmq->has_input = true;
    return OK;
}

static void hang_up(struct zmq_link *zmq, int64_t linger_ns)
{
    struct dial *dialled = &zmq->dial;

    if (!zmq->socket)
        return;
    watch(zmq, EPOLL_CTL_DEL, socket_fd(zmq->socket));
    watch(zmq, EPOLL_CTL_DEL, socket_fd(dialled->monitor));
    zmq_socket_monitor(zmq->socket, NULL, 0);
    socket_close(&dialled->monitor, 0);
    socket_close(&zmq->socket, linger_ns);
    dialled->next_attempt_ns = clock_now_ns() + jittered(dialled->pause_ns);
    dialled->pause_ns = 2 * dialled->pause_ns < PAUSE_NS_MAX ? 2 * dialled->pause_ns : PAUSE_NS_MAX;
    dialled->is_up = dialled->has_ended = false;
}

/* Try again when it is time to; give an attempt up when its time is over. */
static void keep_dialling(struct zmq_link *zmq)
{
    struct dial *dialled = &zmq->dial;
    int64_t now_ns;

    if (!dialled->url || dialled->is_up)
        return;
    now_ns = clock_now_ns();
    if (zmq->socket && now_ns >= dialled->attempt_ends_ns)
        hang_up(zmq, 0);
    if (!zmq->socket && now_ns >= dialled->next_attempt_ns && dial(zmq, NULL) != OK)
        dialled->next_attempt_ns = now_ns + PAUSE_NS_MAX;
}

static enum link_event_type read_monitor(struct zmq_link *zmq, struct link_event *event)
{
    struct dial *dialled = &zmq->dial;

    switch (monitor_read(dialled->monitor)) {
    case DIAL_NO_NEWS:
        break;
    case DIAL_DOWN:
        dialled->has_ended = true;
        break;
    case DIAL_UP:
        dialled->is_up = true;
        dialled->pause_ns = PAUSE_NS_MIN;
        *event =
            (struct link_event){.type = LINK_CONNECTED, .peer = peer_new(zmq, NO_IDENTITY)->number};
        return LINK_CONNECTED;
    }
    return LINK_NOTHING;
}

/* ---- receiving ---- */

/* Take one message from the socket. false: there is none. */
static bool read_socket(struct zmq_link *zmq)
{
    bool is_listening = !zmq->dial.url;
    struct frames frames;
    struct peer *peer;

    if (!zmq->socket || frames_receive(zmq->socket, is_listening, &frames) != FRAMES_DONE)
        return false;
    peer = find_identity(zmq, is_listening ? frames.identity : NO_IDENTITY);
    /* A stranger becomes a peer with the first sound thing that it says. */
    if (!peer && is_listening && frames.is_sound)
        peer = peer_new(zmq, frames.identity);
    if (peer) {
        zmq->inbox_peer = peer->number;
        if (!batch_receiver_take(&peer->receiver, &frames, &zmq->inbox))
            lose(zmq, peer);
    }
    frames_clear(&frames);
    return true;
}

static enum link_event_type report_gone(struct zmq_link *zmq, struct link_event *event)
{
    *event = (struct link_event){.type = LINK_GONE, .peer = zmq->gone[0]};
    zmq->gone_count--;
    memmove(zmq->gone, zmq->gone + 1, zmq->gone_count * sizeof *zmq->gone);
    return LINK_GONE;
}

/* The connection is over and all that came over it was read. */
static void end_connection(struct zmq_link *zmq)
{
    struct peer *peer = find_identity(zmq, NO_IDENTITY);

    if (peer)
        lose(zmq, peer);
    hang_up(zmq, 0);
}

static enum link_event_type receive(struct link *link, struct link_event *event)
{
    struct zmq_link *zmq = link_of(link);
    eventfd_t ignored;

    for (;;) {
        if (inbox_pop(&zmq->inbox, &event->message)) {
            event->type = LINK_MESSAGE;
            event->peer = zmq->inbox_peer;
            return LINK_MESSAGE;
        }
        if (zmq->gone_count)
            return report_gone(zmq, event);
        if (zmq->dial.is_up && !find_identity(zmq, NO_IDENTITY))
            hang_up(zmq, 0); /* what it sent was malformed */
        /* Before a connection is known to be up nothing can have come over it. */
        if ((!zmq->dial.url || zmq->dial.is_up) && read_socket(zmq))
            continue;
        if (zmq->dial.has_ended) {
            end_connection(zmq);
            continue;
        }
        if (zmq->dial.monitor && read_monitor(zmq, event) == LINK_CONNECTED)
            return LINK_CONNECTED;
        if (zmq->dial.has_ended)
            continue;
        break;
    }
    if (zmq->retry_ns != INT64_MAX)
        eventfd_read(zmq->room_fd, &ignored);
    zmq->has_input = false;
    return event->type = LINK_NOTHING;
}

/* ---- sending ---- */

static void send_messages(struct link *link, link_peer number, struct message *messages,
                          size_t count)
{
    struct zmq_link *zmq = link_of(link);
    struct peer *peer = find_number(zmq, number);

    for (size_t i = 0; i < count; i++)
        if (peer)
            outbox_push(&peer->sender.outbox, messages + i);
        else
            message_clear(messages + i);
    if (!peer || peer->has_unsent || !count)
        return;
    peer->has_unsent = true;
    zmq->unsent = memory_grow(zmq->unsent, zmq->unsent_count + 1, sizeof *zmq->unsent);
    zmq->unsent[zmq->unsent_count++] = peer;
}

/* false: something is left. */
static bool flush_peer(struct zmq_link *zmq, struct peer *peer)
{
    const uint8_t *identity = zmq->dial.url ? NULL : peer->identity;

    switch (batch_sender_flush(&peer->sender, zmq->socket, identity)) {
    case FRAMES_NOT_NOW:
        return false;
    case FRAMES_UNREACHABLE:
        lose(zmq, peer);
        return true;
    case FRAMES_DONE:
        break;
    }
    peer->has_unsent = false;
    return true;
}

static void flush(struct link *link)
{
    struct zmq_link *zmq = link_of(link);
    bool was_busy = zmq->unsent_count;

    keep_dialling(zmq);
    zmq->retry_ns = INT64_MAX;
    for (size_t i = 0; i < zmq->unsent_count;) {
        struct peer *peer = zmq->unsent[i];

        if (!flush_peer(zmq, peer)) {
            i++;
            continue;
        }
        /* A peer that was lost has left the list already. */
        if (i < zmq->unsent_count && zmq->unsent[i] == peer)
            zmq->unsent[i] = zmq->unsent[--zmq->unsent_count];
    }
    if (zmq->unsent_count)
        zmq->retry_ns = clock_now_ns() + RETRY_NS;
    if (was_busy && zmq->socket)
        zmq->has_input = socket_has_input(zmq->socket);
}

static void drop(struct link *link, link_peer number)
{
    struct zmq_link *zmq = link_of(link);
    struct peer *peer = find_number(zmq, number);

    if (!peer)
        return;
    peer_free(zmq, peer);
    if (zmq->dial.url)
        hang_up(zmq, 0);
}

/* ---- the rest of a link ---- */

static int64_t deadline(const struct link *link)
{
    const struct zmq_link *zmq = link_of(link);
    const struct dial *dialled = &zmq->dial;
    int64_t dial_ns = zmq->socket ? dialled->attempt_ends_ns : dialled->next_attempt_ns;

    if (zmq->has_input || zmq->gone_count)
        return 0;
    if (dialled->url && !dialled->is_up && dial_ns < zmq->retry_ns)
        return dial_ns;
    return zmq->retry_ns;
}

static int descriptor(const struct link *link)
{
    return link_of(link)->epoll;
}

static void flush_all(struct zmq_link *zmq, int64_t until_ns)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};

    /* On a connection that is not up nothing has been promised to anyone. */
    while (zmq->socket && (!zmq->dial.url || zmq->dial.is_up)) {
        flush(&zmq->link);
        if (!zmq->unsent_count || clock_now_ns() >= until_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

static void close_link(struct link **link, int64_t linger_ns)
{
    struct zmq_link *zmq = *link ? link_of(*link) : NULL;
    int64_t until_ns = clock_now_ns() + linger_ns, left_ns;
    struct peer *peer, *next;

    *link = NULL;
    if (!zmq)
        return;
    flush_all(zmq, until_ns);
    HASH_ITER(by_number, zmq->by_number, peer, next)
    {
        peer_free(zmq, peer);
    }
    left_ns = until_ns - clock_now_ns();
    left_ns = left_ns > 0 ? left_ns : 0;
    if (zmq->dial.url)
        hang_up(zmq, left_ns);
    socket_close(&zmq->socket, left_ns);
    context_free(&zmq->context);
    inbox_clear(&zmq->inbox);
    close(zmq->epoll);
    close(zmq->room_fd);
    memory_free(zmq->unsent);
    memory_free(zmq->gone);
    memory_free(zmq->dial.url);
    memory_free(zmq);
}

static const struct link_ops ZMQ_OPS = {
    .name = "zmq",
    .fd = descriptor,
    .receive = receive,
    .send = send_messages,
    .flush = flush,
    .drop = drop,
    .deadline = deadline,
    .close = close_link,
};

static int make_link(struct zmq_link **out, struct error *error)
{
    struct zmq_link *zmq = memory_new(sizeof *zmq);
    int rc;

    *out = zmq;
    zmq->link.ops = &ZMQ_OPS;
    zmq->retry_ns = INT64_MAX;
    zmq->epoll = epoll_create1(EPOLL_CLOEXEC);
    zmq->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (zmq->epoll < 0 || zmq->room_fd < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for ZeroMQ");
    watch(zmq, EPOLL_CTL_ADD, zmq->room_fd);
    rc = context_new(&zmq->context, error);
    return rc;
}

static int listen_on(struct link **out, const char *const *urls, size_t count, struct error *error)
{
    struct zmq_link *zmq;
    int rc = make_link(&zmq, error);

    *out = &zmq->link;
    if (rc == OK)
        rc = socket_listen(&zmq->socket, zmq->context, urls, count, error);
    if (rc == OK)
        watch(zmq, EPOLL_CTL_ADD, socket_fd(zmq->socket));
    else
        close_link(out, 0);
    return rc;
}

static int connect_to(struct link **out, const char *url, struct error *error)
{
    struct zmq_link *zmq;
    int rc = make_link(&zmq, error);

    *out = &zmq->link;
    zmq->dial.url = memory_text(url);
    zmq->dial.pause_ns = PAUSE_NS_MIN;
    if (rc == OK)
        rc = dial(zmq, error);
    if (rc != OK)
        close_link(out, 0);
    return rc;
}

__attribute__((visibility("default"))) const struct link_zmq_module sheaf_link_zmq = {
    .abi = LINK_ZMQ_ABI, .listen = listen_on, .connect = connect_to};
