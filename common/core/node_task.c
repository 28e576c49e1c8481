/*
 * Tasks and leases: what children hold, what comes back, and what becomes of it when a child is
 * lost.
 *
 * A result is counted only if it is of a lease that stands (task and attempt) and begins where the
 * task's range begins now; whatever else arrives is late or repeated, and dropped. As the range's
 * begin moves with what is counted, nothing can be counted twice, whoever computed it.
 */
#include "core/node_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct task *task_new(struct node *node, struct work *work, struct tile *tile, enum task_kind kind)
{
    struct task *task = memory_new(sizeof *task);

    task->id = ++node->next_task;
    task->work = work;
    task->tile = tile;
    task->kind = kind;
    task->older = node->newest;
    *(node->newest ? &node->newest->newer : &node->oldest) = task;
    node->newest = task;
    HASH_ADD(hh, node->tasks, id, sizeof task->id, task);
    tile->task = task;
    work->tasks++;
    return task;
}

struct lease *task_lease(struct node *node, struct task *task, struct peer *child)
{
    struct lease *lease = task->lease[0].child ? &task->lease[1] : &task->lease[0];

    assert(!lease->child);
    *lease = (struct lease){.task = task, .child = child, .attempt = ++task->attempts};

    lease->previous = child->newest;
    *(child->newest ? &child->newest->next : &child->oldest) = lease;
    child->newest = lease;
    child->running++;
    node->stats.running++;
    return lease;
}

void lease_end(struct node *node, struct lease *lease)
{
    struct peer *child = lease->child;

    *(lease->previous ? &lease->previous->next : &child->oldest) = lease->next;
    *(lease->next ? &lease->next->previous : &child->newest) = lease->previous;
    if (!MUTANT(CREDIT_LEAK) || lease->attempt == 1)
        child->running--;
    child->queued_ns -= lease->expected_ns;
    child->payload_bytes -= lease->payload_bytes;
    unreserve(node, lease->task->work, lease->room_bytes);
    node->stats.running--;
    lease->child = NULL;
    peer_update_capacity(node, child);
}

void task_end(struct node *node, struct task *task)
{
    for (int i = 0; i < 2; i++)
        if (task->lease[i].child)
            lease_end(node, &task->lease[i]);
    *(task->older ? &task->older->newer : &node->oldest) = task->newer;
    *(task->newer ? &task->newer->older : &node->newest) = task->older;
    HASH_DEL(node->tasks, task);
    task->work->tasks--;
    task->tile->task = NULL;
    memory_free(task);
}

static void cancel_lease(struct node *node, struct lease *lease)
{
    struct message cancel = {.type = MESSAGE_CANCEL};

    if (!lease->child)
        return;
    cancel.cancel.job = lease->task->work->job->id;
    cancel.cancel.task = lease->task->id;
    cancel.cancel.attempt = lease->attempt;
    if (lease->child->is_ready)
        peer_send(node, lease->child, &cancel);
    lease_end(node, lease);
}

void task_cancel(struct node *node, struct task *task)
{
    cancel_lease(node, &task->lease[0]);
    cancel_lease(node, &task->lease[1]);
    task_end(node, task);
}

static void cancel_other(struct node *node, struct lease *lease)
{
    struct task *task = lease->task;

    cancel_lease(node, lease == &task->lease[0] ? &task->lease[1] : &task->lease[0]);
}

/* The range (or pair) waits to be given again. */
static void give_back(struct node *node, struct task *task)
{
    struct work *work = task->work;
    struct tile *tile = task->tile;
    enum task_kind kind = task->kind;

    task_end(node, task);
    work_wake(node, work);
    if (kind == TASK_GLUE && tile->state == TILE_GLUING)
        merge_pair_lost(&work->merge, tile);
    else if (!MUTANT(RETRY_LOST))
        merge_set_state(&work->merge, tile, TILE_READY);
}

static struct fault fault_of_death(const struct tile *tile, const struct event *event)
{
    struct fault fault = {.kind = FAULT_KILLED};
    int length;

