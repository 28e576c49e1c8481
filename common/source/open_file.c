/* One file or stream: what it is, where its data begins, how long it is. */
#include "source/open_part.h"

#include "source/reader.h"

#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    int fd;
    struct stat status;
    bool is_stream;
};

static enum source_format format_by_name(const char *name)
{
    static const struct {
        const char *extension;
        enum source_format format;
    } table[] = {{".json", SOURCE_JSON},
                 {".ndjson", SOURCE_JSON},
                 {".jsonl", SOURCE_JSON},
                 {".npy", SOURCE_ARRAY}};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof table / sizeof *table; i++)
        if (strcasecmp(dot, table[i].extension) == 0)
            return table[i].format;
    return SOURCE_TEXT;
}

/* One document a line, so that none is a possible number of them. */
static bool is_lines_by_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && (strcasecmp(dot, ".ndjson") == 0 || strcasecmp(dot, ".jsonl") == 0);
}

static enum source_format format_of(const char *name, const char *format)
{
    if (!format)
        return format_by_name(name);
    if (strcmp(format, "text") == 0)
        return SOURCE_TEXT;
    return strcmp(format, "json") == 0 ? SOURCE_JSON : SOURCE_ARRAY;
}

static int refuse_missing(const char *argument, int errnum, struct error *error)
{
    bool looks_like_number = strspn(argument, "+-.") < strlen(argument) &&
                             argument[strspn(argument, "+-.")] >= '0' &&
                             argument[strspn(argument, "+-.")] <= '9';

    if (errnum == ENOENT && looks_like_number)
        return error_set(error, ERROR_INPUT, "%s: neither a number nor a range nor a file",
                         argument);
    return error_set_errno(error, ERROR_INPUT, errnum, "%s: cannot be opened", argument);
}

/*
 * A regular file without a size, such as those in /proc, has to be read to know what is in it: if
 * anything is, or it has no places to read at, it is a stream.
 */
static int examine_empty(struct file *file, const char *name, struct error *error)
{
    ssize_t got;
    char byte;

    do
        got = pread(file->fd, &byte, 1, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != ESPIPE)
        return error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be read", name);
    file->is_stream = got != 0;
    return OK;
}

