/*
 * The shell of a root node: the one event loop of `sheaf sum` and `sheaf product`, whether the job
 * runs on this machine's pool or on a farm. Owns the loop, the threads that read and print, and the
 * signals; the node decides.
 */
#ifndef SHEAF_COORDINATOR_SERVE_H
#define SHEAF_COORDINATOR_SERVE_H

#include "backend.h"
#include "base/error.h"
#include "source/job.h"

#include <stdint.h>

struct serve;

/* backend and streams are borrowed until serve_free(); spec is taken over (emptied). open_ns is for
 * --stats. */
int serve_new(struct serve **out, struct backend *backend, struct job_spec *spec,
              const int *streams, int64_t open_ns, struct error *error);
void serve_free(struct serve **out);

/* Run the job to its end and print its answer, and the sentence when there is one. Returns the exit
 * status. */
int serve_run(struct serve *serve);

#endif
