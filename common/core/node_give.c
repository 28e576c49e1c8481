/*
 * Giving: which child gets what, and how much of it.
 *
 * Jobs take turns by deficit round robin (Shreedhar & Varghese, 1996) over expected time. Slices
 * follow guided self-scheduling (Polychronopoulos & Kuck, 1987) by measured speed: about task_ns of
 * work for all slots of the child, less near the end so that all finish together. A child has at
 * most two such slices for each of its slots.
 */
#include "core/node_private.h"

enum given { GIVEN, NOTHING, NOT_TO_THIS_ONE, NO_ROOM };

static bool tile_is_front(const struct tile *tile)
{
    return !tile->previous || (tile->previous->state == TILE_RUN && !tile->previous->previous);
}

static bool is_numbered_text(const struct work *work, const struct tile *tile)
{
    return cut_is_numbered(&work->job->spec->cut) && work->phase != TASK_COUNT &&
           source_needs_count(&work->job->spec->sources[tile->slice.begin.source]);
}

/* A range that came back, or came as bytes, may be larger than what this child should get. */
static void split_tile(struct node *node, struct work *work, const struct peer *peer,
                       struct tile *tile)
{
    const struct job_spec *spec = work->job->spec;
    cost all = plan_cost(spec, tile->slice.begin, tile->slice.end);
    cost wanted = cost_wanted(node, work, peer, all);
    struct slice right = tile->slice;

    if (work->phase == TASK_GLUE || tile->deaths || peer->takes_whole ||
        is_numbered_text(work, tile))
        return;
    if (peer->role == ROLE_PROCESS && spec->piece_units) {
        struct plan plan;

        plan_init(&plan, spec, &tile->slice);
        if (spec->sources[tile->slice.begin.source].access != SOURCE_STREAM &&
            plan_next(&plan, 0, spec->piece_units, &right) && !plan_is_done(&plan))
            merge_split(&work->merge, tile, &plan.rest);
        plan_clear(&plan);
        return;
    }
    if (all <= wanted + wanted / 2 || tile->slice.begin.source != tile->slice.end.source)
        return;
    right.begin = plan_advance(spec, tile->slice.begin, tile->slice.end, wanted);
    if (place_compare(right.begin, tile->slice.begin) <= 0 ||
        place_compare(right.begin, right.end) >= 0)
        return;
    right.in_token = false;
    if (cut_is_numbered(&spec->cut))
        right.element += right.begin.unit - tile->slice.begin.unit;
    merge_split(&work->merge, tile, &right);
}

int64_t give_tile(struct node *node, struct work *work, struct peer *peer, struct tile *tile,
                  enum task_kind kind)
{
    cost all = plan_cost(work->job->spec, tile->slice.begin, tile->slice.end);
    uint64_t room = kind == TASK_FOLD ? room_wanted(node, work, peer, all) : 0;
    struct task *task;

    if (kind != TASK_GLUE || work->asked.kind == TASK_GLUE)
        merge_set_state(&work->merge, tile, TILE_GIVEN);
    task = task_new(node, work, tile, kind);
    give_lease(node, task, peer, room);
    return task->lease[0].expected_ns;
}

bool slice_touches_files(const struct job_spec *spec, const struct slice *slice)
{
    struct place at = slice->begin;

    for (; place_compare(at, slice->end) < 0; at = (struct place){at.source + 1, 0})
        if (spec->sources[at.source].access == SOURCE_FILE)
            return true;
    return false;
}

static bool is_blind(const struct work *work, const struct peer *peer)
{
    const struct known *known = job_known(work->job, peer);

    return known && known->is_blind;
}

static bool takes_bytes(const struct peer *peer, const struct tile *tile)
{
    uint64_t most = peer->takes_whole ? WHOLE_VALUE_BYTES : WORKER_VALUE_BYTES;

    return !peer->payload_bytes || peer->payload_bytes + tile->payload.length <= most;
}

/* Its bytes were there once, in a process that is no more. */
static bool lost_its_bytes(const struct work *work, const struct tile *tile)
{
    return work->job->spec->sources[tile->slice.begin.source].access == SOURCE_STREAM;
}

static bool needs_bytes(const struct work *work, const struct peer *peer, const struct tile *tile)
{
    if (tile->by_value || work->phase == TASK_GLUE)
        return false;
    return lost_its_bytes(work, tile) ||
           (is_blind(work, peer) && slice_touches_files(work->job->spec, &tile->slice));
}

/* What holds up the output goes first. */
static struct tile *next_ready(const struct work *work)
{
    struct tile *front = work->merge.tiles.first;

    if (front && front->state == TILE_RUN)
        front = front->next;
    return front && front->state == TILE_READY ? front : work->merge.ready.first;
}

