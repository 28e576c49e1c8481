/*
 * magic, u32 version, u64 length of it all, identity, answers, snapshot, u64 checksum of what
 * stands before it. Little-endian throughout.
 */
#include "core/saved.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

enum {
    VERSION_BYTES = 4,
    LENGTH_BYTES = 8,
    HASH_BYTES = 8,
    HEAD_BYTES = SAVED_MAGIC_BYTES + VERSION_BYTES + LENGTH_BYTES,
    PLACE_BYTES = 4 + 8,
    SLICE_BYTES = 2 * PLACE_BYTES + 8 + 1,
    CHECKPOINT_BYTES = PLACE_BYTES + 8 + 1,
    TILE_BYTES = SLICE_BYTES + 8 /* at least */
};

static const char MAGIC[SAVED_MAGIC_BYTES] = {'S', 'h', 'e', 'a', 'f', 'C', 'k', '\n'};

bool saved_begins(const void *bytes)
{
    return memcmp(bytes, MAGIC, sizeof MAGIC) == 0;
}

void saved_clear(struct saved *saved)
{
    snapshot_clear(&saved->snapshot);
    *saved = (struct saved){0};
}

static void encode_place(struct place place, struct bytes *out)
{
    bytes_append_u32(out, place.source);
    bytes_append_u64(out, place.unit);
}

static void encode_slice(const struct slice *slice, struct bytes *out)
{
    encode_place(slice->begin, out);
    encode_place(slice->end, out);
    bytes_append_u64(out, slice->element);
    bytes_append_byte(out, slice->in_token);
}

static void encode_snapshot(const struct snapshot *snapshot, struct bytes *out)
{
    bytes_append_byte(out, (uint8_t)snapshot->phase);
    bytes_append_u64(out, snapshot->elements);
    bytes_append_u64(out, snapshot->units);
    bytes_append_u64(out, snapshot->answered_bytes);
    bytes_append_u64(out, snapshot->answered_count);
    encode_slice(&snapshot->rest, out);
    bytes_append_u64(out, snapshot->checkpoint_base);
    bytes_append_u32(out, snapshot->checkpoint_count);
    for (uint32_t i = 0; i < snapshot->checkpoint_count; i++) {
        encode_place(snapshot->checkpoints[i].place, out);
        bytes_append_u64(out, snapshot->checkpoints[i].element);
        bytes_append_byte(out, snapshot->checkpoints[i].in_token);
    }
    bytes_append_u64(out, snapshot->tile_count);
    for (size_t i = 0; i < snapshot->tile_count; i++) {
        encode_slice(&snapshot->tiles[i].slice, out);
        bytes_append_u64(out, snapshot->tiles[i].run.length);
        bytes_append(out, snapshot->tiles[i].run.data, snapshot->tiles[i].run.length);
    }
}

/* Large runs are copied once, not again and again while the room grows. */
static void reserve(const struct saved *saved, struct bytes *out)
{
    const struct snapshot *snapshot = &saved->snapshot;
    size_t room = 256 + snapshot->tile_count * TILE_BYTES +
                  (size_t)snapshot->checkpoint_count * CHECKPOINT_BYTES;

    for (size_t i = 0; i < snapshot->tile_count; i++)
        room += snapshot->tiles[i].run.length;
    bytes_reserve(out, room);
}

void saved_encode(const struct saved *saved, struct bytes *out)
{
    size_t begin = out->length;
    struct bytes length = {0};

    reserve(saved, out);
    bytes_append(out, MAGIC, sizeof MAGIC);
    bytes_append_u32(out, SAVED_VERSION);
    bytes_extend(out, LENGTH_BYTES);
    identity_encode(&saved->identity, out);
    bytes_append_u64(out, saved->answers.bytes);
    bytes_append_u64(out, saved->answers.hash);
    encode_snapshot(&saved->snapshot, out);
    bytes_append_u64(&length, out->length - begin + HASH_BYTES);
    memcpy(out->data + begin + HEAD_BYTES - LENGTH_BYTES, length.data, LENGTH_BYTES);
    bytes_clear(&length);
    bytes_append_u64(out, hash_of(out->data + begin, out->length - begin));
}