static int examine(struct file *file, const char *name, struct error *error)
{
    if (fstat(file->fd, &file->status) != 0)
        return error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be examined", name);
    if (S_ISDIR(file->status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: is a directory", name);
    file->is_stream = !S_ISREG(file->status.st_mode);
    return file->is_stream || file->status.st_size ? OK : examine_empty(file, name, error);
}

static int open_path(struct file *file, const char *path, const char *name, struct error *error)
{
    do
        file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (file->fd < 0 && errno == EINTR);
    if (file->fd < 0)
        return refuse_missing(name, errno, error);
    return examine(file, name, error);
}

/* Standard input redirected from a file is that file, unless somebody has already read some of it.
 */
static int open_stdin(struct file *file, const char *name, struct error *error)
{
    int reopened = -1;
    int rc;

    file->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (file->fd < 0)
        return error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be read", name);
    rc = examine(file, name, error);
    if (rc != OK || file->is_stream)
        return rc;
    file->is_stream = true;
    if (lseek(file->fd, 0, SEEK_CUR) == 0)
        reopened = open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (reopened < 0)
        return OK;
    close(file->fd);
    file->fd = reopened;
    return examine(file, name, error);
}

/*
 * The path that others open must lead to the very file that is open here: /dev/stdin and
 * /proc/self/fd/N resolve to it, or, when it was deleted, to nothing. Then it is a stream.
 */
static void resolve_path(struct source *source, struct file *file, const char *argument)
{
    char *path = realpath(argument, NULL);
    struct stat found;

    if (path && stat(path, &found) == 0 && found.st_dev == file->status.st_dev &&
        found.st_ino == file->status.st_ino) {
        source->path = memory_text(path);
        source->access = SOURCE_FILE;
    } else {
        file->is_stream = true;
    }
    free(path);
}

static int open_array_size(struct source *source, const struct file *file, struct error *error)
{
    uint64_t width = source_unit_bytes(source);
    uint64_t promised = source->units * width;
    uint64_t present = source->file_bytes - source->data_begin;

    if (file->is_stream || present == promised)
        return OK;
    if (present < promised)
        return error_set(error, ERROR_INPUT,
                         "%s: the .npy header promises %" PRIu64 " elements, which are %" PRIu64
                         " bytes, but only %" PRIu64 " follow it",
                         source->name, source->units, promised, present);
    return error_set(error, ERROR_INPUT,
                     "%s: %" PRIu64 " bytes follow the last of the %" PRIu64
                     " elements that the .npy header promises",
                     source->name, present - promised, source->units);
}

static int read_npy(struct source *source, const struct file *file, struct error *error)
{
    uint8_t start[NPY_START_BYTES] = {0};
    size_t header_begin = 0, header_bytes = 0;
    ssize_t got = read_whole(file->fd, start, NPY_SHORT_START_BYTES);
    char *header;
    int rc;

    if (got < 0)
        return error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be read", source->name);
    if (got >= NPY_MAGIC_BYTES && got < NPY_SHORT_START_BYTES && npy_begins(start))
        return error_set(error, ERROR_INPUT, "%s: ends inside the .npy header", source->name);
    if (got == NPY_SHORT_START_BYTES && start[6] > 1)
        got += read_whole(file->fd, start + got, NPY_START_BYTES - NPY_SHORT_START_BYTES);
    rc = npy_parse_start(start, source->name, &header_begin, &header_bytes, error);
    if (rc != OK)
        return rc;
    header = memory_new(header_bytes);
    if (got != (ssize_t)header_begin ||
        read_whole(file->fd, header, header_bytes) != (ssize_t)header_bytes)
        rc = error_set(error, ERROR_INPUT, "%s: ends inside the .npy header", source->name);
    if (rc == OK)
        rc = npy_parse_header(source, header, header_bytes, error);
    memory_free(header);
    source->data_begin = header_begin + header_bytes;
    return rc == OK ? open_array_size(source, file, error) : rc;
}

static int set_raw(struct source *source, const struct file *file, const char *dtype,
                   struct error *error)
{
    uint32_t width;
    int rc = dtype_parse(source, dtype, error);

    if (rc != OK)
        return rc;
    width = source_unit_bytes(source);
    if (!file->is_stream && source->file_bytes % width != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: %" PRIu64 " bytes are not a whole number of elements of %u bytes",
                         source->name, source->file_bytes, width);
    source->units = file->is_stream ? SOURCE_UNITS_UNKNOWN : source->file_bytes / width;
    source->rows = 1;
    source->columns = source->units;
    return OK;
}

static int set_text(struct source *source, const struct file *file, bool header,
                    struct error *error)
{
    bool is_text = source->format == SOURCE_TEXT;
    int rc = stream_skip_start(file->fd, is_text && header, &source->data_begin, source, error);

    if (rc == OK && is_text && header)
        source->first_line = 2;
    source->units =
        file->is_stream ? SOURCE_UNITS_UNKNOWN : source->file_bytes - source->data_begin;
    /* Nothing is a cut-off document to JSON, and no line to text. */
    if (!source->units && is_lines_by_name(source->name))
        source->format = SOURCE_TEXT;
    return rc;
}

static int set_format(struct source *source, struct file *file,
                      const struct source_options *options, struct error *error)
{
    bool is_raw = options->format && strcmp(options->format, "raw") == 0;
    int rc;

    if (source->format != SOURCE_ARRAY)
        return set_text(source, file, options->header, error);
    if (is_raw)
        return set_raw(source, file, options->dtype, error);
    rc = read_npy(source, file, error);
    if (rc == OK && source->is_fortran && file->is_stream)
        rc = stream_gather(&file->fd, source, error);
    return rc;
}

static void describe(struct source *source, struct file *file, const char *path)
{
    source->access = SOURCE_STREAM;
    if (!file->is_stream)
        resolve_path(source, file, path);
    if (file->is_stream)
        return;
    source->file_bytes = (uint64_t)file->status.st_size;
    source->file_mtime_ns = reader_mtime_ns(&file->status);
}

int file_open(struct source *source, int *stream, const char *argument,
              const struct source_options *options, struct error *error)
{
    bool is_stdin = strcmp(argument, "-") == 0;
    struct file file = {.fd = -1};
    int rc;

    source->name = memory_text(is_stdin ? "standard input" : *argument ? argument : "''");
    source->format = format_of(argument, options->format);
    rc = is_stdin ? open_stdin(&file, source->name, error)
                  : open_path(&file, argument, source->name, error);
    if (rc == OK) {
        describe(source, &file, is_stdin ? "/proc/self/fd/0" : argument);
        rc = set_format(source, &file, options, error);
    }
    if (rc == OK && file.is_stream)
        *stream = file.fd;
    else if (file.fd >= 0)
        close(file.fd);
    return rc;
}