/* The first waiting range that this child can take. */
static enum given give_ready(struct node *node, struct work *work, struct peer *peer,
                             int64_t *cost_ns)
{
    struct tile *tile = next_ready(work);

    if (!tile)
        return NOTHING;
    if (needs_bytes(work, peer, tile)) {
        input_read_tile(node, work, tile);
        tile = next_ready(work);
        if (!tile)
            return NOTHING;
        if (needs_bytes(work, peer, tile))
            return NOT_TO_THIS_ONE;
    }
    if (!takes_bytes(peer, tile))
        return NOT_TO_THIS_ONE;
    if (work->phase == TASK_FOLD &&
        !has_room(node, work, room_wanted(node, work, peer, COST_MIN), tile_is_front(tile)))
        return NO_ROOM;
    split_tile(node, work, peer, tile);
    *cost_ns = give_tile(node, work, peer, tile, work->phase);
    return GIVEN;
}

static bool begins_in_file(const struct work *work)
{
    return work->job->spec->sources[work->plan.rest.begin.source].access == SOURCE_FILE;
}

static enum given give_fresh(struct node *node, struct work *work, struct peer *peer,
                             int64_t *cost_ns)
{
    cost wanted = cost_wanted(node, work, peer, 0);
    uint64_t units = peer->role == ROLE_PROCESS ? work->job->spec->piece_units : 0;
    struct tile *last = work->merge.tiles.last;
    bool is_front = !last || (last->state == TILE_RUN && !last->previous);
    struct slice slice;
    struct tile *tile;

    if (plan_is_done(&work->plan))
        return NOTHING;
    if (plan_is_at_stream(&work->plan)) {
        input_ask(node, work);
        if (work->merge.ready.first)
            return give_ready(node, work, peer, cost_ns);
        return work->reads ? NOTHING : NO_ROOM;
    }
    if (work->phase == TASK_FOLD &&
        !has_room(node, work, room_wanted(node, work, peer, wanted), is_front))
        return NO_ROOM;
    if (is_blind(work, peer) && begins_in_file(work)) {
        input_read_fresh(node, work);
        return NOT_TO_THIS_ONE;
    }
    if (!plan_next(&work->plan, wanted, units, &slice))
        return NOTHING;
    tile = merge_append(&work->merge, &slice, NULL);
    if (needs_bytes(work, peer, tile))
        input_read_tile(node, work, tile); /* cuts off what needs none */
    *cost_ns = give_tile(node, work, peer, tile, work->phase);
    return GIVEN;
}

bool give_front_slice(struct node *node, struct work *work, struct peer *peer, int64_t *cost_ns)
{
    struct tile *ready = next_ready(work);
    struct tile *last = work->merge.tiles.last;

    if (ready && (tile_is_front(ready) || work->asked.kind == TASK_GLUE))
        return give_ready(node, work, peer, cost_ns) == GIVEN;
    return (!last || (last->state == TILE_RUN && !last->previous)) &&
           give_fresh(node, work, peer, cost_ns) == GIVEN;
}

/* Nothing better to glue a heavy value with will come soon: all is cut, or light results behind the
 * value fill the window, or nobody works on anything else. */
static bool wants_any_pair(const struct work *work, enum given given)
{
    if (given == NOTHING)
        return plan_is_done(&work->plan) || (!work->tasks && !MUTANT(LIGHT_WAITS));
    return given == NO_ROOM && !MUTANT(LIGHT_WAITS);
}

static enum given give_of_work(struct node *node, struct work *work, struct peer *peer,
                               int64_t *cost_ns)
{
    enum given given;

    if (pair_give(node, work, peer, false, cost_ns))
        return GIVEN;
    given = give_ready(node, work, peer, cost_ns);
    if (given == NOTHING)
        given = give_fresh(node, work, peer, cost_ns);
    if (wants_any_pair(work, given) && pair_give(node, work, peer, true, cost_ns))
        return GIVEN;
    return given;
}

static enum given give_of_job(struct node *node, struct job *job, struct peer *peer,
                              int64_t *cost_ns)
{
    enum given result = NOTHING;

    for (struct work *work = job->to_give; work; work = work->next) {
        enum given given = give_of_work(node, work, peer, cost_ns);

        if (given == GIVEN)
            return GIVEN;
        if (given != NOTHING)
            result = result == NOT_TO_THIS_ONE ? result : given;
        else if (job->to_give == work && !work->merge.heavy.first && plan_is_done(&work->plan))
            job->to_give = work->next;
    }
    return result;
}

static void rotate_jobs(struct node *node)
{
    struct job *job = node->jobs;

    if (!job || !job->next)
        return;
    node->jobs = job->next;
    job->next->previous = NULL;
    job->next = NULL;
    job->previous = node->jobs_last;
    node->jobs_last->next = job;
    node->jobs_last = job;
}