static bool decode_flag(struct reader *in)
{
    uint8_t flag = reader_u8(in);

    in->failed |= flag > 1;
    return flag == 1;
}

static void decode_place(struct place *place, struct reader *in)
{
    place->source = reader_u32(in);
    place->unit = reader_u64(in);
}

static void decode_slice(struct slice *slice, struct reader *in)
{
    decode_place(&slice->begin, in);
    decode_place(&slice->end, in);
    slice->element = reader_u64(in);
    slice->in_token = decode_flag(in);
}

static void decode_checkpoints(struct snapshot *snapshot, struct reader *in)
{
    uint32_t count = reader_u32(in);

    if (in->failed || count > reader_left(in) / CHECKPOINT_BYTES) {
        in->failed = 1;
        return;
    }
    snapshot->checkpoints = memory_array(count, sizeof *snapshot->checkpoints);
    snapshot->checkpoint_count = count;
    for (uint32_t i = 0; i < count; i++) {
        decode_place(&snapshot->checkpoints[i].place, in);
        snapshot->checkpoints[i].element = reader_u64(in);
        snapshot->checkpoints[i].in_token = decode_flag(in);
    }
}

static void decode_tiles(struct snapshot *snapshot, struct reader *in)
{
    uint64_t count = reader_u64(in);

    if (in->failed || count > reader_left(in) / TILE_BYTES) {
        in->failed = 1;
        return;
    }
    snapshot->tiles = memory_array((size_t)count, sizeof *snapshot->tiles);
    snapshot->tile_count = (size_t)count;
    for (size_t i = 0; i < snapshot->tile_count && !in->failed; i++) {
        uint64_t length;
        const uint8_t *run;

        decode_slice(&snapshot->tiles[i].slice, in);
        length = reader_u64(in);
        run = reader_take(in, length);
        if (run)
            bytes_append(&snapshot->tiles[i].run, run, (size_t)length);
    }
}

static void decode_snapshot(struct snapshot *snapshot, struct reader *in)
{
    snapshot->phase = (enum task_kind)reader_u8(in);
    snapshot->elements = reader_u64(in);
    snapshot->units = reader_u64(in);
    snapshot->answered_bytes = reader_u64(in);
    snapshot->answered_count = reader_u64(in);
    decode_slice(&snapshot->rest, in);
    snapshot->checkpoint_base = reader_u64(in);
    decode_checkpoints(snapshot, in);
    decode_tiles(snapshot, in);
}

/* The head, and that all that was written is there as it was written. */
static enum saved_status check_whole(struct reader *in, const uint8_t *data, size_t length)
{
    const uint8_t *magic = reader_take(in, SAVED_MAGIC_BYTES);
    struct reader tail;

    if (!magic || !saved_begins(magic))
        return SAVED_FOREIGN;
    if (reader_u32(in) != SAVED_VERSION)
        return in->failed ? SAVED_TORN : SAVED_OTHER_VERSION;
    if (reader_u64(in) != length || in->failed || length < HEAD_BYTES + HASH_BYTES)
        return SAVED_TORN;
    in->end -= HASH_BYTES;
    tail = reader_of(in->end, HASH_BYTES);
    return reader_u64(&tail) == hash_of(data, length - HASH_BYTES) ? SAVED_SOUND : SAVED_TORN;
}

enum saved_status saved_decode(struct saved *saved, const void *data, size_t length)
{
    struct reader in = reader_of(data, length);
    enum saved_status status = check_whole(&in, data, length);

    *saved = (struct saved){0};
    if (status != SAVED_SOUND)
        return status;
    identity_decode(&saved->identity, &in);
    saved->answers.bytes = reader_u64(&in);
    saved->answers.hash = reader_u64(&in);
    decode_snapshot(&saved->snapshot, &in);
    if (!in.failed && !reader_left(&in))
        return SAVED_SOUND;
    saved_clear(saved);
    return SAVED_TORN;
}
