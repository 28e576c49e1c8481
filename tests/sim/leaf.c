/* A pool process: takes tasks one by one, really folds them, takes its time, and dies now and then.
 */
#include "world.h"

#include "base/memory.h"
#include "leaf_work.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { TASK_BASE_NS = 20000, START_NS = 3000000 };

static void leaf_works(struct world *world, struct leaf *leaf);

static struct job_spec *find_spec(const struct leaf *leaf, uint64_t job)
{
    for (size_t i = 0; i < leaf->job_count; i++)
        if (leaf->jobs[i].id == job)
            return &leaf->jobs[i].spec;
    return NULL;
}

static void send_one(struct world *world, struct leaf *leaf, struct message *message)
{
    struct message *const messages[] = {message};

    conduit_send(world, leaf->conduit, 1, messages, 1);
}

static void says_hello(struct world *world, struct happening *happening)
{
    struct leaf *leaf = happening->subject;
    struct message hello = {.type = MESSAGE_HELLO};

    if (happening->number != leaf->life || !leaf->host->node || leaf->is_alive)
        return;
    leaf->is_alive = true;
    leaf->conduit = conduit_new(world, leaf->host, NULL, leaf);
    hello.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                         .role = ROLE_PROCESS,
                                         .pid = leaf->slot + 1,
                                         .slots = 1,
                                         .credit_tasks = world->swarm.leaf_credit,
                                         .session = random_next(&world->leaves)};
    snprintf(hello.hello.host, sizeof hello.hello.host, "leaf");
    send_one(world, leaf, &hello);
}

void leaf_start(struct world *world, struct leaf *leaf)
{
    leaf->life++;
    world_later(world, random_between(&world->leaves, START_NS / 3, START_NS), says_hello, leaf,
                leaf->life);
}

static void forget_task(struct leaf *leaf, size_t at)
{
    message_clear(leaf->queue[at]);
    memory_free(leaf->queue[at]);
    leaf->queue_count--;
    memmove(&leaf->queue[at], &leaf->queue[at + 1],
            (leaf->queue_count - at) * sizeof(struct message *));
}

static void forget_job(struct leaf *leaf, uint64_t job)
{
    size_t kept = 0;

    for (size_t at = leaf->queue_count; at-- > (leaf->is_busy ? 1 : 0);)
        if (leaf->queue[at]->task.job == job)
            forget_task(leaf, at);
    for (size_t i = 0; i < leaf->job_count; i++)
        if (leaf->jobs[i].id == job)
            job_spec_clear(&leaf->jobs[i].spec);
        else
            leaf->jobs[kept++] = leaf->jobs[i];
    leaf->job_count = kept;
}

static void learn_job(struct leaf *leaf, struct message *message)
{
    struct leaf_job *job;

    if (find_spec(leaf, message->job.job))
        return;
    leaf->jobs = memory_grow(leaf->jobs, leaf->job_count + 1, sizeof *leaf->jobs);
    job = &leaf->jobs[leaf->job_count++];
    job->id = message->job.job;
    job_spec_copy(&job->spec, message->job.spec);
}

static void take_task(struct world *world, struct leaf *leaf, struct message *message)
{
    if (!find_spec(leaf, message->task.job)) {
        world_fail(world, "a leaf was given a task of a job that it does not know");
        return;
    }
    if (leaf->queue_count == leaf->queue_capacity) {
        leaf->queue_capacity = leaf->queue_capacity ? 2 * leaf->queue_capacity : 8;
        leaf->queue = memory_grow(leaf->queue, leaf->queue_capacity, sizeof(struct message *));
    }
    leaf->queue[leaf->queue_count] = memory_new(sizeof(struct message));
    message_move(leaf->queue[leaf->queue_count++], message);
    if (!leaf->is_busy)
        leaf_works(world, leaf);
}

static void cancel_task(struct leaf *leaf, const struct message *message)
{
    for (size_t at = leaf->queue_count; at-- > (leaf->is_busy ? 1 : 0);)
        if (leaf->queue[at]->task.task == message->cancel.task)
            forget_task(leaf, at);
}

void leaf_receive(struct world *world, struct leaf *leaf, struct message *message)
{
    if (message->type == MESSAGE_JOB)
        learn_job(leaf, message);
    else if (message->type == MESSAGE_FORGET)
        forget_job(leaf, message->forget.job);
    else if (message->type == MESSAGE_TASK)
        take_task(world, leaf, message);
    else if (message->type == MESSAGE_CANCEL)
        cancel_task(leaf, message);
}

/* Whether the poison lies in [begin, end). */
static bool is_poisoned(const struct sim_job *job, struct place begin, struct place end)
{
    return job->has_poison && place_compare(begin, job->poison) <= 0 &&
           place_compare(job->poison, end) < 0;
}

