/* What the two files of the MPI link share; nobody else includes it. */
#ifndef SHEAF_LINK_MPI_LINK_H
#define SHEAF_LINK_MPI_LINK_H

#include "base/limits.h"
#include "link/mpi_channel.h"
#include "link/mpi_ranks.h"

#define MPI_PAUSE_NS_MIN (20 * INT64_C(1000))

struct mpi_event {
    enum link_event_type type;
    link_peer peer;
};

struct mpi_link {
    struct link link;
    struct ranks *ranks;
    int fd, tag;
    struct mpi_channel *channels;
    size_t count;
    struct mpi_channel **sending, **receiving; /* those with something to look after */
    size_t sending_count, receiving_count;
    struct mpi_event *events; /* to be reported */
    size_t event_count;
    struct inbox inbox;
    link_peer inbox_peer;
    int64_t moved_ns, looked_ns, launcher_ns;
    bool is_open;        /* rank 0 has said so */
    bool is_closing;     /* what comes is thrown away */
    bool is_broken;      /* MPI itself fails */
    bool is_launcher_up; /* as far as is known */
};

static inline struct mpi_link *mpi_link_of(const struct link *link)
{
    return (struct mpi_link *)(uintptr_t)link;
}

static inline bool mpi_link_is_below(const struct mpi_link *mpi)
{
    return mpi->ranks->rank > 0;
}

/* link_mpi.c */
enum link_event_type mpi_link_receive(struct link *link, struct link_event *event);
void mpi_link_flush(struct link *link);
void mpi_link_want_flush(struct mpi_link *mpi, struct mpi_channel *channel);
int64_t mpi_link_deadline(const struct link *link);

/* mpi_end.c */
const char *mpi_link_over(const struct link *link);
/* Its own memory, with nothing in it. */
void mpi_link_free(struct mpi_link *mpi);
void mpi_link_close(struct link **link, int64_t linger_ns);

#endif