    fault.source = tile->slice.begin.source;
    fault.unit = tile->slice.begin.unit;
    if (tile->lost_daemons >= DAEMON_DEATHS_MAX)
        length = snprintf(fault.text, sizeof fault.text, "%u workers were lost with it",
                          tile->lost_daemons);
    else if (event && event->gone.signal)
        length = snprintf(fault.text, sizeof fault.text, "signal %d", event->gone.signal);
    else
        length = snprintf(fault.text, sizeof fault.text, "the process ended");
    fault.text_bytes = (uint8_t)length;
    return fault;
}

/* Who was started is to blame; who merely waited behind it is not. */
static void blame(struct tile *tile, const struct lease *lease, const struct event *event)
{
    bool was_started =
        event && (MUTANT(BLAME_QUEUED) || (event->gone.started_task == lease->task->id &&
                                           event->gone.started_attempt == lease->attempt));

    if (lease->child->role == ROLE_PROCESS && was_started)
        tile->deaths++;
    /* A worker starts its tasks in order, and no more of them than it has slots. */
    if (lease->child->role == ROLE_WORKER && !lease->child->is_draining &&
        !lease->child->spares_tasks && lease->child->blamed++ < lease->child->slots)
        tile->lost_daemons++;
}

void lease_lost(struct node *node, struct lease *lease, const struct event *event)
{
    struct task *task = lease->task;
    struct tile *tile = task->tile;
    struct work *work = task->work;
    bool is_pair = task->kind == TASK_GLUE;
    bool was_process = lease->child->role == ROLE_PROCESS;
    struct fault fault;

    blame(tile, lease, event);
    node->stats.retries++;
    lease_end(node, lease);
    if (task->lease[0].child || task->lease[1].child)
        return;
    if (tile->deaths < PROCESS_DEATHS_MAX && tile->lost_daemons < DAEMON_DEATHS_MAX) {
        give_back(node, task);
        if (was_process && !is_pair && tile->deaths)
            work_tell_deaths(node, work, tile);
        return;
    }
    fault = fault_of_death(tile, event);
    task_end(node, task);
    if (is_pair)
        work_fail(node, work, &fault);
    else
        tile_fails(node, work, tile, &fault);
}

static struct lease *lease_find(struct node *node, const struct peer *child, uint64_t id,
                                uint32_t attempt)
{
    struct task *task;

    HASH_FIND(hh, node->tasks, &id, sizeof id, task);
    for (int i = 0; task && i < 2; i++)
        if (task->lease[i].child == child && task->lease[i].attempt == attempt)
            return &task->lease[i];
    return NULL;
}

static double blend(double old, double now)
{
    return old > 0 ? old * 0.7 + now * 0.3 : now;
}

/* Speeds and sizes, for the slices to come. */
static void measure(struct lease *lease, const struct message_result *result, size_t closed_bytes)
{
    struct job *job = lease->task->work->job;
    cost done = plan_cost(job->spec, result->begin, result->middle);
    double busy_ns = result->busy_ns ? (double)result->busy_ns : 1;

    if (!done || result->kind == TASK_GLUE)
        return;
    job->rate[result->kind] = blend(job->rate[result->kind], (double)done / busy_ns);
    lease->child->rate = lease->child->rate_job == job->id
                             ? blend(lease->child->rate, (double)done / busy_ns)
                             : (double)done / busy_ns;
    lease->child->rate_job = job->id;
    if (done > job->cost_done_max)
        job->cost_done_max = done;
    if (result->kind == TASK_FOLD) {
        job->closed_ratio = blend(job->closed_ratio, (double)closed_bytes / (double)done);
        job->cost_done += done;
    }
}

static void use_room(struct node *node, struct lease *lease, size_t closed_bytes)
{
    uint64_t used = closed_bytes < lease->room_bytes ? closed_bytes : lease->room_bytes;

    lease->room_bytes -= used;
    lease->past_bytes += closed_bytes - used;
    unreserve(node, lease->task->work, used);
}

