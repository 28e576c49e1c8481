#include "reference.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void reference_fail(const char *what)
{
    perror(what);
    exit(1);
}

double reference_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void reference_report(double seconds)
{
    fprintf(stderr, "%.9f\n", seconds);
}

/* Where an .npy's elements begin; 0 for any other file. */
static size_t npy_payload(const unsigned char *bytes, size_t length)
{
    if (length < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return 0;
    return 10 + (size_t)bytes[8] + 256 * (size_t)bytes[9];
}

struct mapped reference_map(const char *path)
{
    struct mapped mapped = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes;

    if (fd < 0 || fstat(fd, &status) < 0)
        reference_fail(path);
    mapped.length = (size_t)status.st_size;
    bytes = mmap(NULL, mapped.length, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        reference_fail(path);
    close(fd);
    mapped.bytes = bytes;
    mapped.payload = npy_payload(mapped.bytes, mapped.length);
    return mapped;
}

static const struct {
    const char *name;
    void (*run)(const char *path);
} ON_A_FILE[] = {
    {"sum-int64", reference_sum_int64},
    {"sum-double", reference_sum_double},
    {"sum-rows", reference_sum_rows},
    {"sum-text", reference_sum_text},
    {"sum-text-double", reference_sum_text_double},
    {"product", reference_product},
};

static const struct {
    const char *name;
    void (*run)(uint64_t count);
} ON_A_COUNT[] = {
    {"factorial", reference_factorial},
    {"trip-pair", reference_trip_pair},
    {"trip-router", reference_trip_router},
};

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) {
        reference_make(argv[2], argv[3], strtoull(argv[4], NULL, 10));
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < sizeof ON_A_FILE / sizeof *ON_A_FILE; i++) {
        if (strcmp(argv[1], ON_A_FILE[i].name) == 0) {
            ON_A_FILE[i].run(argv[2]);
            return 0;
        }
    }
    for (size_t i = 0; argc == 3 && i < sizeof ON_A_COUNT / sizeof *ON_A_COUNT; i++) {
        if (strcmp(argv[1], ON_A_COUNT[i].name) == 0) {
            ON_A_COUNT[i].run(strtoull(argv[2], NULL, 10));
            return 0;
        }
    }
    fputs("usage: bench-reference make KIND FILE COUNT | NAME FILE-OR-COUNT\n", stderr);
    return 2;
}
