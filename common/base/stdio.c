#include "base/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

void stdio_begin(void)
{
    /* Open the wrong way round, so that using them is EBADF as before. */
    static const int modes[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return; /* without /dev/null there is nothing to put there */
}

int stdio_failed(int errnum, struct error *error)
{
    if (errnum == EPIPE)
        return error_set(error, ERROR_UNREAD, "nobody reads standard output");
    return error_set_errno(error, ERROR_FAILED, errnum, "standard output cannot be written");
}

static bool can_write(int fd, int timeout_ms)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    int ready;

    do
        ready = poll(&room, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

ssize_t stdio_write_some(int fd, const void *data, size_t length)
{
    ssize_t written;

    while ((written = write(fd, data, length)) < 0) {
        if (errno == EAGAIN)
            can_write(fd, -1);
        else if (errno != EINTR)
            break;
    }
    return written;
}

void stdio_say(const void *text, size_t length, int patience_ms)
{
    if (can_write(STDERR_FILENO, patience_ms) && write(STDERR_FILENO, text, length) < 0)
        return; /* there is nobody left to tell */
}

int stdio_put(const void *text, size_t length, struct error *error)
{
    const char *at = text;

    while (length) {
        ssize_t written = stdio_write_some(STDOUT_FILENO, at, length);

        if (written < 0)
            return stdio_failed(errno, error);
        at += written;
        length -= (size_t)written;
    }
    return OK;
}
