/*
 * Sizes: how much a child should get at once, how long that will take, and how much room for
 * results there is. By what was measured; guesses at first.
 */
#include "core/node_private.h"

static uint64_t used_bytes(const struct node *node)
{
    return node->unprinted_bytes + node->held_bytes + node->reserved_bytes;
}

void reserve(struct node *node, struct work *work, uint64_t bytes)
{
    work->reserved_bytes += bytes;
    node->reserved_bytes += bytes;
}

void unreserve(struct node *node, struct work *work, uint64_t bytes)
{
    work->reserved_bytes -= bytes;
    node->reserved_bytes -= bytes;
}

static double rate_of(const struct job *job, const struct peer *peer, enum task_kind kind)
{
    return kind == TASK_FOLD && peer->rate_job == job->id ? peer->rate : job->rate[kind];
}

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

static cost cost_at_most(cost value, cost most)
{
    return value < most ? value : most;
}

static cost cost_of_real(double real)
{
    return real < 1e38 ? (cost)real : COST_MAX;
}

/* The results of one slice should fit one answer. */
static cost cost_of_results(const struct job *job, uint64_t result_bytes)
{
    if (job->closed_ratio <= 0)
        return COST_MAX;
    return cost_of_real(0.75 * (double)result_bytes / job->closed_ratio);
}

uint64_t room_max(const struct node *node, const struct peer *peer)
{
    uint64_t most = peer->role == ROLE_PROCESS ? RESULT_BYTES_MAX : WORKER_ROOM_MAX;

    return peer->takes_whole ? node->options.memory_bytes / 4
                             : at_most(most, node->options.memory_bytes / 8);
}

uint64_t run_bytes_max(const struct node *node)
{
    return at_most(RESULT_BYTES_MAX, node->options.memory_bytes / 8);
}

uint64_t unprinted_max(const struct node *node)
{
    return at_most(UNPRINTED_MAX, node->options.memory_bytes / 4);
}

cost cost_wanted(const struct node *node, const struct work *work, const struct peer *peer,
                 cost all)
{
    const struct job *job = work->job;
    double rate = rate_of(job, peer, work->phase);
    double by_speed = rate * (double)node->options.task_ns * peer->slots;
    cost wanted = rate > 0 ? cost_of_real(by_speed) : COST_MAX;
    cost left = work->plan.cost_left > all ? work->plan.cost_left : all;
    cost share = left / (2 * at_least(node->slots, 1)) * peer->slots;
    cost least = work->phase == TASK_FOLD ? 1 : COST_MIN;

    if (peer->takes_whole)
        return COST_MAX;
    wanted = cost_at_most(wanted,
                          job->cost_done_max ? COST_GROWTH * job->cost_done_max : (cost)COST_FIRST);
    wanted = cost_at_most(wanted, share > COST_MIN ? share : COST_MIN);
    if (work->phase == TASK_FOLD)
        wanted = cost_at_most(wanted, cost_of_results(job, room_max(node, peer)));
    return wanted > least ? wanted : least;
}

uint64_t room_wanted(const struct node *node, const struct work *work, const struct peer *peer,
                     cost planned)
{
    const struct job *job = work->job;
    uint64_t most = room_max(node, peer);
    double expected = job->closed_ratio * (double)planned * 4;

    if (peer->takes_whole || !job->cost_done)
        return most;
    return expected < (double)most ? at_least((uint64_t)expected, at_most(64 * KIB, most)) : most;
}

/* What is at the front needs no new room; it is bounded by what of it is not yet answered or
 * printed. */
bool has_room(const struct node *node, const struct work *work, uint64_t room, bool is_front)
{
    const struct tile *first = work->merge.tiles.first;
    uint64_t held = first && first->state == TILE_RUN ? first->run->closed.packed.length : 0;

    return is_front ? held + node->unprinted_bytes <= unprinted_max(node)
                    : used_bytes(node) + room <= node->options.memory_bytes;
}

int64_t slots_ns(const struct node *node, const struct peer *peer, int tasks)
{
    double ns = (double)tasks * (double)node->options.task_ns * peer->slots;

    return ns < 1e16 ? (int64_t)ns : (int64_t)1e16;
}

int64_t expected_ns(const struct node *node, const struct work *work, const struct peer *peer,
                    cost planned)
{
    double rate = planned ? rate_of(work->job, peer, work->phase) : 0;
    double expected = rate > 0 ? (double)planned / rate : (double)node->options.task_ns;

    return expected < 1e15 ? (int64_t)expected : (int64_t)1e15;
}
