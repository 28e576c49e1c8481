#include "daemon.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/patience.h"
#include "base/signals.h"
#include "link/link_mpi.h"
#include "link/link_pool.h"
#include "link/link_zmq.h"
#include "link/loop.h"
#include "link/self.h"
#include "link/trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A coordinator that is there answers sooner. */
#define SAY_WAITING_NS (2 * NS_PER_S)

enum { POOL_LINK }; /* the first that is added */

struct daemon {
    const struct daemon_options *options;
    struct node *node;
    struct loop *loop;
    struct ranks *ranks;
    const struct link *pool, *up; /* of the loop */
    struct trace *trace;          /* NULL: none is wanted */
    int signal_fd;
    struct patience patience;
    int stopped_by;
    bool is_joined, was_joined, is_draining, said_waiting, is_detached, is_released;
};

static bool is_rank(const struct daemon *daemon)
{
    return !strcmp(daemon->options->connect, LINK_MPI_URL);
}

static void take_action(void *context, struct action *action)
{
    const struct daemon *daemon = context;

    if (action->type == ACTION_NOTICE)
        log_line(&daemon->options->log, LOG_NORMAL, "%s", action->notice);
}

static void hear(void *context, size_t link, link_peer peer, const struct message *message,
                 int64_t now_ns)
{
    const struct daemon *daemon = context;

    if (link == POOL_LINK)
        trace_hear(daemon->trace, pool_slot_of(peer), message, now_ns);
}

static void make_node(struct daemon *daemon, uint32_t processes)
{
    struct node_options node;

    self_describe(&node);
    node.role = ROLE_WORKER;
    node.memory_bytes = daemon->options->memory_bytes;
    node.slots_hint = processes;
    node_new(&daemon->node, &node);
}

static int begin_ranks(struct daemon *daemon, struct error *error)
{
    const struct daemon_options *options = daemon->options;
    const struct ranks_options ranks = {.program = options->log.program,
                                        .version = options->version,
                                        .launch = launch_read(),
                                        .limit_ns = options->give_up_ns};

    if (!ranks.launch.rank)
        return error_set(error, ERROR_USAGE,
                         "--connect %s is for the ranks of an mpirun: mpirun sheaf sum … --backend "
                         "mpi starts them",
                         LINK_MPI_URL);
    return link_mpi_begin(&daemon->ranks, &ranks, error);
}

static int open_up(struct daemon *daemon, struct error *error)
{
    struct link *up;
    int rc = is_rank(daemon) ? link_mpi_open(&up, daemon->ranks, error)
                             : link_zmq_connect(&up, daemon->options->connect, error);

    if (rc != OK)
        return rc;
    daemon->up = up;
    loop_add_link(daemon->loop, up);
    return OK;
}

/* Pool processes before MPI, and MPI before the signals come through a descriptor. */
static int open_all(struct daemon *daemon, struct error *error)
{
    const struct daemon_options *options = daemon->options;
    struct loop_hooks hooks = {.context = daemon, .action = take_action, .heard = hear};
    uint32_t processes = options->processes ? (uint32_t)options->processes : pool_usable_cpus();
    struct pool_options pool = {.processes = processes,
                                .log_level = (int)options->log.level,
                                .starts_now = is_rank(daemon)};
    struct link *down;
    int rc;

    make_node(daemon, processes);
    /* mpirun makes one standard output of those of all ranks. */
    rc = trace_open(&daemon->trace, !is_rank(daemon), error);
    if (rc == OK)
        rc = loop_new(&daemon->loop, daemon->node, &hooks, error);
    if (rc == OK)
        rc = link_pool_open(&down, &pool, error);
    if (rc == OK) {
        daemon->pool = down;
        loop_add_link(daemon->loop, down);
    }
    if (rc == OK && is_rank(daemon))
        rc = begin_ranks(daemon, error);
    if (rc == OK)
        rc = signals_open(&daemon->signal_fd, error);
    if (rc == OK)
        rc = open_up(daemon, error);
    if (rc == OK) {
        loop_add_fd(daemon->loop, daemon->signal_fd, POLLIN);
        if (options->is_attached)
            loop_add_fd(daemon->loop, STDIN_FILENO, POLLIN);
        log_line(&options->log, LOG_VERBOSE, "connecting to %s with %u processes", options->connect,
                 processes);
    }
    return rc;
}

