/*
 * What passes between this rank and one other, over MPI messages of two tags.
 *
 * A packet is 20 bytes that say what it is, a batch's header frame, and its payload when that is
 * small. A large payload follows in parts, with the other tag: they leave from where it lies, and
 * arrive where it will lie, for which the receiver has called before they come.
 *
 * Each packet of a batch and each part takes one place of a window, given back when it was
 * received; so what MPI must keep for a rank that is slow is bounded, however eager it is. What
 * only gives back, and the end, take no place.
 */
#ifndef SHEAF_LINK_MPI_CHANNEL_H
#define SHEAF_LINK_MPI_CHANNEL_H

#include "link/link.h"
#include "link/outbox.h"

#include <mpi.h>

enum { CHANNEL_WINDOW_MAX = 16, CHANNEL_RING = 2 * CHANNEL_WINDOW_MAX };

/* A message that MPI has and has not let go of. */
struct outgoing {
    MPI_Request request;
    struct bytes packet; /* one of the two is empty */
    struct chunk part;
};

struct incoming;

struct mpi_channel {
    int rank, tag; /* tag + 1 is that of parts */
    link_peer number;
    int64_t heard_ns;
    /* out */
    struct outbox outbox;
    struct chunk payload; /* of the batch that is leaving, in parts … */
    size_t sent_bytes;    /* … so much of it has left */
    struct outgoing ring[CHANNEL_RING];
    unsigned ring_begin, ring_count;
    unsigned window, window_used, owed; /* owed: places to give back */
    bool has_said_end;
    /* in */
    struct incoming *first, **last;
    bool has_ended;  /* the other side said so: nothing more comes */
    bool is_broken;  /* MPI failed: nothing more can be exchanged */
    bool is_sending; /* the link's own marks: is in its lists */
    bool is_receiving;
};

void mpi_channel_init(struct mpi_channel *channel, int rank, int tag, unsigned window);
/* Frees all but what MPI still has. */
void mpi_channel_clear(struct mpi_channel *channel);

/* ---- out ---- */

/* Send what the window lets through. true: something moved. */
bool mpi_channel_flush(struct mpi_channel *channel);
/* Of rank 0, first of all: from now on it can be spoken to. */
void mpi_channel_say_open(struct mpi_channel *channel);
/* Whether there is something left to do for flush. */
bool mpi_channel_has_work(const struct mpi_channel *channel);
/* What waits is wanted no more; a batch that has begun to leave still leaves whole. */
void mpi_channel_forget(struct mpi_channel *channel);
/* Say that nothing more comes, when all has left. false: not yet. */
bool mpi_channel_say_end(struct mpi_channel *channel);

/* ---- in ---- */

enum channel_news {
    CHANNEL_NOTHING, /* … yet, or no more */
    CHANNEL_MOVED,   /* something came, but no batch is complete */
    CHANNEL_BATCH,   /* the inbox has messages */
    CHANNEL_OPENED,
    CHANNEL_MALFORMED,
    CHANNEL_ENDED,
    CHANNEL_FAILED
};

/* Begin to receive a packet that a probe found. */
void mpi_channel_take(struct mpi_channel *channel, MPI_Message *message, int bytes);
/* Go on with what is being received. The inbox must be empty. */
enum channel_news mpi_channel_receive(struct mpi_channel *channel, struct inbox *inbox);

#endif
