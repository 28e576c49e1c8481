/*
 * What every link must do, as one suite of cases. A subject opens a link whose only peer is a
 * partner process: this same program, running conformance_partner().
 *
 * The partner answers each TASK with a RESULT that has the task's number and payload; a task's job
 * number says what else it does first.
 */
#ifndef SHEAF_TESTS_LINK_CONFORMANCE_H
#define SHEAF_TESTS_LINK_CONFORMANCE_H

#include "link/link.h"

enum partner_order {
    PARTNER_ECHO = 1,
    PARTNER_PAUSE,   /* sleep for 300 ms, then echo */
    PARTNER_DIE,     /* start the task, then SIGKILL itself */
    PARTNER_STOP,    /* start the task, then SIGSTOP itself */
    PARTNER_LEAVE,   /* exit; the status is how many tasks came before (7 bits) */
    PARTNER_GARBAGE, /* send what no sound peer sends */
    PARTNER_COUNT_FDS,
    PARTNER_TOUCH_SLACK /* read the bytes around the payload */
};

/* The partner's two ways to its link. */
struct partner {
    void *context;
    bool (*receive)(void *context, struct message *message);
    bool (*send)(void *context, struct message *message);
    void (*started)(void *context, uint64_t task, uint32_t attempt); /* may be NULL */
    void (*garbage)(void *context);
};

int conformance_partner(const struct partner *partner);

struct subject {
    const char *name;
    struct link *link;
    link_peer peer;
    bool (*open)(struct subject *subject);
    void (*close)(struct subject *subject); /* what is beside the link */
    void (*kill_partner)(struct subject *subject);
    bool hears_of_death;   /* without sending anything */
    bool sends_no_garbage; /* that is tested elsewhere */
    int partner_pid;
    void *context;
};

/* Run all cases with CUnit over each subject; the program's exit status. */
int conformance_run(struct subject *const *subjects, size_t count);

/* The next event of a link, flushing and sleeping as a loop would. LINK_NOTHING: none in time. */
enum link_event_type conformance_wait(struct link *link, struct link_event *event, int timeout_ms);
void conformance_order(struct message *message, enum partner_order order, uint64_t task,
                       size_t payload_bytes);

#endif
