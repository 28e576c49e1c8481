/*
 * The swarm: what kind of world a seed is. Every class of fault is switched on or off at random and
 * its rates are drawn, so that no two classes are always seen together; some seeds have none.
 */
#ifndef SHEAF_SIM_SWARM_H
#define SHEAF_SIM_SWARM_H

#include <stdbool.h>
#include <stdint.h>

enum swarm_class {
    SWARM_DELAY = 0, /* slow links with jitter */
    SWARM_BANDWIDTH, /* narrow links */
    SWARM_CUT,       /* connections break and lose a suffix of each direction */
    SWARM_HALF_OPEN, /* …and one side is not told */
    SWARM_PARTITION, /* nothing passes for a while, one way or both */
    SWARM_REPLAY,    /* what an earlier connection lost arrives on the next one */
    SWARM_DUPLICATE, /* a batch of results arrives twice */
    SWARM_PAUSE,     /* SIGSTOP and SIGCONT */
    SWARM_CRASH_TOP, /* the coordinator is killed and started again */
    SWARM_CRASH_WORKER,
    SWARM_CRASH_CLIENT,
    SWARM_LEAF_CRASH,
    SWARM_LEAF_SLOW,     /* now and then a piece takes very long */
    SWARM_LEAF_NONSENSE, /* now and then a result cannot be decoded */
    SWARM_ABSENT,        /* some workers cannot open the files */
    SWARM_CLOCKS,        /* monotonic clocks run 10 % fast or slow */
    SWARM_POISON,        /* a place in a source kills whoever folds it */
    SWARM_CANCEL,        /* users lose patience */
    SWARM_DRAIN,         /* workers are told to leave */
    SWARM_SLOW_READER,   /* results are printed slowly */
    SWARM_TINY,          /* credit of one, tiny windows, batches of one, tiny tasks */
    SWARM_LATE,          /* workers and clients come late */
    SWARM_HEAVY,         /* a heavy sublist before very many light ones, in a small window */
    SWARM_BLIND,         /* very many workers without the files, and hardly one that has them */
    SWARM_HOSTILE,       /* a peer says well-formed nonsense */
    SWARM_OBSERVER,      /* somebody asks for the status, often */
    SWARM_FOREIGN,       /* somebody speaks another version */
    SWARM_LISTEN,        /* workers join a one-shot command */
    SWARM_COUNTED,       /* much text whose elements must be counted first */
    SWARM_RESUME,        /* the one-shot command is killed, and goes on from its checkpoint */
    SWARM_CLASSES
};

struct swarm {
    uint32_t classes; /* bit set of enum swarm_class */
    uint32_t workers, slots_max, clients, oneshots;
    uint32_t blind;  /* workers without the files, beside the others */
    int64_t heal_ns; /* no faults from then on */
    int64_t delay_ns, jitter_ns;
    int64_t bytes_per_s;  /* 0: no limit */
    int64_t fault_gap_ns; /* about this long between two faults of a class */
    uint32_t losses_max;  /* faults that may cost a worker its tasks */
    uint64_t memory_bytes;
    int64_t task_ns;
    uint32_t leaf_credit;
    uint32_t credit; /* tasks that workers and coordinators take at once; 0: what they like */
    bool batches_of_one;
    bool by_value;
};

/* Classes that a run has off or on, whatever the seed says; bit sets. */
struct swarm_filter {
    uint32_t off, on;
};

/* Draw a seed's world; the filter changes nothing else. */
void swarm_draw(struct swarm *swarm, uint64_t seed, struct swarm_filter filter);
/* The bit of a class by its name, 0: none has it. */
uint32_t swarm_class_bit(const char *name);
bool swarm_has(const struct swarm *swarm, enum swarm_class class);
/* Nothing in it can cost a node a child or a task: no retry may occur. */
bool swarm_is_harmless(const struct swarm *swarm);
const char *swarm_class_name(unsigned class);

#endif
