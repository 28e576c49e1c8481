/* The signals that end a program, as a descriptor of its loop. For shells only. */
#ifndef SHEAF_BASE_SIGNALS_H
#define SHEAF_BASE_SIGNALS_H

#include "base/error.h"

/*
 * Until signals_open(): SIGINT, SIGTERM and SIGHUP end the process at once with status 128 + signal
 * (a source that is being opened may block). One of them that was ignored before, as nohup and
 * shells do it, stays so for ever.
 *
 * From here on SIGPIPE and SIGXFSZ are ignored, so that the write tells what is wrong, and SIGCHLD
 * is not: who ignores it is not told how its processes ended.
 */
void signals_begin(void);
/* Block the three in this thread, and so in all it starts, and receive them through *fd. */
int signals_open(int *fd, struct error *error);
/* The next signal that has arrived, 0: none. */
int signals_take(int fd);
/* Back to ending at once: the program is on its way out, and a second Ctrl-C need not wait. Closes
 * fd. */
void signals_close(int fd);

#endif
