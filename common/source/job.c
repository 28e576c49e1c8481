#include "source/job.h"

#include "base/memory.h"

#include <assert.h>

void job_spec_clear(struct job_spec *spec)
{
    for (uint32_t i = 0; i < spec->source_count; i++)
        source_clear(&spec->sources[i]);
    memory_free(spec->sources);
    *spec = (struct job_spec){0};
}

void job_spec_copy(struct job_spec *to, const struct job_spec *from)
{
    *to = *from;
    to->sources = memory_array(from->source_count, sizeof *to->sources);
    for (uint32_t i = 0; i < from->source_count; i++)
        source_copy(&to->sources[i], &from->sources[i]);
}

int place_compare(struct place a, struct place b)
{
    if (a.source != b.source)
        return a.source < b.source ? -1 : 1;
    return (a.unit > b.unit) - (a.unit < b.unit);
}

bool place_exists(const struct job_spec *spec, struct place place)
{
    if (place.source >= spec->source_count)
        return place.source == spec->source_count && !place.unit;
    return spec->sources[place.source].units == SOURCE_UNITS_UNKNOWN ||
           place.unit <= spec->sources[place.source].units;
}

bool slice_units(const struct job_spec *spec, const struct slice *slice, uint64_t *units)
{
    struct place at = slice->begin;

    *units = 0;
    for (; place_compare(at, slice->end) < 0; at = (struct place){at.source + 1, 0}) {
        bool is_last = at.source == slice->end.source;
        uint64_t end = is_last ? slice->end.unit : spec->sources[at.source].units;

        if (!is_last && end == SOURCE_UNITS_UNKNOWN)
            return false;
        if (end > at.unit && __builtin_add_overflow(*units, end - at.unit, units))
            *units = UINT64_MAX;
        if (*units == UINT64_MAX)
            return true;
    }
    return true;
}

struct place place_of_end(const struct job_spec *spec)
{
    return (struct place){.source = spec->source_count, .unit = 0};
}

bool cut_is_numbered(const struct cut *cut)
{
    return cut->kind == CUT_EVERY || cut->kind == CUT_SPLIT;
}

bool job_elements_fit(const struct job_spec *spec)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < spec->source_count; i++)
        if (spec->sources[i].units != SOURCE_UNITS_UNKNOWN &&
            __builtin_add_overflow(sum, spec->sources[i].units, &sum))
            return false;
    return sum != UINT64_MAX; /* which says that the number is not known */
}

/* The next multiple of `size` above `element`; past 2^64 there is no element, so none is needed. */
static uint64_t multiple_above(uint64_t element, uint64_t size)
{
    uint64_t missing = size - element % size;

    return missing > UINT64_MAX - element ? UINT64_MAX : element + missing;
}

static uint64_t split_end(const struct cut *cut, uint64_t element)
{
    uint64_t small = cut->elements / cut->parts;
    uint64_t larger_end = cut->elements % cut->parts * (small + 1);

    assert(cut->elements != UINT64_MAX);
    if (element >= cut->elements)
        return UINT64_MAX;
    if (element < larger_end)
        return multiple_above(element, small + 1);
    return larger_end + multiple_above(element - larger_end, small);
}

uint64_t cut_sublist_end(const struct cut *cut, uint64_t element)
{
    switch (cut->kind) {
    case CUT_EVERY:
        return multiple_above(element, cut->size);
    case CUT_SPLIT:
        return split_end(cut, element);
    case CUT_SUBLISTS:
    case CUT_TOTAL:
        return UINT64_MAX;
    }
    assert(false && "a cut is one of the table");
    return UINT64_MAX;
}

bool slice_numbers_fit(const struct job_spec *spec, const struct slice *slice)
{
    uint64_t units;
    uint64_t last;

    if (!cut_is_numbered(&spec->cut))
        return true;
    if (!slice_units(spec, slice, &units))
        units = INT64_MAX; /* of a stream, more than ever come */
    return !__builtin_add_overflow(slice->element, units, &last) && last != UINT64_MAX;
}
