#include "keeper_file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char OUT_MAGIC[KEEPER_OUT_HEAD_BYTES] = {'S', 'h', 'e', 'a', 'f', 'O', 'u', '\n'};

static char *join(const char *path, const char *suffix)
{
    size_t length = strlen(path) + strlen(suffix) + 1;
    char *joined = memory_new(length);

    snprintf(joined, length, "%s%s", path, suffix);
    return joined;
}

static char *folder_of(const char *path)
{
    char *folder = memory_text(path);
    char *slash = strrchr(folder, '/');

    if (!slash)
        snprintf(folder, strlen(path) + 1, "%s", *path ? "." : "");
    else
        slash[slash == folder] = 0;
    return folder;
}

static int write_at(int fd, const void *data, size_t length, uint64_t offset)
{
    const char *at = data;

    while (length) {
        ssize_t written = pwrite(fd, at, length, (off_t)offset);

        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
            offset += (uint64_t)written;
        }
    }
    return 0;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static int refuse_in_use(const struct keeper_file *file, struct error *error)
{
    if (errno != EAGAIN && errno != EACCES)
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be locked", file->out_path);
    return error_set(error, ERROR_USAGE, "%s: another run keeps its checkpoint there just now",
                     file->path);
}

/* Of this process alone: a child of a killed run that has not come to its program yet has the
 * descriptors of its parent, but no record locks. */
static bool lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_SETLK, &whole) == 0;
}

/* Who had the lock may have removed the file meanwhile: then it is not the one at that path. */
static int lock_out(struct keeper_file *file, struct error *error)
{
    struct stat opened, there;

    for (;;) {
        file->out_fd = open(file->out_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
        if (file->out_fd < 0)
            return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be written",
                                   file->out_path);
        if (!lock(file->out_fd))
            return refuse_in_use(file, error);
        if (fstat(file->out_fd, &opened))
            return error_set_errno(error, ERROR_USAGE, errno, "%s", file->out_path);
        if (stat(file->out_path, &there) == 0 && is_same_file(&opened, &there))
            break;
        close(file->out_fd);
    }
    if (!S_ISREG(opened.st_mode))
        return error_set(error, ERROR_USAGE, "%s: is not a regular file", file->out_path);
    return OK;
}

static bool is_standard_output(int fd)
{
    struct stat one, other;

    return fstat(fd, &one) == 0 && fstat(STDOUT_FILENO, &other) == 0 && is_same_file(&one, &other);
}

/* Empty, or begun by us, were it only the first bytes of the head. */
static int check_out(struct keeper_file *file, struct error *error)
{
    char head[KEEPER_OUT_HEAD_BYTES];
    ssize_t got = pread(file->out_fd, head, sizeof head, 0);

    if (is_standard_output(file->out_fd))
        return error_set(error, ERROR_USAGE,
                         "%s: is standard output, and what was answered is kept there too; send "
                         "one of them elsewhere",
                         file->out_path);
    if (got < 0)
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be read", file->out_path);
    if (memcmp(head, OUT_MAGIC, (size_t)got) != 0)
        return error_set(error, ERROR_USAGE,
                         "%s: was not written by sheaf, which would keep there what is answered; "
                         "name another file",
                         file->out_path);
    file->is_ours = true;
    return OK;
}

/* That a file can be made is known now, not only when there is something to lose. */
static int check_folder(struct keeper_file *file, struct error *error)
{
    struct stat status;
    int fd;

    if (lstat(file->new_path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, ERROR_USAGE, "%s: is not a regular file", file->new_path);
    fd = open(file->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set_errno(error, ERROR_USAGE, errno, "%s: cannot be written", file->new_path);
    close(fd);
    unlink(file->new_path);
    return OK;
}

int keeper_file_open(struct keeper_file *file, const char *path, struct error *error)
{
    int rc;

    *file = (struct keeper_file){.path = memory_text(path),
                                 .new_path = join(path, ".new"),
                                 .out_path = join(path, ".out"),
                                 .folder = folder_of(path),
                                 .out_fd = -1,
                                 .has_saved = true}; /* until it is known */
    hash_init(&file->hash);
    if (!*path)
        return error_set(error, ERROR_USAGE, "--checkpoint: which file? Its name is empty");
    rc = lock_out(file, error);
    if (rc == OK)
        rc = check_out(file, error);
    if (rc == OK)
        rc = check_folder(file, error);
    return rc;
}

static int fail(struct keeper_file *file, const char *path, int errnum)
{
    if (errnum)
        file->failed = path;
    return errnum;
}

int keeper_file_append(struct keeper_file *file, const struct chunk *values)
{
    uint64_t at = KEEPER_OUT_HEAD_BYTES + file->out_bytes;
    int errnum = file->out_bytes ? 0 : write_at(file->out_fd, OUT_MAGIC, KEEPER_OUT_HEAD_BYTES, 0);

    if (!errnum)
        errnum = write_at(file->out_fd, values->data, values->length, at);
    if (errnum)
        return fail(file, file->out_path, errnum);
    hash_add(&file->hash, values->data, values->length);
    file->out_bytes += values->length;
    file->is_dirty = true;
    return 0;
}

static int write_new(const struct keeper_file *file, const struct bytes *bytes)
{
    int fd = open(file->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int errnum = fd < 0 ? errno : write_at(fd, bytes->data, bytes->length, 0);

    if (!errnum && fsync(fd))
        errnum = errno;
    if (fd >= 0 && close(fd) && !errnum)
        errnum = errno;
    if (!errnum && rename(file->new_path, file->path))
        errnum = errno;
    if (errnum)
        unlink(file->new_path);
    return errnum;
}

/* The rename is on the disk when the folder is; where a folder cannot be synced nothing is lost but
 * that. */
static void sync_folder(const struct keeper_file *file)
{
    int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int keeper_file_save(struct keeper_file *file, struct saved *saved)
{
    struct bytes bytes = {0};
    int errnum = 0;

    if (file->is_dirty && fdatasync(file->out_fd))
        return fail(file, file->out_path, errno);
    file->is_dirty = false;
    saved->answers.bytes = file->out_bytes;
    saved->answers.hash = hash_value(&file->hash);
    saved_encode(saved, &bytes);
    errnum = write_new(file, &bytes);
    bytes_clear(&bytes);
    if (errnum)
        return fail(file, file->path, errnum);
    sync_folder(file);
    file->has_saved = true;
    return 0;
}

void keeper_file_remove(struct keeper_file *file)
{
    /* First what says that there is something to go on from. */
    unlink(file->path);
    file->has_saved = false;
}

static bool is_empty(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && !status.st_size;
}

void keeper_file_close(struct keeper_file *file)
{
    if (file->is_ours && (!file->has_saved || is_empty(file->out_fd)))
        unlink(file->out_path);
    if (file->out_fd >= 0)
        close(file->out_fd);
    memory_free(file->path);
    memory_free(file->new_path);
    memory_free(file->out_path);
    memory_free(file->folder);
    *file = (struct keeper_file){.out_fd = -1};
}
