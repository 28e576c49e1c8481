/*
 * Standard output: a thread that renders and writes what the node hands out, so that a reader that
 * pauses never stops the loop. The thread starts with the first values. What has left the queue is
 * acknowledged to the node, whose window bounds the queue.
 */
#ifndef SHEAF_COORDINATOR_PRINT_H
#define SHEAF_COORDINATOR_PRINT_H

#include "base/chunk.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct print;

int print_new(struct print **out, bool is_json, struct error *error);
/* Ends the thread, also while it is stuck in a write that nobody reads; what is queued is dropped.
 */
void print_free(struct print **out);
/* Readable when there is something to acknowledge, or an end or a failure to look at. */
int print_fd(const struct print *print);
/* Queue packed values; takes the chunk over. */
void print_values(struct print *print, struct chunk *packed);
/* No more values come. is_whole closes a JSON array. */
void print_end(struct print *print, bool is_whole);

/* Where the thread stands. */
struct print_state {
    uint64_t bytes; /* packed bytes that left the queue since the last look */
    bool is_done;   /* all is written, or writing failed */
    int failure;    /* errno of a write that failed, 0: none */
    int64_t busy_ns;
};
void print_look(struct print *print, struct print_state *state);

#endif
