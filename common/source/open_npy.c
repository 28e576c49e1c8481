/*
 * The header of an .npy file, versions 1 to 3: a Python dictionary with the keys descr,
 * fortran_order and shape. Parsed by hand, as far as numpy itself writes it; whatever else stands
 * there is refused. Nothing here reads a file. (numpy/lib/format.py describes the format.)
 */
#include "source/open_part.h"

#include "base/limits.h"

#include <string.h>

struct cursor {
    const char *at;
    const char *end;
};

struct shape {
    uint64_t dimension[2];
    uint32_t count;
};

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static int refuse(const struct source *source, struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "%s: the .npy header is not a dictionary of descr, fortran_order and shape",
                     source->name);
}

static int refuse_value(const struct source *source, const char *key, const char *expected,
                        struct error *error)
{
    return error_set(error, ERROR_INPUT, "%s: %s in the .npy header is not %s", source->name, key,
                     expected);
}

static int refuse_key(const struct source *source, const char *key, size_t length, bool is_known,
                      struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "%s: '%.*s' stands in the .npy header %s; expected descr, fortran_order and "
                     "shape, each once",
                     source->name, (int)(length < 40 ? length : 40), key,
                     is_known ? "twice" : "as a key");
}

bool npy_begins(const uint8_t *start)
{
    return memcmp(start, "\x93NUMPY", NPY_MAGIC_BYTES) == 0;
}

int npy_parse_start(const uint8_t *start, const char *name, size_t *header_begin,
                    size_t *header_bytes, struct error *error)
{
    uint8_t version = start[6];
    uint32_t length = (uint32_t)start[8] | (uint32_t)start[9] << 8;

    if (!npy_begins(start))
        return error_set(error, ERROR_INPUT, "%s: not an .npy file: its magic is missing", name);
    if (version < 1 || version > 3 || start[7] != 0)
        return error_set(error, ERROR_INPUT,
                         "%s: .npy version %u.%u; expected version 1.0, 2.0 or 3.0", name, version,
                         start[7]);
    if (version > 1)
        length |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
    if (length > NPY_HEADER_BYTES_MAX)
        return error_set(error, ERROR_INPUT,
                         "%s: an .npy header of %u bytes is too long; at most %u are accepted",
                         name, length, (unsigned)NPY_HEADER_BYTES_MAX);
    *header_begin = version > 1 ? NPY_START_BYTES : NPY_SHORT_START_BYTES;
    *header_bytes = length;
    return OK;
}

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && memchr(" \t\r\n", *cursor->at, 4))
        cursor->at++;
}

static bool take(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);

    skip_blanks(cursor);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

/* A quoted string without escapes; numpy writes no others. */
static bool take_string(struct cursor *cursor, const char **text, size_t *length)
{
    const char *quote;

    skip_blanks(cursor);
    if (cursor->at == cursor->end || (*cursor->at != '\'' && *cursor->at != '"'))
        return false;
    *text = cursor->at + 1;
    quote = memchr(*text, *cursor->at, (size_t)(cursor->end - *text));
    if (!quote || memchr(*text, '\\', (size_t)(quote - *text)))
        return false;
    *length = (size_t)(quote - *text);
    cursor->at = quote + 1;
    return true;
}

/* A dimension; numbers past 2^63 saturate, as no file is that large. */
static bool take_dimension(struct cursor *cursor, uint64_t *value)
{
    const char *begin;

    skip_blanks(cursor);
    *value = 0;
    for (begin = cursor->at; cursor->at < cursor->end; cursor->at++) {
        unsigned digit = (unsigned)(*cursor->at - '0');

        if (digit > 9)
            break;
        *value = *value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *value * 10 + digit;
    }
    if (cursor->at == begin)
        return false;
    if (cursor->at < cursor->end && *cursor->at == 'L') /* as Python 2 wrote it */
        cursor->at++;
    return true;
}

static bool take_shape(struct cursor *cursor, struct shape *shape)
{
    uint64_t value;

    if (!take(cursor, "("))
        return false;
    while (!take(cursor, ")")) {
        if (!take_dimension(cursor, &value))
            return false;
        if (shape->count < 2)
            shape->dimension[shape->count] = value;
        shape->count++;
        if (!take(cursor, ","))
            return take(cursor, ")") && shape->count > 1; /* (3) is no tuple */
    }
    return true;
}

