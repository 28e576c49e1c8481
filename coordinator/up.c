#include "up.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/signals.h"
#include "cli.h"
#include "farm_url.h"
#include "link/pool_process.h"
#include "link/trace.h"
#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STARTING_MAX = 16, SELF_BYTES = 4096 };
/* For the command to end by itself after Ctrl-C, and for ssh to bring its worker down. */
#define PATIENCE_NS (3 * NS_PER_S)

struct up {
    const struct up_options *options;
    struct log log;
    struct hosts hosts;
    struct remote *remotes; /* as many as hosts; owned */
    struct remote_plan plan;
    struct farm_url url;
    char *words;   /* of SHEAF_SSH, cut in place; owned */
    char **ssh;    /* owned */
    char *program; /* sheaf-worker beside this program; owned */
    char self[SELF_BYTES];
    struct child coordinator, command;
    struct pollfd *polled; /* owned; room for all */
    int signal_fd;
    char last_line[ERROR_TEXT_BYTES]; /* of the coordinator */
    bool is_listening; /* the coordinator says so; before, its address may be another's */
    bool is_ready;     /* every host has come up or has not */
    bool is_over;
    int signal;         /* that was taken, 0: none */
    int64_t forward_ns; /* when the command gets that signal too */
    int status;
};

static size_t count(const struct up *up, enum remote_state state)
{
    size_t found = 0;

    for (size_t i = 0; i < up->hosts.count; i++)
        found += up->remotes[i].state == state;
    return found;
}

static void stop(struct up *up, int status)
{
    up->is_over = true;
    up->status = status;
}

