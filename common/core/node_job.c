/* Jobs, and the works they consist of: what givers (or the shell) want of this node. */
#include "core/node_private.h"

#include <assert.h>

struct job *job_find(const struct node *node, peer_id giver, uint64_t giver_job)
{
    struct job_key key = {giver, giver_job};
    struct job *job = NULL;

    /* NOLINTNEXTLINE(clang-analyzer-core.*): the hash reads numbers byte by byte */
    HASH_FIND(hh, node->jobs_by_key, &key, sizeof key, job);
    return job;
}

struct known *job_known(const struct job *job, const struct peer *peer)
{
    struct known *known;

    HASH_FIND(hh, job->known, &peer->id, sizeof peer->id, known);
    return known;
}

uint32_t own_credit(const struct node *node)
{
    return node->options.credit_tasks ? node->options.credit_tasks : CLIENT_CREDIT;
}

bool job_is_possible(const struct job_spec *spec)
{
    return op_of(spec->op) && spec->source_count &&
           (spec->cut.kind != CUT_EVERY || spec->cut.size) &&
           (spec->cut.kind != CUT_SPLIT || spec->cut.parts) &&
           (!cut_is_numbered(&spec->cut) || job_elements_fit(spec));
}

static void note_described(const struct node *node, peer_id giver, bool is_new)
{
    struct peer *peer = peer_find(node, giver);

    if (peer)
        peer->asked.jobs += is_new ? 1u : -1u;
}

struct job *job_new(struct node *node, peer_id giver, uint64_t giver_job, struct job_spec *spec)
{
    struct job *job = memory_new(sizeof *job);

    job->id = ++node->next_job;
    job->key = (struct job_key){giver, giver_job};
    HASH_ADD(hh, node->jobs_by_key, key, sizeof job->key, job);
    job->spec = spec;
    job->op = op_of(spec->op);
    job->previous = node->jobs_last;
    *(node->jobs_last ? &node->jobs_last->next : &node->jobs) = job;
    node->jobs_last = job;
    node->stats.jobs++;
    note_described(node, giver, true);
    return job;
}

/* Tell all children that were told of the job to forget it. */
static void forget_everywhere(struct node *node, struct job *job)
{
    struct known *known;
    struct known *next;

    HASH_ITER(hh, job->known, known, next)
    {
        struct message forget = {.type = MESSAGE_FORGET, .forget = {.job = job->id}};
        struct peer *peer = peer_find(node, known->peer);

        if (peer)
            peer_send(node, peer, &forget);
        HASH_DEL(job->known, known);
        memory_free(known);
    }
}

void job_rename(struct node *node, struct job *job)
{
    forget_everywhere(node, job);
    job->id = ++node->next_job;
}

void job_free(struct node *node, struct job *job)
{
    while (job->first)
        work_free(node, job->first);
    forget_everywhere(node, job);
    note_described(node, job->key.giver, false);
    *(job->previous ? &job->previous->next : &node->jobs) = job->next;
    *(job->next ? &job->next->previous : &node->jobs_last) = job->previous;
    HASH_DEL(node->jobs_by_key, job);
    job_spec_clear(job->spec);
    memory_free(job->spec);
    memory_free(job);
    node->stats.jobs--;
}

struct work *work_find(struct job *job, uint64_t task, uint32_t attempt)
{
    for (struct work *work = job->first; work; work = work->next)
        if (work->asked.task == task && work->asked.attempt == attempt)
            return work;
    return NULL;
}

static bool is_all_streams(const struct job_spec *spec)
{
    for (uint32_t i = 0; i < spec->source_count; i++)
        if (spec->sources[i].access != SOURCE_STREAM && source_needs_count(&spec->sources[i]))
            return false;
    return true;
}

/*
 * Text with numbered elements is counted before it is cut, unless it is too small to be cut, comes
 * as bytes that are counted on arrival, or goes whole to a coordinator. A split needs the number of
 * all elements in any case.
 */
static bool wants_counting(const struct node *node, const struct work *work)
{
    const struct job_spec *spec = work->job->spec;

    if (work->asked.kind != TASK_FOLD || work->asked.by_value)
        return false;
    if (spec->cut.kind == CUT_SPLIT && spec->cut.elements == UINT64_MAX)
        return true;
    return !work->asked.deaths && work->plan.needs_checkpoints && !is_all_streams(spec) &&
           work->plan.cost_left > COST_MIN && node->options.role != ROLE_CLIENT;
}

/* A pair to be glued goes first: its giver can answer nothing until it is glued. */
static void work_link(struct work *work)
{
    struct job *job = work->job;
    bool is_pair = work->asked.kind == TASK_GLUE;

    work->previous = is_pair ? NULL : job->last;
    work->next = is_pair ? job->first : NULL;
    *(work->previous ? &work->previous->next : &job->first) = work;
    *(work->next ? &work->next->previous : &job->last) = work;
    if (!job->to_give || is_pair)
        job->to_give = work;
}

