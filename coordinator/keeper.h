/*
 * --checkpoint: keeps what has been counted of a job, so that a second run of the same command goes
 * on from there. A thread writes, so that a slow disk never stops the loop; how often depends on
 * what it costs. What has left the queue is acknowledged, so that values wait in bounded memory.
 */
#ifndef SHEAF_COORDINATOR_KEEPER_H
#define SHEAF_COORDINATOR_KEEPER_H

#include "base/chunk.h"
#include "base/error.h"
#include "core/node.h"

struct keeper;

/*
 * Lock the place and read what an earlier run has left there. Status 2 with a sentence when it
 * cannot be used, or is of another job. spec is borrowed for the call.
 */
int keeper_new(struct keeper **out, const char *path, int64_t every_ns, const struct job_spec *spec,
               struct error *error);
/* What is queued is dropped; what was written stays, unless keeper_remove() was called. */
void keeper_free(struct keeper **out);
/* Readable when there is something to acknowledge, or a failure to look at. */
int keeper_fd(const struct keeper *keeper);

/* Where the job goes on, for EVENT_SUBMIT; NULL: it begins. The keeper's. */
struct snapshot *keeper_resume(struct keeper *keeper);
/* What was answered before that, packed: to be printed first. Taken out of the keeper. */
struct chunk keeper_answers(struct keeper *keeper);

/* Values were answered; the chunk is shared. */
void keeper_values(struct keeper *keeper, const struct chunk *packed);
/* Between two steps, all whose actions were performed: keep what is new, if it is time. */
void keeper_keep(struct keeper *keeper, struct node *node);
/* The program ends before the job does: keep what is new, and wait until all is written. */
void keeper_finish(struct keeper *keeper, struct node *node);
/* The job is over and its answer is written: nothing is to be gone on from. */
void keeper_remove(struct keeper *keeper);

/* Where the thread stands. */
struct keeper_state {
    uint64_t bytes;   /* of values that left the queue since the last look */
    int failure;      /* errno of a write that failed, 0: none … */
    const char *path; /* … and of which file; the keeper's */
};
void keeper_look(struct keeper *keeper, struct keeper_state *state);

#endif