/* The words of SHEAF_SSH, else a client that asks nothing and does not wait for ever. */
static void set_ssh(struct up *up)
{
    static char *const usual[] = {"ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
                                  NULL};
    const char *given = getenv("SHEAF_SSH");
    size_t words = 0;
    char *rest = NULL;

    if (!given || !given[strspn(given, " ")]) {
        up->plan.ssh = usual;
        return;
    }
    up->words = memory_text(given);
    up->ssh = memory_array(strlen(given) / 2 + 2, sizeof *up->ssh);
    for (char *word = strtok_r(up->words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        up->ssh[words++] = word;
    up->plan.ssh = up->ssh;
}

/* What the workers trace comes back with what they say. */
static int open_trace(struct up *up, struct error *error)
{
    const char *folder = getenv("SHEAF_TRACE");

    if (!folder || !*folder)
        return OK;
    return trace_make_file(&up->plan.trace, folder, "up", (uint32_t)getpid(), error);
}

/* Two descriptors for each host, and the usual limit is 1,024. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int start_coordinator(struct up *up, struct error *error)
{
    char *arguments[] = {
        up->self, "coordinator", "--listen", up->url.listen, up->options->verbose ? "-v" : NULL,
        NULL};
    ssize_t length = readlink("/proc/self/exe", up->self, sizeof up->self - 1);

    if (length < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "this program's own path is not known");
    return child_start(&up->coordinator, CHILD_PIPED, arguments, error);
}

static int prepare(struct up *up, struct error *error)
{
    int rc = hosts_read(&up->hosts, up->options->hosts, &up->log, error);

    if (rc == OK)
        rc = farm_url_choose(&up->url, up->options->listen, up->options->command.count > 0, error);
    if (rc == OK)
        rc = process_program(&up->program, NULL, error);
    if (rc != OK)
        return rc;
    raise_limit();
    set_ssh(up);
    up->plan.program = up->options->worker ? up->options->worker : "sheaf-worker";
    /* What was named is meant, and nothing else. */
    up->plan.fallback = up->options->worker ? up->options->worker : up->program;
    up->plan.address = up->options->address ? up->options->address : up->url.address;
    up->plan.port = up->url.port;
    up->plan.log = up->log;
    up->remotes = memory_array(up->hosts.count, sizeof *up->remotes);
    for (size_t i = 0; i < up->hosts.count; i++)
        remote_init(&up->remotes[i], &up->hosts.items[i]);
    rc = open_trace(up, error);
    if (rc != OK)
        return rc;
    up->polled = memory_array(4 + 2 * up->hosts.count, sizeof *up->polled);
    rc = signals_open(&up->signal_fd, error);
    return rc == OK ? start_coordinator(up, error) : rc;
}

/* It is the same program, and begins its lines as we do. */
static void take_line_of_coordinator(void *context, const char *line)
{
    static const char PROGRAM[] = "sheaf: ", LISTENING[] = "listening on ";
    struct up *up = context;

    if (strncmp(line, PROGRAM, sizeof PROGRAM - 1) == 0)
        line += sizeof PROGRAM - 1;
    if (strncmp(line, LISTENING, sizeof LISTENING - 1) == 0) {
        up->is_listening = true;
        return;
    }
    log_line(&up->log, LOG_VERBOSE, "%s", line);
    snprintf(up->last_line, sizeof up->last_line, "%s", line);
}

static void hear_coordinator(struct up *up)
{
    child_hear(&up->coordinator, take_line_of_coordinator, up);
}

static void start_more(struct up *up)
{
    size_t starting = count(up, REMOTE_STARTING);

    if (!up->is_listening)
        return;

    for (size_t i = 0; i < up->hosts.count && starting < STARTING_MAX; i++) {
        if (up->remotes[i].state != REMOTE_WAITING)
            continue;
        remote_start(&up->remotes[i], &up->plan, clock_now_ns());
        starting += up->remotes[i].state == REMOTE_STARTING;
    }
}

static void look_at_remotes(struct up *up)
{
    int64_t wait_ns = up->options->wait_ns, late_ns = clock_now_ns() - wait_ns;

    for (size_t i = 0; i < up->hosts.count; i++) {
        struct remote *remote = &up->remotes[i];

        remote_look(remote, &up->plan);
        if (wait_ns && remote->state == REMOTE_STARTING && remote->since_ns <= late_ns)
            remote_stop(remote, &up->plan, "it did not join in time (--wait)");
    }
}

static void start_command(struct up *up)
{
    const struct texts *words = &up->options->command;
    char **arguments = memory_array(words->count + 2, sizeof *arguments);
    struct error error;

    arguments[0] = up->self;
    for (size_t i = 0; i < words->count; i++)
        arguments[i + 1] = (char *)(uintptr_t)words->items[i];
    if (child_start(&up->command, CHILD_FOREGROUND, arguments, &error) != OK)
        stop(up, cli_fail(&error));
    memory_free(arguments);
}

static void become_ready(struct up *up)
{
    size_t joined = count(up, REMOTE_JOINED);

    if (up->is_ready || count(up, REMOTE_WAITING) || count(up, REMOTE_STARTING))
        return;
    up->is_ready = true;
    if (!joined)
        return;
    log_line(&up->log, LOG_NORMAL, "%zu of %zu hosts are up; the farm is %s", joined,
             up->hosts.count, up->url.farm);
    setenv("SHEAF_FARM", up->url.farm, true);
    if (up->options->command.count)
        start_command(up);
}

static void look_for_ends(struct up *up)
{
    bool has_command = child_runs(&up->command);
    int status;

    if (child_reap(&up->command, &status)) {
        stop(up, status);
    } else if (child_reap(&up->coordinator, &status)) {
        hear_coordinator(up);
        if (*up->last_line && !up->options->verbose)
            log_line(&up->log, LOG_QUIET, "%s", up->last_line);
        log_line(&up->log, LOG_QUIET, "the coordinator has ended with status %d", status);
        stop(up, status ? status : error_exit_status(ERROR_FARM));
    } else if (up->is_ready && !count(up, REMOTE_JOINED)) {
        log_line(&up->log, LOG_QUIET, "%s", has_command ? "every host is gone" : "no host is up");
        stop(up, error_exit_status(ERROR_FARM));
    }
}

/* A terminal's Ctrl-C reaches the command without us, so that it is passed on only when the command
 * does not end of itself. */
static void look_at_signals(struct up *up)
{
    int64_t now_ns = clock_now_ns();
    int number = signals_take(up->signal_fd);

    if (number) {
        up->signal = number;
        up->forward_ns = number == SIGINT ? now_ns + NS_PER_S : now_ns;
        if (!child_runs(&up->command))
            stop(up, up->options->command.count ? 128 + number : 0);
    }
    if (up->signal && up->forward_ns <= now_ns) {
        child_signal(&up->command, up->signal);
        up->forward_ns = INT64_MAX;
    }
}

static void add_polled(struct up *up, nfds_t *used, int fd)
{
    if (fd >= 0)
        up->polled[(*used)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* The one place that sleeps. */
static void wait_for_news(struct up *up, int ms)
{
    nfds_t used = 0;

    add_polled(up, &used, up->signal_fd);
    add_polled(up, &used, up->coordinator.pidfd);
    add_polled(up, &used, up->coordinator.output);
    add_polled(up, &used, up->command.pidfd);
    for (size_t i = 0; i < up->hosts.count; i++) {
        add_polled(up, &used, up->remotes[i].ssh.pidfd);
        add_polled(up, &used, up->remotes[i].ssh.output);
    }
    poll(up->polled, used, ms);
}

static void run(struct up *up)
{
    while (!up->is_over) {
        start_more(up);
        wait_for_news(up, 500);
        hear_coordinator(up);
        look_at_remotes(up);
        look_at_signals(up);
        if (!up->is_over && !up->signal)
            become_ready(up);
        if (!up->is_over)
            look_for_ends(up);
    }
}

static bool anything_runs(const struct up *up)
{
    bool runs = child_runs(&up->command) || child_runs(&up->coordinator);

    for (size_t i = 0; i < up->hosts.count; i++)
        runs |= child_runs(&up->remotes[i].ssh);
    return runs;
}

/* The hosts' ends of the connections see their input end; who does not go within a while is killed
 * by what clears it. */
static void take_down(struct up *up)
{
    int64_t end_ns = clock_now_ns() + PATIENCE_NS;
    int status;

    child_signal(&up->command, SIGTERM);
    for (size_t i = 0; i < up->hosts.count; i++)
        remote_stop(&up->remotes[i], &up->plan, NULL);
    child_signal(&up->coordinator, SIGTERM);
    signals_close(up->signal_fd);
    up->signal_fd = -1;
    while (anything_runs(up) && clock_now_ns() < end_ns) {
        wait_for_news(up, 100);
        hear_coordinator(up);
        look_at_remotes(up);
        child_reap(&up->command, &status);
        child_reap(&up->coordinator, &status);
    }
}

static void clear(struct up *up)
{
    for (size_t i = 0; up->remotes && i < up->hosts.count; i++)
        remote_clear(&up->remotes[i]);
    child_clear(&up->command);
    child_clear(&up->coordinator);
    signals_close(up->signal_fd);
    if (up->plan.trace && fclose(up->plan.trace))
        log_line(&up->log, LOG_QUIET, "the trace could not be written whole: %s", strerror(errno));
    memory_free(up->remotes);
    memory_free(up->polled);
    memory_free(up->program);
    memory_free(up->ssh);
    memory_free(up->words);
    hosts_clear(&up->hosts);
}

int up_run(const struct up_options *options)
{
    struct up up = {
        .options = options,
        .log = {.program = "sheaf", .level = log_level_of(options->quiet, options->verbose)},
        .coordinator = CHILD_NONE,
        .command = CHILD_NONE,
        .signal_fd = -1};
    struct error error;

    if (prepare(&up, &error) == OK)
        run(&up);
    else
        up.status = cli_fail(&error);
    if (up.remotes)
        take_down(&up);
    clear(&up);
    return up.status;
}
