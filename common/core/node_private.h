/* What the files of the node share; nobody else includes it. */
#ifndef SHEAF_CORE_NODE_PRIVATE_H
#define SHEAF_CORE_NODE_PRIVATE_H

#include "base/memory.h"
#include "core/merge.h"
#include "core/mutant.h"
#include "core/node.h"
#include "core/plan.h"

#define uthash_malloc(bytes) memory_new(bytes)
#define uthash_free(pointer, bytes) memory_free(pointer)
#include <uthash.h>

enum {
    COST_MIN = 65536,       /* a slice below this is not worth a task … */
    COST_FIRST = 4 * 65536, /* … and the first ones, of unknown speed, are of this size */
    COST_GROWTH = 8,        /* a slice is at most so many times the largest that came back */
    WORKER_ROOM_MAX = 8 << 20,
    WORKER_VALUE_BYTES = 4 << 20, /* by-value bytes a worker holds unacknowledged … */
    WHOLE_VALUE_BYTES = 16 << 20, /* … and a coordinator, of one client */
    UNPRINTED_MAX = 8 << 20,      /* values handed to the shell and not yet printed */
    VALUES_BATCH = 64 << 10,      /* root: values handed over at once … */
    PART_BYTES = 256 << 10,       /* and answered at once … */
    CLIENT_CREDIT = 4096,
    JOBS_MAX = 65536,     /* described by a coordinator and not forgotten … */
    CLIENT_JOBS_MAX = 64, /* … and by a client */
    INPUT_AHEAD = 8       /* reads under way at once */
};
#define STATUS_PAUSE_NS (50 * NS_PER_MS) /* between two answers to one who asks for the status */
#define VALUES_PAUSE_NS (50 * NS_PER_MS) /* … or after this long */
#define PART_PAUSE_NS (500 * NS_PER_MS)

struct work;
struct job;
struct task;

/* A task's hold on a child. */
struct lease {
    struct task *task;
    struct peer *child;            /* NULL: not in use */
    struct lease *previous, *next; /* the child's leases, oldest first */
    uint32_t attempt;
    uint64_t room_bytes; /* granted and not used … */
    uint64_t past_bytes; /* … or used beyond: the next grant pays for it */
    uint64_t payload_bytes;
    int64_t expected_ns;
    struct place answered; /* where its next part begins */
    int64_t due_ns;        /* later than this it is slow: an idle child may run it too */
};

/* A range (or a pair to glue) that children work on: one of them, or two when one is slow. */
struct task {
    uint64_t id;
    UT_hash_handle hh;
    struct work *work;
    struct tile *tile;
    enum task_kind kind;
    uint32_t attempts;
    struct lease lease[2];
    struct task *older, *newer; /* all tasks of the node, by the time they were first given */
};

/* CAPACITY_FRONT: a worker whose slots have work enough, perhaps work that waits for room; it still
 * takes what holds up the output. */
enum capacity { CAPACITY_NONE, CAPACITY_FRONT, CAPACITY_SOME, CAPACITY_IDLE };

struct peer {
    peer_id id;
    UT_hash_handle hh;
    enum role role;
    bool is_dialled; /* we connected to it: it is above a worker, or a client's coordinator */
    bool is_ready;   /* the handshake is done */
    bool is_watched; /* heartbeats both ways; silence means loss */
    bool is_taker, is_giver;
    bool takes_whole; /* a coordinator, to its client: it cuts for itself */
    bool is_draining;
    bool had_workers; /* a coordinator: it had some when we last heard */
    char host[64];
    uint32_t pid, slots, credit;
    uint64_t session;
    int64_t heard_ns, spoke_ns, greeted_ns;
    int64_t told_status_ns;
    bool wants_status; /* asked again too soon */
    /* taker */
    struct lease *oldest, *newest;
    uint32_t running;
    uint64_t done, payload_bytes;
    int64_t queued_ns;
    uint32_t blamed;   /* leases that had been started when it was lost */
    bool spares_tasks; /* … which says nothing against its tasks: it is alive */
    uint64_t rate_job;
    double rate; /* cost per ns and slot on rate_job */
    enum capacity capacity;
    struct peer *capacity_previous, *capacity_next;
    /* giver: what it has described and asked for, and we have not finished */
    struct {
        uint32_t jobs, tasks;
        uint64_t value_bytes;
    } asked;
};

struct peer_list {
    struct peer *first, *last;
};

/* That a child was told of a job, and whether it cannot open the job's files. */
struct known {
    peer_id peer;
    bool is_blind;
    UT_hash_handle hh;
};

