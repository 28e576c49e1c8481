#include "cli.h"

#include "base/log.h"
#include "base/stdio.h"

#include <string.h>

int cli_fail(const struct error *error)
{
    const struct log log = {.program = "sheaf", .level = LOG_NORMAL};

    if (error->code != ERROR_UNREAD)
        log_line(&log, LOG_NORMAL, "%s", error->text);
    return error_exit_status(error->code);
}

static int put(const void *text, size_t length)
{
    struct error error;

    return stdio_put(text, length, &error) == OK ? 0 : cli_fail(&error);
}

int cli_help(const struct command *command)
{
    struct bytes text = {0};
    int status;

    options_help(command, &text);
    status = put(text.data, text.length);
    bytes_clear(&text);
    return status;
}

int cli_version(void)
{
    static const char line[] = "sheaf " SHEAF_VERSION "\n";

    return put(line, strlen(line));
}
