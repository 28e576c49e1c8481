/*
 * The plan: what of a slice is not yet cut, and where to cut next. Lazy and in O(1) memory, but for
 * the checkpoints of numbered text. Pure.
 *
 * Work is measured in cost, one byte's worth each: a byte of text, a byte of an array, an eighth of
 * a range's element; so that one measured speed serves all sources of a job. A million ranges of
 * 2^63 elements cost less than 2^90.
 */
#ifndef SHEAF_CORE_PLAN_H
#define SHEAF_CORE_PLAN_H

#include "source/segment.h"

typedef unsigned __int128 cost;
#define COST_MAX ((cost)-1)

struct plan {
    const struct job_spec *spec; /* borrowed */
    struct slice rest;           /* not yet cut */
    cost cost_left;              /* of the rest, streams not counted */
    bool is_counting;            /* pieces are counted: cut anywhere, and without numbers */
    bool needs_checkpoints;      /* elements carry numbers that only counting can tell */
    uint64_t checkpoint_base;    /* element number at the begin that the checkpoints count from */
    struct checkpoint *checkpoints; /* owned; NULL before counting */
    uint32_t checkpoint_count, checkpoint_next;
};

void plan_init(struct plan *plan, const struct job_spec *spec, const struct slice *slice);
void plan_clear(struct plan *plan);
/* Take over what counting the whole slice has found; the plan must not have been cut yet. */
void plan_take_checkpoints(struct plan *plan, struct segment *counted);
/* Cut nothing further. */
void plan_stop(struct plan *plan);

bool plan_is_done(const struct plan *plan);
/* The rest begins in a stream: its next slice comes as bytes (plan_take_input), not by cutting. */
bool plan_is_at_stream(const struct plan *plan);
/* The next `units` units of the stream were read as one slice; `ends`: and its end with them. */
void plan_take_input(struct plan *plan, uint64_t units, bool ends, struct slice *slice);

/*
 * Cut the next slice, of about `most` cost. units_exact, if not 0, asks for slices of that many
 * units instead
 * (--task-elements). Returns false when nothing can be cut: done, or at a stream. slice is out.
 */
bool plan_next(struct plan *plan, cost most, uint64_t units_exact, struct slice *slice);

/* Cost of [begin, end). */
cost plan_cost(const struct job_spec *spec, struct place begin, struct place end);
/* The first place in [begin, end) that is about `wanted` cost further on, but at least one unit or
 * one source's end. */
struct place plan_advance(const struct job_spec *spec, struct place begin, struct place end,
                          cost wanted);

#endif
