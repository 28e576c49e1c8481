#include "base/options.h"

#include "base/limits.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GIVEN_MAX = 64, WORD_MAX = 32 };
#define COUNT_MAX ((uint64_t)INT64_MAX)

struct parse {
    const struct command *command;
    int argc, at;
    char *const *argv;
    void *into;
    uint64_t given; /* bit i: option i of the table was there */
    bool stopped;   /* --help, --version */
    struct error *error;
};

void texts_add(struct texts *texts, const char *text)
{
    texts->items = memory_grow(texts->items, texts->count + 1, sizeof *texts->items);
    texts->items[texts->count++] = text;
}

void texts_clear(struct texts *texts)
{
    memory_free(texts->items);
    *texts = (struct texts){0};
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

size_t options_distance(const char *one, const char *other)
{
    size_t row[WORD_MAX + 1];
    size_t length = strlen(other) < WORD_MAX ? strlen(other) : WORD_MAX;

    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; one[i] && i < WORD_MAX; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t above = row[j + 1];

            row[j + 1] = least_of(above + 1, row[j] + 1, diagonal + (one[i] != other[j]));
            diagonal = above;
        }
    }
    return row[length];
}

static bool is_shown(const struct option *option)
{
    return option->help != NULL;
}

static const char *nearest(const struct command *command, const char *name)
{
    const char *best = "help";
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < command->option_count; i++) {
        size_t distance = options_distance(name, command->options[i].name);

        if (is_shown(&command->options[i]) && distance < best_distance) {
            best = command->options[i].name;
            best_distance = distance;
        }
    }
    return best;
}

static const struct option *find_long(const struct command *command, const char *name,
                                      size_t length)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];

        if (strlen(option->name) == length && !memcmp(option->name, name, length))
            return option;
    }
    return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    return NULL;
}

static int wrong_value(const struct parse *parse, const struct option *option, const char *text,
                       const char *expected)
{
    return error_set(parse->error, ERROR_USAGE, "--%s: '%.40s' is not %s", option->name, text,
                     expected);
}

enum count_kind { COUNT_GOOD, COUNT_BAD, COUNT_TOO_LARGE };

/* Digits and, for bytes, one letter for a power of 1024. */
static enum count_kind read_count(const char *text, bool takes_unit, uint64_t *value)
{
    static const char units[] = "KMGTkmgt";
    const char *end = text + strspn(text, "0123456789");
    const char *unit = *end ? strchr(units, *end) : NULL;
    bool is_large;

    if (end == text || (*end && (!takes_unit || !unit || end[1])))
        return COUNT_BAD;
    errno = 0;
    *value = strtoull(text, NULL, 10);
    is_large = errno == ERANGE;
    if (unit)
        is_large |=
            __builtin_mul_overflow(*value, UINT64_C(1024) << (10 * ((unit - units) % 4)), value);
    return is_large || *value > COUNT_MAX ? COUNT_TOO_LARGE : COUNT_GOOD;
}

static int take_count(const struct parse *parse, const struct option *option, const char *text,
                      uint64_t *field)
{
    bool is_bytes = option->kind == OPTION_BYTES;
    enum count_kind kind = read_count(text, is_bytes, field);
    char expected[80];

    if (kind == COUNT_GOOD && *field >= option->least)
        return OK;
    if (kind == COUNT_TOO_LARGE)
        return error_set(parse->error, ERROR_USAGE, "--%s: '%.40s' is too large; at most %llu%s",
                         option->name, text, (unsigned long long)COUNT_MAX,
                         is_bytes ? " bytes" : "");
    snprintf(expected, sizeof expected, "%s from %llu on",
             is_bytes ? "a number of bytes (K, M, G, T may follow)" : "a whole number",
             (unsigned long long)option->least);
    return wrong_value(parse, option, text, expected);
}

static int take_time(const struct parse *parse, const struct option *option, const char *text,
                     int64_t *field)
{
    double unit = option->kind == OPTION_MS ? (double)NS_PER_MS : (double)NS_PER_S;
    size_t plain = strspn(text, "0123456789.");
    char *end;
    double value = strtod(text, &end);

    if (!*text || text[plain] || *end || value > 1e9 || (option->least && value * unit < 1))
        return wrong_value(parse, option, text,
                           option->kind == OPTION_MS ? "a number of milliseconds"
                                                     : "a number of seconds");
    *field = (int64_t)(value * unit);
    return OK;
}

static int take_choice(const struct parse *parse, const struct option *option, const char *text,
                       uint32_t *field)
{
    const char *word = option->value;
    char expected[80];

    for (uint32_t i = 0; word; i++) {
        size_t length = strcspn(word, "|");

        if (strlen(text) == length && !memcmp(word, text, length)) {
            *field = i;
            return OK;
        }
        word = word[length] ? word + length + 1 : NULL;
    }
    snprintf(expected, sizeof expected, "one of %s", option->value);
    return wrong_value(parse, option, text, expected);
}

