#include "leaf_work.h"

#include "base/limits.h"

#include <assert.h>

static uint64_t room_of(const struct message_task *task)
{
    if (task->kind != TASK_FOLD)
        return UINT64_MAX;
    if (task->room_bytes == 0) /* one closed value at least, so that every task gets somewhere */
        return 1;
    return task->room_bytes < RESULT_BYTES_MAX ? task->room_bytes : RESULT_BYTES_MAX;
}

void leaf_work_begin(struct leaf_work *work, const struct job_spec *spec,
                     const struct message_task *task)
{
    assert(task->kind == TASK_FOLD || task->kind == TASK_COUNT);
    *work = (struct leaf_work){.spec = spec, .task = *task, .room_bytes = room_of(task)};
    fold_new(&work->fold, spec, &task->slice,
             task->kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD);
}

bool leaf_work_next(struct leaf_work *work, struct span *span)
{
    return fold_next(work->fold, work->room_bytes, span);
}

size_t leaf_work_feed(struct leaf_work *work, const void *data, size_t length)
{
    return fold_feed(work->fold, data, length, work->room_bytes);
}

void leaf_work_fault(struct leaf_work *work, enum fault_kind kind, const char *text)
{
    fold_fault(work->fold, kind, text);
}

void leaf_work_feed_payload(struct leaf_work *work, const struct chunk *payload)
{
    size_t done = 0;
    struct span span;

    while (leaf_work_next(work, &span)) {
        uint32_t width = source_unit_bytes(&work->spec->sources[span.source]);
        size_t left = (payload->length - done) / width * width;
        size_t wanted = span.units < left / width ? (size_t)span.units * width : left;

        if (!wanted) {
            leaf_work_fault(work, FAULT_UNREADABLE, "fewer bytes came than the slice holds");
            return;
        }
        if (leaf_work_feed(work, payload->data + done, wanted) < wanted)
            return;
        done += wanted;
    }
}

static uint64_t units_between(const struct job_spec *spec, struct place begin, struct place end)
{
    uint64_t units = 0;

    for (; begin.source < end.source; begin = (struct place){begin.source + 1, 0}) {
        uint64_t all = spec->sources[begin.source].units;

        if (all != SOURCE_UNITS_UNKNOWN && all > begin.unit)
            units += all - begin.unit;
    }
    return units + (end.unit > begin.unit ? end.unit - begin.unit : 0);
}

static void answer(const struct message_task *task, struct segment *segment, struct message *result)
{
    struct bytes encoded = {0};

    *result = (struct message){.type = MESSAGE_RESULT};
    result->result.job = task->job;
    result->result.task = task->task;
    result->result.attempt = task->attempt;
    result->result.kind = task->kind;
    result->result.begin = task->slice.begin;
    result->result.middle = task->slice.end;
    result->result.done = true;
    segment_encode(segment, &encoded);
    segment_clear(segment);
    result->payload = chunk_take(&encoded);
}

void leaf_work_end(struct leaf_work *work, struct message *result)
{
    const struct job_spec *spec = work->spec;
    struct place middle = fold_place(work->fold);
    struct segment segment;

    segment_init(&segment, work->task.kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD,
                 op_of(spec->op));
    fold_take(work->fold, &segment);
    fold_free(&work->fold);
    answer(&work->task, &segment, result);
    result->result.middle = middle;
    result->result.units = units_between(spec, work->task.slice.begin, middle);
}

bool leaf_work_glue(const struct job_spec *spec, const struct message_task *task,
                    const struct chunk *payload, struct message *result)
{
    const struct op *op = op_of(spec->op);
    struct reader in = reader_of(payload->data, payload->length);
    uint64_t left_bytes = reader_u64(&in);
    const uint8_t *left_data = reader_take(&in, left_bytes);
    struct segment left, right;
    bool valid;

    *result = (struct message){0};
    segment_init(&left, SEGMENT_FOLD, op);
    segment_init(&right, SEGMENT_FOLD, op);
    valid = left_data && segment_decode(&left, op, left_data, (size_t)left_bytes) &&
            segment_decode(&right, op, in.at, reader_left(&in)) && left.kind == right.kind;
    if (valid) {
        segment_glue(&left, &right, spec);
        answer(task, &left, result);
    }
    segment_clear(&left);
    segment_clear(&right);
    return valid;
}

void leaf_work_learn_length(struct job_spec *spec, const struct message_task *task,
                            size_t payload_bytes)
{
    struct place begin = task->slice.begin, end = task->slice.end;
    struct source *source = &spec->sources[begin.source];

    if (source->units != SOURCE_UNITS_UNKNOWN || end.source != begin.source + 1 || end.unit != 0)
        return;
    source->units = begin.unit + payload_bytes / source_unit_bytes(source);
    if (source->format == SOURCE_ARRAY)
        source->columns = source->units;
}
