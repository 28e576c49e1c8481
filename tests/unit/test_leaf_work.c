#include "leaf_work.h"
#include "unit.h"

#include "base/limits.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* One text source that comes by value, as a stream does. */
struct sample {
    struct job_spec spec;
    struct bytes text; /* with room around it, as folding wants it */
};

enum { SLACK_BYTES = 64 };

static void sample_init(struct sample *sample, enum source_format format)
{
    *sample = (struct sample){.spec = {.op = OP_SUM,
                                       .cut = {.kind = CUT_SUBLISTS},
                                       .value_bytes_max = VALUE_BYTES_DEFAULT,
                                       .source_count = 1}};
    sample->spec.sources = memory_array(1, sizeof *sample->spec.sources);
    source_init(sample->spec.sources);
    sample->spec.sources[0].format = format;
    sample->spec.sources[0].access = SOURCE_STREAM;
    sample->spec.sources[0].name = memory_text("sample");
    sample->spec.sources[0].units = SOURCE_UNITS_UNKNOWN;
    memset(bytes_extend(&sample->text, SLACK_BYTES), ' ', SLACK_BYTES);
}

static void sample_end(struct sample *sample)
{
    memset(bytes_extend(&sample->text, SLACK_BYTES), ' ', SLACK_BYTES);
}

static size_t sample_length(const struct sample *sample)
{
    return sample->text.length - 2 * SLACK_BYTES;
}

static void sample_clear(struct sample *sample)
{
    job_spec_clear(&sample->spec);
    bytes_clear(&sample->text);
}

static struct chunk payload_of(const struct sample *sample, uint64_t begin, uint64_t end)
{
    return chunk_wrap(sample->text.data + SLACK_BYTES + begin, end - begin, NULL, NULL);
}

/* [begin, end) by value; an end past the last byte means the source's end with it. */
static struct message_task task_of(const struct sample *sample, uint64_t begin, uint64_t end)
{
    struct message_task task = {.job = 3, .task = 7, .attempt = 2, .kind = TASK_FOLD};

    task.room_bytes = RESULT_BYTES_MAX;
    task.by_value = true;
    task.slice.begin = (struct place){0, begin};
    task.slice.end = end > sample_length(sample) ? (struct place){1, 0} : (struct place){0, end};
    return task;
}

static struct message perform(struct sample *sample, const struct message_task *task)
{
    uint64_t length = sample_length(sample);
    uint64_t end = task->slice.end.source ? length : task->slice.end.unit;
    struct chunk payload = payload_of(sample, task->slice.begin.unit, end);
    struct leaf_work work;
    struct message answer;

    leaf_work_learn_length(&sample->spec, task, payload.length);
    leaf_work_begin(&work, &sample->spec, task);
    leaf_work_feed_payload(&work, &payload);
    leaf_work_end(&work, &answer);
    chunk_drop(&payload);
    return answer;
}

static struct segment segment_of(const struct message *answer)
{
    struct segment segment;

    CU_ASSERT_FATAL(
        segment_decode(&segment, op_of(OP_SUM), answer->payload.data, answer->payload.length));
    return segment;
}

static void add_lines(struct sample *sample, int count)
{
    for (int i = 0; i < count; i++) {
        char line[32];
        int length = snprintf(line, sizeof line, "%d 1000000\n", i * 37 % 101);

        bytes_append(&sample->text, line, (size_t)length);
    }
    sample_end(sample);
}

