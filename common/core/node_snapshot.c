/*
 * A root's snapshot, taken and gone on from. What a child holds is not in it, and neither is who
 * was to blame for what: the next process gives all of it again.
 */
#include "core/node_private.h"

#include <assert.h>

static bool is_faulty(const struct work *work)
{
    for (const struct tile *tile = work->merge.tiles.first; tile; tile = tile->next)
        if (tile->run && tile->run->fault.kind)
            return true;
    return false;
}

static void save_tiles(const struct merge *merge, struct snapshot *out)
{
    size_t count = 0;

    for (const struct tile *tile = merge->tiles.first; tile; tile = tile->next)
        count++;
    out->tiles = memory_array(count, sizeof *out->tiles);
    for (const struct tile *tile = merge->tiles.first; tile; tile = tile->next) {
        struct snapshot_tile *saved = &out->tiles[out->tile_count++];

        saved->slice = tile->slice;
        if (!tile->run)
            continue;
        bytes_reserve(&saved->run,
                      256 + segment_weight(tile->run) + tile->run->closed.packed.length);
        segment_encode(tile->run, &saved->run);
    }
}

/* The checkpoints before the next one are behind the plan already. */
static void save_plan(const struct plan *plan, struct snapshot *out)
{
    uint32_t count = plan->checkpoint_count - plan->checkpoint_next;

    out->rest = plan->rest;
    out->checkpoint_base = plan->checkpoint_base;
    out->checkpoints = memory_array(count, sizeof *out->checkpoints);
    out->checkpoint_count = count;
    for (uint32_t i = 0; i < count; i++)
        out->checkpoints[i] = plan->checkpoints[plan->checkpoint_next + i];
}

bool node_snapshot(struct node *node, struct snapshot *out)
{
    struct work *work = node->jobs && node->jobs->is_root ? node->jobs->first : NULL;

    *out = (struct snapshot){0};
    if (!work || !work->is_unsaved || is_faulty(work))
        return false;
    work->is_unsaved = false;
    out->phase = work->phase;
    out->elements = work->phase == TASK_FOLD && work->job->spec->cut.kind == CUT_SPLIT
                        ? work->job->spec->cut.elements
                        : UINT64_MAX;
    out->units = node->stats.units;
    out->answered_bytes = work->values_bytes;
    out->answered_count = work->values_count;
    save_tiles(&work->merge, out);
    save_plan(&work->plan, out);
    return true;
}

static void resume_run(struct work *work, struct tile *tile, const struct bytes *run)
{
    const struct job_spec *spec = work->job->spec;
    struct slice rest = tile->slice;
    struct segment segment;

    rest.begin = rest.end;
    if (!segment_decode(&segment, work->job->op, run->data, run->length))
        assert(false && "a snapshot that is sound");
    work->job->cost_done += plan_cost(spec, tile->slice.begin, tile->slice.end);
    merge_count(&work->merge, tile, &rest, &segment);
}

static void resume_tiles(struct work *work, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->tile_count; i++) {
        const struct snapshot_tile *saved = &snapshot->tiles[i];
        struct tile *tile;

        if (MUTANT(RESUME_GAP_LOST) && !saved->run.length)
            continue;
        tile = merge_append(&work->merge, &saved->slice, NULL);
        if (saved->run.length && !(MUTANT(RESUME_COUNTS_AGAIN) && !i))
            resume_run(work, tile, &saved->run);
    }
}

static void resume_plan(struct work *work, struct snapshot *snapshot)
{
    plan_clear(&work->plan);
    plan_init(&work->plan, work->job->spec, &snapshot->rest);
    work->plan.is_counting = snapshot->phase == TASK_COUNT;
    work->plan.checkpoint_base = snapshot->checkpoint_base;
    work->plan.checkpoints = snapshot->checkpoints;
    work->plan.checkpoint_count = snapshot->checkpoint_count;
    snapshot->checkpoints = NULL;
    snapshot->checkpoint_count = 0;
}

void work_resume(struct node *node, struct work *work, struct snapshot *snapshot)
{
    work->phase = snapshot->phase;
    if (snapshot->elements != UINT64_MAX)
        work->job->spec->cut.elements = snapshot->elements;
    work->values_bytes = snapshot->answered_bytes;
    work->values_count = snapshot->answered_count;
    node->stats.units = snapshot->units;
    resume_tiles(work, snapshot);
    resume_plan(work, snapshot);
    if (work->phase == TASK_COUNT)
        work->job->cost_done = 0; /* of the folding, which comes then */
    snapshot_clear(snapshot);
    work_wake(node, work);
    work_advance(node, work);
}
