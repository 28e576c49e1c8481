/*
 * A one-shot command that is killed at any moment, and started again with what its disk kept. The
 * disk knows whole snapshots only (the file is replaced by renaming it), the last or the one before
 * it, as its shell writes them beside the steps. What it printed before counts as printed again
 * from the kept answers.
 */
#include "world.h"

#include "base/memory.h"
#include "core/saved.h"

enum { KEEP_PER_MILLE = 400, KILLS_MAX = 12 };

#define U(x) ((unsigned long long)(x))

static bool keeps(const struct world *world, const struct host *host)
{
    const struct job_spec *spec = host->job ? &host->job->spec : NULL;

    if (host->kind != HOST_ONESHOT || !swarm_has(&world->swarm, SWARM_RESUME))
        return false;
    for (uint32_t i = 0; i < spec->source_count; i++)
        if (spec->sources[i].access == SOURCE_STREAM)
            return false; /* it cannot be read twice; the shell refuses */
    return true;
}

static void is_written(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    (void)world;
    if (happening->number == host->life && host->saving.length)
        bytes_move(&host->saved, &host->saving);
}

void resume_keep(struct world *world, struct host *host)
{
    struct saved saved = {0};

    if (!host->job || !host->node || !keeps(world, host) || host->saving.length ||
        !random_chance(&world->kills, KEEP_PER_MILLE) ||
        !node_snapshot(host->node, &saved.snapshot))
        return;
    if (saved.snapshot.answered_count != host->job->printed)
        world_fail(world, "host %u keeps %llu answers and has printed %llu", host->index,
                   U(saved.snapshot.answered_count), U(host->job->printed));
    world_trace(world, "host %u: a snapshot of %zu tiles after %llu values", host->index,
                saved.snapshot.tile_count, U(host->job->printed));
    identity_of(&saved.identity, &host->job->spec);
    saved_encode(&saved, &host->saving);
    saved_clear(&saved);
    world_later(world, random_log(&world->kills, 1000, 50 * NS_PER_MS), is_written, host,
                host->life);
}

bool resume_read(struct world *world, struct host *host, struct snapshot *snapshot)
{
    struct identity identity;
    struct saved saved;

    if (!keeps(world, host))
        return false;
    bytes_clear(&host->saving);
    host->job->printed = 0;
    if (!host->saved.length)
        return false;
    identity_of(&identity, &host->job->spec);
    if (saved_decode(&saved, host->saved.data, host->saved.length) != SAVED_SOUND ||
        identity_difference(&saved.identity, &identity) ||
        !snapshot_is_sound(&saved.snapshot, &host->job->spec)) {
        world_fail(world, "host %u cannot read what it kept", host->index);
        return false;
    }
    world_trace(world, "host %u goes on behind %llu values", host->index,
                U(saved.snapshot.answered_count));
    host->job->printed = saved.snapshot.answered_count;
    *snapshot = saved.snapshot;
    return true;
}

static void starts_again(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (!host->node && happening->number == host->life)
        host_start(world, host);
}

static void kill_and_start(struct world *world, struct host *host)
{
    world_trace(world, "host %u is killed", host->index);
    /* The rename may have come through just so. */
    if (host->saving.length && random_chance(&world->kills, 500))
        bytes_move(&host->saved, &host->saving);
    host_stop(world, host);
    world_later(world, random_log(&world->kills, NS_PER_MS, NS_PER_S), starts_again, host,
                host->life);
}

static void strikes(struct world *world, struct happening *happening)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        struct host *host = world->hosts[i];

        if (host->node && host->job && keeps(world, host) && !host->job->is_over)
            kill_and_start(world, host);
    }
    if (happening->number < KILLS_MAX)
        world_later(world, random_log(&world->kills, NS_PER_MS, NS_PER_S), strikes, NULL,
                    happening->number + 1);
}

void resume_plan(struct world *world)
{
    if (swarm_has(&world->swarm, SWARM_RESUME))
        world_later(world, random_log(&world->kills, NS_PER_MS, NS_PER_S), strikes, NULL, 0);
}