static void a_result_names_its_task_and_covers_its_slice(void)
{
    struct sample sample;
    struct message_task task;
    struct message answer;
    struct segment segment;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 100);
    task = task_of(&sample, 0, UINT64_MAX);
    answer = perform(&sample, &task);
    CU_ASSERT_EQUAL(answer.type, MESSAGE_RESULT);
    CU_ASSERT_EQUAL(answer.result.job, 3);
    CU_ASSERT_EQUAL(answer.result.task, 7);
    CU_ASSERT_EQUAL(answer.result.attempt, 2);
    CU_ASSERT_EQUAL(answer.result.kind, TASK_FOLD);
    CU_ASSERT(answer.result.done);
    CU_ASSERT_EQUAL(place_compare(answer.result.begin, task.slice.begin), 0);
    CU_ASSERT_EQUAL(place_compare(answer.result.middle, task.slice.end), 0);
    CU_ASSERT_EQUAL(answer.result.units, sample_length(&sample));
    segment = segment_of(&answer);
    CU_ASSERT_EQUAL(segment.closed.count, 100);
    CU_ASSERT_EQUAL(segment.fault.kind, FAULT_NONE);
    segment_clear(&segment);
    message_clear(&answer);
    sample_clear(&sample);
}

/* Perform the whole in as many tasks as the room makes of it, and glue what they answer. */
static struct segment fold_in_parts(struct sample *sample, uint64_t room_bytes, int *tasks)
{
    struct message_task task = task_of(sample, 0, UINT64_MAX);
    struct segment all;

    segment_init(&all, SEGMENT_FOLD, op_of(OP_SUM));
    task.room_bytes = room_bytes;
    for (*tasks = 0; place_compare(task.slice.begin, task.slice.end) < 0; (*tasks)++) {
        struct message answer = perform(sample, &task);
        struct segment segment = segment_of(&answer);

        CU_ASSERT(answer.result.done);
        CU_ASSERT_FATAL(place_compare(answer.result.middle, task.slice.begin) > 0);
        if (*tasks)
            segment_glue(&all, &segment, &sample->spec);
        else
            segment_move(&all, &segment);
        task.slice.begin = answer.result.middle;
        segment_clear(&segment);
        message_clear(&answer);
    }
    return all;
}

static void without_room_the_rest_is_given_back_and_nothing_stands_still(void)
{
    static const struct {
        uint64_t room_bytes;
        int tasks_least, tasks_most;
    } table[] = {{0, 100, 2000},
                 {100, 50, 2000},
                 {1000, 5, 1000},
                 {RESULT_BYTES_MAX, 1, 1},
                 {UINT64_MAX, 1, 1}};
    struct sample sample;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 2000);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int tasks;
        struct segment all = fold_in_parts(&sample, table[i].room_bytes, &tasks);

        CU_ASSERT_EQUAL(all.closed.count, 2000);
        CU_ASSERT_EQUAL(all.fault.kind, FAULT_NONE);
        CU_ASSERT(tasks >= table[i].tasks_least && tasks <= table[i].tasks_most);
        segment_clear(&all);
    }
    sample_clear(&sample);
}

static void a_payload_that_is_too_short_is_a_fault(void)
{
    struct sample sample;
    struct message_task task;
    struct leaf_work work;
    struct message answer;
    struct segment segment;
    struct chunk payload;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 10);
    task = task_of(&sample, 0, sample_length(&sample));
    payload = payload_of(&sample, 0, 20);
    leaf_work_begin(&work, &sample.spec, &task);
    leaf_work_feed_payload(&work, &payload);
    leaf_work_end(&work, &answer);
    segment = segment_of(&answer);
    CU_ASSERT_EQUAL(segment.fault.kind, FAULT_UNREADABLE);
    CU_ASSERT(answer.result.done);
    segment_clear(&segment);
    message_clear(&answer);
    chunk_drop(&payload);
    sample_clear(&sample);
}

static struct chunk glue_payload(const struct message *left, const struct message *right)
{
    struct bytes payload = {0};

    bytes_append_u64(&payload, left->payload.length);
    bytes_append(&payload, left->payload.data, left->payload.length);
    bytes_append(&payload, right->payload.data, right->payload.length);
    return chunk_take(&payload);
}

/* Values as plain integers: equal values may be packed in different runs. */
static struct bytes plain_values(const struct message *answer)
{
    struct segment segment = segment_of(answer);
    struct reader in = reader_of(segment.closed.packed.data, segment.closed.packed.length);
    struct bytes plain = {0};
    struct values_run run;

