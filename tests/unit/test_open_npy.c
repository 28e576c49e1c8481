/* .npy files as numpy writes them (vectors/npy.py), damaged ones, and the same as streams. */
#include "open_help.h"

#include "source/reader.h"

#include <math.h>

static double element_at(const struct source *source, const uint8_t *at)
{
    uint32_t width = source_unit_bytes(source);
    uint64_t bits = 0;

    for (uint32_t i = 0; i < width; i++)
        bits |= (uint64_t)at[source->is_big_endian ? width - 1 - i : i] << (8 * i);
    if (source->lane_half) /* whole numbers only: a normal half */
        return ldexp(1 + (double)(bits & 1023) / 1024, (int)(bits >> 10 & 31) - 15);
    if (source->lane == LANE_F32) {
        float real;

        memcpy(&real, &bits, 4);
        return (double)real;
    }
    if (source->lane == LANE_F64) {
        double real;

        memcpy(&real, &bits, 8);
        return real;
    }
    return (double)bits;
}

static double sum_of_file(const struct source *source)
{
    struct source_reader *reader;
    double sum = 0;

    CU_ASSERT_EQUAL_FATAL(reader_open(&reader, source, NULL), READER_OK);
    for (uint64_t unit = 0; unit < source->units; unit++) {
        const uint8_t *data;
        uint64_t got;

        CU_ASSERT_EQUAL_FATAL(reader_get(reader, unit, 1, &data, &got, NULL), READER_OK);
        sum += element_at(source, data);
    }
    reader_free(&reader);
    return sum;
}

struct npy_line {
    char name[64], verdict[8], sentence[128];
    unsigned width, fortran, big;
    uint64_t rows, columns, begin;
    double sum;
};

static bool npy_line_read(FILE *table, struct npy_line *line)
{
    char text[256];

    if (!fgets(text, sizeof text, table))
        return false;
    CU_ASSERT_EQUAL_FATAL(
        sscanf(text, "%63[^\t]\t%7[^\t]\t%127[^\n]", line->name, line->verdict, line->sentence), 3);
    if (strcmp(line->verdict, "ok") == 0)
        CU_ASSERT_EQUAL_FATAL(sscanf(line->sentence, "%u %lu %lu %u %u %lu %lf", &line->width,
                                     &line->rows, &line->columns, &line->fortran, &line->big,
                                     &line->begin, &line->sum),
                              7);
    return true;
}

static void check_npy(const struct npy_line *line, const char *path)
{
    struct opened opened = open_one(path);
    const struct source *source = opened.spec.sources;

    if (strcmp(line->verdict, "bad") == 0) {
        check_refused(opened, line->name, line->sentence);
        return;
    }
    if (opened.rc != OK)
        printf("\n%s: %s\n", path, opened.error.text);
    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(source_unit_bytes(source), line->width);
    CU_ASSERT_EQUAL(source->rows, line->rows);
    CU_ASSERT_EQUAL(source->columns, line->columns);
    CU_ASSERT_EQUAL(source->units, line->rows * line->columns);
    CU_ASSERT_EQUAL(source->is_fortran, line->fortran);
    CU_ASSERT_EQUAL(source->is_big_endian, line->width > 1 && line->big);
    CU_ASSERT_EQUAL(source->data_begin, line->begin);
    CU_ASSERT_EQUAL(sum_of_file(source), line->sum);
    opened_clear(&opened);
}

static void npy_files_are_what_numpy_says(void)
{
    FILE *table = fopen("unit/vectors/npy.tsv", "r");
    struct npy_line line = {0};
    unsigned lines = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(table);
    for (; npy_line_read(table, &line); lines++) {
        char path[128];

        snprintf(path, sizeof path, "unit/vectors/npy/%s.npy", line.name);
        check_npy(&line, path);
    }
    fclose(table);
    CU_ASSERT(lines > 100);
}

static size_t read_vector(const char *name, uint8_t data[4096])
{
    FILE *file = fopen(name, "r");
    size_t length;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    length = fread(data, 1, 4096, file);
    fclose(file);
    return length;
}

static void check_npy_stream(const char *name, bool transposed)
{
    uint8_t data[4096], rest[4096];
    size_t length = read_vector(name, data), got = 0;
    const struct source *source;
    struct feeder feeder;
    struct opened opened;

    feeder_start(&feeder, data, length);
    opened = open_with(&(struct source_options){.format = "npy"},
                       (const char *const[]){feeder.path, NULL});
    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    source = opened.spec.sources;
    CU_ASSERT_EQUAL(source->is_fortran, 0);
    while (read(opened.streams[0], rest + got, 1) == 1)
        got++;
    CU_ASSERT_EQUAL(got, length - source->data_begin);
    CU_ASSERT_EQUAL(got, source->units * source_unit_bytes(source));
    for (uint64_t unit = 0; unit < source->units; unit++) {
        uint32_t width = source_unit_bytes(source);
        uint64_t row = unit / source->columns, column = unit % source->columns;
        uint64_t there = transposed ? column * source->rows + row : unit;

        CU_ASSERT_EQUAL(
            memcmp(rest + unit * width, data + source->data_begin + there * width, width), 0);
    }
    opened_clear(&opened);
    feeder_stop(&feeder);
}

static void npy_streams_are_raw_elements_in_row_major_order(void)
{
    check_npy_stream("unit/vectors/npy/two_le_i4.npy", false);
    check_npy_stream("unit/vectors/npy/one_be_f8.npy", false);
    check_npy_stream("unit/vectors/npy/fortran_le_i8.npy", true);
    check_npy_stream("unit/vectors/npy/fortran_be_i2.npy", true);
}

static void a_fortran_stream_that_is_cut_off_is_refused(void)
{
    uint8_t data[4096];
    size_t length = read_vector("unit/vectors/npy/fortran_le_i8.npy", data);
    struct feeder feeder;

    feeder_start(&feeder, data, length - 1);
    check_refused(open_with(&(struct source_options){.format = "npy"},
                            (const char *const[]){feeder.path, NULL}),
                  "a cut stream", "promises 48 bytes");
    feeder_stop(&feeder);
}

static const struct unit_case CASES[] = {
    {".npy files are what numpy says", npy_files_are_what_numpy_says},
    {".npy streams are raw elements in row-major order",
     npy_streams_are_raw_elements_in_row_major_order},
    {"a Fortran stream that is cut off is refused", a_fortran_stream_that_is_cut_off_is_refused},
};

UNIT_MAIN("open_npy", CASES)
