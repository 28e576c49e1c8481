/* Lines on standard error, for shells only. Each line begins with the program's name. */
#ifndef SHEAF_BASE_LOG_H
#define SHEAF_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

struct log {
    const char *program;
    enum log_level level;
};

/* What --quiet and --verbose ask for. */
enum log_level log_level_of(bool is_quiet, bool is_verbose);
/*
 * One whole line in one write, so that lines of several processes do not mix, in plain text. A line
 * that nobody takes is dropped: a notice at once, a sentence that is said even when quiet after a
 * second.
 */
void log_line(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
