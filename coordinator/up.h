/*
 * A farm for as long as one command runs: a coordinator here, a worker on each host of a list over
 * ssh, and the command that uses them. All of it ends with this process, however that ends.
 */
#ifndef SHEAF_COORDINATOR_UP_H
#define SHEAF_COORDINATOR_UP_H

#include "base/options.h"

#include <stdint.h>

struct up_options {
    const char *hosts;   /* path of the hosts file */
    const char *listen;  /* URL, NULL: every address of this host, at a port by itself */
    const char *address; /* where the hosts find this one; NULL: where their ssh comes from */
    const char *worker;  /* sheaf-worker as the hosts know it */
    int64_t wait_ns;     /* for a host to join; 0: for ever */
    bool quiet, verbose, help, version;
    struct texts command; /* what to run with the farm: the words behind `sheaf`; none: until told
                             to stop */
};

/* Runs it all. Returns the exit status: the command's, where there is one; 3 when no host came up,
 * or all are gone. */
int up_run(const struct up_options *options);

#endif
