/*
 * A source: where elements come from. A description only: paths and shapes, nothing open.
 *
 * Its unit is the byte (text, JSON) or the element (arrays, ranges). It can be cut at any unit
 * without being read.
 */
#ifndef SHEAF_SOURCE_SOURCE_H
#define SHEAF_SOURCE_SOURCE_H

#include "base/bytes.h"
#include "op/op.h"

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

enum source_format {
    SOURCE_RANGE = 1, /* begin, begin + step, …: one sublist */
    SOURCE_TEXT,      /* text and CSV: a line is a sublist */
    SOURCE_JSON,      /* an array of arrays, a flat array, or one array a line */
    SOURCE_ARRAY,     /* fixed-width elements: .npy and raw; a row is a sublist */
    SOURCE_RANDOM /* pseudo-random 64-bit integers that depend on their index alone: one sublist */
};

enum source_access {
    SOURCE_NOTHING = 1, /* ranges and random integers need no bytes */
    SOURCE_INLINE,      /* the bytes are in the description (numbers on the command line) */
    SOURCE_FILE,        /* a regular file, by reference where it can be opened */
    SOURCE_STREAM       /* a pipe: bytes come once, in order, and only the root can read them */
};

#define SOURCE_UNITS_UNKNOWN UINT64_MAX

struct source {
    enum source_format format;
    enum source_access access;
    char *path; /* absolute for files; owned */
    char *name; /* as the user wrote it, for sentences ("standard input", "the command line"); owned
                 */
    struct bytes inline_data; /* SOURCE_INLINE */
    uint64_t units;      /* length in units; SOURCE_UNITS_UNKNOWN for a stream of text, JSON or raw
                            elements */
    uint64_t file_bytes; /* size and mtime prove that a worker sees the same file */
    int64_t file_mtime_ns;
    uint64_t data_begin; /* bytes before unit 0: BOM and header line, .npy header, --header */
    uint64_t first_line; /* number of the first line of the data: 1, or 2 after --header */
    /* SOURCE_ARRAY */
    enum lane lane;
    uint8_t lane_half; /* float16: lane is LANE_F32, stored in two bytes */
    uint8_t lane_bool; /* bool: lane is LANE_U8, any non-zero byte counts as 1 */
    uint8_t is_big_endian;
    uint8_t
        is_fortran; /* column-major: unit u is row u / columns, column u % columns all the same */
    uint64_t rows, columns; /* units = rows × columns; rows of zero columns are empty sublists */
    /* SOURCE_RANGE */
    mpz_t begin, step; /* initialised always */
    /* SOURCE_RANDOM */
    uint64_t seed;
};

void source_init(struct source *source);
void source_clear(struct source *source);
void source_copy(struct source *to, const struct source *from); /* `to` is initialised by this */
/* Stored bytes per unit: 1 for text and JSON, the element's width for arrays, 0 for ranges
 * and random integers. */
uint32_t source_unit_bytes(const struct source *source);
/* Elements cannot be numbered without reading (text, JSON). */
bool source_needs_count(const struct source *source);

#endif
