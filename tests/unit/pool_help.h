/* A pool whose processes are the test program itself, which is then called with --leaf FD. */
#ifndef SHEAF_TESTS_POOL_HELP_H
#define SHEAF_TESTS_POOL_HELP_H

#include "base/memory.h"
#include "link/link_pool.h"
#include "link_conformance.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };
/* In the environment: a pool process stops itself before its first word. */
#define STOP_BEFORE_HELLO "SHEAF_TEST_STOPS"

/* ---- the partner: a pool process ---- */

struct leaf {
    struct pool_child *child;
    int fd;
};

static inline bool leaf_receive(void *context, struct message *message)
{
    return pool_child_receive(((struct leaf *)context)->child, message);
}

static inline bool leaf_send(void *context, struct message *message)
{
    return pool_child_send(((struct leaf *)context)->child, message);
}

static inline void leaf_started(void *context, uint64_t task, uint32_t attempt)
{
    pool_child_started(((struct leaf *)context)->child, task, attempt);
}

static inline void leaf_garbage(void *context)
{
    static const char GARBAGE[100] = "this is no frame of a batch at all";
    ssize_t n = send(((struct leaf *)context)->fd, GARBAGE, sizeof GARBAGE, 0);

    if (n < 0)
        _exit(1);
}

static inline int run_leaf(int fd)
{
    struct leaf leaf = {.fd = fd};
    struct partner partner = {&leaf, leaf_receive, leaf_send, leaf_started, leaf_garbage};
    struct error error;
    int status;

    if (getenv(STOP_BEFORE_HELLO))
        raise(SIGSTOP);
    if (pool_child_open(&leaf.child, fd, &error) != OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    status = conformance_partner(&partner);
    pool_child_free(&leaf.child);
    return status;
}

/* ---- its parent ---- */

static inline bool open_pool(struct link **link, uint32_t processes)
{
    struct pool_options options = {.program = "/proc/self/exe", .processes = processes};
    struct error error = {0};
    int rc = link_pool_open(link, &options, &error);

    if (rc != OK)
        printf("%s\n", error.text);
    return rc == OK;
}

static inline bool next_hello(struct link *link, link_peer *peer)
{
    struct link_event event;
    bool is_hello = conformance_wait(link, &event, WAIT_MS) == LINK_MESSAGE &&
                    event.message.type == MESSAGE_HELLO &&
                    event.message.hello.role == ROLE_PROCESS && event.message.hello.slots == 1;

    *peer = event.peer;
    return is_hello;
}

static inline void give(struct link *link, link_peer peer, enum partner_order order, uint64_t task)
{
    struct message message;

    conformance_order(&message, order, task, 0);
    link->ops->send(link, peer, &message, 1);
}

#endif
