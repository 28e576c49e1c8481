/*
 * A program started beside this one, which does not outlive it. For programs without threads of
 * their own.
 */
#ifndef SHEAF_COORDINATOR_CHILD_H
#define SHEAF_COORDINATOR_CHILD_H

#include "base/bytes.h"
#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum child_kind {
    CHILD_FOREGROUND, /* shares the standard descriptors and the terminal's signals */
    CHILD_PIPED /* its input and its output with its errors are pipes to us; the terminal's signals
                 * are not for it */
};

struct child {
    pid_t pid;         /* 0: none */
    int pidfd;         /* readable when it has ended; -1: none */
    int input;         /* CHILD_PIPED: its standard input, -1: closed */
    int output;        /* CHILD_PIPED: what it says, without waiting (O_NONBLOCK) */
    struct bytes line; /* of that, what is no whole line yet */
};

#define CHILD_NONE ((struct child){.pidfd = -1, .input = -1, .output = -1})

/* Called for each whole line that a child says; the line is a text without its newline. */
typedef void child_line(void *context, const char *line);

/* Start arguments[0], looked for in PATH, with SIGTERM when this process dies. ERROR_SYSTEM: not
 * even a process could be had. A program that is not there ends as in a shell, with status 127. */
int child_start(struct child *child, enum child_kind kind, char *const *arguments,
                struct error *error);
bool child_runs(const struct child *child);
void child_signal(const struct child *child, int number);
/* Let its standard input end. */
void child_close_input(struct child *child);
/* Hand over what it has said so far, line by line; of one that has ended all of it. */
void child_hear(struct child *child, child_line *take, void *context);
/* Whether it has ended; then *status is what a shell would say: the exit status, or 128 + signal.
 * Its output may still hold what it said last. */
bool child_reap(struct child *child, int *status);
/* Kill it if it runs, and close what is left. */
void child_clear(struct child *child);

#endif
