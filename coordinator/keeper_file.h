/*
 * The files of a checkpoint, without a thread: FILE, which is replaced as a whole, and FILE.out,
 * which grows by the values that were answered. FILE says how many bytes of FILE.out belong to it,
 * so whatever a crash leaves behind them does not count. FILE.out is locked while it is open, so
 * that two runs never keep their state in one place; no other descriptor of it may be closed
 * meanwhile, which would unlock it.
 */
#ifndef SHEAF_COORDINATOR_KEEPER_FILE_H
#define SHEAF_COORDINATOR_KEEPER_FILE_H

#include "base/chunk.h"
#include "base/error.h"
#include "base/hash.h"
#include "core/saved.h"

#include <stdbool.h>

enum { KEEPER_OUT_HEAD_BYTES = 8 }; /* before the values in FILE.out */

struct keeper_file {
    char *path, *new_path, *out_path, *folder; /* owned */
    int out_fd;                                /* locked; -1: not open */
    bool is_ours;                              /* FILE.out holds nothing that we did not write */
    bool has_saved;                            /* there is a FILE */
    uint64_t out_bytes; /* values in FILE.out that count, without its head … */
    struct hash hash;   /* … and their checksum */
    bool is_dirty;      /* FILE.out has bytes that may not be on the disk yet */
    const char *failed; /* what could not be written, after a failure; borrowed */
};

/*
 * Lock the place, and read what is there. Status 2 with a sentence: the folder cannot be written,
 * another run is at it, or what is there is no checkpoint, torn, or one of another job
 * (`identity`).
 *
 * saved    out: what to go on from, sound for the spec; empty when there is nothing.
 * answers  out: the values that were answered before it, packed and checked; the caller's.
 */
int keeper_file_open(struct keeper_file *file, const char *path, struct error *error);
int keeper_file_read(struct keeper_file *file, const struct job_spec *spec, struct saved *saved,
                     struct chunk *answers, struct error *error);

/* Append values; on the disk at the latest before the next keeper_file_save(). Returns 0 or errno.
 */
int keeper_file_append(struct keeper_file *file, const struct chunk *values);
/* Replace FILE so that it is on the disk as a whole. Fills saved->answers. Returns 0 or errno. */
int keeper_file_save(struct keeper_file *file, struct saved *saved);

/* The job is over: nothing is left of it. */
void keeper_file_remove(struct keeper_file *file);
/* Files without a use are removed, those to go on from stay. */
void keeper_file_close(struct keeper_file *file);

#endif
