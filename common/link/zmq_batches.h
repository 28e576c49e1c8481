/*
 * Batches over frames, for one peer: what waits to leave, and what came in parts.
 *
 * A payload of at most FRAME_BYTES_MAX is one frame behind its batch's header. A longer one leaves
 * before its header, in parts. A part is a message of two frames: the byte 0xc1 (which begins no
 * msgpack), the payload's whole length and the part's offset as little-endian u64; then the part's
 * bytes. The parts of a payload come in order; the last one's first frame goes on with the batch's
 * header. Between parts heartbeats may travel, as batches of their own, and nothing else. A part
 * with offset 0 begins anew: what was there of a payload before it is forgotten.
 */
#ifndef SHEAF_LINK_ZMQ_BATCHES_H
#define SHEAF_LINK_ZMQ_BATCHES_H

#include "link/outbox.h"
#include "link/zmq_frames.h"

struct batch_sender {
    struct outbox outbox;
    struct lending *lending;
    /* The batch that is leaving: encoded, and no longer in the outbox. */
    bool has_batch;
    struct bytes header;
    struct chunk payload;
    uint64_t sent_bytes; /* of a payload in parts */
};

void batch_sender_init(struct batch_sender *sender, int room_fd);
void batch_sender_clear(struct batch_sender *sender);
bool batch_sender_is_empty(const struct batch_sender *sender);
enum frames_result batch_sender_flush(struct batch_sender *sender, void *socket,
                                      const uint8_t *identity);

struct batch_receiver {
    struct bytes parts;
    uint64_t whole_bytes;
};

void batch_receiver_clear(struct batch_receiver *receiver);
/*
 * Take one message's frames. What they complete is in the inbox, which must be empty before; it
 * still is when more parts are to come. false: malformed.
 */
bool batch_receiver_take(struct batch_receiver *receiver, struct frames *frames,
                         struct inbox *inbox);

enum { GREETING_BYTES_MAX = 64 * 1024 };
/*
 * The same for what somebody says who was not welcomed yet. A HELLO and what follows it in its
 * batch are taken if the batch is short and has no payload; anything else that is sound comes out
 * as one HEARTBEAT, to be answered like every word of a session that is over.
 */
bool batch_take_greeting(struct frames *frames, struct inbox *inbox);
/* Somebody says HELLO as a pool process: those never come over a socket. */
bool batch_has_impostor(const struct inbox *inbox);

#endif
