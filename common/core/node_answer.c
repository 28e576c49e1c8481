/* Answers above: parts of what was asked as they become whole, values to the shell, faults, the
 * end. */
#include "core/node_private.h"

#include <string.h>

static void look_again(struct node *node, int64_t pause_ns)
{
    if (node->now_ns + pause_ns < node->answer_ns)
        node->answer_ns = node->now_ns + pause_ns;
}

static bool is_complete(const struct work *work, const struct tile *front)
{
    bool is_last = !front->next || MUTANT(END_BEFORE_TAIL);

    return is_last && (plan_is_done(&work->plan) || front->run->fault.kind);
}

/* The root's job is over. */
static void end_root(struct node *node, struct work *work, const struct fault *fault)
{
    struct action *action = actions_add(node->actions, ACTION_END, 0);

    if (fault)
        action->fault = *fault;
    job_free(node, work->job);
}

static void hand_over_values(struct node *node, struct work *work, struct tile *front)
{
    struct action *action = actions_add(node->actions, ACTION_VALUES, 0);
    struct values closed;

    merge_take_closed(&work->merge, front, &closed);
    work->values_bytes += closed.packed.length;
    work->values_count += closed.count;
    node->unprinted_bytes += closed.packed.length;
    action->values.count = closed.count;
    action->values.packed = chunk_take(&closed.packed);
    values_clear(&closed);
    work->answered_ns = node->now_ns;
}

/* Values of the front go to the shell now: the reader keeps up, and they are enough, or the last,
 * or a while old, or in the way of what lies behind them. */
static bool is_worth_printing(struct node *node, const struct work *work, const struct tile *front)
{
    if (node->unprinted_bytes > unprinted_max(node))
        return false;
    if (is_complete(work, front) || front->run->closed.packed.length >= VALUES_BATCH ||
        (front->next && front->next->state == TILE_RUN && !front->is_waiting) ||
        node->now_ns - work->answered_ns >= VALUES_PAUSE_NS)
        return true;
    look_again(node, VALUES_PAUSE_NS);
    return false;
}

/* Returns false when that was the end of the work. */
static bool advance_root(struct node *node, struct work *work, struct tile *front)
{
    bool complete = false;

    for (; front && !complete; front = complete ? front : merge_front(&work->merge)) {
        bool has_values = front->run->closed.count > 0;

        node->stats.elements = front->run->elements;
        if (has_values && !is_worth_printing(node, work, front))
            return true;
        complete = is_complete(work, front);
        if (has_values)
            hand_over_values(node, work, front);
        if (complete || !has_values)
            break;
        merge_glue_front(&work->merge); /* what was too much together is not any more */
    }
    if (work->merge.heavy.first)
        work_wake(node, work);
    if (!complete)
        return true;
    end_root(node, work, &front->run->fault);
    return false;
}

/* Blame travels with the range that begins at `middle`, towards who would give it to another pool.
 * A client would only ask for all of its job again. */
static uint32_t deaths_behind(const struct work *work, const struct peer *giver,
                              struct place middle)
{
    const struct tile *next = work->merge.tiles.first;

    if (!giver->is_dialled || !next || place_compare(next->slice.begin, middle) != 0)
        return 0;
    return next->deaths;
}

static void send_result(struct node *node, struct work *work, struct place middle, bool done,
                        struct chunk *payload)
{
    struct message message = {.type = MESSAGE_RESULT};
    struct peer *giver = peer_find(node, work->job->key.giver);

    message.result = (struct message_result){.job = work->job->key.number,
                                             .task = work->asked.task,
                                             .attempt = work->asked.attempt,
                                             .kind = work->asked.kind,
                                             .begin = work->answered,
                                             .middle = middle,
                                             .busy_ns = work->busy_ns,
                                             .units = work->units,
                                             .deaths = deaths_behind(work, giver, middle),
                                             .done = done};
    message.payload = *payload;
    work->answered = middle;
    work->answered_ns = node->now_ns;
    work->busy_ns = 0;
    work->units = 0;
    peer_send(node, giver, &message);
    if (done)
        work_free(node, work);
}

