/* A job that ends at any step and is gone on from its snapshot, by another process: the answer is
 * the uninterrupted one's, and every unit is counted once. */
#include "root_help.h"
#include "unit.h"

#include "core/saved.h"
#include "folding.h"

/* Numbered text is cut where counting left checkpoints: a good deal of it is needed. */
enum { TEXT_BYTES = 90000, NUMBERED_BYTES = 200000 };

struct sample {
    const char *name;
    enum source_format format;
    enum op_kind op;
    struct cut cut;
    uint64_t piece_units;
    bool by_value, is_float;
};

static const struct sample SAMPLES[] = {
    {"lines of text", SOURCE_TEXT, OP_SUM, {.kind = CUT_SUBLISTS}, 3000, false, false},
    {"floats in text", SOURCE_TEXT, OP_SUM, {.kind = CUT_SUBLISTS}, 3000, false, true},
    {"products of lines", SOURCE_TEXT, OP_PRODUCT, {.kind = CUT_SUBLISTS}, 3000, false, false},
    {"one long product", SOURCE_TEXT, OP_PRODUCT, {.kind = CUT_TOTAL}, 5000, false, false},
    {"one total of floats", SOURCE_TEXT, OP_SUM, {.kind = CUT_TOTAL}, 5000, false, true},
    {"--every on text", SOURCE_TEXT, OP_SUM, {.kind = CUT_EVERY, .size = 7}, 10000, false, false},
    {"--split on text",
     SOURCE_TEXT,
     OP_SUM,
     {.kind = CUT_SPLIT, .parts = 9, .elements = UINT64_MAX},
     10000,
     false,
     false},
    {"text by value", SOURCE_TEXT, OP_SUM, {.kind = CUT_SUBLISTS}, 3000, true, false},
    {"--every by value", SOURCE_TEXT, OP_SUM, {.kind = CUT_EVERY, .size = 7}, 10000, true, false},
    {"lists in JSON", SOURCE_JSON, OP_SUM, {.kind = CUT_SUBLISTS}, 3000, false, false},
    {"--every on JSON", SOURCE_JSON, OP_SUM, {.kind = CUT_EVERY, .size = 5}, 10000, false, false},
    {"rows of an array", SOURCE_ARRAY, OP_SUM, {.kind = CUT_SUBLISTS}, 500, false, false},
    {"--every on an array",
     SOURCE_ARRAY,
     OP_SUM,
     {.kind = CUT_EVERY, .size = 33},
     500,
     false,
     false},
    {"an array by value", SOURCE_ARRAY, OP_SUM, {.kind = CUT_SUBLISTS}, 500, true, false},
    {"--every on a range",
     SOURCE_RANGE,
     OP_SUM,
     {.kind = CUT_EVERY, .size = 11},
     500,
     false,
     false},
    {"the product of a range", SOURCE_RANGE, OP_PRODUCT, {.kind = CUT_TOTAL}, 500, false, false},
};

static void fill_lines(struct bytes *data, size_t length, bool is_float)
{
    static const char *const PARTS[] = {"3 -14 159\n", "2 6 535 8 979\n", "\n", "-32384626433\n",
                                        "83279502884197169399 37510\n"};
    static const char *const FLOATS[] = {"1e100 2.5 -1e100\n", "0.1 0.2\n", "-0.0\n"};

    for (unsigned i = 0; data->length < length; i++) {
        const char *part = is_float && i % 3 == 0 ? FLOATS[i / 3 % 3] : PARTS[i * i % 5];

        bytes_append(data, part, strlen(part));
    }
}

static void fill_json(struct bytes *data, size_t length)
{
    bytes_append(data, "[", 1);
    while (data->length < length)
        bytes_append(data, "[1, 22,333],[],[4444], ", 23);
    bytes_append(data, "[5]]\n", 5);
}

