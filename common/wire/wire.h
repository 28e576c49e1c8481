/*
 * Messages to bytes and back. wire.c is the only file that knows msgpack.
 *
 * A batch is what travels: frame 0 is a msgpack array of messages, each an array [type, …]; frame
 * 1, absent when empty, is the messages' payloads, one behind the other, each message naming its
 * payload's length. PROTOCOL.md says it all.
 */
#ifndef SHEAF_WIRE_WIRE_H
#define SHEAF_WIRE_WIRE_H

#include "base/bytes.h"
#include "core/message.h"

#include <stdbool.h>
#include <stddef.h>

/* Encode the header frame of a batch; the payload frame is the concatenation of the messages'
 * payload chunks. */
void wire_encode(const struct message *const *messages, size_t count, struct bytes *header);

/*
 * Decode a batch. Total and bounded: every length is checked before anything is allocated. The
 * messages' payloads are parts of `payload` (shared, not copied); spec and texts are copies. At
 * most BATCH_MESSAGES_MAX messages.
 *
 * messages  out: array owned by the caller (message_clear each, memory_free); NULL on failure.
 * Returns false when malformed in any way; nothing is then allocated.
 */
bool wire_decode(const void *header, size_t header_length, const struct chunk *payload,
                 struct message **messages, size_t *count);

#endif
