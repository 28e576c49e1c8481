#include "link/pool_process.h"

#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SOCKET = 3 };

int process_program(char **program, const char *given, struct error *error)
{
    static const char NAME[] = "sheaf-worker";
    char path[PATH_MAX + sizeof NAME];
    ssize_t length = given ? 0 : readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash;

    if (length < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "this program's own path is not known");
    path[length] = 0;
    slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, NAME, sizeof NAME);
    if (access(given ? given : path, X_OK) < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno,
                               "%s, which pool processes run, cannot be started",
                               given ? given : path);
    *program = memory_text(given ? given : path);
    return OK;
}

/* What we handle or block ourselves is nothing to it; what we were told to ignore, it ignores. */
static void begin_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_IGN)
            continue;
        action = (struct sigaction){.sa_handler = SIG_DFL};
        sigaction(number, &action, NULL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_files(int socket)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return false;
    if (null > STDERR_FILENO)
        close(null);
    /* A copy does not close at exec; the original itself does. */
    return socket == CHILD_SOCKET ? fcntl(socket, F_SETFD, 0) == 0
                                  : dup2(socket, CHILD_SOCKET) >= 0;
}

/* In the child of a program with threads: nothing but system calls. */
static _Noreturn void become(const char *program, int socket, struct pool_shared *shared)
{
    char number[] = {'0' + CHILD_SOCKET, 0};
    char name[] = "sheaf-worker", option[] = "--leaf";
    char *arguments[] = {name, option, number, NULL};

    setpgid(0, 0);
    if (set_files(socket)) {
        begin_signals();
        execve(program, arguments, environ);
    }
    pool_shared_set_failure(shared, errno);
    _exit(1);
}

/* Not by posix_spawn(): that waits, and nothing can end the wait, until the new program runs; a
 * child that is stopped before (Ctrl-Z is enough) would stop us with it. */
int process_start(struct pool_process *process, const char *program, int socket,
                  struct pool_shared *shared, struct error *error)
{
    int failure;

    process->pidfd = -1;
    process->pid = fork();
    if (process->pid == 0)
        become(program, socket, shared);
    if (process->pid < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "%s cannot be started", program);
    /* Not reaped yet, so the number cannot have been given to another process. */
    process->pidfd = pidfd_open(process->pid, 0);
    if (process->pidfd >= 0)
        return OK;
    failure = errno;
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    return error_set_errno(error, ERROR_SYSTEM, failure, "%s cannot be watched", program);
}

void process_explain(const struct pool_process *process, const char *program,
                     const struct pool_shared *shared, struct error *error)
{
    int failure = pool_shared_failure(shared);

    if (failure)
        error_set_errno(error, ERROR_SYSTEM, failure, "%s cannot be started", program);
    else
        error_set(error, ERROR_SYSTEM, "%s ended before its first word, with status %d", program,
                  process->status);
}

void process_kill(const struct pool_process *process)
{
    kill(process->pid, SIGKILL);
}

bool process_is_stopped(const struct pool_process *process)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid;
}

bool process_reap(struct pool_process *process, int *signal)
{
    siginfo_t info = {0};

    *signal = 0;
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG) == 0 && !info.si_pid)
        return false;
    if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
        *signal = info.si_status;
    process->status = *signal ? 128 + *signal : info.si_status;
    close(process->pidfd);
    process->pidfd = -1;
    return true;
}

void process_finish(struct pool_process *process, int64_t wait_ns)
{
    struct pollfd end = {.fd = process->pidfd, .events = POLLIN};
    int signal;

    process_kill(process);
    while (poll(&end, 1, (int)(wait_ns / NS_PER_MS)) < 0 && errno == EINTR)
        continue;
    if (!process_reap(process, &signal))
        close(process->pidfd);
}

static void prefer_as_victim(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    /* Best effort: a container may forbid it, and then the system chooses by itself. */
    if (write(fd, "500", 3) != 3)
        errno = 0;
    close(fd);
}

static void close_others(int socket)
{
    if (socket > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)socket - 1, 0);
    close_range((unsigned)socket + 1, ~0U, 0);
}

int process_settle(int socket, struct error *error)
{
    struct rlimit none = {0, 0};
    struct ucred parent = {0};
    socklen_t length = sizeof parent;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &parent, &length) < 0)
        return error_set_errno(error, ERROR_USAGE, errno, "descriptor %d is no socket to a parent",
                               socket);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent may have died before that took hold. */
    if (getppid() != parent.pid)
        return error_set(error, ERROR_STOPPED, "the program that started this process is gone");
    signal(SIGINT, SIG_IGN);
    setrlimit(RLIMIT_CORE, &none);
    prefer_as_victim();
    close_others(socket);
    return OK;
}
