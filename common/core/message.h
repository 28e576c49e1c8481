/*
 * Every message as a C struct. The node speaks these; wire/ turns them into bytes and back (so they
 * stand here, above wire/). wire/PROTOCOL.md is the same for people.
 *
 * Giver: gives tasks (a client to its coordinator, a coordinator to its worker, a worker to its
 * pool process). Taker: takes them. Whoever connects speaks first, with HELLO.
 */
#ifndef SHEAF_CORE_MESSAGE_H
#define SHEAF_CORE_MESSAGE_H

#include "base/chunk.h"
#include "source/job.h"

enum message_type {
    MESSAGE_HELLO = 1, /* who connects: version, role, host, pid, slots */
    MESSAGE_WELCOME,   /* the answer: version, heartbeat and silence times; from a taker also its
                          slots */
    MESSAGE_REFUSED,   /* the answer to a wrong version, or to a stranger: a sentence; then the link
                          is closed */
    MESSAGE_HEARTBEAT,
    MESSAGE_BYE,    /* the sender drains: it takes no new tasks, what it holds is still answered */
    MESSAGE_JOB,    /* giver → taker: a job's spec, before its first task */
    MESSAGE_FORGET, /* giver → taker: the job is over; tasks of it are cancelled */
    MESSAGE_TASK,   /* giver → taker: fold, count or glue */
    MESSAGE_CANCEL, /* giver → taker: one task is wanted no more (no answer will be read) */
    MESSAGE_ROOM,   /* giver → taker: more room for a task's results */
    MESSAGE_RESULT, /* taker → giver: the segment of a task's next prefix */
    MESSAGE_DECLINED,   /* taker → giver: this task cannot be done here */
    MESSAGE_ASK_STATUS, /* anyone → coordinator */
    MESSAGE_STATUS,     /* the answer: JSON text in the payload */
    MESSAGE_TYPES
};

enum role {
    ROLE_WORKER = 1,   /* takes tasks for a pool of its own */
    ROLE_CLIENT = 2,   /* gives tasks */
    ROLE_OBSERVER = 3, /* asks for the status only */
    ROLE_PROCESS =
        4 /* a pool process: takes tasks one by one; its link notices its death, so no heartbeats */
};

enum task_kind {
    TASK_FOLD = 1, /* the slice → a fold segment */
    TASK_COUNT,    /* the slice → a count segment */
    TASK_GLUE /* two encoded segments in the payload (u64 length of the first, first, second) → one
                 segment */
};

enum decline_reason {
    DECLINE_ABSENT =
        1, /* the source cannot be opened here, or is another file here: send it by value */
    DECLINE_DRAINING /* the task crossed with a BYE */
};

struct message_hello {
    uint32_t version;
    enum role role;
    char host[64];
    uint32_t pid;
    uint32_t slots;        /* workers: pool processes */
    uint32_t credit_tasks; /* tasks it will hold at once */
    uint64_t session;      /* drawn anew by the sender at each HELLO it starts */
};

struct message_welcome {
    uint32_t version;
    uint32_t slots; /* a coordinator to a client: slots of all its workers; 0 when it has none */
    uint32_t credit_tasks;
    uint64_t session; /* the HELLO's */
};

struct message_task {
    uint64_t job;
    uint64_t task; /* chosen by the giver; unique on this link */
    uint32_t attempt;
    enum task_kind kind;
    struct slice slice;
    uint64_t room_bytes;   /* results may hold this many bytes of closed values before a ROOM */
    uint32_t deaths;       /* pool processes this range has killed so far … */
    uint32_t lost_daemons; /* … and worker daemons it was lost with */
    bool by_value;         /* the payload is the slice's bytes */
};

struct message_result {
    uint64_t job;
    uint64_t task;
    uint32_t attempt;
    enum task_kind kind;
    struct place begin,
        middle;       /* the prefix this segment covers; GLUE: begin and end of the union */
    uint64_t busy_ns; /* time spent on it, all slots together */
    uint32_t deaths;  /* with middle short of the end: processes killed by what begins there */
    bool done;      /* nothing more comes; if middle is not the task's end the rest is given back */
    uint64_t units; /* units folded, for rates */
};

struct message {
    enum message_type type;
    union {
        struct message_hello hello;
        struct message_welcome welcome;
        struct {
            char text[256];
        } refused;
        struct {
            uint64_t job;
            struct job_spec *spec;
        } job; /* spec owned by the message */
        struct {
            uint64_t job;
        } forget;
        struct message_task task;
        struct {
            uint64_t job, task;
            uint32_t attempt;
        } cancel;
        struct {
            uint64_t job, task;
            uint32_t attempt;
            uint64_t more_bytes;
        } room;
        struct message_result result;
        struct {
            uint64_t job, task;
            uint32_t attempt;
            enum decline_reason reason;
            uint32_t source;
        } declined;
        struct {
            uint64_t slots; /* of all the sender's workers: a client sees when none is left */
        } heartbeat;
    };
    struct chunk payload; /* TASK, RESULT, STATUS; owned by the message */
};

void message_clear(struct message *message); /* frees what it owns; leaves it zeroed */
void message_move(struct message *to,
                  struct message *from); /* `to` is cleared first; `from` is zeroed */

#endif
