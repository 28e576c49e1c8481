/* The SOURCE arguments, one after the other; what each of them is stands in the other open_*.c. */
#include "source/open.h"

#include "source/open_part.h"

#include "base/limits.h"
#include "base/memory.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

struct opening {
    struct job_spec *spec;
    int *streams;
    uint32_t capacity;
    bool stdin_taken;
    bool in_numbers; /* the last source is made of numbers; the next number joins it */
};

static int add_source(struct opening *opening, struct source **source, struct error *error)
{
    struct job_spec *spec = opening->spec;

    if (spec->source_count == SOURCES_MAX)
        return error_set(error, ERROR_USAGE, "more than %u sources", SOURCES_MAX);
    if (spec->source_count == opening->capacity) {
        opening->capacity = opening->capacity ? 2 * opening->capacity : 8;
        spec->sources = memory_grow(spec->sources, opening->capacity, sizeof *spec->sources);
        opening->streams =
            memory_grow(opening->streams, opening->capacity, sizeof *opening->streams);
    }
    *source = &spec->sources[spec->source_count];
    source_init(*source);
    opening->streams[spec->source_count++] = -1;
    return OK;
}

static int add_number(struct opening *opening, const char *argument, struct error *error)
{
    struct source *source;

    if (!opening->in_numbers) {
        int rc = add_source(opening, &source, error);

        if (rc != OK)
            return rc;
        source->name = memory_text("the command line");
    }
    source = &opening->spec->sources[opening->spec->source_count - 1];
    if (opening->in_numbers)
        bytes_append_byte(&source->inline_data, ' ');
    bytes_append(&source->inline_data, argument, strlen(argument));
    source->units = source->inline_data.length;
    return OK;
}

static int add_range(struct opening *opening, const char *argument, struct error *error)
{
    struct source *source;
    int rc = add_source(opening, &source, error);

    return rc == OK ? range_parse(source, argument, error) : rc;
}

static int add_random(struct opening *opening, const char *argument, struct error *error)
{
    struct source *source;
    int rc = add_source(opening, &source, error);

    return rc == OK ? random_parse(source, argument, error) : rc;
}

static int add_file(struct opening *opening, const char *argument,
                    const struct source_options *options, struct error *error)
{
    bool is_stdin = strcmp(argument, "-") == 0;
    struct source *source;
    int rc;

    if (is_stdin && opening->stdin_taken)
        return error_set(error, ERROR_USAGE, "standard input ('-') is named twice");
    opening->stdin_taken |= is_stdin;
    rc = add_source(opening, &source, error);
    if (rc == OK)
        rc = file_open(source, &opening->streams[opening->spec->source_count - 1], argument,
                       options, error);
    return rc;
}

static int add_argument(struct opening *opening, const char *argument,
                        const struct source_options *options, struct error *error)
{
    bool is_number = false;
    int rc;

    if (range_looks_like(argument) || random_looks_like(argument)) {
        opening->in_numbers = false;
        return range_looks_like(argument) ? add_range(opening, argument, error)
                                          : add_random(opening, argument, error);
    }
    rc = number_is(argument, &is_number, error);
    if (rc != OK)
        return rc;
    rc = is_number ? add_number(opening, argument, error)
                   : add_file(opening, argument, options, error);
    opening->in_numbers = is_number;
    return rc;
}

static int check_options(const struct source_options *options, struct error *error)
{
    static const char *const formats[] = {"text", "json", "npy", "raw"};
    bool is_raw = options->format && strcmp(options->format, "raw") == 0;
    bool known = !options->format;
    struct source probe = {0};

    for (size_t i = 0; i < sizeof formats / sizeof *formats && !known; i++)
        known = strcmp(options->format, formats[i]) == 0;
    if (!known)
        return error_set(error, ERROR_USAGE,
                         "--format %.40s: no such format; expected text, json, npy or raw",
                         options->format);
    if (options->dtype && !is_raw)
        return error_set(error, ERROR_USAGE, "--dtype is for --format raw only");
    if (is_raw && !options->dtype)
        return error_set(error, ERROR_USAGE, "--format raw needs --dtype, for example --dtype i64");
    return is_raw ? dtype_parse(&probe, options->dtype, error) : OK;
}

static void give_up(struct opening *opening)
{
    for (uint32_t i = 0; i < opening->spec->source_count; i++) {
        source_clear(&opening->spec->sources[i]);
        if (opening->streams[i] >= 0)
            close(opening->streams[i]);
    }
    memory_free(opening->spec->sources);
    memory_free(opening->streams);
    opening->spec->sources = NULL;
    opening->spec->source_count = 0;
    opening->streams = NULL;
}

int sources_open(struct job_spec *spec, int **streams, char *const *arguments, int count,
                 const struct source_options *options, struct error *error)
{
    struct opening opening = {.spec = spec};
    int rc = check_options(options, error);

    spec->sources = NULL;
    spec->source_count = 0;
    if (rc == OK && count == 0)
        rc = add_argument(&opening, "-", options, error);
    for (int i = 0; i < count && rc == OK; i++)
        rc = add_argument(&opening, arguments[i], options, error);
    if (rc != OK)
        give_up(&opening);
    *streams = opening.streams;
    return rc;
}
