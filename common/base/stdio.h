/*
 * Standard input, output and error, as a program finds them and leaves them.
 */
#ifndef SHEAF_BASE_STDIO_H
#define SHEAF_BASE_STDIO_H

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Take the places of the standard descriptors that are closed, before anything else is opened: a
 * socket of ours with the number of standard output would be sent the answer. Reading or writing
 * them still fails as it does on a closed descriptor.
 */
void stdio_begin(void);

/*
 * What a write to standard output that failed means: ERROR_UNREAD when its reader is gone, else
 * ERROR_FAILED with a sentence.
 */
int stdio_failed(int errnum, struct error *error);

/*
 * write() that outlives signals, and descriptors that somebody else, who shares them, made
 * non-blocking: it sleeps until there is room. -1 and errno when it cannot be written at all.
 */
ssize_t stdio_write_some(int fd, const void *data, size_t length);

/*
 * Lines for a person, on standard error, of at most PIPE_BUF bytes. Who is not told because nobody
 * takes them for so long must not be stopped by it: they are dropped.
 */
void stdio_say(const void *text, size_t length, int patience_ms);

/* Write a whole text to standard output. */
int stdio_put(const void *text, size_t length, struct error *error);

#endif