static void decline(struct leaf *leaf, const struct message_task *task, uint32_t source)
{
    leaf->answer = (struct message){.type = MESSAGE_DECLINED};
    leaf->answer.declined.job = task->job;
    leaf->answer.declined.task = task->task;
    leaf->answer.declined.attempt = task->attempt;
    leaf->answer.declined.reason = DECLINE_ABSENT;
    leaf->answer.declined.source = source;
}

static void feed_span(struct world *world, const struct leaf *leaf, struct leaf_work *work,
                      const struct span *span)
{
    const struct sim_source *source = &world->jobs[leaf->job_number].sources[span->source];
    size_t width = source_unit_bytes(&work->spec->sources[span->source]);
    size_t at = (size_t)span->unit * width;
    size_t end = at + (size_t)span->units * width;
    size_t block = (size_t)random_log(&world->leaves, 16, 1 << 14) / width * width;
    size_t taken = block = block ? block : width;

    if (end > source->length) {
        world_fail(world, "a leaf reads behind the end of a file");
        return;
    }
    for (; at < end && taken == block; at += taken) {
        block = block < end - at ? block : end - at;
        taken = leaf_work_feed(work, source->data + at, block);
    }
}

/* As the real leaf does it, but for where the bytes come from. */
static void fold_by_reference(struct world *world, struct leaf *leaf, struct leaf_work *work)
{
    struct span span;

    while (!world->failure[0] && leaf_work_next(work, &span)) {
        enum source_access access = work->spec->sources[span.source].access;

        if (access == SOURCE_STREAM)
            world_fail(world, "a stream was given by reference");
        if (leaf->host->has_files && access == SOURCE_FILE) {
            feed_span(world, leaf, work, &span);
            continue;
        }
        if (place_compare(fold_place(work->fold), work->task.slice.begin) > 0)
            break;
        fold_free(&work->fold);
        decline(leaf, &work->task, span.source);
        return;
    }
    leaf_work_end(work, &leaf->answer);
}

static void fold_by_value(struct leaf_work *work, const struct chunk *payload,
                          struct message *answer)
{
    struct bytes padded = {0};
    struct chunk whole;
    struct chunk part;

    bytes_extend(&padded, SIM_SLACK_BEFORE);
    bytes_append(&padded, payload->data, payload->length);
    bytes_extend(&padded, SIM_SLACK_BEHIND);
    whole = chunk_take(&padded);
    part = chunk_part(&whole, SIM_SLACK_BEFORE, payload->length);
    leaf_work_feed_payload(work, &part);
    leaf_work_end(work, answer);
    chunk_drop(&part);
    chunk_drop(&whole);
}

static void do_task(struct world *world, struct leaf *leaf, const struct message *message)
{
    const struct message_task *task = &message->task;
    struct job_spec *spec = find_spec(leaf, task->job);
    const struct sim_job *job = &world->jobs[leaf->job_number];
    struct leaf_work work;

    if (task->kind == TASK_GLUE) {
        if (!leaf_work_glue(spec, task, &message->payload, &leaf->answer))
            world_fail(world, "a leaf was given two segments that it cannot decode");
        return;
    }
    if (task->by_value)
        leaf_work_learn_length(spec, task, message->payload.length);
    leaf_work_begin(&work, spec, task);
    if (task->by_value)
        fold_by_value(&work, &message->payload, &leaf->answer);
    else
        fold_by_reference(world, leaf, &work);
    leaf->dies = task->kind == TASK_FOLD && leaf->answer.type == MESSAGE_RESULT &&
                 is_poisoned(job, task->slice.begin, leaf->answer.result.middle);
}

static void maybe_nonsense(struct world *world, struct leaf *leaf)
{
    struct chunk half;

    if (!swarm_has(&world->swarm, SWARM_LEAF_NONSENSE) || world->is_healed ||
        leaf->answer.type != MESSAGE_RESULT || !random_chance(&world->leaves, 5) ||
        !leaf_may_crash(world, leaf))
        return;
    half = chunk_part(&leaf->answer.payload, 0, leaf->answer.payload.length / 2);
    chunk_drop(&leaf->answer.payload);
    leaf->answer.payload = half;
}

static int64_t time_for(struct world *world, const struct leaf *leaf)
{
    const struct sim_job *job = &world->jobs[leaf->job_number];
    uint64_t all = job->first_units[job->spec.source_count] + 1;
    __int128 ns = (__int128)job->whole_ns * leaf->answer.result.units / all;

    ns = ns * leaf->host->leaf_speed_per_mille / 1000 + TASK_BASE_NS;
    if (swarm_has(&world->swarm, SWARM_LEAF_SLOW) && !world->is_healed &&
        random_chance(&world->leaves, 20))
        ns += random_log(&world->leaves, NS_PER_MS, 16 * NS_PER_S);
    return (int64_t)ns;
}

static void leaf_finishes(struct world *world, struct happening *happening)
{
    struct leaf *leaf = happening->subject;

    if (happening->number != leaf->life || !leaf->is_busy)
        return;
    if (leaf->dies) {
        leaf_die(world, leaf, SIGSEGV, true);
        return;
    }
    leaf->is_busy = false;
    forget_task(leaf, 0);
    send_one(world, leaf, &leaf->answer);
    if (leaf->queue_count)
        leaf_works(world, leaf);
}

