/*
 * A world: clients, a coordinator, workers and their pool processes, on virtual time, from one
 * seed. The nodes and the wire are the real ones; hosts, links, leaves and users are simulated.
 *
 * Nothing here is global: two worlds in one process do not know of each other.
 */
#ifndef SHEAF_SIM_WORLD_H
#define SHEAF_SIM_WORLD_H

#include "jobs.h"
#include "queue.h"
#include "random.h"
#include "swarm.h"

#include "base/limits.h"
#include "core/node.h"

struct world;
struct host;
struct leaf;

/* --- links ---------------------------------------------------------------------------------- */

/* A batch on its way. */
struct packet {
    struct packet *next;
    struct conduit *conduit;
    int to;
    bool is_loose;  /* a repetition: outside its lane's order */
    bool is_answer; /* holds results */
    struct bytes header;
    struct chunk payload;
};

struct direction { /* towards one end */
    struct packet *first, *last;
    int64_t last_arrival_ns, busy_until_ns, blocked_until_ns;
};

/* A task given over a conduit and not yet answered. */
struct given {
    uint64_t job, task;
    uint32_t attempt;
    enum task_kind kind;
    struct slice slice;
    struct place next; /* the next result must begin here */
};

/* One connection. End 0 listens (the coordinator, the parent of a pool), end 1 connects. */
struct conduit {
    uint64_t index;
    struct host *hosts[2];     /* NULL at end 1 of a pool's conduit */
    struct leaf *leaf;         /* end 1 of a pool's conduit */
    struct stranger *stranger; /* end 1 of one that no host of ours has */
    bool is_cut;               /* carries nothing any more */
    bool is_told[2];           /* that end is being told that it is over … */
    bool is_over[2];           /* … and knows, or has dropped it itself */
    bool has_dropped[2]; /* that end's node dropped it: nothing may come from there any more */
    struct direction lanes[2];
    uint64_t session; /* of the last greeting */
    uint32_t aliases; /* times the listener dropped it and it may speak again */
    int giver;        /* the end that gives tasks: -1 before the HELLO */
    uint32_t credit;  /* tasks that the taker will hold */
    struct given *given;
    size_t given_count, given_capacity;
    uint64_t *known_jobs;
    size_t known_count, known_capacity;
    int gone_signal; /* a pool process's end, until its host notices it */
    uint64_t gone_task;
    uint32_t gone_attempt;
};

/* When the transport itself notices that nothing passes, and tells who connected. */
#define CONDUIT_SILENCE_NS (7 * NS_PER_S)

struct conduit *conduit_new(struct world *world, struct host *upper, struct host *lower,
                            struct leaf *leaf);
void conduit_free(struct conduit *conduit);
/* How the node at `end` names its peer; and back. NULL: no such peer was ever. */
peer_id conduit_peer(const struct conduit *conduit, int end);
struct conduit *conduit_find(const struct world *world, peer_id peer, int *end);
/* Send a batch from an end; the messages are emptied. */
void conduit_send(struct world *world, struct conduit *conduit, int from,
                  struct message *const *messages, size_t count);
/* Break it: of each direction an arbitrary suffix is lost, the rest still arrives. No end is told.
 */
void conduit_cut(struct world *world, struct conduit *conduit);
/* Tell an end, unless it knows, that its peer is gone. */
void conduit_tell(struct world *world, struct conduit *conduit, int end, int64_t delay_ns);
/* A host connects upwards: what its last connection lost may come first. */
void conduit_replay(struct world *world, struct host *host, struct conduit *conduit);
void conduit_forget_stale(struct host *host);
/* Free what a happening that will not happen holds; false: it is not of this part. */
bool conduit_discard(struct happening *happening);

/* --- what passes over a link is watched (check.c) ------------------------------------------- */

/* Nothing of an earlier session on the connection stands any more. */
void check_new_session(struct conduit *conduit);
void check_sent(struct world *world, struct conduit *conduit, int from,
                const struct message *message);
void check_arrived(struct world *world, struct conduit *conduit, int to,
                   const struct message *message);

/* --- pool processes ------------------------------------------------------------------------- */

struct leaf {
    struct host *host;
    uint32_t slot;
    struct conduit *conduit;
    bool is_alive;
    uint64_t life; /* grows with each process in the slot */
    struct leaf_job {
        uint64_t id;
        struct job_spec spec;
    } * jobs;
    size_t job_count;
    struct message **queue; /* tasks in order; the first is being done while is_busy */
    size_t queue_count, queue_capacity;
    bool is_busy;
    bool dies;           /* the task will kill it */
    uint32_t job_number; /* of the task being done */
    struct message answer;
};

void leaf_start(struct world *world, struct leaf *leaf);
void leaf_receive(struct world *world, struct leaf *leaf, struct message *message);
/* The process dies. told: its host's link notices (not when the host dropped it itself, or is
 * dead).
 */
