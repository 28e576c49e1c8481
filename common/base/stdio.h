/*
 * Standard input, output and error, as a program finds them and leaves them.
 */
#ifndef SHEAF_BASE_STDIO_H
#define SHEAF_BASE_STDIO_H

#include "base/error.h"

#include <stddef.h>

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

/* Write a whole text to standard output. */
int stdio_put(const void *text, size_t length, struct error *error);

#endif
