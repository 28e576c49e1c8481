/* What is encoded is what is decoded, and what msgpack and the protocol's page say. */
#include "unit.h"

#include "wire_random.h"

#include <msgpack.h>
#include <stdlib.h>

enum { BATCH_MESSAGES = 30 };

struct batch {
    struct message messages[BATCH_MESSAGES];
    const struct message *list[BATCH_MESSAGES];
    size_t count;
    struct bytes header;
    struct chunk payload;
};

static void batch_fill(struct batch *batch, struct random *random, size_t count)
{
    memset(batch, 0, sizeof *batch);
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        random_message(random, (enum message_type)(1 + random_below(random, MESSAGE_TYPES - 1)),
                       &batch->messages[i]);
        batch->list[i] = &batch->messages[i];
    }
    CU_ASSERT_EQUAL(wire_encode(batch->list, count, &batch->header), count);
    batch->payload = batch_payload(batch->list, count);
}

static void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        message_clear(&batch->messages[i]);
    bytes_clear(&batch->header);
    chunk_drop(&batch->payload);
}

static void every_message_comes_back_as_it_went(void)
{
    struct random random = {1};

    for (int round = 0; round < 3000; round++) {
        struct batch batch;
        struct message *decoded;
        size_t count;

        batch_fill(&batch, &random, 1 + random_below(&random, BATCH_MESSAGES));
        CU_ASSERT_FATAL(
            wire_decode(batch.header.data, batch.header.length, &batch.payload, &decoded, &count));
        CU_ASSERT_EQUAL_FATAL(count, batch.count);
        for (size_t i = 0; i < count; i++)
            CU_ASSERT_FATAL(messages_same(&decoded[i], &batch.messages[i]));
        messages_free(decoded, count);
        batch_clear(&batch);
    }
}

static void msgpacks_own_reader_finds_whole_arrays_that_begin_with_the_type(void)
{
    struct random random = {2};

    for (int round = 0; round < 200; round++) {
        struct batch batch;
        msgpack_unpacked unpacked;
        size_t end = 0;

        batch_fill(&batch, &random, 1 + random_below(&random, BATCH_MESSAGES));
        msgpack_unpacked_init(&unpacked);
        CU_ASSERT_EQUAL_FATAL(msgpack_unpack_next(&unpacked, (const char *)batch.header.data,
                                                  batch.header.length, &end),
                              MSGPACK_UNPACK_SUCCESS);
        CU_ASSERT_EQUAL(end, batch.header.length);
        CU_ASSERT_EQUAL_FATAL(unpacked.data.type, MSGPACK_OBJECT_ARRAY);
        CU_ASSERT_EQUAL_FATAL(unpacked.data.via.array.size, batch.count);
        for (size_t i = 0; i < batch.count; i++) {
            const msgpack_object *message = &unpacked.data.via.array.ptr[i];

            CU_ASSERT_EQUAL_FATAL(message->type, MSGPACK_OBJECT_ARRAY);
            CU_ASSERT_EQUAL(message->via.array.ptr[0].via.u64, batch.messages[i].type);
        }
        msgpack_unpacked_destroy(&unpacked);
        batch_clear(&batch);
    }
}

/* One message of each kind the page spells out, with the values of vectors/wire.py. */
static struct job_spec *vector_spec(void)
{
    struct job_spec *spec = memory_new(sizeof *spec);

    spec->op = OP_PRODUCT;
    spec->type = ELEMENT_INT;
    spec->cut = (struct cut){.kind = CUT_EVERY, .size = 100, .elements = UINT64_MAX};
    spec->value_bytes_max = GIB;
    spec->source_count = 4;
    spec->sources = memory_array(4, sizeof *spec->sources);
    for (uint32_t i = 0; i < 4; i++)
        source_init(&spec->sources[i]);
    spec->sources[0].format = SOURCE_RANGE;
    spec->sources[0].access = SOURCE_NOTHING;
    spec->sources[0].units = 400;
    spec->sources[0].name = memory_text("1..400");
    mpz_set_si(spec->sources[0].begin, -1);
    mpz_set_str(spec->sources[0].step, "-100000000000000000000", 10);
    spec->sources[1].access = SOURCE_FILE;
    spec->sources[1].path = memory_text("/data/a.txt");
    spec->sources[1].name = memory_text("a.txt");
    spec->sources[1].units = 997;
    spec->sources[1].file_bytes = 1000;
    spec->sources[1].file_mtime_ns = INT64_C(1700000000123456789);
    spec->sources[1].data_begin = 3;
    spec->sources[2].format = SOURCE_ARRAY;
    spec->sources[2].access = SOURCE_FILE;
    spec->sources[2].path = memory_text("/data/b.npy");
    spec->sources[2].name = memory_text("../b.npy");
    spec->sources[2].units = 12;
    spec->sources[2].file_bytes = 152;
    spec->sources[2].file_mtime_ns = -1;
    spec->sources[2].data_begin = 128;
    spec->sources[2].lane = LANE_F32;
    spec->sources[2].lane_half = 1;
    spec->sources[2].is_fortran = 1;
    spec->sources[2].rows = 3;
    spec->sources[2].columns = 4;
    spec->sources[3].name = memory_text("the command line");
    spec->sources[3].units = 4;
    bytes_append(&spec->sources[3].inline_data, "6 7\n", 4);
    return spec;
}

