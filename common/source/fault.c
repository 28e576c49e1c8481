#include "source/fault.h"

#include "source/edge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fault_set_text(struct fault *fault, const void *text, size_t length)
{
    fault->text_bytes = (uint8_t)(length < FAULT_TEXT_BYTES ? length : FAULT_TEXT_BYTES);
    memcpy(fault->text, text, fault->text_bytes);
}

void fault_rebase(struct fault *fault, uint64_t lines, bool lines_are_absolute)
{
    if (fault->line_is_absolute)
        return;
    fault->line += lines;
    fault->line_is_absolute = lines_are_absolute;
}

void fault_encode(const struct fault *fault, struct bytes *out)
{
    bytes_append_byte(out, (uint8_t)fault->kind);
    if (!fault->kind)
        return;
    bytes_append_u32(out, fault->source);
    bytes_append_u64(out, fault->unit);
    bytes_append_u64(out, fault->line);
    bytes_append_byte(out, fault->line_is_absolute);
    bytes_append_byte(out, fault->text_bytes);
    bytes_append(out, fault->text, fault->text_bytes);
}

bool fault_decode(struct fault *fault, struct reader *in)
{
    uint8_t kind = reader_u8(in);
    uint8_t absolute;
    uint8_t length;
    const uint8_t *text;

    *fault = (struct fault){0};
    if (in->failed || kind >= FAULT_KINDS)
        return false;
    if (!kind)
        return true;
    fault->kind = (enum fault_kind)kind;
    fault->source = reader_u32(in);
    fault->unit = reader_u64(in);
    fault->line = reader_u64(in);
    absolute = reader_u8(in);
    length = reader_u8(in);
    text = reader_take(in, length);
    if (in->failed || absolute > 1 || length > FAULT_TEXT_BYTES)
        return false;
    fault->line_is_absolute = absolute == 1;
    fault_set_text(fault, text, length);
    return true;
}

__attribute__((format(printf, 2, 3))) static void say(struct bytes *out, const char *format, ...)
{
    char text[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        bytes_append(out, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

/* 'text', with what a terminal should not get escaped. */
static void quote(struct bytes *out, const char *text, size_t length)
{
    bytes_append_byte(out, '\'');
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];

        if (byte < ' ' || byte > '~')
            say(out, "\\x%02x", byte);
        else
            bytes_append_byte(out, byte);
    }
    bytes_append_byte(out, '\'');
}

static void quote_token(struct bytes *out, const struct fault *fault)
{
    quote(out, fault->text, fault->text_bytes);
    if (fault->text_bytes == FAULT_TEXT_BYTES)
        say(out, " (cut)");
}

static const char *expected_in(uint8_t state)
{
    static const char *const EXPECTED[JSON_STATES] = {
        [JSON_NOTHING] = "'['",
        [JSON_TOP] = "'['",
        [JSON_TOP_AFTER] = "a new line or the end",
        [JSON_OPEN] = "a number, '[' or ']'",
        [JSON_FLAT_AFTER] = "',' or ']'",
        [JSON_FLAT_COMMA] = "a number",
        [JSON_OUTER_AFTER] = "',' or ']'",
        [JSON_OUTER_COMMA] = "'['",
        [JSON_INNER_OPEN] = "a number or ']'",
        [JSON_INNER_AFTER] = "',' or ']'",
        [JSON_INNER_COMMA] = "a number",
    };
    return state < JSON_STATES ? EXPECTED[state] : "something else";
}

static void say_syntax(const struct fault *fault, struct bytes *out)
{
    if (fault->text_bytes < 2)
        return say(out, "this is not JSON");
    say(out, "expected %s, found ", expected_in((uint8_t)fault->text[0]));
    quote(out, fault->text + 1, 1);
}

static void say_where(const struct fault *fault, const struct source *source, struct bytes *out)
{
    bytes_append(out, source->name, strlen(source->name));
    switch (source->format) {
    case SOURCE_TEXT:
    case SOURCE_JSON:
        say(out, ": line %llu, byte %llu: ", (unsigned long long)(source->first_line + fault->line),
            (unsigned long long)(source->data_begin + fault->unit));
        break;
    case SOURCE_ARRAY:
    case SOURCE_RANGE:
    case SOURCE_RANDOM:
        say(out, ": element %llu: ", (unsigned long long)fault->unit);
        break;
    }
}

static void say_token(const struct fault *fault, struct bytes *out, const char *what)
{
    if (fault->text_bytes)
        quote_token(out, fault);
    else
        say(out, "this");
    say(out, " %s", what);
}

/* What JSON writers that are not strict make of these values; RFC 8259 has no words for them. */
static bool is_word_beside_json(const struct fault *fault)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == fault->text_bytes &&
            memcmp(words[i], fault->text, fault->text_bytes) == 0)
            return true;
    return false;
}

