/* `sheaf up`: the command line of a farm over ssh. */
#include "cli.h"

#include "base/limits.h"
#include "up.h"

#define FIELD(name) offsetof(struct up_options, name)

static const struct option OPTIONS[] = {
    {"hosts", 0, OPTION_TEXT, FIELD(hosts), "FILE",
     "a host and, if wanted, a number of processes a line", 0},
    {"listen", 0, OPTION_TEXT, FIELD(listen), "URL",
     "where the hosts connect (tcp://*:7400; with a command, a free port)", 0},
    {"address", 0, OPTION_TEXT, FIELD(address), "HOST",
     "this host, as the others reach it (where their ssh comes from)", 0},
    {"worker", 0, OPTION_TEXT, FIELD(worker), "PROGRAM", "sheaf-worker on the hosts", 0},
    {"wait", 0, OPTION_SECONDS, FIELD(wait_ns), "SECONDS", "for a host to join (30; 0: for ever)",
     0},
    {"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "no notices but of hosts that are not up", 0},
    {"verbose", 'v', OPTION_FLAG, FIELD(verbose), NULL, "more notices", 0},
    {"help", 'h', OPTION_FLAG, FIELD(help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, FIELD(version), NULL, "show the version", 0},
};

static const struct option_pair CONTRADICTIONS[] = {{"quiet", "verbose"}};

static const struct command COMMAND = {
    .name = "sheaf up",
    .operands = "[-- COMMAND…]",
    .about =
        "Start a coordinator here and a worker on each of the hosts, over ssh; run the command\n"
        "with them, and take all of them down again. Without a command: until Ctrl-C.",
    .more =
        "Examples:\n"
        "  sheaf up --hosts hosts.txt -- sum big.npy\n"
        "  sheaf up --hosts hosts.txt                     (and, from another terminal:)\n"
        "  sheaf sum big.npy --farm tcp://127.0.0.1:7400\n"
        "\n"
        "A line of the file is HOST [PROCESSES]; # begins a comment. HOST is whatever ssh takes: "
        "keys\n"
        "and ports belong into its configuration, as nobody is asked for a password. SHEAF_SSH is\n"
        "another command to use instead of ssh, with its options.\n"
        "Exit status: that of the command; 3 when no host came up, or all are gone.\n",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .contradictions = CONTRADICTIONS,
    .contradiction_count = sizeof CONTRADICTIONS / sizeof *CONTRADICTIONS};

int cli_up(int argc, char *const *argv)
{
    struct up_options options = {.wait_ns = UP_WAIT_NS_DEFAULT};
    struct error error;
    int rc = options_parse(&COMMAND, argc, argv, &options, &options.command, &error);
    int status;

    if (rc == OK && !options.help && !options.version && !options.hosts)
        rc = error_set(&error, ERROR_USAGE, "which hosts? --hosts FILE (see sheaf up --help)");
    if (rc != OK)
        status = cli_fail(&error);
    else if (options.help)
        status = cli_help(&COMMAND);
    else if (options.version)
        status = cli_version();
    else
        status = up_run(&options);
    texts_clear(&options.command);
    return status;
}
