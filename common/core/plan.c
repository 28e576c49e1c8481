#include "core/plan.h"

#include "base/memory.h"

#include <assert.h>

/* Opening one more source costs about as much as folding this many bytes. */
enum { SOURCE_COST = 16384, RANGE_ELEMENT_COST = 8 };

static cost unit_cost(const struct source *source)
{
    uint32_t bytes = source_unit_bytes(source);

    return bytes ? bytes : RANGE_ELEMENT_COST;
}

static uint64_t units_known(const struct source *source)
{
    return source->units == SOURCE_UNITS_UNKNOWN ? 0 : source->units;
}

static cost cost_of_units(const struct source *source, uint64_t units)
{
    return units * unit_cost(source);
}

/* Units between `at` and the end of its source, or `end` if that is in the same source. */
static uint64_t units_left(const struct job_spec *spec, struct place at, struct place end)
{
    uint64_t last = at.source == end.source ? end.unit : units_known(&spec->sources[at.source]);

    return last > at.unit ? last - at.unit : 0;
}

static struct place place_behind(struct place at, uint64_t units, uint64_t left, struct place end)
{
    if (units < left || at.source == end.source)
        return (struct place){at.source, at.unit + units};
    return (struct place){at.source + 1, 0};
}

cost plan_cost(const struct job_spec *spec, struct place begin, struct place end)
{
    cost sum = 0;

    while (place_compare(begin, end) < 0) {
        uint64_t left = units_left(spec, begin, end);

        sum += cost_of_units(&spec->sources[begin.source], left);
        begin = place_behind(begin, left, left, end);
    }
    return sum;
}

struct place plan_advance(const struct job_spec *spec, struct place begin, struct place end,
                          cost wanted)
{
    struct place at = begin;

    while (place_compare(at, end) < 0) {
        const struct source *source = &spec->sources[at.source];
        uint64_t left = units_left(spec, at, end);
        cost left_cost = cost_of_units(source, left);
        uint64_t units = (uint64_t)(left_cost > wanted ? wanted / unit_cost(source) : left);

        if (source->access == SOURCE_STREAM)
            return at;
        if (units < left)
            return place_behind(at, units || at.source != begin.source ? units : 1, left, end);
        at = place_behind(at, left, left, end);
        wanted -= left_cost < wanted ? left_cost : wanted;
        wanted -= SOURCE_COST < wanted ? SOURCE_COST : wanted;
        if (!wanted)
            break;
    }
    return at;
}

static bool slice_needs_count(const struct job_spec *spec, const struct slice *slice)
{
    struct place at = slice->begin;

    if (!cut_is_numbered(&spec->cut))
        return false;
    for (; at.source < spec->source_count && place_compare(at, slice->end) < 0;
         at = (struct place){at.source + 1, 0})
        if (source_needs_count(&spec->sources[at.source]))
            return true;
    return false;
}

void plan_init(struct plan *plan, const struct job_spec *spec, const struct slice *slice)
{
    *plan = (struct plan){.spec = spec, .rest = *slice};
    plan->cost_left = plan_cost(spec, slice->begin, slice->end);
    plan->needs_checkpoints = slice_needs_count(spec, slice);
    plan->checkpoint_base = slice->element;
}

void plan_clear(struct plan *plan)
{
    memory_free(plan->checkpoints);
    *plan = (struct plan){0};
}

void plan_take_checkpoints(struct plan *plan, struct segment *counted)
{
    plan->checkpoints = counted->checkpoints;
    plan->checkpoint_count = counted->checkpoint_count;
    counted->checkpoints = NULL;
    counted->checkpoint_count = 0;
}

void plan_stop(struct plan *plan)
{
    plan->rest.begin = plan->rest.end;
    plan->cost_left = 0;
}

bool plan_is_done(const struct plan *plan)
{
    return place_compare(plan->rest.begin, plan->rest.end) >= 0;
}

bool plan_is_at_stream(const struct plan *plan)
{
    return !plan_is_done(plan) &&
           plan->spec->sources[plan->rest.begin.source].access == SOURCE_STREAM;
}

static void cut_at(struct plan *plan, struct slice *slice, struct slice rest)
{
    cost taken;

    *slice = plan->rest;
    slice->end = rest.begin;
    taken = plan_cost(plan->spec, slice->begin, slice->end);
    plan->cost_left -= taken < plan->cost_left ? taken : plan->cost_left;
    plan->rest = rest;
}

void plan_take_input(struct plan *plan, uint64_t units, bool ends, struct slice *slice)
{
    struct slice rest = plan->rest;

    assert(plan_is_at_stream(plan));
    if (ends)
        rest.begin = (struct place){rest.begin.source + 1, 0};
    else
        rest.begin.unit += units;
    cut_at(plan, slice, rest);
}

/* Element numbers between two places that arithmetic can tell: no text and no JSON in between. */
static uint64_t elements_between(const struct job_spec *spec, struct place begin, struct place end)
{
    uint64_t elements = 0;

    while (place_compare(begin, end) < 0) {
        uint64_t left = units_left(spec, begin, end);

        elements += left;
        begin = place_behind(begin, left, left, end);
    }
    return elements;
}

static bool is_arithmetic(const struct plan *plan, struct place end)
{
    struct slice cut = {.begin = plan->rest.begin, .end = end};

    return !plan->needs_checkpoints || !slice_needs_count(plan->spec, &cut);
}

/* The last checkpoint up to `wanted`, else the first one behind the begin, else the end of it all.
 */
static void snap_to_checkpoint(struct plan *plan, struct place wanted, struct slice *rest)
{
    const struct checkpoint *found = NULL;

    while (plan->checkpoint_next < plan->checkpoint_count) {
        const struct checkpoint *at = &plan->checkpoints[plan->checkpoint_next];

        if (place_compare(at->place, plan->rest.begin) > 0) {
            if (found && place_compare(at->place, wanted) > 0)
                break;
            found = at;
        }
        plan->checkpoint_next++;
    }
    if (!found || place_compare(found->place, rest->end) >= 0) {
        rest->begin = rest->end;
        return;
    }
    rest->begin = found->place;
    rest->element = plan->checkpoint_base + found->element;
    rest->in_token = found->in_token;
}

static struct place place_wanted(const struct plan *plan, cost wanted, uint64_t units_exact)
{
    struct place begin = plan->rest.begin;
    uint64_t left;

    if (!units_exact)
        return plan_advance(plan->spec, begin, plan->rest.end, wanted);
    left = units_left(plan->spec, begin, plan->rest.end);
    return place_behind(begin, units_exact < left ? units_exact : left, left, plan->rest.end);
}

bool plan_next(struct plan *plan, cost most, uint64_t units_exact, struct slice *slice)
{
    struct slice rest = plan->rest;
    struct place wanted;

    if (plan_is_done(plan) || plan_is_at_stream(plan))
        return false;
    wanted = place_wanted(plan, most, units_exact);
    if (!cut_is_numbered(&plan->spec->cut) || plan->is_counting) {
        rest.begin = wanted;
        rest.in_token = false; /* not known: gluing tells */
    } else if (is_arithmetic(plan, wanted)) {
        rest.element += elements_between(plan->spec, rest.begin, wanted);
        rest.begin = wanted;
        rest.in_token = false;
    } else {
        snap_to_checkpoint(plan, wanted, &rest);
    }
    cut_at(plan, slice, rest);
    return true;
}
