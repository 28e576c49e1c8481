/* A pool process as the system sees it: started, killed, found stopped, reaped. Only ever by its
 * own pid and pidfd, so that nobody else's children are touched. */
#ifndef SHEAF_LINK_POOL_PROCESS_H
#define SHEAF_LINK_POOL_PROCESS_H

#include "base/error.h"
#include "link/pool_shared.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pool_process {
    pid_t pid;
    int pidfd;
    int status; /* after its end: as a shell says it, 128 + N for signal N */
};

/* The program that pool processes run: `given`, or sheaf-worker beside this one. Owned by the
 * caller.
 */
int process_program(char **program, const char *given, struct error *error);
/*
 * `program --leaf FD`, in a process group of its own, FD being a copy of `socket`. Standard input
 * and output are /dev/null: a pipe of ours must not stay open because of it. Never waits for the
 * process: that the program could not be run is known once the process has ended.
 */
int process_start(struct pool_process *process, const char *program, int socket,
                  struct pool_shared *shared, struct error *error);
/* Why a process that has ended never said a word. */
void process_explain(const struct pool_process *process, const char *program,
                     const struct pool_shared *shared, struct error *error);
void process_kill(const struct pool_process *process);
/* Whether it was stopped (SIGSTOP and its like) since this was last asked. */
bool process_is_stopped(const struct pool_process *process);
/* After the pidfd became readable: collect it. *signal: what killed it, 0 if it ended by itself. */
bool process_reap(struct pool_process *process, int *signal);
/* Kill it and wait for its end, which is at once but for a process stuck in the kernel. */
void process_finish(struct pool_process *process, int64_t wait_ns);

/* What the process does first: die with its parent (told by the socket), ignore SIGINT, leave no
 * core dump, be the system's first choice when memory ends, hold no descriptor but the socket. */
int process_settle(int socket, struct error *error);

#endif
