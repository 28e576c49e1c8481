#include "base/log.h"

#include "base/plain.h"
#include "base/stdio.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A loop has other things to do than to wait for who does not read its notices. */
enum { SENTENCE_MS = 1000, NOTICE_MS = 10 };

enum log_level log_level_of(bool is_quiet, bool is_verbose)
{
    if (is_quiet)
        return LOG_QUIET;
    return is_verbose ? LOG_VERBOSE : LOG_NORMAL;
}

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    char said[1536], line[PIPE_BUF];
    va_list arguments;
    size_t length;

    if (level > log->level)
        return;
    length = (size_t)snprintf(said, sizeof said, "%s: ", log->program);
    va_start(arguments, format);
    vsnprintf(said + length, sizeof said - length, format, arguments);
    va_end(arguments);
    length = plain_text(line, sizeof line - 1, said, strlen(said));
    line[length++] = '\n';
    stdio_say(line, length, level == LOG_QUIET ? SENTENCE_MS : NOTICE_MS);
}
