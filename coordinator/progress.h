/* A line on standard error that shows how far a job is: a bar, the rate and the remaining time. */
#ifndef SHEAF_COORDINATOR_PROGRESS_H
#define SHEAF_COORDINATOR_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_on, is_shown;
    int64_t begin_ns, next_ns;
};

void progress_init(struct progress *progress, bool is_on, int64_t now_ns);
/* At most five times a second something is written. units_all: 0 or UINT64_MAX when not known. */
void progress_show(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all);
/* Before anything else is written to standard error. */
void progress_clear(struct progress *progress);

#endif
