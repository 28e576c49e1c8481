#include "launched_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_wanted(const struct texts *sources, const struct stat *input)
{
    struct stat status;
    bool is_found = !sources->count;

    for (size_t i = 0; i < sources->count; i++)
        is_found |= !strcmp(sources->items[i], "-") ||
                    (stat(sources->items[i], &status) == 0 && status.st_dev == input->st_dev &&
                     status.st_ino == input->st_ino);
    return is_found;
}

/* The length, one more than the limit when it is longer; -1: errno. */
static ssize_t read_all(char *bytes)
{
    ssize_t length = 0, more;

    do {
        more = read(STDIN_FILENO, bytes + length, LAUNCHED_INPUT_BYTES_MAX + 1 - (size_t)length);
        if (more < 0 && errno != EINTR)
            return -1;
        length += more > 0 ? more : 0;
    } while (more && length <= LAUNCHED_INPUT_BYTES_MAX);
    return length;
}

/* An empty pipe holds twice the limit, so the write never waits. */
static int replace(const char *bytes, ssize_t length)
{
    int ends[2];
    bool is_done;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    is_done = write(ends[1], bytes, (size_t)length) == length && dup2(ends[0], STDIN_FILENO) >= 0;
    close(ends[0]);
    close(ends[1]);
    return is_done ? 0 : -1;
}

int launched_input_take(const struct texts *sources, struct error *error)
{
    char bytes[LAUNCHED_INPUT_BYTES_MAX + 1];
    struct stat input;
    ssize_t length;

    if (fstat(STDIN_FILENO, &input) < 0 || S_ISREG(input.st_mode) || S_ISCHR(input.st_mode) ||
        !is_wanted(sources, &input))
        return OK;
    length = read_all(bytes);
    if (length > LAUNCHED_INPUT_BYTES_MAX)
        return error_set(error, ERROR_INPUT,
                         "standard input: the mpirun of OpenMPI 5 repeats parts of more than %d "
                         "bytes; give a file, or start with srun",
                         LAUNCHED_INPUT_BYTES_MAX);
    if (length < 0 || replace(bytes, length) < 0)
        return error_set_errno(error, ERROR_INPUT, errno, "standard input");
    return OK;
}
