/* What must always hold between two steps; for tests. */
#include "core/node_private.h"

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #condition;                                                                     \
    } while (0)

/* A child's own sums are those of its leases, and within its credit. */
static const char *check_peer(const struct peer *peer)
{
    uint64_t running = 0;
    uint64_t payload_bytes = 0;
    int64_t queued_ns = 0;

    for (const struct lease *lease = peer->oldest; lease; lease = lease->next) {
        REQUIRE(lease->child == peer);
        REQUIRE(lease == &lease->task->lease[0] || lease == &lease->task->lease[1]);
        running++;
        payload_bytes += lease->payload_bytes;
        queued_ns += lease->expected_ns;
    }
    REQUIRE(peer->running == running);
    REQUIRE(peer->payload_bytes == payload_bytes);
    REQUIRE(peer->queued_ns == queued_ns);
    REQUIRE(running <= peer->credit);
    REQUIRE(!running || (peer->is_ready && peer->is_taker));
    return NULL;
}

/* A tile is in exactly one state, and has a task in just those that need one. */
static const char *check_tile(const struct work *work, const struct tile *tile)
{
    bool has_task = tile->state == TILE_GIVEN || tile->state == TILE_GLUING;

    REQUIRE((tile->state == TILE_RUN || tile->state == TILE_GLUING) == (tile->run != NULL));
    REQUIRE(tile->state != TILE_READY || tile->is_waiting);
    REQUIRE(tile->state != TILE_GIVEN || tile->task);
    REQUIRE(!tile->task || has_task || work->asked.kind == TASK_GLUE);
    if (!tile->task)
        return NULL;
    REQUIRE(tile->task->tile == tile);
    REQUIRE(tile->task->work == work);
    REQUIRE(tile->task->lease[0].child || tile->task->lease[1].child);
    return NULL;
}

static uint64_t room_of(const struct tile *tile)
{
    uint64_t room = 0;

    for (int i = 0; tile->task && i < 2; i++)
        if (tile->task->lease[i].child)
            room += tile->task->lease[i].room_bytes;
    return room;
}

static uint64_t bytes_of(const struct tile *tile)
{
    const struct segment *run = tile->run;

    return tile->payload.length +
           (run ? run->closed.packed.length + run->entry.text.length + run->exit.text.length : 0);
}

/* From what was answered to what is not yet cut the tiles follow one another: nothing is missing
 * and nothing is there twice. */
static const char *check_work(const struct work *work)
{
    const struct merge *merge = &work->merge;
    struct place begin = work->answered;
    uint64_t tasks = 0, given = 0, room = 0, held = 0;
    const char *broken = NULL;

    for (const struct tile *tile = merge->tiles.first; tile && !broken; tile = tile->next) {
        REQUIRE(place_compare(tile->slice.begin, begin) == 0);
        REQUIRE(place_compare(tile->slice.begin, tile->slice.end) <= 0);
        REQUIRE((tile->next ? tile->next->previous : merge->tiles.last) == tile);
        begin = tile->slice.end;
        tasks += tile->task != NULL;
        given += tile->state == TILE_GIVEN;
        room += room_of(tile);
        held += bytes_of(tile);
        broken = check_tile(work, tile);
    }
    if (broken)
        return broken;
    REQUIRE(plan_is_done(&work->plan) || place_compare(work->plan.rest.begin, begin) == 0);
    REQUIRE(work->tasks == tasks);
    REQUIRE(merge->given == given);
    REQUIRE(work->reserved_bytes == room);
    REQUIRE(merge->held_bytes == held);
    return NULL;
}

/* The most by which a result may pass the room it was given: a run, or one value as long as those
 * of the simulator. */
static uint64_t passed_room(const struct node *node)
{
    uint64_t run = run_bytes_max(node);

    return run < 64 * KIB ? 64 * KIB : run;
}

/* Values and the room promised for them stay within the window, but for the front of each work:
 * values that wait there, the rooms of the two that may work on it, and what passes a room. */
static uint64_t bytes_past_window(const struct node *node)
{
    return unprinted_max(node) + 2 * (node->options.memory_bytes / 4) + 2 * passed_room(node);
}

static uint64_t closed_bytes(const struct work *work)
{
    uint64_t closed = 0;

    for (const struct tile *tile = work->merge.tiles.first; tile; tile = tile->next)
        closed += tile->run ? tile->run->closed.packed.length : 0;
    return closed;
}

static const char *check_jobs(const struct node *node)
{
    uint64_t jobs = 0, held = 0, reserved = 0, closed = 0;
    uint64_t window = node->options.memory_bytes;

    for (const struct job *job = node->jobs; job; job = job->next) {
        jobs++;
        for (const struct work *work = job->first; work; work = work->next) {
            const char *broken = check_work(work);

            if (broken)
                return broken;
            held += work->merge.held_bytes;
            reserved += work->reserved_bytes;
            closed += closed_bytes(work);
            window += bytes_past_window(node);
        }
    }
    REQUIRE(node->held_bytes == held);
    REQUIRE(node->reserved_bytes == reserved);
    REQUIRE(closed + node->unprinted_bytes + reserved <= window);
    REQUIRE(node->unprinted_bytes <= unprinted_max(node) + 2 * passed_room(node));
    REQUIRE(node->stats.jobs == jobs);
    return NULL;
}

const char *node_check(const struct node *node)
{
    const char *broken = check_jobs(node);
    uint64_t running = 0;
    uint64_t slots = 0;

    for (const struct peer *peer = node->peers; peer && !broken; peer = peer->hh.next) {
        broken = check_peer(peer);
        running += peer->running;
        slots += peer->is_ready && peer->is_taker ? peer->slots : 0;
    }
    if (broken)
        return broken;
    REQUIRE(node->stats.running == running);
    REQUIRE(node->slots == slots);
    REQUIRE(!running || !node->watched || node_deadline(node) < INT64_MAX);
    return NULL;
}
