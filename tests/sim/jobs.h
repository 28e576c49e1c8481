/*
 * What the simulated clients ask for, the bytes their sources hold, and what the answer must be:
 * the oracle folds each job whole, in one piece, before the world begins.
 */
#ifndef SHEAF_SIM_JOBS_H
#define SHEAF_SIM_JOBS_H

#include "random.h"
#include "swarm.h"

#include "base/chunk.h"
#include "source/job.h"

/* What a fold may read before and behind the bytes it is fed. */
enum { SIM_SLACK_BEFORE = 32, SIM_SLACK_BEHIND = 64 };

struct sim_source {
    uint8_t *data; /* owned, with slack around it */
    size_t length; /* bytes */
};

struct sim_job {
    struct job_spec spec; /* as the client's shell makes it */
    struct sim_source *sources;
    uint64_t *first_units; /* units of all sources before this one; one more than sources */
    int64_t whole_ns;      /* one leaf of middling speed folds all of it in about this time */
    bool has_poison;
    struct place poison; /* the unit that kills */
    uint32_t poison_deaths;
    /* What must come out. */
    struct bytes expected_text; /* values as lines */
    size_t *expected_ends;      /* offset behind each value's line */
    uint64_t expected_count;
    struct bytes expected_fault; /* the sentence; empty: none */
    /* What came out. */
    uint64_t printed;
    bool is_cancelled, is_abandoned, is_over;
};

void sim_job_new(struct sim_job *job, uint32_t number, const struct swarm *swarm,
                 struct random *random);
void sim_job_clear(struct sim_job *job);
/* The number that sim_job_new() wrote into every copy of the spec. */
uint32_t sim_job_number(const struct job_spec *spec);
/* Units in a source, streams too. */
uint64_t sim_job_units(const struct sim_job *job, uint32_t source);

/*
 * Compare the next `count` values, packed, with what is expected at the present point, and step on.
 * false: they differ.
 */
bool sim_job_print(struct sim_job *job, const struct chunk *packed, uint64_t count);

#endif
