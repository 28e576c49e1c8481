/* What the files of the MPI module share; nobody else includes it. */
#ifndef SHEAF_LINK_MPI_RANKS_H
#define SHEAF_LINK_MPI_RANKS_H

#include "link/link_mpi.h"

#include <sys/types.h>

/* All ranks together, from MPI_Init to MPI_Finalize. */
struct ranks {
    struct ranks_options options; /* texts borrowed for the whole time */
    int rank, count;
    uint32_t links; /* opened so far: each has tags of its own */
    pid_t launcher; /* the parent at the begin */
    bool has_mpi, has_greeted;
    bool is_clean; /* every link was closed in order with all ranks */
};

/* Tags of MPI_COMM_WORLD. */
enum { TAG_GREETING = 1, TAG_VERDICT, TAG_LINKS, TAGS_PER_LINK = 2, LINK_TAGS = 1024 };

/* link_mpi.c */
int mpi_link_open(struct link **out, struct ranks *ranks, struct error *error);

/*
 * mpi_guard.c: while MPI may keep this thread for ever. When the limit is over (0: never), the
 * launcher is gone, or (they are blocked then) SIGINT, SIGTERM or SIGHUP came, the process ends:
 * with the sentence and status 3, or with 128 + the signal's number.
 */
void guard_start(const char *sentence, int64_t limit_ns, pid_t launcher);
void guard_stop(void);

/* "program: sentence" on standard error. */
void ranks_say(const struct ranks *ranks, const char *sentence);

#endif
