/*
 * A timer that looks after a call of MPI that may never return: MPI_Init waits for ranks that do
 * not come, MPI_Finalize for ranks that do not end. Signals that end a program are blocked
 * meanwhile, so that threads which MPI starts leave them to this one.
 */
#include "link/mpi_ranks.h"

#include "base/clock.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { STATUS_FARM = 3, TICK_US = 50000 };

/* For the signal handler; one guard at a time. */
static struct {
    char sentence[512];
    volatile int64_t ends_ns;
    pid_t launcher;
    sigset_t before;
} guard;

static const int ENDING[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_COUNT = sizeof ENDING / sizeof *ENDING };

/* Not one that is ignored (nohup): blocked it would arrive all the same. */
static sigset_t ending_signals(void)
{
    struct sigaction now;
    sigset_t set;

    sigemptyset(&set);
    for (int i = 0; i < ENDING_COUNT; i++)
        if (sigaction(ENDING[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, ENDING[i]);
    return set;
}

static void look(int number)
{
    sigset_t waiting;

    (void)number;
    sigpending(&waiting);
    for (int i = 0; i < ENDING_COUNT; i++)
        if (sigismember(&waiting, ENDING[i]) && !sigismember(&guard.before, ENDING[i]))
            _exit(128 + ENDING[i]);
    if (getppid() != guard.launcher)
        _exit(STATUS_FARM);
    if (clock_now_ns() < guard.ends_ns)
        return;
    if (write(STDERR_FILENO, guard.sentence, strlen(guard.sentence)) < 0)
        _exit(STATUS_FARM); /* the same, unheard */
    _exit(STATUS_FARM);
}

static void set_timer(suseconds_t every_us)
{
    struct itimerval timer = {.it_interval.tv_usec = every_us, .it_value.tv_usec = every_us};

    setitimer(ITIMER_REAL, &timer, NULL);
}

void guard_start(const char *sentence, int64_t limit_ns, pid_t launcher)
{
    struct sigaction action = {.sa_handler = look, .sa_flags = SA_RESTART};
    sigset_t set = ending_signals();
    size_t length = strnlen(sentence, sizeof guard.sentence - 2);

    memcpy(guard.sentence, sentence, length);
    memcpy(guard.sentence + length, "\n", 2);
    guard.ends_ns = limit_ns ? clock_now_ns() + limit_ns : INT64_MAX;
    guard.launcher = launcher;
    sigprocmask(SIG_BLOCK, &set, &guard.before);
    sigaction(SIGALRM, &action, NULL);
    set_timer(TICK_US);
}

void guard_stop(void)
{
    set_timer(0);
    sigprocmask(SIG_SETMASK, &guard.before, NULL);
}