void leaf_die(struct world *world, struct leaf *leaf, int signal, bool told);
/* Forget everything, keep the slot. */
void leaf_clear(struct leaf *leaf);
/* May an innocent process die now, without the task it has begun being blamed for it too often? */
bool leaf_may_crash(struct world *world, struct leaf *leaf);

/* --- hosts ---------------------------------------------------------------------------------- */

enum host_kind { HOST_COORDINATOR, HOST_WORKER, HOST_CLIENT, HOST_ONESHOT };

struct host {
    struct world *world;
    uint32_t index;
    enum host_kind kind;
    struct node *node; /* NULL: not running */
    uint64_t life;
    bool is_paused, is_draining, has_files;
    int64_t clock_offset_ns, clock_rate_ppm;
    int64_t wake_ns; /* the tick that is in the queue */
    uint64_t wake_generation;
    uint32_t ticks_at_once;
    int64_t last_tick_ns;
    struct event *inbox; /* while paused */
    size_t inbox_count, inbox_capacity;
    struct conduit *up;       /* towards the coordinator … */
    struct host *above;       /* … or who listens in its place */
    int64_t blocked_until_ns; /* a partition */
    struct leaf *leaves;
    uint32_t leaf_count;
    int64_t leaf_speed_per_mille; /* 1000: as fast as the job says */
    struct packet **stale;        /* lost by the last connection */
    size_t stale_count;
    struct actions actions;
    /* clients */
    struct sim_job *job;
    uint64_t *stream_at; /* units read so far of each source */
    int64_t input_ns;    /* when the last read that was asked for ends */
    /* what is on its disk: the last snapshot, and one that is being written */
    struct bytes saved, saving;
};

void host_start(struct world *world, struct host *host);
/* The process is gone at once: a crash, or an end. */
void host_stop(struct world *world, struct host *host);
void host_stop_later(struct world *world, struct host *host, int64_t delay_ns);
/* A step of its node, now or when its pause ends. The event's message and bytes are taken over. */
void host_event(struct world *world, struct host *host, struct event *event);
void host_pause(struct world *world, struct host *host);
void host_resume(struct world *world, struct host *host);
void host_connect_later(struct world *world, struct host *host, int64_t delay_ns);
int64_t host_now(const struct host *host);
void host_free(struct host *host);

/* What a client's shell does with an action of its node's. */
void shell_submit(struct world *world, struct host *host);
void shell_perform(struct world *world, struct host *host, struct action *action);
bool shell_discard(struct happening *happening);

/* --- strangers ------------------------------------------------------------------------------ */

enum stranger_kind { STRANGER_HOSTILE, STRANGER_OBSERVER, STRANGER_FOREIGN, STRANGER_KINDS };

struct stranger {
    enum stranger_kind kind;
    struct conduit *conduit;
    struct message_task task; /* the last it was given */
};

/* Those of the swarm's classes come, and leave when the world is healed. */
void strangers_come(struct world *world);
void stranger_hears(struct world *world, struct stranger *stranger, struct message *message);

/* --- checkpoints of a one-shot command ------------------------------------------------------- */

/* After a step, all of whose actions were performed. */
void resume_keep(struct world *world, struct host *host);
/* What its next life goes on from; false: from the begin. */
bool resume_read(struct world *world, struct host *host, struct snapshot *snapshot);
void resume_plan(struct world *world);

/* --- faults --------------------------------------------------------------------------------- */

void faults_plan(struct world *world);
void faults_heal(struct world *world);

/* --- the world ------------------------------------------------------------------------------ */

struct world {
    uint64_t seed;
    struct swarm swarm;
    struct queue queue;
    int64_t now_ns;
    struct random network, leaves, faults, shells, strangers, kills;
    struct stranger stranger[STRANGER_KINDS];
    struct host **hosts; /* the coordinator is the first */
    uint32_t host_count;
    struct conduit **conduits;
    size_t conduit_count, conduit_capacity;
    struct sim_job *jobs;
    uint32_t job_count;
    bool is_healed;
    bool is_traced;
    uint32_t losses_left;
    int64_t heal_ns, end_ns;
    /* Deaths of processes that had begun something innocent, by job and range. */
    struct innocent {
        uint32_t job;
        struct slice slice;
    } * innocents;
    size_t innocent_count;
    uint64_t hash;
    uint64_t happenings, steps, messages;
    char failure[512]; /* empty: none */
};

struct world_report {
    uint64_t hash, happenings, steps, messages;
    int64_t virtual_ns;
    uint32_t classes;
    char failure[512];
};

/* Run one world from beginning to end. */
void world_run(uint64_t seed, struct swarm_filter filter, bool is_traced,
               struct world_report *report);

void world_trace(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void world_hash(struct world *world, uint64_t value);
/* Note the first thing that is wrong; the world ends. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_later(struct world *world, int64_t delay_ns, happening_run *run, void *subject,
                 uint64_t number);

#endif
