#include "wire/wire_spec.h"

#include "base/limits.h"
#include "base/memory.h"
#include "wire/wire_write.h"

enum {
    SPEC_ITEMS = 6,
    CUT_ITEMS = 4,
    SOURCE_ITEMS = 10, /* of every source … */
    INLINE_ITEMS = 1,  /* … and further ones */
    ARRAY_ITEMS = 4,
    RANGE_ITEMS = 2,
    RANDOM_ITEMS = 1
};

enum array_flag { ARRAY_HALF = 1, ARRAY_BOOL = 2, ARRAY_BIG_ENDIAN = 4, ARRAY_FORTRAN = 8 };

static size_t source_items(enum source_format format, enum source_access access)
{
    return SOURCE_ITEMS + (access == SOURCE_INLINE ? INLINE_ITEMS : 0U) +
           (format == SOURCE_ARRAY ? ARRAY_ITEMS : 0U) +
           (format == SOURCE_RANGE ? RANGE_ITEMS : 0U) +
           (format == SOURCE_RANDOM ? RANDOM_ITEMS : 0U);
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* Sign byte, then the magnitude, least byte first: nothing of a number of any size is converted. */
static void encode_big(msgpack_packer *out, const mpz_t value)
{
    size_t length = (mpz_sizeinbase(value, 2) + 7) / 8;
    struct bytes text = {0};
    uint8_t *to;

    if (mpz_fits_slong_p(value)) {
        msgpack_pack_int64(out, mpz_get_si(value));
        return;
    }
    to = bytes_extend(&text, 1 + length);
    to[0] = mpz_sgn(value) < 0;
    mpz_export(to + 1, NULL, -1, 1, 0, 0, value);
    msgpack_pack_bin_with_body(out, text.data, text.length);
    bytes_clear(&text);
}

static void encode_text(msgpack_packer *out, const char *text)
{
    msgpack_pack_bin_with_body(out, text, strlen(text));
}

/* Most often the name is the path's end, as the user wrote it below the current directory. */
static void encode_name(msgpack_packer *out, const char *name, const char *path)
{
    size_t length = strlen(name);
    size_t path_length = strlen(path);

    if (length && length <= path_length && !strcmp(path + path_length - length, name))
        msgpack_pack_uint64(out, length);
    else
        encode_text(out, name);
}

static size_t shared_length(const char *a, const char *b)
{
    size_t length = 0;

    while (a[length] && a[length] == b[length])
        length++;
    return length;
}

static void encode_array(msgpack_packer *out, const struct source *source)
{
    msgpack_pack_uint32(out, source->lane);
    msgpack_pack_uint32(out, (source->lane_half ? ARRAY_HALF : 0U) |
                                 (source->lane_bool ? ARRAY_BOOL : 0U) |
                                 (source->is_big_endian ? ARRAY_BIG_ENDIAN : 0U) |
                                 (source->is_fortran ? ARRAY_FORTRAN : 0U));
    msgpack_pack_uint64(out, source->rows);
    msgpack_pack_uint64(out, source->columns);
}

static void encode_source(msgpack_packer *out, const struct source *source, const char *last_path)
{
    const char *path = text_of(source->path);
    size_t shared = shared_length(path, last_path);

    msgpack_pack_array(out, source_items(source->format, source->access));
    msgpack_pack_uint32(out, source->format);
    msgpack_pack_uint32(out, source->access);
    msgpack_pack_uint64(out, shared);
    encode_text(out, path + shared);
    encode_name(out, text_of(source->name), path);
    msgpack_pack_uint64(out, source->units);
    msgpack_pack_uint64(out, source->file_bytes);
    msgpack_pack_int64(out, source->file_mtime_ns);
    msgpack_pack_uint64(out, source->data_begin);
    msgpack_pack_uint64(out, source->first_line);
    if (source->access == SOURCE_INLINE)
        msgpack_pack_bin_with_body(out, source->inline_data.data, source->inline_data.length);
    if (source->format == SOURCE_ARRAY)
        encode_array(out, source);
    if (source->format == SOURCE_RANGE) {
        encode_big(out, source->begin);
        encode_big(out, source->step);
    }
    if (source->format == SOURCE_RANDOM)
        msgpack_pack_uint64(out, source->seed);
}

void spec_encode(const struct job_spec *spec, struct bytes *bytes)
{
    msgpack_packer out = write_to(bytes);
    const char *last_path = "";

    msgpack_pack_array(&out, SPEC_ITEMS);
    msgpack_pack_uint32(&out, spec->op);
    msgpack_pack_uint32(&out, spec->type);
    msgpack_pack_array(&out, CUT_ITEMS);
    msgpack_pack_uint32(&out, spec->cut.kind);
    msgpack_pack_uint64(&out, spec->cut.size);
    msgpack_pack_uint64(&out, spec->cut.parts);
    msgpack_pack_uint64(&out, spec->cut.elements);
    msgpack_pack_uint64(&out, spec->piece_units);
    msgpack_pack_uint64(&out, spec->value_bytes_max);
    msgpack_pack_array(&out, spec->source_count);
    for (uint32_t i = 0; i < spec->source_count; i++) {
        encode_source(&out, &spec->sources[i], last_path);
        last_path = text_of(spec->sources[i].path);
    }
}

bool spec_paths_fit(const struct job_spec *spec)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < spec->source_count; i++)
        bytes += strlen(text_of(spec->sources[i].path));
    return bytes <= SPEC_PATHS_BYTES_MAX;
}

