/* Ranges and numbers on the command line. */
#include "source/open_part.h"

#include "base/memory.h"
#include "number/token.h"

#include <string.h>

static const char *skip_integer(const char *at)
{
    const char *digits = at + (*at == '-' || *at == '+');
    const char *end = digits;

    while (*end >= '0' && *end <= '9')
        end++;
    return end > digits ? end : at;
}

bool range_looks_like(const char *argument)
{
    const char *end = skip_integer(argument);
    bool begins = end > argument && strncmp(end, "..", 2) == 0;
    bool begins_nowhere =
        strncmp(argument, "..", 2) == 0 && argument[2] && skip_integer(argument + 2)[0] == '\0';

    return begins || begins_nowhere;
}

static void integer_set(mpz_t out, const char *text, const char *end)
{
    size_t length = (size_t)(end - text);
    char *copy = memory_new(length + 1);

    memcpy(copy, text, length);
    mpz_set_str(out, copy + (*copy == '+'), 10);
    memory_free(copy);
}

/* How many elements begin, begin + step, … has up to `end`, inclusive; step is not zero. */
static void range_count(mpz_t count, const struct source *source, const mpz_t end)
{
    mpz_sub(count, end, source->begin);
    if (mpz_sgn(count) * mpz_sgn(source->step) < 0) {
        mpz_set_ui(count, 0);
        return;
    }
    mpz_tdiv_q(count, count, source->step);
    mpz_add_ui(count, count, 1);
}

static int range_set_units(struct source *source, const mpz_t end, struct error *error)
{
    mpz_t count;
    int rc = OK;

    mpz_init(count);
    range_count(count, source, end);
    if (mpz_sizeinbase(count, 2) > 63)
        rc = error_set(error, ERROR_INPUT,
                       "%.80s: a range has at most 9223372036854775807 elements", source->name);
    else
        source->units = mpz_get_ui(count);
    mpz_clear(count);
    return rc;
}

static int range_refuse(const char *argument, const char *after_begin, struct error *error)
{
    if (after_begin == argument)
        return error_set(error, ERROR_USAGE, "%.80s: a range without a begin; expected A..B",
                         argument);
    if (after_begin[2] == '\0' || after_begin[2] == ':')
        return error_set(error, ERROR_USAGE, "%.80s: a range without end; expected A..B", argument);
    return error_set(error, ERROR_USAGE,
                     "%.80s: not a range; expected A..B or A..B:STEP, all of them integers (a file "
                     "of that name is ./%.80s)",
                     argument, argument);
}

int range_parse(struct source *source, const char *argument, struct error *error)
{
    const char *begin_end = skip_integer(argument);
    const char *end = begin_end + 2;
    const char *end_end = skip_integer(end);
    const char *step = end_end + 1;
    const char *step_end = *end_end == ':' ? skip_integer(step) : end_end;
    bool valid = begin_end > argument && end_end > end && *step_end == '\0' && step_end != step;
    mpz_t last;
    int rc;

    source->format = SOURCE_RANGE;
    source->access = SOURCE_NOTHING;
    source->name = memory_text(argument);
    if (!valid)
        return range_refuse(argument, begin_end, error);
    integer_set(source->begin, argument, begin_end);
    mpz_set_ui(source->step, 1);
    if (*end_end == ':')
        integer_set(source->step, step, step_end);
    if (mpz_sgn(source->step) == 0)
        return error_set(error, ERROR_USAGE, "%.80s: a range with step 0 has no end", argument);
    mpz_init(last);
    integer_set(last, end, end_end);
    rc = range_set_units(source, last, error);
    mpz_clear(last);
    return rc;
}

int number_is(const char *argument, bool *is_number, struct error *error)
{
    struct token token = token_parse(argument, strlen(argument), TOKEN_TEXT);

    *is_number = false;
    switch (token.kind) {
    case TOKEN_BAD:
        return OK;
    case TOKEN_RANGE:
        return error_set(error, ERROR_INPUT,
                         "the command line: '%.40s' is too large for a float (at most about "
                         "1.8e308)",
                         argument);
    case TOKEN_INT:
    case TOKEN_BIG:
    case TOKEN_FLOAT:
        *is_number = true;
        return OK;
    }
    return OK;
}
