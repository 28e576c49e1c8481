#include "jobs.h"

#include "leaf_work.h"
#include "shapes.h"

#include "number/format.h"
#include "op/op.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BURST_BYTES = 200000 };

static void append_text(struct bytes *bytes, const char *text)
{
    bytes_append(bytes, text, strlen(text));
}

static void append_integer(struct bytes *bytes, struct random *random)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)random_between(random, -99, 9999));
    append_text(bytes, text);
}

static void append_digits(struct bytes *bytes, struct random *random)
{
    uint64_t digits = random_log(random, 20, 400) > 0 ? (uint64_t)random_log(random, 20, 400) : 20;

    bytes_append_byte(bytes, (uint8_t)('1' + random_below(random, 9)));
    for (uint64_t i = 1; i < digits; i++)
        bytes_append_byte(bytes, (uint8_t)('0' + random_below(random, 10)));
}

static void append_element(struct bytes *bytes, struct random *random, uint32_t flavour)
{
    static const char *const FLOATS[] = {"1.5", "-0.25", "1e100", "-1e100", "0.1", "3.0", "1e-30"};

    if (flavour & 1 && random_chance(random, 30))
        append_digits(bytes, random);
    else if (flavour & 2 && random_chance(random, 150))
        append_text(bytes, FLOATS[random_below(random, 7)]);
    else
        append_integer(bytes, random);
}

static void append_line(struct bytes *bytes, struct random *random, uint32_t flavour)
{
    static const char *const SEPARATORS[] = {" ", ", ", "\t", ";", "  "};
    uint64_t elements = random_below(random, 9);

    for (uint64_t i = 0; i < elements; i++) {
        if (i)
            append_text(bytes, SEPARATORS[random_below(random, 5)]);
        append_element(bytes, random, flavour);
    }
    append_text(bytes, random_chance(random, 50) ? "\r\n" : "\n");
}

static void fill_text(struct bytes *bytes, struct random *random, uint32_t flavour, size_t wanted)
{
    uint64_t fault_line = flavour & 4 ? random_below(random, wanted / 16 + 1) : UINT64_MAX;

    for (uint64_t line = 0; bytes->length < wanted; line++) {
        if (line == fault_line)
            append_text(bytes, "12 oops 3");
        append_line(bytes, random, flavour);
    }
    if (bytes->length && random_chance(random, 300))
        bytes->length--;
}

/* Hardly any values for a long while, then a value every few bytes: nobody reserved that much room.
 */
static void fill_burst(struct bytes *bytes, struct random *random, size_t wanted)
{
    while (bytes->length < wanted / 4)
        append_text(bytes, "1 1 1 1 1 1 1 1 ");
    append_text(bytes, "\n");
    while (bytes->length < wanted) {
        bytes_append_byte(bytes, (uint8_t)('0' + random_below(random, 10)));
        append_text(bytes, "\n");
    }
}

static void append_array(struct bytes *bytes, struct random *random, uint32_t flavour)
{
    uint64_t elements = random_below(random, 9);

    append_text(bytes, "[");
    for (uint64_t i = 0; i < elements; i++) {
        if (i)
            append_text(bytes, random_chance(random, 300) ? " , " : ",");
        append_element(bytes, random, flavour);
    }
    append_text(bytes, "]");
}

static void fill_json(struct bytes *bytes, struct random *random, uint32_t flavour, size_t wanted)
{
    bool by_line = random_chance(random, 300);
    uint64_t fault_at = flavour & 4 ? random_below(random, wanted / 16 + 1) : UINT64_MAX;

    append_text(bytes, by_line ? "" : "[");
    for (uint64_t i = 0; bytes->length < wanted; i++) {
        if (i)
            append_text(bytes, by_line ? "\n" : ", ");
        if (i == fault_at)
            append_text(bytes, "\"oops\"");
        else
            append_array(bytes, random, flavour);
    }
    append_text(bytes, by_line ? "\n" : "]\n");
}

static void describe_array(struct source *source, struct bytes *bytes, struct random *random,
                           size_t wanted)
{
    static const enum lane LANES[] = {LANE_I8, LANE_U16, LANE_I32, LANE_I64, LANE_U64, LANE_F64};
    size_t length;

    source->lane = LANES[random_below(random, 6)];
    source->is_big_endian = random_chance(random, 200);
    source->columns = random_below(random, 20) + 1;
    source->rows = wanted / source->columns / source_unit_bytes(source);
    source->units = source->rows * source->columns;
    length = (size_t)source->units * source_unit_bytes(source);
    while (bytes->length < length)
        bytes_append_u64(bytes, random_next(random) >> random_below(random, 64));
    bytes->length = length;
}

