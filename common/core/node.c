/* The node's one entry: an event in, actions out. */
#include "core/node_private.h"

struct action *actions_add(struct actions *actions, enum action_type type, peer_id peer)
{
    struct action *action;

    if (actions->count == actions->capacity) {
        actions->capacity = actions->capacity ? 2 * actions->capacity : 16;
        actions->items = memory_grow(actions->items, actions->capacity, sizeof *actions->items);
    }
    action = &actions->items[actions->count++];
    *action = (struct action){.type = type, .peer = peer};
    return action;
}

void actions_clear(struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        message_clear(&actions->items[i].message);
        chunk_drop(&actions->items[i].values.packed);
    }
    actions->count = 0;
}

void actions_free(struct actions *actions)
{
    actions_clear(actions);
    memory_free(actions->items);
    *actions = (struct actions){0};
}

void node_new(struct node **out, const struct node_options *options)
{
    struct node *node = memory_new(sizeof *node);

    node->options = *options;
    node->random = options->seed;
    node->promised_ns = INT64_MAX;
    node->answer_ns = INT64_MAX;
    node->status_ns = INT64_MAX;
    *out = node;
}

void node_free(struct node **node)
{
    struct actions unheard = {0};
    struct peer *peer;
    struct peer *next;

    if (!*node)
        return;
    (*node)->actions = &unheard;
    while ((*node)->jobs)
        job_free(*node, (*node)->jobs);
    HASH_ITER(hh, (*node)->peers, peer, next) peer_free(*node, peer);
    actions_free(&unheard);
    memory_free(*node);
    *node = NULL;
}

static void submit(struct node *node, struct event *event)
{
    struct job_spec *spec = memory_new(sizeof *spec);
    struct message whole = {.type = MESSAGE_TASK};
    struct job *job;
    struct work *work;

    *spec = *event->spec;
    *event->spec = (struct job_spec){0};
    job = job_new(node, 0, 0, spec);
    job->is_root = true;
    input_prepare(node, job);
    whole.task.kind = TASK_FOLD;
    whole.task.slice.end = place_of_end(job->spec);
    whole.task.room_bytes = UINT64_MAX;
    work = work_new(node, job, &whole);
    if (event->snapshot)
        work_resume(node, work, event->snapshot);
}

static void printed(struct node *node, uint64_t bytes)
{
    node->unprinted_bytes -= bytes < node->unprinted_bytes ? bytes : node->unprinted_bytes;
    if (node->jobs && node->jobs->is_root && node->jobs->first)
        work_advance(node, node->jobs->first);
}

static void cancel(struct node *node)
{
    while (node->jobs && node->jobs->is_root)
        job_free(node, node->jobs);
}

static void drain(struct node *node)
{
    node->is_draining = true;
    for (struct peer *peer = node->peers; peer; peer = peer->hh.next) {
        struct message bye = {.type = MESSAGE_BYE};

        if (peer->is_ready && peer->is_giver)
            peer_send(node, peer, &bye);
    }
}

static void gone(struct node *node, const struct event *event)
{
    struct peer *peer = peer_find(node, event->peer);

    if (peer)
        peer_lost(node, peer, event);
}

static void dispatch(struct node *node, struct event *event)
{
    switch (event->type) {
    case EVENT_TICK:
        break;
    case EVENT_CONNECTED:
        peer_connected(node, event->peer);
        break;
    case EVENT_GONE:
        gone(node, event);
        break;
    case EVENT_MESSAGE:
        peer_message(node, event->peer, event->message);
        break;
    case EVENT_SUBMIT:
        submit(node, event);
        break;
    case EVENT_INPUT:
        input_take(node, event);
        chunk_drop(&event->input.bytes);
        break;
    case EVENT_PRINTED:
        printed(node, event->printed_bytes);
        break;
    case EVENT_CANCEL:
        cancel(node);
        break;
    case EVENT_DRAIN:
        drain(node);
        break;
    }
}

/* Works that held something back for a while. */
static void answer_held_back(struct node *node)
{
    if (node->now_ns < node->answer_ns)
        return;
    node->answer_ns = INT64_MAX;
    for (struct job *job = node->jobs, *next_job; job; job = next_job) {
        next_job = job->next;
        for (struct work *work = job->first, *next; work; work = next) {
            next = work->next;
            work_advance(node, work);
        }
    }
}

/* If we ourselves were stopped for a while, nobody else was silent in that time. */
static void notice_own_pause(struct node *node, int64_t now_ns)
{
    int64_t gap_ns = now_ns - (node->promised_ns > node->now_ns ? node->promised_ns : node->now_ns);

    if (node->promised_ns != INT64_MAX && gap_ns > PAUSE_NS)
        peers_shift(node, gap_ns);
}

void node_step(struct node *node, struct event *event, struct actions *actions)
{
    if (!node->has_stepped)
        node->unreachable_ns = event->now_ns;
    node->has_stepped = true;
    notice_own_pause(node, event->now_ns);
    node->actions = actions;
    node->now_ns = event->now_ns;
    dispatch(node, event);
    if (peers_tick(node))
        fronts_unstick(node);
    statuses_tell(node);
    answer_held_back(node);
    works_decline_unseen(node);
    give_all(node);
    node->actions = NULL;
    node->promised_ns = node_deadline(node);
}

int64_t node_deadline(const struct node *node)
{
    int64_t deadline = peers_deadline(node);
    int64_t give_ns = give_deadline(node);

    if (give_ns < deadline)
        deadline = give_ns;
    if (node->status_ns < deadline)
        deadline = node->status_ns;
    return node->answer_ns < deadline ? node->answer_ns : deadline;
}

int64_t node_unreachable_since(const struct node *node)
{
    return node->unreachable_ns;
}

bool node_is_idle(const struct node *node)
{
    for (const struct job *job = node->jobs; job; job = job->next)
        if (job->first)
            return false;
    return true;
}

void node_get_stats(const struct node *node, struct node_stats *stats)
{
    *stats = node->stats;
    stats->slots = node->slots;
}

void node_progress(const struct node *node, uint64_t *done, uint64_t *all)
{
    const struct job *job = node->jobs;

    cost whole = job ? job->cost_all : 0;
    int shift = 0;

    while (whole >> shift > UINT64_MAX)
        shift++; /* what is counted is only a fraction of something past 64 bits */
    *done = job ? (uint64_t)(job->cost_done >> shift) : 0;
    *all = (uint64_t)(whole >> shift);
}
