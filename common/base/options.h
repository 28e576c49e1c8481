/*
 * The command line, table-driven: what a command takes stands in one table, which parses, checks
 * and explains itself. For shells only.
 *
 * Options and operands may be mixed. `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`; `--`
 * ends the options. A negative number (-5, -.5, -5..5, -inf) is an operand, never an option.
 */
#ifndef SHEAF_BASE_OPTIONS_H
#define SHEAF_BASE_OPTIONS_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct texts {
    const char **items; /* owned array of borrowed texts */
    size_t count;
};
void texts_add(struct texts *texts, const char *text);
void texts_clear(struct texts *texts);

/* What the field at an option's offset is. */
enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* const char * */
    OPTION_TEXTS,   /* struct texts: may be given several times */
    OPTION_COUNT,   /* uint64_t */
    OPTION_BYTES,   /* uint64_t; K, M, G and T are powers of 1024 */
    OPTION_MS,      /* int64_t nanoseconds, given in milliseconds */
    OPTION_SECONDS, /* int64_t nanoseconds, given in seconds */
    OPTION_CHOICE   /* uint32_t: which of the words in `value`, separated by | */
};

struct option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;
    const char *value; /* what help calls the value; the words of a choice */
    const char *help;  /* NULL: not shown */
    uint64_t least;    /* COUNT, BYTES: the smallest that makes sense */
};

struct option_pair {
    const char *one, *other;
};

struct command {
    const char *name; /* as typed: "sheaf sum" */
    const char *operands;
    const char *about;
    const char *more; /* examples and what else helps */
    const struct option *options;
    size_t option_count;
    const struct option_pair *contradictions;
    size_t contradiction_count;
};

/*
 * Fill the fields of `into` from the arguments (argv[0] is the first argument, not the program).
 * Defaults are what stands in the fields before. An option named `help` or `version` ends the
 * parsing with its flag set.
 *
 * ERROR_USAGE with a sentence: an unknown option (the nearest known one is named), a value that is
 * missing or makes no sense, two options that contradict each other.
 */
int options_parse(const struct command *command, int argc, char *const *argv, void *into,
                  struct texts *operands, struct error *error);

/* What --help prints. */
void options_help(const struct command *command, struct bytes *out);

/* The number of single-letter edits between two words, for naming the nearest known one. */
size_t options_distance(const char *one, const char *other);

#endif
