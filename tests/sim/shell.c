/* A client's shell: submits the job, reads what the node asks for, prints what it is given. */
#include "world.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define U(x) ((unsigned long long)(x))

struct reading {
    struct host *host;
    uint32_t source;
    uint64_t unit, units;
};

void shell_submit(struct world *world, struct host *host)
{
    struct event event = {.type = EVENT_SUBMIT};

    memory_free(host->stream_at);
    host->stream_at = memory_array(host->job->spec.source_count, sizeof *host->stream_at);
    event.spec = memory_new(sizeof *event.spec);
    job_spec_copy(event.spec, &host->job->spec);
    event.snapshot = memory_new(sizeof *event.snapshot);
    if (!resume_read(world, host, event.snapshot)) {
        memory_free(event.snapshot);
        event.snapshot = NULL;
    }
    host_event(world, host, &event);
}

static void keep_data(void *owner)
{
    (void)owner; /* the job's bytes outlive every node */
}

static struct event input_of(const struct reading *reading, uint64_t unit, uint64_t units, bool end)
{
    const struct sim_job *job = reading->host->job;
    size_t width = source_unit_bytes(&job->spec.sources[reading->source]);
    const uint8_t *data = job->sources[reading->source].data + unit * width;
    struct event event = {.type = EVENT_INPUT};

    event.input.source = reading->source;
    event.input.unit = unit;
    event.input.bytes = chunk_wrap(data, units * width, keep_data, NULL);
    event.input.end = end;
    return event;
}

/* A pipe gives what is there; its end shows with the last bytes, or only when nothing comes any
 * more. */
static struct event input_of_stream(struct world *world, struct reading *reading)
{
    const struct sim_job *job = reading->host->job;
    bool is_known = job->spec.sources[reading->source].units != SOURCE_UNITS_UNKNOWN;
    uint64_t *at = &reading->host->stream_at[reading->source];
    uint64_t begin = *at;
    uint64_t left = sim_job_units(job, reading->source) - begin;
    uint64_t units = reading->units < left ? reading->units : left;
    bool end;

    if (units && !is_known && random_chance(&world->shells, 500))
        units = (uint64_t)random_log(&world->shells, 1, (int64_t)units);
    end = units == left && (is_known || !units || random_chance(&world->shells, 300));
    *at += units;
    return input_of(reading, begin, units, end);
}

static struct event input_of_file(const struct reading *reading)
{
    uint64_t end = sim_job_units(reading->host->job, reading->source);

    return input_of(reading, reading->unit, reading->units, reading->unit + reading->units >= end);
}

static void input_comes(struct world *world, struct happening *happening)
{
    struct reading *reading = happening->subject;
    struct host *host = reading->host;
    struct event event;

    if (happening->number == host->life && host->node) {
        event = host->job->spec.sources[reading->source].access == SOURCE_STREAM
                    ? input_of_stream(world, reading)
                    : input_of_file(reading);
        host_event(world, host, &event);
    }
    memory_free(reading);
}

static void read_input(struct world *world, struct host *host, const struct action *action)
{
    const struct sim_job *job = host->job;
    struct reading *reading;
    uint32_t source = action->read.source;
    int64_t at_ns = world->now_ns + random_log(&world->shells, 10000, 5 * NS_PER_MS);

    if (!job || source >= job->spec.source_count ||
        job->spec.sources[source].access <= SOURCE_INLINE) {
        world_fail(world, "host %u asks for bytes that nobody can read", host->index);
        return;
    }
    if (job->spec.sources[source].access == SOURCE_FILE &&
        (action->read.unit > sim_job_units(job, source) ||
         action->read.units > sim_job_units(job, source) - action->read.unit)) {
        world_fail(world, "host %u asks for units behind the end of a file", host->index);
        return;
    }
    reading = memory_new(sizeof *reading);
    *reading = (struct reading){host, source, action->read.unit, action->read.units};
    /* One thread reads, in the order in which it was asked. */
    host->input_ns = at_ns > host->input_ns ? at_ns : host->input_ns;
    queue_add(&world->queue, host->input_ns, input_comes, reading, host->life);
}

struct printing {
    struct host *host;
    uint64_t life, bytes;
};

static void has_printed(struct world *world, struct happening *happening)
{
    struct printing *printing = happening->subject;
    struct event event = {.type = EVENT_PRINTED, .printed_bytes = printing->bytes};

    if (printing->life == printing->host->life)
        host_event(world, printing->host, &event);
    memory_free(printing);
}

