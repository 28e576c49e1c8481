#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

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
    if (write(STDERR_FILENO, line, length) < 0)
        return;
}
