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
 * Read the SOURCE arguments into spec->sources: ranges, random:N[:SEED], numbers (neighbours form
 * one inline text source), files, `-`. No arguments at all mean `-`.
 *
 * A regular file becomes SOURCE_FILE (absolute path, size, mtime; an .npy's header is read and
 * checked here). Anything else, and a file of /proc with something in it although its size is 0,
 * becomes SOURCE_STREAM: its descriptor goes to (*streams)[source
 * index] (-1 for other sources; array owned by the caller), positioned at the data (BOM, --header
 * line and .npy header consumed; an .npy stream's rest is raw elements in row-major order). A
 * raw stream has SOURCE_UNITS_UNKNOWN units, in one row of as many columns. Standard input that is
 * a regular file at its begin is a SOURCE_FILE like any other.
 *
 * Opening a pipe waits for its first bytes, so the signals that stop the program must not be
 * blocked yet. Every error is one sentence with ERROR_INPUT or ERROR_USAGE (ERROR_SYSTEM when a
 * stream cannot be spooled); spec has no sources then and *streams is NULL.
 */
int sources_open(struct job_spec *spec, int **streams, char *const *arguments, int count,
                 const struct source_options *options, struct error *error);

/*
 * Copy what is left of a stream to an unlinked temporary file in $TMPDIR (else /tmp), so that it
 * can be read twice: --split on a stream needs its elements counted first. Reads to the end.
 *
 * begin    where in the file the copy begins, behind a hole: what was consumed of the stream
 *          already, so that a place in the file is the place in the stream.
 * spooled  out: a seekable descriptor at its begin, owned by the caller; -1 on failure.
 * bytes    out: how many bytes were copied.
 */
int stream_spool(int fd, const char *name, uint64_t begin, int *spooled, uint64_t *bytes,
                 struct error *error);

#endif
