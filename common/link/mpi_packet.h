/*
 * A packet's first bytes, and what is being received of packets and parts.
 *
 * The first 20 bytes, little-endian: u32 kind, u32 places of the window given back, u32 length of
 * the header frame, u64 length of the payload.
 */
#ifndef SHEAF_LINK_MPI_PACKET_H
#define SHEAF_LINK_MPI_PACKET_H

#include "base/limits.h"
#include "link/mpi_channel.h"

enum { PACKET_HEAD_BYTES = 20 };
/* A payload from here on travels in parts; smaller ones together, inside their packet, up to …_MAX.
 */
enum { PACKET_BULK_BYTES = 16 * 1024, PACKET_PAYLOAD_MAX = 64 * 1024 };
/* Parts are long enough that their handshake is nothing; several are on the way at once. */
enum { PACKET_PART_BYTES = 256 * 1024 };

enum packet_kind {
    PACKET_BATCH = 1, /* header frame and payload */
    PACKET_BULK,      /* header frame; the payload follows in parts */
    PACKET_RETURN,    /* gives places of the window back, nothing else */
    PACKET_OPEN,      /* the first of rank 0, before which nobody speaks to it */
    PACKET_END        /* nothing more comes */
};

struct packet_head {
    enum packet_kind kind;
    uint32_t returned;
    uint32_t header_bytes;
    uint64_t payload_bytes;
};

void packet_head_write(const struct packet_head *head, uint8_t *data);
/* false: no such packet can be of this many bytes. */
bool packet_head_read(struct packet_head *head, const struct bytes *packet);

/* A packet on its way in, with its parts; owned by the channel's list. */
struct incoming {
    struct incoming *next;
    MPI_Request request; /* of the packet */
    struct bytes packet;
    bool is_here; /* the packet; its parts have been called for */
    bool is_malformed;
    struct packet_head head;
    struct bytes payload; /* in parts: room for all of it from the begin */
    MPI_Request *parts;
    size_t part_count, parts_here;
};

void incoming_free_all(struct mpi_channel *channel);

#endif
