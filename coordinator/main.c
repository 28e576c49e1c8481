/* `sheaf`: finds the subcommand. */
#include "cli.h"

#include "base/signals.h"
#include "base/stdio.h"

#include <string.h>

static const char ABOUT[] =
    "Exact sums and products of lists of numbers, cut into sublists: on "
    "this machine's cores or on a farm.\n"
    "\n"
    "Commands:\n"
    "  sum          the sum of every sublist\n"
    "  product      the product of every sublist\n"
    "  coordinator  run the service that clients and workers connect to\n"
    "  status       show a farm's workers and jobs\n"
    "  up           start workers on other hosts, over ssh, for one command\n"
    "\n"
    "sheaf COMMAND --help explains a command, with examples.";

static const char MORE[] =
    "Examples:\n"
    "  sheaf sum 1..400 --every 100            5050 15050 25050 35050, a line each\n"
    "  sheaf product 1..20                     2432902008176640000\n"
    "  seq 1 1000000 | sheaf sum - --total     500000500000\n"
    "\n"
    "Exit status: 0 done, 1 the job failed, 2 wrong usage or input, 3 the farm cannot be reached,\n"
    "128 + N after signal N (130: Ctrl-C), 141 when the reader of standard output closed it "
    "early.\n";

struct main_options {
    bool help, version;
};

static const struct option OPTIONS[] = {
    {"help", 'h', OPTION_FLAG, offsetof(struct main_options, help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, offsetof(struct main_options, version), NULL, "show the version",
     0},
};

static const struct command COMMAND = {.name = "sheaf",
                                       .operands = "COMMAND …",
                                       .about = ABOUT,
                                       .more = MORE,
                                       .options = OPTIONS,
                                       .option_count = sizeof OPTIONS / sizeof *OPTIONS};

static const char *const NAMES[] = {"sum", "product", "coordinator", "status", "up"};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static int unknown_command(const char *name)
{
    const char *nearest = NAMES[0];
    struct error error;

    if (!strcmp(name, "worker")) {
        error_set(&error, ERROR_USAGE,
                  "a worker is a program of its own: sheaf-worker (see sheaf-worker --help)");
        return cli_fail(&error);
    }
    for (size_t i = 1; i < NAME_COUNT; i++)
        if (options_distance(name, NAMES[i]) < options_distance(name, nearest))
            nearest = NAMES[i];
    error_set(&error, ERROR_USAGE,
              "'%.40s' is not a command; the nearest is '%s' (see sheaf --help)", name, nearest);
    return cli_fail(&error);
}

/* What stands before or instead of a subcommand. */
static int own_options(int argc, char *const *argv)
{
    struct main_options options = {0};
    struct texts operands = {0};
    struct error error = {0};
    int rc = options_parse(&COMMAND, argc, argv, &options, &operands, &error);

    if (rc == OK && options.version)
        return cli_version();
    if (rc == OK && options.help)
        return cli_help(&COMMAND);
    if (rc == OK)
        error_set(&error, ERROR_USAGE,
                  "which command? sum, product, coordinator, status or up (see sheaf --help)");
    texts_clear(&operands);
    return cli_fail(&error);
}

int main(int argc, char **argv)
{
    const struct op *op = argc > 1 ? op_find(argv[1]) : NULL;

    stdio_begin();
    signals_begin();
    if (op)
        return cli_reduce(op->kind, argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "coordinator"))
        return cli_coordinator(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "status"))
        return cli_status(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "up"))
        return cli_up(argc - 2, argv + 2);
    if (argc > 1 && argv[1][0] != '-' && strcmp(argv[1], "help") != 0)
        return unknown_command(argv[1]);
    if (argc > 1 && !strcmp(argv[1], "help"))
        return cli_help(&COMMAND);
    return own_options(argc - 1, argv + 1);
}