static void close_all(struct daemon *daemon, int status)
{
    struct error error;

    if (trace_close(&daemon->trace, &error) != OK)
        log_line(&daemon->options->log, LOG_QUIET, "%s", error.text);
    signals_close(daemon->signal_fd);
    loop_free(&daemon->loop);
    node_free(&daemon->node);
    link_mpi_end(&daemon->ranks, status);
}

/* One line each time the coordinator comes or goes. */
static void look_at_coordinator(struct daemon *daemon)
{
    bool is_joined = node_unreachable_since(daemon->node) == INT64_MAX;

    if (is_joined == daemon->is_joined)
        return;
    log_line(&daemon->options->log, LOG_VERBOSE, "%s %s",
             !is_joined           ? "lost"
             : daemon->was_joined ? "rejoined"
                                  : "joined",
             daemon->options->connect);
    daemon->is_joined = is_joined;
    daemon->was_joined |= is_joined;
}

static void drain(struct daemon *daemon)
{
    struct event event = {.type = EVENT_DRAIN, .now_ns = clock_now_ns()};

    daemon->is_draining = true;
    log_line(&daemon->options->log, LOG_VERBOSE, "finishing what is held");
    loop_submit(daemon->loop, &event);
}

static int look_at_signals(struct daemon *daemon, struct error *error)
{
    int number = signals_take(daemon->signal_fd);

    if (!number)
        return OK;
    if (number == SIGTERM && !daemon->is_draining) {
        drain(daemon);
        return OK;
    }
    daemon->stopped_by = number;
    return error_set(error, ERROR_STOPPED, "stopped by signal %d", number);
}

static int look_at_clock(struct daemon *daemon, struct error *error)
{
    const struct daemon_options *options = daemon->options;
    bool is_waiting = node_unreachable_since(daemon->node) != INT64_MAX;
    int64_t waited_ns = patience_look(&daemon->patience, is_waiting, clock_now_ns());

    if (is_rank(daemon))
        return OK; /* the ranks have begun together */
    if (!daemon->was_joined && !daemon->said_waiting && waited_ns > SAY_WAITING_NS) {
        daemon->said_waiting = true;
        log_line(&options->log, LOG_NORMAL, "waiting for a coordinator at %s", options->connect);
    }
    if (!options->give_up_ns || waited_ns <= options->give_up_ns)
        return OK;
    return error_set(error, ERROR_FARM, "%s: no coordinator answers (waited %g s)",
                     options->connect, (double)options->give_up_ns / (double)NS_PER_S);
}

static int look_at_links(struct daemon *daemon, struct error *error)
{
    const char *sentence = daemon->pool->ops->over(daemon->pool);

    if (sentence)
        return error_set(error, ERROR_FAILED, "%s", sentence);
    sentence = daemon->up->ops->over ? daemon->up->ops->over(daemon->up) : NULL;
    if (sentence && *sentence)
        return error_set(error, ERROR_FARM, "%s", sentence);
    daemon->is_released = sentence != NULL;
    return OK;
}

/* Whoever holds the other end of standard input is gone when it ends; what it says means nothing.
 */
static void look_at_input(struct daemon *daemon)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char text[512];
    ssize_t length;

    if (!daemon->options->is_attached || poll(&input, 1, 0) <= 0)
        return;
    length = read(STDIN_FILENO, text, sizeof text);
    daemon->is_detached = length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN);
}

/* A drained worker without a coordinator has nobody to answer to. */
static bool is_over(const struct daemon *daemon)
{
    return daemon->is_detached || daemon->is_released ||
           (daemon->is_draining && (node_is_idle(daemon->node) || !daemon->is_joined));
}

int daemon_run(const struct daemon_options *options, int *stopped_by, struct error *error)
{
    struct daemon daemon = {.options = options, .signal_fd = -1};
    int rc = open_all(&daemon, error);

    while (rc == OK && !is_over(&daemon)) {
        loop_round(daemon.loop, daemon.is_joined ? NS_PER_S : 100 * NS_PER_MS);
        look_at_coordinator(&daemon);
        look_at_input(&daemon);
        rc = look_at_signals(&daemon, error);
        if (rc == OK)
            rc = look_at_clock(&daemon, error);
        if (rc == OK)
            rc = look_at_links(&daemon, error);
    }
    close_all(&daemon, daemon.stopped_by ? 128 + daemon.stopped_by
                       : rc == OK        ? 0
                                         : error_exit_status((enum error_code)rc));
    *stopped_by = daemon.stopped_by;
    return rc;
}
