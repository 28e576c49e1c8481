/*
 * A batch in a memory file of its own: for what neither a datagram nor a bay holds. Written once,
 * then sealed, so that the receiver may use it in place whatever becomes of the sender.
 */
#ifndef SHEAF_LINK_POOL_FILE_H
#define SHEAF_LINK_POOL_FILE_H

#include "link/outbox.h"

/* Write the header and the payloads of the first `count` messages; returns the descriptor, -1:
 * errno says why. */
int pool_file_new(const struct bytes *header, const struct outbox *outbox, size_t count);
/* Map a batch's file; both chunks are views of it. false: it is not what it should be. */
bool pool_file_map(int fd, uint64_t header_bytes, uint64_t payload_bytes, struct chunk *header,
                   struct chunk *payload);

#endif
