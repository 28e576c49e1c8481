#include "link/pool_failures.h"

#include <stdio.h>

void failures_add(struct pool_failures *failures, const char *sentence, int64_t now_ns)
{
    if (!failures->in_a_row) {
        failures->since_ns = now_ns;
        log_line(&failures->log, LOG_NORMAL, "%s; trying again", sentence);
    }
    if (failures->in_a_row < POOL_FAILURES_MAX)
        failures->in_a_row++;
    failures->is_enough =
        failures->in_a_row == POOL_FAILURES_MAX && now_ns - failures->since_ns >= POOL_FAILURES_NS;
    snprintf(failures->sentence, sizeof failures->sentence, "%s", sentence);
}

void failures_clear(struct pool_failures *failures)
{
    failures->in_a_row = 0;
    failures->is_enough = false;
}

const char *failures_over(const struct pool_failures *failures)
{
    return failures->is_enough ? failures->sentence : NULL;
}
