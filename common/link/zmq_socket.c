#include "link/zmq_socket.h"

#include "base/limits.h"
#include "link/zmq_address.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zmq.h>

/* libzmq allocates what a frame announces: the longest header or payload, and a part's own head. */
#define MESSAGE_BYTES_MAX ((int64_t)(BATCH_HEADER_BYTES_MAX + 64 * KIB))
/* Whether a peer is lost is the node's to say, by its silence. libzmq only cleans up behind it, so
 * the side that listens waits longer than the longest silence that is no loss (a stopped client).
 */
enum { BEAT_MS = 1000, DIALLED_SILENT_MS = 5000, LISTENED_SILENT_MS = 65000 };
enum { HANDSHAKE_MS = 3000, BACKLOG = 4096 };
/* In case that something holds libzmq's thread: an end may not depend on it. */
#define TERM_NS NS_PER_S

int context_new(void **out, struct error *error)
{
    sigset_t all, old;

    *out = zmq_ctx_new();
    if (!*out)
        return error_set_errno(error, ERROR_SYSTEM, errno, "ZeroMQ cannot be started");
    zmq_ctx_set(*out, ZMQ_BLOCKY, 0);
    /* The first socket starts the threads, which inherit this. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    zmq_close(zmq_socket(*out, ZMQ_PAIR));
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return OK;
}

static void *terminate(void *context)
{
    while (zmq_ctx_term(context) < 0 && errno == EINTR)
        continue;
    return NULL;
}

void context_free(void **context, int64_t linger_ns)
{
    int64_t wait_ns = linger_ns + TERM_NS;
    struct timespec end;
    pthread_t thread;

    if (!*context)
        return;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (end.tv_nsec + wait_ns) / NS_PER_S;
    end.tv_nsec = (end.tv_nsec + wait_ns) % NS_PER_S;
    if (pthread_create(&thread, NULL, terminate, *context))
        terminate(*context);
    else if (pthread_timedjoin_np(thread, NULL, &end))
        pthread_detach(thread);
    *context = NULL;
}

static void set(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

static void *make_socket(void *context, int type)
{
    const int64_t message_bytes = MESSAGE_BYTES_MAX;
    void *socket = zmq_socket(context, type);

    if (!socket)
        return NULL;
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_bytes, sizeof message_bytes);
    set(socket, ZMQ_LINGER, 0);
    set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set(socket, ZMQ_HEARTBEAT_IVL, BEAT_MS);
    set(socket, ZMQ_HEARTBEAT_TIMEOUT, type == ZMQ_ROUTER ? LISTENED_SILENT_MS : DIALLED_SILENT_MS);
    /* How long the other side is to wait for us. */
    set(socket, ZMQ_HEARTBEAT_TTL, type == ZMQ_ROUTER ? DIALLED_SILENT_MS : LISTENED_SILENT_MS);
    return socket;
}

static int refuse_to_bind(const char *url, int failure, struct error *error)
{
    if (failure == EADDRINUSE)
        return error_set(error, ERROR_FARM, "%s: the address is in use", url);
    if (failure == EINVAL || failure == EPROTONOSUPPORT || failure == ENOCOMPATPROTO)
        return address_refuse(url, error);
    if (failure == ENODEV)
        return error_set(error, ERROR_FARM, "%s: cannot listen there: no such host here", url);
    return error_set(error, ERROR_FARM, "%s: cannot listen there: %s", url, zmq_strerror(failure));
}

/* Names and * mean what this host has of the two families. */
static int bind_one(void *socket, const char *url, struct error *error)
{
    bool is_v6 = address_is_v6(url);
    int rc = address_check_to_bind(url, error);

    if (rc != OK)
        return rc;
    set(socket, ZMQ_IPV6, is_v6);
    if (zmq_bind(socket, url) == 0)
        return OK;
    if (errno != EADDRINUSE && address_has_both_families(url)) {
        set(socket, ZMQ_IPV6, !is_v6);
        if (zmq_bind(socket, url) == 0)
            return OK;
    }
    return refuse_to_bind(url, errno, error);
}

/* Each connection is a descriptor, and libzmq's thread spins when there are no more. */
static void allow_many_connections(void)
{
    struct rlimit limit;

    /* Not even called where there is nothing to gain: a service may not be allowed to. */
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int socket_listen(void **out, void *context, const char *const *urls, size_t count,
                  struct error *error)
{
    int rc = OK;

    allow_many_connections();
    *out = make_socket(context, ZMQ_ROUTER);
    if (!*out)
        return error_set_errno(error, ERROR_SYSTEM, errno, "no socket to listen on");
    /* A peer that is gone, or takes no more, is said; nothing is dropped silently. */
    set(*out, ZMQ_ROUTER_MANDATORY, 1);
    set(*out, ZMQ_BACKLOG, BACKLOG);
    for (size_t i = 0; rc == OK && i < count; i++)
        rc = bind_one(*out, urls[i], error);
    if (rc != OK)
        socket_close(out, 0);
    return rc;
}

static int watch(void **monitor, void *context, void *socket)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    char name[64];

    snprintf(name, sizeof name, "inproc://monitor-%p", socket);
    if (zmq_socket_monitor(socket, name, events) < 0)
        return -1;
    *monitor = zmq_socket(context, ZMQ_PAIR);
    if (!*monitor)
        return -1;
    set(*monitor, ZMQ_LINGER, 0);
    return zmq_connect(*monitor, name);
}

int socket_dial(struct socket_pair *out, void *context, const char *url, bool is_v6,
                struct error *error)
{
    int rc = OK;

    *out = (struct socket_pair){0};
    out->socket = make_socket(context, ZMQ_DEALER);
    if (!out->socket || watch(&out->monitor, context, out->socket) < 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no socket to connect with");
    if (rc == OK) {
        set(out->socket, ZMQ_RECONNECT_IVL, -1);
        set(out->socket, ZMQ_IMMEDIATE, 1);
        set(out->socket, ZMQ_IPV6, is_v6);
        if (zmq_connect(out->socket, url) < 0)
            rc = address_refuse(url, error);
    }
    if (rc != OK) {
        socket_close(&out->monitor, 0);
        socket_close(&out->socket, 0);
    }
    return rc;
}

void socket_close(void **socket, int64_t linger_ns)
{
    if (*socket) {
        set(*socket, ZMQ_LINGER, (int)(linger_ns / NS_PER_MS));
        zmq_close(*socket);
    }
    *socket = NULL;
}

int socket_fd(void *socket)
{
    int fd = -1;
    size_t length = sizeof fd;

    zmq_getsockopt(socket, ZMQ_FD, &fd, &length);
    return fd;
}

bool socket_has_input(void *socket)
{
    int events = 0;
    size_t length = sizeof events;

    while (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &length) < 0 && errno == EINTR)
        continue;
    return events & ZMQ_POLLIN;
}

/* The first frame is the event's number, in two bytes, and its value; the second an address. */
static bool take_event(void *monitor, uint16_t *event)
{
    zmq_msg_t frame;
    bool is_first = true, has_more = true;

    while (has_more) {
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, monitor, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return false;
        }
        if (is_first && zmq_msg_size(&frame) >= sizeof *event)
            memcpy(event, zmq_msg_data(&frame), sizeof *event);
        is_first = false;
        has_more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    return true;
}

enum dial_news monitor_read(void *monitor)
{
    uint16_t event = 0;

    if (!take_event(monitor, &event))
        return DIAL_NO_NEWS;
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? DIAL_UP : DIAL_DOWN;
}
