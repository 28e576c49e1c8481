#include "reduce_options.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct reduce_options, name)

static const struct option OPTIONS[] = {
    {"every", 0, OPTION_COUNT, FIELD(every), "N", "cut into sublists of N elements", 1},
    {"split", 0, OPTION_COUNT, FIELD(split), "K", "cut into K nearly equal sublists", 1},
    {"total", 0, OPTION_FLAG, FIELD(total), NULL,
     "reduce all elements to one value, however they are cut", 0},
    {"type", 0, OPTION_CHOICE, FIELD(type), "auto|int|float", "what the elements are (auto)", 0},
    {"format", 0, OPTION_TEXT, FIELD(format), "text|json|npy|raw",
     "format of the files (by extension)", 0},
    {"dtype", 0, OPTION_TEXT, FIELD(dtype), "TYPE",
     "elements of raw files, in bits: i8 … u64, f16, f32, f64; < or > before i16 and wider", 0},
    {"header", 0, OPTION_FLAG, FIELD(header), NULL, "skip the first line of text and CSV", 0},
    {"output", 0, OPTION_CHOICE, FIELD(output), "text|json", "a value a line, or an array", 0},
    {"processes", 'j', OPTION_COUNT, FIELD(processes), "N", "processes to work (all usable CPUs)",
     1},
    {"backend", 0, OPTION_CHOICE, FIELD(backend), "auto|local|zmq|mpi",
     "who works: this machine, a farm, or the ranks of mpirun (auto: zmq with --farm or --listen, "
     "else local)",
     0},
    {"farm", 0, OPTION_TEXT, FIELD(farm), "URL", "send the job to this coordinator (SHEAF_FARM)",
     0},
    {"listen", 0, OPTION_TEXTS, FIELD(listen), "URL", "accept workers from outside, too", 0},
    {"give-up", 0, OPTION_SECONDS, FIELD(give_up_ns), "SECONDS",
     "wait this long without a coordinator that answers (30; 0: for ever), or for all ranks to "
     "begin (120)",
     0},
    {"data", 0, OPTION_CHOICE, FIELD(data), "auto|reference|value",
     "workers read files themselves, or are sent the bytes", 0},
    {"checkpoint", 0, OPTION_TEXT, FIELD(checkpoint), "FILE",
     "keep what is counted there; the same command goes on from it", 0},
    {"checkpoint-every", 0, OPTION_SECONDS, FIELD(checkpoint_ns), "SECONDS", "so often at most (1)",
     0},
    {"memory", 0, OPTION_BYTES, FIELD(memory_bytes), "BYTES", "window for the job (128M)", 4 * MIB},
    {"max-value", 0, OPTION_BYTES, FIELD(value_bytes_max), "BYTES", "largest value (1G)", 16},
    {"task-ms", 0, OPTION_MS, FIELD(task_ns), "MS", "work in one task (20)", 1},
    {"task-elements", 0, OPTION_COUNT, FIELD(task_elements), "N",
     "elements (text: bytes) in one piece, instead", 1},
    {"progress", 0, OPTION_CHOICE, FIELD(progress), "auto|always|never",
     "a bar on standard error (auto: on a terminal)", 0},
    {"stats", 0, OPTION_FLAG, FIELD(stats), NULL, "figures as JSON on standard error", 0},
    {"quiet", 'q', OPTION_FLAG, FIELD(quiet), NULL, "no notices", 0},
    {"verbose", 'v', OPTION_FLAG, FIELD(verbose), NULL, "more notices", 0},
    {"help", 'h', OPTION_FLAG, FIELD(help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, FIELD(version), NULL, "show the version", 0},
};

static const struct option_pair CONTRADICTIONS[] = {
    {"every", "split"},    {"quiet", "verbose"},   {"farm", "listen"},
    {"farm", "processes"}, {"farm", "checkpoint"},
};

#define SOURCES                                                                                    \
    "A SOURCE is a range A..B or A..B:STEP, a file, - for standard input, a number\n"              \
    "(neighbouring numbers form one sublist; a file with such a name is ./7), or\n"                \
    "random:N[:SEED], N pseudo-random 64-bit integers. Without one, standard input is\n"           \
    "read. Several sources follow one another in the answer."

#define MORE                                                                                       \
    "Text and CSV: a line is a sublist; blanks, tabs, commas or semicolons between the "           \
    "elements.\n"                                                                                  \
    "JSON: an array of arrays, a flat array, or one array a line. .npy: a row is a sublist.\n"     \
    "An answer in JSON writes infinities and not-a-number as Python's json does: Infinity, NaN.\n" \
    "\n"                                                                                           \
    "Exit status: 0 done, 1 the job failed, 2 wrong usage or input, 3 the farm cannot be "         \
    "reached,\n"                                                                                   \
    "128 + N after signal N (130: Ctrl-C), 141 when the reader of standard output closed it "      \
    "early\n"                                                                                      \
    "(as for every filter that SIGPIPE ends: a script with pipefail can tell that not all was "    \
    "read).\n"

const struct command REDUCE_SUM = {
    .name = "sheaf sum",
    .operands = "[SOURCE…]",
    .about = "Print the exact sum of every sublist, in order.\n\n" SOURCES,
    .more = "Examples:\n"
            "  sheaf sum 1..400 --every 100            5050 15050 25050 35050, a line each\n"
            "  sheaf sum lists.json --output json      [5050,15050,25050,35050]\n"
            "  sheaf sum 9223372036854775807 1         9223372036854775808\n"
            "  sheaf sum floats.txt                    1.0, for the line 1e100 1 -1e100\n"
            "  seq 1 1000000 | sheaf sum - --total     500000500000\n"
            "  sheaf sum big.npy --farm tcp://farm:7400\n"
            "  mpirun -n 16 sheaf sum big.npy --backend mpi\n\n" MORE,
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .contradictions = CONTRADICTIONS,
    .contradiction_count = sizeof CONTRADICTIONS / sizeof *CONTRADICTIONS};

const struct command REDUCE_PRODUCT = {
    .name = "sheaf product",
    .operands = "[SOURCE…]",
    .about =
        "Print the exact product of every sublist, in order. Elements are integers.\n\n" SOURCES,
    .more = "Examples:\n"
            "  sheaf product 6 7                       42\n"
            "  sheaf product 1..20                     2432902008176640000\n"
            "  sheaf product 1..100000                 all 456,574 digits\n"
            "  sheaf product lists.txt                 a value for each line\n\n" MORE,
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .contradictions = CONTRADICTIONS,
    .contradiction_count = sizeof CONTRADICTIONS / sizeof *CONTRADICTIONS};

const struct command *reduce_command(enum op_kind op)
{
    return op == OP_SUM ? &REDUCE_SUM : &REDUCE_PRODUCT;
}

static bool is_format(const struct reduce_options *options, const char *name)
{
    return options->format && !strcmp(options->format, name);
}

static int check_format(const struct reduce_options *options, struct error *error)
{
    static const char *const formats[] = {"text", "json", "npy", "raw"};
    bool is_known = !options->format;

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        is_known |= is_format(options, formats[i]);
    if (!is_known)
        return error_set(error, ERROR_USAGE, "--format: '%.40s' is not one of text|json|npy|raw",
                         options->format);
    if (options->dtype && !is_format(options, "raw"))
        return error_set(error, ERROR_USAGE, "--dtype is for --format raw only");
    if (!options->dtype && is_format(options, "raw"))
        return error_set(error, ERROR_USAGE,
                         "--format raw needs --dtype: i8 … u64, f16, f32 or f64");
    if (options->header && options->format && !is_format(options, "text"))
        return error_set(error, ERROR_USAGE,
                         "--header and --format %s contradict each other: only text has a header",
                         options->format);
    return OK;
}

/* What the environment says counts only where the command line leaves it open. */
static int check_farm(struct reduce_options *options, struct error *error)
{
    const char *farm = getenv("SHEAF_FARM");
    bool is_open = options->backend == BACKEND_AUTO || options->backend == BACKEND_ZMQ;

    if (options->farm || !farm || !*farm || options->listen.count || !is_open)
        return OK;
    if (options->processes)
        return error_set(
            error, ERROR_USAGE,
            "-j is for processes on this machine, but SHEAF_FARM sends the job to %.80s; "
            "give one of them",
            farm);
    if (options->checkpoint)
        return error_set(
            error, ERROR_USAGE,
            "--checkpoint is for a job that runs here, but SHEAF_FARM sends it to %.80s; "
            "give one of them",
            farm);
    options->farm = farm;
    return OK;
}

static int check_backend(struct reduce_options *options, struct error *error)
{
    bool is_zmq = options->farm || options->listen.count;

    switch ((enum backend_choice)options->backend) {
    case BACKEND_AUTO:
        options->backend = is_zmq ? BACKEND_ZMQ : BACKEND_LOCAL;
        break;
    case BACKEND_ZMQ:
        if (!is_zmq)
            return error_set(error, ERROR_USAGE,
                             "--backend zmq needs --farm URL (or SHEAF_FARM) or --listen URL");
        break;
    case BACKEND_LOCAL:
    case BACKEND_MPI:
        if (is_zmq)
            return error_set(error, ERROR_USAGE, "--backend %s and %s contradict each other",
                             options->backend == BACKEND_MPI ? "mpi" : "local",
                             options->farm ? "--farm" : "--listen");
        break;
    }
    if (options->give_up_ns < 0)
        options->give_up_ns =
            options->backend == BACKEND_MPI ? MPI_GIVE_UP_NS_DEFAULT : GIVE_UP_NS_DEFAULT;
    return OK;
}

static int check(struct reduce_options *options, struct error *error)
{
    int rc = check_format(options, error);

    if (rc == OK)
        rc = check_farm(options, error);
    if (rc == OK)
        rc = check_backend(options, error);
    if (rc == OK && options->processes > 65536)
        rc = error_set(error, ERROR_USAGE, "-j: more than 65536 processes");
    if (rc == OK && options->type == ELEMENT_FLOAT && !op_of(options->op)->takes_floats)
        rc = error_set(error, ERROR_USAGE, "--type float: %s takes integers only, so far",
                       op_of(options->op)->name);
    return rc;
}

int reduce_options_parse(struct reduce_options *options, enum op_kind op, int argc,
                         char *const *argv, struct error *error)
{
    int rc;

    *options = (struct reduce_options){.op = op,
                                       .give_up_ns = -1, /* not given */
                                       .memory_bytes = MEMORY_BYTES_DEFAULT,
                                       .value_bytes_max = VALUE_BYTES_DEFAULT,
                                       .checkpoint_ns = NS_PER_S,
                                       .task_ns = TASK_NS_DEFAULT};
    rc = options_parse(reduce_command(op), argc, argv, options, &options->sources, error);
    if (rc == OK && !options->help && !options->version)
        rc = check(options, error);
    return rc;
}

void reduce_options_clear(struct reduce_options *options)
{
    texts_clear(&options->sources);
    texts_clear(&options->listen);
}
