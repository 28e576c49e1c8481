#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *check(void *pointer)
{
    static const char sentence[] = "sheaf: out of memory\n";

    if (pointer)
        return pointer;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
        _exit(1);
    _exit(1);
}

void *memory_new(size_t bytes)
{
    return check(calloc(1, bytes ? bytes : 1));
}

void *memory_array(size_t count, size_t item_bytes)
{
    return check(calloc(count ? count : 1, item_bytes));
}

void *memory_grow(void *old, size_t count, size_t item_bytes)
{
    if (item_bytes && count > SIZE_MAX / item_bytes)
        return check(NULL);
    return check(realloc(old, count && item_bytes ? count * item_bytes : 1));
}

char *memory_text(const char *text)
{
    return text ? check(strdup(text)) : NULL;
}

void memory_free(void *pointer)
{
    free(pointer);
}
