/*
 * What holds up the output goes on whatever else is under way: the first slice that is not counted,
 * and runs before it whose values are too long for an event loop and must be glued by a child.
 *
 * Slices behind may wait for room, and room comes only when the front goes on; so it needs no new
 * room, and every child that takes more than one task keeps a place for it. From one that takes a
 * single task a slice that waits for room is taken back.
 */
#include "core/node_private.h"

enum { LOOK_AT_WORKS = 64 };

/* Waiting at the front, for a child. */
static bool is_waiting(const struct work *work)
{
    const struct tile *front = work->merge.tiles.first;

    if (work->merge.heavy.first)
        return true;
    if (front && front->state == TILE_RUN)
        front = front->next;
    return front ? front->state == TILE_READY : !plan_is_done(&work->plan);
}

bool pair_give(struct node *node, struct work *work, struct peer *peer, bool relaxed,
               int64_t *cost_ns)
{
    struct tile *left;

    if (!merge_take_pair(&work->merge, relaxed, &left))
        return false;
    *cost_ns = give_tile(node, work, peer, left, TASK_GLUE);
    return true;
}

/* Nothing more is cut for now, so that no pairs of like weight will come. */
static bool is_all_cut(const struct node *node, const struct work *work, const struct peer *peer)
{
    return plan_is_done(&work->plan) || (plan_is_at_stream(&work->plan) && !work->reads) ||
           !has_room(node, work, room_wanted(node, work, peer, COST_MIN), false);
}

static bool give_front_of(struct node *node, struct work *work, struct peer *peer, int64_t *cost_ns)
{
    return pair_give(node, work, peer, is_all_cut(node, work, peer), cost_ns) ||
           give_front_slice(node, work, peer, cost_ns);
}

/* Returns false when nothing was given; then node->has_waiting tells whether it is worth trying
 * again. */
static bool give_any_front(struct node *node, struct peer *peer)
{
    int64_t cost_ns;

    node->has_waiting = false;
    for (struct job *job = node->jobs; job; job = job->next) {
        int looked = 0;

        for (struct work *work = job->to_give; work && looked < LOOK_AT_WORKS; work = work->next) {
            looked++;
            if (!is_waiting(work))
                continue;
            node->has_waiting = true;
            if (!give_front_of(node, work, peer, &cost_ns))
                continue;
            job->deficit_ns -= cost_ns;
            return true;
        }
    }
    return false;
}

void fronts_give(struct node *node)
{
    struct peer *peer = node->full.first;

    while (peer && node->has_waiting && !MUTANT(FRONT_WAITS)) {
        struct peer *next = peer->capacity_next;

        if (!give_any_front(node, peer))
            break;
        peer = next;
    }
}

/* The last of the work's slices that a child holds without room for results. */
static struct lease *starved_lease(const struct work *work)
{
    for (struct tile *tile = work->merge.tiles.last; tile; tile = tile->previous)
        for (int i = 0; tile->state == TILE_GIVEN && work->phase == TASK_FOLD && i < 2; i++)
            if (tile->task->lease[i].child && !tile->task->lease[i].room_bytes)
                return &tile->task->lease[i];
    return NULL;
}

static bool is_any_waiting(const struct node *node)
{
    for (const struct job *job = node->jobs; job; job = job->next)
        for (const struct work *work = job->to_give; work; work = work->next)
            if (is_waiting(work))
                return true;
    return false;
}

void fronts_unstick(struct node *node)
{
    if (node->idle.first || node->some.first || node->full.first || !is_any_waiting(node) ||
        MUTANT(FRONT_WAITS))
        return;
    for (struct job *job = node->jobs; job; job = job->next)
        for (struct work *work = job->first; work; work = work->next) {
            struct lease *lease = starved_lease(work);

            if (lease) {
                lease_take_back(node, lease);
                return;
            }
        }
}
