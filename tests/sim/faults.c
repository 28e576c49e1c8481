/* What goes wrong in a world, and when. Each class has its own rhythm; all of them end when the
 * world is healed. */
#include "world.h"

#include <signal.h>

static struct host *random_host(struct world *world, enum host_kind kind)
{
    struct host *host = NULL;
    uint64_t seen = 0;

    for (uint32_t i = 0; i < world->host_count; i++)
        if (world->hosts[i]->kind == kind && world->hosts[i]->node &&
            !random_below(&world->faults, ++seen))
            host = world->hosts[i];
    return host;
}

/* A worker or a client, one that still matters. */
static struct host *random_connected(struct world *world)
{
    struct host *host =
        random_host(world, random_chance(&world->faults, 700) ? HOST_WORKER : HOST_CLIENT);

    return host && host->up ? host : NULL;
}

/* Faults that can make workers lose their tasks are counted: a range that was lost with eight
 * workers would rightly be blamed. */
static bool may_lose(struct world *world)
{
    if (!world->losses_left)
        return false;
    world->losses_left--;
    return true;
}

static void cut(struct world *world)
{
    struct host *host = random_connected(world);
    struct conduit *conduit = host ? host->up : NULL;
    bool half_open =
        swarm_has(&world->swarm, SWARM_HALF_OPEN) && random_chance(&world->faults, 400);

    if (!conduit || !may_lose(world))
        return;
    world_trace(world, "the connection %llu breaks", (unsigned long long)conduit->index);
    conduit_cut(world, conduit);
    conduit_tell(world, conduit, 1,
                 half_open ? CONDUIT_SILENCE_NS : random_log(&world->faults, NS_PER_MS, NS_PER_S));
    if (random_chance(&world->faults, 250))
        conduit_tell(world, conduit, 0, random_log(&world->faults, NS_PER_MS, NS_PER_S));
}

static void partition(struct world *world)
{
    struct host *host = random_connected(world);
    int64_t until_ns = world->now_ns + random_log(&world->faults, 100 * NS_PER_MS, 15 * NS_PER_S);
    uint64_t which = random_below(&world->faults, 3);

    if (!host || !may_lose(world))
        return;
    world_trace(world, "host %u is cut off", host->index);
    host->blocked_until_ns = until_ns;
    if (which != 0)
        host->up->lanes[0].blocked_until_ns = until_ns;
    if (which != 1)
        host->up->lanes[1].blocked_until_ns = until_ns;
}

static void goes_on(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (happening->number == host->life)
        host_resume(world, host);
}

static void pause_host(struct world *world)
{
    static const enum host_kind KINDS[] = {HOST_COORDINATOR, HOST_WORKER, HOST_CLIENT,
                                           HOST_ONESHOT};
    struct host *host = random_host(world, KINDS[random_below(&world->faults, 4)]);
    int64_t pause_ns = random_log(&world->faults, 20 * NS_PER_MS, 12 * NS_PER_S);

    if (!host || host->is_paused || !may_lose(world))
        return;
    host_pause(world, host);
    world_later(world, pause_ns, goes_on, host, host->life);
}

static void starts_again(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (!host->node && happening->number == host->life)
        host_start(world, host);
}

static void crash(struct world *world, enum host_kind kind)
{
    struct host *host = random_host(world, kind);

    if (!host || !may_lose(world))
        return;
    world_trace(world, "host %u is killed", host->index);
    host_stop(world, host);
    if (kind == HOST_CLIENT)
        host->job->is_abandoned = true;
    else
        world_later(world, random_log(&world->faults, 10 * NS_PER_MS, 8 * NS_PER_S), starts_again,
                    host, host->life);
}

static void kill_leaf(struct world *world)
{
    struct host *host =
        random_host(world, random_chance(&world->faults, 800) ? HOST_WORKER : HOST_ONESHOT);
    struct leaf *leaf;

    if (!host || !host->leaf_count)
        return;
    leaf = &host->leaves[random_below(&world->faults, host->leaf_count)];
    if (!leaf->is_alive || (leaf->is_busy && leaf->dies) || !leaf_may_crash(world, leaf))
        return;
    leaf_die(world, leaf, SIGKILL, true);
}

