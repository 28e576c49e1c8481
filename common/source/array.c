#include "source/array.h"

#include <string.h>

enum { BLOCK_ELEMENTS = 512 };

/* Room for a block of elements in native form. */
union block {
    uint8_t u8[BLOCK_ELEMENTS];
    uint16_t u16[BLOCK_ELEMENTS];
    uint32_t u32[BLOCK_ELEMENTS];
    uint64_t u64[BLOCK_ELEMENTS];
    float f32[BLOCK_ELEMENTS];
};

static bool is_foreign(const struct source *source)
{
    bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

    return source_unit_bytes(source) > 1 && (source->is_big_endian != 0) != host_is_big;
}

static bool is_float(const struct source *source)
{
    return source->lane == LANE_F32 || source->lane == LANE_F64;
}

static void swap_block(union block *block, uint32_t width, size_t count)
{
    if (width == 2)
        for (size_t i = 0; i < count; i++)
            block->u16[i] = __builtin_bswap16(block->u16[i]);
    else if (width == 4)
        for (size_t i = 0; i < count; i++)
            block->u32[i] = __builtin_bswap32(block->u32[i]);
    else if (width == 8)
        for (size_t i = 0; i < count; i++)
            block->u64[i] = __builtin_bswap64(block->u64[i]);
}

/* IEEE 754 binary16 to binary32, exactly: a shift, and a multiplication that mends the exponent,
 * subnormals included. */
static float half_to_float(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    if ((half & 0x7c00) == 0x7c00)
        bits = 0x7f800000 | (uint32_t)(half & 0x3ff) << 13;
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Backwards, as the wide form lies over the narrow one. */
static void widen_block(union block *block, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        uint16_t half;

        memcpy(&half, (const char *)block + i * sizeof half, sizeof half);
        block->f32[i] = half_to_float(half);
    }
}

static void truth_block(union block *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        block->u8[i] = block->u8[i] != 0;
}

static void add_converted(struct sink *sink, const struct source *source, const uint8_t *data,
                          uint64_t count)
{
    uint32_t width = source_unit_bytes(source);
    union block block;

    while (count && !sink_is_faulty(sink)) {
        size_t taken = count < BLOCK_ELEMENTS ? (size_t)count : BLOCK_ELEMENTS;

        memcpy(&block, data, taken * width);
        if (is_foreign(source))
            swap_block(&block, width, taken);
        if (source->lane_half)
            widen_block(&block, taken);
        if (source->lane_bool)
            truth_block(&block, taken);
        sink_lanes(sink, source->lane, &block, taken);
        data += taken * width;
        count -= taken;
    }
}

static bool needs_conversion(const struct source *source, const uint8_t *data)
{
    return is_foreign(source) || source->lane_half || source->lane_bool ||
           (uintptr_t)data % source_unit_bytes(source) != 0;
}

/* The elements up to the next boundary, of the row or by number. A stream whose length is not yet
 * known has no columns; it is one row. */
static uint64_t run_length(const struct sink *sink, const struct source *source, uint64_t unit)
{
    if (sink->has_sublists)
        return source->columns ? source->columns - unit % source->columns : UINT64_MAX;
    return sink_run(sink);
}

/* Whole arrays are of one kind, so their first element has the fault. */
static bool refuse(struct sink *sink, const struct source *source, uint64_t unit)
{
    if (!is_float(source))
        return false;
    if (sink->spec->type == ELEMENT_INT)
        sink_fault(sink, FAULT_NOT_AN_INTEGER, unit, "", 0);
    else if (!sink->op->takes_floats)
        sink_fault(sink, FAULT_FLOAT_PRODUCT, unit, "", 0);
    return sink_is_faulty(sink);
}

uint64_t array_feed(struct sink *sink, const uint8_t *data, uint64_t count, uint64_t unit,
                    uint64_t room_bytes)
{
    const struct source *source = &sink->spec->sources[sink->source];
    uint32_t width = source_unit_bytes(source);
    bool convert = needs_conversion(source, data);
    uint64_t done = 0;

    if (!count || refuse(sink, source, unit))
        return 0;
    while (done < count && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        uint64_t most = run_length(sink, source, unit + done);
        uint64_t run = most < count - done ? most : count - done;

        sink_elements(sink, run);
        if (convert)
            add_converted(sink, source, data + done * width, run);
        else
            sink_lanes(sink, source->lane, data + done * width, (size_t)run);
        done += run;
        if (sink->has_sublists && run == most && !sink_is_faulty(sink))
            sink_cut(sink);
    }
    return done;
}

void array_end(struct sink *sink)
{
    const struct source *source = &sink->spec->sources[sink->source];

    if (sink->has_sublists && !source->columns)
        sink_empty_sublists(sink, source->rows);
    else
        sink_boundary(sink);
}
