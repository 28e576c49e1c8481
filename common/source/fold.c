/*
 * The fold: walks a slice from place to place, source by source, and gives every run of units to
 * the format's own parser, which puts what it finds into the sink.
 */
#include "source/fold.h"

#include "base/memory.h"
#include "source/array.h"
#include "source/count.h"
#include "source/json.h"
#include "source/random.h"
#include "source/range.h"
#include "source/sink.h"
#include "source/text.h"

#include <assert.h>
#include <string.h>

struct fold {
    const struct job_spec *spec; /* borrowed */
    struct slice slice;          /* what is left since the last take */
    struct place place;
    struct segment segment;
    struct sink sink;
    struct count count;
    bool is_at_end; /* of a source whose length nobody knew */
};

static const struct source *source_at(const struct fold *fold)
{
    return &fold->spec->sources[fold->place.source];
}

static void begin_inside(struct fold *fold)
{
    bool is_numbered = cut_is_numbered(&fold->spec->cut);

    switch (source_at(fold)->format) {
    case SOURCE_TEXT:
        text_begin_inside(&fold->segment, &fold->slice, is_numbered);
        break;
    case SOURCE_JSON:
        json_begin_inside(&fold->segment, &fold->slice, is_numbered);
        break;
    case SOURCE_RANGE:
    case SOURCE_ARRAY:
    case SOURCE_RANDOM:
        break;
    }
}

/* A new segment begins where the slice does. */
static void begin(struct fold *fold, enum segment_kind kind)
{
    fold->place = fold->slice.begin;
    segment_init(&fold->segment, kind, op_of(fold->spec->op));
    sink_begin(&fold->sink, &fold->segment, fold->spec, &fold->slice);
    if (kind == SEGMENT_COUNT)
        count_begin(&fold->count, &fold->segment, fold->spec, &fold->slice);
    else if (fold->place.unit && fold->place.source < fold->spec->source_count)
        begin_inside(fold);
}

void fold_new(struct fold **out, const struct job_spec *spec, const struct slice *slice,
              enum segment_kind kind)
{
    struct fold *fold = memory_new(sizeof *fold);

    fold->spec = spec;
    fold->slice = *slice;
    begin(fold, kind);
    *out = fold;
}

void fold_free(struct fold **fold)
{
    if (!*fold)
        return;
    segment_clear(&(*fold)->segment);
    memory_free(*fold);
    *fold = NULL;
}

static bool is_counting(const struct fold *fold)
{
    return fold->segment.kind == SEGMENT_COUNT;
}

static void end_source(struct fold *fold)
{
    switch (source_at(fold)->format) {
    case SOURCE_TEXT:
        text_end(&fold->sink, fold->place.unit);
        break;
    case SOURCE_JSON:
        json_end(&fold->sink, fold->place.unit);
        break;
    case SOURCE_ARRAY:
        array_end(&fold->sink);
        break;
    case SOURCE_RANGE:
    case SOURCE_RANDOM:
        if (!source_at(fold)->units)
            sink_open(&fold->sink); /* an empty range is an empty sublist all the same */
        sink_boundary(&fold->sink);
        break;
    }
}

static void next_source(struct fold *fold)
{
    fold->sink.source = fold->place.source;
    if (is_counting(fold))
        count_end(&fold->count);
    else
        end_source(fold);
    if (sink_is_faulty(&fold->sink))
        return;
    fold->place = (struct place){.source = fold->place.source + 1};
    fold->is_at_end = false;
    fold->segment.lines = 0;
    fold->segment.lines_are_absolute = true;
    if (!is_counting(fold) && fold->place.source == fold->spec->source_count)
        sink_end_job(&fold->sink);
}

/* Units of the slice that are left in this source. */
static uint64_t units_left(const struct fold *fold)
{
    uint64_t end =
        fold->slice.end.source > fold->place.source ? source_at(fold)->units : fold->slice.end.unit;

    if (end == SOURCE_UNITS_UNKNOWN)
        return fold->is_at_end ? 0 : SOURCE_UNITS_UNKNOWN;
    return end > fold->place.unit ? end - fold->place.unit : 0;
}

/* Elements whose number is arithmetic: counted without their bytes. */
static void count_units(struct fold *fold, uint64_t units)
{
    fold->segment.elements += units;
    fold->place.unit += units;
}

static void fold_inline(struct fold *fold, uint64_t units, uint64_t room_bytes)
{
    const struct source *source = source_at(fold);
    uint32_t width = source_unit_bytes(source);

    if (units > source->inline_data.length / width ||
        fold->place.unit > source->inline_data.length / width - units) {
        fold_fault(fold, FAULT_UNREADABLE, "fewer bytes came than the source holds");
        return;
    }
    fold_feed(fold, source->inline_data.data + fold->place.unit * width, (size_t)units * width,
              room_bytes);
}

