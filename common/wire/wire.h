/*
 * Messages to bytes and back. This folder is the only one that knows msgpack.
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

/*
 * Encode the header frame of a batch behind what `header` holds; the payload frame is the
 * concatenation of the payload chunks of the messages that were encoded.
 *
 * Returns how many messages were: all, unless they are more than BATCH_MESSAGES_MAX or would pass
 * BATCH_HEADER_BYTES_MAX together; at least one. The rest goes into further batches.
 */
size_t wire_encode(const struct message *const *messages, size_t count, struct bytes *header);

/*
 * Whether a peer will take this job's description: BATCH_HEADER_BYTES_MAX bounds it. A shell asks
 * before it submits (each source is some 40 bytes and what its path does not share with the one
 * before).
 */
bool wire_job_fits(const struct job_spec *spec);

/*
 * Decode a batch. Total and bounded: every length is checked before anything is allocated. The
 * messages' payloads are parts of `payload` (shared, not copied; NULL: there is none); spec and
 * texts are copies. At most BATCH_MESSAGES_MAX messages.
 *
 * Whatever is decoded has its enums in range, begin ≤ end and begin ≤ middle, and a spec whose
 * sources are sound in themselves. A HELLO or WELCOME of another version has its version only: look
 * at that first.
 *
 * messages  out: array owned by the caller (message_clear each, memory_free); NULL on failure.
 * Returns false when malformed in any way; nothing is then allocated.
 */
bool wire_decode(const void *header, size_t header_length, const struct chunk *payload,
                 struct message **messages, size_t *count);

#endif
