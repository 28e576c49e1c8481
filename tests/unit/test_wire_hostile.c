/* Whatever bytes arrive, decoding ends in a failure or in messages that are sound. */
#include "unit.h"

#include "wire_random.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static bool decodes(const void *header, size_t length, const struct chunk *payload)
{
    struct message *messages;
    size_t count;
    bool fine = wire_decode(header, length, payload, &messages, &count);

    if (!fine)
        CU_ASSERT(!messages && !count);
    messages_free(messages, count);
    return fine;
}

/* What was accepted says the same again when it is encoded and decoded once more. */
static bool decodes_to_something_sound(const void *header, size_t length,
                                       const struct chunk *payload)
{
    struct message *messages, *again;
    const struct message **list;
    struct bytes encoded = {0};
    size_t count, count_again = 0;
    bool same;

    if (!wire_decode(header, length, payload, &messages, &count))
        return true;
    list = memory_array(count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = &messages[i];
    wire_encode(list, count, &encoded);
    same = wire_decode(encoded.data, encoded.length, payload, &again, &count_again) &&
           count_again == count;
    for (size_t i = 0; same && i < count; i++)
        same = messages_same(&messages[i], &again[i]);
    messages_free(again, count_again);
    messages_free(messages, count);
    memory_free(list);
    bytes_clear(&encoded);
    return same;
}

/* A batch with one message of every type. */
static void all_types(struct random *random, struct bytes *header, struct chunk *payload)
{
    struct message messages[MESSAGE_TYPES - 1];
    const struct message *list[MESSAGE_TYPES - 1];

    for (int i = 0; i < MESSAGE_TYPES - 1; i++) {
        random_message(random, (enum message_type)(i + 1), &messages[i]);
        list[i] = &messages[i];
    }
    wire_encode(list, MESSAGE_TYPES - 1, header);
    *payload = batch_payload(list, MESSAGE_TYPES - 1);
    for (int i = 0; i < MESSAGE_TYPES - 1; i++)
        message_clear(&messages[i]);
}

static void every_truncation_is_refused(void)
{
    struct random random = {3};

    for (int round = 0; round < 20; round++) {
        struct bytes header = {0};
        struct chunk payload;

        all_types(&random, &header, &payload);
        CU_ASSERT(decodes(header.data, header.length, &payload));
        for (size_t length = 0; length < header.length; length++) {
            uint8_t *copy = memory_new(length); /* of that size, for the sanitizer */

            if (length)
                memcpy(copy, header.data, length);
            CU_ASSERT_FALSE(decodes(copy, length, &payload));
            memory_free(copy);
        }
        bytes_append_byte(&header, 0xc0);
        CU_ASSERT_FALSE(decodes(header.data, header.length, &payload));
        bytes_clear(&header);
        chunk_drop(&payload);
    }
}

static void every_changed_byte_is_refused_or_sound(void)
{
    struct random random = {4};

    for (int round = 0; round < 3; round++) {
        struct bytes header = {0};
        struct chunk payload;

        all_types(&random, &header, &payload);
        for (size_t at = 0; at < header.length; at++) {
            uint8_t was = header.data[at];

            for (unsigned value = 0; value < 256; value++) {
                header.data[at] = (uint8_t)value;
                CU_ASSERT_FATAL(decodes_to_something_sound(header.data, header.length, &payload));
            }
            header.data[at] = was;
        }
        bytes_clear(&header);
        chunk_drop(&payload);
    }
}

static void random_bytes_are_refused_or_sound(void)
{
    struct random random = {5};

    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t length = random_below(&random, sizeof bytes);

        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)random_u64(&random);
        bytes[0] = 0x91;
        bytes[1] = (uint8_t)(0x90 | random_below(&random, 9));
        bytes[2] = (uint8_t)random_below(&random, MESSAGE_TYPES + 1);
        CU_ASSERT_FATAL(decodes_to_something_sound(bytes, length, NULL));
    }
}