struct job {
    uint64_t id; /* towards children; a new one when the spec changes */
    struct job_key {
        peer_id giver; /* 0: the shell */
        uint64_t number;
    } key;
    struct job_spec *spec;
    const struct op *op;
    struct known *known;
    struct work *first, *last;
    struct work *to_give;        /* works before it have nothing to give */
    struct job *previous, *next; /* all jobs, in turn */
    UT_hash_handle hh;           /* by giver and giver_job */
    int64_t deficit_ns;
    bool is_dry;                /* has nothing for the child that is served just now */
    double rate[TASK_GLUE + 1]; /* cost per ns and slot, by task kind; 0: not known */
    double closed_ratio;        /* bytes of closed values per cost */
    cost cost_done_max;
    cost cost_done, cost_all;
    bool is_root;
};

/* A task from above, or the root's whole job. */
struct work {
    struct job *job;
    struct work *previous, *next;
    struct message_task asked; /* what the giver asked; the root's slice is the whole job */
    enum task_kind phase;      /* what children do now: counting may come before folding */
    struct plan plan;
    struct merge merge;
    struct place answered;
    uint64_t room_bytes, sent_bytes; /* for answers above: granted and used, in all */
    uint64_t value_bytes;            /* that came with it */
    uint64_t busy_ns, units;         /* since the last answer */
    int64_t answered_ns;
    uint64_t reserved_bytes; /* rooms granted to children */
    uint64_t tasks;          /* outstanding */
    uint32_t reads;          /* ACTION_READs under way … */
    uint32_t input_source; /* … of the stream at the plan's begin, and the next unit to ask for */
    uint64_t input_unit;
    /* root */
    uint64_t values_bytes, values_count; /* handed over, from the job's begin on */
    bool is_unsaved;                     /* something was counted since the last snapshot */
};

struct node {
    struct node_options options;
    struct peer *peers; /* by id */
    /* takers: idle ones (last used first), others that take more (in turn), and full ones */
    struct peer_list idle, some, full;
    struct task *tasks; /* by id */
    struct task *oldest, *newest;
    struct job *jobs, *jobs_last;
    struct job *jobs_by_key;
    uint64_t next_task, next_job, random;
    uint64_t slots;   /* of all takers */
    uint64_t watched; /* peers that want heartbeats or a HELLO again */
    uint64_t unprinted_bytes;
    uint64_t held_bytes, reserved_bytes; /* of all works */
    int64_t now_ns, promised_ns, beat_ns;
    int64_t unreachable_ns; /* since when nobody above answers; INT64_MAX: somebody does */
    int64_t status_ns; /* when those who asked too soon for the status are told; INT64_MAX: none */
    int64_t answer_ns; /* when works with something to answer are looked at again */
    bool is_draining;
    bool said_no_workers, has_stepped;
    char said_refusal[256]; /* what is the same again is not said again */
    bool has_waiting;       /* some front may be waiting for a child */
    bool look_for_eyes;     /* a child that may have been the last to see a file is gone or blind */
    struct actions *actions; /* of the step under way */
    struct node_stats stats;
};

/* node_peer.c: handshake, heartbeats, losses */
void peer_message(struct node *node, peer_id from, struct message *message);
void peer_connected(struct node *node, peer_id id);
void peer_lost(struct node *node, struct peer *peer, const struct event *event);
/* Returns whether the second was over. */
bool peers_tick(struct node *node);
void peers_shift(struct node *node, int64_t gap_ns);
int64_t peers_deadline(const struct node *node);
struct peer *peer_find(const struct node *node, peer_id id);
void peer_send(struct node *node, struct peer *peer, struct message *message);
void peer_drop(struct node *node, struct peer *peer);
/* It says or asks for what cannot be: dropped, or, if we depend on it, greeted anew. That is
 * nothing against its tasks. */
