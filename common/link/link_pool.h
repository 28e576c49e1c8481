/*
 * The pool: N slots, each a process of its own (`sheaf-worker --leaf FD`), started when its
 * first task is sent, and started again when it died. Each slot appears as a peer that says HELLO
 * (1 slot).
 *
 * Control through a socketpair, bulk bytes through shared memory (memfd). A death is noticed at
 * once by end-of-file and pidfd, a stop by waitid(WSTOPPED). The task a process had started is in
 * shared memory, so that blame is exact. A process that was stopped is killed and reported with
 * signal SIGSTOP and no task: nobody is to blame for that.
 *
 * The thread that flushes the link must live as long as this process: the system ends pool
 * processes when the thread that started them ends. Closing lingers for nothing.
 */
#ifndef SHEAF_LINK_LINK_POOL_H
#define SHEAF_LINK_LINK_POOL_H

#include "link/link.h"

struct pool_options {
    const char *program; /* path of sheaf-worker; NULL: beside this executable */
    uint32_t processes;  /* -j; 0: the CPUs this process may use */
    int log_level;
    bool starts_now; /* all processes, not each with its first task: before MPI does */
};

int link_pool_open(struct link **out, const struct pool_options *options, struct error *error);
/* A peer of this link is one life of a slot: the slot's number, from 0, lies in its low bits. */
enum { POOL_SLOT_BITS = 16 };

static inline uint32_t pool_slot_of(link_peer peer)
{
    return (uint32_t)peer & ((1u << POOL_SLOT_BITS) - 1);
}

/* Affinity and the quotas of control groups, version 1 and 2; at least 1. */
uint32_t pool_usable_cpus(void);

/*
 * The other end, inside the pool process: a blocking loop's view of its parent.
 * leaf_receive blocks; returns false when the parent is gone. Incoming CANCEL and FORGET can be
 * polled for.
 */
struct pool_child;
int pool_child_open(struct pool_child **out, int fd, struct error *error);
bool pool_child_receive(struct pool_child *child,
                        struct message *message); /* blocks; false: parent gone */
bool pool_child_poll(
    struct pool_child *child,
    struct message *message); /* does not block, looks every 50 µs; false: nothing */
void pool_child_started(struct pool_child *child, uint64_t task,
                        uint32_t attempt); /* 0: finished */
/*
 * Blocks; empties the message; false: parent gone. Small results leave together: at once when
 * pool_child_receive finds nothing more to read, else after 32 KiB or 200 µs (asked at every call
 * of send and poll).
 */
bool pool_child_send(struct pool_child *child, struct message *message);
/* Before work that takes long: what was gathered leaves now. false: parent gone. */
bool pool_child_flush(struct pool_child *child);
void pool_child_free(struct pool_child **child);

#endif
