/*
 * A snapshot: what a root node has counted of its job, to go on from after a crash. It is a value:
 * the tiles of the merge as they stood between two steps, those that are counted with their
 * segments, and what of the plan was not yet cut. Who computes what is not in it: a range that
 * was with a child is one that is still to be folded.
 */
#ifndef SHEAF_CORE_SNAPSHOT_H
#define SHEAF_CORE_SNAPSHOT_H

#include "core/message.h"
#include "source/segment.h"

struct snapshot_tile {
    struct slice slice;
    struct bytes run; /* the segment, encoded; empty: not counted */
};

struct snapshot {
    enum task_kind phase; /* TASK_COUNT: the elements are being numbered first; TASK_FOLD */
    uint64_t elements;    /* CUT_SPLIT, when it folds: of all sources; else UINT64_MAX */
    uint64_t units;       /* folded, for the figures */
    /* Values handed over for printing, from the first one on: no tile holds them any more. */
    uint64_t answered_bytes, answered_count;
    struct snapshot_tile *tiles; /* owned; from the job's begin, each the next one's neighbour */
    size_t tile_count;
    struct slice rest; /* not cut yet: from the last tile to the job's end */
    uint64_t checkpoint_base;
    struct checkpoint *checkpoints; /* owned: where the rest of numbered text may be cut */
    uint32_t checkpoint_count;
};

void snapshot_clear(struct snapshot *snapshot);
/*
 * Whether a node can go on from it: the tiles and the rest tile the job, every place is in its
 * source, every segment can be decoded, is of the phase's kind and without a fault, and can be its
 * slice's. What else a segment says is believed.
 */
bool snapshot_is_sound(const struct snapshot *snapshot, const struct job_spec *spec);

#endif
