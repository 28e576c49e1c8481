#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void end_at_once(int number)
{
    _exit(128 + number);
}

static const int NUMBERS[] = {SIGINT, SIGTERM, SIGHUP};
enum { NUMBER_COUNT = sizeof NUMBERS / sizeof *NUMBERS };

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void signals_begin(void)
{
    struct sigaction end = {.sa_handler = end_at_once};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction usual = {.sa_handler = SIG_DFL};

    for (int i = 0; i < NUMBER_COUNT; i++)
        if (!is_ignored(NUMBERS[i]))
            sigaction(NUMBERS[i], &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    sigaction(SIGCHLD, &usual, NULL);
}

/* A signal that is blocked arrives though it is ignored. */
static sigset_t signals_set(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (!is_ignored(NUMBERS[i]))
            sigaddset(&set, NUMBERS[i]);
    return set;
}

int signals_open(int *fd, struct error *error)
{
    sigset_t set = signals_set();

    sigprocmask(SIG_BLOCK, &set, NULL);
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*fd < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for signals");
    return OK;
}

int signals_take(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

void signals_close(int fd)
{
    sigset_t set = signals_set();

    signals_begin();
    if (fd >= 0)
        close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
