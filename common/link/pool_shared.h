/*
 * The memory that a node and one of its pool processes share: what the process has started, and a
 * few bays per direction for bulk bytes. A sender claims a free bay, fills it and names it in a
 * datagram; the receiver uses it in place and frees it by dropping the chunk. There are no locks,
 * so a process may die at any point.
 *
 * The mapping lives until its last holder is gone, so chunks outlive the process that made them.
 */
#ifndef SHEAF_LINK_POOL_SHARED_H
#define SHEAF_LINK_POOL_SHARED_H

#include "base/chunk.h"
#include "base/error.h"
#include "base/limits.h"

/* Folding reads a little past the bytes it is given, on both sides. */
enum { POOL_SLACK_BYTES = 64 };
/* One bay for the piece in work and one for the next. */
enum { POOL_BAYS = 2 };
#define POOL_BAY_BYTES (VALUE_SLICE_BYTES_MAX + 64 * KIB)

enum pool_direction { POOL_DOWN, POOL_UP }; /* to the process; from it */

struct pool_shared;

/* Not where files may not grow as large as that: ERROR_SYSTEM, and trying again is no use. */
int pool_shared_is_possible(struct error *error);
/* Make the memory; *fd is a descriptor for it, owned by the caller. */
int pool_shared_new(struct pool_shared **out, int *fd, struct error *error);
/* Map what a descriptor names. */
int pool_shared_map(struct pool_shared **out, int fd, struct error *error);
/* Let go of it: unmapped when no chunk needs it any more. */
void pool_shared_free(struct pool_shared **shared);

/* Claim a bay to fill; -1: none is free. */
int pool_shared_claim(struct pool_shared *shared, enum pool_direction direction);
uint8_t *pool_shared_bay(struct pool_shared *shared, enum pool_direction direction, unsigned bay);
/* The other end's view: the bay is free again when the chunk is dropped. */
struct chunk pool_shared_chunk(struct pool_shared *shared, enum pool_direction direction,
                               unsigned bay, size_t length);

/* What the process works on; 0: nothing. Read by the parent, above all after a death. */
void pool_shared_set_started(struct pool_shared *shared, uint64_t task, uint32_t attempt);
uint64_t pool_shared_started(const struct pool_shared *shared, uint32_t *attempt);

/* Why the process could not become what it was meant to be: an errno, 0 if it could. */
void pool_shared_set_failure(struct pool_shared *shared, int errnum);
int pool_shared_failure(const struct pool_shared *shared);

#endif
