/*
 * Where the time of a pool's processes went: a line of text for each answer of one of them, for
 * plots. For shells only.
 *
 *   trace HOST PID SLOT KIND BEGIN END UNITS
 *
 * PID is that of the program with the pool, SLOT counts its processes from 0, KIND is a task's,
 * BEGIN and END are seconds since 1970, UNITS the bytes or elements folded.
 */
#ifndef SHEAF_LINK_TRACE_H
#define SHEAF_LINK_TRACE_H

#include "base/error.h"
#include "core/message.h"

#include <stdio.h>

struct trace;

/*
 * What the environment variable SHEAF_TRACE asks for: a folder, in which this program makes the
 * file HOST-PID.trace, or, where `may_print`, "-": standard output. *out is NULL when it is not
 * set.
 */
int trace_open(struct trace **out, bool may_print, struct error *error);
/* The file NAME-PID.trace in such a folder, for lines that come from elsewhere. */
int trace_make_file(FILE **out, const char *folder, const char *name, uint32_t pid,
                    struct error *error);
/* A message that came from a pool process at now_ns of clock_now_ns(); what is no result is passed
 * over. NULL: nothing is traced. */
void trace_hear(struct trace *trace, uint32_t slot, const struct message *message, int64_t now_ns);
/* Write what is left. ERROR_FAILED when not all could be written; the trace is gone all the same.
 */
int trace_close(struct trace **trace, struct error *error);

#endif
