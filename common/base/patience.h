/* How long somebody has been waited for, for --give-up. */
#ifndef SHEAF_BASE_PATIENCE_H
#define SHEAF_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nobody is waited for. */
struct patience {
    bool is_waiting;
    int64_t looked_ns, waited_ns;
};

/*
 * Look at least a few times a second. Returns how long the waiting lasts without a break, 0: not at
 * all. Time in which this process was stopped was no waiting: it could not have heard an answer.
 */
int64_t patience_look(struct patience *patience, bool is_waiting, int64_t now_ns);

#endif