    CU_ASSERT_EQUAL(segment.fault.kind, FAULT_NONE);
    while (values_next_run(&in, &run)) {
        CU_ASSERT(run.kind == VALUES_INT || run.kind == VALUES_SAME);
        for (uint64_t i = 0; i < run.count; i++)
            bytes_append(&plain, run.payload + (run.kind == VALUES_INT ? 8 * i : 0), 8);
    }
    CU_ASSERT_EQUAL(plain.length, 8 * segment.closed.count);
    segment_clear(&segment);
    return plain;
}

static void check_equal_values(const struct message *a, const struct message *b)
{
    struct bytes left = plain_values(a);
    struct bytes right = plain_values(b);

    CU_ASSERT_EQUAL_FATAL(left.length, right.length);
    CU_ASSERT_EQUAL(memcmp(left.data, right.data, left.length), 0);
    bytes_clear(&left);
    bytes_clear(&right);
}

static void glued_parts_are_the_whole(void)
{
    struct sample sample;
    struct message_task whole_task;
    struct message whole;
    uint64_t length;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 12);
    length = sample_length(&sample);
    whole_task = task_of(&sample, 0, UINT64_MAX);
    whole = perform(&sample, &whole_task);
    for (uint64_t cut = 0; cut <= length; cut++) {
        struct message_task left_task = task_of(&sample, 0, cut);
        struct message_task right_task = task_of(&sample, cut, UINT64_MAX);
        struct message left = perform(&sample, &left_task);
        struct message right = perform(&sample, &right_task);
        struct message_task glue = whole_task;
        struct chunk payload = glue_payload(&left, &right);
        struct message glued;

        glue.kind = TASK_GLUE;
        CU_ASSERT_FATAL(leaf_work_glue(&sample.spec, &glue, &payload, &glued));
        CU_ASSERT_EQUAL(glued.result.kind, TASK_GLUE);
        CU_ASSERT(glued.result.done);
        CU_ASSERT_EQUAL(place_compare(glued.result.middle, whole_task.slice.end), 0);
        check_equal_values(&glued, &whole);
        message_clear(&glued);
        message_clear(&left);
        message_clear(&right);
        chunk_drop(&payload);
    }
    message_clear(&whole);
    sample_clear(&sample);
}

static void what_is_not_two_segments_is_not_glued(void)
{
    struct sample sample;
    struct message_task left_task, right_task;
    struct message left, right, glued;
    struct chunk payload;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 12);
    left_task = task_of(&sample, 0, 20);
    right_task = task_of(&sample, 20, UINT64_MAX);
    left = perform(&sample, &left_task);
    right = perform(&sample, &right_task);
    payload = glue_payload(&left, &right);
    left_task.kind = TASK_GLUE;
    for (size_t length = 0; length < payload.length; length++) {
        uint8_t *copy = malloc(length ? length : 1); /* exactly as long, for the sanitizer */
        struct chunk part;

        memcpy(copy, payload.data, length);
        part = chunk_wrap(copy, length, NULL, NULL);
        CU_ASSERT_FALSE(leaf_work_glue(&sample.spec, &left_task, &part, &glued));
        chunk_drop(&part);
        free(copy);
    }
    chunk_drop(&payload);
    message_clear(&left);
    message_clear(&right);
    sample_clear(&sample);
}

static void counting_needs_no_room(void)
{
    struct sample sample;
    struct message_task task;
    struct message answer;
    struct segment segment;

    sample_init(&sample, SOURCE_TEXT);
    add_lines(&sample, 5000);
    sample.spec.cut = (struct cut){.kind = CUT_EVERY, .size = 3};
    task = task_of(&sample, 0, UINT64_MAX);
    task.kind = TASK_COUNT;
    task.room_bytes = 0;
    answer = perform(&sample, &task);
    CU_ASSERT_EQUAL(place_compare(answer.result.middle, task.slice.end), 0);
    segment = segment_of(&answer);
    CU_ASSERT_EQUAL(segment.kind, SEGMENT_COUNT);
    CU_ASSERT_EQUAL(segment.elements, 10000);
    CU_ASSERT(segment.checkpoint_count <= CHECKPOINTS_PER_RESULT);
    segment_clear(&segment);
    message_clear(&answer);
    sample_clear(&sample);
}

