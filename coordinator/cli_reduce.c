/* `sheaf sum` and `sheaf product`: from the command line to a job. */
#include "cli.h"

#include "backend.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "launched_input.h"
#include "reduce_options.h"
#include "serve.h"
#include "source/open.h"
#include "wire/wire.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct reduction {
    struct reduce_options options;
    struct job_spec spec;
    int *streams;       /* by source, -1: none; owned */
    struct texts names; /* the sources, as typed; standard input when none is */
    int64_t open_ns;
};

static struct cut cut_of(const struct reduce_options *options)
{
    if (options->total)
        return (struct cut){.kind = CUT_TOTAL};
    if (options->every)
        return (struct cut){.kind = CUT_EVERY, .size = options->every};
    if (options->split)
        return (struct cut){.kind = CUT_SPLIT, .parts = options->split, .elements = UINT64_MAX};
    return (struct cut){.kind = CUT_SUBLISTS};
}

static int name_sources(struct reduction *reduction, struct error *error)
{
    const struct reduce_options *options = &reduction->options;

    for (size_t i = 0; i < options->sources.count; i++)
        texts_add(&reduction->names, options->sources.items[i]);
    if (reduction->names.count)
        return OK;
    if (isatty(STDIN_FILENO))
        return error_set(error, ERROR_USAGE,
                         "what is to be reduced? a range, a file, - or numbers (see %s --help)",
                         reduce_command(options->op)->name);
    texts_add(&reduction->names, "-");
    return OK;
}

static int open_sources(struct reduction *reduction, struct error *error)
{
    const struct reduce_options *options = &reduction->options;
    const struct source_options source_options = {
        .format = options->format, .dtype = options->dtype, .header = options->header};

    if (reduction->names.count > SOURCES_MAX)
        return error_set(error, ERROR_USAGE, "more than %u sources", SOURCES_MAX);
    return sources_open(&reduction->spec, &reduction->streams,
                        (char *const *)(uintptr_t)reduction->names.items,
                        (int)reduction->names.count, &source_options, error);
}

/* A second run could not read it again. */
static int refuse_streams(const struct job_spec *spec, struct error *error)
{
    for (uint32_t i = 0; i < spec->source_count; i++)
        if (spec->sources[i].access == SOURCE_STREAM)
            return error_set(error, ERROR_USAGE,
                             "--checkpoint: %s is a stream, which cannot be read twice; keep it in "
                             "a file first",
                             spec->sources[i].name);
    return OK;
}

/* The spooled bytes as a file that every process of this user can open while this one lives. */
static int become_file(struct source *source, int fd, uint64_t bytes, struct error *error)
{
    uint32_t unit_bytes = source_unit_bytes(source);
    struct stat status;
    char path[64];

    if (bytes % unit_bytes ||
        (source->units != SOURCE_UNITS_UNKNOWN && bytes / unit_bytes < source->units))
        return error_set(error, ERROR_INPUT, "%s: the input ends too early", source->name);
    if (fstat(fd, &status))
        return error_set_errno(error, ERROR_SYSTEM, errno, "%s", source->name);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
    memory_free(source->path);
    source->path = memory_text(path);
    source->access = SOURCE_FILE;
    source->file_bytes = (uint64_t)status.st_size;
    source->file_mtime_ns = status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec;
    if (source->units == SOURCE_UNITS_UNKNOWN) {
        source->units = bytes / unit_bytes;
        source->columns = source->format == SOURCE_ARRAY ? source->units : 0;
    }
    return OK;
}

/* A split needs the number of all elements first, so its streams are read to their ends. */
static int spool_streams(struct reduction *reduction, struct error *error)
{
    int rc = OK;

    for (uint32_t i = 0; rc == OK && i < reduction->spec.source_count; i++) {
        struct source *source = &reduction->spec.sources[i];
        uint64_t bytes;
        int spooled;

        if (source->access != SOURCE_STREAM)
            continue;
        rc = stream_spool(reduction->streams[i], source->name, source->data_begin, &spooled, &bytes,
                          error);
        if (rc != OK)
            break;
        close(reduction->streams[i]);
        reduction->streams[i] = -1;
        rc = become_file(source, spooled, bytes, error);
    }
    return rc;
}

static int check_size(const struct job_spec *spec, struct error *error)
{
    if (cut_is_numbered(&spec->cut) && !job_elements_fit(spec))
        return error_set(error, ERROR_USAGE,
                         "--every and --split number the elements, and can number at most "
                         "18446744073709551614 in all sources together");
    if (wire_job_fits(spec))
        return OK;
    return error_set(error, ERROR_USAGE,
                     "%u sources with names this long are too many for one job (%llu MiB "
                     "describe it at most); give fewer at a time",
                     spec->source_count, (unsigned long long)(BATCH_HEADER_BYTES_MAX / MIB));
}

static int prepare(struct reduction *reduction, struct error *error)
{
    const struct reduce_options *options = &reduction->options;
    int64_t begin_ns = clock_now_ns();
    int rc = name_sources(reduction, error);

    if (rc == OK)
        rc = open_sources(reduction, error);
    if (rc == OK && options->checkpoint)
        rc = refuse_streams(&reduction->spec, error);
    if (rc == OK && options->split && !options->total)
        rc = spool_streams(reduction, error);
    reduction->spec.op = options->op;
    reduction->spec.type = (enum element_type)options->type;
    reduction->spec.cut = cut_of(options);
    reduction->spec.piece_units = options->task_elements;
    reduction->spec.value_bytes_max = options->value_bytes_max;
    reduction->open_ns = clock_now_ns() - begin_ns;
    return rc == OK ? check_size(&reduction->spec, error) : rc;
}

static int run(struct reduction *reduction)
{
    struct serve *serve = NULL;
    struct backend backend;
    struct error error;
    int rc = backend_begin(&backend, &reduction->options, &error);
    int status;

    if (rc == OK && backend.launch.by_prrte)
        rc = launched_input_take(&reduction->options.sources, &error);
    if (rc == OK)
        rc = prepare(reduction, &error);
    if (rc == OK)
        rc = serve_new(&serve, &backend, &reduction->spec, reduction->streams, reduction->open_ns,
                       &error);
    status = rc == OK ? serve_run(serve) : cli_fail(&error);
    serve_free(&serve);
    backend_end(&backend, status);
    job_spec_clear(&reduction->spec);
    memory_free(reduction->streams);
    texts_clear(&reduction->names);
    return status;
}

int cli_reduce(enum op_kind op, int argc, char *const *argv)
{
    struct reduction reduction = {0};
    struct error error;
    int rc = reduce_options_parse(&reduction.options, op, argc, argv, &error);
    int status;

    if (rc != OK)
        status = backend_is_silent(argc, argv) ? error_exit_status(error.code) : cli_fail(&error);
    else if (reduction.options.help)
        status = cli_help(reduce_command(op));
    else if (reduction.options.version)
        status = cli_version();
    else
        status = run(&reduction);
    reduce_options_clear(&reduction.options);
    return status;
}
