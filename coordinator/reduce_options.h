/* What `sheaf sum` and `sheaf product` are told on the command line. */
#ifndef SHEAF_COORDINATOR_REDUCE_OPTIONS_H
#define SHEAF_COORDINATOR_REDUCE_OPTIONS_H

#include "base/options.h"
#include "op/op.h"

enum output_choice { OUTPUT_TEXT, OUTPUT_JSON };
enum progress_choice { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };
enum backend_choice { BACKEND_AUTO, BACKEND_LOCAL, BACKEND_ZMQ, BACKEND_MPI };
enum data_choice { DATA_AUTO, DATA_REFERENCE, DATA_VALUE };

struct reduce_options {
    enum op_kind op;
    struct texts sources;
    /* the input */
    const char *format, *dtype;
    bool header;
    uint32_t type; /* enum element_type */
    /* the cut: 0 and false are not given */
    uint64_t every, split;
    bool total;
    /* who works */
    uint32_t backend;   /* enum backend_choice; not AUTO after parsing */
    uint64_t processes; /* 0: as many as the CPUs this process may use */
    const char *farm;   /* --farm, else SHEAF_FARM, else NULL: this machine */
    struct texts listen;
    int64_t give_up_ns; /* without a coordinator, or without all ranks at the begin */
    uint32_t data;
    const char *checkpoint; /* NULL: none */
    int64_t checkpoint_ns;
    /* limits and experiments */
    uint64_t memory_bytes, value_bytes_max, task_elements;
    int64_t task_ns;
    /* what is shown */
    uint32_t output, progress;
    bool stats, quiet, verbose, help, version;
};

extern const struct command REDUCE_SUM, REDUCE_PRODUCT;

/* Parse and check; defaults filled in. ERROR_USAGE with a sentence. */
int reduce_options_parse(struct reduce_options *options, enum op_kind op, int argc,
                         char *const *argv, struct error *error);
void reduce_options_clear(struct reduce_options *options);
const struct command *reduce_command(enum op_kind op);

#endif
