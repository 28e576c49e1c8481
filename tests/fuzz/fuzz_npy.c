/* Any bytes as the beginning of an .npy file: refused with a sentence, or a sound description. */
#include "source/open_part.h"

#include "base/limits.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void check_sound(const struct source *source)
{
    uint64_t units, bytes;
    uint32_t width = source_unit_bytes(source);

    if (__builtin_mul_overflow(source->rows, source->columns, &units) || units != source->units)
        abort();
    if (__builtin_mul_overflow(units, width, &bytes) || bytes > INT64_MAX)
        abort();
    if (source->is_fortran && (source->rows < 2 || source->columns < 2))
        abort();
    if (source->is_big_endian && width == 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    uint8_t start[NPY_START_BYTES] = {0};
    size_t header_begin = 0, header_bytes = 0;
    struct error error = {0};
    struct source source;

    memcpy(start, data, length < sizeof start ? length : sizeof start);
    if (npy_parse_start(start, "fuzz.npy", &header_begin, &header_bytes, &error) != OK) {
        if (!error.text[0])
            abort();
        return 0;
    }
    if (header_bytes > NPY_HEADER_BYTES_MAX)
        abort();
    if (header_begin > length)
        return 0;
    /* Cut off or not, what is there is parsed: the parser must not read past it. */
    if (header_bytes > length - header_begin)
        header_bytes = length - header_begin;
    source_init(&source);
    source.name = memory_text("fuzz.npy");
    if (npy_parse_header(&source, (const char *)data + header_begin, header_bytes, &error) == OK)
        check_sound(&source);
    else if (!error.text[0])
        abort();
    source_clear(&source);
    return 0;
}
