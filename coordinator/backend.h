/*
 * Who works for a root node, as --backend and its fellows say: pool processes of this machine, a
 * farm or workers that join over ZeroMQ, or the other ranks of an mpirun. The rest of the program
 * does not know which.
 */
#ifndef SHEAF_COORDINATOR_BACKEND_H
#define SHEAF_COORDINATOR_BACKEND_H

#include "base/log.h"
#include "link/link_mpi.h"
#include "link/loop.h"
#include "reduce_options.h"

struct backend {
    const struct reduce_options *options; /* borrowed */
    struct launch launch;                 /* one rank unless the backend is MPI */
    struct ranks *ranks;
    const struct link *ending; /* the loop's only link that can be over, NULL: none */
};

/*
 * Before anything is opened. With MPI every rank but 0 becomes a worker here and does not return.
 * backend_end() must follow in any case.
 */
int backend_begin(struct backend *backend, const struct reduce_options *options,
                  struct error *error);
/* Whether pool processes of this one work, too: they are then the first link that is added. */
bool backend_has_pool(const struct backend *backend);
/* The workers join the loop's node. */
int backend_add_links(struct backend *backend, struct loop *loop, enum log_level level,
                      struct error *error);
/* NULL while somebody works, or may join; else the sentence that says why nobody ever will. */
const char *backend_over(const struct backend *backend);
/* After the loop was freed; `status` is what this process will exit with. Ranks that do not end are
 * ended. */
void backend_end(struct backend *backend, int status);

/* Whether another rank of this command says what is wrong with its options. */
bool backend_is_silent(int argc, char *const *argv);

#endif