static void say_no_number(const struct fault *fault, enum source_format format, struct bytes *out)
{
    if (format != SOURCE_JSON || !is_word_beside_json(fault))
        return say_token(fault, out, "is not a number");
    say(out, "JSON has no such number as ");
    quote_token(out, fault);
}

static void say_what(const struct fault *fault, enum source_format format, struct bytes *out)
{
    switch (fault->kind) {
    case FAULT_NONE:
    case FAULT_KINDS:
    case FAULT_VALUE_TOO_LARGE:
    case FAULT_CHANGED:
    case FAULT_UNREADABLE:
        break;
    case FAULT_NOT_A_NUMBER:
        return say_no_number(fault, format, out);
    case FAULT_EMPTY_FIELD:
        return say(out, "a number is missing beside this comma");
    case FAULT_LONE_CR:
        return say(out, "a carriage return without a line feed behind it");
    case FAULT_DECIMAL_RANGE:
        return say_token(fault, out, "is too large for a float");
    case FAULT_NOT_AN_INTEGER:
        return say_token(fault, out, "is not an integer");
    case FAULT_FLOAT_PRODUCT:
        return say_token(fault, out, "is a float; products of floats are not supported yet");
    case FAULT_JSON_SYNTAX:
        return say_syntax(fault, out);
    case FAULT_JSON_NOT_NUMERIC:
        return say_token(fault, out, "is not a number");
    case FAULT_JSON_CUT_OFF:
        return say(out, "the input ends before the array does");
    case FAULT_KILLED:
        say(out, "the piece that begins here killed its processes (");
        bytes_append(out, fault->text, fault->text_bytes);
        return say(out, ")");
    }
}

/* These speak of a whole source or job: where they were noticed depends on the cut. */
static void say_whole(const struct fault *fault, const struct source *source,
                      const struct job_spec *spec, struct bytes *out)
{
    if (fault->kind == FAULT_VALUE_TOO_LARGE)
        return say(out, "a value would be larger than %llu bytes (--max-value)",
                   (unsigned long long)spec->value_bytes_max);
    bytes_append(out, source->name, strlen(source->name));
    if (fault->kind == FAULT_CHANGED)
        return say(out, ": changed while it was read");
    say(out, ": ");
    bytes_append(out, fault->text, fault->text_bytes);
}

void fault_sentence(const struct fault *fault, const struct job_spec *spec, struct bytes *out)
{
    const struct source *source;

    if (fault->source >= spec->source_count)
        return say(out, "a fault in a source that the job does not have");
    source = &spec->sources[fault->source];
    switch (fault->kind) {
    case FAULT_VALUE_TOO_LARGE:
    case FAULT_CHANGED:
    case FAULT_UNREADABLE:
        return say_whole(fault, source, spec, out);
    case FAULT_NONE:
    case FAULT_NOT_A_NUMBER:
    case FAULT_EMPTY_FIELD:
    case FAULT_LONE_CR:
    case FAULT_DECIMAL_RANGE:
    case FAULT_NOT_AN_INTEGER:
    case FAULT_FLOAT_PRODUCT:
    case FAULT_JSON_SYNTAX:
    case FAULT_JSON_NOT_NUMERIC:
    case FAULT_JSON_CUT_OFF:
    case FAULT_KILLED:
    case FAULT_KINDS:
        break;
    }
    say_where(fault, source, out);
    say_what(fault, source->format, out);
}
