/* Random messages of every type from one seed, and whether two messages are the same. */
#ifndef SHEAF_TESTS_WIRE_RANDOM_H
#define SHEAF_TESTS_WIRE_RANDOM_H

#include "base/limits.h"
#include "base/memory.h"
#include "wire/wire.h"

#include <stdio.h>
#include <string.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_u64(struct random *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static inline uint64_t random_below(struct random *random, uint64_t below)
{
    return random_u64(random) % below;
}

/* Every width of a number is as likely as the next. */
static inline uint64_t random_number(struct random *random)
{
    return random_u64(random) >> random_below(random, 64);
}

static inline uint32_t random_u32(struct random *random)
{
    return (uint32_t)random_u64(random) >> random_below(random, 32);
}

static inline bool random_bool(struct random *random)
{
    return random_u64(random) & 1;
}

static inline void random_text(struct random *random, char *to, size_t size)
{
    size_t length = random_below(random, size);

    for (size_t i = 0; i < length; i++)
        to[i] = (char)(1 + random_below(random, 255));
    to[length] = 0;
}

static inline struct place random_place(struct random *random)
{
    return (struct place){.source = (uint32_t)random_below(random, SOURCES_MAX),
                          .unit = random_number(random)};
}

static inline void random_places(struct random *random, struct place *begin, struct place *end)
{
    struct place a = random_place(random);
    struct place b = random_bool(random) ? random_place(random) : a;

    if (place_compare(a, b) > 0) {
        struct place swap = a;

        a = b;
        b = swap;
    }
    /* Not as structs: memcmp would compare their padding. */
    begin->source = a.source;
    begin->unit = a.unit;
    end->source = b.source;
    end->unit = b.unit;
}

static inline void random_big(struct random *random, mpz_t value)
{
    mpz_set_ui(value, random_number(random));
    mpz_mul_2exp(value, value, random_bool(random) ? 0 : random_below(random, 300));
    mpz_add_ui(value, value, 1);
    if (random_bool(random))
        mpz_neg(value, value);
}

static inline void random_array(struct random *random, struct source *source)
{
    source->rows = random_below(random, 1000);
    source->columns = random_below(random, 1000);
    source->units = source->rows * source->columns;
    source->lane = (enum lane)random_below(random, LANE_F64 + 1);
    source->lane_half = source->lane == LANE_F32 && random_bool(random);
    source->lane_bool = source->lane == LANE_U8 && random_bool(random);
    source->is_big_endian = random_bool(random);
    source->is_fortran = random_bool(random);
}

static inline void random_bytes(struct random *random, struct bytes *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes_append_byte(bytes, (uint8_t)random_u64(random));
}

static inline void random_data(struct random *random, struct source *source)
{
    char path[300] = "/home/someone/data/shard-";

    source->units = random_number(random) / 8;
    source->data_begin = random_below(random, 100);
    source->first_line = 1 + random_below(random, 2);
    if (source->format == SOURCE_ARRAY)
        random_array(random, source);
    source->access = (enum source_access)(SOURCE_INLINE + random_below(random, 3));
    if (source->access == SOURCE_INLINE && source->units * 8 > 5000) {
        source->units = source->rows = source->columns = 0;
    }
    if (source->access == SOURCE_INLINE)
        random_bytes(random, &source->inline_data,
                     source->data_begin + source->units * source_unit_bytes(source));
    if (source->access != SOURCE_FILE)
        return;
    random_text(random, path + strlen(path), 200);
    source->path = memory_text(path);
    source->file_bytes = source->data_begin + source->units * source_unit_bytes(source);
    source->file_mtime_ns = (int64_t)random_number(random) * (random_bool(random) ? 1 : -1);
}

static inline void random_source(struct random *random, struct source *source)
{
    char name[100];

    source_init(source);
    source->format = (enum source_format)(1 + random_below(random, SOURCE_RANDOM));
    if (source->format == SOURCE_RANGE) {
        source->access = SOURCE_NOTHING;
        source->units = random_number(random) >> 1;
        random_big(random, source->begin);
        random_big(random, source->step);
    } else if (source->format == SOURCE_RANDOM) {
        source->access = SOURCE_NOTHING;
        source->units = random_number(random) >> 1;
        source->seed = random_number(random);
    } else
        random_data(random, source);
    random_text(random, name, sizeof name);
    source->name = memory_text(source->path && random_bool(random) ? source->path + 6 : name);
}

static inline struct job_spec *random_spec(struct random *random)
{
    struct job_spec *spec = memory_new(sizeof *spec);

    spec->op = (enum op_kind)(1 + random_below(random, OP_PRODUCT));
    spec->type = (enum element_type)random_below(random, ELEMENT_FLOAT + 1);
    spec->cut.kind = (enum cut_kind)(1 + random_below(random, CUT_TOTAL));
    spec->cut.size = random_number(random) | 1;
    spec->cut.parts = random_number(random) | 1;
    spec->cut.elements = random_number(random);
    spec->piece_units = random_number(random);
    spec->value_bytes_max = random_number(random);
    spec->source_count = (uint32_t)random_below(random, 6);
    spec->sources = memory_array(spec->source_count, sizeof *spec->sources);
    for (uint32_t i = 0; i < spec->source_count; i++)
        random_source(random, &spec->sources[i]);
    return spec;
}

static inline void random_task(struct random *random, struct message_task *task)
{
    task->job = random_number(random);
    task->task = random_number(random);
    task->attempt = random_u32(random);
    task->kind = (enum task_kind)(1 + random_below(random, TASK_GLUE));
    random_places(random, &task->slice.begin, &task->slice.end);
    task->slice.element = random_number(random);
    task->slice.in_token = random_bool(random);
    task->room_bytes = random_number(random);
    task->deaths = random_u32(random);
    task->lost_daemons = random_u32(random);
    task->by_value = random_bool(random);
}

