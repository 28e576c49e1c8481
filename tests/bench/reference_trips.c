/* Round trips that carry nothing: what a task through the same hops cannot beat by much. */
#include "reference.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum { MESSAGE_BYTES = 64 };

static int compare_double(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Report the median of `rounds` calls of trip(). */
static void report_median(uint64_t rounds, void (*trip)(void *context), void *context)
{
    double *seconds = calloc(rounds ? rounds : 1, sizeof *seconds);

    if (!seconds)
        reference_fail("memory");
    for (uint64_t i = 0; i < rounds; i++) {
        double start = reference_seconds();

        trip(context);
        seconds[i] = reference_seconds() - start;
    }
    qsort(seconds, rounds, sizeof *seconds, compare_double);
    reference_report(seconds[rounds / 2]);
    free(seconds);
}

/* Fork a process that ends with this one; 0 in the child. */
static pid_t fork_child(void)
{
    pid_t child = fork();

    if (child < 0)
        reference_fail("fork");
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static void pair_trip(void *context)
{
    int fd = *(int *)context;
    char message[MESSAGE_BYTES] = {0};

    if (send(fd, message, sizeof message, 0) < 0 || recv(fd, message, sizeof message, 0) <= 0)
        reference_fail("socketpair");
}

static _Noreturn void pair_echo(int fd)
{
    char message[MESSAGE_BYTES];
    ssize_t length;

    while ((length = recv(fd, message, sizeof message, 0)) > 0)
        if (send(fd, message, (size_t)length, 0) < 0)
            break;
    _exit(0);
}

void reference_trip_pair(uint64_t rounds)
{
    int fds[2];
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        reference_fail("socketpair");
    child = fork_child();
    if (child == 0) {
        close(fds[0]);
        pair_echo(fds[1]);
    }
    close(fds[1]);
    report_median(rounds, pair_trip, &fds[0]);
    close(fds[0]);
    waitpid(child, NULL, 0);
}

static void *open_socket(void *context, int type, const char *endpoint)
{
    void *socket = zmq_socket(context, type);
    int rc = type == ZMQ_ROUTER ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint);

    if (rc < 0)
        reference_fail(endpoint);
    return socket;
}

/* One message with its routing id from one socket to another. */
static void pass_on(void *from, void *to, int strip)
{
    char id[256], body[MESSAGE_BYTES];
    int id_length = zmq_recv(from, id, sizeof id, 0);
    int length = zmq_recv(from, body, sizeof body, 0);

    if (id_length < 0 || length < 0)
        reference_fail("zmq_recv");
    if (!strip)
        zmq_send(to, id, (size_t)id_length, ZMQ_SNDMORE);
    zmq_send(to, body, (size_t)length, 0);
}

/* A worker: a DEALER that answers what it gets. */
static _Noreturn void dealer_echo(const char *endpoint)
{
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, ZMQ_DEALER, endpoint);
    char message[MESSAGE_BYTES] = "hello";

    for (;;) {
        zmq_send(socket, message, sizeof message, 0);
        if (zmq_recv(socket, message, sizeof message, 0) < 0)
            _exit(1);
    }
}

/* A coordinator: a ROUTER between a client and a worker, as the bare code for it would be. */
static _Noreturn void router_between(const char *endpoint_client, const char *endpoint_worker)
{
    void *context = zmq_ctx_new();
    void *clients = open_socket(context, ZMQ_ROUTER, endpoint_client);
    void *workers = open_socket(context, ZMQ_ROUTER, endpoint_worker);
    char worker[256], client[256], message[MESSAGE_BYTES];
    int worker_length = zmq_recv(workers, worker, sizeof worker, 0);

    zmq_recv(workers, message, sizeof message, 0);
    for (;;) {
        int client_length = zmq_recv(clients, client, sizeof client, 0);

        zmq_send(workers, worker, (size_t)worker_length, ZMQ_SNDMORE);
        zmq_recv(clients, message, sizeof message, 0);
        zmq_send(workers, message, sizeof message, 0);
        zmq_send(clients, client, (size_t)client_length, ZMQ_SNDMORE);
        pass_on(workers, clients, 1);
    }
}

static void router_trip(void *socket)
{
    char message[MESSAGE_BYTES] = {0};

    if (zmq_send(socket, message, sizeof message, 0) < 0 ||
        zmq_recv(socket, message, sizeof message, 0) < 0)
        reference_fail("zmq");
}

void reference_trip_router(uint64_t rounds)
{
    char endpoints[2][64];
    pid_t children[2];
    void *context, *socket;

    for (int i = 0; i < 2; i++)
        snprintf(endpoints[i], sizeof endpoints[i], "ipc:///tmp/bench-reference-%d-%d",
                 (int)getpid(), i);
    children[0] = fork_child();
    if (children[0] == 0)
        router_between(endpoints[0], endpoints[1]);
    children[1] = fork_child();
    if (children[1] == 0)
        dealer_echo(endpoints[1]);
    context = zmq_ctx_new();
    socket = open_socket(context, ZMQ_DEALER, endpoints[0]);
    router_trip(socket);
    report_median(rounds, router_trip, socket);
    zmq_close(socket);
    for (int i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
        unlink(endpoints[i] + strlen("ipc://"));
    }
    zmq_ctx_term(context);
}
