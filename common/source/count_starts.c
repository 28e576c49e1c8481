#include "source/count_starts.h"

#include "number/simd.h"

#include <string.h>

enum { VECTOR_BYTES = 32, VECTORS_MAX = 255 };
typedef int8_t vector_bytes __attribute__((vector_size(VECTOR_BYTES)));
typedef int8_t vector_bytes_there __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

/* Bytes become all ones where a separator is, else zero. In place: a vector that is returned would
 * depend on the instruction set. */
SIMD_INLINE void find_separators(vector_bytes *bytes, bool is_json)
{
    vector_bytes at = *bytes;
    vector_bytes both = (at == ' ') | (at == '\n') | (at == ',') | (at == '\t') | (at == '\r');

    *bytes = is_json ? both | (at == '[') | (at == ']') : both | (at == ';');
}

SIMD_INLINE uint64_t sum_of(const vector_bytes *counts)
{
    uint8_t count[VECTOR_BYTES];
    uint64_t sum = 0;

    memcpy(count, counts, sizeof count);
    for (int i = 0; i < VECTOR_BYTES; i++)
        sum += count[i];
    return sum;
}

/* Every byte is looked at twice, as itself and as its neighbour's left: no carry from vector to
 * vector. A lane counts to 255 before it is emptied. */
SIMD_INLINE uint64_t starts(const uint8_t *data, size_t length, bool is_json)
{
    const uint8_t *before = data - 1; /* the neighbour is there: the caller sees to it */
    uint64_t sum = 0;
    size_t i = 0;

    while (length - i >= VECTOR_BYTES) {
        size_t vectors = (length - i) / VECTOR_BYTES;
        size_t end = i + VECTOR_BYTES * (vectors < VECTORS_MAX ? vectors : VECTORS_MAX);
        vector_bytes counts = {0};

        for (; i < end; i += VECTOR_BYTES) {
            vector_bytes here = *(const vector_bytes_there *)(data + i);
            vector_bytes left = *(const vector_bytes_there *)(before + i);

            find_separators(&here, is_json);
            find_separators(&left, is_json);
            counts -= ~here & left;
        }
        sum += sum_of(&counts);
    }
    for (; i < length; i++)
        sum += count_is_token(data[i], is_json) && !count_is_token(before[i], is_json);
    return sum;
}

SIMD_AVX2 static uint64_t starts_wide(const uint8_t *data, size_t length, bool is_json)
{
    return is_json ? starts(data, length, true) : starts(data, length, false);
}

static uint64_t starts_plain(const uint8_t *data, size_t length, bool is_json)
{
    return is_json ? starts(data, length, true) : starts(data, length, false);
}

uint64_t count_starts(const uint8_t *data, size_t length, bool is_json)
{
    return simd_has_avx2() ? starts_wide(data, length, is_json)
                           : starts_plain(data, length, is_json);
}
