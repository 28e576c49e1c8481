/*
 * MPI begins and ends. Point-to-point messages only, with MPI_ERRORS_RETURN: collectives of some
 * releases swallow errors, and an error is to be a sentence.
 *
 * Between MPI_Init and the first link each rank says which version of the program it is, in a
 * message whose form stays the same in every version. Rank 0 compares and tells all whether they
 * may begin.
 */
#include "link/mpi_ranks.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Leaving is waiting for the slowest rank to leave. */
#define END_NS (30 * NS_PER_S)
/* From here on an exit status names a signal. */
enum { STATUS_SIGNAL = 128 };
/* What rank 0 says of the begin and of the end. */
enum verdict { VERDICT_NO, VERDICT_BEGIN, VERDICT_FINALIZE, VERDICT_LEAVE };
#define ABORT_NS (2 * NS_PER_S)

struct greeting {
    char magic[8];
    char version[56];
    char host[64];
};

static const char MAGIC[8] = "sheaf\r\n";

void ranks_say(const struct ranks *ranks, const char *sentence)
{
    char line[1200];
    int length = snprintf(line, sizeof line, "%s: %s\n", ranks->options.program, sentence);

    if (length > (int)sizeof line - 1)
        length = (int)sizeof line - 1;
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        errno = 0; /* nobody to tell */
}

/* Where another process's memory may not be read (a container's filter), OpenMPI 4 tries it all the
 * same and complains with each message. */
static void choose_copying(void)
{
    char from = 1, to = 0;
    struct iovec local = {&to, 1}, remote = {&from, 1};

    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1)
        setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
}

static int start(struct ranks *ranks, struct error *error)
{
    int provided;

    choose_copying();
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
        return error_set(error, ERROR_FARM, "MPI cannot start here");
    ranks->has_mpi = true;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks->count);
    if (provided < MPI_THREAD_FUNNELED)
        return error_set(error, ERROR_FARM, "this MPI cannot be used beside threads");
    return OK;
}

/* Who works was decided by what the launcher said. */
static int check_launch(const struct ranks *ranks, struct error *error)
{
    const struct launch *launch = &ranks->options.launch;

    if (launch->rank == (uint32_t)ranks->rank && launch->count == (uint32_t)ranks->count)
        return OK;
    /* One of the many says it. */
    if (launch->rank)
        return error_set(error, ERROR_FARM, "%s", "");
    return error_set(
        error, ERROR_FARM,
        "rank %u of %u is rank %d of %d to MPI: start with the mpirun of this OpenMPI, "
        "or with srun --mpi=pmix",
        launch->rank, launch->count, ranks->rank, ranks->count);
}

static bool is_done(MPI_Request *request, int *rc)
{
    int flag = 0;

    *rc = MPI_Test(request, &flag, MPI_STATUS_IGNORE);
    return flag || *rc != MPI_SUCCESS;
}

/* How long is the guard's to judge. */
static int wait_for(MPI_Request *requests, size_t count, struct error *error)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS / 5};

    for (size_t i = 0; i < count; i++) {
        int rc;

        while (!is_done(&requests[i], &rc))
            nanosleep(&pause, NULL);
        if (rc != MPI_SUCCESS)
            return error_set(error, ERROR_FARM, "the ranks cannot reach one another through MPI");
    }
    return OK;
}

static void describe(const struct ranks *ranks, struct greeting *greeting)
{
    memset(greeting, 0, sizeof *greeting);
    memcpy(greeting->magic, MAGIC, sizeof MAGIC);
    snprintf(greeting->version, sizeof greeting->version, "%s, protocol %u", ranks->options.version,
             PROTOCOL_VERSION);
    gethostname(greeting->host, sizeof greeting->host - 1);
}

static int compare(const struct greeting *own, const struct greeting *other, int rank,
                   struct error *error)
{
    if (memcmp(other->magic, MAGIC, sizeof MAGIC) != 0)
        return error_set(error, ERROR_FARM, "rank %d is no sheaf", rank);
    if (strncmp(own->version, other->version, sizeof own->version) == 0)
        return OK;
    return error_set(error, ERROR_FARM,
                     "rank %d on %.60s is sheaf %.50s, rank 0 is sheaf %.50s: install the same "
                     "version on every host",
                     rank, other->host, other->version, own->version);
}

static int send_verdict(const struct ranks *ranks, enum verdict verdict, struct error *error)
{
    size_t others = (size_t)ranks->count - 1;
    MPI_Request *requests = memory_array(others, sizeof *requests);
    char byte = (char)verdict;
    int rc = OK;

    for (size_t i = 0; i < others; i++)
        if (MPI_Isend(&byte, 1, MPI_BYTE, (int)i + 1, TAG_VERDICT, MPI_COMM_WORLD, &requests[i]) !=
            MPI_SUCCESS)
            requests[i] = MPI_REQUEST_NULL;
    rc = wait_for(requests, others, error);
    memory_free(requests);
    return rc;
}

