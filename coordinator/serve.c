#include "serve.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/patience.h"
#include "base/signals.h"
#include "base/stdio.h"
#include "cli.h"
#include "feed.h"
#include "keeper.h"
#include "link/link_pool.h"
#include "link/self.h"
#include "link/trace.h"
#include "print.h"
#include "progress.h"
#include "stats.h"
#include "verdict.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* A coordinator that is there answers sooner. */
#define SAY_WAITING_NS (2 * NS_PER_S)

enum { POOL_LINK }; /* the first that is added, where there is a pool */

struct serve {
    struct backend *backend;
    const struct reduce_options *options;
    struct log log;
    struct job_spec spec; /* the node has a copy of its own */
    struct node *node;
    struct loop *loop;
    struct trace *trace; /* NULL: none is wanted, or the pools are elsewhere */
    struct feed *feed;
    struct print *print;
    struct keeper *keeper; /* NULL: no checkpoint */
    /* Bytes of values: replayed from a checkpoint, written, kept, and acknowledged to the node. */
    uint64_t replayed_bytes, printed_bytes, kept_bytes, acknowledged_bytes;
    struct progress progress;
    struct print_state printed;
    int signal_fd;
    int64_t begin_ns, folding_ns; /* folding_ns: 0 until the first units are counted */
    struct phases phases;
    struct patience patience;
    bool said_waiting;
    bool has_ended; /* the node said so */
    struct fault fault;
    int stop_status; /* not 0: ends before the job does, with this status */
};

static void step(struct serve *serve, struct event *event)
{
    event->now_ns = clock_now_ns();
    loop_submit(serve->loop, event);
}

static void take_action(void *context, struct action *action)
{
    struct serve *serve = context;
    struct chunk packed;

    switch (action->type) {
    case ACTION_READ:
        feed_ask(serve->feed, action->read.source, action->read.unit, action->read.units);
        break;
    case ACTION_VALUES:
        if (serve->keeper)
            keeper_values(serve->keeper, &action->values.packed);
        packed = chunk_share(&action->values.packed);
        print_values(serve->print, &packed);
        break;
    case ACTION_END:
        serve->has_ended = true;
        serve->fault = action->fault;
        serve->phases.fold_ns = clock_now_ns() - serve->begin_ns;
        print_end(serve->print, action->fault.kind == FAULT_NONE);
        break;
    case ACTION_NOTICE:
        progress_clear(&serve->progress);
        log_line(&serve->log, LOG_NORMAL, "%s", action->notice);
        break;
    case ACTION_SEND:
    case ACTION_DROP:
        break;
    }
}

static void make_node(struct serve *serve)
{
    const struct reduce_options *options = serve->options;
    struct node_options node;

    self_describe(&node);
    if (options->farm)
        node.role = ROLE_CLIENT;
    node.memory_bytes = options->memory_bytes;
    node.task_ns = options->task_ns;
    node.expects_workers = serve->backend->ranks != NULL;
    node.data_by_value = options->data == DATA_VALUE;
    node.data_by_reference = options->data == DATA_REFERENCE;
    node_new(&serve->node, &node);
}

static void hear(void *context, size_t link, link_peer peer, const struct message *message,
                 int64_t now_ns)
{
    const struct serve *serve = context;

    if (link == POOL_LINK)
        trace_hear(serve->trace, pool_slot_of(peer), message, now_ns);
}

static int make_loop(struct serve *serve, struct error *error)
{
    struct loop_hooks hooks = {.context = serve, .action = take_action, .heard = hear};
    int rc = backend_has_pool(serve->backend) ? trace_open(&serve->trace, false, error) : OK;

    if (rc == OK)
        rc = loop_new(&serve->loop, serve->node, &hooks, error);
    if (rc != OK)
        return rc;
    loop_add_fd(serve->loop, serve->signal_fd, POLLIN);
    loop_add_fd(serve->loop, feed_fd(serve->feed), POLLIN);
    loop_add_fd(serve->loop, print_fd(serve->print), POLLIN);
    if (serve->keeper)
        loop_add_fd(serve->loop, keeper_fd(serve->keeper), POLLIN);
    return backend_add_links(serve->backend, serve->loop, serve->log.level, error);
}

