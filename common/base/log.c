#include "base/log.h"

#include "base/stdio.h"

#include <stdarg.h>
#include <stdio.h>

/* A loop has other things to do than to wait for who does not read its notices. */
enum { SENTENCE_MS = 1000, NOTICE_MS = 10 };

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    char line[1536];
    size_t length;
    va_list arguments;

    if (level > log->level)
        return;
    length = (size_t)snprintf(line, sizeof line, "%s: ", log->program);
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    while (line[length])
        length++;
    line[length++] = '\n';
    stdio_say(line, length, level == LOG_QUIET ? SENTENCE_MS : NOTICE_MS);
}
