/* `sheaf-worker`: the daemon on a host, and, as `sheaf-worker --leaf FD`, one process of a pool. */
#include "daemon.h"
#include "leaf.h"

#include "base/limits.h"
#include "base/options.h"
#include "base/signals.h"
#include "base/stdio.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct worker_options {
    struct daemon_options daemon;
    bool quiet, verbose, help, version;
};

#define FIELD(name) offsetof(struct worker_options, name)

static const struct option OPTIONS[] = {
    {"connect", 0, OPTION_TEXT, FIELD(daemon.connect), "URL", "the coordinator (SHEAF_FARM)", 0},
    {"processes", 'j', OPTION_COUNT, FIELD(daemon.processes), "N",
     "processes to work (all usable CPUs)", 1},
    {"memory", 0, OPTION_BYTES, FIELD(daemon.memory_bytes), "BYTES", "window for all jobs (128M)",
     4 * MIB},
    {"give-up", 0, OPTION_SECONDS, FIELD(daemon.give_up_ns), "SECONDS",
     "end after this long without a coordinator that answers (0: never)", 0},
    {"attached", 0, OPTION_FLAG, FIELD(daemon.is_attached), NULL,
     "end when standard input does: with the connection that started it", 0},
    {"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "no notices", 0},
    {"verbose", 'v', OPTION_FLAG, FIELD(verbose), NULL, "say when it joins and loses", 0},
    {"help", 'h', OPTION_FLAG, FIELD(help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, FIELD(version), NULL, "show the version", 0},
};

static const struct option_pair CONTRADICTIONS[] = {{"quiet", "verbose"}};

static const struct command COMMAND = {
    .name = "sheaf-worker",
    .operands = "",
    .about = "Work for a coordinator with the processors of this host. Joins again when the "
             "coordinator\n"
             "comes back.",
    .more = "Examples:\n"
            "  sheaf-worker --connect tcp://farm.example:7400\n"
            "  sheaf-worker --connect tcp://farm.example:7400 -j 4 -v\n"
            "\n"
            "SIGTERM drains: what it holds is finished, nothing more is taken, and it ends with "
            "status 0.\n"
            "SIGINT, or a second SIGTERM, stops it at once. Exit status: 2 wrong usage, 3 after "
            "--give-up,\n"
            "128 + N when signal N stopped it.\n",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .contradictions = CONTRADICTIONS,
    .contradiction_count = 1};

static const struct log LOG = {.program = "sheaf-worker", .level = LOG_NORMAL};

static int fail(const struct error *error)
{
    if (error->code != ERROR_UNREAD && *error->text)
        log_line(&LOG, LOG_QUIET, "%s", error->text);
    return error_exit_status(error->code);
}

static int run_leaf(const char *text)
{
    struct error error = {0};
    char *end;
    long fd = strtol(text, &end, 10);
    int rc = *end || fd < 0 || fd > INT_MAX
                 ? error_set(&error, ERROR_USAGE, "--leaf: '%.40s' is not a descriptor", text)
                 : leaf_run((int)fd, &error);

    /* A parent that went before we had begun leaves nobody who wants to read of it. */
    if (rc == ERROR_STOPPED)
        return error_exit_status(ERROR_STOPPED);
    return rc == OK ? 0 : fail(&error);
}

static int check(struct worker_options *options, const struct texts *operands, struct error *error)
{
    if (!options->daemon.connect)
        options->daemon.connect = getenv("SHEAF_FARM");
    if (operands->count)
        return error_set(error, ERROR_USAGE,
                         "'%.40s': a worker takes options only (see sheaf-worker --help)",
                         operands->items[0]);
    if (!options->daemon.connect || !*options->daemon.connect)
        return error_set(error, ERROR_USAGE,
                         "which coordinator? --connect URL, such as tcp://127.0.0.1:7400");
    if (options->daemon.processes > 65536)
        return error_set(error, ERROR_USAGE, "-j: more than 65536 processes");
    return OK;
}

static int run(struct worker_options *options, const struct texts *operands)
{
    struct error error = {0};
    int rc = check(options, operands, &error), stopped_by = 0;

    options->daemon.log = LOG;
    options->daemon.version = SHEAF_VERSION;
    options->daemon.log.level = log_level_of(options->quiet, options->verbose);
    if (rc == OK)
        rc = daemon_run(&options->daemon, &stopped_by, &error);
    return rc == OK ? 0 : stopped_by ? 128 + stopped_by : fail(&error);
}

static int put(const void *text, size_t length)
{
    struct error error;

    return stdio_put(text, length, &error) == OK ? 0 : fail(&error);
}

static int help(void)
{
    struct bytes text = {0};
    int status;

    options_help(&COMMAND, &text);
    status = put(text.data, text.length);
    bytes_clear(&text);
    return status;
}

static int version(void)
{
    static const char line[] = "sheaf-worker " SHEAF_VERSION "\n";

    return put(line, strlen(line));
}

int main(int argc, char **argv)
{
    struct worker_options options = {.daemon = {.memory_bytes = MEMORY_BYTES_DEFAULT}};
    struct texts operands = {0};
    struct error error = {0};
    int status, rc;

    stdio_begin();
    if (argc == 3 && !strcmp(argv[1], "--leaf"))
        return run_leaf(argv[2]);
    signals_begin();
    rc = options_parse(&COMMAND, argc - 1, argv + 1, &options, &operands, &error);
    if (rc != OK)
        status = fail(&error);
    else if (options.help)
        status = help();
    else if (options.version)
        status = version();
    else
        status = run(&options, &operands);
    texts_clear(&operands);
    return status;
}