int serve_new(struct serve **out, struct backend *backend, struct job_spec *spec,
              const int *streams, int64_t open_ns, struct error *error)
{
    const struct reduce_options *options = backend->options;
    struct serve *serve = memory_new(sizeof *serve);
    int rc;

    *out = serve;
    serve->backend = backend;
    serve->options = options;
    serve->spec = *spec;
    *spec = (struct job_spec){0};
    serve->phases.open_ns = open_ns;
    serve->log =
        (struct log){.program = "sheaf", .level = log_level_of(options->quiet, options->verbose)};
    serve->signal_fd = -1;
    /* Looking at what an earlier run has kept may take a while: a signal ends that at once. */
    rc = options->checkpoint ? keeper_new(&serve->keeper, options->checkpoint,
                                          options->checkpoint_ns, &serve->spec, error)
                             : OK;
    if (rc == OK)
        rc = signals_open(&serve->signal_fd, error);
    if (rc == OK)
        rc = feed_new(&serve->feed, &serve->spec, streams, error);
    if (rc == OK)
        rc = print_new(&serve->print, options->output == OUTPUT_JSON, error);
    if (rc == OK) {
        make_node(serve);
        rc = make_loop(serve, error);
    }
    return rc;
}

void serve_free(struct serve **out)
{
    struct serve *serve = *out;
    struct error error;

    *out = NULL;
    if (!serve)
        return;
    loop_free(&serve->loop);
    node_free(&serve->node);
    if (trace_close(&serve->trace, &error) != OK)
        log_line(&serve->log, LOG_QUIET, "%s", error.text);
    print_free(&serve->print);
    keeper_free(&serve->keeper);
    feed_free(&serve->feed);
    signals_close(serve->signal_fd);
    job_spec_clear(&serve->spec);
    memory_free(serve);
}

/* What an earlier run has answered comes first; where it stood is where the job goes on. */
static struct snapshot *resume(struct serve *serve)
{
    struct snapshot *snapshot = serve->keeper ? keeper_resume(serve->keeper) : NULL;
    struct chunk answers;

    if (!snapshot)
        return NULL;
    answers = keeper_answers(serve->keeper);
    serve->replayed_bytes = answers.length;
    if (answers.length)
        print_values(serve->print, &answers);
    return snapshot;
}

static void say_resumed(struct serve *serve)
{
    uint64_t done, all;

    node_progress(serve->node, &done, &all);
    serve->progress.samples[0].units = done; /* they say nothing of this run's speed */
    log_line(&serve->log, LOG_NORMAL, "%s: going on from there, %d%% was done",
             serve->options->checkpoint, all ? (int)(100.0 * (double)done / (double)all) : 0);
}

static void submit_job(struct serve *serve)
{
    struct job_spec copy;
    struct event event = {.type = EVENT_SUBMIT, .spec = &copy, .snapshot = resume(serve)};
    bool is_resumed = event.snapshot != NULL;

    job_spec_copy(&copy, &serve->spec);
    serve->begin_ns = clock_now_ns();
    progress_init(&serve->progress,
                  serve->options->progress == PROGRESS_ALWAYS ||
                      (serve->options->progress == PROGRESS_AUTO && !serve->options->quiet &&
                       isatty(STDERR_FILENO)),
                  serve->begin_ns);
    step(serve, &event);
    job_spec_clear(&copy);
    if (is_resumed && !serve->has_ended)
        say_resumed(serve);
}

static void take_input(struct serve *serve)
{
    struct event event;

    while (feed_take(serve->feed, &event)) {
        step(serve, &event);
        chunk_drop(&event.input.bytes);
    }
}