void peer_misbehaves(struct node *node, struct peer *peer);
/* node_capacity.c */
void peer_update_capacity(struct node *node, struct peer *peer);
/* To the end of its list. */
void peer_stand_back(struct node *node, struct peer *peer);
void peer_free(struct node *node, struct peer *peer);
void notice(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* node_status.c */
void status_asked(struct node *node, struct peer *peer);
void statuses_tell(struct node *node);

/* node_job.c: jobs and works, from above */
bool job_is_possible(const struct job_spec *spec);
struct job *job_new(struct node *node, peer_id giver, uint64_t giver_job, struct job_spec *spec);
struct job *job_find(const struct node *node, peer_id giver, uint64_t giver_job);
/* Tasks that a giver may have here at once. */
uint32_t own_credit(const struct node *node);
void job_rename(struct node *node, struct job *job);
void job_free(struct node *node, struct job *job);
struct known *job_known(const struct job *job, const struct peer *peer);
struct work *work_new(struct node *node, struct job *job, struct message *task);
void work_free(struct node *node, struct work *work);
void work_cancel_tasks(struct node *node, struct work *work);
struct work *work_find(struct job *job, uint64_t task, uint32_t attempt);
/* Something of the work may be given (again). */
void work_wake(struct node *node, struct work *work);
void job_take_task(struct node *node, struct peer *giver, struct message *message);

/* node_size.c: how much at once */
/* Cost of the next slice for this child; all: the cost of what is to be cut, if it is not the
 * plan's rest. */
cost cost_wanted(const struct node *node, const struct work *work, const struct peer *peer,
                 cost all);
/* Bytes of results that a child may be granted for one task, and that it should be for one of this
 * cost. */
uint64_t room_max(const struct node *node, const struct peer *peer);
uint64_t room_wanted(const struct node *node, const struct work *work, const struct peer *peer,
                     cost planned);
bool has_room(const struct node *node, const struct work *work, uint64_t room, bool is_front);
/* Closed values in a run, beyond which it is not glued further: one answer's worth. */
uint64_t run_bytes_max(const struct node *node);
/* Values that may wait to be printed or answered at the front of a work. */
uint64_t unprinted_max(const struct node *node);
/* Change what is reserved for the work's results. */
void reserve(struct node *node, struct work *work, uint64_t bytes);
void unreserve(struct node *node, struct work *work, uint64_t bytes);
/* `tasks` times what a task should take on all of the child's slots. */
int64_t slots_ns(const struct node *node, const struct peer *peer, int tasks);
/* Slot time. */
int64_t expected_ns(const struct node *node, const struct work *work, const struct peer *peer,
                    cost planned);

/* node_lease.c */
void give_lease(struct node *node, struct task *task, struct peer *peer, uint64_t room);

/* node_front.c: what holds up the output */
/* A pair to be glued by a child; relaxed: also one of very different weights. */
bool pair_give(struct node *node, struct work *work, struct peer *peer, bool relaxed,
               int64_t *cost_ns);
void fronts_give(struct node *node);
/* If all children hold nothing but slices that may wait for the front (they take one task at a
 * time), one of these is taken back. */
void fronts_unstick(struct node *node);

/* node_give.c: what goes to which child */
/* The first slice that is not counted, if it waits to be given. */
bool give_front_slice(struct node *node, struct work *work, struct peer *peer, int64_t *cost_ns);
int64_t give_tile(struct node *node, struct work *work, struct peer *peer, struct tile *tile,
                  enum task_kind kind);
/* Some unit of the slice is in a file. */
bool slice_touches_files(const struct job_spec *spec, const struct slice *slice);
void give_all(struct node *node);
int64_t give_deadline(const struct node *node);

/* node_task.c: tasks, leases and what comes back */
struct task *task_new(struct node *node, struct work *work, struct tile *tile, enum task_kind kind);
struct lease *task_lease(struct node *node, struct task *task, struct peer *child);
void lease_end(struct node *node, struct lease *lease);
void task_end(struct node *node, struct task *task);
void task_cancel(struct node *node, struct task *task);
/* Cancel it; what it has not answered waits to be given again. */
void lease_take_back(struct node *node, struct lease *lease);
void lease_lost(struct node *node, struct lease *lease, const struct event *event);
/* What is at the front of the output may always go on; it is bounded by what is answered or
 * printed. */
void task_top_up(struct node *node, struct work *work);
void task_result(struct node *node, struct peer *child, struct message *message);
void task_declined(struct node *node, struct peer *child, const struct message *message);

/* node_answer.c: what goes above */
void work_advance(struct node *node, struct work *work);
/* A run has grown: whatever lies behind a fault in it is dropped; then as work_advance. */
void work_counted(struct node *node, struct work *work, struct tile *run);
/* A range that cannot be had is a fault at its begin: what stands before it is still counted. */
void tile_fails(struct node *node, struct work *work, struct tile *tile, const struct fault *fault);
/* Pool processes died with this range, the first that is not counted or near it: whoever gave the
 * work hears of it now, as this pool may be lost next. The work may end by it. */
void work_tell_deaths(struct node *node, struct work *work, const struct tile *tile);
/* A worker glued a pair for the giver: pass its answer on as it is. */
void work_relay_glued(struct node *node, struct work *work, struct message *message);
/* Decline works whose files no child can open any more. */
void works_decline_unseen(struct node *node);
void work_fail(struct node *node, struct work *work, const struct fault *fault);

/* node_snapshot.c */
/* Go on from a snapshot that is sound; it is emptied. The work is new and has given nothing. */
void work_resume(struct node *node, struct work *work, struct snapshot *snapshot);

/* node_input.c: the root's bytes by value */
void input_prepare(struct node *node, struct job *job);
void input_ask(struct node *node, struct work *work);
void input_take(struct node *node, struct event *event);
void input_read_fresh(struct node *node, struct work *work);
void input_read_tile(struct node *node, struct work *work, struct tile *tile);

#endif
