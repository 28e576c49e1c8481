/*
 * ZeroMQ as a link: the module that is loaded on demand.
 *
 * Listening is a ROUTER, and its peers are the identities that it draws for connections. An
 * identity that was dropped and speaks again is a new peer, whom the node does not know and will
 * answer so. Loss is the node's to decide, by silence; reported gone here is only who can no longer
 * be sent to, who sent what no peer sends, and the strangers that are too many.
 *
 * Connecting is a DEALER with one peer at a time.
 *
 * libzmq's descriptor is edge-triggered and sending may swallow an edge: after every flush that
 * sent something the socket is asked, and deadline() says 0 until receive() has been called.
 */
#include "link/link_zmq.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/zmq_address.h"
#include "link/zmq_dial.h"
#include "link/zmq_peers.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A peer whose queue in libzmq is full makes itself heard when it has room; this is if it does not.
 */
#define RETRY_NS (10 * NS_PER_MS)

struct zmq_link {
    struct link link;
    void *context;
    void *listener; /* NULL: this link connects */
    char **urls;    /* where it listens */
    size_t url_count;
    struct dial dial;
    int epoll, room_fd;
    struct peers peers;
    link_peer *gone; /* to be reported */
    size_t gone_count;
    struct inbox inbox;
    link_peer inbox_peer;
    bool has_input;
    bool has_waited;  /* for room, ever: room_fd may be written */
    int64_t retry_ns; /* when something could not be sent */
};

static const uint8_t NO_IDENTITY[FRAMES_IDENTITY_BYTES]; /* of the peer we connected to */

static struct zmq_link *link_of(const struct link *link)
{
    return (struct zmq_link *)(uintptr_t)link;
}

/* NULL between two attempts to connect. */
static void *socket_of(const struct zmq_link *zmq)
{
    return zmq->listener ? zmq->listener : zmq->dial.socket.socket;
}

