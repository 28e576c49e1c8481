/* A host: a process with a node, its clock, its inbox, and the part of a shell that every kind has.
 */
#include "world.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { TICKS_AT_ONCE_MAX = 10000, BATCH_MAX = 512, CHECK_EVERY = 17 };

int64_t host_now(const struct host *host)
{
    __int128 ns = (__int128)host->world->now_ns * host->clock_rate_ppm / 1000000;

    return host->clock_offset_ns + (int64_t)ns;
}

/* The first instant of the world at which the host's clock shows at least this. */
static int64_t world_time(const struct host *host, int64_t host_ns)
{
    __int128 ns = (__int128)(host_ns - host->clock_offset_ns) * 1000000 / host->clock_rate_ppm + 1;

    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static void event_clear(struct event *event)
{
    if (event->message)
        message_clear(event->message);
    memory_free(event->message);
    event->message = NULL;
    chunk_drop(&event->input.bytes);
    if (event->spec)
        job_spec_clear(event->spec);
    memory_free(event->spec);
    event->spec = NULL;
    if (event->snapshot)
        snapshot_clear(event->snapshot);
    memory_free(event->snapshot);
    event->snapshot = NULL;
}

static void tick(struct world *world, struct happening *happening);

static void plan_tick(struct world *world, struct host *host)
{
    int64_t deadline_ns = node_deadline(host->node);
    int64_t at_ns;

    if (deadline_ns == INT64_MAX) {
        host->wake_ns = INT64_MAX;
        host->wake_generation++;
        return;
    }
    at_ns = world_time(host, deadline_ns);
    at_ns = at_ns < world->now_ns ? world->now_ns : at_ns;
    if (at_ns == host->wake_ns)
        return;
    host->wake_ns = at_ns;
    queue_add(&world->queue, at_ns, tick, host, ++host->wake_generation);
}

/* --- actions ---------------------------------------------------------------------------------- */

static struct conduit *peer_conduit(struct world *world, struct host *host, peer_id peer, int *end)
{
    struct conduit *conduit = conduit_find(world, peer, end);

    if (!conduit || conduit->hosts[*end] != host)
        world_fail(world, "host %u acts on peer %llu, which it never had", host->index,
                   (unsigned long long)peer);
    else if (conduit->is_over[*end] || conduit_peer(conduit, *end) != peer)
        world_fail(world, "host %u acts on peer %llu, which is gone", host->index,
                   (unsigned long long)peer);
    else
        return conduit;
    return NULL;
}

static void drop_peer(struct world *world, struct host *host, struct conduit *conduit, int end)
{
    world_trace(world, "host %u drops %llu", host->index,
                (unsigned long long)conduit_peer(conduit, end));
    /* A ROUTER cannot close one connection: who was dropped may speak again, as a stranger. */
    if (end == 0 && !conduit->leaf) {
        conduit->aliases++;
        check_new_session(conduit);
        return;
    }
    conduit->has_dropped[end] = true;
    conduit->is_over[end] = true;
    if (conduit->leaf) {
        if (conduit->leaf->conduit == conduit)
            leaf_die(world, conduit->leaf, 9, false);
        return;
    }
    if (end == 1 && host->up == conduit) {
        conduit_cut(world, conduit);
        host->up = NULL;
        host_connect_later(world, host, random_log(&world->network, NS_PER_MS, NS_PER_S));
    }
}

struct sending {
    peer_id peer;
    size_t order;
};

static int compare_sendings(const void *a, const void *b)
{
    const struct sending *left = a;
    const struct sending *right = b;

    if (left->peer != right->peer)
        return left->peer < right->peer ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static size_t collect_sendings(struct actions *actions, struct sending *sendings)
{
    size_t count = 0;

    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].type == ACTION_SEND)
            sendings[count++] = (struct sending){actions->items[i].peer, i};
    qsort(sendings, count, sizeof *sendings, compare_sendings);
    return count;
}

