#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int exit_status;
    bool passing;
} TABLE[ERROR_CODES] = {
    [OK] = {0, false},
    [ERROR_FAILED] = {1, false},
    [ERROR_USAGE] = {2, false},
    [ERROR_INPUT] = {2, false},
    [ERROR_FARM] = {3, true},
    [ERROR_MEMORY] = {1, true},
    [ERROR_SYSTEM] = {1, true},
    [ERROR_PROTOCOL] = {1, false},
    [ERROR_STOPPED] = {130, false},
    [ERROR_UNREAD] = {141, false},
};

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;

    if (!error)
        return (int)code;
    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return (int)code;
}

int error_set_errno(struct error *error, enum error_code code, int errnum, const char *format, ...)
{
    va_list arguments;
    size_t length;

    if (!error)
        return (int)code;
    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    length = strlen(error->text);
    snprintf(error->text + length, sizeof error->text - length, ": %s", strerror(errnum));
    return (int)code;
}

int error_exit_status(enum error_code code)
{
    return TABLE[code].exit_status;
}

bool error_is_passing(enum error_code code)
{
    return TABLE[code].passing;
}