static void make_job(const struct sample *sample, struct job_spec *spec, struct bytes *data)
{
    size_t length = cut_is_numbered(&sample->cut) ? NUMBERED_BYTES : TEXT_BYTES;
    struct source *source;

    *spec = (struct job_spec){.op = sample->op,
                              .cut = sample->cut,
                              .piece_units = sample->piece_units,
                              .value_bytes_max = VALUE_BYTES_DEFAULT,
                              .source_count = 1};
    spec->sources = memory_array(1, sizeof *spec->sources);
    source = spec->sources;
    source_init(source);
    source->format = sample->format;
    source->access = sample->format == SOURCE_RANGE ? SOURCE_NOTHING : SOURCE_FILE;
    source->name = memory_text("sample");
    source->path = memory_text("/sample");
    if (sample->format == SOURCE_TEXT)
        fill_lines(data, length, sample->is_float);
    else if (sample->format == SOURCE_JSON)
        fill_json(data, length);
    for (uint64_t i = 0; sample->format == SOURCE_ARRAY && i < 1000 * UINT64_C(10); i++)
        bytes_append_u64(data, i * i * UINT64_C(0x9e3779b97f4a7c15));
    source->lane = LANE_I64;
    source->rows = 1000;
    source->columns = 10;
    mpz_set_si(source->begin, -3);
    mpz_set_si(source->step, 2);
    source->units = sample->format == SOURCE_ARRAY   ? 10000
                    : sample->format == SOURCE_RANGE ? 9000
                                                     : data->length;
    source->file_bytes = data->length;
}

static void say_values(const void *packed, size_t length, struct bytes *out)
{
    struct reader in = reader_of(packed, length);
    struct values_run run;

    while (values_next_run(&in, &run))
        folding_say_run(&run, out);
}

/* Through the bytes of a file. false: there was nothing to keep. */
static bool keep(struct root *root, const struct job_spec *spec, struct snapshot *out)
{
    struct saved saved = {0}, read;
    struct bytes file = {0};

    if (!node_snapshot(root->node, &saved.snapshot))
        return false;
    CU_ASSERT_EQUAL(saved.snapshot.answered_bytes, root->values.length);
    CU_ASSERT_EQUAL(saved.snapshot.answered_count, root->value_count);
    identity_of(&saved.identity, spec);
    saved_encode(&saved, &file);
    saved_clear(&saved);
    CU_ASSERT_EQUAL_FATAL(saved_decode(&read, file.data, file.length), SAVED_SOUND);
    CU_ASSERT_TRUE_FATAL(snapshot_is_sound(&read.snapshot, spec));
    bytes_clear(&file);
    *out = read.snapshot;
    return true;
}

static void run_to_end(struct root *root)
{
    while (!root->has_ended)
        root_step(root);
    CU_ASSERT_EQUAL(root->fault.kind, FAULT_NONE);
}

static uint64_t units_of(const struct root *root)
{
    struct node_stats stats;

    node_get_stats(root->node, &stats);
    return stats.units;
}

/* Stop after so many steps, go on, stop again after as many, go on. Returns whether there was so
 * much to do. */
static bool interrupted(const struct sample *sample, const struct job_spec *spec,
                        const struct bytes *data, int steps, struct bytes *out)
{
    struct snapshot snapshot;
    struct snapshot *begin = NULL;
    struct bytes values = {0};
    struct root root;
    bool was_long = true;

    for (int life = 0; life < 3; life++) {
        root_start(&root, spec, data->data, begin, sample->by_value);
        root.random = (uint64_t)(steps * 7 + life);
        bytes_append(&root.values, values.data, values.length);
        root.value_count = begin ? root.value_count : 0;
        if (begin)
            CU_ASSERT_TRUE(values_check(values.data, values.length, &root.value_count));
        for (int i = 0; i < steps && life < 2 && !root.has_ended; i++)
            root_step(&root);
        was_long &= !root.has_ended || life == 2;
        if (life == 2 || root.has_ended)
            break;
        if (keep(&root, spec, &snapshot)) {
            begin = &snapshot;
            bytes_clear(&values);
            bytes_append(&values, root.values.data, root.values.length);
        } else {
            begin = NULL;
            bytes_clear(&values);
        }
        root_clear(&root);
    }
    run_to_end(&root);
    CU_ASSERT_EQUAL(units_of(&root), spec->sources[0].units);
    say_values(root.values.data, root.values.length, out);
    root_clear(&root);
    bytes_clear(&values);
    return was_long;
}