static void cancel(struct world *world)
{
    struct host *host = random_host(world, HOST_CLIENT);
    struct event event = {.type = EVENT_CANCEL};

    if (!host || host->job->is_over || host->is_paused)
        return;
    world_trace(world, "host %u: the user cancels", host->index);
    host->job->is_cancelled = true;
    host_event(world, host, &event);
    /* The shell flushes its link and ends, whatever the node says. */
    host_stop_later(world, host, 20 * NS_PER_MS);
}

static void drain(struct world *world)
{
    struct host *host = random_host(world, HOST_WORKER);
    struct event event = {.type = EVENT_DRAIN};

    if (!host || host->is_draining || host->is_paused || !may_lose(world))
        return;
    world_trace(world, "host %u shall drain", host->index);
    host->is_draining = true;
    host_event(world, host, &event);
}

static void cause(struct world *world, enum swarm_class class)
{
    switch (class) {
    case SWARM_CUT:
        cut(world);
        break;
    case SWARM_PARTITION:
        partition(world);
        break;
    case SWARM_PAUSE:
        pause_host(world);
        break;
    case SWARM_CRASH_TOP:
        crash(world, HOST_COORDINATOR);
        break;
    case SWARM_CRASH_WORKER:
        crash(world, HOST_WORKER);
        break;
    case SWARM_CRASH_CLIENT:
        crash(world, HOST_CLIENT);
        break;
    case SWARM_LEAF_CRASH:
        kill_leaf(world);
        break;
    case SWARM_CANCEL:
        cancel(world);
        break;
    case SWARM_DRAIN:
        drain(world);
        break;
    case SWARM_DELAY:
    case SWARM_BANDWIDTH:
    case SWARM_HALF_OPEN:
    case SWARM_REPLAY:
    case SWARM_DUPLICATE:
    case SWARM_LEAF_SLOW:
    case SWARM_LEAF_NONSENSE:
    case SWARM_ABSENT:
    case SWARM_CLOCKS:
    case SWARM_POISON:
    case SWARM_SLOW_READER:
    case SWARM_TINY:
    case SWARM_LATE:
    case SWARM_HEAVY:
    case SWARM_BLIND:
    case SWARM_HOSTILE:
    case SWARM_OBSERVER:
    case SWARM_FOREIGN:
    case SWARM_LISTEN:
    case SWARM_COUNTED:
    case SWARM_RESUME:
    case SWARM_CLASSES:
        break; /* these are states, not happenings */
    }
}

static void strikes(struct world *world, struct happening *happening)
{
    int64_t gap_ns = random_between(&world->faults, 1, 2 * world->swarm.fault_gap_ns);

    if (world->is_healed)
        return;
    cause(world, (enum swarm_class)happening->number);
    world_later(world, gap_ns, strikes, NULL, happening->number);
}

void faults_plan(struct world *world)
{
    for (unsigned class = 0; class < SWARM_RESUME; class ++) {
        int64_t first_ns = random_between(&world->faults, 1, 2 * world->swarm.fault_gap_ns);

        if (swarm_has(&world->swarm, (enum swarm_class) class))
            world_later(world, first_ns, strikes, NULL, class);
    }
    resume_plan(world);
}

void faults_heal(struct world *world)
{
    world_trace(world, "the world is healed");
    world->is_healed = true;
    for (size_t i = 0; i < world->conduit_count; i++) {
        world->conduits[i]->lanes[0].blocked_until_ns = 0;
        world->conduits[i]->lanes[1].blocked_until_ns = 0;
    }
    for (uint32_t i = 0; i < world->host_count && !world->failure[0]; i++) {
        struct host *host = world->hosts[i];

        host->blocked_until_ns = 0;
        host_resume(world, host);
        if (!host->node && (host->kind == HOST_COORDINATOR || host->kind == HOST_WORKER))
            host_start(world, host);
        if (!host->node && host->job && !host->life)
            host_start(world, host); /* a client that was to come later comes now */
    }
}