/* Values leave the node's window when they are written, and kept. */
static void acknowledge(struct serve *serve)
{
    struct event event = {.type = EVENT_PRINTED};
    uint64_t bytes = serve->printed_bytes > serve->replayed_bytes
                         ? serve->printed_bytes - serve->replayed_bytes
                         : 0;

    if (serve->keeper && serve->kept_bytes < bytes)
        bytes = serve->kept_bytes;
    event.printed_bytes = bytes - serve->acknowledged_bytes;
    serve->acknowledged_bytes = bytes;
    if (event.printed_bytes)
        step(serve, &event);
}

static void take_printed(struct serve *serve)
{
    print_look(serve->print, &serve->printed);
    serve->printed_bytes += serve->printed.bytes;
    acknowledge(serve);
}

static void look_at_progress(struct serve *serve)
{
    uint64_t done, all;

    node_progress(serve->node, &done, &all);
    if (done && !serve->folding_ns)
        serve->folding_ns = clock_now_ns();
    if (!serve->has_ended)
        progress_show(&serve->progress, clock_now_ns(), done, all);
}

/* The job is not wanted any more: whoever works on it is told. From here on a signal ends at once.
 */
static void stop(struct serve *serve, int status)
{
    struct event event = {.type = EVENT_CANCEL};

    serve->stop_status = status;
    signals_close(serve->signal_fd);
    serve->signal_fd = -1;
    progress_clear(&serve->progress);
    if (serve->keeper)
        keeper_finish(serve->keeper, serve->node);
    step(serve, &event);
    loop_round(serve->loop, 0);
}

static void give_up(struct serve *serve)
{
    progress_clear(&serve->progress);
    log_line(&serve->log, LOG_QUIET, "%s: no coordinator answers (waited %g s)",
             serve->options->farm, (double)serve->options->give_up_ns / (double)NS_PER_S);
    stop(serve, error_exit_status(ERROR_FARM));
}

static void look_at_signals(struct serve *serve)
{
    int number = signals_take(serve->signal_fd);

    if (!number)
        return;
    progress_clear(&serve->progress);
    if (number == SIGTERM && serve->backend->ranks)
        log_line(&serve->log, LOG_QUIET,
                 "stopped by signal %d, which all ranks are sent when one of them dies", number);
    stop(serve, 128 + number);
}

static void look_at_backend(struct serve *serve)
{
    const char *sentence = serve->has_ended ? NULL : backend_over(serve->backend);

    if (!sentence)
        return;
    progress_clear(&serve->progress);
    log_line(&serve->log, LOG_QUIET, "%s; the job cannot go on", sentence);
    stop(serve, error_exit_status(ERROR_FAILED));
}

static void look_at_output(struct serve *serve)
{
    struct error error;

    if (!serve->printed.failure)
        return;
    progress_clear(&serve->progress);
    stdio_failed(serve->printed.failure, &error);
    stop(serve, cli_fail(&error));
}

static void look_at_keeper(struct serve *serve)
{
    struct keeper_state state;
    struct error error;

    if (!serve->keeper)
        return;
    keeper_look(serve->keeper, &state);
    serve->kept_bytes += state.bytes;
    if (serve->has_ended)
        return; /* nothing needs to be gone on from any more */
    if (state.failure) {
        progress_clear(&serve->progress);
        error_set_errno(&error, ERROR_FAILED, state.failure,
                        "%s: cannot be written (what was kept before stays)", state.path);
        stop(serve, cli_fail(&error));
        return;
    }
    acknowledge(serve);
    keeper_keep(serve->keeper, serve->node);
}

static void look_at_farm(struct serve *serve)
{
    const struct reduce_options *options = serve->options;
    bool is_waiting = node_unreachable_since(serve->node) != INT64_MAX;
    int64_t waited_ns = patience_look(&serve->patience, is_waiting, clock_now_ns());

    if (!options->farm || serve->has_ended)
        return;
    /* Once there was one the node says what becomes of it. */
    serve->said_waiting |= !is_waiting;
    if (options->give_up_ns && waited_ns > options->give_up_ns) {
        give_up(serve);
    } else if (!serve->said_waiting && waited_ns > SAY_WAITING_NS) {
        serve->said_waiting = true;
        progress_clear(&serve->progress);
        log_line(&serve->log, LOG_NORMAL, "waiting for a coordinator at %s", options->farm);
    }
}

