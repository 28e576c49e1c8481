/* The parts that sources_open() is made of; for open*.c and their tests only. */
#ifndef SHEAF_SOURCE_OPEN_PART_H
#define SHEAF_SOURCE_OPEN_PART_H

#include "source/open.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether an argument is written as a range: digits, then `..`, with or without what follows. */
bool range_looks_like(const char *argument);
/* Parse `A..B[:STEP]` into an initialised source. */
int range_parse(struct source *source, const char *argument, struct error *error);

/* Whether an argument is written as `random:…`. */
bool random_looks_like(const char *argument);
/* Parse `random:N[:SEED]` into an initialised source. */
int random_parse(struct source *source, const char *argument, struct error *error);

/* Whether an argument is a number; one too large for a double is an error. */
int number_is(const char *argument, bool *is_number, struct error *error);

/* One file or stream; -1 in *stream when it is by reference. The source is initialised. */
int file_open(struct source *source, int *stream, const char *argument,
              const struct source_options *options, struct error *error);

/*
 * Element types by name, `<` or `>` before it for the byte order: --dtype counts bits (`i64`),
 * numpy's descr bytes (`<i8`).
 *
 * dtype_parse   ERROR_USAGE: no such type; or one byte with an order, which none has: whoever
 * writes
 *               `<i8` means numpy's 8 bytes.
 * descr_parse   false: not a type that can be reduced.
 */
int dtype_parse(struct source *source, const char *text, struct error *error);
bool descr_parse(struct source *source, const char *text, size_t length);
/* What kind of elements numpy means by a descr that descr_parse refuses. */
const char *descr_refused_name(const char *text, size_t length);

/* Whether these NPY_MAGIC_BYTES are those with which every .npy file begins. */
enum { NPY_MAGIC_BYTES = 6 };
bool npy_begins(const uint8_t *start);

/*
 * The fixed start of an .npy file: magic, version and the length of the header that follows.
 *
 * start          NPY_START_BYTES bytes, of which version 1 uses only the first 10.
 * header_begin   out: where the header begins, 10 or 12.
 * header_bytes   out: at most NPY_HEADER_BYTES_MAX.
 */
enum { NPY_START_BYTES = 12, NPY_SHORT_START_BYTES = 10 };
int npy_parse_start(const uint8_t *start, const char *name, size_t *header_begin,
                    size_t *header_bytes, struct error *error);
/* The header's dictionary: element type, order and shape. Pure, total; sets lane, rows, columns,
 * units. */
int npy_parse_header(struct source *source, const char *header, size_t length, struct error *error);

/* Read until `length` bytes are there or the input ends; returns how many, or -1 with errno. */
ssize_t read_whole(int fd, void *to, size_t length);
/* An unlinked temporary file; -1 with a sentence. */
int temporary_file(const char *name, struct error *error);
int write_whole(int fd, const void *from, size_t length);

/* Consume a stream's byte order mark and, with `header`, its first line; *skipped counts the bytes.
 */
int stream_skip_start(int fd, bool header, uint64_t *skipped, struct source *source,
                      struct error *error);
/* Rewrite a column-major stream in row-major order through temporary files; replaces *fd. */
int stream_gather(int *fd, struct source *source, struct error *error);

#endif
