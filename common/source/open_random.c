/* random:N[:SEED] on the command line. */
#include "source/open_part.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char PREFIX[] = "random:";

bool random_looks_like(const char *argument)
{
    return strncmp(argument, PREFIX, sizeof PREFIX - 1) == 0;
}

/* The digits at *text, and *text behind them. false: there are none, or they pass 64 bits. */
static bool read_count(const char **text, uint64_t *value)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

int random_parse(struct source *source, const char *argument, struct error *error)
{
    const char *at = argument + sizeof PREFIX - 1;
    bool valid = read_count(&at, &source->units);

    source->format = SOURCE_RANDOM;
    source->access = SOURCE_NOTHING;
    source->name = memory_text(argument);
    if (valid && *at == ':') {
        at++;
        valid = read_count(&at, &source->seed);
    }
    if (!valid || *at)
        return error_set(error, ERROR_USAGE,
                         "%.80s: expected random:N or random:N:SEED, both whole numbers below 2^64 "
                         "(a file of that name is ./%.80s)",
                         argument, argument);
    if (source->units > INT64_MAX)
        return error_set(error, ERROR_USAGE, "%.80s: at most 9223372036854775807 random integers",
                         argument);
    return OK;
}