/* The next job in turn that may go and has not said already that it has nothing; NULL: none. */
static struct job *job_in_turn(struct node *node)
{
    for (uint64_t i = node->stats.jobs; i > 0; i--) {
        struct job *job = node->jobs;

        if (job && !job->is_dry && job->deficit_ns > 0)
            return job;
        rotate_jobs(node);
    }
    return NULL;
}

/* As many rounds at once as it takes until one of the jobs that wait for their turn may go. */
static bool next_rounds(struct node *node, int64_t quantum_ns)
{
    int64_t best_ns = INT64_MIN;

    for (struct job *job = node->jobs; job; job = job->next)
        if (!job->is_dry && job->deficit_ns > best_ns)
            best_ns = job->deficit_ns;
    for (struct job *job = node->jobs; job; job = job->next)
        if (!job->is_dry)
            job->deficit_ns += quantum_ns - best_ns;
    return best_ns > INT64_MIN;
}

static enum given give_one(struct node *node, struct peer *peer)
{
    enum given result = NOTHING;
    struct job *job;

    for (job = node->jobs; job; job = job->next)
        job->is_dry = false;
    while ((job = job_in_turn(node)) || next_rounds(node, slots_ns(node, peer, 1))) {
        int64_t cost_ns = 0;
        enum given given;

        if (!job)
            continue;
        given = give_of_job(node, job, peer, &cost_ns);
        if (given == GIVEN) {
            job->deficit_ns -= cost_ns;
            return GIVEN;
        }
        job->deficit_ns = 0; /* a job without work saves up no turn */
        job->is_dry = true;
        if (given != NOTHING)
            result = result == NOT_TO_THIS_ONE ? result : given;
    }
    return result;
}

/* Who cannot take what there is (it has not the files, or bytes enough) stands back: the next may,
 * however many stand before it. */
static void give_list(struct node *node, const struct peer_list *list)
{
    enum { TRY_MOST = 64 };
    struct peer *peer = list->first;

    for (int tries = 0; peer && tries < TRY_MOST;) {
        struct peer *next = peer->capacity_next;
        enum given given = give_one(node, peer);

        if (given == NOTHING || given == NO_ROOM)
            break;
        if (given == NOT_TO_THIS_ONE && !MUTANT(BLIND_FIRST))
            peer_stand_back(node, peer);
        peer = given == GIVEN ? list->first : next;
        tries += given != GIVEN;
    }
}

static bool may_copy(const struct node *node, const struct task *task, const struct peer *peer)
{
    const struct lease *lease = task->lease[0].child ? &task->lease[0] : &task->lease[1];
    const struct lease *other = lease == &task->lease[0] ? &task->lease[1] : &task->lease[0];

    return lease->child && !other->child && lease->child != peer && node->now_ns >= lease->due_ns &&
           !task->tile->deaths && (task->tile->by_value || !is_blind(task->work, peer));
}

/* An idle child runs a second copy of what takes too long; the first result counts. */
static void give_copies(struct node *node)
{
    enum { LOOK_AT = 32 };
    struct task *task = node->oldest;

    for (int i = 0; task && i < LOOK_AT && node->idle.first; i++, task = task->newer) {
        struct peer *peer = node->idle.first;

        uint64_t room = task->kind == TASK_FOLD ? room_max(node, peer) : 0;

        if (!may_copy(node, task, peer) ||
            (room && !has_room(node, task->work, room, tile_is_front(task->tile))))
            continue;
        give_lease(node, task, peer, room);
        node->stats.speculative++;
    }
}

/* The next bytes of a stream are on their way before a child waits for them. */
static void read_ahead(struct node *node)
{
    struct work *work = node->jobs->is_root ? node->jobs->first : NULL;

    if (work && node->slots && plan_is_at_stream(&work->plan))
        input_ask(node, work);
}

void give_all(struct node *node)
{
    if (!node->jobs)
        return;
    read_ahead(node);
    give_list(node, &node->idle);
    give_list(node, &node->some);
    fronts_give(node);
    give_copies(node);
}

int64_t give_deadline(const struct node *node)
{
    enum { LOOK_AT = 32 };
    int64_t deadline = INT64_MAX;
    const struct task *task = node->oldest;

    if (!node->idle.first)
        return deadline;
    for (int i = 0; task && i < LOOK_AT; i++, task = task->newer) {
        const struct lease *lease = task->lease[0].child ? &task->lease[0] : &task->lease[1];
        bool is_copied = task->lease[0].child && task->lease[1].child;

        /* One that is due and was not copied by this step cannot be: the next event may change
         * that. */
        if (!is_copied && lease->due_ns > node->now_ns && lease->due_ns < deadline)
            deadline = lease->due_ns;
    }
    return deadline;
}
