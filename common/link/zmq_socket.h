/*
 * Contexts, sockets and their options; and the sentences for addresses that will not do.
 */
#ifndef SHEAF_LINK_ZMQ_SOCKET_H
#define SHEAF_LINK_ZMQ_SOCKET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A context whose thread takes no signals. */
int context_new(void **out, struct error *error);
/* Ends when what its sockets still hold has left or their linger is over; and soon after that in
 * any case. */
void context_free(void **context, int64_t linger_ns);

/* A ROUTER bound to all of the addresses. */
int socket_listen(void **out, void *context, const char *const *urls, size_t count,
                  struct error *error);
/*
 * A DEALER that tries one connection, once, and a monitor that tells what became of it. One socket
 * is one connection: libzmq's own reconnecting would hand what was meant for one coordinator to the
 * next, before a word of greeting. The address was checked.
 */
struct socket_pair {
    void *socket, *monitor;
};
int socket_dial(struct socket_pair *out, void *context, const char *url, bool is_v6,
                struct error *error);
void socket_close(void **socket, int64_t linger_ns);

/* The descriptor to wait on (edge-triggered: see zmq_getsockopt(3)). */
int socket_fd(void *socket);
/* Whether a message waits, asked after sending: that may have swallowed the edge. */
bool socket_has_input(void *socket);

enum dial_news { DIAL_NO_NEWS, DIAL_UP, DIAL_DOWN };
enum dial_news monitor_read(void *monitor);

#endif
