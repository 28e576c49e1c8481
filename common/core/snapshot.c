#include "core/snapshot.h"

#include "base/memory.h"

void snapshot_clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->tile_count; i++)
        bytes_clear(&snapshot->tiles[i].run);
    memory_free(snapshot->tiles);
    memory_free(snapshot->checkpoints);
    *snapshot = (struct snapshot){0};
}

static bool run_is_sound(const struct snapshot_tile *tile, enum task_kind phase,
                         const struct job_spec *spec)
{
    enum segment_kind kind = phase == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD;
    struct segment segment;
    bool is_sound;

    if (!tile->run.length)
        return slice_numbers_fit(spec, &tile->slice);
    if (!segment_decode(&segment, op_of(spec->op), tile->run.data, tile->run.length))
        return false;
    is_sound = segment.kind == kind && segment.fault.kind == FAULT_NONE &&
               segment_is_possible(&segment, spec, &tile->slice);
    segment_clear(&segment);
    return is_sound;
}

/* [begin, …) without a gap, to the job's end. */
static bool tiles_tile(const struct snapshot *snapshot, const struct job_spec *spec)
{
    struct place at = {0};

    for (size_t i = 0; i < snapshot->tile_count; i++) {
        const struct slice *slice = &snapshot->tiles[i].slice;

        if (place_compare(slice->begin, at) != 0 || place_compare(slice->end, at) <= 0 ||
            !place_exists(spec, slice->end))
            return false;
        at = slice->end;
    }
    return place_compare(snapshot->rest.begin, at) == 0 &&
           place_compare(snapshot->rest.end, place_of_end(spec)) == 0;
}

static bool checkpoints_are_sound(const struct snapshot *snapshot, const struct job_spec *spec)
{
    for (uint32_t i = 0; i < snapshot->checkpoint_count; i++) {
        const struct checkpoint *at = &snapshot->checkpoints[i];

        if (!place_exists(spec, at->place))
            return false;
        if (i && (place_compare(at[-1].place, at->place) >= 0 || at[-1].element > at->element))
            return false;
    }
    return true;
}

static bool phase_is_sound(const struct snapshot *snapshot, const struct job_spec *spec)
{
    if (snapshot->phase == TASK_COUNT)
        return cut_is_numbered(&spec->cut);
    if (snapshot->phase != TASK_FOLD)
        return false;
    return spec->cut.kind != CUT_SPLIT || snapshot->elements != UINT64_MAX;
}

bool snapshot_is_sound(const struct snapshot *snapshot, const struct job_spec *spec)
{
    if (!phase_is_sound(snapshot, spec) || !tiles_tile(snapshot, spec) ||
        !checkpoints_are_sound(snapshot, spec) || !slice_numbers_fit(spec, &snapshot->rest))
        return false;
    for (size_t i = 0; i < snapshot->tile_count; i++)
        if (!run_is_sound(&snapshot->tiles[i], snapshot->phase, spec))
            return false;
    return true;
}
