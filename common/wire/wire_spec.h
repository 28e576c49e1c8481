/* A job's spec as one MessagePack item, and back. */
#ifndef SHEAF_WIRE_WIRE_SPEC_H
#define SHEAF_WIRE_WIRE_SPEC_H

#include "source/job.h"
#include "wire/wire_read.h"

/* Paths are sent without what they share with the one before, so bytes on the wire do not bound
 * them. */
#define SPEC_PATHS_BYTES_MAX (64 * MIB)

void spec_encode(const struct job_spec *spec, struct bytes *bytes);
/* A new spec, owned by the caller; NULL when the reader has failed, of itself or by what it says.
 */
struct job_spec *spec_decode(struct reader *in);
/* The paths of all sources, in bytes, are within the bound. */
bool spec_paths_fit(const struct job_spec *spec);

#endif
