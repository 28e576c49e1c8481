/* Text of others (names of files, what a peer says) as a terminal may be shown it. */
#ifndef SHEAF_BASE_PLAIN_H
#define SHEAF_BASE_PLAIN_H

#include <stddef.h>

/*
 * Copy text with control characters, and bytes that are not UTF-8, written as \n, \t, \r or \xNN,
 * so that a line stays one line and nothing in it steers the terminal. As much as fits in `room`
 * bytes. Returns the length.
 */
size_t plain_text(char *to, size_t room, const char *from, size_t length);

#endif
