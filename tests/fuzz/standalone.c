/*
 * A fuzz target's main where there is no libFuzzer: every file of a corpus folder as it is, and as
 * often as CHANGES says with some of its bytes changed, repeated or cut off. The same every time.
 */
#include "base/bytes.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 300, FILE_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Each input in a block of its own size, so that a sanitizer sees a read past its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = memory_new(size);

    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    memory_free(copy);
}

static void change(struct bytes *input, uint64_t *state)
{
    static const uint8_t edges[] = {0, 0x7f, 0x80, 0xff, ' ', ',', '\n', '[', ']', '9', '-', '.'};
    size_t at = next_random(state) % input->length;

    switch (next_random(state) % 5) {
    case 0:
        input->data[at] ^= (uint8_t)(1U << next_random(state) % 8);
        break;
    case 1:
        input->data[at] = (uint8_t)next_random(state);
        break;
    case 2:
        input->data[at] = edges[next_random(state) % sizeof edges];
        break;
    case 3:
        memmove(input->data + at, input->data + at + 1, input->length - at - 1);
        input->length--;
        break;
    default:
        bytes_append_byte(input, 0);
        memmove(input->data + at + 1, input->data + at, input->length - at - 1);
    }
}

static void run_changed(const struct bytes *original, uint64_t *state)
{
    for (int i = 0; i < CHANGES; i++) {
        struct bytes input = {0};

        bytes_append(&input, original->data, original->length);
        for (uint64_t left = 1 + next_random(state) % 4; left && input.length; left--)
            change(&input, state);
        run(input.data, input.length);
        bytes_clear(&input);
    }
}

static int run_file(const char *folder, const char *name, uint64_t *state)
{
    char path[4096];
    struct bytes input = {0};
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    input.length = fread(bytes_extend(&input, FILE_BYTES_MAX), 1, FILE_BYTES_MAX, file);
    fclose(file);
    run(input.data, input.length);
    run_changed(&input, state);
    bytes_clear(&input);
    return 0;
}

/* In the order of the names, so that every machine runs the same. */
static int run_folder(const char *folder)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    int files = 0, failures = 0;

    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            failures += run_file(folder, entries[i]->d_name, &state);
            files++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("%s: %d files, %d changes each\n", folder, files, CHANGES);
    return failures || !files;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    return run_folder(argv[1]);
}