static void describe_range(struct source *source, struct random *random, bool is_small)
{
    mpz_set_si(source->begin, (long)random_between(random, -1000, 100000));
    mpz_set_si(source->step, (long)random_between(random, 1, random_chance(random, 700) ? 1 : 9));
    if (random_chance(random, 200))
        mpz_neg(source->step, source->step);
    source->units = (uint64_t)random_log(random, 1, is_small ? 3000 : INT64_C(1000000000000));
}

static void name_source(struct source *source, uint32_t job, uint32_t number)
{
    char name[64];

    snprintf(name, sizeof name, "/job-%u/source-%u", job, number);
    source->name = memory_text(name);
    if (source->access == SOURCE_FILE)
        source->path = memory_text(name);
}

static enum source_access draw_access(const struct sim_job *job, struct random *random)
{
    uint64_t choice = random_below(random, 10);

    if (choice < 2 && job->spec.cut.kind != CUT_SPLIT)
        return SOURCE_STREAM;
    return choice == 2 ? SOURCE_INLINE : SOURCE_FILE;
}

static void fill_source(struct source *source, struct bytes *bytes, struct random *random,
                        uint32_t flavour)
{
    size_t wanted = (size_t)random_log(random, 1, 1 << (6 + random_below(random, 9)));

    bool is_burst = random_chance(random, 20) && source->access != SOURCE_INLINE;

    wanted = source->access == SOURCE_INLINE && wanted > 300 ? 300 : wanted;
    switch (source->format) {
    case SOURCE_TEXT:
        if (is_burst)
            fill_burst(bytes, random, BURST_BYTES);
        else
            fill_text(bytes, random, flavour, wanted);
        break;
    case SOURCE_JSON:
        fill_json(bytes, random, flavour, wanted);
        break;
    case SOURCE_ARRAY:
        describe_array(source, bytes, random, wanted);
        break;
    case SOURCE_RANGE:
    case SOURCE_RANDOM:
        break;
    }
    if (source->access == SOURCE_INLINE && !bytes->length)
        append_text(bytes, "7"); /* numbers on the command line are never none */
}

static void describe_access(struct source *source, struct bytes *bytes)
{
    if (source->format != SOURCE_ARRAY)
        source->units = bytes->length;
    if (source->access == SOURCE_STREAM && source->format != SOURCE_ARRAY)
        source->units = SOURCE_UNITS_UNKNOWN;
    if (source->access == SOURCE_FILE)
        source->file_bytes = bytes->length;
    if (source->access == SOURCE_INLINE)
        bytes_append(&source->inline_data, bytes->data, bytes->length);
}

static void keep_padded(struct sim_source *source, struct bytes *bytes)
{
    uint8_t *room = memory_new(SIM_SLACK_BEFORE + bytes->length + SIM_SLACK_BEHIND);

    source->data = room + SIM_SLACK_BEFORE;
    source->length = bytes->length;
    if (bytes->length)
        memcpy(room + SIM_SLACK_BEFORE, bytes->data, bytes->length);
    bytes_clear(bytes);
}

static void make_shaped(struct sim_job *job, uint32_t number, enum shape shape,
                        struct random *random)
{
    struct source *source = &job->spec.sources[0];
    struct bytes bytes = {0};

    source_init(source);
    source->first_line = 1;
    shape_source(shape, source, &bytes, random);
    if (source->format != SOURCE_RANGE)
        describe_access(source, &bytes);
    name_source(source, number, 0);
    keep_padded(&job->sources[0], &bytes);
}

static void make_source(struct sim_job *job, uint32_t number, uint32_t index, struct random *random)
{
    static const enum source_format FORMATS[] = {SOURCE_TEXT, SOURCE_TEXT, SOURCE_JSON,
                                                 SOURCE_ARRAY, SOURCE_RANGE};
    struct source *source = &job->spec.sources[index];
    struct bytes bytes = {0};
    uint32_t flavour = (uint32_t)random_below(random, 4);

    /* A product of floats is refused, a product of a long range has millions of digits. */
    if (job->spec.op == OP_PRODUCT)
        flavour &= 1u;
    if (random_chance(random, 60))
        flavour |= 4;
    source_init(source);
    source->format = FORMATS[random_below(random, 5)];
    source->first_line = 1;
    source->access = source->format == SOURCE_RANGE ? SOURCE_NOTHING : draw_access(job, random);
    if (source->access == SOURCE_INLINE)
        source->format = SOURCE_TEXT;
    if (source->format == SOURCE_RANGE) {
        bool numbered = cut_is_numbered(&job->spec.cut);

        describe_range(source, random, job->spec.op == OP_PRODUCT || numbered);
    } else {
        fill_source(source, &bytes, random, flavour);
        describe_access(source, &bytes);
    }
    name_source(source, number, index);
    keep_padded(&job->sources[index], &bytes);
}

