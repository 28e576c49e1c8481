/* The bytes of a checkpoint: read back as they were, refused when one of them is not, and harmless
 * whatever they say. */
#include "root_help.h"
#include "unit.h"

#include "base/hash.h"
#include "core/saved.h"

enum { DATA_BYTES = 200000, HOSTILE_FILES = 1500, STEPS_MAX = 200 };
/* magic, version, length */
enum { VERSION_AT = 8, LENGTH_AT = 12, HEAD_BYTES = 20, HASH_BYTES = 8 };

struct sample {
    struct job_spec spec;
    struct bytes data;
    struct bytes file;
};

/* A job that stands between two steps: some is counted, some is with a child, some is not cut. */
static void sample_init(struct sample *sample, enum cut_kind cut)
{
    struct saved saved = {.answers = {.bytes = 77, .hash = UINT64_C(0xfeed)}};
    struct source *source;
    struct root root;

    *sample = (struct sample){.spec = {.op = OP_SUM,
                                       .cut = {.kind = cut, .size = 7, .parts = 3},
                                       .piece_units = 8000,
                                       .value_bytes_max = VALUE_BYTES_DEFAULT,
                                       .source_count = 1}};
    while (sample->data.length < DATA_BYTES)
        bytes_append(&sample->data, "1 22 333\n-4 5.5\n\n123456789012345678901 1\n", 41);
    sample->spec.sources = memory_array(1, sizeof *sample->spec.sources);
    source = sample->spec.sources;
    source_init(source);
    source->access = SOURCE_FILE;
    source->path = memory_text("/sample.txt");
    source->name = memory_text("sample.txt");
    source->units = source->file_bytes = sample->data.length;
    root_start(&root, &sample->spec, sample->data.data, NULL, false);
    do {
        snapshot_clear(&saved.snapshot);
        root_step(&root);
        CU_ASSERT_FALSE_FATAL(root.has_ended);
        CU_ASSERT_TRUE_FATAL(node_snapshot(root.node, &saved.snapshot));
    } while (saved.snapshot.phase != TASK_FOLD || saved.snapshot.tile_count < 3);
    identity_of(&saved.identity, &sample->spec);
    saved_encode(&saved, &sample->file);
    saved_clear(&saved);
    root_clear(&root);
}

static void sample_clear(struct sample *sample)
{
    job_spec_clear(&sample->spec);
    bytes_clear(&sample->data);
    bytes_clear(&sample->file);
}

static void what_was_encoded_is_decoded(void)
{
    static const enum cut_kind CUTS[] = {CUT_SUBLISTS, CUT_EVERY};

    for (size_t i = 0; i < 2; i++) {
        struct sample sample;
        struct identity identity;
        struct saved saved;
        struct bytes again = {0};

        sample_init(&sample, CUTS[i]);
        identity_of(&identity, &sample.spec);
        CU_ASSERT_EQUAL_FATAL(saved_decode(&saved, sample.file.data, sample.file.length),
                              SAVED_SOUND);
        CU_ASSERT_PTR_NULL(identity_difference(&saved.identity, &identity));
        CU_ASSERT_EQUAL(saved.answers.bytes, 77);
        CU_ASSERT_EQUAL(saved.answers.hash, 0xfeed);
        CU_ASSERT_TRUE(saved.snapshot.tile_count > 1);
        CU_ASSERT_EQUAL(saved.snapshot.checkpoint_count > 0, CUTS[i] == CUT_EVERY);
        CU_ASSERT_TRUE(snapshot_is_sound(&saved.snapshot, &sample.spec));
        saved_encode(&saved, &again);
        CU_ASSERT_EQUAL_FATAL(again.length, sample.file.length);
        CU_ASSERT_EQUAL(memcmp(again.data, sample.file.data, again.length), 0);
        saved_clear(&saved);
        bytes_clear(&again);
        sample_clear(&sample);
    }
}

