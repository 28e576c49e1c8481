/* --stats: what a job took, as one JSON object on standard error. */
#ifndef SHEAF_COORDINATOR_STATS_H
#define SHEAF_COORDINATOR_STATS_H

#include "core/node.h"

struct phases {
    int64_t open_ns;  /* sources looked at and described */
    int64_t count_ns; /* elements numbered before the first was folded; 0 when not needed */
    int64_t fold_ns;  /* from then to the end of the job */
    int64_t print_ns; /* rendering and writing, beside folding */
};

/* bytes: stored bytes of the sources that were read. */
void stats_print(const struct node_stats *stats, const struct phases *phases, uint64_t bytes);

#endif
