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
        return node->unprinted_bytes <= UNPRINTED_MAX;
    return work->reads < INPUT_AHEAD && ahead <= node->options.memory_bytes / 4 &&
           node->unprinted_bytes <= UNPRINTED_MAX;
}

static void take_bytes(struct work *work, struct chunk *bytes, uint64_t units, bool end);

/* Numbers on the command line, read as a stream: they are here already. */
static void take_inline(struct work *work, const struct source *source)
{
    struct chunk bytes = chunk_copy(source->inline_data.data, source->inline_data.length);

    take_bytes(work, &bytes, bytes.length, true);
}

void input_ask(struct node *node, struct work *work)
{
    struct place at = work->plan.rest.begin;
    const struct source *source = &work->job->spec->sources[at.source];
    uint64_t units = read_units(work, source);

    if (source->inline_data.length) {
        take_inline(work, source);
        return;
    }
    if (work->input_source != at.source || work->input_unit < at.unit) {
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

/* The element number and in_token behind a range of text that came by value. */
static void number_rest(struct work *work, const struct slice *slice, const struct chunk *bytes)
{
    const struct job_spec *spec = work->job->spec;
    struct slice *rest = &work->plan.rest;
    struct fold *fold;
    struct span span;
    struct segment counted;
    struct slice after;

    if (!cut_is_numbered(&spec->cut))
        return;
    if (!source_needs_count(&spec->sources[slice->begin.source])) {
        rest->element += bytes->length / source_unit_bytes(&spec->sources[slice->begin.source]);
        return;
    }
    fold_new(&fold, spec, slice, SEGMENT_COUNT);
    while (fold_next(fold, UINT64_MAX, &span))
        fold_feed(fold, bytes->data, bytes->length, UINT64_MAX);
    fold_take(fold, &counted);
    fold_free(&fold);
    segment_rest(&counted, slice, rest->begin, spec, &after);
    /* Leading token bytes were counted as an element, but the one they belong to began before. */
    rest->element = after.element - (slice->in_token && counted.entry.token);
    rest->in_token = after.in_token;
    segment_clear(&counted);
}

static void take_bytes(struct work *work, struct chunk *bytes, uint64_t units, bool end)
{
    struct slice slice;

    plan_take_input(&work->plan, units, end, &slice);
    number_rest(work, &slice, bytes);
    merge_append(&work->merge, &slice, bytes);
    work_wake(work);
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
        return; /* behind the end of a stream, or asked for before all came by value */
    if (event->input.changed || event->input.failure[0]) {
        reading_fails(node, work, tile, event);
        return;
    }
    if (tile) {
        merge_set_payload(&work->merge, tile, &event->input.bytes);
        merge_set_state(&work->merge, tile, TILE_READY);
        work_wake(work);
        return;
    }
    source = &work->job->spec->sources[at.source];
    take_bytes(work, &event->input.bytes, event->input.bytes.length / source_unit_bytes(source),
               event->input.end);
}

/* Cut a range at the end of its first source, if element numbers allow. */
static bool cut_at_source(struct work *work, struct tile *tile)
{
    struct slice right = tile->slice;

    right.begin = (struct place){tile->slice.begin.source + 1, 0};
    if (place_compare(right.begin, right.end) >= 0)
        return true;
    if (cut_is_numbered(&work->job->spec->cut))
        return false;
    merge_split(&work->merge, tile, &right);
    return true;
}

static void read_tile(struct node *node, struct work *work, struct tile *tile)
{
    const struct source *source = &work->job->spec->sources[tile->slice.begin.source];
    uint64_t most = VALUE_SLICE_BYTES_MAX / source_unit_bytes(source);
    uint64_t last =
        tile->slice.end.source == tile->slice.begin.source ? tile->slice.end.unit : source->units;
    uint64_t units = last - tile->slice.begin.unit;
    struct slice right = tile->slice;

    if (units > most) {
        units = most;
        right.begin.unit += most;
        right.element += most;
        merge_split(&work->merge, tile, &right);
    }
    merge_set_state(&work->merge, tile, TILE_READING);
    ask(node, work, tile->slice.begin.source, tile->slice.begin.unit, units);
}

static bool is_too_long(const struct work *work, const struct tile *tile)
{
    const struct job_spec *spec = work->job->spec;
    const struct source *source = &spec->sources[tile->slice.begin.source];

    return cut_is_numbered(&spec->cut) && source_needs_count(source) &&
           plan_cost(spec, tile->slice.begin, tile->slice.end) > VALUE_SLICE_BYTES_MAX;
}

/*
 * One range that a child cannot open: its bytes are read, to be sent along. Where numbered text
 * cannot be cut for that, all comes by value from here on, unless another child can open it.
 */
void input_read_tile(struct node *node, struct work *work, struct tile *tile)
{
    if (!work->job->is_root || work->reads >= INPUT_AHEAD)
        return;
    if (!cut_at_source(work, tile) || is_too_long(work, tile)) {
        if (!work_sees_files(node, work))
            input_all_by_value(node, work);
        return;
    }
    if (work->job->spec->sources[tile->slice.begin.source].access == SOURCE_FILE)
        read_tile(node, work, tile);
}

void input_read_fresh(struct node *node, struct work *work)
{
    struct slice slice;

    if (!work->job->is_root || work->reads >= INPUT_AHEAD ||
        !plan_next(&work->plan, VALUE_SLICE_BYTES_MAX, 0, &slice))
        return;
    input_read_tile(node, work, merge_append(&work->merge, &slice, NULL));
}

/* The coordinator's workers cannot open the files: from the first uncounted place on all comes by
 * value. */
void input_all_by_value(struct node *node, struct work *work)
{
    struct job *job = work->job;
    struct tile *front = merge_front(&work->merge);
    struct tile *first = front ? front->next : work->merge.tiles.first;
    struct slice rest = first ? first->slice : work->plan.rest;

    rest.end = work->asked.slice.end;
    while (work->merge.tiles.last && work->merge.tiles.last != front) {
        struct tile *tile = work->merge.tiles.last;

        if (tile->task)
            task_cancel(node, tile->task);
        merge_remove(&work->merge, tile);
    }
    for (uint32_t i = 0; i < job->spec->source_count; i++)
        becomes_stream(&job->spec->sources[i]);
    job_rename(node, job);
    plan_clear(&work->plan);
    plan_init(&work->plan, job->spec, &rest);
    work->input_source = UINT32_MAX;
    work_wake(work);
}
