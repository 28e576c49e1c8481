/*
 * From what the user typed to a source: formats by extension, sizes, headers. Shell: it opens
 * files.
 */
#ifndef SHEAF_SOURCE_OPEN_H
#define SHEAF_SOURCE_OPEN_H

#include "base/error.h"
#include "source/job.h"

struct source_options {
    const char *format; /* --format, or NULL: by extension (.json .ndjson .jsonl .npy, else text) */
    const char *dtype;  /* --dtype, for raw */
    bool header;        /* --header */
};

/*
 * Read the SOURCE arguments into spec->sources: ranges, numbers (neighbours form one inline text
 * source), files, `-`.
 *
 * A regular file becomes SOURCE_FILE (absolute path, size, mtime; an .npy's header is read and
 * checked here). Anything else becomes SOURCE_STREAM: its descriptor goes to (*streams)[source
 * index] (-1 for other sources; array owned by the caller), positioned at the data (BOM, --header
 * line and .npy header consumed; an .npy stream's rest is raw elements). Every error is one
 * sentence with ERROR_INPUT or ERROR_USAGE.
 */
int sources_open(struct job_spec *spec, int **streams, char *const *arguments, int count,
                 const struct source_options *options, struct error *error);

#endif