static void a_streams_last_slice_tells_its_length(void)
{
    struct sample sample;
    struct message_task task;

    sample_init(&sample, SOURCE_ARRAY);
    sample.spec.sources[0].lane = LANE_I32;
    sample.spec.sources[0].rows = 1;
    sample.spec.sources[0].columns = SOURCE_UNITS_UNKNOWN;
    sample_end(&sample);
    task = task_of(&sample, 10, UINT64_MAX);
    task.slice.end = (struct place){0, 15};
    leaf_work_learn_length(&sample.spec, &task, 20);
    CU_ASSERT_EQUAL(sample.spec.sources[0].units, SOURCE_UNITS_UNKNOWN);
    task.slice.end = (struct place){1, 0};
    leaf_work_learn_length(&sample.spec, &task, 20);
    CU_ASSERT_EQUAL(sample.spec.sources[0].units, 15);
    CU_ASSERT_EQUAL(sample.spec.sources[0].columns, 15);
    leaf_work_learn_length(&sample.spec, &task, 40); /* known: never again */
    CU_ASSERT_EQUAL(sample.spec.sources[0].units, 15);
    sample_clear(&sample);
}

static void check_raw_stream(uint64_t elements, uint64_t cut)
{
    struct sample sample;
    struct message_task left_task, right_task;
    struct message left, right;
    struct segment all, rest;

    sample_init(&sample, SOURCE_ARRAY);
    sample.spec.sources[0].lane = LANE_U8;
    sample.spec.sources[0].rows = 1;
    sample.spec.sources[0].columns = SOURCE_UNITS_UNKNOWN;
    memset(bytes_extend(&sample.text, elements), 3, elements);
    sample_end(&sample);
    left_task = task_of(&sample, 0, cut);
    right_task = task_of(&sample, cut, UINT64_MAX);
    left = perform(&sample, &left_task);
    right = perform(&sample, &right_task);
    all = segment_of(&left);
    rest = segment_of(&right);
    segment_glue(&all, &rest, &sample.spec);
    CU_ASSERT_EQUAL(all.fault.kind, FAULT_NONE);
    CU_ASSERT_EQUAL_FATAL(all.closed.count, 1);
    CU_ASSERT_EQUAL(all.closed.packed.data[9], 3 * elements);
    segment_clear(&all);
    message_clear(&left);
    message_clear(&right);
    sample_clear(&sample);
}

static void a_raw_stream_is_one_sublist_wherever_it_is_cut(void)
{
    for (uint64_t elements = 0; elements < 20; elements++)
        for (uint64_t cut = 0; cut <= elements; cut++)
            check_raw_stream(elements, cut);
}

static const struct unit_case CASES[] = {
    {"a result names its task and covers its slice", a_result_names_its_task_and_covers_its_slice},
    {"without room the rest is given back, and nothing stands still",
     without_room_the_rest_is_given_back_and_nothing_stands_still},
    {"a payload that is too short is a fault", a_payload_that_is_too_short_is_a_fault},
    {"glued parts are the whole", glued_parts_are_the_whole},
    {"what is not two segments is not glued", what_is_not_two_segments_is_not_glued},
    {"counting needs no room", counting_needs_no_room},
    {"a stream's last slice tells its length", a_streams_last_slice_tells_its_length},
    {"a raw stream is one sublist wherever it is cut",
     a_raw_stream_is_one_sublist_wherever_it_is_cut},
};

UNIT_MAIN("leaf_work", CASES)