void work_wake(struct node *node, struct work *work)
{
    node->has_waiting = true;
    if (!MUTANT(WAKE_LOST))
        work->job->to_give = work->job->first;
}

/* A task's bytes, or a pair to be glued: one tile, nothing to plan. */
static void take_payload(struct work *work, struct message *message)
{
    struct chunk payload = message->payload;

    message->payload = (struct chunk){0};
    merge_append(&work->merge, &work->asked.slice, &payload);
    plan_stop(&work->plan);
    work->merge.tiles.last->deaths = work->asked.deaths;
    work->merge.tiles.last->lost_daemons = work->asked.lost_daemons;
}

/* A range that has killed before is given as it is, never cut or enlarged: blame stays exact. */
static void take_blamed(struct work *work)
{
    struct tile *tile = merge_append(&work->merge, &work->asked.slice, NULL);

    plan_stop(&work->plan);
    tile->deaths = work->asked.deaths;
    tile->lost_daemons = work->asked.lost_daemons;
}

/* What a giver has asked for is bounded by the credit that it was given; the shell knows its own
 * bounds. */
static void note_asked(const struct node *node, const struct work *work, bool is_new)
{
    struct peer *giver = peer_find(node, work->job->key.giver);

    if (!giver)
        return;
    giver->asked.tasks += is_new ? 1u : -1u;
    giver->asked.value_bytes += is_new ? work->value_bytes : -work->value_bytes;
}

struct work *work_new(struct node *node, struct job *job, struct message *task)
{
    struct work *work = memory_new(sizeof *work);

    work->job = job;
    work->asked = task->task;
    work->answered = work->asked.slice.begin;
    work->answered_ns = node->now_ns;
    work->room_bytes = work->asked.room_bytes;
    work->value_bytes = work->asked.by_value ? task->payload.length : 0;
    note_asked(node, work, true);
    work->phase = work->asked.kind;
    plan_init(&work->plan, job->spec, &work->asked.slice);
    merge_init(&work->merge, job->spec, run_bytes_max(node), &node->held_bytes);
    work->merge.is_final = job->is_root;
    job->cost_all += work->plan.cost_left;
    if (wants_counting(node, work))
        work->phase = TASK_COUNT;
    work->plan.is_counting = work->phase == TASK_COUNT && !MUTANT(COUNTED_WHOLE);
    if (work->asked.by_value || work->asked.kind == TASK_GLUE)
        take_payload(work, task);
    else if (work->asked.deaths)
        take_blamed(work);
    work_link(work);
    node->has_waiting = true;
    return work;
}

void work_cancel_tasks(struct node *node, struct work *work)
{
    for (struct tile *tile = work->merge.tiles.first; tile; tile = tile->next)
        if (tile->task)
            task_cancel(node, tile->task);
    assert(!work->tasks);
}

void work_free(struct node *node, struct work *work)
{
    struct job *job = work->job;

    work_cancel_tasks(node, work);
    note_asked(node, work, false);
    *(work->previous ? &work->previous->next : &job->first) = work->next;
    *(work->next ? &work->next->previous : &job->last) = work->previous;
    if (job->to_give == work)
        job->to_give = work->next;
    merge_clear(&work->merge);
    plan_clear(&work->plan);
    memory_free(work);
}

static bool task_is_possible(const struct job_spec *spec, const struct message_task *task)
{
    return place_compare(task->slice.begin, task->slice.end) < 0 &&
           place_exists(spec, task->slice.begin) && place_exists(spec, task->slice.end) &&
           (task->kind != TASK_FOLD || spec->cut.kind != CUT_SPLIT ||
            spec->cut.elements != UINT64_MAX) &&
           slice_numbers_fit(spec, &task->slice);
}

static void decline_task(struct node *node, struct peer *giver, const struct message_task *task)
{
    struct message declined = {.type = MESSAGE_DECLINED};

    declined.declined.job = task->job;
    declined.declined.task = task->task;
    declined.declined.attempt = task->attempt;
    declined.declined.reason = DECLINE_DRAINING;
    peer_send(node, giver, &declined);
}

/* One slice may be larger than all that may wait (a long element); nothing goes with it. */
static bool is_within_credit(const struct node *node, const struct peer *giver,
                             const struct message_task *task)
{
    return giver->asked.tasks < own_credit(node) &&
           !(task->by_value && giver->asked.value_bytes > WHOLE_VALUE_BYTES);
}

void job_take_task(struct node *node, struct peer *giver, struct message *message)
{
    struct job *job = job_find(node, giver->id, message->task.job);
    struct work *work;

    if (node->is_draining) {
        decline_task(node, giver, &message->task);
        return;
    }
    if (!job || !is_within_credit(node, giver, &message->task) ||
        !task_is_possible(job->spec, &message->task)) {
        peer_misbehaves(node, giver);
        return;
    }
    node->look_for_eyes = true;
    work = work_new(node, job, message);
    work_advance(node, work);
}
