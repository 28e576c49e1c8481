/*
 * ZeroMQ: ROUTER above (bind), DEALER below (connect). Built as a module that is loaded on demand,
 * so that a command without a farm never loads libzmq.
 */
#ifndef SHEAF_LINK_LINK_ZMQ_H
#define SHEAF_LINK_LINK_ZMQ_H

#include "link/link.h"

/* Load the module (beside the executable, or ../lib/sheaf) and open a listening link on one or more
 * endpoints. */
int link_zmq_listen(struct link **out, const char *const *urls, size_t count, struct error *error);
/* A connecting link: one peer. It reconnects for ever by itself; LINK_CONNECTED and LINK_GONE tell.
 */
int link_zmq_connect(struct link **out, const char *url, struct error *error);

/* Of everything that the module shares with the program: struct link_ops, message, chunk. */
enum { LINK_ZMQ_ABI = 1 };

/* What the module exports under the name "sheaf_link_zmq". */
struct link_zmq_module {
    uint32_t abi;
    int (*listen)(struct link **out, const char *const *urls, size_t count, struct error *error);
    int (*connect)(struct link **out, const char *url, struct error *error);
};

#endif
