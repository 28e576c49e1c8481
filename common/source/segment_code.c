/* Segments as bytes: what crosses a process boundary. Decoding believes nothing. */
#include "source/segment.h"

#include "base/memory.h"

#include <stdlib.h>

enum flag { FLAG_BOUNDED = 1, FLAG_LINES_ARE_ABSOLUTE = 2, FLAGS = 3 };
enum { CHECKPOINT_BYTES = 4 + 8 + 8 + 1 };

static void encode_fold(const struct segment *segment, struct bytes *out)
{
    partial_encode(&segment->head, out);
    partial_encode(&segment->tail, out);
    bytes_append_u64(out, segment->lines);
    bytes_append_u64(out, segment->closed.packed.length);
    bytes_append(out, segment->closed.packed.data, segment->closed.packed.length);
}

static void encode_count(const struct segment *segment, struct bytes *out)
{
    bytes_append_u32(out, segment->checkpoint_count);
    for (uint32_t i = 0; i < segment->checkpoint_count; i++) {
        const struct checkpoint *checkpoint = &segment->checkpoints[i];

        bytes_append_u32(out, checkpoint->place.source);
        bytes_append_u64(out, checkpoint->place.unit);
        bytes_append_u64(out, checkpoint->element);
        bytes_append_byte(out, checkpoint->in_token);
    }
}

void segment_encode(const struct segment *segment, struct bytes *out)
{
    int flags = (segment->bounded ? FLAG_BOUNDED : 0) |
                (segment->lines_are_absolute ? FLAG_LINES_ARE_ABSOLUTE : 0);

    bytes_append_byte(out, (uint8_t)segment->kind);
    bytes_append_byte(out, (uint8_t)flags);
    bytes_append_u64(out, segment->elements);
    edge_encode(&segment->entry, out);
    edge_encode(&segment->exit, out);
    fault_encode(&segment->fault, out);
    if (segment->kind == SEGMENT_FOLD)
        encode_fold(segment, out);
    else
        encode_count(segment, out);
}

static bool decode_closed(struct values *closed, struct reader *in)
{
    uint64_t length = reader_u64(in);
    const uint8_t *packed = reader_take(in, length);

    if (in->failed || !values_check(packed, (size_t)length, &closed->count))
        return false;
    if (length)
        bytes_append(&closed->packed, packed, (size_t)length);
    closed->last_run = closed->packed.length;
    return true;
}

/* No honest partial of another operation is one of these: only a product is ever past the limit. */
static bool partial_fits(const struct partial *partial, const struct op *op)
{
    return (op->kind == OP_PRODUCT || !partial->is_too_large) &&
           (op->takes_floats || !partial->is_float);
}

static bool decode_fold(struct segment *segment, const struct op *op, struct reader *in)
{
    if (!partial_decode(&segment->head, op->identity, in) ||
        !partial_decode(&segment->tail, op->identity, in) || !partial_fits(&segment->head, op) ||
        !partial_fits(&segment->tail, op))
        return false;
    segment->lines = reader_u64(in);
    return decode_closed(&segment->closed, in) && (segment->bounded || !segment->closed.count);
}

static bool decode_checkpoint(struct checkpoint *checkpoint, struct reader *in)
{
    uint8_t in_token;

    checkpoint->place.source = reader_u32(in);
    checkpoint->place.unit = reader_u64(in);
    checkpoint->element = reader_u64(in);
    in_token = reader_u8(in);
    checkpoint->in_token = in_token == 1;
    return !in->failed && in_token <= 1;
}

static bool decode_count(struct segment *segment, struct reader *in)
{
    uint32_t count = reader_u32(in);

    if (in->failed || count > CHECKPOINTS_MAX || count > reader_left(in) / CHECKPOINT_BYTES)
        return false;
    segment->checkpoints = memory_array(count, sizeof *segment->checkpoints);
    segment->checkpoint_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct checkpoint *at = &segment->checkpoints[i];

        if (!decode_checkpoint(at, in))
            return false;
        if (i && (place_compare(at[-1].place, at->place) >= 0 || at[-1].element > at->element))
            return false;
    }
    return true;
}

static bool decode(struct segment *segment, const struct op *op, struct reader *in)
{
    uint8_t kind = reader_u8(in);
    uint8_t flags = reader_u8(in);

    if (in->failed || (kind != SEGMENT_FOLD && kind != SEGMENT_COUNT) || flags > FLAGS)
        return false;
    segment->kind = (enum segment_kind)kind;
    segment->bounded = flags & FLAG_BOUNDED;
    segment->lines_are_absolute = flags & FLAG_LINES_ARE_ABSOLUTE;
    segment->elements = reader_u64(in);
    if (!edge_decode(&segment->entry, in) || !edge_decode(&segment->exit, in) ||
        !fault_decode(&segment->fault, in))
        return false;
    if (kind == SEGMENT_FOLD ? !decode_fold(segment, op, in) : !decode_count(segment, in))
        return false;
    return !in->failed && !reader_left(in);
}

bool segment_decode(struct segment *segment, const struct op *op, const void *data, size_t length)
{
    struct reader in = reader_of(data, length);

    segment_init(segment, SEGMENT_FOLD, op);
    if (decode(segment, op, &in))
        return true;
    segment_clear(segment);
    return false;
}
