#include "render.h"

#include "base/memory.h"
#include "number/format.h"
#include "number/values.h"

#include <endian.h>
#include <math.h>
#include <string.h>

enum { SEPARATOR_BYTES = 1, SLACK_BYTES = FORMAT_NUMBER_BYTES + SEPARATOR_BYTES };

void render_init(struct render *render, bool is_json, render_sink *sink, void *context)
{
    *render = (struct render){.is_json = is_json, .sink = sink, .context = context};
    render->block = memory_new(RENDER_BLOCK_BYTES);
}

void render_clear(struct render *render)
{
    memory_free(render->block);
    *render = (struct render){0};
}

bool render_flush(struct render *render)
{
    size_t used = render->used;

    render->used = 0;
    return !used || render->sink(render->context, render->block, used);
}

static bool make_room(struct render *render)
{
    return render->used + SLACK_BYTES <= RENDER_BLOCK_BYTES || render_flush(render);
}

/* JSON separates before a value, text ends a line after it. */
static void put_before(struct render *render)
{
    if (render->is_json)
        render->block[render->used++] = render->has_begun ? ',' : '[';
    render->has_begun = true;
}

static void put_after(struct render *render)
{
    if (!render->is_json)
        render->block[render->used++] = '\n';
}

static uint64_t load_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static bool render_ints(struct render *render, const struct values_run *run)
{
    for (uint64_t i = 0; i < run->count; i++) {
        if (!make_room(render))
            return false;
        put_before(render);
        render->used += format_int((char *)render->block + render->used,
                                   (int64_t)load_u64(run->payload + 8 * i));
        put_after(render);
    }
    return true;
}

/* JSON has no words for these; Python's json module, and so most readers of numbers, knows these.
 */
static size_t format_json_float(char *text, double value)
{
    const char *word = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    if (isfinite(value))
        return format_float(text, value);
    memcpy(text, word, strlen(word));
    return strlen(word);
}

static bool render_floats(struct render *render, const struct values_run *run)
{
    for (uint64_t i = 0; i < run->count; i++) {
        uint64_t bits = load_u64(run->payload + 8 * i);
        double value;
        char *at;

        memcpy(&value, &bits, sizeof value);
        if (!make_room(render))
            return false;
        put_before(render);
        at = (char *)render->block + render->used;
        render->used += render->is_json ? format_json_float(at, value) : format_float(at, value);
        put_after(render);
    }
    return true;
}

/* count copies of an item, each copy of a copy twice as long as the one before. */
static void repeat(uint8_t *to, const char *item, size_t length, size_t count)
{
    size_t done = length, all = length * count;

    memcpy(to, item, length);
    while (done < all) {
        size_t more = done < all - done ? done : all - done;

        memcpy(to + done, to, more);
        done += more;
    }
}

static size_t format_same(const struct render *render, const struct values_run *run, char *text)
{
    uint64_t bits = load_u64(run->payload);
    double value;

    if (run->kind == VALUES_SAME)
        return format_int(text, (int64_t)bits);
    memcpy(&value, &bits, sizeof value);
    return render->is_json ? format_json_float(text, value) : format_float(text, value);
}

static bool render_run(struct render *render, const struct values_run *run);

/* Equal values: one is formatted, a block of copies is made once and given out again and again. */
static bool render_same(struct render *render, const struct values_run *run)
{
    char one[SLACK_BYTES];
    size_t length = format_same(render, run, one + 1);
    const char *item = render->is_json ? one : one + 1;
    uint64_t left = run->count;
    size_t fits;

    one[0] = ',';
    one[length + 1] = '\n';
    length += 1;
    if (left && !render->has_begun && render->is_json) {
        struct values_run first = *run;

        first.count = 1;
        left--;
        first.kind = run->kind == VALUES_SAME ? VALUES_INT : VALUES_FLOAT;
        if (!render_run(render, &first))
            return false;
    }
    while (left) {
        if (!make_room(render))
            return false;
        fits = (RENDER_BLOCK_BYTES - render->used) / length;
        fits = left < fits ? (size_t)left : fits;
        repeat(render->block + render->used, item, length, fits);
        render->used += fits * length;
        render->has_begun = true;
        left -= fits;
    }
    return true;
}

/* A number of up to gigabytes goes out from where it lies. */
static bool render_text(struct render *render, const struct values_run *run)
{
    if (!make_room(render))
        return false;
    put_before(render);
    if (run->payload_bytes > RENDER_BLOCK_BYTES / 2) {
        if (!render_flush(render) ||
            !render->sink(render->context, run->payload, run->payload_bytes))
            return false;
    } else {
        if (render->used + run->payload_bytes + 1 > RENDER_BLOCK_BYTES && !render_flush(render))
            return false;
        memcpy(render->block + render->used, run->payload, run->payload_bytes);
        render->used += run->payload_bytes;
    }
    put_after(render);
    return true;
}

static bool render_run(struct render *render, const struct values_run *run)
{
    switch (run->kind) {
    case VALUES_INT:
        return render_ints(render, run);
    case VALUES_FLOAT:
        return render_floats(render, run);
    case VALUES_SAME:
    case VALUES_SAME_FLOAT:
        return render_same(render, run);
    case VALUES_TEXT:
        return render_text(render, run);
    }
    return false;
}

bool render_values(struct render *render, const struct chunk *packed)
{
    struct reader in = reader_of(packed->data, packed->length);
    struct values_run run;

    while (values_next_run(&in, &run))
        if (!render_run(render, &run))
            return false;
    return true;
}

bool render_end(struct render *render, bool is_whole)
{
    if (render->is_json && is_whole && make_room(render)) {
        if (!render->has_begun)
            render->block[render->used++] = '[';
        render->block[render->used++] = ']';
        render->has_begun = true;
    }
    if (render->is_json && render->has_begun && make_room(render))
        render->block[render->used++] = '\n';
    return render_flush(render);
}
