/*
 * MPI: rank 0 is above, every other rank is below it; the ranks of one mpirun or srun. Built as a
 * module that is loaded on demand, so that nothing else ever loads libmpi.
 *
 * MPI starts and ends once in a process, for all ranks together: link_mpi_begin() and
 * link_mpi_end(). Between them a link may be opened and closed, on all ranks alike. All of it
 * belongs to the thread that began; pool processes are started before.
 */
#ifndef SHEAF_LINK_LINK_MPI_H
#define SHEAF_LINK_LINK_MPI_H

#include "link/launch.h"
#include "link/link.h"

#include <stdbool.h>

/* What stands in place of a coordinator's URL. */
#define LINK_MPI_URL "mpi:"

struct ranks;

struct ranks_options {
    const char *program; /* begins its sentences */
    const char *version; /* of the program: the same on all ranks, or none begins */
    struct launch launch;
    int64_t limit_ns;  /* for all ranks to begin; 0: none */
    bool never_pauses; /* for measuring: an idle link keeps its core busy */
};

/* Whether the module is there. ERROR_SYSTEM: a sentence that says how to get it. */
int link_mpi_check(struct error *error);
/*
 * Start MPI and greet. ERROR_FARM when the ranks do not come together; an empty sentence when rank
 * 0 says it. link_mpi_end() must follow in any case. A rank that does not come at all ends the
 * process with a sentence and status 3 when the limit is over.
 */
int link_mpi_begin(struct ranks **out, const struct ranks_options *options, struct error *error);
/* The link: of rank 0 with all others as its peers, of another with rank 0, connected. */
int link_mpi_open(struct link **out, struct ranks *ranks, struct error *error);
/*
 * Leave MPI, with all other ranks, when the link was closed in order. Else the whole job is ended
 * with this process's exit status, or 1 if that is 0, and this does not return. NULL: nothing.
 */
void link_mpi_end(struct ranks **ranks, int status);

/* Of everything that the module shares with the program. */
enum { LINK_MPI_ABI = 1 };

/* What the module exports under the name "sheaf_link_mpi". */
struct link_mpi_module {
    uint32_t abi;
    int (*begin)(struct ranks **out, const struct ranks_options *options, struct error *error);
    int (*open)(struct link **out, struct ranks *ranks, struct error *error);
    void (*end)(struct ranks **ranks, int status);
};

#endif
