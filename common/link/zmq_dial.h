/*
 * The connecting side of a ZeroMQ link: one socket for each connection, and one connection at a
 * time. When it ends, or when none comes about in time, the next is tried after a pause that grows
 * until somebody has said WELCOME.
 */
#ifndef SHEAF_LINK_ZMQ_DIAL_H
#define SHEAF_LINK_ZMQ_DIAL_H

#include "link/zmq_resolve.h"
#include "link/zmq_socket.h"

struct dial {
    char *url; /* owned; NULL: nothing is dialled */
    void *context;
    int epoll;                 /* where the descriptors of both sockets are watched */
    struct socket_pair socket; /* NULL between two attempts */
    struct resolve resolve;    /* the addresses of a name are tried in turn */
    bool is_up;
    bool has_ended; /* … but what came before the end may not all have been read */
    int64_t attempt_ends_ns;
    int64_t next_attempt_ns; /* when there is no socket */
    int64_t pause_ns;
};

/* The first attempt, which for a name begins with dial_keep(). context and epoll are borrowed.
 * ERROR_USAGE: the address will not do. */
int dial_start(struct dial *dial, void *context, int epoll, const char *url, struct error *error);
/* After dial_hang_up(). */
void dial_clear(struct dial *dial);

/* End an attempt whose time is over, begin the next one when it is time to. true: one began, and
 * the socket must be looked at. */
bool dial_keep(struct dial *dial);
/* What became of the attempt. The connection is up: DIAL_UP, once. */
enum dial_news dial_look(struct dial *dial);
void dial_hang_up(struct dial *dial, int64_t linger_ns);
/* The other side wants us: the next pause is a short one again. */
void dial_is_welcome(struct dial *dial);
/* When dial_keep() is due, INT64_MAX: not while the connection is up. */
int64_t dial_deadline(const struct dial *dial);

#endif
