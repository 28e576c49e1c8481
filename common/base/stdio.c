#include "base/stdio.h"

#include <errno.h>
#include <fcntl.h>
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

int stdio_put(const void *text, size_t length, struct error *error)
{
    const char *at = text;

    while (length) {
        ssize_t written = write(STDOUT_FILENO, at, length);

        if (written < 0 && errno != EINTR)
            return stdio_failed(errno, error);
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return OK;
}
