/* A code for the program, a sentence for the person. */
#ifndef SHEAF_BASE_ERROR_H
#define SHEAF_BASE_ERROR_H

#include <stdbool.h>

enum error_code {
    OK = 0,
    ERROR_FAILED, /* the job failed: a piece that kills processes, an answer that cannot be written
                   */
    ERROR_USAGE,  /* wrong options */
    ERROR_INPUT,  /* wrong input */
    ERROR_FARM,   /* the farm cannot be reached */
    ERROR_MEMORY, /* more memory than there is, or than is allowed */
    ERROR_SYSTEM, /* a call of the operating system failed */
    ERROR_PROTOCOL, /* a peer sent what no peer may send */
    ERROR_STOPPED,  /* the user asked to stop */
    ERROR_UNREAD,   /* the reader of standard output is gone: nobody is told */
    ERROR_CODES
};

enum { ERROR_TEXT_BYTES = 1024 };

struct error {
    enum error_code code;
    char text[ERROR_TEXT_BYTES]; /* one sentence without a newline or a final full stop */
};

/*
 * Store a code and its sentence and return the code, so that callers can write
 * `return error_set(error, ERROR_INPUT, …)`. The text is cut at ERROR_TEXT_BYTES. `error` may be
 * NULL.
 */
int error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the sentence for the given errno value appended. */
int error_set_errno(struct error *error, enum error_code code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The documented exit status of the programs: 0, 1, 2, 3, 130 or 141. */
int error_exit_status(enum error_code code);

/* Whether the same call may succeed later without anything being mended by the user. */
bool error_is_passing(enum error_code code);

#endif
