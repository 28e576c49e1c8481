#include "world.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HAPPENINGS_MAX = 3000000, MIDDLE_SPEED = 1000 };
/* Past the end of the last job: longer than it takes to give a silent client up. */
#define SETTLE_NS (CLIENT_SILENCE_NS + 15 * NS_PER_S)

void world_trace(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (!world->is_traced)
        return;
    printf("%12.6f ", (double)world->now_ns / 1e9);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void world_hash(struct world *world, uint64_t value)
{
    uint64_t hash = (world->hash ^ value ^ (uint64_t)world->now_ns << 1) + world->steps;

    hash *= UINT64_C(0x9e3779b97f4a7c15);
    world->hash = hash ^ (hash >> 29);
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->failure[0])
        return;
    va_start(arguments, format);
    vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
    world_trace(world, "FAILED: %s", world->failure);
}

void world_later(struct world *world, int64_t delay_ns, happening_run *run, void *subject,
                 uint64_t number)
{
    queue_add(&world->queue, world->now_ns + delay_ns, run, subject, number);
}

static struct host *add_host(struct world *world, enum host_kind kind, uint32_t leaves)
{
    struct host *host = memory_new(sizeof *host);
    bool is_absent = random_chance(&world->shells, 400);
    int64_t rate = random_between(&world->shells, 900000, 1100000);

    host->world = world;
    host->index = world->host_count;
    host->kind = kind;
    host->clock_rate_ppm = swarm_has(&world->swarm, SWARM_CLOCKS) ? rate : 1000000;
    host->has_files = !swarm_has(&world->swarm, SWARM_ABSENT) || !is_absent;
    host->leaf_speed_per_mille = random_log(&world->shells, MIDDLE_SPEED / 4, MIDDLE_SPEED * 2);
    host->leaf_count = leaves;
    host->leaves = memory_array(leaves, sizeof *host->leaves);
    for (uint32_t i = 0; i < leaves; i++)
        host->leaves[i] = (struct leaf){.host = host, .slot = i};
    world->hosts[world->host_count++] = host;
    return host;
}

static uint32_t draw_slots(struct world *world)
{
    return (uint32_t)random_between(&world->shells, 1, world->swarm.slots_max);
}

static void comes(struct world *world, struct happening *happening)
{
    struct host *host = happening->subject;

    if (!host->node && !host->life)
        host_start(world, host);
}

static void let_come(struct world *world, struct host *host)
{
    int64_t late_ns = random_log(&world->shells, NS_PER_MS, world->swarm.heal_ns);
    int64_t soon_ns = random_log(&world->shells, 1000, 20 * NS_PER_MS);
    bool is_late = swarm_has(&world->swarm, SWARM_LATE) && random_chance(&world->shells, 500);

    world_later(world, is_late ? late_ns : soon_ns, comes, host, 0);
}

static void add_blind(struct world *world)
{
    struct host *host = add_host(world, HOST_WORKER, 1);

    host->has_files = false;
    let_come(world, host);
}

/* Workers that join a one-shot command, not the coordinator. */
static void choose_listeners(struct world *world)
{
    struct random random = random_stream(world->seed, 10);
    struct host *last = world->hosts[world->host_count - 1];

    if (!swarm_has(&world->swarm, SWARM_LISTEN) || last->kind != HOST_ONESHOT)
        return;
    for (uint32_t i = 0; i < world->host_count; i++)
        if (world->hosts[i]->kind == HOST_WORKER && i > 1 && random_chance(&random, 500))
            world->hosts[i]->above = last;
}

static void trace_job(struct world *world, const struct host *host)
{
    const struct job_spec *spec = &host->job->spec;

    world_trace(world, "host %u: job %u op %d cut %d size %llu parts %llu piece %llu, %u sources",
                host->index, world->job_count, (int)spec->op, (int)spec->cut.kind,
                (unsigned long long)spec->cut.size, (unsigned long long)spec->cut.parts,
                (unsigned long long)spec->piece_units, spec->source_count);
    for (uint32_t i = 0; i < spec->source_count; i++)
        world_trace(world, "  source %u format %d access %d units %llu", i,
                    (int)spec->sources[i].format, (int)spec->sources[i].access,
                    (unsigned long long)sim_job_units(host->job, i));
}

static void add_client(struct world *world, enum host_kind kind, uint32_t leaves)
{
    struct host *host = add_host(world, kind, leaves);
    struct random random = random_stream(world->seed, 100 + world->job_count);

    host->job = &world->jobs[world->job_count];
    sim_job_new(host->job, world->job_count, &world->swarm, &random);
    trace_job(world, host);
    world->job_count++;
    let_come(world, host);
}

static void heals(struct world *world, struct happening *happening)
{
    (void)happening;
    faults_heal(world);
}