static void decode_big(struct reader *in, mpz_t value)
{
    struct text text;

    if (!read_is_text(in)) {
        mpz_set_si(value, read_int(in));
        return;
    }
    text = read_text(in, SIZE_MAX);
    if (text.length < 2 || text.data[0] > 1 || !text.data[text.length - 1]) {
        read_fail(in);
        return;
    }
    mpz_import(value, text.length - 1, -1, 1, 0, 0, text.data + 1);
    if (text.data[0])
        mpz_neg(value, value);
}

/* begin[0 … shared), then the text; terminated and owned by the caller. NULL on failure. */
static char *decode_text(struct reader *in, const char *begin, size_t shared)
{
    struct text rest = read_text(in, BATCH_HEADER_BYTES_MAX);
    char *text;

    if (rest.length && memchr(rest.data, 0, rest.length))
        read_fail(in);
    if (in->failed)
        return NULL;
    text = memory_new(shared + rest.length + 1);
    memcpy(text, begin, shared);
    if (rest.length)
        memcpy(text + shared, rest.data, rest.length);
    return text;
}

static char *decode_path(struct reader *in, const char *last_path)
{
    uint64_t shared = read_uint_in(in, 0, strlen(last_path));
    char *path = decode_text(in, last_path, in->failed ? 0 : (size_t)shared);

    if (path && strlen(path) >= PATH_BYTES_MAX)
        read_fail(in);
    return path;
}

/* Of any length: a range is named by its text. */
static char *decode_name(struct reader *in, const char *path)
{
    size_t length = strlen(path);
    uint64_t own;

    if (read_is_text(in))
        return decode_text(in, "", 0);
    own = read_uint_in(in, 1, length);
    return in->failed ? NULL : memory_text(path + length - own);
}

static void decode_array(struct reader *in, struct source *source)
{
    uint64_t flags;

    source->lane = (enum lane)read_uint_in(in, LANE_I8, LANE_F64);
    flags = read_uint_in(in, 0, ARRAY_HALF | ARRAY_BOOL | ARRAY_BIG_ENDIAN | ARRAY_FORTRAN);
    source->lane_half = (flags & ARRAY_HALF) != 0;
    source->lane_bool = (flags & ARRAY_BOOL) != 0;
    source->is_big_endian = (flags & ARRAY_BIG_ENDIAN) != 0;
    source->is_fortran = (flags & ARRAY_FORTRAN) != 0;
    source->rows = read_uint(in);
    source->columns = read_uint(in);
}

static void decode_inline(struct reader *in, struct source *source)
{
    struct text data = read_text(in, BATCH_HEADER_BYTES_MAX);

    bytes_append(&source->inline_data, data.data, data.length);
}

static void decode_items(struct reader *in, struct source *source, const char *last_path)
{
    source->path = decode_path(in, last_path);
    source->name = decode_name(in, text_of(source->path));
    source->units = read_uint(in);
    source->file_bytes = read_uint(in);
    source->file_mtime_ns = read_int(in);
    source->data_begin = read_uint(in);
    source->first_line = read_uint(in);
    if (source->access == SOURCE_INLINE)
        decode_inline(in, source);
    if (source->format == SOURCE_ARRAY)
        decode_array(in, source);
    if (source->format == SOURCE_RANGE) {
        decode_big(in, source->begin);
        decode_big(in, source->step);
    }
    if (source->format == SOURCE_RANDOM)
        source->seed = read_uint(in);
}

