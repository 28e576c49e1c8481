/*
 * A link carries messages between this process and its peers over one transport. Documented slot by
 * slot:
 *
 * fd        one descriptor for poll(POLLIN); readable means that receive() may have something.
 *           Never changes.
 * receive   the next event, never blocks. Call until LINK_NOTHING before sleeping on the fd
 *           (libzmq's descriptor is edge-triggered, so a link may only be slept on after it said
 *           LINK_NOTHING).
 * send      queue messages to a peer, in order; the messages are emptied (payload chunks are kept
 *           by the link until they have left). Never blocks and never drops: what the transport
 *           will not take waits in the link's own queue, which credit bounds. Messages to a peer
 *           that is gone are dropped.
 * flush     hand what is queued to the transport, as batches: many messages in one.
 * drop      end the connection; no event follows for that peer. A pool process is killed, its slot
 *           starts anew.
 * deadline  when the link wants receive() and flush() called again at the latest, INT64_MAX: never.
 * over      NULL while peers may still speak or come; else why nobody ever will, as a sentence,
 *           empty when the other side has ended in order, which is no LINK_GONE. A link without it
 *           always waits for peers.
 * close     flush what can be sent within linger_ns, then free.
 */
#ifndef SHEAF_LINK_LINK_H
#define SHEAF_LINK_LINK_H

#include "base/error.h"
#include "core/message.h"

#include <stdint.h>

typedef uint64_t link_peer; /* chosen by the link; below 2^56; never reused within a process */

enum link_event_type {
    LINK_NOTHING = 0,
    LINK_MESSAGE,
    LINK_CONNECTED, /* an upward link (zmq connect) has a peer to speak to; spoken first by our
                       HELLO */
    LINK_GONE       /* a peer is gone */
};

struct link_event {
    enum link_event_type type;
    link_peer peer;
    struct message message; /* LINK_MESSAGE: owned by the receiver of the event */
    int signal;             /* LINK_GONE of a pool process: what killed it */
    uint64_t started_task;  /* … and the task it had started and not finished, 0: none */
    uint32_t started_attempt;
};

struct link;

struct link_ops {
    const char *name;
    int (*fd)(const struct link *link);
    enum link_event_type (*receive)(struct link *link, struct link_event *event);
    void (*send)(struct link *link, link_peer peer, struct message *messages, size_t count);
    void (*flush)(struct link *link);
    void (*drop)(struct link *link, link_peer peer);
    int64_t (*deadline)(const struct link *link);
    const char *(*over)(const struct link *link); /* may be NULL */
    void (*close)(struct link **link, int64_t linger_ns);
};

struct link {
    const struct link_ops *ops; /* first member of every link's own struct */
};

#endif
