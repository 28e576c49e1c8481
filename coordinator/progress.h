/* A line on standard error that shows how far a job is: a bar, the rate and the remaining time. */
#ifndef SHEAF_COORDINATOR_PROGRESS_H
#define SHEAF_COORDINATOR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_SAMPLES = 25, PROGRESS_LINE_BYTES = 160 };

struct progress {
    bool is_on, is_shown;
    int64_t begin_ns, next_ns;
    /* The last five seconds, a ring: a rate is that of now, not of a wait that is over. */
    struct progress_sample {
        int64_t ns;
        uint64_t units;
    } samples[PROGRESS_SAMPLES];
    size_t sample_count;
};

void progress_init(struct progress *progress, bool is_on, int64_t now_ns);
/*
 * At most five times a second something is written. Units are bytes of input, or as much work as
 * those are; units_all: 0 or UINT64_MAX when not known.
 */
void progress_show(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all);
/* What progress_show() writes then. */
void progress_line(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all, char line[PROGRESS_LINE_BYTES]);
/* Before anything else is written to standard error. */
void progress_clear(struct progress *progress);

#endif
