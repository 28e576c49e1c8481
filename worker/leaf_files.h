/* The files a leaf holds open: the few it used last. */
#ifndef SHEAF_WORKER_LEAF_FILES_H
#define SHEAF_WORKER_LEAF_FILES_H

#include "source/reader.h"

#include <stdint.h>

enum { LEAF_FILES_MAX = 8 };

/* Zeroed: none is open. */
struct leaf_files {
    struct leaf_file {
        struct source_reader *reader; /* NULL: a free place */
        uint64_t job;
        uint32_t source;
        uint64_t used; /* when, counted in uses */
    } files[LEAF_FILES_MAX];
    uint64_t uses;
};

/* The reader of a job's source, opened when need be; owned by `files`. An enum reader_status. */
int leaf_files_get(struct leaf_files *files, uint64_t job, uint32_t index,
                   const struct source *source, struct source_reader **reader);
/* Close what belongs to a job, or all with leaf_files_clear(). */
void leaf_files_forget(struct leaf_files *files, uint64_t job);
void leaf_files_clear(struct leaf_files *files);

#endif
