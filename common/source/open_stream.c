/*
 * The first bytes of a source, and streams that must be read twice.
 *
 * What is taken from a stream is gone for whoever folds it, so nothing past the data's begin may be
 * read: a byte order mark is looked at without taking it, a header line is taken byte by byte.
 */
#include "source/open_part.h"

#include "source/reader.h"

#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_BYTES = 3, COPY_BYTES = 1 << 20, PAUSE_MS_MAX = 50 };
static const uint8_t MARK[MARK_BYTES] = {0xEF, 0xBB, 0xBF};

static void wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    poll(&poll_fd, 1, -1);
}

/* read() that outlives signals and descriptors that somebody else made non-blocking. */
static ssize_t read_some(int fd, void *to, size_t length)
{
    for (;;) {
        ssize_t got = read(fd, to, length);

        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN)
            wait_readable(fd);
    }
}

ssize_t read_whole(int fd, void *to, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = read_some(fd, (uint8_t *)to + done, length - done);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int write_whole(int fd, const void *from, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t put = write(fd, (const uint8_t *)from + done, length - done);

        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0)
            done += (size_t)put;
    }
    return 0;
}

/*
 * Whether a pipe has no writer and no more than these bytes. Nothing tells that more has come while
 * some is there, so it is asked again after a pause, which this takes unless the writer goes.
 */
static bool at_its_end(int fd, int waiting_bytes, int pause_ms)
{
    struct pollfd poll_fd = {.fd = fd};
    int now = 0;

    return poll(&poll_fd, 1, pause_ms) >= 0 && (poll_fd.revents & POLLHUP) &&
           ioctl(fd, FIONREAD, &now) == 0 && now == waiting_bytes;
}

/* Look at a pipe's first bytes by copying them to another pipe; 0 where that is not possible. */
static size_t peek_pipe_once(int fd, uint8_t first[MARK_BYTES])
{
    int copy[2];
    ssize_t got;

    if (pipe2(copy, O_CLOEXEC) != 0)
        return 0;
    do {
        got = tee(fd, copy[1], MARK_BYTES, 0);
        if (got < 0 && errno == EAGAIN)
            wait_readable(fd);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got > 0)
        got = read(copy[0], first, (size_t)got);
    close(copy[0]);
    close(copy[1]);
    return got > 0 ? (size_t)got : 0;
}

/* A writer may bring the mark in several writes; anything else is known from its first byte. */
static size_t peek_pipe(int fd, uint8_t first[MARK_BYTES])
{
    int pause_ms = 1;
    size_t got;

    for (;;) {
        got = peek_pipe_once(fd, first);
        if (got == 0 || got == MARK_BYTES || memcmp(first, MARK, got) != 0 ||
            at_its_end(fd, (int)got, pause_ms))
            return got;
        pause_ms = pause_ms < PAUSE_MS_MAX ? 2 * pause_ms : pause_ms;
    }
}

static bool begins_with_mark(int fd)
{
    uint8_t first[MARK_BYTES] = {0};
    struct stat status;
    ssize_t got = 0;

    if (fstat(fd, &status) != 0)
        return false;
    if (S_ISFIFO(status.st_mode))
        got = (ssize_t)peek_pipe(fd, first);
    else if (S_ISSOCK(status.st_mode))
        got = recv(fd, first, MARK_BYTES, MSG_PEEK | MSG_WAITALL);
    else if (lseek(fd, 0, SEEK_CUR) >= 0)
        got = pread(fd, first, MARK_BYTES, lseek(fd, 0, SEEK_CUR));
    return got == MARK_BYTES && memcmp(first, MARK, MARK_BYTES) == 0;
}

/* The first line of what can be sought in: by blocks, then back to the line's end. */
static ssize_t skip_line_seekable(int fd)
{
    off_t begin = lseek(fd, 0, SEEK_CUR);
    uint64_t length = 0;
    uint8_t block[4096];
    ssize_t got;

    while ((got = read_some(fd, block, sizeof block)) > 0) {
        const uint8_t *newline = memchr(block, '\n', (size_t)got);

        length += newline ? (uint64_t)(newline - block) + 1 : (uint64_t)got;
        if (newline)
            break;
    }
    if (got < 0 || lseek(fd, begin + (off_t)length, SEEK_SET) < 0)
        return -1;
    return (ssize_t)length;
}

static ssize_t skip_line(int fd)
{
    ssize_t length = 0;
    ssize_t got;
    char byte = 0;

    if (lseek(fd, 0, SEEK_CUR) >= 0)
        return skip_line_seekable(fd);
    while (byte != '\n' && (got = read_some(fd, &byte, 1)) != 0) {
        if (got < 0)
            return -1;
        length++;
    }
    return length;
}

int stream_skip_start(int fd, bool header, uint64_t *skipped, struct source *source,
                      struct error *error)
{
    uint8_t mark[MARK_BYTES];
    ssize_t line = 0;

