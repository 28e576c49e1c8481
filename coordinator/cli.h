/* The subcommands of `sheaf`. Each takes the arguments behind its name and returns the exit status.
 */
#ifndef SHEAF_COORDINATOR_CLI_H
#define SHEAF_COORDINATOR_CLI_H

#include "base/options.h"
#include "op/op.h"

int cli_reduce(enum op_kind op, int argc, char *const *argv);
int cli_coordinator(int argc, char *const *argv);
int cli_status(int argc, char *const *argv);
int cli_up(int argc, char *const *argv);

/*
 * "sheaf: " and the sentence on standard error, but nothing when nobody reads the output; returns
 * the exit status that belongs to its code.
 */
int cli_fail(const struct error *error);
/* --help: on standard output. Returns the exit status. */
int cli_help(const struct command *command);
int cli_version(void);

#endif