static void send_segment(struct node *node, struct work *work, const struct segment *segment,
                         struct place middle, bool done)
{
    struct bytes bytes = {0};
    struct chunk payload;

    segment_encode(segment, &bytes);
    payload = chunk_take(&bytes);
    send_result(node, work, middle, done, &payload);
}

/* Worth an answer now: whole, or enough of it, or something after a while that costs the giver
 * little to glue. */
static bool is_worth_answering(struct node *node, const struct work *work, const struct tile *front)
{
    size_t closed_bytes = front->run->closed.packed.length;

    if (front->next && front->next->deaths && front->next->state != TILE_RUN)
        return true; /* its blame goes along */
    if (work->asked.kind == TASK_COUNT)
        return false;
    if (front->next && front->next->state == TILE_RUN && !front->is_waiting)
        return true; /* too much already to be one answer with what follows */
    if (closed_bytes >= PART_BYTES)
        return true;
    if (!closed_bytes && segment_weight(front->run) > HEAVY_BYTES)
        return false;
    if (node->now_ns - work->answered_ns >= PART_PAUSE_NS)
        return true;
    look_again(node, PART_PAUSE_NS);
    return false;
}

static bool advance_above(struct node *node, struct work *work, struct tile *front)
{
    bool done = is_complete(work, front);
    size_t closed_bytes = front->run->closed.packed.length;
    struct segment segment;
    struct place middle = front->slice.end;

    if (closed_bytes && work->sent_bytes >= work->room_bytes)
        return true; /* until the giver has room */
    if (!done && !is_worth_answering(node, work, front))
        return true;
    work->sent_bytes += closed_bytes;
    merge_take_front(&work->merge, &segment);
    node->has_waiting = true;
    send_segment(node, work, &segment, middle, done);
    segment_clear(&segment);
    /* What follows may be a run already, one too heavy to have been glued here. */
    front = done ? NULL : merge_front(&work->merge);
    return front ? advance_above(node, work, front) : !done;
}

/* The counting that comes before folding is done: now the elements have numbers. */
static void begin_folding(struct node *node, struct work *work)
{
    struct job *job = work->job;
    struct segment counted;
    struct slice slice = work->asked.slice;

    merge_take_front(&work->merge, &counted);
    if (counted.fault.kind) {
        work_fail(node, work, &counted.fault);
        segment_clear(&counted);
        return;
    }
    if (job->spec->cut.kind == CUT_SPLIT && job->spec->cut.elements == UINT64_MAX) {
        job->spec->cut.elements = counted.elements;
        job_rename(node, job);
    }
    plan_clear(&work->plan);
    plan_init(&work->plan, job->spec, &slice);
    if (work->plan.needs_checkpoints)
        plan_take_checkpoints(&work->plan, &counted);
    segment_clear(&counted);
    merge_init(&work->merge, job->spec, run_bytes_max(node), &node->held_bytes);
    work->merge.is_final = job->is_root;
    work->phase = TASK_FOLD;
    work->input_source = UINT32_MAX; /* streams are read from their begin again */
    job->cost_done_max = 0;
    work->is_unsaved = true;
    work_wake(node, work);
}

void work_advance(struct node *node, struct work *work)
{
    struct tile *front = merge_front(&work->merge);

    if (!front)
        return;
    if (work->phase == TASK_COUNT && work->asked.kind == TASK_FOLD) {
        if (is_complete(work, front))
            begin_folding(node, work);
        return;
    }
    if (work->job->is_root ? advance_root(node, work, front) : advance_above(node, work, front))
        task_top_up(node, work);
}

