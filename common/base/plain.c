#include "base/plain.h"

#include <stdint.h>
#include <string.h>

enum { ESCAPE_BYTES = 4 };

/* The length of the character at the begin that may be shown as it is; 0: it may not. UTF-8 without
 * its overlong forms, surrogates, and the control characters that it has besides ASCII's. */
static size_t shown(const uint8_t *at, size_t left)
{
    uint32_t code;
    size_t length;

    if (*at < 0x80)
        return *at >= 0x20 && *at != 0x7f;
    length = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    if (*at < 0xc2 || *at > 0xf4 || length > left)
        return 0;
    code = *at & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < 0xa0 || (length == 3 && code < 0x800) || (length == 4 && code < 0x10000) ||
        (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return 0;
    return length;
}

static size_t escape(char to[ESCAPE_BYTES], uint8_t byte)
{
    static const char digits[] = "0123456789abcdef", plain[] = "\n\t\r", letters[] = "ntr";
    const char *known = byte ? strchr(plain, byte) : NULL;

    to[0] = '\\';
    to[1] = known ? letters[known - plain] : 'x';
    to[2] = digits[byte >> 4];
    to[3] = digits[byte & 15];
    return known ? 2 : ESCAPE_BYTES;
}

size_t plain_text(char *to, size_t room, const char *from, size_t length)
{
    const uint8_t *at = (const uint8_t *)from, *end = at + length;
    size_t used = 0;

    while (at < end) {
        size_t as_is = shown(at, (size_t)(end - at));
        char escaped[ESCAPE_BYTES];
        size_t more = as_is ? as_is : escape(escaped, *at);

        if (more > room - used)
            break;
        memcpy(to + used, as_is ? (const char *)at : escaped, more);
        used += more;
        at += as_is ? as_is : 1;
    }
    return used;
}