    *skipped = 0;
    if (begins_with_mark(fd) && read_whole(fd, mark, MARK_BYTES) == MARK_BYTES)
        *skipped = MARK_BYTES;
    if (header)
        line = skip_line(fd);
    if (line < 0)
        return error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be read", source->name);
    *skipped += (uint64_t)line;
    return OK;
}

static int named_temporary_file(const char *folder)
{
    char path[PATH_BYTES_MAX];
    int fd;

    if (snprintf(path, sizeof path, "%s/sheaf-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int temporary_file(const char *name, struct error *error)
{
    const char *folder = getenv("TMPDIR");
    int fd;

    if (!folder || !*folder)
        folder = "/tmp";
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd < 0) /* not every file system knows O_TMPFILE */
        fd = named_temporary_file(folder);
    if (fd < 0)
        error_set_errno(error, ERROR_SYSTEM, errno,
                        "%s: no temporary file in %s (choose another folder with TMPDIR)", name,
                        folder);
    return fd;
}

static int copy_stream(int from, int to, const char *name, uint64_t *bytes, struct error *error)
{
    uint8_t *block = memory_new(COPY_BYTES);
    ssize_t got;
    int rc = OK;

    *bytes = 0;
    while (rc == OK && (got = read_some(from, block, COPY_BYTES)) != 0) {
        if (got < 0)
            rc = error_set_errno(error, ERROR_INPUT, errno, "%s: cannot be read", name);
        else if (write_whole(to, block, (size_t)got) != 0)
            rc = error_set_errno(error, ERROR_SYSTEM, errno,
                                 "%s: cannot be kept in a temporary file (choose another folder "
                                 "with TMPDIR)",
                                 name);
        else
            *bytes += (uint64_t)got;
    }
    memory_free(block);
    return rc;
}

static int make_hole(int fd, const char *name, uint64_t bytes, struct error *error)
{
    /* An empty stream leaves the hole alone in the file: writing behind it would not make it. */
    if (ftruncate(fd, (off_t)bytes) != 0 || lseek(fd, (off_t)bytes, SEEK_SET) < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "%s: cannot be kept in a temporary file",
                               name);
    return OK;
}

int stream_spool(int fd, const char *name, uint64_t begin, int *spooled, uint64_t *bytes,
                 struct error *error)
{
    int copy = temporary_file(name, error);
    int rc = copy < 0 ? ERROR_SYSTEM : make_hole(copy, name, begin, error);

    if (rc == OK)
        rc = copy_stream(fd, copy, name, bytes, error);
    if (rc == OK && lseek(copy, 0, SEEK_SET) != 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "%s: cannot be read again", name);
    *spooled = rc == OK ? copy : -1;
    if (rc != OK && copy >= 0)
        close(copy);
    return rc;
}

static int write_rows(int to, struct source_reader *reader, const struct source *source,
                      struct error *error)
{
    uint32_t width = source_unit_bytes(source);

    for (uint64_t unit = 0, got; unit < source->units; unit += got) {
        const uint8_t *data;
        struct error why;
        int status = reader_get(reader, unit, source->units - unit, &data, &got, &why);

        if (status == READER_FAILED)
            return error_set(error, ERROR_INPUT, "%s: cannot be read: %.80s", source->name,
                             why.text);
        if (status != READER_OK)
            return error_set(error, ERROR_INPUT, "%s: changed while it was read", source->name);
        if (write_whole(to, data, (size_t)got * width) != 0)
            return error_set_errno(error, ERROR_SYSTEM, errno,
                                   "%s: cannot be kept in a temporary file", source->name);
    }
    return OK;
}

static int gather_file(int from, int to, const struct source *source, struct error *error)
{
    struct source_reader *reader;
    int rc;

    reader_new(&reader, from, source);
    rc = write_rows(to, reader, source, error);
    reader_free(&reader);
    if (rc == OK && lseek(to, 0, SEEK_SET) != 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "%s: cannot be read again", source->name);
    return rc;
}

static int check_promise(const struct source *source, uint64_t bytes, struct error *error)
{
    uint64_t promised = source->units * source_unit_bytes(source);

    if (bytes == promised)
        return OK;
    return error_set(error, ERROR_INPUT,
                     "%s: the .npy header promises %llu bytes of elements, but %llu follow it",
                     source->name, (unsigned long long)promised, (unsigned long long)bytes);
}

int stream_gather(int *fd, struct source *source, struct error *error)
{
    int columns_first = -1, rows_first = -1;
    uint64_t bytes = 0;
    struct source spool = *source; /* borrows; never cleared */
    int rc = stream_spool(*fd, source->name, 0, &columns_first, &bytes, error);

    spool.data_begin = 0;
    if (rc == OK)
        rc = check_promise(source, bytes, error);
    if (rc == OK) {
        rows_first = temporary_file(source->name, error);
        rc = rows_first < 0 ? ERROR_SYSTEM : gather_file(columns_first, rows_first, &spool, error);
    } else if (columns_first >= 0) {
        close(columns_first);
    }
    if (rc == OK) {
        close(*fd);
        *fd = rows_first;
        source->is_fortran = false;
    } else if (rows_first >= 0) {
        close(rows_first);
    }
    return rc;
}
