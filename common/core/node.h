/*
 * A node: takes work from above, cuts it, gives the pieces to its children, glues what comes back,
 * answers above. One code at every level; a state machine without I/O, clock, threads or callbacks:
 * events in, actions out.
 *
 * The one-shot command and a client are root nodes: their single job is submitted by the shell
 * (EVENT_SUBMIT) and answered to it (ACTION_VALUES, ACTION_END). Coordinators and workers are given
 * tasks by messages from givers.
 */
#ifndef SHEAF_CORE_NODE_H
#define SHEAF_CORE_NODE_H

#include "core/message.h"
#include "core/snapshot.h"
#include "source/segment.h"

#include <stdbool.h>
#include <stdint.h>

struct node;

typedef uint64_t peer_id; /* given by the shell; never reused within a process; 0 is nobody */

struct node_options {
    uint64_t memory_bytes; /* --memory: window shared by the jobs */
    int64_t task_ns;       /* --task-ms */
    int64_t silence_ns;    /* a watched child silent for longer is lost */
    int64_t client_silence_ns;
    uint64_t seed; /* for jitter and sessions */
    char host[64]; /* what HELLO says of this node */
    uint32_t pid;
    uint32_t slots_hint;    /* a worker's pool processes */
    uint32_t credit_tasks;  /* tasks held at once for one giver; 0: CLIENT_CREDIT */
    enum role role;         /* what HELLO says upwards: ROLE_WORKER or ROLE_CLIENT */
    bool expects_workers;   /* that one joins is no news */
    bool data_by_value;     /* --data value: files travel by value */
    bool data_by_reference; /* --data reference: files never do; a file that no worker can open is
                               FAULT_UNREADABLE */
};

enum event_type {
    EVENT_TICK = 1,  /* time passed; also sent once after a long pause of our own */
    EVENT_CONNECTED, /* a link upwards (worker → coordinator, client → coordinator) is open: the
                        node says HELLO */
    EVENT_GONE, /* a peer is gone: the link says so (a pool process died, a connection closed) */
    EVENT_MESSAGE,
    EVENT_SUBMIT,  /* root: the job; spec is taken over */
    EVENT_INPUT,   /* root: bytes the node asked for with ACTION_READ, or the end of a stream */
    EVENT_PRINTED, /* root: that many bytes of ACTION_VALUES have left the output queue */
    EVENT_CANCEL,  /* root: the user wants no more */
    EVENT_DRAIN    /* worker, coordinator: finish what is held, take no more */
};

struct event {
    enum event_type type;
    int64_t now_ns; /* monotonic; on every event */
    peer_id peer;
    struct message *message;   /* EVENT_MESSAGE: emptied by the step */
    struct job_spec *spec;     /* EVENT_SUBMIT: its content is taken over; zeroed by the step */
    struct snapshot *snapshot; /* EVENT_SUBMIT: where to go on, sound for the spec; emptied by the
                                  step. NULL: from the begin */
    struct {
        int signal; /* EVENT_GONE: what killed the pool process, 0 unknown or a clean end */
        uint64_t started_task; /* the task it had begun and not finished, 0: none */
        uint32_t started_attempt;
    } gone;
    struct {
        uint32_t source;
        uint64_t unit;      /* first unit of `bytes` */
        struct chunk bytes; /* emptied by the step; whole units */
        bool end;           /* the stream ends behind these bytes */
        bool changed;       /* the file is not the one described */
        char failure[128];  /* reading failed: the sentence, else empty */
    } input;
    uint64_t printed_bytes;
};

enum action_type {
    ACTION_SEND = 1, /* the message to the peer */
    ACTION_DROP,     /* close the link to the peer (a pool process is killed and started again when
                        needed) */
    ACTION_READ,   /* root: bring units [unit, unit + units) of a source (a stream: the next at most
                      `units`) */
    ACTION_VALUES, /* root: closed values, in order, to print: payload is an encoding of struct
                      values */
    ACTION_END,    /* root: the job is over; fault.kind FAULT_NONE: whole */
    ACTION_NOTICE  /* a sentence for standard error (the last worker is gone, …) */
};

struct action {
    enum action_type type;
    peer_id peer;
    struct message message; /* ACTION_SEND */
    struct {
        uint32_t source;
        uint64_t unit, units;
    } read;
    struct {
        struct chunk packed;
        uint64_t count;
    } values;
    struct fault fault; /* ACTION_END */
    char notice[256];
};

/* A growing list; the shell performs and clears it after each step. */
struct actions {
    struct action *items;
    size_t count, capacity;
};
struct action *actions_add(struct actions *actions, enum action_type type, peer_id peer);
void actions_clear(struct actions *actions); /* empties it, keeps its room */
void actions_free(struct actions *actions);

struct node_stats {
    uint64_t elements, units, tasks, pieces_done, retries, duplicates, speculative, lost_children;
    uint64_t workers, slots, jobs, running;
};

void node_new(struct node **out, const struct node_options *options);
void node_free(struct node **node);
/* One step. The only entry; never fails: what a peer did wrong becomes an ACTION_DROP. */
void node_step(struct node *node, struct event *event, struct actions *actions);
/* For tests, between two steps: NULL, or the invariant that does not hold, as it stands in the
 * code.
 */
const char *node_check(const struct node *node);
/* When the next EVENT_TICK is due, INT64_MAX: never. */
int64_t node_deadline(const struct node *node);
/* A draining node that holds nothing any more may stop. */
bool node_is_idle(const struct node *node);
void node_get_stats(const struct node *node, struct node_stats *stats);
/*
 * Since when the link upwards has had nobody that answers (client: no coordinator; worker: none),
 * INT64_MAX while there is one (its WELCOME came and it was not lost since). A node that was just
 * made counts from its first step. For --give-up and for the line that says so.
 */
int64_t node_unreachable_since(const struct node *node);
/*
 * What `sheaf status` shows, as JSON text: { "workers": [{ "host", "pid", "slots", "running",
 * "done", "rate", "state" }], "jobs": [{ "op", "progress", "state" }] }; rate in elements or bytes
 * a second, progress from 0 to 1.
 */
void node_status(const struct node *node, struct bytes *json);
/*
 * Root: what has been counted of the job, between two steps whose actions were all performed (so
 * that what was answered is what the shell was given). false: nothing since the last time, or no
 * job, or one that will end in a fault anyway; `out` is then empty.
 */
bool node_snapshot(struct node *node, struct snapshot *out);
/* Root: how much is counted, and of how much; in a unit of no meaning but to the progress bar. */
void node_progress(const struct node *node, uint64_t *done, uint64_t *all);

#endif