static void check_sample(const struct sample *sample)
{
    struct job_spec spec;
    struct bytes data = {0}, whole = {0};
    struct root root;
    int steps = 0;
    bool was_long = true;

    make_job(sample, &spec, &data);
    root_start(&root, &spec, data.data, NULL, sample->by_value);
    run_to_end(&root);
    say_values(root.values.data, root.values.length, &whole);
    CU_ASSERT_TRUE(whole.length > 0);
    root_clear(&root);
    for (; was_long; steps++) {
        struct bytes again = {0};

        was_long = interrupted(sample, &spec, &data, steps, &again);
        CU_ASSERT_EQUAL_FATAL(again.length, whole.length);
        CU_ASSERT_EQUAL(memcmp(again.data, whole.data, whole.length), 0);
        bytes_clear(&again);
    }
    CU_ASSERT_TRUE(steps > 5);
    bytes_clear(&whole);
    bytes_clear(&data);
    job_spec_clear(&spec);
}

static void any_job_goes_on_from_any_step(void)
{
    for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
        unsigned before = CU_get_number_of_failures();

        check_sample(&SAMPLES[i]);
        if (CU_get_number_of_failures() != before)
            printf("\n    failed: %s\n", SAMPLES[i].name);
    }
}

static void nothing_new_is_no_snapshot(void)
{
    const struct sample *sample = &SAMPLES[0];
    struct snapshot snapshot;
    struct job_spec spec;
    struct bytes data = {0};
    struct root root;

    make_job(sample, &spec, &data);
    root_start(&root, &spec, data.data, NULL, false);
    CU_ASSERT_FALSE(node_snapshot(root.node, &snapshot));
    root_step(&root);
    CU_ASSERT_TRUE(node_snapshot(root.node, &snapshot));
    snapshot_clear(&snapshot);
    CU_ASSERT_FALSE(node_snapshot(root.node, &snapshot));
    root_step(&root);
    CU_ASSERT_TRUE(node_snapshot(root.node, &snapshot));
    snapshot_clear(&snapshot);
    run_to_end(&root);
    CU_ASSERT_FALSE(node_snapshot(root.node, &snapshot));
    root_clear(&root);
    bytes_clear(&data);
    job_spec_clear(&spec);
}

/* What a fault ends would end so again, or the fault is one that passes: either way what was kept
 * before it is what to go on from. */
static void a_fault_is_never_kept(void)
{
    const struct sample *sample = &SAMPLES[0];
    struct snapshot snapshot;
    struct job_spec spec;
    struct bytes data = {0};
    struct root root;

    make_job(sample, &spec, &data);
    memcpy(data.data + 1000, "oops", 4);
    root_start(&root, &spec, data.data, NULL, false);
    while (!root.has_ended) {
        root_step(&root);
        if (!node_snapshot(root.node, &snapshot))
            continue;
        CU_ASSERT_TRUE(snapshot_is_sound(&snapshot, &spec));
        snapshot_clear(&snapshot);
    }
    CU_ASSERT_EQUAL(root.fault.kind, FAULT_NOT_A_NUMBER);
    root_clear(&root);
    bytes_clear(&data);
    job_spec_clear(&spec);
}

