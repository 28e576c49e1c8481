/*
 * What makes two jobs the same one: same sources in the same state, same operation, same cut, and
 * whatever else the answer depends on. How the work is divided does not belong to it.
 */
#ifndef SHEAF_SOURCE_IDENTITY_H
#define SHEAF_SOURCE_IDENTITY_H

#include "source/job.h"

struct identity {
    uint32_t op, type, cut; /* enum op_kind, element_type, cut_kind */
    uint64_t size, parts;   /* of the cut */
    uint64_t value_bytes_max;
    uint64_t source_count;
    uint64_t sources; /* checksum: formats, paths, ranges, seeds, numbers from the command line */
    uint64_t state;   /* checksum: sizes, times of change, element types and shapes */
};

void identity_of(struct identity *identity, const struct job_spec *spec);
void identity_encode(const struct identity *identity, struct bytes *out);
/* Any bytes make one; a reader that has too few fails. */
void identity_decode(struct identity *identity, struct reader *in);

/* What tells a job that was kept from the present one, as the end of a sentence ("it is of other
 * sources"); NULL: they are the same. */
const char *identity_difference(const struct identity *kept, const struct identity *now);

#endif
