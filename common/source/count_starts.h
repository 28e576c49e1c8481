/* Where tokens start: the hot loop of counting. */
#ifndef SHEAF_SOURCE_COUNT_STARTS_H
#define SHEAF_SOURCE_COUNT_STARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool count_is_token(uint8_t byte, bool is_json)
{
    if (byte == ' ' || byte == '\n' || byte == ',' || byte == '\t' || byte == '\r')
        return false;
    return is_json ? byte != '[' && byte != ']' : byte != ';';
}

/* Token bytes of [data, data + length) behind a separator. data[-1] is there, and counts as the
 * first one's left neighbour. */
uint64_t count_starts(const uint8_t *data, size_t length, bool is_json);

#endif