/* Messages of one step to one peer travel together, in their order. */
static void send_batches(struct world *world, struct host *host)
{
    struct actions *actions = &host->actions;
    struct sending *sendings = memory_array(actions->count, sizeof *sendings);
    size_t count = collect_sendings(actions, sendings);
    size_t most = world->swarm.batches_of_one ? 1 : BATCH_MAX;
    struct message *batch[BATCH_MAX];

    for (size_t i = 0, next; i < count && !world->failure[0]; i = next) {
        int end;
        struct conduit *conduit = peer_conduit(world, host, sendings[i].peer, &end);

        for (next = i; next < count && next - i < most && sendings[next].peer == sendings[i].peer;
             next++)
            batch[next - i] = &actions->items[sendings[next].order].message;
        if (conduit)
            conduit_send(world, conduit, end, batch, next - i);
    }
    memory_free(sendings);
}

/* A node must not speak to a peer behind its own back. */
static void check_order(struct world *world, const struct host *host)
{
    for (size_t i = 0; i < host->actions.count; i++) {
        if (host->actions.items[i].type != ACTION_DROP)
            continue;
        for (size_t j = i + 1; j < host->actions.count; j++)
            if (host->actions.items[j].type <= ACTION_DROP &&
                host->actions.items[j].peer == host->actions.items[i].peer)
                world_fail(world, "host %u acts on a peer that it has just dropped", host->index);
    }
}

