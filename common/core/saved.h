/*
 * A snapshot as the bytes of a checkpoint file, and back: which job it is of, how much of what was
 * answered belongs to it, what is counted, and a checksum of it all. Pure.
 */
#ifndef SHEAF_CORE_SAVED_H
#define SHEAF_CORE_SAVED_H

#include "core/snapshot.h"
#include "source/identity.h"

enum { SAVED_MAGIC_BYTES = 8 };
#define SAVED_VERSION 1u

/* What was answered is beside the file, as packed values: so many bytes of it belong to the
 * snapshot, and this is their checksum. */
struct saved_answers {
    uint64_t bytes, hash;
};

struct saved {
    struct identity identity;
    struct saved_answers answers;
    struct snapshot snapshot;
};

enum saved_status {
    SAVED_SOUND,
    SAVED_FOREIGN,       /* no checkpoint at all */
    SAVED_OTHER_VERSION, /* of the format */
    SAVED_TORN           /* its end is missing, or some of it is damaged */
};

/* Whether these SAVED_MAGIC_BYTES are those with which every checkpoint begins. */
bool saved_begins(const void *bytes);
void saved_clear(struct saved *saved);
/* Behind what `out` holds. */
void saved_encode(const struct saved *saved, struct bytes *out);
/*
 * Total and bounded: never trusts a length. Unless SAVED_SOUND, `saved` is left empty. What the
 * snapshot says of a job is then still to be held against that job (snapshot_is_sound).
 */
enum saved_status saved_decode(struct saved *saved, const void *data, size_t length);

#endif