static int greet_all(const struct ranks *ranks, struct error *error)
{
    size_t others = (size_t)ranks->count - 1;
    struct greeting *greetings = memory_array(others, sizeof *greetings), own;
    MPI_Request *requests = memory_array(others, sizeof *requests);
    int rc, sent;

    describe(ranks, &own);
    for (size_t i = 0; i < others; i++)
        if (MPI_Irecv(&greetings[i], sizeof own, MPI_BYTE, (int)i + 1, TAG_GREETING, MPI_COMM_WORLD,
                      &requests[i]) != MPI_SUCCESS)
            requests[i] = MPI_REQUEST_NULL; /* and what is there is no greeting */
    rc = wait_for(requests, others, error);
    for (size_t i = 0; rc == OK && i < others; i++)
        rc = compare(&own, &greetings[i], (int)i + 1, error);
    sent = send_verdict(ranks, rc == OK ? VERDICT_BEGIN : VERDICT_NO, NULL);
    memory_free(greetings);
    memory_free(requests);
    if (rc == OK && sent != OK)
        rc = error_set(error, ERROR_FARM, "the ranks cannot reach one another through MPI");
    return rc;
}

static int greet_first(const struct ranks *ranks, struct error *error)
{
    MPI_Request requests[2];
    struct greeting greeting;
    char verdict = VERDICT_NO;
    int rc;

    describe(ranks, &greeting);
    rc = MPI_Irecv(&verdict, 1, MPI_BYTE, 0, TAG_VERDICT, MPI_COMM_WORLD, &requests[0]);
    if (rc == MPI_SUCCESS)
        rc = MPI_Isend(&greeting, sizeof greeting, MPI_BYTE, 0, TAG_GREETING, MPI_COMM_WORLD,
                       &requests[1]);
    if (rc != MPI_SUCCESS)
        return error_set(error, ERROR_FARM, "rank 0 cannot be reached through MPI");
    rc = wait_for(requests, 2, error);
    if (rc == OK && verdict != VERDICT_BEGIN)
        rc = error_set(error, ERROR_FARM, "%s", ""); /* rank 0 says why */
    return rc;
}

static int begin(struct ranks **out, const struct ranks_options *options, struct error *error)
{
    struct ranks *ranks = memory_new(sizeof *ranks);
    char sentence[256];
    int rc;

    *out = ranks;
    ranks->options = *options;
    ranks->launcher = getppid();
    ranks->is_clean = true;
    snprintf(sentence, sizeof sentence,
             "%s: the ranks did not come together within %g s: is one missing, or unable to reach "
             "the others?",
             options->program, (double)options->limit_ns / (double)NS_PER_S);
    guard_start(sentence, options->limit_ns, ranks->launcher);
    rc = start(ranks, error);
    if (rc == OK)
        rc = check_launch(ranks, error);
    if (rc == OK)
        rc = ranks->rank ? greet_first(ranks, error) : greet_all(ranks, error);
    ranks->has_greeted = rc == OK;
    guard_stop();
    return rc;
}

static int open_link(struct link **out, struct ranks *ranks, struct error *error)
{
    return mpi_link_open(out, ranks, error);
}

/* A link of which no use was made is still closed with all others. */
static void close_unopened(struct ranks *ranks)
{
    struct link *link;

    if (!ranks->links && ranks->has_greeted && mpi_link_open(&link, ranks, NULL) == OK)
        link->ops->close(&link, 0);
}

/* The job is over for all ranks, whatever they do. */
static _Noreturn void abandon(struct ranks *ranks, int status)
{
    char sentence[64];

    if (getppid() != ranks->launcher)
        _exit(status);
    ranks_say(ranks, "not every rank ends; all are ended");
    snprintf(sentence, sizeof sentence, "%s: MPI does not end", ranks->options.program);
    guard_start(sentence, ABORT_NS, ranks->launcher);
    MPI_Abort(MPI_COMM_WORLD, status);
    _exit(status);
}

/*
 * Rank 0 tells how: after a signal nobody waits for MPI_Finalize, which would not return while
 * mpirun ends all ranks.
 */
static enum verdict agree_on_end(struct ranks *ranks, int status)
{
    MPI_Request request;
    char byte = VERDICT_FINALIZE;

    if (!ranks->has_greeted)
        return VERDICT_FINALIZE;
    if (!ranks->rank) {
        byte = status >= STATUS_SIGNAL ? VERDICT_LEAVE : VERDICT_FINALIZE;
        send_verdict(ranks, (enum verdict)byte, NULL);
    } else if (MPI_Irecv(&byte, 1, MPI_BYTE, 0, TAG_VERDICT, MPI_COMM_WORLD, &request) !=
                   MPI_SUCCESS ||
               wait_for(&request, 1, NULL) != OK) {
        return VERDICT_LEAVE;
    }
    return (enum verdict)byte;
}

static void end(struct ranks **out, int status)
{
    struct ranks *ranks = *out;
    char sentence[128];

    *out = NULL;
    if (ranks->has_mpi) {
        close_unopened(ranks);
        if (!ranks->is_clean)
            abandon(ranks, status ? status : 1);
        snprintf(sentence, sizeof sentence, "%s: MPI does not end: a rank hangs",
                 ranks->options.program);
        guard_start(sentence, END_NS, ranks->launcher);
        if (agree_on_end(ranks, status) == VERDICT_FINALIZE)
            MPI_Finalize();
        guard_stop();
    }
    memory_free(ranks);
}

__attribute__((visibility("default"))) const struct link_mpi_module sheaf_link_mpi = {
    .abi = LINK_MPI_ABI, .begin = begin, .open = open_link, .end = end};