static void say_fault(const struct serve *serve)
{
    struct bytes sentence = {0};

    if (serve->fault.kind == FAULT_NONE)
        return;
    fault_sentence(&serve->fault, &serve->spec, &sentence);
    log_line(&serve->log, LOG_QUIET, "%.*s", (int)sentence.length, (char *)sentence.data);
    bytes_clear(&sentence);
}

static uint64_t bytes_of_files(const struct job_spec *spec)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < spec->source_count; i++) {
        const struct source *source = &spec->sources[i];

        if (source->access == SOURCE_FILE)
            bytes += source->units * source_unit_bytes(source);
        else if (source->access == SOURCE_INLINE)
            bytes += source->inline_data.length;
    }
    return bytes;
}

static bool needs_count(const struct job_spec *spec)
{
    bool needs = false;

    for (uint32_t i = 0; i < spec->source_count; i++)
        needs |= source_needs_count(&spec->sources[i]);
    return needs && cut_is_numbered(&spec->cut);
}

static void say_stats(struct serve *serve)
{
    struct node_stats stats;
    uint64_t bytes = bytes_of_files(&serve->spec);

    if (!serve->options->stats)
        return;
    if (needs_count(&serve->spec) && serve->folding_ns) {
        serve->phases.count_ns = serve->folding_ns - serve->begin_ns;
        serve->phases.fold_ns -= serve->phases.count_ns;
    }
    serve->phases.print_ns = serve->printed.busy_ns;
    for (uint32_t i = 0; i < serve->spec.source_count; i++)
        if (serve->spec.sources[i].access == SOURCE_STREAM)
            bytes += feed_bytes(serve->feed, i);
    node_get_stats(serve->node, &stats);
    stats_print(&stats, &serve->phases, bytes);
}

static bool is_over(const struct serve *serve)
{
    return serve->stop_status || (serve->has_ended && serve->printed.is_done);
}

/* What happened beside the node since the last round; the first thing that ends it all is enough.
 */
static void look_around(struct serve *serve)
{
    static void (*const looks[])(struct serve *) = {
        look_at_signals, take_input,       take_printed, look_at_output,
        look_at_keeper,  look_at_progress, look_at_farm, look_at_backend};

    for (size_t i = 0; i < sizeof looks / sizeof *looks && !serve->stop_status; i++)
        looks[i](serve);
}

/* The longest sleep: somebody wants to be looked at. */
static int64_t pause_of(const struct serve *serve)
{
    int64_t pause_ns = serve->progress.is_on || serve->options->farm ? 100 * NS_PER_MS : NS_PER_S;
    int64_t every_ns = serve->options->checkpoint_ns;

    if (serve->keeper && every_ns < pause_ns)
        pause_ns = every_ns > NS_PER_MS ? every_ns : NS_PER_MS;
    return pause_ns;
}

/*
 * The answer is written, so nothing is to be gone on from; but first it is on the disk, if that is
 * where it went. Returns the exit status if it is not.
 */
static int end_checkpoint(struct serve *serve)
{
    struct error error;

    if (fsync(STDOUT_FILENO) && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) {
        stdio_failed(errno, &error);
        return cli_fail(&error);
    }
    keeper_remove(serve->keeper);
    return 0;
}

int serve_run(struct serve *serve)
{
    int64_t pause_ns;
    int status = 0;

    submit_job(serve);
    pause_ns = pause_of(serve);
    while (!is_over(serve)) {
        loop_round(serve->loop, pause_ns);
        look_around(serve);
    }
    if (serve->stop_status)
        return serve->stop_status;
    progress_clear(&serve->progress);
    say_fault(serve);
    if (serve->keeper && verdict_is_final(&serve->fault))
        status = end_checkpoint(serve);
    say_stats(serve);
    return status ? status : verdict_exit_status(&serve->fault);
}
