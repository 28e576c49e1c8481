/* What the end of a job means to whoever asked for it. */
#ifndef SHEAF_COORDINATOR_VERDICT_H
#define SHEAF_COORDINATOR_VERDICT_H

#include "source/fault.h"

/* The documented status of the program when the job ended so. */
int verdict_exit_status(const struct fault *fault);
/* Another run of the command would come to the same end; else what ended the job may be gone. */
bool verdict_is_final(const struct fault *fault);

#endif