static void perform(struct world *world, struct host *host)
{
    check_order(world, host);
    send_batches(world, host);
    for (size_t i = 0; i < host->actions.count && !world->failure[0]; i++) {
        struct action *action = &host->actions.items[i];
        int end;
        struct conduit *conduit;

        if (action->type == ACTION_DROP) {
            conduit = peer_conduit(world, host, action->peer, &end);
            if (conduit)
                drop_peer(world, host, conduit, end);
        } else if (action->type != ACTION_SEND) {
            shell_perform(world, host, action);
        }
    }
    actions_clear(&host->actions);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void count_tick(struct world *world, struct host *host)
{
    host->ticks_at_once = host->last_tick_ns == world->now_ns ? host->ticks_at_once + 1 : 0;
    host->last_tick_ns = world->now_ns;
    if (host->ticks_at_once > TICKS_AT_ONCE_MAX)
        world_fail(world, "host %u asks for a tick again and again and time stands still",
                   host->index);
}

/* Somebody starts another worker there. */
static void comes_back(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (happening->number == host->life && !host->node)
        host_start(world, host);
}

static void end_when_drained(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (happening->number != host->life || !host->node || !node_is_idle(host->node))
        return;
    host_stop(world, host);
    world_later(world, random_log(&world->shells, NS_PER_MS, 5 * NS_PER_S), comes_back, host,
                host->life);
}

/* What the node is about to learn of its links. */
static void note_event(struct world *world, const struct event *event)
{
    int end;
    struct conduit *conduit = event->peer ? conduit_find(world, event->peer, &end) : NULL;

    if (conduit && event->type == EVENT_GONE)
        conduit->is_over[end] = true;
    if (conduit && event->type == EVENT_MESSAGE)
        check_arrived(world, conduit, end, event->message);
}

/* Looking at everything takes as long as a step for every tile and child: not each time. */
static void check_inside(struct world *world, const struct host *host)
{
    const char *broken = world->steps % CHECK_EVERY ? NULL : node_check(host->node);

    if (broken)
        world_fail(world, "host %u: %s does not hold", host->index, broken);
}

static void step(struct world *world, struct host *host, struct event *event)
{
    event->now_ns = host_now(host);
    note_event(world, event);
    world->steps++;
    world_hash(world, (uint64_t)event->type << 40 | (uint64_t)host->index << 20 | event->peer);
    node_step(host->node, event, &host->actions);
    event_clear(event);
    check_inside(world, host);
    perform(world, host);
    resume_keep(world, host);
    plan_tick(world, host);
    if (host->is_draining && node_is_idle(host->node))
        world_later(world, 50 * NS_PER_MS, end_when_drained, host, host->life);
}

static void tick(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;
    struct event event = {.type = EVENT_TICK};

    if (happening->number != host->wake_generation || !host->node || host->is_paused)
        return;
    host->wake_ns = -1;
    count_tick(world, host);
    step(world, host, &event);
}

static void keep(struct host *host, struct event *event)
{
    if (host->inbox_count == host->inbox_capacity) {
        host->inbox_capacity = host->inbox_capacity ? 2 * host->inbox_capacity : 16;
        host->inbox = memory_grow(host->inbox, host->inbox_capacity, sizeof *host->inbox);
    }
    host->inbox[host->inbox_count++] = *event;
}

void host_event(struct world *world, struct host *host, struct event *event)
{
    if (!host->node)
        event_clear(event);
    else if (host->is_paused || host->inbox_count) /* never past what waits */
        keep(host, event);
    else
        step(world, host, event);
}

void host_pause(struct world *world, struct host *host)
{
    world_trace(world, "host %u is stopped", host->index);
    host->is_paused = true;
}

/* No event follows for a peer that the node itself has dropped meanwhile. */
static bool is_void(struct world *world, const struct event *event)
{
    int end;
    struct conduit *conduit = event->peer ? conduit_find(world, event->peer, &end) : NULL;

    return conduit && (conduit->has_dropped[end] || conduit_peer(conduit, end) != event->peer);
}

static void drain_inbox(struct world *world, struct host *host)
{
    for (size_t i = 0; i < host->inbox_count; i++) {
        if (host->node && !world->failure[0] && !is_void(world, &host->inbox[i]))
            step(world, host, &host->inbox[i]);
        else
            event_clear(&host->inbox[i]);
    }
    host->inbox_count = 0;
}

static void wakes_up(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;
    struct event event = {.type = EVENT_TICK};

    if (happening->number != host->life || host->is_paused)
        return;
    drain_inbox(world, host);
    if (host->node && !world->failure[0])
        step(world, host, &event);
}

void host_resume(struct world *world, struct host *host)
{
    struct event event = {.type = EVENT_TICK};

    if (!host->is_paused)
        return;
    world_trace(world, "host %u goes on", host->index);
    host->is_paused = false;
    host->wake_ns = -1;
    host->wake_generation++;
    /* A poll that returns nothing on waking, and the messages only some ms later, is what a stopped
     * process really sees. */
    if (random_chance(&world->network, 500)) {
        host->is_paused = true;
        if (host->node)
            step(world, host, &event);
        host->is_paused = false;
        world_later(world, 3 * NS_PER_MS, wakes_up, host, host->life);
        return;
    }
    drain_inbox(world, host);
    if (host->node)
        step(world, host, &event);
}

/* --- life ------------------------------------------------------------------------------------- */

static void connects(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;
    struct host *top = host->above ? host->above : world->hosts[0];
    struct event event = {.type = EVENT_CONNECTED};

    if (happening->number != host->life || !host->node || host->up)
        return;
    if (!top->node || top->is_paused || host->blocked_until_ns > world->now_ns) {
        host_connect_later(world, host, random_log(&world->network, 50 * NS_PER_MS, NS_PER_S));
        return;
    }
    host->up = conduit_new(world, top, host, NULL);
    event.peer = conduit_peer(host->up, 1);
    world_trace(world, "host %u connects as %llu", host->index, (unsigned long long)event.peer);
    conduit_replay(world, host, host->up);
    host_event(world, host, &event);
}

void host_connect_later(struct world *world, struct host *host, int64_t delay_ns)
{
    world_later(world, delay_ns, connects, host, host->life);
}

static void set_options(struct world *world, const struct host *host, struct node_options *options)
{
    *options = (struct node_options){.memory_bytes = world->swarm.memory_bytes,
                                     .task_ns = world->swarm.task_ns,
                                     .silence_ns = SILENCE_NS,
                                     .client_silence_ns = CLIENT_SILENCE_NS,
                                     .seed = random_next(&world->shells),
                                     .pid = host->index + 1,
                                     .slots_hint = host->leaf_count,
                                     .credit_tasks = world->swarm.credit,
                                     .data_by_value = world->swarm.by_value};
    if (host->kind == HOST_WORKER)
        options->role = ROLE_WORKER;
    if (host->kind == HOST_CLIENT)
        options->role = ROLE_CLIENT;
    snprintf(options->host, sizeof options->host, "host-%u", host->index);
}

void host_start(struct world *world, struct host *host)
{
    struct node_options options;

    world_trace(world, "host %u starts", host->index);
    host->life++;
    host->is_paused = false;
    host->is_draining = false;
    host->wake_ns = -1;
    host->clock_offset_ns = random_log(&world->shells, 1, INT64_C(1) << 50);
    set_options(world, host, &options);
    node_new(&host->node, &options);
    for (uint32_t i = 0; i < host->leaf_count; i++)
        leaf_start(world, &host->leaves[i]);
    if (host->kind == HOST_WORKER || host->kind == HOST_CLIENT)
        host_connect_later(world, host, random_log(&world->network, NS_PER_MS, 50 * NS_PER_MS));
    if (host->job)
        shell_submit(world, host);
}

/* The system closes a dead process's connections; whether the other side is told depends. */
static void connection_ends(struct world *world, struct conduit *conduit, int end)
{
    bool half_open = swarm_has(&world->swarm, SWARM_HALF_OPEN) && !world->is_healed &&
                     random_chance(&world->network, 300);

    conduit->is_over[end] = true;
    conduit_cut(world, conduit);
    if (end == 1 && random_chance(&world->network, 700))
        return;
    conduit_tell(world, conduit, 1 - end,
                 half_open ? CONDUIT_SILENCE_NS
                           : random_log(&world->network, NS_PER_MS, NS_PER_S / 2));
}

static void end_connections(struct world *world, struct host *host)
{
    for (size_t i = 0; i < world->conduit_count; i++) {
        struct conduit *conduit = world->conduits[i];

        for (int end = 0; end < 2; end++)
            if (conduit->hosts[end] == host && !conduit->leaf && !conduit->is_over[end])
                connection_ends(world, conduit, end);
    }
}

void host_stop(struct world *world, struct host *host)
{
    if (!host->node)
        return;
    world_trace(world, "host %u ends", host->index);
    node_free(&host->node);
    actions_clear(&host->actions);
    for (size_t i = 0; i < host->inbox_count; i++)
        event_clear(&host->inbox[i]);
    host->inbox_count = 0;
    host->is_paused = false;
    host->life++;
    end_connections(world, host);
    conduit_forget_stale(host);
    host->up = NULL;
    for (uint32_t i = 0; i < host->leaf_count; i++)
        leaf_die(world, &host->leaves[i], 9, false);
}

static void stops(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (happening->number == host->life)
        host_stop(world, host);
}

void host_stop_later(struct world *world, struct host *host, int64_t delay_ns)
{
    world_later(world, delay_ns, stops, host, host->life);
}

void host_free(struct host *host)
{
    node_free(&host->node);
    actions_free(&host->actions);
    for (size_t i = 0; i < host->inbox_count; i++)
        event_clear(&host->inbox[i]);
    memory_free(host->inbox);
    conduit_forget_stale(host);
    for (uint32_t i = 0; i < host->leaf_count; i++)
        leaf_clear(&host->leaves[i]);
    memory_free(host->leaves);
    memory_free(host->stream_at);
    bytes_clear(&host->saved);
    bytes_clear(&host->saving);
    memory_free(host);
}