static int take_value(struct parse *parse, const struct option *option, const char *text)
{
    void *field = (char *)parse->into + option->offset;

    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return OK;
    case OPTION_TEXT:
        *(const char **)field = text;
        return OK;
    case OPTION_TEXTS:
        texts_add(field, text);
        return OK;
    case OPTION_COUNT:
    case OPTION_BYTES:
        return take_count(parse, option, text, field);
    case OPTION_MS:
    case OPTION_SECONDS:
        return take_time(parse, option, text, field);
    case OPTION_CHOICE:
        return take_choice(parse, option, text, field);
    }
    assert(false && "a kind is one of the table");
    return ERROR_USAGE;
}

/* `attached` is what stands behind `=` or the letter, NULL: nothing. */
static int take_option(struct parse *parse, const struct option *option, const char *attached)
{
    size_t index = (size_t)(option - parse->command->options);

    assert(index < GIVEN_MAX);
    parse->given |= UINT64_C(1) << index;
    if (option->kind == OPTION_FLAG && attached)
        return error_set(parse->error, ERROR_USAGE, "--%s takes no value", option->name);
    if (option->kind == OPTION_FLAG) {
        parse->stopped = !strcmp(option->name, "help") || !strcmp(option->name, "version");
        return take_value(parse, option, NULL);
    }
    if (!attached && parse->at == parse->argc)
        return error_set(parse->error, ERROR_USAGE, "--%s needs a value: --%s %s", option->name,
                         option->name, option->value);
    return take_value(parse, option, attached ? attached : parse->argv[parse->at++]);
}

static int take_long(struct parse *parse, const char *argument)
{
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    const struct option *option = find_long(parse->command, name, length);
    char word[WORD_MAX + 1];

    if (option)
        return take_option(parse, option, name[length] ? name + length + 1 : NULL);
    snprintf(word, sizeof word, "%.*s", length < WORD_MAX ? (int)length : WORD_MAX, name);
    return error_set(parse->error, ERROR_USAGE,
                     "unknown option '--%s'; the nearest known one is '--%s' (see %s --help)", word,
                     nearest(parse->command, word), parse->command->name);
}

/* -qv is -q -v, -j4 is -j 4. */
static int take_letters(struct parse *parse, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        const struct option *option = find_letter(parse->command, *at);
        int rc;

        if (!option)
            return error_set(
                parse->error, ERROR_USAGE,
                "unknown option '%.40s'; the nearest known one is '--%s' (see %s --help)", argument,
                nearest(parse->command, argument + 1), parse->command->name);
        if (option->kind != OPTION_FLAG)
            return take_option(parse, option, at[1] ? at + 1 : NULL);
        rc = take_option(parse, option, NULL);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static bool is_number(const char *argument)
{
    const char *at = argument + 1;

    at += *at == '.';
    return (*at >= '0' && *at <= '9') || !strcasecmp(at, "inf") || !strcasecmp(at, "infinity") ||
           !strcasecmp(at, "nan");
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] && !is_number(argument);
}

static bool was_given(const struct parse *parse, const char *name)
{
    const struct option *option = find_long(parse->command, name, strlen(name));

    return option && (parse->given >> (option - parse->command->options) & 1);
}

static int check_contradictions(const struct parse *parse)
{
    for (size_t i = 0; i < parse->command->contradiction_count; i++) {
        const struct option_pair *pair = &parse->command->contradictions[i];

        if (was_given(parse, pair->one) && was_given(parse, pair->other))
            return error_set(parse->error, ERROR_USAGE,
                             "--%s and --%s contradict each other; give one of them", pair->one,
                             pair->other);
    }
    return OK;
}

int options_parse(const struct command *command, int argc, char *const *argv, void *into,
                  struct texts *operands, struct error *error)
{
    struct parse parse = {
        .command = command, .argc = argc, .argv = argv, .into = into, .error = error};
    bool only_operands = false;
    int rc = OK;

    while (rc == OK && !parse.stopped && parse.at < argc) {
        const char *argument = argv[parse.at++];

        if (only_operands || !is_option(argument))
            texts_add(operands, argument);
        else if (!strcmp(argument, "--"))
            only_operands = true;
        else if (argument[1] == '-')
            rc = take_long(&parse, argument);
        else
            rc = take_letters(&parse, argument);
    }
    if (rc == OK && !parse.stopped)
        rc = check_contradictions(&parse);
    return rc;
}

static void append(struct bytes *out, const char *text)
{
    bytes_append(out, text, strlen(text));
}

static void help_option(const struct option *option, struct bytes *out)
{
    char left[64];

    snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ',
             option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
             option->value ? " " : "", option->value ? option->value : "");
    append(out, "  ");
    append(out, left);
    if (strlen(left) > 30)
        append(out, "\n                                  ");
    else
        for (size_t i = strlen(left); i < 32; i++)
            bytes_append_byte(out, ' ');
    append(out, option->help);
    append(out, "\n");
}

void options_help(const struct command *command, struct bytes *out)
{
    append(out, "usage: ");
    append(out, command->name);
    append(out, *command->operands ? " [OPTION…] " : " [OPTION…]");
    append(out, command->operands);
    append(out, "\n\n");
    append(out, command->about);
    append(out, "\n\nOptions:\n");
    for (size_t i = 0; i < command->option_count; i++)
        if (is_shown(&command->options[i]))
            help_option(&command->options[i], out);
    append(out, "\n");
    append(out, command->more);
}