static void vector_work(struct message *task, struct message *result)
{
    task->type = MESSAGE_TASK;
    task->task = (struct message_task){.job = 7,
                                       .task = 300,
                                       .attempt = 1,
                                       .kind = TASK_FOLD,
                                       .slice = {{0, 128}, {1, 0}, 70000, true},
                                       .room_bytes = UINT64_C(1) << 40,
                                       .deaths = 2,
                                       .lost_daemons = 3,
                                       .by_value = true};
    task->payload = chunk_copy("1 2 3", 5);
    result->type = MESSAGE_RESULT;
    result->result = (struct message_result){.job = 7,
                                             .task = 300,
                                             .attempt = 1,
                                             .kind = TASK_FOLD,
                                             .begin = {0, 128},
                                             .middle = {0, 133},
                                             .busy_ns = 123456,
                                             .done = true,
                                             .units = 5};
    result->payload = chunk_copy("segment", 7);
}

static size_t vector_messages(struct message *messages)
{
    struct message *next = messages;

    *next++ = (struct message){
        .type = MESSAGE_HELLO,
        .hello = {PROTOCOL_VERSION, ROLE_WORKER, "node-1", 4711, 8, 64, UINT64_MAX}};
    *next++ = (struct message){.type = MESSAGE_WELCOME,
                               .welcome = {PROTOCOL_VERSION, 16, 128, UINT64_MAX}};
    *next++ = (struct message){.type = MESSAGE_REFUSED, .refused = {"no"}};
    *next++ = (struct message){.type = MESSAGE_HEARTBEAT, .heartbeat = {5}};
    *next++ = (struct message){.type = MESSAGE_BYE};
    *next++ = (struct message){.type = MESSAGE_JOB, .job = {7, vector_spec()}};
    *next++ = (struct message){.type = MESSAGE_FORGET, .forget = {7}};
    vector_work(next, next + 1);
    next += 2;
    *next++ = (struct message){.type = MESSAGE_CANCEL, .cancel = {7, 300, 1}};
    *next++ = (struct message){.type = MESSAGE_ROOM, .room = {7, 300, 1, 65536}};
    *next++ =
        (struct message){.type = MESSAGE_DECLINED, .declined = {7, 300, 1, DECLINE_ABSENT, 2}};
    *next++ = (struct message){.type = MESSAGE_ASK_STATUS};
    *next++ = (struct message){.type = MESSAGE_STATUS, .payload = chunk_copy("{}", 2)};
    return (size_t)(next - messages);
}

static void read_vector(struct bytes *vector)
{
    FILE *file = fopen("unit/vectors/wire.txt", "r");
    unsigned byte;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fscanf(file, "%2x", &byte) == 1)
        bytes_append_byte(vector, (uint8_t)byte);
    fclose(file);
}

static void the_bytes_are_those_that_the_protocols_page_gives(void)
{
    struct message messages[16] = {0};
    const struct message *list[16];
    size_t count = vector_messages(messages);
    struct bytes header = {0}, vector = {0};

    for (size_t i = 0; i < count; i++)
        list[i] = &messages[i];
    CU_ASSERT_EQUAL(wire_encode(list, count, &header), count);
    read_vector(&vector);
    CU_ASSERT_EQUAL_FATAL(header.length, vector.length);
    CU_ASSERT_EQUAL(memcmp(header.data, vector.data, vector.length), 0);
    bytes_clear(&header);
    bytes_clear(&vector);
    for (size_t i = 0; i < count; i++)
        message_clear(&messages[i]);
}

static void the_recorded_bytes_are_what_the_script_prints(void)
{
    int status = system("command -v python3 >/dev/null || exit 0; "
                        "python3 unit/vectors/wire.py | cmp - unit/vectors/wire.txt");

    CU_ASSERT_EQUAL(status, 0);
}

static void release_once(void *owner)
{
    ++*(int *)owner;
}

static void payloads_are_shared_parts_of_the_frame(void)
{
    static const char frame[] = "abcdef";
    int releases = 0;
    struct chunk payload = chunk_wrap(frame, 6, release_once, &releases);
    struct message statuses[2] = {
        {.type = MESSAGE_STATUS, .payload = {.data = (const uint8_t *)frame, .length = 2}},
        {.type = MESSAGE_STATUS, .payload = {.data = (const uint8_t *)frame + 2, .length = 4}}};
    const struct message *list[2] = {&statuses[0], &statuses[1]};
    struct bytes header = {0};
    struct message *decoded;
    size_t count;

    wire_encode(list, 2, &header);
    CU_ASSERT_FATAL(wire_decode(header.data, header.length, &payload, &decoded, &count));
    CU_ASSERT_PTR_EQUAL(decoded[0].payload.data, frame);
    CU_ASSERT_PTR_EQUAL(decoded[1].payload.data, frame + 2);
    chunk_drop(&payload);
    message_clear(&decoded[0]);
    CU_ASSERT_EQUAL(releases, 0);
    messages_free(decoded, count);
    CU_ASSERT_EQUAL(releases, 1);
    bytes_clear(&header);
}