static void world_init(struct world *world, uint64_t seed, struct swarm_filter filter,
                       bool is_traced)
{
    const struct swarm *swarm = &world->swarm;

    *world = (struct world){.seed = seed, .is_traced = is_traced};
    swarm_draw(&world->swarm, seed, filter);
    world->network = random_stream(seed, 2);
    world->leaves = random_stream(seed, 3);
    world->faults = random_stream(seed, 4);
    world->shells = random_stream(seed, 5);
    world->strangers = random_stream(seed, 6);
    world->kills = random_stream(seed, 11);
    world->losses_left = swarm->losses_max;
    world->hosts =
        memory_array(1 + swarm->workers + swarm->blind + swarm->clients + swarm->oneshots,
                     sizeof(struct host *));
    world->jobs = memory_array(swarm->clients + swarm->oneshots, sizeof *world->jobs);
    let_come(world, add_host(world, HOST_COORDINATOR, 0));
    for (uint32_t i = 0; i < swarm->workers; i++)
        let_come(world, add_host(world, HOST_WORKER, draw_slots(world)));
    for (uint32_t i = 0; i < swarm->blind; i++)
        add_blind(world);
    for (uint32_t i = 0; i < swarm->clients; i++)
        add_client(world, HOST_CLIENT, 0);
    for (uint32_t i = 0; i < swarm->oneshots; i++)
        add_client(world, HOST_ONESHOT, draw_slots(world));
    choose_listeners(world);
    faults_plan(world);
    strangers_come(world);
    world_later(world, swarm->heal_ns, heals, NULL, 0);
}

static void world_clear(struct world *world)
{
    struct happening happening;

    while (queue_take(&world->queue, &happening))
        if (!conduit_discard(&happening))
            shell_discard(&happening);
    queue_clear(&world->queue);
    for (uint32_t i = 0; i < world->host_count; i++)
        host_free(world->hosts[i]);
    for (size_t i = 0; i < world->conduit_count; i++)
        conduit_free(world->conduits[i]);
    for (uint32_t i = 0; i < world->job_count; i++)
        sim_job_clear(&world->jobs[i]);
    memory_free(world->hosts);
    memory_free(world->conduits);
    memory_free(world->jobs);
    memory_free(world->innocents);
}

static bool all_over(const struct world *world)
{
    for (uint32_t i = 0; i < world->job_count; i++)
        if (!world->jobs[i].is_over && !world->jobs[i].is_cancelled && !world->jobs[i].is_abandoned)
            return false;
    return true;
}

/* Pieces at most of a job whose pieces are fixed, or whose window lets one read pass at a time. */
static int64_t most_pieces(const struct sim_job *job)
{
    uint64_t piece = job->spec.piece_units;

    return (int64_t)(piece ? job->first_units[job->spec.source_count] / piece : 100);
}

/* Time that all the work takes on the slowest leaf alone, piece after piece over the slowest links,
 * with room for retries and for the discovery of what was lost before the healing. */
static int64_t patience_ns(const struct world *world)
{
    int64_t way_ns = world->swarm.delay_ns + world->swarm.jitter_ns;
    int64_t work_ns = 0;

    for (uint32_t i = 0; i < world->job_count; i++)
        work_ns += world->jobs[i].whole_ns + most_pieces(&world->jobs[i]) * way_ns / 2;
    return 12 * work_ns + 180 * NS_PER_S;
}

static void check_patience(struct world *world)
{
    for (uint32_t i = 0; i < world->job_count; i++) {
        const struct sim_job *job = &world->jobs[i];

        if (!job->is_over && !job->is_cancelled && !job->is_abandoned)
            world_fail(world,
                       "job %u does not end: %llu of %llu values after %.1f s without a fault", i,
                       (unsigned long long)job->printed, (unsigned long long)job->expected_count,
                       (double)(world->now_ns - world->swarm.heal_ns) / 1e9);
    }
}

/* Long after the last client has gone nobody knows of its job any more. */
static void check_rest(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        struct node_stats stats;

        if (!world->hosts[i]->node || world->hosts[i]->job)
            continue;
        node_get_stats(world->hosts[i]->node, &stats);
        if (stats.jobs || stats.running)
            world_fail(world, "host %u still has %llu jobs and %llu tasks when all is over", i,
                       (unsigned long long)stats.jobs, (unsigned long long)stats.running);
    }
}

static void run(struct world *world)
{
    int64_t give_up_ns = world->swarm.heal_ns + patience_ns(world);
    int64_t settled_ns = 0;
    struct happening happening;

    while (!world->failure[0] && queue_take(&world->queue, &happening)) {
        if (happening.at_ns > give_up_ns && !settled_ns) {
            check_patience(world);
            break;
        }
        if (settled_ns && happening.at_ns > settled_ns)
            break;
        world->now_ns = happening.at_ns;
        happening.run(world, &happening);
        if (++world->happenings > HAPPENINGS_MAX)
            world_fail(world, "more than %d happenings", HAPPENINGS_MAX);
        if (!settled_ns && world->is_healed && all_over(world))
            settled_ns = world->now_ns + SETTLE_NS;
    }
    if (!world->failure[0])
        check_patience(world);
    if (!world->failure[0])
        check_rest(world);
}

void world_run(uint64_t seed, struct swarm_filter filter, bool is_traced,
               struct world_report *report)
{
    struct world world;

    world_init(&world, seed, filter, is_traced);
    run(&world);
    *report = (struct world_report){.hash = world.hash,
                                    .happenings = world.happenings,
                                    .steps = world.steps,
                                    .messages = world.messages,
                                    .virtual_ns = world.now_ns,
                                    .classes = world.swarm.classes};
    memcpy(report->failure, world.failure, sizeof report->failure);
    world_clear(&world);
}
