/* The data that Sheaf and its references are measured on: from one seed, the same every time. */
#include "reference.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW = 100 };

/* splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double random_unit(uint64_t *state)
{
    return ((double)(random_next(state) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller, 1958. */
static double random_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(random_unit(state)));

    return radius * cos(2 * 3.14159265358979323846 * random_unit(state));
}

static uint64_t make_int64(uint64_t *state)
{
    return random_next(state);
}

static uint64_t make_small(uint64_t *state)
{
    return random_next(state) % 1000000;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t make_normal(uint64_t *state)
{
    return bits_of(random_normal(state));
}

static uint64_t make_wide(uint64_t *state)
{
    return bits_of(random_normal(state) * pow(10, 600 * random_unit(state) - 300));
}

static void npy_header(FILE *file, const char *dtype, const char *shape)
{
    char header[118];
    const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header, 0};

    memset(header, ' ', sizeof header);
    header[(size_t)snprintf(header, sizeof header,
                            "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype,
                            shape)] = ' ';
    header[sizeof header - 1] = '\n';
    fwrite(start, 1, sizeof start, file);
    fwrite(header, 1, sizeof header, file);
}

static void make_array(FILE *file, const char *dtype, uint64_t count, uint64_t row,
                       uint64_t (*next)(uint64_t *state))
{
    uint64_t block[4096];
    uint64_t state = count;
    char shape[64];

    if (row)
        snprintf(shape, sizeof shape, "%" PRIu64 ", %" PRIu64, count / row, row);
    else
        snprintf(shape, sizeof shape, "%" PRIu64 ",", count);
    npy_header(file, dtype, shape);
    for (uint64_t done = 0; done < count;) {
        size_t fill = 0;

        while (fill < sizeof block / sizeof *block && done < count) {
            block[fill++] = next(&state);
            done++;
        }
        fwrite(block, sizeof *block, fill, file);
    }
}

static void print_int(FILE *file, uint64_t *state)
{
    fprintf(file, "%s%" PRIu64, random_next(state) & 1 ? "-" : "",
            100000 + random_next(state) % 900000);
}

/* As Python's repr: the shortest of 15 to 17 digits that reads back to the same bits. */
static void print_repr(FILE *file, uint64_t *state)
{
    double value = random_normal(state);
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (bits_of(strtod(text, NULL)) == bits_of(value))
            break;
    }
    fputs(text, file);
}

struct dialect {
    const char *start, *between, *row, *end;
};

static void make_text(FILE *file, uint64_t count, const struct dialect *dialect,
                      void (*print)(FILE *file, uint64_t *state))
{
    uint64_t state = count;

    fputs(dialect->start, file);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            fputs(i % ROW ? dialect->between : dialect->row, file);
        print(file, &state);
    }
    fputs(dialect->end, file);
}

static const struct dialect LINES = {"", " ", "\n", "\n"};
static const struct dialect JSON = {"[[", ",", "],[", "]]\n"};

static void make_kind(FILE *file, const char *kind, uint64_t count)
{
    if (strcmp(kind, "int64") == 0)
        make_array(file, "<i8", count, 0, make_int64);
    else if (strcmp(kind, "normal") == 0)
        make_array(file, "<f8", count, 0, make_normal);
    else if (strcmp(kind, "wide") == 0)
        make_array(file, "<f8", count, 0, make_wide);
    else if (strcmp(kind, "rows") == 0)
        make_array(file, "<i8", count, ROW, make_small);
    else if (strcmp(kind, "text") == 0)
        make_text(file, count, &LINES, print_int);
    else if (strcmp(kind, "json") == 0)
        make_text(file, count, &JSON, print_int);
    else if (strcmp(kind, "repr") == 0)
        make_text(file, count, &LINES, print_repr);
    else
        reference_fail(kind);
}

void reference_make(const char *kind, const char *path, uint64_t count)
{
    FILE *file = fopen(path, "wb");

    if (!file)
        reference_fail(path);
    make_kind(file, kind, count);
    if (fclose(file) != 0)
        reference_fail(path);
}