uint64_t sim_job_units(const struct sim_job *job, uint32_t source)
{
    return job->first_units[source + 1] - job->first_units[source];
}

static void sum_units(struct sim_job *job)
{
    job->first_units = memory_array(job->spec.source_count + 1, sizeof *job->first_units);
    for (uint32_t i = 0; i < job->spec.source_count; i++) {
        const struct source *source = &job->spec.sources[i];
        uint64_t units = source->units;

        if (units == SOURCE_UNITS_UNKNOWN)
            units = job->sources[i].length;
        job->first_units[i + 1] = job->first_units[i] + units;
    }
}

static void draw_cut(struct cut *cut, struct random *random)
{
    static const enum cut_kind KINDS[] = {CUT_SUBLISTS, CUT_SUBLISTS, CUT_EVERY, CUT_SPLIT,
                                          CUT_TOTAL};

    cut->kind = KINDS[random_below(random, 5)];
    cut->size = (uint64_t)random_log(random, 1, 1000);
    cut->parts = (uint64_t)random_log(random, 1, 200);
    cut->elements = UINT64_MAX;
}

static void feed_span(const struct sim_job *job, struct leaf_work *work, const struct span *span)
{
    const struct sim_source *source = &job->sources[span->source];
    size_t width = source_unit_bytes(&job->spec.sources[span->source]);
    size_t begin = (size_t)span->unit * width;

    leaf_work_feed(work, source->data + begin, source->length - begin);
}

/* Fold all of it in one piece, streams as if they were files. */
static void fold_whole(const struct sim_job *job, const struct job_spec *spec, enum task_kind kind,
                       struct segment *out)
{
    struct leaf_work work;
    struct span span;
    struct message_task task = {.kind = kind, .room_bytes = UINT64_MAX};

    task.slice.end = place_of_end(spec);
    leaf_work_begin(&work, spec, &task);
    work.room_bytes = UINT64_MAX;
    while (leaf_work_next(&work, &span))
        feed_span(job, &work, &span);
    segment_init(out, kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD, op_of(spec->op));
    fold_take(work.fold, out);
    fold_free(&work.fold);
}

static void open_streams(const struct sim_job *job, struct job_spec *spec)
{
    for (uint32_t i = 0; i < spec->source_count; i++) {
        if (spec->sources[i].access == SOURCE_STREAM)
            spec->sources[i].access = SOURCE_FILE;
        spec->sources[i].units = sim_job_units(job, i);
    }
}

static void expect_line(struct sim_job *job, const void *text, size_t length)
{
    if (!(job->expected_count & (job->expected_count - 1)))
        job->expected_ends = memory_grow(job->expected_ends, 2 * job->expected_count + 1,
                                         sizeof *job->expected_ends);
    bytes_append(&job->expected_text, text, length);
    bytes_append_byte(&job->expected_text, '\n');
    job->expected_ends[job->expected_count++] = job->expected_text.length;
}

static size_t value_text(const struct values_run *run, uint64_t index, char text[])
{
    uint64_t at = values_is_same(run->kind) ? 0 : index;
    int64_t number;
    double value;

    if (values_is_float(run->kind)) {
        memcpy(&value, run->payload + 8 * at, sizeof value);
        return format_float(text, value);
    }
    memcpy(&number, run->payload + 8 * at, sizeof number);
    return format_int(text, number);
}

static void expect_run(struct sim_job *job, const struct values_run *run)
{
    char text[FORMAT_NUMBER_BYTES];

    if (run->kind == VALUES_TEXT) {
        expect_line(job, run->payload, run->payload_bytes);
        return;
    }
    for (uint64_t i = 0; i < run->count; i++)
        expect_line(job, text, value_text(run, i, text));
}