/* A snapshot of tiles [0, 10), [10, 30) and a rest, of which one thing is spoilt. */
static void make_snapshot(struct snapshot *snapshot, const struct job_spec *spec)
{
    struct segment segment;

    *snapshot = (struct snapshot){.phase = TASK_FOLD, .elements = UINT64_MAX, .tile_count = 2};
    snapshot->tiles = memory_array(2, sizeof *snapshot->tiles);
    snapshot->tiles[0].slice.end.unit = 10;
    snapshot->tiles[1].slice.begin.unit = 10;
    snapshot->tiles[1].slice.end.unit = 30;
    snapshot->rest.begin.unit = 30;
    snapshot->rest.end = place_of_end(spec);
    snapshot->checkpoints = memory_array(2, sizeof *snapshot->checkpoints);
    snapshot->checkpoint_count = 2;
    snapshot->checkpoints[0].place.unit = 40;
    snapshot->checkpoints[1].place.unit = 50;
    segment_init(&segment, SEGMENT_FOLD, op_of(spec->op));
    segment_encode(&segment, &snapshot->tiles[1].run);
    segment_clear(&segment);
}

static void spoil(struct snapshot *snapshot, const struct job_spec *spec, int what)
{
    struct segment segment;

    segment_init(&segment, what == 0 ? SEGMENT_COUNT : SEGMENT_FOLD, op_of(spec->op));
    segment.fault.kind = what == 1 ? FAULT_LONE_CR : FAULT_NONE;
    switch (what) {
    case 0:
    case 1:
        bytes_clear(&snapshot->tiles[1].run);
        segment_encode(&segment, &snapshot->tiles[1].run);
        break;
    case 2:
        snapshot->tiles[1].run.length--;
        break;
    case 3:
        snapshot->tiles[0].slice.begin.unit = 1;
        break;
    case 4:
        snapshot->tiles[0].slice.end.unit = 9;
        break;
    case 5:
        snapshot->tiles[1].slice.end.unit = 10;
        break;
    case 6:
        snapshot->rest.begin.unit = 29;
        break;
    case 7:
        snapshot->rest.end.source = 0;
        break;
    case 8:
        snapshot->tiles[1].slice.end.unit = snapshot->rest.begin.unit = UINT64_MAX - 1;
        break;
    case 9:
        snapshot->checkpoints[1].place.unit = 40;
        break;
    case 10:
        snapshot->checkpoints[1].place.source = 7;
        break;
    case 11:
        snapshot->phase = TASK_GLUE;
        break;
    case 12:
        snapshot->phase = TASK_COUNT; /* nothing is numbered */
        break;
    case 13:
        snapshot->tile_count = 0;
        bytes_clear(&snapshot->tiles[1].run);
        break;
    }
    segment_clear(&segment);
}

static void what_does_not_tile_the_job_is_not_sound(void)
{
    struct snapshot snapshot;
    struct job_spec spec;
    struct bytes data = {0};

    make_job(&SAMPLES[0], &spec, &data);
    make_snapshot(&snapshot, &spec);
    CU_ASSERT_TRUE(snapshot_is_sound(&snapshot, &spec));
    spec.cut = (struct cut){.kind = CUT_SPLIT, .parts = 2, .elements = UINT64_MAX};
    CU_ASSERT_FALSE(snapshot_is_sound(&snapshot, &spec));
    spec.cut = (struct cut){.kind = CUT_SUBLISTS};
    snapshot_clear(&snapshot);
    for (int what = 0; what <= 13; what++) {
        make_snapshot(&snapshot, &spec);
        spoil(&snapshot, &spec, what);
        CU_ASSERT_FALSE(snapshot_is_sound(&snapshot, &spec));
        snapshot_clear(&snapshot);
    }
    bytes_clear(&data);
    job_spec_clear(&spec);
}

static const struct unit_case CASES[] = {
    {"any job goes on from any step", any_job_goes_on_from_any_step},
    {"nothing new is no snapshot", nothing_new_is_no_snapshot},
    {"a fault is never kept", a_fault_is_never_kept},
    {"what does not tile the job is not sound", what_does_not_tile_the_job_is_not_sound},
};

UNIT_MAIN("snapshot", CASES)
