#include "op/lanes.h"

#include "number/simd.h"

#include <math.h>
#include <string.h>

/* A pass adds so few elements that 16-bit ones cannot overflow 32 bits, nor 32-bit ones 64. */
enum { PASS_ELEMENTS = 1 << 15, FLOAT_PASS = 2048 };

size_t lanes_bytes(enum lane lane)
{
    switch (lane) {
    case LANE_I8:
    case LANE_U8:
        return 1;
    case LANE_I16:
    case LANE_U16:
        return 2;
    case LANE_I32:
    case LANE_U32:
    case LANE_F32:
        return 4;
    case LANE_I64:
    case LANE_U64:
    case LANE_F64:
        return 8;
    }
    return 0;
}

#define SUM_NARROW(name, type, sum_type)                                                           \
    SIMD_INLINE int64_t name(const char *at, size_t count)                                         \
    {                                                                                              \
        sum_type sum = 0;                                                                          \
        type value;                                                                                \
                                                                                                   \
        for (size_t i = 0; i < count; i++) {                                                       \
            memcpy(&value, at + i * sizeof value, sizeof value);                                   \
            sum += value;                                                                          \
        }                                                                                          \
        return sum;                                                                                \
    }

SUM_NARROW(sum_i8, int8_t, int32_t)
SUM_NARROW(sum_u8, uint8_t, uint32_t)
SUM_NARROW(sum_i16, int16_t, int32_t)
SUM_NARROW(sum_u16, uint16_t, uint32_t)
SUM_NARROW(sum_i32, int32_t, int64_t)
SUM_NARROW(sum_u32, uint32_t, int64_t)

/* Biased by 2^63, a signed number is an unsigned one: both are summed in halves. */
SIMD_INLINE __int128 sum_words(const char *at, size_t count, uint64_t bias)
{
    uint64_t low = 0, high = 0, value;

    for (size_t i = 0; i < count; i++) {
        memcpy(&value, at + i * sizeof value, sizeof value);
        value ^= bias;
        low += (uint32_t)value;
        high += value >> 32;
    }
    return ((__int128)high << 32) + low - (__int128)bias * (__int128)count;
}

SIMD_INLINE __int128 sum_pass(enum lane lane, const char *at, size_t count)
{
    switch (lane) {
    case LANE_I8:
        return sum_i8(at, count);
    case LANE_U8:
        return sum_u8(at, count);
    case LANE_I16:
        return sum_i16(at, count);
    case LANE_U16:
        return sum_u16(at, count);
    case LANE_I32:
        return sum_i32(at, count);
    case LANE_U32:
        return sum_u32(at, count);
    case LANE_I64:
        return sum_words(at, count, UINT64_C(1) << 63);
    case LANE_U64:
        return sum_words(at, count, 0);
    case LANE_F32:
    case LANE_F64:
        break;
    }
    return 0;
}

static __int128 sum_pass_plain(enum lane lane, const char *at, size_t count)
{
    return sum_pass(lane, at, count);
}

SIMD_AVX2 static __int128 sum_pass_avx2(enum lane lane, const char *at, size_t count)
{
    return sum_pass(lane, at, count);
}

__int128 lanes_sum_ints(enum lane lane, const void *elements, size_t count)
{
    const char *at = elements;
    bool has_avx2 = simd_has_avx2();
    __int128 sum = 0;

    while (count) {
        size_t pass = count < PASS_ELEMENTS ? count : PASS_ELEMENTS;

        sum += has_avx2 ? sum_pass_avx2(lane, at, pass) : sum_pass_plain(lane, at, pass);
        at += pass * lanes_bytes(lane);
        count -= pass;
    }
    return sum;
}

int64_t lanes_int(enum lane lane, const void *element)
{
    return (int64_t)sum_pass_plain(lane, element, 1);
}

double lanes_float(enum lane lane, const void *element)
{
    float narrow;
    double value;

    if (lane == LANE_F32) {
        memcpy(&narrow, element, sizeof narrow);
        return narrow;
    }
    memcpy(&value, element, sizeof value);
    return value;
}

void lanes_sum_floats(struct exact *exact, enum lane lane, const void *elements, size_t count)
{
    const char *at = elements;
    double wide[FLOAT_PASS];

    if (lane == LANE_F64) {
        exact_add_array(exact, elements, count);
        return;
    }
    while (count) {
        size_t pass = count < FLOAT_PASS ? count : FLOAT_PASS;

        for (size_t i = 0; i < pass; i++)
            wide[i] = lanes_float(LANE_F32, at + i * sizeof(float));
        exact_add_array(exact, wide, pass);
        at += pass * sizeof(float);
        count -= pass;
    }
}

bool lanes_are_negative_zero(enum lane lane, const void *elements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value = lanes_float(lane, (const char *)elements + i * lanes_bytes(lane));

        if (value != 0.0 || !signbit(value))
            return false;
    }
    return true;
}
