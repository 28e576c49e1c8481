/* Pool processes that end before their first word: said once, and after many in a row reason enough
 * to give up, as the next would only do the same. */
#ifndef SHEAF_LINK_POOL_FAILURES_H
#define SHEAF_LINK_POOL_FAILURES_H

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/* So many, and for so long: a machine that is short of something may have it again by then. */
enum { POOL_FAILURES_MAX = 6 };
#define POOL_FAILURES_NS (5 * NS_PER_S)

struct pool_failures {
    struct log log;
    unsigned in_a_row;
    int64_t since_ns; /* of the first of them */
    bool is_enough;
    char sentence[ERROR_TEXT_BYTES]; /* of the last one */
};

void failures_add(struct pool_failures *failures, const char *sentence, int64_t now_ns);
/* One has spoken: from here on it counts anew. */
void failures_clear(struct pool_failures *failures);
/* NULL while another start may help; else why none will. */
const char *failures_over(const struct pool_failures *failures);

#endif
