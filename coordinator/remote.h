/*
 * One worker on another host, started over ssh and bound to that connection: when the connection
 * ends, however it does, so does the worker.
 */
#ifndef SHEAF_COORDINATOR_REMOTE_H
#define SHEAF_COORDINATOR_REMOTE_H

#include "base/log.h"
#include "child.h"
#include "hosts.h"

#include <stdio.h>

enum remote_state {
    REMOTE_WAITING,  /* not started yet */
    REMOTE_STARTING, /* ssh runs, the worker has not joined */
    REMOTE_JOINED,
    REMOTE_ENDED /* or never started */
};

enum { REMOTE_TEXT_BYTES = 400 };

struct remote {
    const struct host *host; /* borrowed */
    enum remote_state state;
    struct child ssh;
    char said[REMOTE_TEXT_BYTES]; /* the last whole line: the reason, when it ends */
    int64_t since_ns;             /* REMOTE_STARTING: since when */
};

/* What all remotes of a farm share; borrowed texts. */
struct remote_plan {
    char *const *ssh;     /* the words of the command, before the host; ends with NULL */
    const char *program;  /* sheaf-worker as the hosts know it */
    const char *fallback; /* a path to try where `program` is not in PATH */
    const char *address;  /* where the coordinator is for them; NULL: where their ssh comes from */
    const char *port;
    FILE *trace; /* takes what the workers trace; NULL: they do not */
    struct log log;
};

void remote_init(struct remote *remote, const struct host *host);
/* REMOTE_WAITING only. When not even ssh's process can be had the remote has ended, and the log
 * says so. */
void remote_start(struct remote *remote, const struct remote_plan *plan, int64_t now_ns);
/* Take what it says, notice when it joins and when it ends, and say both in the log. */
void remote_look(struct remote *remote, const struct remote_plan *plan);
/* Not wanted: `why` is what the log says of a host that was still starting (NULL: nothing). */
void remote_stop(struct remote *remote, const struct remote_plan *plan, const char *why);
void remote_clear(struct remote *remote);

#endif
