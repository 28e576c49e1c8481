/*
 * Files are read with pread() into one buffer of our own rather than mapped: a file that shrinks is
 * then a short read instead of a SIGBUS, the bytes around the buffer can always be read, and a
 * block that fits the second-level cache is folded while it is still there.
 */
#include "source/reader.h"

#include "source/reader_gather.h"

#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLACK_BYTES = 64, BLOCK_BYTES = 256 * 1024, GATHER_BYTES = 4 * 1024 * 1024 };

struct source_reader {
    int fd;
    char *name;
    uint64_t file_bytes;
    int64_t file_mtime_ns;
    bool is_compared; /* with the description; not so a spool of our own */
    uint64_t data_begin;
    uint64_t units;
    uint32_t unit_bytes;
    bool is_fortran;
    struct gather_shape shape;
    uint8_t *buffer; /* SLACK_BYTES, then buffer_bytes, then SLACK_BYTES; aligned to SLACK_BYTES */
    size_t buffer_bytes;
};

int64_t reader_mtime_ns(const struct stat *status)
{
    uint64_t seconds = (uint64_t)status->st_mtim.tv_sec;

    return (int64_t)(seconds * (uint64_t)NS_PER_S + (uint64_t)status->st_mtim.tv_nsec);
}

static bool is_described(const struct source_reader *reader)
{
    struct stat status;

    if (!reader->is_compared)
        return true;
    return fstat(reader->fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size == reader->file_bytes &&
           reader_mtime_ns(&status) == reader->file_mtime_ns;
}

void reader_new(struct source_reader **out, int fd, const struct source *source)
{
    struct source_reader *reader = memory_new(sizeof *reader);
    void *buffer = NULL;

    reader->fd = fd;
    reader->name = memory_text(source->name);
    reader->file_bytes = source->file_bytes;
    reader->file_mtime_ns = source->file_mtime_ns;
    reader->data_begin = source->data_begin;
    reader->units = source->units;
    reader->unit_bytes = source_unit_bytes(source);
    reader->is_fortran = source->is_fortran;
    reader->shape = (struct gather_shape){.rows = source->rows,
                                          .columns = source->columns,
                                          .width = reader->unit_bytes,
                                          .data_begin = source->data_begin};
    reader->buffer_bytes = source->is_fortran ? GATHER_BYTES : BLOCK_BYTES;
    if (posix_memalign(&buffer, SLACK_BYTES, reader->buffer_bytes + 2 * SLACK_BYTES) != 0)
        buffer = memory_new(SIZE_MAX); /* says so, and ends the process */
    reader->buffer = buffer;
    *out = reader;
}

int reader_open(struct source_reader **out, const struct source *source, struct error *error)
{
    int fd = -1;

    *out = NULL;
    errno = ENOENT;
    if (source->access == SOURCE_FILE && source->path)
        fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be opened", source->name);
        return READER_ABSENT;
    }
    reader_new(out, fd, source);
    (*out)->is_compared = true;
    if (is_described(*out))
        return READER_OK;
    reader_free(out);
    error_set(error, ERROR_INPUT, "%s: another file is here than the one described", source->name);
    return READER_ABSENT;
}

void reader_free(struct source_reader **reader)
{
    if (!*reader)
        return;
    close((*reader)->fd);
    free((*reader)->buffer);
    memory_free((*reader)->name);
    memory_free(*reader);
    *reader = NULL;
}

static int get_block(struct source_reader *reader, struct gather_run *run, uint8_t *to)
{
    uint64_t most = reader->buffer_bytes / reader->unit_bytes;

    if (run->units > most)
        run->units = most;
    return pread_whole(reader->fd, to, (size_t)run->units * reader->unit_bytes,
                       (off_t)(reader->data_begin + run->unit * reader->unit_bytes));
}

static int status_of(const struct source_reader *reader, int rc, struct error *error)
{
    if (rc == 0)
        return READER_OK;
    if (rc > 0) {
        error_set(error, ERROR_INPUT, "%s: changed while it was read", reader->name);
        return READER_CHANGED;
    }
    error_set(error, ERROR_INPUT, "%s", strerror(errno));
    return READER_FAILED;
}

int reader_get(struct source_reader *reader, uint64_t unit, uint64_t units, const uint8_t **data,
               uint64_t *units_got, struct error *error)
{
    uint8_t *to = reader->buffer + SLACK_BYTES;
    struct gather_run run;
    int rc;

    *data = to;
    *units_got = 0;
    if (!reader->unit_bytes || unit >= reader->units || !units) {
        error_set(error, ERROR_INPUT, "nothing can be read past the end");
        return READER_FAILED;
    }
    if (units > reader->units - unit)
        units = reader->units - unit;
    run = (struct gather_run){.unit = unit, .units = units};
    rc = reader->is_fortran ? gather(reader->fd, &reader->shape, &run, to, reader->buffer_bytes)
                            : get_block(reader, &run, to);
    if (rc == 0 && !is_described(reader))
        rc = 1;
    *data = to + run.skipped * reader->unit_bytes;
    *units_got = rc == 0 ? run.units : 0;
    return status_of(reader, rc, error);
}

int reader_check(struct source_reader *reader)
{
    return is_described(reader) ? READER_OK : READER_CHANGED;
}
