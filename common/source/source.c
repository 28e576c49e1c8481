#include "source/source.h"

#include "base/memory.h"

#include <assert.h>

void source_init(struct source *source)
{
    *source = (struct source){.format = SOURCE_TEXT, .access = SOURCE_INLINE, .first_line = 1};
    mpz_init(source->begin);
    mpz_init(source->step);
}

void source_clear(struct source *source)
{
    memory_free(source->path);
    memory_free(source->name);
    bytes_clear(&source->inline_data);
    mpz_clear(source->begin);
    mpz_clear(source->step);
    *source = (struct source){0};
}

void source_copy(struct source *to, const struct source *from)
{
    *to = *from;
    to->path = memory_text(from->path);
    to->name = memory_text(from->name);
    to->inline_data = (struct bytes){0};
    bytes_append(&to->inline_data, from->inline_data.data, from->inline_data.length);
    mpz_init_set(to->begin, from->begin);
    mpz_init_set(to->step, from->step);
}

static uint32_t lane_bytes(enum lane lane)
{
    switch (lane) {
    case LANE_I8:
    case LANE_U8:
        return 1;
    case LANE_I16:
    case LANE_U16:
        return 2;
    case LANE_I32:
    case LANE_U32:
    case LANE_F32:
        return 4;
    case LANE_I64:
    case LANE_U64:
    case LANE_F64:
        return 8;
    }
    assert(false && "a lane is one of the table");
    return 0;
}

uint32_t source_unit_bytes(const struct source *source)
{
    switch (source->format) {
    case SOURCE_RANGE:
    case SOURCE_RANDOM:
        return 0;
    case SOURCE_TEXT:
    case SOURCE_JSON:
        return 1;
    case SOURCE_ARRAY:
        return source->lane_half ? 2 : lane_bytes(source->lane);
    }
    assert(false && "a format is one of the table");
    return 0;
}

bool source_needs_count(const struct source *source)
{
    return source->format == SOURCE_TEXT || source->format == SOURCE_JSON;
}
