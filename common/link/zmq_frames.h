/*
 * One ZeroMQ message out or in: a header frame, a payload frame unless it is empty, and on a ROUTER
 * the peer's identity before both. Bulk payloads are lent to libzmq and taken in place, not copied.
 */
#ifndef SHEAF_LINK_ZMQ_FRAMES_H
#define SHEAF_LINK_ZMQ_FRAMES_H

#include "base/bytes.h"
#include "base/chunk.h"

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

enum { FRAMES_IDENTITY_BYTES = 5 };
/* Smaller payloads are copied: that is cheaper than keeping account of them. */
enum { FRAMES_BULK_BYTES = 16 * 1024 };

/*
 * How many bytes of one peer's payloads libzmq holds. It gives them back from a thread of its own;
 * a little of them on the way is enough to keep a connection busy, and more would only stand before
 * the heartbeats.
 */
struct lending;

void lending_new(struct lending **out, int room_fd);
void lending_free(struct lending **lending);
/* false: there is none now; room_fd (an eventfd) is written once there is. */
bool lending_has_room(struct lending *lending);

enum frames_result {
    FRAMES_DONE,
    FRAMES_NOT_NOW,
    FRAMES_UNREACHABLE /* send: that identity is no longer connected */
};

/* identity: of the receiver; NULL on a DEALER. Nothing has left unless FRAMES_DONE. */
enum frames_result frames_send(void *socket, const uint8_t *identity, const struct bytes *header,
                               const struct chunk *payload, struct lending *lending);

struct frames {
    uint8_t identity[FRAMES_IDENTITY_BYTES]; /* of the sender; ROUTER only */
    bool has_identity;
    bool is_sound; /* the numbers and sizes of frames are those of the protocol */
    zmq_msg_t header;
    struct chunk payload;
};

/* Take one message whole. FRAMES_DONE: frames_clear must follow. */
enum frames_result frames_receive(void *socket, bool has_identity, struct frames *frames);
void frames_clear(struct frames *frames);
/* The descriptor of the connection over which they came, which is libzmq's: it may be closed, or be
 * another's, by now. -1: not known. */
int frames_source(const struct frames *frames);

#endif