static enum saved_status status_of(const void *data, size_t length)
{
    struct saved saved;
    enum saved_status status = saved_decode(&saved, data, length);

    if (status != SAVED_SOUND)
        CU_ASSERT_EQUAL(saved.snapshot.tile_count, 0);
    saved_clear(&saved);
    return status;
}

/* In memory of its size, so that a sanitizer sees a byte that is read behind it. */
static enum saved_status status_of_copy(const void *data, size_t length)
{
    uint8_t *copy = memory_new(length);
    enum saved_status status;

    if (length)
        memcpy(copy, data, length);
    status = status_of(copy, length);
    memory_free(copy);
    return status;
}

static void any_truncation_is_refused(void)
{
    struct sample sample;

    sample_init(&sample, CUT_SUBLISTS);
    for (size_t length = 0; length < sample.file.length; length++)
        CU_ASSERT_EQUAL(status_of_copy(sample.file.data, length),
                        length < SAVED_MAGIC_BYTES ? SAVED_FOREIGN : SAVED_TORN);
    bytes_append_byte(&sample.file, 0);
    CU_ASSERT_EQUAL(status_of(sample.file.data, sample.file.length), SAVED_TORN);
    sample_clear(&sample);
}

static void any_changed_byte_is_refused(void)
{
    static const uint8_t CHANGES[] = {0x01, 0x80, 0xff, 0x20};
    struct sample sample;

    sample_init(&sample, CUT_EVERY);
    for (size_t at = 0; at < sample.file.length; at++)
        for (size_t i = 0; i < sizeof CHANGES; i++) {
            enum saved_status status;

            sample.file.data[at] ^= CHANGES[i];
            status = status_of(sample.file.data, sample.file.length);
            CU_ASSERT_EQUAL(status, at < VERSION_AT  ? SAVED_FOREIGN
                                    : at < LENGTH_AT ? SAVED_OTHER_VERSION
                                                     : SAVED_TORN);
            sample.file.data[at] ^= CHANGES[i];
        }
    CU_ASSERT_EQUAL(status_of(sample.file.data, sample.file.length), SAVED_SOUND);
    sample_clear(&sample);
}