static void print(struct world *world, struct host *host, const struct action *action)
{
    struct sim_job *job = host->job;
    struct printing *printing;
    int64_t delay_ns = random_log(&world->shells, 1000, NS_PER_MS);

    world_trace(world, "host %u prints %llu values, %zu bytes", host->index,
                U(action->values.count), action->values.packed.length);
    if (!job || job->is_over || !sim_job_print(job, &action->values.packed, action->values.count)) {
        world_fail(world, "host %u prints a wrong value: number %llu of %llu", host->index,
                   job ? U(job->printed) : 0, job ? U(job->expected_count) : 0);
        return;
    }
    world_hash(world, job->printed);
    if (swarm_has(&world->swarm, SWARM_SLOW_READER) && !world->is_healed)
        delay_ns = random_log(&world->shells, NS_PER_MS, 2 * NS_PER_S);
    printing = memory_new(sizeof *printing);
    *printing = (struct printing){host, host->life, action->values.packed.length};
    world_later(world, delay_ns, has_printed, printing, 0);
}

static void check_fault(struct world *world, const struct host *host, const struct fault *fault)
{
    const struct sim_job *job = host->job;
    struct bytes sentence = {0};

    fault_sentence(fault, &job->spec, &sentence);
    if (sentence.length != job->expected_fault.length ||
        memcmp(sentence.data, job->expected_fault.data, sentence.length))
        world_fail(world, "host %u: fault '%.*s' where '%.*s' is the first", host->index,
                   (int)sentence.length, (char *)sentence.data, (int)job->expected_fault.length,
                   (char *)job->expected_fault.data);
    bytes_clear(&sentence);
}

/* The blame must begin at or before the place that kills, and never come before its third victim.
 */
static void check_killed(struct world *world, const struct host *host, const struct fault *fault)
{
    const struct sim_job *job = host->job;
    struct place at = {fault->source, fault->unit};

    if (!job->has_poison)
        world_fail(world, "host %u: an innocent piece is said to kill", host->index);
    else if (place_compare(at, job->poison) > 0)
        world_fail(world, "host %u: the piece that is said to kill begins behind the poison",
                   host->index);
    else if (job->poison_deaths < PROCESS_DEATHS_MAX)
        world_fail(world, "host %u: blame after %u deaths", host->index, job->poison_deaths);
}

static void check_end(struct world *world, const struct host *host, const struct fault *fault)
{
    const struct sim_job *job = host->job;

    if (job->is_cancelled)
        return;
    if (fault->kind == FAULT_KILLED)
        check_killed(world, host, fault);
    else if (fault->kind)
        check_fault(world, host, fault);
    else if (job->expected_fault.length || job->printed != job->expected_count)
        world_fail(world, "host %u: the job is said to be whole after %llu of %llu values",
                   host->index, U(job->printed), U(job->expected_count));
    else if (job->has_poison)
        world_fail(world, "host %u: nobody folded the poison and yet the job is whole",
                   host->index);
}

static void check_counts(struct world *world, const struct host *host, const struct fault *fault)
{
    struct node_stats stats;

    node_get_stats(host->node, &stats);
    world_trace(world, "host %u: retries %llu duplicates %llu lost %llu", host->index,
                U(stats.retries), U(stats.duplicates), U(stats.lost_children));
    if (swarm_is_harmless(&world->swarm) && (stats.retries || stats.lost_children))
        world_fail(world, "host %u: %llu retries and %llu lost children without any fault",
                   host->index, U(stats.retries), U(stats.lost_children));
    /* Answers of nodes tell units for their rate only: what was folded, counted or not. */
    if (host->kind == HOST_ONESHOT && !swarm_has(&world->swarm, SWARM_LISTEN) && !fault->kind &&
        !host->job->is_cancelled &&
        stats.units != host->job->first_units[host->job->spec.source_count])
        world_fail(world, "host %u: %llu units counted of %llu", host->index, U(stats.units),
                   U(host->job->first_units[host->job->spec.source_count]));
}

static void end(struct world *world, struct host *host, const struct fault *fault)
{
    if (!host->job || host->job->is_over) {
        world_fail(world, "host %u ends a job that is not there", host->index);
        return;
    }
    world_trace(world, "host %u: the job is over, fault %d", host->index, (int)fault->kind);
    world_hash(world, (uint64_t)fault->kind);
    check_end(world, host, fault);
    check_counts(world, host, fault);
    host->job->is_over = true;
    host_stop_later(world, host, random_log(&world->shells, NS_PER_MS, 100 * NS_PER_MS));
}

void shell_perform(struct world *world, struct host *host, struct action *action)
{
    if (action->type == ACTION_READ)
        read_input(world, host, action);
    else if (action->type == ACTION_VALUES)
        print(world, host, action);
    else if (action->type == ACTION_END)
        end(world, host, &action->fault);
    else
        world_trace(world, "host %u: %s", host->index, action->notice);
}

bool shell_discard(struct happening *happening)
{
    if (happening->run != input_comes && happening->run != has_printed)
        return false;
    memory_free(happening->subject);
    return true;
}