/* data_begin + units × width ≤ bytes, computed without a wrap. */
static bool data_is_within(const struct source *source, uint64_t bytes)
{
    uint32_t width = source_unit_bytes(source);

    return source->data_begin <= bytes && source->units <= (bytes - source->data_begin) / width;
}

static bool needs_data(const struct source *source)
{
    return source->format != SOURCE_RANGE && source->format != SOURCE_RANDOM;
}

static bool access_is_sound(const struct source *source)
{
    switch (source->access) {
    case SOURCE_NOTHING:
        return !needs_data(source) && source->units <= INT64_MAX &&
               (source->format == SOURCE_RANDOM || mpz_sgn(source->step));
    case SOURCE_INLINE:
        return needs_data(source) && data_is_within(source, source->inline_data.length);
    case SOURCE_FILE:
        return needs_data(source) && source->path[0] == '/' &&
               data_is_within(source, source->file_bytes);
    case SOURCE_STREAM:
        return needs_data(source);
    }
    return false;
}

static bool array_is_sound(const struct source *source)
{
    uint64_t units;

    if (source->lane_half && source->lane != LANE_F32)
        return false;
    if (source->lane_bool && source->lane != LANE_U8)
        return false;
    if (source->units == SOURCE_UNITS_UNKNOWN)
        return source->columns != 0;
    return !__builtin_mul_overflow(source->rows, source->columns, &units) && units == source->units;
}

static void decode_source(struct reader *in, struct source *source, const char *last_path)
{
    size_t items = read_array(in);

    source_init(source);
    source->format = (enum source_format)read_uint_in(in, SOURCE_RANGE, SOURCE_RANDOM);
    source->access = (enum source_access)read_uint_in(in, SOURCE_NOTHING, SOURCE_STREAM);
    if (in->failed || items != source_items(source->format, source->access)) {
        read_fail(in);
        return;
    }
    decode_items(in, source, last_path);
    if (in->failed || !access_is_sound(source) ||
        (source->format == SOURCE_ARRAY && !array_is_sound(source)))
        read_fail(in);
}

/* The array grows with the sources that are there, not with the number that is announced. */
static void decode_sources(struct reader *in, struct job_spec *spec)
{
    size_t count = read_array(in);
    size_t capacity = 0;
    uint64_t paths_bytes = 0;
    const char *last_path = "";

    if (count > SOURCES_MAX)
        read_fail(in);
    while (!in->failed && spec->source_count < count) {
        struct source *source;

        if (spec->source_count == capacity) {
            capacity = capacity ? 2 * capacity : 1;
            spec->sources = memory_grow(spec->sources, capacity, sizeof *spec->sources);
        }
        source = &spec->sources[spec->source_count++];
        decode_source(in, source, last_path);
        last_path = text_of(source->path);
        paths_bytes += strlen(last_path);
        if (paths_bytes > SPEC_PATHS_BYTES_MAX)
            read_fail(in);
    }
}

static bool cut_is_sound(const struct cut *cut)
{
    return (cut->kind != CUT_EVERY || cut->size) && (cut->kind != CUT_SPLIT || cut->parts);
}

static void decode_spec(struct reader *in, struct job_spec *spec)
{
    read_array_of(in, SPEC_ITEMS);
    spec->op = (enum op_kind)read_uint_in(in, OP_SUM, OP_PRODUCT);
    spec->type = (enum element_type)read_uint_in(in, ELEMENT_AUTO, ELEMENT_FLOAT);
    read_array_of(in, CUT_ITEMS);
    spec->cut.kind = (enum cut_kind)read_uint_in(in, CUT_SUBLISTS, CUT_TOTAL);
    spec->cut.size = read_uint(in);
    spec->cut.parts = read_uint(in);
    spec->cut.elements = read_uint(in);
    spec->piece_units = read_uint(in);
    spec->value_bytes_max = read_uint(in);
    if (!cut_is_sound(&spec->cut))
        read_fail(in);
    decode_sources(in, spec);
}

struct job_spec *spec_decode(struct reader *in)
{
    struct job_spec *spec;

    if (in->failed)
        return NULL;
    spec = memory_new(sizeof *spec);
    decode_spec(in, spec);
    if (in->failed) {
        job_spec_clear(spec);
        memory_free(spec);
        return NULL;
    }
    return spec;
}
