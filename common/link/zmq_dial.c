#include "link/zmq_dial.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/zmq_address.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <zmq.h>

/* A connection that has not come about by then never will. */
#define DIAL_NS (5 * NS_PER_S)
#define PAUSE_NS_MIN (100 * NS_PER_MS)
#define PAUSE_NS_MAX (5 * NS_PER_S)
enum { NUMERIC_BYTES = 128 };

static void watch(const struct dial *dial, int operation, void *socket)
{
    struct epoll_event event = {.events = EPOLLIN};

    epoll_ctl(dial->epoll, operation, socket_fd(socket), &event);
}

static int64_t jittered(int64_t ns)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint32_t)clock_now_ns();
    return ns / 2 + (int64_t)((uint64_t)ns / 2 * random >> 32);
}

static int attempt(struct dial *dial, const char *url, struct error *error)
{
    int rc = socket_dial(&dial->socket, dial->context, url, address_is_v6(url), error);

    if (rc != OK)
        return rc;
    watch(dial, EPOLL_CTL_ADD, dial->socket.socket);
    watch(dial, EPOLL_CTL_ADD, dial->socket.monitor);
    dial->attempt_ends_ns = clock_now_ns() + DIAL_NS;
    return OK;
}

int dial_start(struct dial *dial, void *context, int epoll, const char *url, struct error *error)
{
    int rc = address_check(url, error);

    *dial = (struct dial){
        .url = memory_text(url), .context = context, .epoll = epoll, .pause_ns = PAUSE_NS_MIN};
    if (rc == OK && !address_has_both_families(url))
        rc = attempt(dial, url, error);
    return rc;
}

void dial_clear(struct dial *dial)
{
    resolve_clear(&dial->resolve);
    memory_free(dial->url);
    *dial = (struct dial){0};
}

static void pause_dialling(struct dial *dial)
{
    dial->next_attempt_ns = clock_now_ns() + jittered(dial->pause_ns);
    dial->pause_ns = 2 * dial->pause_ns < PAUSE_NS_MAX ? 2 * dial->pause_ns : PAUSE_NS_MAX;
}

static bool attempt_name(struct dial *dial, int64_t now_ns)
{
    char url[NUMERIC_BYTES];

    switch (resolve_next(&dial->resolve, dial->url, url, sizeof url)) {
    case RESOLVE_UNDER_WAY:
        dial->next_attempt_ns = now_ns + dial->resolve.look_ns;
        return false;
    case RESOLVE_FAILED:
        break;
    case RESOLVE_DONE:
        if (attempt(dial, url, NULL) == OK)
            return true;
    }
    pause_dialling(dial);
    return false;
}

bool dial_keep(struct dial *dial)
{
    int64_t now_ns;

    if (!dial->url || dial->is_up)
        return false;
    now_ns = clock_now_ns();
    if (dial->socket.socket && now_ns >= dial->attempt_ends_ns)
        dial_hang_up(dial, 0);
    if (dial->socket.socket || now_ns < dial->next_attempt_ns)
        return false;
    if (address_has_both_families(dial->url))
        return attempt_name(dial, now_ns);
    if (attempt(dial, dial->url, NULL) == OK)
        return true;
    pause_dialling(dial);
    return false;
}

enum dial_news dial_look(struct dial *dial)
{
    enum dial_news news = dial->socket.monitor ? monitor_read(dial->socket.monitor) : DIAL_NO_NEWS;

    switch (news) {
    case DIAL_NO_NEWS:
        /* Nobody reads the socket yet, but its descriptor stays readable until it was asked. */
        if (dial->socket.socket && !dial->is_up)
            socket_has_input(dial->socket.socket);
        break;
    case DIAL_DOWN:
        dial->has_ended = true;
        break;
    case DIAL_UP:
        dial->is_up = true;
        break;
    }
    return news;
}

void dial_hang_up(struct dial *dial, int64_t linger_ns)
{
    if (!dial->socket.socket)
        return;
    watch(dial, EPOLL_CTL_DEL, dial->socket.socket);
    watch(dial, EPOLL_CTL_DEL, dial->socket.monitor);
    zmq_socket_monitor(dial->socket.socket, NULL, 0);
    socket_close(&dial->socket.monitor, 0);
    socket_close(&dial->socket.socket, linger_ns);
    if (dial->is_up)
        resolve_clear(&dial->resolve);
    /* The other addresses of a name are as good as the first. */
    if (!dial->resolve.next)
        pause_dialling(dial);
    dial->is_up = dial->has_ended = false;
}

void dial_is_welcome(struct dial *dial)
{
    dial->pause_ns = PAUSE_NS_MIN;
}

int64_t dial_deadline(const struct dial *dial)
{
    if (!dial->url || dial->is_up)
        return INT64_MAX;
    return dial->socket.socket ? dial->attempt_ends_ns : dial->next_attempt_ns;
}
