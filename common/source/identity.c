#include "source/identity.h"

#include "base/hash.h"

#include <string.h>

/* With its length, so that what follows another is never taken for a part of it. */
static void add_bytes(struct hash *hash, const void *data, size_t length)
{
    hash_add_u64(hash, length);
    hash_add(hash, data, length);
}

static void add_big(struct hash *hash, const mpz_t value)
{
    struct bytes text = {0};
    size_t length = (mpz_sizeinbase(value, 2) + 7) / 8;

    bytes_extend(&text, length);
    mpz_export(text.data, NULL, -1, 1, 0, 0, value);
    hash_add_u64(hash, mpz_sgn(value) < 0);
    add_bytes(hash, text.data, mpz_sgn(value) ? length : 0);
    bytes_clear(&text);
}

static void add_source(struct hash *hash, const struct source *source)
{
    const char *path = source->path ? source->path : "";

    hash_add_u64(hash, source->format);
    hash_add_u64(hash, source->access);
    add_bytes(hash, path, strlen(path));
    add_bytes(hash, source->inline_data.data, source->inline_data.length);
    add_big(hash, source->begin);
    add_big(hash, source->step);
    hash_add_u64(hash, source->seed);
    if (source->access == SOURCE_NOTHING)
        hash_add_u64(hash, source->units);
}

static void add_state(struct hash *hash, const struct source *source)
{
    hash_add_u64(hash, source->units);
    hash_add_u64(hash, source->file_bytes);
    hash_add_u64(hash, (uint64_t)source->file_mtime_ns);
    hash_add_u64(hash, source->data_begin);
    hash_add_u64(hash, source->first_line);
    hash_add_u64(hash, source->lane);
    hash_add_u64(hash, source->lane_half);
    hash_add_u64(hash, source->lane_bool);
    hash_add_u64(hash, source->is_big_endian);
    hash_add_u64(hash, source->is_fortran);
    hash_add_u64(hash, source->rows);
    hash_add_u64(hash, source->columns);
}

void identity_of(struct identity *identity, const struct job_spec *spec)
{
    struct hash sources;
    struct hash state;

    hash_init(&sources);
    hash_init(&state);
    for (uint32_t i = 0; i < spec->source_count; i++) {
        add_source(&sources, &spec->sources[i]);
        add_state(&state, &spec->sources[i]);
    }
    *identity = (struct identity){.op = spec->op,
                                  .type = spec->type,
                                  .cut = spec->cut.kind,
                                  .size = spec->cut.size,
                                  .parts = spec->cut.parts,
                                  .value_bytes_max = spec->value_bytes_max,
                                  .source_count = spec->source_count,
                                  .sources = hash_value(&sources),
                                  .state = hash_value(&state)};
}

void identity_encode(const struct identity *identity, struct bytes *out)
{
    bytes_append_u32(out, identity->op);
    bytes_append_u32(out, identity->type);
    bytes_append_u32(out, identity->cut);
    bytes_append_u64(out, identity->size);
    bytes_append_u64(out, identity->parts);
    bytes_append_u64(out, identity->value_bytes_max);
    bytes_append_u64(out, identity->source_count);
    bytes_append_u64(out, identity->sources);
    bytes_append_u64(out, identity->state);
}

void identity_decode(struct identity *identity, struct reader *in)
{
    identity->op = reader_u32(in);
    identity->type = reader_u32(in);
    identity->cut = reader_u32(in);
    identity->size = reader_u64(in);
    identity->parts = reader_u64(in);
    identity->value_bytes_max = reader_u64(in);
    identity->source_count = reader_u64(in);
    identity->sources = reader_u64(in);
    identity->state = reader_u64(in);
}

const char *identity_difference(const struct identity *kept, const struct identity *now)
{
    if (kept->op != now->op)
        return "it is of another operation";
    if (kept->source_count != now->source_count || kept->sources != now->sources)
        return "it is of other sources";
    if (kept->cut != now->cut || kept->size != now->size || kept->parts != now->parts)
        return "it is of another cut (--every, --split, --total)";
    if (kept->type != now->type)
        return "it is of another --type";
    if (kept->state != now->state)
        return "its sources have changed since, or are read in another way";
    if (kept->value_bytes_max != now->value_bytes_max)
        return "it is of another --max-value";
    return NULL;
}