void work_counted(struct node *node, struct work *work, struct tile *run)
{
    work->is_unsaved = true;
    if (run->run->fault.kind) {
        plan_stop(&work->plan);
        while (run->next) {
            if (run->next->task)
                task_cancel(node, run->next->task);
            merge_remove(&work->merge, run->next);
        }
    }
    node->has_waiting = true; /* another slice may be the front now */
    if (work->merge.heavy.first)
        work_wake(node, work);
    work_advance(node, work);
}

static enum segment_kind phase_segment(const struct work *work)
{
    return work->phase == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD;
}

void work_tell_deaths(struct node *node, struct work *work, const struct tile *tile)
{
    struct segment none;

    if (work->job->is_root || work->asked.kind == TASK_GLUE || work->phase != work->asked.kind)
        return;
    if (tile->previous) {
        work_advance(node, work);
        return;
    }
    segment_init(&none, phase_segment(work), work->job->op);
    send_segment(node, work, &none, tile->slice.begin, false);
    segment_clear(&none);
}

void tile_fails(struct node *node, struct work *work, struct tile *tile, const struct fault *fault)
{
    struct segment segment;
    struct slice rest = tile->slice;

    segment_init(&segment, phase_segment(work), work->job->op);
    segment.fault = *fault;
    rest.begin = rest.end;
    work_counted(node, work, merge_count(&work->merge, tile, &rest, &segment));
}

void work_fail(struct node *node, struct work *work, const struct fault *fault)
{
    struct segment segment;

    if (work->job->is_root) {
        end_root(node, work, fault);
        return;
    }
    segment_init(&segment, work->asked.kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD,
                 work->job->op);
    segment.fault = *fault;
    send_segment(node, work, &segment, work->asked.slice.end, true);
    segment_clear(&segment);
}

void work_relay_glued(struct node *node, struct work *work, struct message *message)
{
    struct chunk payload = message->payload;

    message->payload = (struct chunk){0};
    send_result(node, work, work->asked.slice.end, true, &payload);
}

static bool sees_files(const struct job *job, const struct peer *peer)
{
    const struct known *known = job_known(job, peer);

    return !peer->is_draining && !(known && known->is_blind);
}

/* Takers there are, but none that can open the job's files. */
static bool is_unseen(const struct node *node, const struct job *job)
{
    bool any = false;

    for (const struct peer *peer = node->peers; peer; peer = peer->hh.next) {
        if (!peer->is_ready || !peer->is_taker)
            continue;
        if (sees_files(job, peer))
            return false;
        any = true;
    }
    return any;
}

static void decline_absent(struct node *node, struct work *work)
{
    struct message declined = {.type = MESSAGE_DECLINED};

    declined.declined.job = work->job->key.number;
    declined.declined.task = work->asked.task;
    declined.declined.attempt = work->asked.attempt;
    declined.declined.reason = DECLINE_ABSENT;
    peer_send(node, peer_find(node, work->job->key.giver), &declined);
    work_free(node, work);
}

static void fail_unseen(struct node *node, struct job *job)
{
    struct fault fault = {.kind = FAULT_UNREADABLE, .source = job->first->answered.source};
    static const char text[] = "no worker can open it";

    memcpy(fault.text, text, sizeof text - 1);
    fault.text_bytes = sizeof text - 1;
    work_fail(node, job->first, &fault);
}

static void decline_unseen(struct node *node, struct job *job)
{
    struct work *next;

    if (!job->first || !is_unseen(node, job))
        return;
    if (job->is_root) {
        if (node->options.data_by_reference)
            fail_unseen(node, job);
        return; /* else the bytes are read here */
    }
    for (struct work *work = job->first; work; work = next) {
        next = work->next;
        if (!work->asked.by_value && work->asked.kind != TASK_GLUE &&
            slice_touches_files(job->spec, &work->asked.slice))
            decline_absent(node, work);
    }
}

void works_decline_unseen(struct node *node)
{
    struct job *next;

    if (!node->look_for_eyes)
        return;
    node->look_for_eyes = false;
    for (struct job *job = node->jobs; job; job = next) {
        next = job->next;
        decline_unseen(node, job);
    }
}