static uint64_t next(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* As a forger would: the length and the checksum fit. */
static void seal(struct bytes *file)
{
    struct bytes number = {0};

    bytes_append_u64(&number, file->length);
    memcpy(file->data + LENGTH_AT, number.data, 8);
    number.length = 0;
    bytes_append_u64(&number, hash_of(file->data, file->length - HASH_BYTES));
    memcpy(file->data + file->length - HASH_BYTES, number.data, 8);
    bytes_clear(&number);
}

static void forge(struct bytes *file, uint64_t *random)
{
    size_t inside = file->length - HEAD_BYTES - HASH_BYTES;
    uint64_t changes = 1 + next(random) % 4;

    for (uint64_t i = 0; i < changes; i++) {
        /* Most of the numbers stand at the begin. */
        size_t at =
            next(random) % 2 ? next(random) % inside : next(random) % (inside < 400 ? inside : 400);
        uint8_t *byte = file->data + HEAD_BYTES + at;

        *byte = next(random) % 3 ? (uint8_t)(*byte + 1 - 2 * (next(random) % 2))
                                 : (uint8_t)next(random);
    }
    if (next(random) % 8 == 0)
        file->length -= next(random) % (inside / 2);
    seal(file);
}

/* Whatever comes of it, it comes to an end or goes on; nothing is read or written that should not.
 */
static void go_on(const struct sample *sample, struct snapshot *snapshot)
{
    struct root root;

    root_start(&root, &sample->spec, sample->data.data, snapshot, false);
    for (int i = 0; i < STEPS_MAX && !root.has_ended && root.task_count; i++)
        root_step(&root);
    root_clear(&root);
}

static void forged_files_do_no_harm(void)
{
    uint64_t random = 4711;
    size_t sound = 0;
    struct sample sample;

    sample_init(&sample, CUT_EVERY);
    for (int i = 0; i < HOSTILE_FILES; i++) {
        struct bytes file = {0};
        struct saved saved;

        bytes_append(&file, sample.file.data, sample.file.length);
        forge(&file, &random);
        if (saved_decode(&saved, file.data, file.length) == SAVED_SOUND &&
            snapshot_is_sound(&saved.snapshot, &sample.spec)) {
            sound++;
            go_on(&sample, &saved.snapshot);
        }
        saved_clear(&saved);
        bytes_clear(&file);
    }
    CU_ASSERT_TRUE(sound > HOSTILE_FILES / 100);
    sample_clear(&sample);
}

static void a_job_is_told_from_others(void)
{
    struct sample sample;
    struct identity kept, now;

    sample_init(&sample, CUT_EVERY);
    identity_of(&kept, &sample.spec);
#define DIFFERS(change, undo, word)                                                                \
    change;                                                                                        \
    identity_of(&now, &sample.spec);                                                               \
    CU_ASSERT_PTR_NOT_NULL_FATAL(identity_difference(&kept, &now));                                \
    CU_ASSERT_PTR_NOT_NULL(strstr(identity_difference(&kept, &now), word));                        \
    undo;                                                                                          \
    identity_of(&now, &sample.spec);                                                               \
    CU_ASSERT_PTR_NULL(identity_difference(&kept, &now))
    DIFFERS(sample.spec.op = OP_PRODUCT, sample.spec.op = OP_SUM, "operation");
    DIFFERS(sample.spec.cut.size++, sample.spec.cut.size--, "cut");
    DIFFERS(sample.spec.type = ELEMENT_INT, sample.spec.type = ELEMENT_AUTO, "--type");
    DIFFERS(sample.spec.value_bytes_max++, sample.spec.value_bytes_max--, "--max-value");
    DIFFERS(sample.spec.sources[0].path[1]++, sample.spec.sources[0].path[1]--, "sources");
    DIFFERS(mpz_set_si(sample.spec.sources[0].begin, -1),
            mpz_set_si(sample.spec.sources[0].begin, 0), "sources");
    DIFFERS(sample.spec.sources[0].file_mtime_ns++, sample.spec.sources[0].file_mtime_ns--,
            "changed");
    DIFFERS(sample.spec.sources[0].file_bytes++, sample.spec.sources[0].file_bytes--, "changed");
#undef DIFFERS
    sample.spec.piece_units = 1; /* how the work is divided does not matter */
    identity_of(&now, &sample.spec);
    CU_ASSERT_PTR_NULL(identity_difference(&kept, &now));
    sample_clear(&sample);
}

static void a_checksum_does_not_depend_on_the_pieces(void)
{
    uint8_t data[100];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37);
    for (size_t cut = 0; cut <= sizeof data; cut++)
        for (size_t second = cut; second <= sizeof data; second += 7) {
            struct hash hash;

            hash_init(&hash);
            hash_add(&hash, data, cut);
            hash_add(&hash, data + cut, second - cut);
            hash_add(&hash, data + second, sizeof data - second);
            CU_ASSERT_EQUAL(hash_value(&hash), hash_of(data, sizeof data));
        }
    /* Zeros at the end are bytes, too. */
    memset(data, 0, sizeof data);
    for (size_t length = 1; length <= sizeof data; length++)
        CU_ASSERT_NOT_EQUAL(hash_of(data, length), hash_of(data, length - 1));
}

static const struct unit_case CASES[] = {
    {"what was encoded is decoded", what_was_encoded_is_decoded},
    {"any truncation is refused", any_truncation_is_refused},
    {"any changed byte is refused", any_changed_byte_is_refused},
    {"forged files do no harm", forged_files_do_no_harm},
    {"a job is told from others", a_job_is_told_from_others},
    {"a checksum does not depend on the pieces", a_checksum_does_not_depend_on_the_pieces},
};

UNIT_MAIN("saved", CASES)
