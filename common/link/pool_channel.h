/*
 * One end of the channel between a node and a pool process: batches as datagrams over a socketpair
 * that keeps their borders (SOCK_SEQPACKET), so that a process that dies never leaves half of one.
 *
 * A batch travels in one of three ways, the cheapest that holds it: whole inside the datagram; its
 * header there and its payload in a bay of the shared memory; or both in a memory file of its own,
 * whose descriptor goes with the datagram.
 */
#ifndef SHEAF_LINK_POOL_CHANNEL_H
#define SHEAF_LINK_POOL_CHANNEL_H

#include "link/outbox.h"
#include "link/pool_shared.h"

enum channel_result {
    CHANNEL_DONE,  /* flush: everything has left; receive: the inbox has messages */
    CHANNEL_AGAIN, /* the socket takes, or has, nothing now */
    CHANNEL_CLOSED,
    CHANNEL_BROKEN /* what no sound peer sends */
};

struct pool_channel {
    int socket;
    struct pool_shared *shared;
    enum pool_direction out;
    struct outbox outbox;
    /* The batch at the front of the outbox when it was encoded but not taken yet. */
    struct channel_ready *ready;
    uint8_t *buffer; /* one datagram */
};

/* Both ends: this one open, the other a socket that waits with its greeting for a process. */
int channel_pair(struct pool_channel *channel, int *child_socket, struct error *error);

/* Takes the descriptor and the shared memory over. `out`: the direction this end sends in. */
void channel_open(struct pool_channel *channel, int socket, struct pool_shared *shared,
                  enum pool_direction out);
void channel_close(struct pool_channel *channel);

/* The process's end: take the greeting and the descriptor of the shared memory with it. */
int channel_take_greeting(int socket, int *shared_fd, struct error *error);

/* Send what waits. `wait`: block until it has left (the process's end), else CHANNEL_AGAIN. */
enum channel_result channel_flush(struct pool_channel *channel, bool wait);
/* Read one batch. The inbox must be empty. */
enum channel_result channel_receive(struct pool_channel *channel, bool wait, struct inbox *inbox);

#endif