/* A spec of some `count` files with names of `name_bytes` below one directory. */
static struct job_spec *spec_of_files(uint32_t count, int name_bytes)
{
    struct job_spec *spec = memory_new(sizeof *spec);
    char path[PATH_BYTES_MAX];

    *spec = (struct job_spec){.op = OP_SUM, .cut = {.kind = CUT_TOTAL}};
    spec->sources = memory_array(count, sizeof *spec->sources);
    spec->source_count = count;
    for (uint32_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/some/directory/%0*u", name_bytes, i);
        source_init(&spec->sources[i]);
        spec->sources[i].access = SOURCE_FILE;
        spec->sources[i].path = memory_text(path);
        spec->sources[i].name = memory_text(path + strlen("/some/directory/"));
    }
    return spec;
}

static void a_batch_ends_before_its_header_is_too_long(void)
{
    struct message jobs[3] = {{.type = MESSAGE_JOB, .job = {1, spec_of_files(60000, 6)}},
                              {.type = MESSAGE_JOB, .job = {2, spec_of_files(60000, 6)}},
                              {.type = MESSAGE_JOB, .job = {3, spec_of_files(60000, 6)}}};
    const struct message *list[3] = {&jobs[0], &jobs[1], &jobs[2]};
    size_t sent = 0;

    for (int batches = 0; sent < 3 && batches < 3; batches++) {
        struct bytes header = {0};
        size_t now = wire_encode(list + sent, 3 - sent, &header), count;
        struct message *decoded;

        CU_ASSERT(now >= 1 && header.length <= BATCH_HEADER_BYTES_MAX);
        CU_ASSERT_FATAL(wire_decode(header.data, header.length, NULL, &decoded, &count));
        CU_ASSERT_EQUAL_FATAL(count, now);
        for (size_t i = 0; i < count; i++)
            CU_ASSERT(messages_same(&decoded[i], &jobs[sent + i]));
        messages_free(decoded, count);
        bytes_clear(&header);
        sent += now;
    }
    CU_ASSERT_EQUAL(sent, 3);
    for (int i = 0; i < 3; i++)
        message_clear(&jobs[i]);
}

static void a_job_fits_exactly_when_it_can_be_decoded(void)
{
    static const struct {
        uint32_t files;
        int name_bytes;
        bool fits;
    } cases[] = {{0, 6, true},       {1, 4000, true},      {80000, 6, true},
                 {400000, 6, false}, {17000, 4000, false}, {15000, 4000, true}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message job = {.type = MESSAGE_JOB,
                              .job = {1, spec_of_files(cases[i].files, cases[i].name_bytes)}};
        const struct message *list[1] = {&job};
        struct bytes header = {0};
        struct message *decoded;
        size_t count;

        CU_ASSERT_EQUAL(wire_job_fits(job.job.spec), cases[i].fits);
        wire_encode(list, 1, &header);
        CU_ASSERT_EQUAL(wire_decode(header.data, header.length, NULL, &decoded, &count),
                        cases[i].fits);
        messages_free(decoded, count);
        bytes_clear(&header);
        message_clear(&job);
    }
}

static void moving_a_message_leaves_nothing_behind(void)
{
    struct message from = {.type = MESSAGE_JOB, .job = {1, spec_of_files(3, 6)}};
    struct message to = {.type = MESSAGE_STATUS, .payload = chunk_copy("old", 3)};
    struct job_spec *spec = from.job.spec;

    message_move(&to, &from);
    CU_ASSERT_PTR_EQUAL(to.job.spec, spec);
    CU_ASSERT_EQUAL(to.payload.length, 0);
    CU_ASSERT_PTR_NULL(from.job.spec);
    message_clear(&from);
    message_clear(&to);
    CU_ASSERT_EQUAL(to.type, 0);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct unit_case CASES[] = {
    CASE(every_message_comes_back_as_it_went),
    CASE(msgpacks_own_reader_finds_whole_arrays_that_begin_with_the_type),
    CASE(the_bytes_are_those_that_the_protocols_page_gives),
    CASE(the_recorded_bytes_are_what_the_script_prints),
    CASE(payloads_are_shared_parts_of_the_frame),
    CASE(a_batch_ends_before_its_header_is_too_long),
    CASE(a_job_fits_exactly_when_it_can_be_decoded),
    CASE(moving_a_message_leaves_nothing_behind),
};

UNIT_MAIN("wire", CASES)