static int take_descr(struct cursor *cursor, struct source *source, struct error *error)
{
    const char *text;
    size_t length;

    if (take(cursor, "["))
        return error_set(error, ERROR_INPUT,
                         "%s: elements of a structured type cannot be reduced; expected bool, "
                         "integers, or float16 to float64",
                         source->name);
    if (!take_string(cursor, &text, &length))
        return refuse_value(source, "descr", "a string", error);
    if (descr_parse(source, text, length))
        return OK;
    return error_set(error, ERROR_INPUT,
                     "%s: elements of type '%.*s' (%s) cannot be reduced; expected bool, integers, "
                     "or float16 to float64",
                     source->name, (int)(length < 40 ? length : 40), text,
                     descr_refused_name(text, length));
}

static bool take_order(struct cursor *cursor, struct source *source)
{
    source->is_fortran = take(cursor, "True");
    return source->is_fortran || take(cursor, "False");
}

static bool key_is(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(key, name, length) == 0;
}

static const char *missing_key(unsigned seen)
{
    return !(seen & HAS_DESCR) ? "descr" : !(seen & HAS_ORDER) ? "fortran_order" : "shape";
}

/* One `'key': value`; `seen` gathers the keys, of which each stands there once. */
static int take_entry(struct cursor *cursor, struct source *source, struct shape *shape,
                      unsigned *seen, struct error *error)
{
    const char *key;
    size_t length;
    unsigned bit;

    if (!take_string(cursor, &key, &length) || !take(cursor, ":"))
        return refuse(source, error);
    bit = key_is(key, length, "descr")           ? HAS_DESCR
          : key_is(key, length, "fortran_order") ? HAS_ORDER
          : key_is(key, length, "shape")         ? HAS_SHAPE
                                                 : 0;
    if (!bit || (*seen & bit))
        return refuse_key(source, key, length, bit != 0, error);
    *seen |= bit;
    if (bit == HAS_DESCR)
        return take_descr(cursor, source, error);
    if (bit == HAS_ORDER && !take_order(cursor, source))
        return refuse_value(source, "fortran_order", "True or False", error);
    if (bit == HAS_SHAPE && !take_shape(cursor, shape))
        return refuse_value(source, "shape", "a tuple of whole numbers", error);
    return OK;
}

static int set_shape(struct source *source, const struct shape *shape, struct error *error)
{
    uint64_t bytes;

    if (shape->count > 2)
        return error_set(error, ERROR_INPUT,
                         "%s: an array of %u dimensions; expected one, or two (a row is a sublist)",
                         source->name, shape->count);
    source->rows = shape->count == 2 ? shape->dimension[0] : 1;
    source->columns = shape->count == 0 ? 1 : shape->dimension[shape->count - 1];
    if (__builtin_mul_overflow(source->rows, source->columns, &source->units) ||
        __builtin_mul_overflow(source->units, source_unit_bytes(source), &bytes) ||
        source->rows > INT64_MAX || source->columns > INT64_MAX || bytes > INT64_MAX)
        return error_set(error, ERROR_INPUT, "%s: the shape in the .npy header is too large",
                         source->name);
    if (source->rows <= 1 || source->columns <= 1)
        source->is_fortran = false; /* both orders are the same bytes */
    return OK;
}

int npy_parse_header(struct source *source, const char *header, size_t length, struct error *error)
{
    struct cursor cursor = {.at = header, .end = header + length};
    struct shape shape = {0};
    unsigned seen = 0;
    bool more = true;

    source->format = SOURCE_ARRAY;
    if (!take(&cursor, "{"))
        return refuse(source, error);
    while (more && !take(&cursor, "}")) {
        int rc = take_entry(&cursor, source, &shape, &seen, error);

        if (rc != OK)
            return rc;
        more = take(&cursor, ",");
        if (!more && !take(&cursor, "}"))
            return refuse(source, error);
    }
    skip_blanks(&cursor);
    if (cursor.at != cursor.end)
        return refuse(source, error);
    if (seen != HAS_ALL)
        return error_set(error, ERROR_INPUT, "%s: the .npy header has no %s", source->name,
                         missing_key(seen));
    return set_shape(source, &shape, error);
}
