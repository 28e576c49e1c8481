#include "cli.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_fail(const struct error *error)
{
    const struct log log = {.program = "sheaf", .level = LOG_NORMAL};

    log_line(&log, LOG_NORMAL, "%s", error->text);
    return error_exit_status(error->code);
}

static int put(const void *text, size_t length)
{
    struct error error;

    if (fwrite(text, 1, length, stdout) == length && !fflush(stdout))
        return 0;
    error_set_errno(&error, ERROR_FAILED, errno, "standard output cannot be written");
    return cli_fail(&error);
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
