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
    const char *connect; /* a URL, or LINK_MPI_URL: rank 0 */
    const char *version; /* of this program */
    uint64_t processes;  /* 0: the CPUs this process may use */
    uint64_t memory_bytes;
    /* Without a coordinator that answers, or (a rank) without all others at the begin, for this
     * long it ends; 0: never. */
    int64_t give_up_ns;
    bool is_attached; /* ends, with OK, when standard input does */
    struct log log;
};

/*
 * Work until told to stop. SIGTERM drains: what is held is finished, nothing more is taken; a
 * second one, SIGINT and SIGHUP stop at once. OK after a drain; ERROR_STOPPED when it was
 * *stopped_by a signal; ERROR_FARM when no coordinator answered within give_up_ns, or none ever
 * will (an empty sentence: rank 0 says why). A rank is done when rank 0 is, and leaves MPI together
 * with it.
 */
int daemon_run(const struct daemon_options *options, int *stopped_by, struct error *error);

#endif