static void grant(struct node *node, struct lease *lease, uint64_t more)
{
    struct message room = {.type = MESSAGE_ROOM};

    lease->room_bytes += more;
    reserve(node, lease->task->work, more);
    room.room.job = lease->task->work->job->id;
    room.room.task = lease->task->id;
    room.room.attempt = lease->attempt;
    room.room.more_bytes = more + lease->past_bytes;
    lease->past_bytes = 0;
    peer_send(node, lease->child, &room);
}

void task_top_up(struct node *node, struct work *work)
{
    struct tile *front = merge_front(&work->merge);
    struct tile *tile = front ? front->next : work->merge.tiles.first;
    uint64_t held = (front ? front->run->closed.packed.length : 0) +
                    (work->job->is_root ? node->unprinted_bytes : 0);

    if (!tile || tile->state != TILE_GIVEN || held > node->options.memory_bytes / 4 ||
        MUTANT(ROOM_LOST))
        return;
    for (int i = 0; i < 2; i++) {
        struct lease *lease = &tile->task->lease[i];
        uint64_t most = lease->child ? room_max(node, lease->child) : 0;

        if (lease->child && lease->child->role != ROLE_PROCESS && lease->room_bytes < most / 2)
            grant(node, lease, most - lease->room_bytes);
    }
}

static struct place lease_end_place(const struct lease *lease)
{
    const struct tile *tile = lease->task->tile;

    return tile->state == TILE_GLUING ? tile->next->slice.end : tile->slice.end;
}

/* No honest child says this, whatever it has missed. */
static bool result_is_nonsense(const struct lease *lease, const struct message_result *result)
{
    const struct job_spec *spec = lease->task->work->job->spec;
    struct place end = lease_end_place(lease);

    return result->kind != lease->task->kind || !place_exists(spec, result->middle) ||
           place_compare(result->begin, result->middle) > 0 ||
           place_compare(result->middle, end) > 0 ||
           (result->kind == TASK_GLUE && place_compare(result->middle, end) != 0) ||
           (result->done && place_compare(result->begin, result->middle) == 0);
}

static bool result_is_next(const struct lease *lease, const struct message_result *result)
{
    return place_compare(result->begin, lease->task->tile->slice.begin) == 0 ||
           MUTANT(DUPLICATE_COUNTED);
}

/* Decode a result's segment. false: it is none, or cannot be this slice's, or brings values for
 * which no room was given. */
static bool take_segment(const struct lease *lease, const struct message *message,
                         struct segment *segment)
{
    const struct message_result *result = &message->result;
    const struct job *job = lease->task->work->job;
    struct slice slice = {.begin = result->begin, .end = result->middle};

    if (!segment_decode(segment, job->op, message->payload.data, message->payload.length))
        return false;
    if ((segment->kind == SEGMENT_COUNT) == (result->kind == TASK_COUNT) &&
        segment_is_possible(segment, job->spec, &slice) &&
        (result->kind != TASK_FOLD || lease->room_bytes || !segment->closed.count))
        return true;
    segment_clear(segment);
    return false;
}

/* The pair is one run now. */
static void count_glued(struct node *node, struct lease *lease, struct segment *segment)
{
    struct task *task = lease->task;
    struct work *work = task->work;
    struct tile *tile = task->tile;

    cancel_other(node, lease);
    task_end(node, task);
    work_counted(node, work, merge_pair_glued(&work->merge, tile, segment));
}

/* The child does no more of it: the rest waits, unless another child has it too. */
static void lease_stale(struct node *node, struct lease *lease)
{
    struct task *task = lease->task;

    lease_end(node, lease);
    if (!task->lease[0].child && !task->lease[1].child)
        give_back(node, task);
}

void lease_take_back(struct node *node, struct lease *lease)
{
    struct task *task = lease->task;

    cancel_lease(node, lease);
    if (!task->lease[0].child && !task->lease[1].child)
        give_back(node, task);
}

/* Another child's parts were counted under it, and its own no longer fit. */
static void lease_out_of_step(struct node *node, struct lease *lease, bool is_done)
{
    if (is_done) {
        lease_stale(node, lease);
        return;
    }
    lease_take_back(node, lease);
}

