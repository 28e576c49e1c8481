/* Row-major runs out of a column-major file. Used by reader.c only. */
#ifndef SHEAF_SOURCE_READER_GATHER_H
#define SHEAF_SOURCE_READER_GATHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gather_shape {
    uint64_t rows, columns;
    uint32_t width;      /* bytes of an element: 1, 2, 4 or 8 */
    uint64_t data_begin; /* where element (0, 0) stands in the file */
};

/* All of [offset, offset + length): 0; 1 when the file ends before; -1 with errno. */
int pread_whole(int fd, void *to, size_t length, off_t offset);

/* A run of elements to gather, in row-major numbering. */
struct gather_run {
    uint64_t unit, units; /* units: shortened to what was gathered, at least 1 */
    uint64_t skipped;     /* out: elements of whole rows that stand before it in the buffer */
};

/*
 * Gather as much of a run as `buffer_bytes` (at least one element) can take. Within one row only
 * the wanted columns are read; otherwise whole rows, so that a column costs one read for all of
 * them. Returns as pread_whole().
 */
int gather(int fd, const struct gather_shape *shape, struct gather_run *run, uint8_t *buffer,
           size_t buffer_bytes);

#endif
