/*
 * Any bytes as the inside of a checkpoint whose length and checksum fit: refused, or one that is
 * encoded again to the same bytes, and that a node goes on from without harm. The first byte
 * chooses the job.
 */
#include "base/hash.h"
#include "base/memory.h"
#include "core/node.h"
#include "core/saved.h"

#include <stdlib.h>
#include <string.h>

enum { UNITS = 1000, HEAD_BYTES = 20, LENGTH_AT = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void make_job(struct job_spec *spec, uint8_t choice)
{
    static const struct cut cuts[] = {{.kind = CUT_SUBLISTS},
                                      {.kind = CUT_EVERY, .size = 3},
                                      {.kind = CUT_SPLIT, .parts = 3, .elements = UINT64_MAX},
                                      {.kind = CUT_TOTAL}};

    *spec = (struct job_spec){.op = choice & 4 ? OP_PRODUCT : OP_SUM,
                              .cut = cuts[choice % 4],
                              .value_bytes_max = 100000,
                              .source_count = 1};
    spec->sources = memory_array(1, sizeof *spec->sources);
    source_init(&spec->sources[0]);
    spec->sources[0].format = choice & 8 ? SOURCE_JSON : SOURCE_TEXT;
    spec->sources[0].access = SOURCE_FILE;
    spec->sources[0].path = memory_text("/input");
    spec->sources[0].name = memory_text("input");
    spec->sources[0].units = spec->sources[0].file_bytes = UNITS;
}

/* What the head and the checksum must be for these bytes, and the bytes between them. */
static void seal(const uint8_t *data, size_t length, struct bytes *file)
{
    struct saved nothing = {0};
    struct bytes number = {0};

    saved_encode(&nothing, file);
    file->length = HEAD_BYTES;
    bytes_append(file, data, length);
    bytes_append_u64(&number, file->length + 8);
    memcpy(file->data + LENGTH_AT, number.data, number.length);
    bytes_append_u64(file, hash_of(file->data, file->length));
    bytes_clear(&number);
}

static void check_same(const struct saved *saved, const struct bytes *file)
{
    struct bytes again = {0};

    saved_encode(saved, &again);
    if (again.length != file->length || memcmp(again.data, file->data, again.length) != 0)
        abort();
    bytes_clear(&again);
}

static void go_on(struct job_spec *spec, struct snapshot *snapshot)
{
    const struct node_options options = {.memory_bytes = MEMORY_BYTES_DEFAULT,
                                         .task_ns = TASK_NS_DEFAULT,
                                         .silence_ns = SILENCE_NS,
                                         .client_silence_ns = CLIENT_SILENCE_NS};
    struct event submit = {.type = EVENT_SUBMIT, .now_ns = 1, .spec = spec, .snapshot = snapshot};
    struct actions actions = {0};
    struct node *node;

    node_new(&node, &options);
    node_step(node, &submit, &actions);
    if (node_check(node))
        abort();
    node_free(&node);
    actions_free(&actions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct bytes file = {0};
    struct job_spec spec;
    struct saved saved;

    if (!length)
        return 0;
    make_job(&spec, data[0]);
    seal(data + 1, length - 1, &file);
    if (saved_decode(&saved, file.data, file.length) == SAVED_SOUND) {
        check_same(&saved, &file);
        if (snapshot_is_sound(&saved.snapshot, &spec))
            go_on(&spec, &saved.snapshot);
    }
    saved_clear(&saved);
    job_spec_clear(&spec);
    bytes_clear(&file);
    return 0;
}
