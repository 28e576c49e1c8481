#include "backend.h"

#include "base/limits.h"
#include "base/memory.h"
#include "link/link_pool.h"
#include "link/link_zmq.h"
#include "link/pool_process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The options of `sheaf` that a worker has, too. */
static int become_worker(const struct reduce_options *options, struct error *error)
{
    char *program, processes[32], memory[32], give_up[32];
    char *arguments[16] = {"sheaf-worker", "--connect", LINK_MPI_URL};
    size_t count = 3;
    int rc = process_program(&program, NULL, error);

    if (rc != OK)
        return rc;
    snprintf(processes, sizeof processes, "%llu", (unsigned long long)options->processes);
    snprintf(memory, sizeof memory, "%llu", (unsigned long long)options->memory_bytes);
    snprintf(give_up, sizeof give_up, "%.3f", (double)options->give_up_ns / (double)NS_PER_S);
    arguments[count++] = "--memory";
    arguments[count++] = memory;
    arguments[count++] = "--give-up";
    arguments[count++] = give_up;
    if (options->processes) {
        arguments[count++] = "--processes";
        arguments[count++] = processes;
    }
    if (options->quiet || options->verbose)
        arguments[count++] = options->quiet ? "--quiet" : "--verbose";
    execv(program, arguments);
    error_set_errno(error, ERROR_SYSTEM, errno, "rank %u: %.800s cannot be started",
                    launch_read().rank, program);
    memory_free(program);
    return ERROR_SYSTEM;
}

int backend_begin(struct backend *backend, const struct reduce_options *options,
                  struct error *error)
{
    struct ranks_options ranks = {
        .program = "sheaf", .version = SHEAF_VERSION, .limit_ns = options->give_up_ns};
    int rc;

    *backend = (struct backend){.options = options, .launch.count = 1};
    if (options->backend != BACKEND_MPI)
        return OK;
    rc = link_mpi_check(error);
    if (rc != OK)
        return rc;
    backend->launch = ranks.launch = launch_read();
    if (backend->launch.count == 1)
        return OK;
    return backend->launch.rank ? become_worker(options, error)
                                : link_mpi_begin(&backend->ranks, &ranks, error);
}

static int add_pool(struct backend *backend, struct loop *loop, enum log_level level,
                    struct error *error)
{
    struct pool_options pool = {.processes = (uint32_t)backend->options->processes,
                                .log_level = (int)level};
    struct link *link;
    int rc = link_pool_open(&link, &pool, error);

    if (rc != OK)
        return rc;
    loop_add_link(loop, link);
    /* Where workers may join from outside, a pool that cannot begin is not the end. */
    if (!backend->options->listen.count)
        backend->ending = link;
    return OK;
}

bool backend_has_pool(const struct backend *backend)
{
    return !backend->ranks && !backend->options->farm;
}

int backend_add_links(struct backend *backend, struct loop *loop, enum log_level level,
                      struct error *error)
{
    const struct reduce_options *options = backend->options;
    struct link *link = NULL;
    int rc = OK;

    if (backend_has_pool(backend))
        rc = add_pool(backend, loop, level, error);
    if (rc == OK && backend->ranks) {
        rc = link_mpi_open(&link, backend->ranks, error);
        backend->ending = link;
    } else if (rc == OK && options->farm) {
        rc = link_zmq_connect(&link, options->farm, error);
    } else if (rc == OK && options->listen.count) {
        rc = link_zmq_listen(&link, options->listen.items, options->listen.count, error);
    }
    if (rc == OK && link)
        loop_add_link(loop, link);
    return rc;
}

const char *backend_over(const struct backend *backend)
{
    return backend->ending ? backend->ending->ops->over(backend->ending) : NULL;
}

void backend_end(struct backend *backend, int status)
{
    link_mpi_end(&backend->ranks, status);
}

bool backend_is_silent(int argc, char *const *argv)
{
    bool is_mpi = false;

    for (int i = 0; i < argc; i++)
        is_mpi |= !strcmp(argv[i], "--backend=mpi") ||
                  (!strcmp(argv[i], "--backend") && i + 1 < argc && !strcmp(argv[i + 1], "mpi"));
    if (!is_mpi || !launch_read().rank)
        return false;
    /* mpirun ends all ranks with the first that fails, and that one is to have said why. */
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return true;
}
