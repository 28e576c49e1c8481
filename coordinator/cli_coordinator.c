/* `sheaf coordinator`: a node between clients and workers, until it is told to stop. */
#include "cli.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/signals.h"
#include "link/link_zmq.h"
#include "link/loop.h"
#include "link/self.h"

#include <signal.h>
#include <stdio.h>

struct coordinator_options {
    struct texts listen;
    uint64_t memory_bytes;
    int64_t task_ns;
    bool quiet, verbose, help, version;
};

#define FIELD(name) offsetof(struct coordinator_options, name)

static const struct option OPTIONS[] = {
    {"listen", 0, OPTION_TEXTS, FIELD(listen), "URL",
     "where clients and workers connect; several are possible", 0},
    {"memory", 0, OPTION_BYTES, FIELD(memory_bytes), "BYTES", "window for all jobs (128M)",
     4 * MIB},
    {"task-ms", 0, OPTION_MS, FIELD(task_ns), "MS", "work in one task (20)", 1},
    {"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "no notices", 0},
    {"verbose", 'v', OPTION_FLAG, FIELD(verbose), NULL, "more notices", 0},
    {"help", 'h', OPTION_FLAG, FIELD(help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, FIELD(version), NULL, "show the version", 0},
};

static const struct option_pair CONTRADICTIONS[] = {{"quiet", "verbose"}};

static const struct command COMMAND = {
    .name = "sheaf coordinator",
    .operands = "",
    .about =
        "Take jobs from clients and give their work to the workers that have joined. Runs until\n"
        "SIGTERM or SIGINT, then ends with status 0; clients wait for it to come back.",
    .more = "Examples:\n"
            "  sheaf coordinator --listen tcp://127.0.0.1:7400\n"
            "  sheaf-worker --connect tcp://127.0.0.1:7400             (on every host)\n"
            "  sheaf sum big.npy --farm tcp://127.0.0.1:7400\n"
            "\n"
            "URL: tcp://ADDRESS:PORT (tcp://*:7400: every address of this host) or ipc://PATH.\n"
            "Exit status: 0 stopped, 2 wrong usage, 3 it cannot listen at an address.\n",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .contradictions = CONTRADICTIONS,
    .contradiction_count = 1};

struct coordinator {
    const struct coordinator_options *options;
    struct log log;
    struct node *node;
    struct loop *loop;
    int signal_fd;
};

static void take_action(void *context, struct action *action)
{
    const struct coordinator *coordinator = context;

    if (action->type == ACTION_NOTICE)
        log_line(&coordinator->log, LOG_NORMAL, "%s", action->notice);
}

static int open_all(struct coordinator *coordinator, struct error *error)
{
    const struct coordinator_options *options = coordinator->options;
    struct loop_hooks hooks = {.context = coordinator, .action = take_action};
    struct node_options node;
    struct link *link;
    int rc = signals_open(&coordinator->signal_fd, error);

    self_describe(&node);
    node.memory_bytes = options->memory_bytes;
    node.task_ns = options->task_ns;
    node_new(&coordinator->node, &node);
    if (rc == OK)
        rc = loop_new(&coordinator->loop, coordinator->node, &hooks, error);
    if (rc == OK)
        rc = link_zmq_listen(&link, options->listen.items, options->listen.count, error);
    if (rc == OK) {
        loop_add_link(coordinator->loop, link);
        loop_add_fd(coordinator->loop, coordinator->signal_fd, POLLIN);
    }
    return rc;
}

static int run(const struct coordinator_options *options)
{
    struct coordinator coordinator = {
        .options = options,
        .log = {.program = "sheaf", .level = log_level_of(options->quiet, options->verbose)},
        .signal_fd = -1};
    struct error error;
    int status = 0;

    if (open_all(&coordinator, &error) == OK) {
        for (size_t i = 0; i < options->listen.count; i++)
            log_line(&coordinator.log, LOG_NORMAL, "listening on %s", options->listen.items[i]);
        while (!signals_take(coordinator.signal_fd))
            loop_round(coordinator.loop, NS_PER_S);
    } else {
        status = cli_fail(&error);
    }
    signals_close(coordinator.signal_fd);
    loop_free(&coordinator.loop);
    node_free(&coordinator.node);
    return status;
}

static int check(const struct coordinator_options *options, const struct texts *operands,
                 struct error *error)
{
    if (options->help || options->version)
        return OK;
    if (operands->count)
        return error_set(error, ERROR_USAGE,
                         "'%.40s': a coordinator takes no sources (see sheaf coordinator --help)",
                         operands->items[0]);
    if (!options->listen.count)
        return error_set(error, ERROR_USAGE,
                         "where is it to listen? --listen URL, such as tcp://127.0.0.1:7400");
    return OK;
}

int cli_coordinator(int argc, char *const *argv)
{
    struct coordinator_options options = {.memory_bytes = MEMORY_BYTES_DEFAULT,
                                          .task_ns = TASK_NS_DEFAULT};
    struct texts operands = {0};
    struct error error;
    int rc = options_parse(&COMMAND, argc, argv, &options, &operands, &error);
    int status;

    if (rc == OK)
        rc = check(&options, &operands, &error);
    if (rc != OK)
        status = cli_fail(&error);
    else if (options.help)
        status = cli_help(&COMMAND);
    else if (options.version)
        status = cli_version();
    else
        status = run(&options);
    texts_clear(&operands);
    texts_clear(&options.listen);
    return status;
}
