/*
 * The root's bytes by value: streams, and files that a child cannot open. What is read becomes a
 * range that carries its bytes, kept until it is counted; so a retry never reads again.
 */
#include "core/node_private.h"

#include "source/fold.h"

#include <stdio.h>
#include <string.h>

/* A numbered range of text cannot be cut further: smaller reads keep all slots busy. */
static uint64_t read_units(const struct work *work, const struct source *source)
{
    uint64_t pieces = work->job->spec->piece_units;
    uint64_t bytes =
        cut_is_numbered(&work->job->spec->cut) ? VALUE_SLICE_BYTES_MAX / 4 : VALUE_SLICE_BYTES_MAX;

    bytes /= source_unit_bytes(source);
    return pieces && pieces < bytes ? pieces : bytes;
}

static void becomes_stream(struct source *source)
{
    if (source->access == SOURCE_FILE || source->access == SOURCE_INLINE)
        source->access = SOURCE_STREAM;
}

/*
 * Where text elements carry numbers and some of the bytes come by value anyhow, all text comes by
 * value and is counted on arrival: there is then one order and no counting pass.
 */
void input_prepare(struct node *node, struct job *job)
{
    struct job_spec *spec = job->spec;
    bool any_stream = false;

    for (uint32_t i = 0; i < spec->source_count; i++) {
        if (node->options.data_by_value && spec->sources[i].access == SOURCE_FILE)
            becomes_stream(&spec->sources[i]);
        any_stream |= spec->sources[i].access == SOURCE_STREAM;
    }
    for (uint32_t i = 0; any_stream && cut_is_numbered(&spec->cut) && i < spec->source_count; i++)
        if (source_needs_count(&spec->sources[i]))
            becomes_stream(&spec->sources[i]);
}

static void ask(struct node *node, struct work *work, uint32_t source, uint64_t unit,
                uint64_t units)
{
    struct action *action = actions_add(node->actions, ACTION_READ, 0);

    action->read.source = source;
    action->read.unit = unit;
    action->read.units = units;
    work->reads++;
}

static bool may_read(const struct node *node, const struct work *work)
{
    uint64_t ahead = (work->reads + 1) * VALUE_SLICE_BYTES_MAX + work->merge.held_bytes;

    if (!work->reads && !work->merge.ready.first && !work->merge.given)
        return node->unprinted_bytes <= unprinted_max(node);
    return work->reads < INPUT_AHEAD && ahead <= node->options.memory_bytes / 4 &&
           node->unprinted_bytes <= unprinted_max(node);
}

static void take_bytes(struct node *node, struct work *work, struct chunk *bytes, uint64_t units,
                       bool end);

/* Numbers on the command line, read as a stream: they are here already. */
static void take_inline(struct node *node, struct work *work, const struct source *source)
{
    struct chunk bytes = chunk_copy(source->inline_data.data, source->inline_data.length);

    take_bytes(node, work, &bytes, bytes.length, true);
}

void input_ask(struct node *node, struct work *work)
{
    struct place at = work->plan.rest.begin;
    const struct source *source = &work->job->spec->sources[at.source];
    uint64_t units = read_units(work, source);

    if (source->inline_data.length) {
        take_inline(node, work, source);
        return;
    }
    /* With nothing under way the next bytes are those behind what came, however little that was. */
    if (work->input_source != at.source || work->input_unit < at.unit || !work->reads) {
        work->input_source = at.source;
        work->input_unit = at.unit;
    }
    while (may_read(node, work)) {
        if (source->units != SOURCE_UNITS_UNKNOWN) {
            if (work->input_unit > source->units)
                return;
            units =
                source->units - work->input_unit < units ? source->units - work->input_unit : units;
        }
        ask(node, work, at.source, work->input_unit, units);
        work->input_unit += units;
        if (source->units != SOURCE_UNITS_UNKNOWN && work->input_unit == source->units)
            work->input_unit++; /* the end is asked for once */
    }
}

/* The element number and in_token behind a slice of one source, whose bytes are here. */
static void number_behind(const struct job_spec *spec, const struct slice *slice, uint64_t units,
                          const struct chunk *bytes, struct slice *rest)
{
    const struct source *source = &spec->sources[slice->begin.source];
    struct segment counted;
    struct fold *fold;
    struct span span;

    *rest = *slice;
    rest->in_token = false;
    if (!cut_is_numbered(&spec->cut))
        return;
    if (!source_needs_count(source)) {
        rest->element += units;
        return;
    }
    fold_new(&fold, spec, slice, SEGMENT_COUNT);
    while (fold_next(fold, UINT64_MAX, &span))
        fold_feed(fold, bytes->data, bytes->length, UINT64_MAX);
    fold_take(fold, &counted);
    fold_free(&fold);
    segment_rest(&counted, slice, slice->end, spec, rest);
    segment_clear(&counted);
}

static void take_bytes(struct node *node, struct work *work, struct chunk *bytes, uint64_t units,
                       bool end)
{
    struct slice slice;
    struct slice rest;

    plan_take_input(&work->plan, units, end, &slice);
    number_behind(work->job->spec, &slice, units, bytes, &rest);
    work->plan.rest.element = rest.element;
    work->plan.rest.in_token = rest.in_token;
    merge_append(&work->merge, &slice, bytes);
    work_wake(node, work);
}

static struct tile *tile_reading(const struct work *work, uint32_t source, uint64_t unit)
{
    for (struct tile *tile = work->merge.tiles.first; tile; tile = tile->next)
        if (tile->state == TILE_READING && tile->slice.begin.source == source &&
            tile->slice.begin.unit == unit)
            return tile;
    return NULL;
}

