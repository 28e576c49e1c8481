/*
 * The worker daemon: the shell of a node between a coordinator above and a pool of processes below.
 * The same loop as everywhere; it holds no policy.
 */
#ifndef SHEAF_WORKER_DAEMON_H
#define SHEAF_WORKER_DAEMON_H

#include "base/error.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

struct daemon_options {
    const char *connect;
    uint64_t processes; /* 0: the CPUs this process may use */
    uint64_t memory_bytes;
    int64_t give_up_ns; /* without a coordinator for this long it ends; 0: never */
    bool is_attached;   /* ends, with OK, when standard input does */
    struct log log;
};

/*
 * Work until told to stop. SIGTERM drains: what is held is finished, nothing more is taken; a
 * second one, SIGINT and SIGHUP stop at once. OK after a drain; ERROR_STOPPED when it was
 * *stopped_by a signal; ERROR_FARM when no coordinator answered within give_up_ns.
 */
int daemon_run(const struct daemon_options *options, int *stopped_by, struct error *error);

#endif