static void expect(struct sim_job *job)
{
    struct job_spec spec;
    struct segment whole;
    struct values_run run;
    struct reader reader;

    job_spec_copy(&spec, &job->spec);
    open_streams(job, &spec);
    if (spec.cut.kind == CUT_SPLIT) {
        fold_whole(job, &spec, TASK_COUNT, &whole);
        spec.cut.elements = whole.elements;
        segment_clear(&whole);
    }
    fold_whole(job, &spec, TASK_FOLD, &whole);
    reader = reader_of(whole.closed.packed.data, whole.closed.packed.length);
    while (values_next_run(&reader, &run))
        expect_run(job, &run);
    if (whole.fault.kind)
        fault_sentence(&whole.fault, &job->spec, &job->expected_fault);
    segment_clear(&whole);
    job_spec_clear(&spec);
}

static void draw_poison(struct sim_job *job, struct random *random)
{
    uint32_t source = (uint32_t)random_below(random, job->spec.source_count);
    uint64_t units = sim_job_units(job, source);
    uint64_t unit = random_below(random, units ? units : 1);

    job->has_poison = units && job->spec.sources[source].access != SOURCE_INLINE;
    job->poison = (struct place){source, unit};
}

static uint32_t draw_source_count(struct random *random)
{
    return (uint32_t)(random_chance(random, 50) ? random_between(random, 20, 60)
                                                : random_log(random, 1, 5));
}

void sim_job_new(struct sim_job *job, uint32_t number, const struct swarm *swarm,
                 struct random *random)
{
    struct job_spec *spec = &job->spec;
    bool is_poisoned = random_chance(random, 300);
    struct random shapes = random_stream(random->state, 200 + number);
    enum shape shape = shape_draw(swarm, &shapes);

    *job = (struct sim_job){0};
    spec->op = random_chance(random, 300) ? OP_PRODUCT : OP_SUM;
    spec->type = ELEMENT_AUTO;
    draw_cut(&spec->cut, random);
    spec->piece_units = random_chance(random, 250) ? (uint64_t)random_log(random, 1, 2000) : 0;
    spec->value_bytes_max = VALUE_BYTES_DEFAULT;
    spec->source_count = draw_source_count(random);
    if (shape)
        shape_spec(shape, spec, &shapes);
    spec->sources = memory_array(spec->source_count, sizeof *spec->sources);
    job->sources = memory_array(spec->source_count, sizeof *job->sources);
    if (shape)
        make_shaped(job, number, shape, &shapes);
    for (uint32_t i = 0; i < spec->source_count && !shape; i++)
        make_source(job, number, i, random);
    sum_units(job);
    /* Ranges may be long: no more than some thousand pieces. */
    if (job->first_units[spec->source_count] / 2000 > spec->piece_units && spec->piece_units)
        spec->piece_units = job->first_units[spec->source_count] / 2000;
    job->whole_ns = random_log(random, NS_PER_MS, 20 * NS_PER_S);
    draw_poison(job, random);
    job->has_poison = job->has_poison && is_poisoned && swarm_has(swarm, SWARM_POISON);
    expect(job);
}

void sim_job_clear(struct sim_job *job)
{
    for (uint32_t i = 0; i < job->spec.source_count; i++)
        memory_free(job->sources[i].data - SIM_SLACK_BEFORE);
    memory_free(job->sources);
    memory_free(job->first_units);
    memory_free(job->expected_ends);
    bytes_clear(&job->expected_text);
    bytes_clear(&job->expected_fault);
    job_spec_clear(&job->spec);
}

uint32_t sim_job_number(const struct job_spec *spec)
{
    assert(spec->source_count);
    return (uint32_t)strtoul(spec->sources[0].name + strlen("/job-"), NULL, 10);
}

static bool matches(struct sim_job *job, const void *text, size_t length)
{
    size_t begin;

    if (job->printed >= job->expected_count)
        return false;
    begin = job->printed ? job->expected_ends[job->printed - 1] : 0;
    if (job->expected_ends[job->printed] - begin != length + 1)
        return false;
    job->printed++;
    return !length || !memcmp(job->expected_text.data + begin, text, length);
}

static bool print_run(struct sim_job *job, const struct values_run *run)
{
    char text[FORMAT_NUMBER_BYTES];

    if (run->kind == VALUES_TEXT)
        return matches(job, run->payload, run->payload_bytes);
    for (uint64_t i = 0; i < run->count; i++)
        if (!matches(job, text, value_text(run, i, text)))
            return false;
    return true;
}

bool sim_job_print(struct sim_job *job, const struct chunk *packed, uint64_t count)
{
    struct reader reader = reader_of(packed->data, packed->length);
    struct values_run run;
    uint64_t counted;

    if (!values_check(packed->data, packed->length, &counted) || counted != count)
        return false;
    while (values_next_run(&reader, &run))
        if (!print_run(job, &run))
            return false;
    return true;
}