static void reading_fails(struct node *node, struct work *work, struct tile *tile,
                          struct event *event)
{
    struct fault fault = {.kind = event->input.changed ? FAULT_CHANGED : FAULT_UNREADABLE};
    struct slice rest = work->plan.rest;
    size_t length = strlen(event->input.failure);

    fault.source = event->input.source;
    fault.unit = event->input.unit;
    fault.text_bytes = (uint8_t)(length < sizeof fault.text ? length : sizeof fault.text);
    memcpy(fault.text, event->input.failure, fault.text_bytes);
    if (!tile) {
        plan_stop(&work->plan);
        tile = merge_append(&work->merge, &rest, NULL);
    }
    tile_fails(node, work, tile, &fault);
}

/* Units of the slice in its first source. */
static uint64_t units_in_source(const struct job_spec *spec, const struct slice *slice)
{
    const struct source *source = &spec->sources[slice->begin.source];
    uint64_t last = slice->end.source == slice->begin.source ? slice->end.unit : source->units;

    return last - slice->begin.unit;
}

/* Cut a tile behind its next `units`, whose bytes are here; at the source's end the end goes with
 * them. */
static void split_behind(struct work *work, struct tile *tile, uint64_t units,
                         const struct chunk *bytes)
{
    const struct job_spec *spec = work->job->spec;
    struct slice left = tile->slice;
    struct slice rest;

    if (units < units_in_source(spec, &tile->slice))
        left.end = (struct place){left.begin.source, left.begin.unit + units};
    else if (left.end.source > left.begin.source)
        left.end = (struct place){left.begin.source + 1, 0};
    if (place_compare(left.end, tile->slice.end) >= 0)
        return;
    number_behind(spec, &left, units, bytes, &rest);
    rest.begin = left.end;
    rest.end = tile->slice.end;
    merge_split(&work->merge, tile, &rest);
}

static void take_tile(struct node *node, struct work *work, struct tile *tile, struct chunk *bytes)
{
    const struct source *source = &work->job->spec->sources[tile->slice.begin.source];

    split_behind(work, tile, bytes->length / source_unit_bytes(source), bytes);
    merge_set_payload(&work->merge, tile, bytes);
    merge_set_state(&work->merge, tile, TILE_READY);
    work_wake(node, work);
}

void input_take(struct node *node, struct event *event)
{
    struct work *work = node->jobs && node->jobs->is_root ? node->jobs->first : NULL;
    struct tile *tile;
    struct place at;
    const struct source *source;

    if (!work)
        return;
    work->reads -= work->reads > 0;
    tile = tile_reading(work, event->input.source, event->input.unit);
    at = work->plan.rest.begin;
    if (!tile && (!plan_is_at_stream(&work->plan) || at.source != event->input.source ||
                  at.unit != event->input.unit))
        return; /* behind the end of a stream */
    if (event->input.changed || event->input.failure[0]) {
        reading_fails(node, work, tile, event);
        return;
    }
    if (tile) {
        take_tile(node, work, tile, &event->input.bytes);
        return;
    }
    source = &work->job->spec->sources[at.source];
    take_bytes(node, work, &event->input.bytes,
               event->input.bytes.length / source_unit_bytes(source), event->input.end);
}

/* What needs no file is cut off, to be given as it is. */
static void cut_off(struct work *work, struct tile *tile, const struct source *source)
{
    uint64_t begin = tile->slice.begin.unit;
    struct chunk bytes = {0};

    if (source->access == SOURCE_INLINE) {
        bytes.data = source->inline_data.data + begin;
        bytes.length = source->inline_data.length - begin;
    }
    split_behind(work, tile, units_in_source(work->job->spec, &tile->slice), &bytes);
}

/* Numbers on the command line that go as bytes: here they are. */
static void read_inline(struct node *node, struct work *work, struct tile *tile,
                        const struct source *source)
{
    uint64_t begin = tile->slice.begin.unit;
    struct chunk bytes =
        chunk_copy(source->inline_data.data + begin, source->inline_data.length - (size_t)begin);

    take_tile(node, work, tile, &bytes);
}

/*
 * One range that a child cannot open: the bytes of its begin are read, to be sent along. The rest
 * waits, and is read when a child asks for it.
 */
void input_read_tile(struct node *node, struct work *work, struct tile *tile)
{
    const struct source *source = &work->job->spec->sources[tile->slice.begin.source];
    uint64_t units = units_in_source(work->job->spec, &tile->slice);
    uint64_t most;

    if (source->access != SOURCE_FILE && source->access != SOURCE_STREAM) {
        cut_off(work, tile, source);
        return;
    }
    if (source->inline_data.length) {
        read_inline(node, work, tile, source);
        return;
    }
    if (!work->job->is_root || work->reads >= INPUT_AHEAD)
        return;
    most = read_units(work, source);
    merge_set_state(&work->merge, tile, TILE_READING);
    ask(node, work, tile->slice.begin.source, tile->slice.begin.unit, units < most ? units : most);
}

void input_read_fresh(struct node *node, struct work *work)
{
    struct slice slice;

    if (!work->job->is_root || work->reads >= INPUT_AHEAD ||
        !plan_next(&work->plan, VALUE_SLICE_BYTES_MAX, 0, &slice))
        return;
    input_read_tile(node, work, merge_append(&work->merge, &slice, NULL));
}