static inline void random_result(struct random *random, struct message_result *result)
{
    result->job = random_number(random);
    result->task = random_number(random);
    result->attempt = random_u32(random);
    result->kind = (enum task_kind)(1 + random_below(random, TASK_GLUE));
    random_places(random, &result->begin, &result->middle);
    result->busy_ns = random_number(random);
    result->deaths = random_u32(random);
    result->done = random_bool(random);
    result->units = random_number(random);
}

static inline void random_hello(struct random *random, struct message_hello *hello)
{
    hello->version = PROTOCOL_VERSION;
    hello->role = (enum role)(1 + random_below(random, ROLE_PROCESS));
    random_text(random, hello->host, sizeof hello->host);
    hello->pid = random_u32(random);
    hello->slots = random_u32(random);
    hello->credit_tasks = random_u32(random);
    hello->session = random_number(random);
}

/* The messages that have little in them. */
static inline void random_small(struct random *random, struct message *message)
{
    if (message->type == MESSAGE_CANCEL) {
        message->cancel.job = random_number(random);
        message->cancel.task = random_number(random);
        message->cancel.attempt = random_u32(random);
    } else if (message->type == MESSAGE_ROOM) {
        message->room.job = random_number(random);
        message->room.task = random_number(random);
        message->room.attempt = random_u32(random);
        message->room.more_bytes = random_number(random);
    } else if (message->type == MESSAGE_DECLINED) {
        message->declined.job = random_number(random);
        message->declined.task = random_number(random);
        message->declined.attempt = random_u32(random);
        message->declined.reason = random_bool(random) ? DECLINE_ABSENT : DECLINE_DRAINING;
        message->declined.source = (uint32_t)random_below(random, SOURCES_MAX);
    } else if (message->type == MESSAGE_HEARTBEAT)
        message->heartbeat.slots = random_number(random);
    else if (message->type == MESSAGE_FORGET)
        message->forget.job = random_number(random);
    else if (message->type == MESSAGE_REFUSED)
        random_text(random, message->refused.text, sizeof message->refused.text);
}

/* A message of the given type; zero in all that is not said, so that memcmp can compare. */
static inline void random_message(struct random *random, enum message_type type,
                                  struct message *message)
{
    struct bytes payload = {0};

    memset(message, 0, sizeof *message);
    message->type = type;
    random_small(random, message);
    if (type == MESSAGE_HELLO)
        random_hello(random, &message->hello);
    if (type == MESSAGE_WELCOME) {
        message->welcome.version = PROTOCOL_VERSION;
        message->welcome.slots = random_u32(random);
        message->welcome.credit_tasks = random_u32(random);
        message->welcome.session = random_number(random);
    }
    if (type == MESSAGE_JOB) {
        message->job.job = random_number(random);
        message->job.spec = random_spec(random);
    }
    if (type == MESSAGE_TASK)
        random_task(random, &message->task);
    if (type == MESSAGE_RESULT)
        random_result(random, &message->result);
    if (type == MESSAGE_TASK || type == MESSAGE_RESULT || type == MESSAGE_STATUS)
        random_bytes(random, &payload, random_below(random, 40));
    message->payload = chunk_take(&payload);
}

static inline bool texts_same(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

static inline bool sources_same(const struct source *a, const struct source *b)
{
    return a->format == b->format && a->access == b->access && texts_same(a->path, b->path) &&
           texts_same(a->name, b->name) && a->inline_data.length == b->inline_data.length &&
           (!a->inline_data.length ||
            !memcmp(a->inline_data.data, b->inline_data.data, a->inline_data.length)) &&
           a->units == b->units && a->file_bytes == b->file_bytes &&
           a->file_mtime_ns == b->file_mtime_ns && a->data_begin == b->data_begin &&
           a->first_line == b->first_line && a->lane == b->lane && a->lane_half == b->lane_half &&
           a->lane_bool == b->lane_bool && a->is_big_endian == b->is_big_endian &&
           a->is_fortran == b->is_fortran && a->rows == b->rows && a->columns == b->columns &&
           !mpz_cmp(a->begin, b->begin) && !mpz_cmp(a->step, b->step);
}

static inline bool specs_same(const struct job_spec *a, const struct job_spec *b)
{
    bool same = a->op == b->op && a->type == b->type && !memcmp(&a->cut, &b->cut, sizeof a->cut) &&
                a->piece_units == b->piece_units && a->value_bytes_max == b->value_bytes_max &&
                a->source_count == b->source_count;

    for (uint32_t i = 0; same && i < a->source_count; i++)
        same = sources_same(&a->sources[i], &b->sources[i]);
    return same;
}

static inline bool messages_same(const struct message *a, const struct message *b)
{
    if (a->type != b->type || a->payload.length != b->payload.length)
        return false;
    if (a->payload.length && memcmp(a->payload.data, b->payload.data, a->payload.length))
        return false;
    if (a->type == MESSAGE_JOB)
        return a->job.job == b->job.job && specs_same(a->job.spec, b->job.spec);
    return !memcmp(a, b, offsetof(struct message, payload));
}

/* The payload frame of a batch. */
static inline struct chunk batch_payload(const struct message *const *messages, size_t count)
{
    struct bytes all = {0};

    for (size_t i = 0; i < count; i++)
        bytes_append(&all, messages[i]->payload.data, messages[i]->payload.length);
    return chunk_take(&all);
}

static inline void messages_free(struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        message_clear(&messages[i]);
    memory_free(messages);
}

#endif
