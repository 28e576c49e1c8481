#include "source/count.h"

#include "base/memory.h"
#include "source/count_starts.h"

#include <string.h>

/* Units of text and JSON in the slice. */
static uint64_t units_of_text(const struct job_spec *spec, const struct slice *slice)
{
    uint64_t units = 0;

    for (uint32_t i = slice->begin.source; i < spec->source_count && i <= slice->end.source; i++) {
        const struct source *source = &spec->sources[i];
        uint64_t begin = i == slice->begin.source ? slice->begin.unit : 0;
        uint64_t end = i == slice->end.source ? slice->end.unit : source->units;

        if (!source_needs_count(source) || end <= begin)
            continue;
        if (end == SOURCE_UNITS_UNKNOWN)
            return SOURCE_UNITS_UNKNOWN;
        units += end - begin;
    }
    return units;
}

void count_begin(struct count *count, struct segment *segment, const struct job_spec *spec,
                 const struct slice *slice)
{
    bool is_inside = slice->begin.unit != 0 && slice->begin.source < spec->source_count &&
                     source_needs_count(&spec->sources[slice->begin.source]);
    uint64_t units = units_of_text(spec, slice);

    *count = (struct count){.segment = segment, .in_token = is_inside && slice->in_token};
    count->at_begin = is_inside && !slice->in_token;
    count->stride = units / CHECKPOINTS_PER_RESULT + 1;
    /* A stream without a known length is read and counted slice by slice: no checkpoints. */
    count->until = units == SOURCE_UNITS_UNKNOWN ? UINT64_MAX : count->stride;
    if (is_inside)
        segment->entry.kind = EDGE_COUNT;
    segment->entry.source = slice->begin.source;
}

static void count_run(struct count *count, const uint8_t *data, size_t length, bool is_json)
{
    bool first = count_is_token(data[0], is_json);

    count->segment->elements += first && !count->in_token;
    if (count->at_begin)
        count->segment->entry.token = first;
    count->at_begin = false;
    count->segment->elements += count_starts(data + 1, length - 1, is_json);
    count->in_token = count_is_token(data[length - 1], is_json);
}

static void add_checkpoint(struct count *count, struct place place)
{
    struct segment *segment = count->segment;
    uint32_t most = segment->checkpoint_count + 1;

    if (most > CHECKPOINTS_PER_RESULT)
        return;
    segment->checkpoints = memory_grow(segment->checkpoints, most, sizeof *segment->checkpoints);
    segment->checkpoints[segment->checkpoint_count++] = (struct checkpoint){
        .place = place, .element = segment->elements, .in_token = count->in_token};
}

void count_feed(struct count *count, const uint8_t *data, size_t length, struct place place,
                bool is_json)
{
    while (length) {
        size_t run = length < count->until ? length : (size_t)count->until;

        count_run(count, data, run, is_json);
        data += run;
        length -= run;
        place.unit += run;
        count->until -= run;
        if (!count->until) {
            add_checkpoint(count, place);
            count->until = count->stride;
        }
    }
}

void count_end(struct count *count)
{
    count->in_token = false;
    count->at_begin = false;
}

void count_settle(struct count *count, struct place place)
{
    struct edge *exit = &count->segment->exit;

    exit->kind = place.unit ? EDGE_COUNT : EDGE_CLEAN;
    exit->source = place.source;
    exit->token = place.unit && count->in_token;
}

void count_glue(struct segment *left, struct segment *right)
{
    uint64_t before = left->elements - (left->exit.token && right->entry.token);
    uint32_t count = left->checkpoint_count + right->checkpoint_count;

    if (right->checkpoint_count)
        left->checkpoints = memory_grow(left->checkpoints, count, sizeof *left->checkpoints);
    for (uint32_t i = 0; i < right->checkpoint_count; i++) {
        struct checkpoint *to = &left->checkpoints[left->checkpoint_count++];

        *to = right->checkpoints[i];
        to->element += before;
    }
    segment_thin(left, CHECKPOINTS_MAX);
    left->elements = before + right->elements;
    edge_move(&left->exit, &right->exit);
    if (right->fault.kind)
        left->fault = right->fault;
}