/* Fold units that need no bytes from the caller. false: these do. */
static bool fold_without_bytes(struct fold *fold, uint64_t units, uint64_t room_bytes)
{
    const struct source *source = source_at(fold);

    fold->sink.source = fold->place.source;
    if (is_counting(fold) && !source_needs_count(source) && units != SOURCE_UNITS_UNKNOWN)
        count_units(fold, units);
    else if (source->format == SOURCE_RANGE)
        fold->place.unit += range_feed(&fold->sink, units, fold->place.unit, room_bytes);
    else if (source->format == SOURCE_RANDOM)
        fold->place.unit += random_feed(&fold->sink, units, fold->place.unit, room_bytes);
    else if (source->access == SOURCE_INLINE)
        fold_inline(fold, units, room_bytes);
    else
        return false;
    return true;
}

static bool is_done(const struct fold *fold, uint64_t room_bytes)
{
    return sink_is_faulty(&fold->sink) || sink_is_full(&fold->sink, room_bytes) ||
           place_compare(fold->place, fold->slice.end) >= 0;
}

bool fold_next(struct fold *fold, uint64_t room_bytes, struct span *span)
{
    while (!is_done(fold, room_bytes)) {
        uint64_t units = units_left(fold);

        if (!units) {
            next_source(fold);
        } else if (!fold_without_bytes(fold, units, room_bytes)) {
            *span = (struct span){
                .source = fold->place.source, .unit = fold->place.unit, .units = units};
            return true;
        }
    }
    return false;
}

static size_t feed_format(struct fold *fold, const uint8_t *data, size_t length,
                          uint64_t room_bytes)
{
    uint32_t width = source_unit_bytes(source_at(fold));
    uint64_t unit = fold->place.unit;

    switch (source_at(fold)->format) {
    case SOURCE_TEXT:
        return text_feed(&fold->sink, data, length, unit, room_bytes);
    case SOURCE_JSON:
        return json_feed(&fold->sink, data, length, unit, room_bytes);
    case SOURCE_ARRAY:
        return (size_t)array_feed(&fold->sink, data, length / width, unit, room_bytes) * width;
    case SOURCE_RANGE:
    case SOURCE_RANDOM:
        break;
    }
    return 0;
}

static size_t feed_count(struct fold *fold, const uint8_t *data, size_t length)
{
    const struct source *source = source_at(fold);

    if (source_needs_count(source))
        count_feed(&fold->count, data, length, fold->place, source->format == SOURCE_JSON);
    else
        fold->segment.elements += length / source_unit_bytes(source);
    return length;
}

size_t fold_feed(struct fold *fold, const void *data, size_t length, uint64_t room_bytes)
{
    uint64_t units = units_left(fold);
    uint32_t width = source_unit_bytes(source_at(fold));
    size_t consumed = 0;

    assert(width && (units == SOURCE_UNITS_UNKNOWN || length / width <= units));
    fold->sink.source = fold->place.source;
    if (length)
        consumed = is_counting(fold) ? feed_count(fold, data, length)
                                     : feed_format(fold, data, length, room_bytes);
    fold->place.unit += consumed / width;
    fold->is_at_end = units == SOURCE_UNITS_UNKNOWN && consumed == length;
    return consumed;
}

struct place fold_place(const struct fold *fold)
{
    return sink_is_faulty(&fold->sink) ? fold->slice.end : fold->place;
}

uint64_t fold_elements(const struct fold *fold)
{
    return fold->segment.elements;
}

void fold_fault(struct fold *fold, enum fault_kind kind, const char *text)
{
    fold->sink.source = fold->place.source;
    sink_fault(&fold->sink, kind, fold->place.unit, text, strlen(text));
}

/* Leading token bytes are an element, unless it is known that it began on the left. */
static void count_leading(struct fold *fold)
{
    struct edge *entry = &fold->segment.entry;

    if (!entry->text.length || entry->token || cut_is_numbered(&fold->spec->cut))
        return;
    entry->token = true;
    fold->segment.elements++;
}

void fold_take(struct fold *fold, struct segment *out)
{
    enum segment_kind kind = fold->segment.kind;
    struct slice rest;

    if (is_counting(fold))
        count_settle(&fold->count, fold->place);
    count_leading(fold);
    sink_settle(&fold->sink);
    segment_rest(&fold->segment, &fold->slice, fold_place(fold), fold->spec, &rest);
    *out = fold->segment;
    fold->slice = rest;
    begin(fold, kind);
}