static void lengths_that_are_not_there_are_refused(void)
{
    const struct {
        const uint8_t *bytes;
        size_t length;
    } cases[] = {
        {BYTES(0)},
        {BYTES(0x90)},                               /* no message at all */
        {BYTES(0xdd, 0xff, 0xff, 0xff, 0xff)},       /* 2^32 - 1 messages */
        {BYTES(0xdd, 0x00, 0x00, 0x10, 0x01, 0x91)}, /* one more than a batch may have */
        {BYTES(0x91, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x05)},
        {BYTES(0x91, 0x91, 0x03, 0x05)}, /* REFUSED without its text */
        {BYTES(0x91, 0x92, 0x03, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61)}, /* … of 4 GiB */
        {BYTES(0x91, 0x92, 0x03, 0xc6, 0x00, 0x00, 0x00, 0x02, 0x61)},
        {BYTES(0x91, 0x92, 0x03, 0xa2, 0x61, 0x00)}, /* a NUL in it */
        {BYTES(0x91, 0x92, 0x03, 0x81, 0x01, 0x02)}, /* a map */
        {BYTES(0x91, 0x92, 0x05, 0x00)},             /* BYE with something more */
        {BYTES(0x91, 0x91, 0x00)},                   /* no such type */
        {BYTES(0x91, 0x91, 0x0f)},
        {BYTES(0x91, 0x92, 0x04, 0xff)}, /* a negative number */
        {BYTES(0x91, 0x92, 0x04, 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0)},
        {BYTES(0x91, 0x92, 0x04, 0xca, 0, 0, 0, 0)},                   /* a float */
        {BYTES(0x91, 0x94, 0x09, 7, 8, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0)}, /* an attempt past 32 bits */
        {BYTES(0x91, 0x92, 0x0e, 0x01)}, /* a payload of one byte, and none there */
        {BYTES(0x91, 0x92, 0x0e, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)},
        {BYTES(0x92, 0x92, 0x0e, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x92, 0x0e,
               0x01)}, /* together they wrap to none */
        {BYTES(0x91, 0x93, 0x06, 0x07, 0x96, 0x01, 0x00, 0x94, 0x01, 0, 0, 0, 0, 0, 0xdd, 0x00,
               0x0f, 0x42, 0x40)},                   /* a million sources */
        {BYTES(0x91, 0x91, 0x01)},                   /* a HELLO that says no version … */
        {BYTES(0x91, 0x93, 0x01, 0x02, 0x91)},       /* … of another version, cut off */
        {BYTES(0x91, 0x91, 0x01, 0x02, 0x93, 0x01)}, /* … whose version is none of its items */
        {BYTES(0x91, 0x93, 0x01, 0x02, 0xc1)},       /* … with what msgpack never uses */
        {BYTES(0x91, 0x93, 0x01, 0x02, 0xdf, 0x80, 0, 0, 0)} /* … with a map of 2^31 */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (decodes(cases[i].bytes, cases[i].length, NULL)) {
            fprintf(stderr, "case %zu was decoded\n", i);
            CU_FAIL("hostile bytes were decoded");
        }
}

static void numbers_of_any_width_are_read(void)
{
    const struct {
        const uint8_t *bytes;
        size_t length;
        uint64_t number;
    } cases[] = {{BYTES(0x91, 0x92, 0x04, 0x05), 5},
                 {BYTES(0xdc, 0, 1, 0xdd, 0, 0, 0, 2, 0xcd, 0, 4, 0xcc, 0x05), 5},
                 {BYTES(0x91, 0x92, 0x04, 0xcf, 0xff, 0, 0, 0, 0, 0, 0, 1), 0xff00000000000001},
                 {BYTES(0x91, 0x92, 0x04, 0xce, 0x80, 0, 0, 2), 0x80000002},
                 {BYTES(0x91, 0x92, 0x04, 0xd1, 0x7f, 0xff), 0x7fff},
                 {BYTES(0x91, 0x92, 0x04, 0xd0, 0x7f), 0x7f},
                 {BYTES(0x91, 0x92, 0x04, 0xd3, 0, 0, 0, 0, 0, 0, 1, 0), 256}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message *messages;
        size_t count;

        CU_ASSERT_FATAL(wire_decode(cases[i].bytes, cases[i].length, NULL, &messages, &count));
        CU_ASSERT_EQUAL(messages[0].type, MESSAGE_HEARTBEAT);
        CU_ASSERT_EQUAL(messages[0].heartbeat.slots, cases[i].number);
        messages_free(messages, count);
    }
}

static void a_greeting_of_another_version_is_read_as_far_as_its_version(void)
{
    const struct {
        const uint8_t *bytes;
        size_t length;
    } cases[] = {
        {BYTES(0x91, 0x92, 0x01, 0x02)},
        {BYTES(0x91, 0x96, 0x01, 0x02, 0x82, 0xa1, 0x61, 0x93, 1, 2, 3, 0x01, 0xc0, 0xca, 0, 0, 0,
               0, 0xd8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc7, 1, 9, 9)}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message *messages;
        size_t count;

        CU_ASSERT_FATAL(wire_decode(cases[i].bytes, cases[i].length, NULL, &messages, &count));
        CU_ASSERT_EQUAL(messages[0].type, MESSAGE_HELLO);
        CU_ASSERT_EQUAL(messages[0].hello.version, 2);
        CU_ASSERT_EQUAL(messages[0].hello.session, 0);
        messages_free(messages, count);
    }
}

static bool message_survives(const struct message *message)
{
    struct bytes header = {0};
    bool survives;

    wire_encode(&message, 1, &header);
    survives = decodes(header.data, header.length, &message->payload);
    bytes_clear(&header);
    return survives;
}

static void what_contradicts_itself_is_refused(void)
{
    struct message task = {.type = MESSAGE_TASK,
                           .task = {.kind = TASK_FOLD, .slice = {.begin = {1, 5}, .end = {1, 5}}}};
    struct message result = {.type = MESSAGE_RESULT,
                             .result = {.kind = TASK_FOLD, .begin = {0, 9}, .middle = {1, 0}}};

    CU_ASSERT(message_survives(&task));
    task.task.slice.end.unit = 4;
    CU_ASSERT_FALSE(message_survives(&task));
    task.task.slice.end = (struct place){SOURCES_MAX + 1, 0};
    CU_ASSERT_FALSE(message_survives(&task));
    task.task.slice.end = (struct place){2, 0};
    task.task.kind = (enum task_kind)0;
    CU_ASSERT_FALSE(message_survives(&task));
    task.task.kind = (enum task_kind)(TASK_GLUE + 1);
    CU_ASSERT_FALSE(message_survives(&task));
    CU_ASSERT(message_survives(&result));
    result.result.middle = (struct place){0, 8};
    CU_ASSERT_FALSE(message_survives(&result));
}

static void payload_lengths_must_add_up(void)
{
    struct message status = {.type = MESSAGE_STATUS, .payload = chunk_copy("{}", 2)};
    const struct message *list[1] = {&status};
    struct bytes header = {0};
    struct chunk longer = chunk_copy("{}x", 3), shorter = chunk_copy("{", 1);

    wire_encode(list, 1, &header);
    CU_ASSERT(decodes(header.data, header.length, &status.payload));
    CU_ASSERT_FALSE(decodes(header.data, header.length, &longer));
    CU_ASSERT_FALSE(decodes(header.data, header.length, &shorter));
    CU_ASSERT_FALSE(decodes(header.data, header.length, NULL));
    bytes_clear(&header);
    chunk_drop(&longer);
    chunk_drop(&shorter);
    message_clear(&status);
}

static void break_range(struct source *s)
{
    s->format = SOURCE_RANGE;
    s->access = SOURCE_NOTHING;
}
static void break_range_units(struct source *s)
{
    break_range(s);
    mpz_set_si(s->step, 1);
    s->units = UINT64_C(1) << 63;
}
static void break_path(struct source *s)
{
    memory_free(s->path);
    s->path = memory_text("relative.txt");
}
static void break_size(struct source *s)
{
    s->file_bytes = 99;
}
static void break_begin(struct source *s)
{
    s->data_begin = UINT64_MAX;
}
static void break_units(struct source *s)
{
    s->units = UINT64_MAX;
}
static void break_inline(struct source *s)
{
    s->access = SOURCE_INLINE;
}
static void break_access(struct source *s)
{
    s->access = SOURCE_NOTHING;
}
static void break_rows(struct source *s)
{
    s->format = SOURCE_ARRAY;
    s->lane = LANE_I8;
    s->rows = UINT64_C(1) << 33;
    s->columns = (UINT64_C(1) << 31) + 1;
}
static void break_half(struct source *s)
{
    s->format = SOURCE_ARRAY;
    s->lane = LANE_F64;
    s->lane_half = 1;
    s->units = s->rows = s->columns = 0;
}
static void break_columns(struct source *s)
{
    s->format = SOURCE_ARRAY;
    s->access = SOURCE_STREAM;
    s->units = SOURCE_UNITS_UNKNOWN;
}
static void leave(struct source *s)
{
    (void)s;
}

static void sources_that_cannot_be_are_refused(void)
{
    static const struct {
        void (*change)(struct source *source);
        bool sound;
    } cases[] = {{leave, true},        {break_range, false},  {break_range_units, false},
                 {break_path, false},  {break_size, false},   {break_begin, false},
                 {break_units, false}, {break_inline, false}, {break_access, false},
                 {break_rows, false},  {break_half, false},   {break_columns, false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source source;
        struct job_spec spec = {
            .op = OP_SUM, .cut = {.kind = CUT_TOTAL}, .sources = &source, .source_count = 1};
        struct message job = {.type = MESSAGE_JOB, .job = {1, &spec}};

        source_init(&source);
        source.access = SOURCE_FILE;
        source.path = memory_text("/a");
        source.file_bytes = source.units = 100;
        cases[i].change(&source);
        CU_ASSERT_EQUAL(message_survives(&job), cases[i].sound);
        source_clear(&source);
    }
}

static void cuts_that_cannot_be_are_refused(void)
{
    static const struct {
        struct cut cut;
        bool sound;
    } cases[] = {{{CUT_TOTAL, 0, 0, 0}, true},        {{CUT_EVERY, 0, 1, 0}, false},
                 {{CUT_EVERY, 1, 0, 0}, true},        {{CUT_SPLIT, 1, 0, 0}, false},
                 {{CUT_SPLIT, 0, 1, 0}, true},        {{(enum cut_kind)0, 1, 1, 0}, false},
                 {{(enum cut_kind)5, 1, 1, 0}, false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job_spec spec = {.op = OP_SUM, .cut = cases[i].cut};
        struct message job = {.type = MESSAGE_JOB, .job = {1, &spec}};

        CU_ASSERT_EQUAL(message_survives(&job), cases[i].sound);
    }
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct unit_case CASES[] = {
    CASE(every_truncation_is_refused),
    CASE(every_changed_byte_is_refused_or_sound),
    CASE(random_bytes_are_refused_or_sound),
    CASE(lengths_that_are_not_there_are_refused),
    CASE(numbers_of_any_width_are_read),
    CASE(a_greeting_of_another_version_is_read_as_far_as_its_version),
    CASE(what_contradicts_itself_is_refused),
    CASE(payload_lengths_must_add_up),
    CASE(sources_that_cannot_be_are_refused),
    CASE(cuts_that_cannot_be_are_refused),
};

UNIT_MAIN("wire, hostile", CASES)
