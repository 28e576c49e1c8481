#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_FOUND = 127, LINE_BYTES_MAX = 4096 };
/* Twice what a pipe holds: who never stops talking does not keep us from everything else. */
enum { READ_BYTES = 4096, READS_MAX = 32 };

struct pipes {
    int input[2], output[2]; /* reading end, writing end; -1: none */
};

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close_if_open(&pipes->input[i]);
        close_if_open(&pipes->output[i]);
    }
}

static int pipes_open(struct pipes *pipes, enum child_kind kind, struct error *error)
{
    *pipes = (struct pipes){{-1, -1}, {-1, -1}};
    if (kind != CHILD_PIPED)
        return OK;
    if (pipe2(pipes->input, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0)
        return OK;
    error_set_errno(error, ERROR_SYSTEM, errno, "no pipe to a program");
    pipes_close(pipes);
    return ERROR_SYSTEM;
}

static void set_files(const struct pipes *pipes, enum child_kind kind)
{
    switch (kind) {
    case CHILD_FOREGROUND:
        return;
    case CHILD_PIPED:
        dup2(pipes->input[0], STDIN_FILENO);
        dup2(pipes->output[1], STDOUT_FILENO);
        dup2(pipes->output[1], STDERR_FILENO);
        return;
    }
}

/* As before signals_begin() and signals_open(); what we were told to ignore stays ignored. */
static void reset_signals(void)
{
    static const int OURS[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction now;
    sigset_t none;

    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (sigaction(OURS[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaction(OURS[i], &usual, NULL);
    sigaction(SIGPIPE, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct pipes *pipes, enum child_kind kind,
                             char *const *arguments, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(STATUS_NOT_FOUND);
    if (kind != CHILD_FOREGROUND)
        setpgid(0, 0);
    set_files(pipes, kind);
    reset_signals();
    execvp(arguments[0], arguments);
    dprintf(STDERR_FILENO, "%s cannot be started: %s\n", arguments[0], strerror(errno));
    _exit(STATUS_NOT_FOUND);
}

int child_start(struct child *child, enum child_kind kind, char *const *arguments,
                struct error *error)
{
    pid_t parent = getpid();
    struct pipes pipes;
    int rc = pipes_open(&pipes, kind, error);

    *child = CHILD_NONE;
    if (rc != OK)
        return rc;
    child->pid = fork();
    if (child->pid == 0)
        become(&pipes, kind, arguments, parent);
    if (child->pid > 0)
        child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd < 0) {
        error_set_errno(error, ERROR_SYSTEM, errno, "%.200s cannot be started", arguments[0]);
        pipes_close(&pipes);
        child_clear(child);
        return ERROR_SYSTEM;
    }
    child->input = pipes.input[1];
    child->output = pipes.output[0];
    pipes.input[1] = pipes.output[0] = -1;
    pipes_close(&pipes);
    if (child->output >= 0)
        fcntl(child->output, F_SETFL, O_NONBLOCK);
    return OK;
}

bool child_runs(const struct child *child)
{
    return child->pid > 0;
}

void child_signal(const struct child *child, int number)
{
    if (child_runs(child))
        kill(child->pid, number);
}

void child_close_input(struct child *child)
{
    close_if_open(&child->input);
}

static void take_line(struct child *child, child_line *take, void *context)
{
    bytes_append_byte(&child->line, 0);
    take(context, (const char *)child->line.data);
    child->line.length = 0;
}

static void take_text(struct child *child, const char *text, size_t length, child_line *take,
                      void *context)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' || child->line.length == LINE_BYTES_MAX)
            take_line(child, take, context);
        if (text[i] != '\n' && text[i] != '\r' && text[i])
            bytes_append_byte(&child->line, (uint8_t)text[i]);
    }
}

void child_hear(struct child *child, child_line *take, void *context)
{
    char text[READ_BYTES];

    for (int reads = 0; child->output >= 0; reads++) {
        ssize_t length;

        if (reads == READS_MAX)
            return;
        length = read(child->output, text, sizeof text);
        if (length > 0)
            take_text(child, text, (size_t)length, take, context);
        else if (length < 0 && errno == EAGAIN)
            return;
        else if (length == 0 || errno != EINTR)
            close_if_open(&child->output);
    }
    if (child->line.length)
        take_line(child, take, context);
}

bool child_reap(struct child *child, int *status)
{
    siginfo_t info = {0};

    if (!child_runs(child) ||
        (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG) == 0 && !info.si_pid))
        return false;
    *status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    child->pid = 0;
    close_if_open(&child->pidfd);
    child_close_input(child);
    return true;
}

void child_clear(struct child *child)
{
    if (child_runs(child)) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    close_if_open(&child->pidfd);
    close_if_open(&child->input);
    close_if_open(&child->output);
    bytes_clear(&child->line);
    *child = CHILD_NONE;
}