/* The prefix of the range; the lease goes on with the rest, or gives it back, or is done. */
static void count_prefix(struct node *node, struct lease *lease,
                         const struct message_result *result, struct segment *segment)
{
    struct task *task = lease->task;
    struct work *work = task->work;
    struct tile *tile = task->tile;
    size_t closed_bytes = segment->closed.packed.length;
    bool is_faulty = segment->fault.kind != FAULT_NONE;
    struct tile *run = NULL;
    struct slice rest;

    segment_rest(segment, &tile->slice, result->middle, work->job->spec, &rest);
    if (MUTANT(REMAINDER_DROPPED) && result->done)
        rest.begin = rest.end;
    if (is_faulty)
        rest.begin = rest.end; /* what lies behind a fault is never looked at */
    if (place_compare(rest.begin, rest.end) == 0) {
        cancel_other(node, lease);
        task_end(node, task);
        work_counted(node, work, merge_count(&work->merge, tile, &rest, segment));
        return;
    }
    if (place_compare(rest.begin, tile->slice.begin) > 0) {
        run = merge_count(&work->merge, tile, &rest, segment);
        tile->deaths =
            result->deaths; /* blame is of ranges that begin where the killed one began */
        tile->lost_daemons = 0;
    } else {
        segment_clear(segment);
        tile->deaths = result->deaths > tile->deaths ? result->deaths : tile->deaths;
    }
    use_room(node, lease, closed_bytes);
    if (result->done)
        lease_stale(node, lease);
    if (run)
        work_counted(node, work, run);
}

static void count_stats(struct node *node, struct lease *lease, const struct message_result *result)
{
    struct work *work = lease->task->work;

    work->busy_ns += result->busy_ns;
    work->units += result->units;
    lease->child->done += result->done;
    node->stats.pieces_done += result->done;
    if (result->kind == TASK_FOLD)
        node->stats.units += result->units;
}

static void count_result(struct node *node, struct lease *lease, struct message *message,
                         struct segment *segment)
{
    const struct message_result *result = &message->result;
    struct work *work = lease->task->work;

    lease->answered = result->middle;
    if (work->asked.kind == TASK_GLUE) {
        segment_clear(segment);
        cancel_other(node, lease);
        task_end(node, lease->task);
        work_relay_glued(node, work, message);
        return;
    }
    measure(lease, result, segment->closed.packed.length);
    count_stats(node, lease, result);
    if (result->kind == TASK_GLUE)
        count_glued(node, lease, segment);
    else
        count_prefix(node, lease, result, segment);
}

void task_result(struct node *node, struct peer *child, struct message *message)
{
    const struct message_result *result = &message->result;
    struct lease *lease = lease_find(node, child, result->task, result->attempt);
    struct segment segment;

    if (lease && result_is_nonsense(lease, result)) {
        peer_misbehaves(node, child);
        return;
    }
    if (!lease || !result_is_next(lease, result)) {
        node->stats.duplicates++;
        if (lease && place_compare(result->begin, lease->answered) == 0)
            lease_out_of_step(node, lease, result->done);
        return;
    }
    if (take_segment(lease, message, &segment))
        count_result(node, lease, message, &segment);
    else
        peer_misbehaves(node, child);
}

void task_declined(struct node *node, struct peer *child, const struct message *message)
{
    struct lease *lease =
        lease_find(node, child, message->declined.task, message->declined.attempt);
    struct work *work = lease ? lease->task->work : NULL;
    struct known *known = lease ? job_known(work->job, child) : NULL;

    if (!lease)
        return;
    if (message->declined.reason == DECLINE_ABSENT &&
        (lease->task->tile->by_value || lease->task->kind == TASK_GLUE)) {
        peer_misbehaves(node, child); /* there was nothing to open */
        return;
    }
    if (message->declined.reason == DECLINE_DRAINING)
        child->is_draining = true;
    else if (known)
        known->is_blind = true;
    node->look_for_eyes = true;
    lease_stale(node, lease);
    peer_update_capacity(node, child);
}
