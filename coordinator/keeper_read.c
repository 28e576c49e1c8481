/* What an earlier run has kept, or the sentence for which it is refused. */
#include "keeper_file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

/* Up to `length` bytes; fewer at the file's end. -1 with errno. */
static ssize_t read_at(int fd, void *to, size_t length, uint64_t offset)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = pread(fd, (uint8_t *)to + done, length - done, (off_t)(offset + done));

        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

static int read_all(int fd, const char *path, struct bytes *out, struct error *error)
{
    struct stat status;
    ssize_t got;

    if (fstat(fd, &status))
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be read", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_USAGE, "%s: is not a regular file", path);
    got = read_at(fd, bytes_extend(out, SAVED_MAGIC_BYTES), SAVED_MAGIC_BYTES, 0);
    out->length = got > 0 ? (size_t)got : 0;
    /* What is of no use is not read as a whole. */
    if (got == SAVED_MAGIC_BYTES && saved_begins(out->data)) {
        out->length = 0;
        got = read_at(fd, bytes_extend(out, (size_t)status.st_size), (size_t)status.st_size, 0);
        out->length = got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be read", path);
    return OK;
}

static int check_job(const struct keeper_file *file, const struct job_spec *spec,
                     const struct saved *saved, struct error *error)
{
    struct identity identity;
    const char *difference;

    identity_of(&identity, spec);
    difference = identity_difference(&saved->identity, &identity);
    if (difference)
        return error_set(error, ERROR_USAGE,
                         "%s: is the checkpoint of another job: %s (name another file, or delete "
                         "this one)",
                         file->path, difference);
    if (!snapshot_is_sound(&saved->snapshot, spec) ||
        saved->answers.bytes != saved->snapshot.answered_bytes)
        return error_set(error, ERROR_USAGE,
                         "%s: makes no sense for this job (delete it to begin anew)", file->path);
    return OK;
}

static int decode(const struct keeper_file *file, const struct bytes *bytes, struct saved *saved,
                  struct error *error)
{
    switch (saved_decode(saved, bytes->data, bytes->length)) {
    case SAVED_SOUND:
        return OK;
    case SAVED_FOREIGN:
        return error_set(error, ERROR_USAGE,
                         "%s: is no checkpoint, and is left as it is (name another file)",
                         file->path);
    case SAVED_OTHER_VERSION:
        return error_set(
            error, ERROR_USAGE,
            "%s: is a checkpoint of another version of sheaf (delete it to begin anew)",
            file->path);
    case SAVED_TORN:
        break;
    }
    return error_set(error, ERROR_USAGE,
                     "%s: is a checkpoint that is torn or damaged (delete it to begin anew)",
                     file->path);
}

/* false: some of it cannot be read, or is not what was written. */
static bool hash_out(struct keeper_file *file, const struct saved_answers *answers)
{
    uint8_t *block = memory_new(BLOCK_BYTES);
    ssize_t got = 1;

    while (file->out_bytes < answers->bytes && got > 0) {
        uint64_t left = answers->bytes - file->out_bytes;

        got = read_at(file->out_fd, block, left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES,
                      KEEPER_OUT_HEAD_BYTES + file->out_bytes);
        if (got > 0)
            hash_add(&file->hash, block, (size_t)got);
        file->out_bytes += got > 0 ? (uint64_t)got : 0;
    }
    memory_free(block);
    return file->out_bytes == answers->bytes && hash_value(&file->hash) == answers->hash;
}

struct mapped {
    void *begin;
    size_t length;
};

static void unmap(void *owner)
{
    struct mapped *mapped = owner;

    munmap(mapped->begin, mapped->length);
    memory_free(mapped);
}

static int map_out(const struct keeper_file *file, struct chunk *answers)
{
    size_t length = KEEPER_OUT_HEAD_BYTES + (size_t)file->out_bytes;
    void *begin = mmap(NULL, length, PROT_READ, MAP_SHARED, file->out_fd, 0);
    struct mapped *mapped;

    if (begin == MAP_FAILED)
        return errno;
    mapped = memory_new(sizeof *mapped);
    *mapped = (struct mapped){begin, length};
    *answers = chunk_wrap((uint8_t *)begin + KEEPER_OUT_HEAD_BYTES, (size_t)file->out_bytes, unmap,
                          mapped);
    return 0;
}

static int read_answers(struct keeper_file *file, const struct saved *saved, struct chunk *answers,
                        struct error *error)
{
    uint64_t count;
    int errnum;

    if (!hash_out(file, &saved->answers))
        return error_set(error, ERROR_USAGE,
                         "%s: does not hold what %s says was answered (delete both to begin anew)",
                         file->out_path, file->path);
    if (!file->out_bytes)
        return OK;
    errnum = map_out(file, answers);
    if (errnum)
        return error_set_errno(error, ERROR_USAGE, errnum, "%s: cannot be read", file->out_path);
    if (!values_check(answers->data, answers->length, &count) ||
        count != saved->snapshot.answered_count)
        return error_set(error, ERROR_USAGE,
                         "%s: holds what is no answer (delete it and %s to begin anew)",
                         file->out_path, file->path);
    return OK;
}

/* What lies behind the bytes that count was written by a run that was killed. */
static int truncate_out(const struct keeper_file *file, struct error *error)
{
    uint64_t length = file->out_bytes ? KEEPER_OUT_HEAD_BYTES + file->out_bytes : 0;

    if (ftruncate(file->out_fd, (off_t)length) == 0)
        return OK;
    return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be written", file->out_path);
}

static int read_file(struct keeper_file *file, int fd, const struct job_spec *spec,
                     struct saved *saved, struct error *error)
{
    struct bytes bytes = {0};
    int rc = read_all(fd, file->path, &bytes, error);

    if (rc == OK)
        rc = decode(file, &bytes, saved, error);
    bytes_clear(&bytes);
    return rc == OK ? check_job(file, spec, saved, error) : rc;
}

int keeper_file_read(struct keeper_file *file, const struct job_spec *spec, struct saved *saved,
                     struct chunk *answers, struct error *error)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = OK;

    *saved = (struct saved){0};
    *answers = (struct chunk){0};
    if (fd < 0 && errno != ENOENT)
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be read", file->path);
    file->has_saved = fd >= 0;
    if (fd >= 0) {
        rc = read_file(file, fd, spec, saved, error);
        close(fd);
        if (rc == OK)
            rc = read_answers(file, saved, answers, error);
    }
    if (rc == OK)
        rc = truncate_out(file, error);
    if (rc == OK)
        return OK;
    saved_clear(saved);
    chunk_drop(answers);
    return rc;
}
