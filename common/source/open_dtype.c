/* Element types by their names in --dtype and in numpy's descr. */
#include "source/open_part.h"

#include <string.h>

static const struct dtype {
    const char *bits;  /* --dtype's name; "": it has none */
    const char *bytes; /* numpy's */
    enum lane lane;
    bool is_half, is_bool;
} TABLE[] = {
    {"i8", "i1", LANE_I8, false, false},   {"u8", "u1", LANE_U8, false, false},
    {"i16", "i2", LANE_I16, false, false}, {"u16", "u2", LANE_U16, false, false},
    {"i32", "i4", LANE_I32, false, false}, {"u32", "u4", LANE_U32, false, false},
    {"i64", "i8", LANE_I64, false, false}, {"u64", "u8", LANE_U64, false, false},
    {"f16", "f2", LANE_F32, true, false},  {"f32", "f4", LANE_F32, false, false},
    {"f64", "f8", LANE_F64, false, false}, {"", "b1", LANE_U8, false, true},
};

static bool name_is(const char *name, const char *text, size_t length)
{
    return *name && strlen(name) == length && memcmp(name, text, length) == 0;
}

/* Both names of the byte orders: '|' means that there is none, '=' the machine's own. */
static bool skip_order(struct source *source, const char *orders, const char **text, size_t *length)
{
    source->is_big_endian = 0;
    if (!*length || memchr("iufb", **text, 4))
        return true;
    if (!memchr(orders, **text, strlen(orders)))
        return false;
    source->is_big_endian = **text == '>';
    (*text)++;
    (*length)--;
    return true;
}

static bool set_type(struct source *source, const struct dtype *dtype)
{
    source->format = SOURCE_ARRAY;
    source->lane = dtype->lane;
    source->lane_half = dtype->is_half;
    source->lane_bool = dtype->is_bool;
    if (source_unit_bytes(source) == 1)
        source->is_big_endian = 0;
    return true;
}

static bool find_dtype(struct source *source, const char *text, size_t length)
{
    if (!skip_order(source, "<>", &text, &length))
        return false;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (name_is(TABLE[i].bits, text, length))
            return set_type(source, &TABLE[i]);
    return false;
}

int dtype_parse(struct source *source, const char *text, struct error *error)
{
    if (!find_dtype(source, text, strlen(text)))
        return error_set(error, ERROR_USAGE,
                         "--dtype %.40s: no such element type; expected i8, i16, i32, i64, u8, "
                         "u16, u32, u64, f16, f32 or f64, with < or > before it for the byte order",
                         text);
    if (source_unit_bytes(source) == 1 && (*text == '<' || *text == '>'))
        return error_set(error, ERROR_USAGE,
                         "--dtype %s: the number counts bits, and one byte has no order; expected "
                         "%c%c64 for 8 bytes, or %s",
                         text, text[0], text[1], text + 1);
    return OK;
}

bool descr_parse(struct source *source, const char *text, size_t length)
{
    if (!skip_order(source, "<>=|", &text, &length))
        return false;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (name_is(TABLE[i].bytes, text, length))
            return set_type(source, &TABLE[i]);
    return false;
}

const char *descr_refused_name(const char *text, size_t length)
{
    static const struct {
        char kind;
        const char *name;
    } kinds[] = {
        {'c', "complex numbers"}, {'O', "Python objects"}, {'S', "strings"},
        {'a', "strings"},         {'U', "strings"},        {'V', "raw records"},
        {'M', "dates"},           {'m', "durations"},      {'f', "floats of another width"}};
    char kind = length > 1 && memchr("<>=|", *text, 4) ? text[1] : length ? *text : '\0';

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "an unknown type";
}
