/*
 * Standard input that came through the mpirun of OpenMPI 5. That repeats parts of it whenever the
 * pipe to rank 0 is full for a moment (seen in 5.0.7), so only what fits the pipe can be trusted.
 */
#ifndef SHEAF_COORDINATOR_LAUNCHED_INPUT_H
#define SHEAF_COORDINATOR_LAUNCHED_INPUT_H

#include "base/options.h"

enum { LAUNCHED_INPUT_BYTES_MAX = 32 * 1024 };

/*
 * When standard input is among the sources, by whatever name, read it to its end and put a pipe
 * that holds it in its place. ERROR_INPUT when it is longer than can be trusted.
 */
int launched_input_take(const struct texts *sources, struct error *error);

#endif
