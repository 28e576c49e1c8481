/* What a peer says of a slice is believed only as far as it can be true: whoever glues it, or
 * speaks of its fault, then needs no checks of its own. */
#include "source/segment.h"

static bool source_exists(const struct job_spec *spec, uint32_t source)
{
    return source < spec->source_count;
}

/* Edges are of the format of the source that was cut. */
static bool edge_fits(const struct edge *edge, const struct job_spec *spec, uint32_t source,
                      enum segment_kind kind)
{
    enum source_format format;

    if (edge->kind == EDGE_CLEAN)
        return true;
    if (!source_exists(spec, edge->source) || !source_exists(spec, source))
        return false;
    if (kind == SEGMENT_COUNT)
        return edge->kind == EDGE_COUNT;
    format = spec->sources[source].format;
    return (edge->kind == EDGE_TEXT && format == SOURCE_TEXT) ||
           (edge->kind == EDGE_JSON && format == SOURCE_JSON);
}

static bool faults_fit(const struct segment *segment, const struct job_spec *spec)
{
    const struct json_route *routes = segment->entry.routes;

    if (segment->fault.kind && !source_exists(spec, segment->fault.source))
        return false;
    for (int i = 0; routes && i < JSON_STATES; i++)
        if (routes[i].track == JSON_DEAD && !source_exists(spec, routes[i].fault.source))
            return false;
    return true;
}

/* Every element starts in a unit of its own. */
static bool elements_fit(const struct segment *segment, const struct job_spec *spec,
                         const struct slice *slice)
{
    uint64_t units;

    return !slice_units(spec, slice, &units) || segment->elements <= units;
}

static bool checkpoints_fit(const struct segment *segment, const struct job_spec *spec,
                            const struct slice *slice)
{
    for (uint32_t i = 0; i < segment->checkpoint_count; i++) {
        const struct checkpoint *at = &segment->checkpoints[i];

        if (place_compare(at->place, slice->begin) < 0 ||
            place_compare(at->place, slice->end) > 0 || !place_exists(spec, at->place) ||
            at->element > segment->elements)
            return false;
    }
    return true;
}

bool segment_is_possible(const struct segment *segment, const struct job_spec *spec,
                         const struct slice *slice)
{
    struct place end = slice->end;
    uint32_t last = end.unit || !end.source ? end.source : end.source - 1;

    return edge_fits(&segment->entry, spec, slice->begin.source, segment->kind) &&
           (segment->fault.kind || edge_fits(&segment->exit, spec, last, segment->kind)) &&
           faults_fit(segment, spec) && elements_fit(segment, spec, slice) &&
           checkpoints_fit(segment, spec, slice);
}