static void watch(const struct zmq_link *zmq, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    epoll_ctl(zmq->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void forget(struct zmq_link *zmq, struct peer *peer)
{
    if (zmq->inbox_peer == peer->number)
        inbox_clear(&zmq->inbox);
    peers_remove(&zmq->peers, peer);
}

/* The peer is gone, and will be said to be. */
static void lose(struct zmq_link *zmq, struct peer *peer)
{
    zmq->gone = memory_grow(zmq->gone, zmq->gone_count + 1, sizeof *zmq->gone);
    zmq->gone[zmq->gone_count++] = peer->number;
    forget(zmq, peer);
}

/* We want no more of it. */
static void send_away(struct zmq_link *zmq, struct peer *peer)
{
    connection_end(&peer->connection);
    lose(zmq, peer);
}

static void send_away_all(struct zmq_link *zmq, int64_t now_ns)
{
    struct peer *peer;

    while ((peer = peers_next_to_go(&zmq->peers, now_ns)))
        send_away(zmq, peer);
}

/* ---- receiving ---- */

/* A stranger becomes a peer with the first thing that it says. */
static struct peer *sender_of(struct zmq_link *zmq, const struct frames *frames)
{
    struct peer *peer =
        peers_find_identity(&zmq->peers, zmq->listener ? frames->identity : NO_IDENTITY);

    if (peer || !zmq->listener || !frames->has_identity)
        return peer;
    peer = peers_add(&zmq->peers, frames->identity, STANDING_STRANGER);
    peer->connection = connection_of(frames);
    return peer;
}

static bool take_batch(struct peer *peer, struct frames *frames, struct inbox *inbox)
{
    switch (peer->standing) {
    case STANDING_STRANGER:
        return batch_take_greeting(frames, inbox);
    case STANDING_WELCOME:
        return batch_receiver_take(&peer->receiver, frames, inbox);
    case STANDING_LEAVING:
        break;
    }
    return true;
}

/* Take one message from the socket. false: there is none. */
static bool read_socket(struct zmq_link *zmq)
{
    struct frames frames;
    struct peer *peer;

    if (!socket_of(zmq) || frames_receive(socket_of(zmq), zmq->listener, &frames) != FRAMES_DONE)
        return false;
    peer = sender_of(zmq, &frames);
    if (peer) {
        zmq->inbox_peer = peer->number;
        if (!take_batch(peer, &frames, &zmq->inbox) ||
            (zmq->listener && batch_has_impostor(&zmq->inbox)))
            send_away(zmq, peer);
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
    struct peer *peer = peers_find_identity(&zmq->peers, NO_IDENTITY);

    if (peer)
        lose(zmq, peer);
    dial_hang_up(&zmq->dial, 0);
}

static enum link_event_type look_at_dial(struct zmq_link *zmq, struct link_event *event)
{
    if (dial_look(&zmq->dial) != DIAL_UP)
        return LINK_NOTHING;
    *event =
        (struct link_event){.type = LINK_CONNECTED,
                            .peer = peers_add(&zmq->peers, NO_IDENTITY, STANDING_WELCOME)->number};
    return LINK_CONNECTED;
}

static enum link_event_type receive(struct link *link, struct link_event *event)
{
    struct zmq_link *zmq = link_of(link);
    eventfd_t ignored;

    for (;;) {
        if (inbox_pop(&zmq->inbox, &event->message)) {
            if (event->message.type == MESSAGE_WELCOME)
                dial_is_welcome(&zmq->dial);
            event->type = LINK_MESSAGE;
            event->peer = zmq->inbox_peer;
            return LINK_MESSAGE;
        }
        if (zmq->gone_count)
            return report_gone(zmq, event);
        if (zmq->dial.is_up && !peers_find_identity(&zmq->peers, NO_IDENTITY))
            dial_hang_up(&zmq->dial, 0); /* what it sent was malformed */
        /* Before a connection is known to be up nothing can have come over it. */
        if ((zmq->listener || zmq->dial.is_up) && read_socket(zmq))
            continue;
        if (zmq->dial.has_ended) {
            end_connection(zmq);
            continue;
        }
        if (look_at_dial(zmq, event) == LINK_CONNECTED)
            return LINK_CONNECTED;
        if (zmq->dial.has_ended)
            continue;
        break;
    }
    if (zmq->has_waited)
        eventfd_read(zmq->room_fd, &ignored);
    zmq->has_input = false;
    return event->type = LINK_NOTHING;
}

/* ---- sending ---- */

/* What the node says to a peer is what it thinks of it. */
static void note_standing(struct zmq_link *zmq, struct peer *peer, const struct message *message)
{
    if (!zmq->listener)
        return;
    if (message->type == MESSAGE_WELCOME)
        peers_welcome(&zmq->peers, peer);
    if (message->type == MESSAGE_REFUSED && *message->refused.text)
        peers_refuse(&zmq->peers, peer, clock_now_ns());
}

static void send_messages(struct link *link, link_peer number, struct message *messages,
                          size_t count)
{
    struct zmq_link *zmq = link_of(link);
    struct peer *peer = peers_find_number(&zmq->peers, number);

    for (size_t i = 0; i < count; i++) {
        if (!peer) {
            message_clear(messages + i);
            continue;
        }
        note_standing(zmq, peer, messages + i);
        outbox_push(&peer->sender.outbox, messages + i);
        peers_note_unsent(&zmq->peers, peer);
    }
}

/* false: something is left. */
static bool flush_peer(struct zmq_link *zmq, struct peer *peer)
{
    const uint8_t *identity = zmq->listener ? peer->identity : NULL;

    switch (batch_sender_flush(&peer->sender, socket_of(zmq), identity)) {
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

static void flush_peers(struct zmq_link *zmq)
{
    struct peers *peers = &zmq->peers;

    for (size_t i = 0; i < peers->unsent_count;) {
        struct peer *peer = peers->unsent[i];

        if (!flush_peer(zmq, peer)) {
            i++;
            continue;
        }
        /* A peer that was lost has left the list already. */
        if (i < peers->unsent_count && peers->unsent[i] == peer)
            peers->unsent[i] = peers->unsent[--peers->unsent_count];
    }
}

static void flush(struct link *link)
{
    struct zmq_link *zmq = link_of(link);
    bool was_busy = zmq->peers.unsent_count;

    /* The edge may lie before the new socket's descriptor was watched. */
    zmq->has_input |= dial_keep(&zmq->dial);
    zmq->retry_ns = INT64_MAX;
    flush_peers(zmq);
    if (zmq->peers.unsent_count) {
        zmq->retry_ns = clock_now_ns() + RETRY_NS;
        zmq->has_waited = true;
    }
    if (zmq->peers.strangers || zmq->peers.leaving)
        send_away_all(zmq, clock_now_ns());
    if (was_busy && socket_of(zmq))
        zmq->has_input = socket_has_input(socket_of(zmq));
}

static void drop(struct link *link, link_peer number)
{
    struct zmq_link *zmq = link_of(link);
    struct peer *peer = peers_find_number(&zmq->peers, number);

    if (!peer)
        return;
    connection_end(&peer->connection);
    forget(zmq, peer);
    if (!zmq->listener)
        dial_hang_up(&zmq->dial, 0);
}

/* ---- the rest of a link ---- */

static int64_t deadline(const struct link *link)
{
    const struct zmq_link *zmq = link_of(link);
    int64_t deadline_ns = zmq->retry_ns;
    int64_t others_ns[] = {dial_deadline(&zmq->dial), peers_deadline(&zmq->peers)};

    if (zmq->has_input || zmq->gone_count)
        return 0;
    for (size_t i = 0; i < sizeof others_ns / sizeof *others_ns; i++)
        deadline_ns = others_ns[i] < deadline_ns ? others_ns[i] : deadline_ns;
    return deadline_ns;
}

static int descriptor(const struct link *link)
{
    return link_of(link)->epoll;
}

static void flush_all(struct zmq_link *zmq, int64_t until_ns)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};

    /* On a connection that is not up nothing has been promised to anyone. */
    while (zmq->listener || zmq->dial.is_up) {
        flush(&zmq->link);
        if (!zmq->peers.unsent_count || clock_now_ns() >= until_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

static void keep_addresses(struct zmq_link *zmq, const char *const *urls, size_t count)
{
    zmq->urls = memory_array(count, sizeof *zmq->urls);
    zmq->url_count = count;
    for (size_t i = 0; i < count; i++)
        zmq->urls[i] = memory_text(urls[i]);
}

static void leave_addresses(struct zmq_link *zmq)
{
    for (size_t i = 0; i < zmq->url_count; i++) {
        address_clean_up(zmq->urls[i]);
        memory_free(zmq->urls[i]);
    }
    memory_free(zmq->urls);
}

static void close_link(struct link **link, int64_t linger_ns)
{
    struct zmq_link *zmq = *link ? link_of(*link) : NULL;
    int64_t until_ns = clock_now_ns() + linger_ns, left_ns;

    *link = NULL;
    if (!zmq)
        return;
    flush_all(zmq, until_ns);
    peers_clear(&zmq->peers);
    left_ns = until_ns - clock_now_ns();
    left_ns = left_ns > 0 ? left_ns : 0;
    dial_hang_up(&zmq->dial, left_ns);
    socket_close(&zmq->listener, left_ns);
    context_free(&zmq->context, left_ns);
    leave_addresses(zmq);
    inbox_clear(&zmq->inbox);
    close(zmq->epoll);
    close(zmq->room_fd);
    memory_free(zmq->gone);
    dial_clear(&zmq->dial);
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
    zmq->peers.room_fd = zmq->room_fd;
    watch(zmq, zmq->room_fd);
    rc = context_new(&zmq->context, error);
    return rc;
}

static int listen_on(struct link **out, const char *const *urls, size_t count, struct error *error)
{
    struct zmq_link *zmq;
    int rc = make_link(&zmq, error);

    *out = &zmq->link;
    if (rc == OK)
        rc = socket_listen(&zmq->listener, zmq->context, urls, count, error);
    if (rc != OK) {
        close_link(out, 0);
        return rc;
    }
    watch(zmq, socket_fd(zmq->listener));
    keep_addresses(zmq, urls, count);
    return OK;
}

static int connect_to(struct link **out, const char *url, struct error *error)
{
    struct zmq_link *zmq;
    int rc = make_link(&zmq, error);

    *out = &zmq->link;
    if (rc == OK)
        rc = dial_start(&zmq->dial, zmq->context, zmq->epoll, url, error);
    zmq->has_input = true; /* as after dial_keep() */
    if (rc != OK)
        close_link(out, 0);
    return rc;
}

__attribute__((visibility("default"))) const struct link_zmq_module sheaf_link_zmq = {
    .abi = LINK_ZMQ_ABI, .listen = listen_on, .connect = connect_to};
