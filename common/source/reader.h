/*
 * Reading a source by reference, for whoever folds it or sends it by value. Shell: it opens and
 * maps files.
 *
 * The file must be the one that was described: size and mtime (ns) are compared at reader_open and
 * again after every read; a difference or a short read is the fault "changed while it was read".
 */
#ifndef SHEAF_SOURCE_READER_H
#define SHEAF_SOURCE_READER_H

#include "base/error.h"
#include "source/source.h"

struct source_reader;
struct stat;

enum reader_status {
    READER_OK = 0,
    READER_ABSENT,  /* cannot be opened here, or is another file here: may be had by value */
    READER_CHANGED, /* it was the right file and changed: a fault of the input */
    READER_FAILED   /* an I/O error: error has the system's sentence, without the file's name */
};

/* Returns an enum reader_status; *out is NULL unless it is READER_OK. */
int reader_open(struct source_reader **out, const struct source *source, struct error *error);
/* Over a descriptor that is open already and now the reader's; nothing is compared. */
void reader_new(struct source_reader **out, int fd, const struct source *source);
void reader_free(struct source_reader **reader);
/*
 * Up to `units` units from `unit` on, contiguous, row-major (Fortran order is gathered). *data
 * stays valid until the next call; 32 bytes before and 64 after may be read. *units_got is at least
 * 1 on READER_OK.
 */
int reader_get(struct source_reader *reader, uint64_t unit, uint64_t units, const uint8_t **data,
               uint64_t *units_got, struct error *error);
/* The file's time of change as a source describes it. */
int64_t reader_mtime_ns(const struct stat *status);
/* Is it still the file that was described? reader_get() has asked this of all that it returned. */
int reader_check(struct source_reader *reader);

#endif