/* More than half of a long text is never counted by one process. */
static void check_count(struct world *world, const struct leaf *leaf,
                        const struct message_task *task)
{
    enum { SHORT_UNITS = 65536 };
    const struct sim_job *job = &world->jobs[leaf->job_number];
    uint64_t whole = job->first_units[job->spec.source_count];
    uint64_t units;

    if (task->kind == TASK_COUNT && !task->by_value &&
        slice_units(&job->spec, &task->slice, &units) && units > whole / 2 + SHORT_UNITS)
        world_fail(world, "one leaf counts %llu units of %llu", (unsigned long long)units,
                   (unsigned long long)whole);
}

static void leaf_works(struct world *world, struct leaf *leaf)
{
    const struct message *message = leaf->queue[0];
    const struct message_task *task = &message->task;
    int64_t busy_ns = TASK_BASE_NS;

    leaf->is_busy = true;
    leaf->dies = false;
    leaf->job_number = sim_job_number(find_spec(leaf, task->job));
    check_count(world, leaf, task);
    do_task(world, leaf, message);
    maybe_nonsense(world, leaf);
    if (leaf->answer.type == MESSAGE_RESULT) {
        busy_ns = time_for(world, leaf);
        leaf->answer.result.busy_ns = (uint64_t)busy_ns;
    }
    world_later(world, busy_ns, leaf_finishes, leaf, leaf->life);
}

bool leaf_may_crash(struct world *world, struct leaf *leaf)
{
    const struct message_task *task = leaf->is_busy ? &leaf->queue[0]->task : NULL;
    uint32_t job = leaf->job_number;
    uint32_t deaths = 0;

    if (!task)
        return true;
    for (size_t i = 0; i < world->innocent_count; i++)
        if (world->innocents[i].job == job &&
            place_compare(world->innocents[i].slice.begin, task->slice.end) < 0 &&
            place_compare(task->slice.begin, world->innocents[i].slice.end) < 0)
            deaths++;
    if (deaths + 1 >= PROCESS_DEATHS_MAX || world->jobs[job].has_poison)
        return false;
    world->innocents =
        memory_grow(world->innocents, world->innocent_count + 1, sizeof *world->innocents);
    world->innocents[world->innocent_count++] = (struct innocent){job, task->slice};
    return true;
}

void leaf_clear(struct leaf *leaf)
{
    leaf->is_busy = false;
    while (leaf->queue_count)
        forget_task(leaf, leaf->queue_count - 1);
    for (size_t i = 0; i < leaf->job_count; i++)
        job_spec_clear(&leaf->jobs[i].spec);
    leaf->job_count = 0;
    message_clear(&leaf->answer);
    leaf->answer = (struct message){0};
    memory_free(leaf->jobs);
    memory_free(leaf->queue);
    leaf->jobs = NULL;
    leaf->queue = NULL;
    leaf->queue_capacity = 0;
}

/* What the process had sent before still arrives, then its end is noticed. */
static void end_is_noticed(struct world *world, struct happening *happening)
{
    struct conduit *conduit = happening->subject;
    struct event gone = {.type = EVENT_GONE, .peer = conduit_peer(conduit, 0)};

    if (conduit->is_over[0] || !conduit->hosts[0]->node)
        return;
    conduit->is_told[0] = true;
    gone.gone.signal = conduit->gone_signal;
    gone.gone.started_task = conduit->gone_task;
    gone.gone.started_attempt = conduit->gone_attempt;
    host_event(world, conduit->hosts[0], &gone);
}

static void tell_host(struct world *world, struct leaf *leaf, int signal)
{
    struct conduit *conduit = leaf->conduit;
    int64_t last_ns = conduit->lanes[0].last_arrival_ns;

    conduit->gone_signal = signal;
    if (leaf->is_busy) {
        conduit->gone_task = leaf->queue[0]->task.task;
        conduit->gone_attempt = leaf->queue[0]->task.attempt;
    }
    if (leaf->is_busy && leaf->dies)
        world->jobs[leaf->job_number].poison_deaths++;
    last_ns = last_ns > world->now_ns ? last_ns : world->now_ns;
    queue_add(&world->queue, last_ns + 1000, end_is_noticed, conduit, 0);
}

void leaf_die(struct world *world, struct leaf *leaf, int signal, bool told)
{
    world_trace(world, "leaf %u of host %u dies", leaf->slot, leaf->host->index);
    if (leaf->conduit) {
        leaf->conduit->is_cut = true;
        leaf->conduit->is_over[1] = true;
        if (told)
            tell_host(world, leaf, signal);
        else
            leaf->conduit->is_over[0] = true;
    }
    leaf->is_alive = false;
    leaf->life++;
    leaf->conduit = NULL;
    leaf_clear(leaf);
    if (leaf->host->node)
        leaf_start(world, leaf);
}
