#include "source/reader.h"
#include "unit.h"

#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A source over a fresh temporary file; the file's bytes are a function of their place. */
struct sample {
    struct source source;
    char path[64];
    uint8_t *bytes;
};

static uint8_t byte_at(uint64_t place)
{
    return (uint8_t)(place * 2654435761u >> 13);
}

static void describe_again(struct sample *sample)
{
    struct stat status;

    CU_ASSERT_EQUAL_FATAL(stat(sample->path, &status), 0);
    sample->source.file_bytes = (uint64_t)status.st_size;
    sample->source.file_mtime_ns = reader_mtime_ns(&status);
}

static void sample_init(struct sample *sample, size_t length)
{
    int fd;

    snprintf(sample->path, sizeof sample->path, "/tmp/sheaf-reader-XXXXXX");
    fd = mkstemp(sample->path);
    CU_ASSERT_FATAL(fd >= 0);
    sample->bytes = memory_new(length);
    for (size_t i = 0; i < length; i++)
        sample->bytes[i] = byte_at(i);
    CU_ASSERT_EQUAL_FATAL(write(fd, sample->bytes, length), (ssize_t)length);
    close(fd);
    source_init(&sample->source);
    sample->source.access = SOURCE_FILE;
    sample->source.path = memory_text(sample->path);
    sample->source.name = memory_text("sample");
    sample->source.units = length;
    describe_again(sample);
}

static void sample_clear(struct sample *sample)
{
    unlink(sample->path);
    source_clear(&sample->source);
    memory_free(sample->bytes);
}

static void sample_is_array(struct sample *sample, enum lane lane, uint64_t rows, uint64_t columns)
{
    sample->source.format = SOURCE_ARRAY;
    sample->source.lane = lane;
    sample->source.rows = rows;
    sample->source.columns = columns;
    sample->source.units = rows * columns;
}

static struct source_reader *open_reader(const struct sample *sample)
{
    struct source_reader *reader = NULL;
    struct error error;

    CU_ASSERT_EQUAL_FATAL(reader_open(&reader, &sample->source, &error), READER_OK);
    return reader;
}

/* Read [unit, end) and compare with `expected`, the whole source in row-major order. */
static void check_run(struct source_reader *reader, const uint8_t *expected, uint32_t width,
                      uint64_t unit, uint64_t end)
{
    struct error error;

    while (unit < end) {
        const uint8_t *data = NULL;
        uint64_t got = 0;
        volatile uint8_t around;

        CU_ASSERT_EQUAL_FATAL(reader_get(reader, unit, end - unit, &data, &got, &error), READER_OK);
        CU_ASSERT_FATAL(got >= 1 && got <= end - unit);
        CU_ASSERT_EQUAL(memcmp(data, expected + unit * width, got * width), 0);
        around = data[-32];
        around = data[got * width + 63];
        (void)around;
        unit += got;
    }
}

static void any_run_of_bytes_is_what_the_file_holds(void)
{
    static const uint64_t runs[][2] = {{0, 1},           {0, 700001},      {5, 6},
                                       {262143, 262145}, {699999, 700001}, {262144, 524288}};
    struct sample sample;
    struct source_reader *reader;

    sample_init(&sample, 700001);
    reader = open_reader(&sample);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        check_run(reader, sample.bytes, 1, runs[i][0], runs[i][1]);
    CU_ASSERT_EQUAL(reader_check(reader), READER_OK);
    reader_free(&reader);
    CU_ASSERT_PTR_NULL(reader);
    sample_clear(&sample);
}

static void data_begins_where_the_source_says(void)
{
    struct sample sample;
    struct source_reader *reader;

    sample_init(&sample, 1000);
    sample_is_array(&sample, LANE_I32, 1, 249);
    sample.source.data_begin = 3;
    reader = open_reader(&sample);
    check_run(reader, sample.bytes + 3, 4, 0, 249);
    check_run(reader, sample.bytes + 3, 4, 100, 102);
    reader_free(&reader);
    sample_clear(&sample);
}

static void nothing_is_read_past_the_end(void)
{
    struct sample sample;
    struct source_reader *reader;
    const uint8_t *data;
    uint64_t got;
    struct error error;

    sample_init(&sample, 100);
    reader = open_reader(&sample);
    CU_ASSERT_EQUAL(reader_get(reader, 90, 1000, &data, &got, &error), READER_OK);
    CU_ASSERT_EQUAL(got, 10);
    CU_ASSERT_EQUAL(reader_get(reader, 100, 1, &data, &got, &error), READER_FAILED);
    reader_free(&reader);
    sample_clear(&sample);
}

static uint8_t *transpose(const uint8_t *columns_first, uint64_t rows, uint64_t columns,
                          uint32_t width)
{
    uint8_t *rows_first = memory_new(rows * columns * width);

    for (uint64_t row = 0; row < rows; row++)
        for (uint64_t column = 0; column < columns; column++)
            memcpy(rows_first + (row * columns + column) * width,
                   columns_first + (column * rows + row) * width, width);
    return rows_first;
}

static void check_fortran(enum lane lane, uint64_t rows, uint64_t columns)
{
    struct sample sample;
    struct source_reader *reader;
    uint64_t units = rows * columns;
    uint8_t *expected;
    uint32_t width;

    sample_init(&sample, units * 8);
    sample_is_array(&sample, lane, rows, columns);
    sample.source.is_fortran = true;
    width = source_unit_bytes(&sample.source);
    expected = transpose(sample.bytes, rows, columns, width);
    reader = open_reader(&sample);
    check_run(reader, expected, width, 0, units);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t begin = i * 7919 % units;
        uint64_t length = 1 + i * i % (units - begin);

        check_run(reader, expected, width, begin, begin + length);
    }
    reader_free(&reader);
    memory_free(expected);
    sample_clear(&sample);
}

static void fortran_order_is_gathered_into_rows(void)
{
    static const enum lane lanes[] = {LANE_I8, LANE_U16, LANE_F32, LANE_I64};

    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++) {
        check_fortran(lanes[i], 7, 5);
        check_fortran(lanes[i], 300, 11);
        check_fortran(lanes[i], 2, 3000);
        check_fortran(lanes[i], 3000, 2);
    }
}

static void fortran_order_larger_than_the_buffer_is_gathered(void)
{
    check_fortran(LANE_I64, 300000, 2); /* several tiles of whole rows */
    check_fortran(LANE_I64, 2, 600000); /* rows that do not fit */
}

static void a_missing_file_is_absent(void)
{
    struct sample sample;
    struct source_reader *reader;
    struct error error;

    sample_init(&sample, 10);
    unlink(sample.path);
    CU_ASSERT_EQUAL(reader_open(&reader, &sample.source, &error), READER_ABSENT);
    CU_ASSERT_PTR_NULL(reader);
    sample_clear(&sample);
}

static void another_file_of_that_name_is_absent(void)
{
    struct sample sample;
    struct source_reader *reader;
    struct error error;

    sample_init(&sample, 10);
    sample.source.file_bytes++;
    CU_ASSERT_EQUAL(reader_open(&reader, &sample.source, &error), READER_ABSENT);
    sample.source.file_bytes--;
    sample.source.file_mtime_ns++;
    CU_ASSERT_EQUAL(reader_open(&reader, &sample.source, &error), READER_ABSENT);
    sample.source.file_mtime_ns--;
    sample.source.access = SOURCE_STREAM;
    CU_ASSERT_EQUAL(reader_open(&reader, &sample.source, &error), READER_ABSENT);
    sample_clear(&sample);
}

static void a_file_that_shrinks_has_changed(void)
{
    struct sample sample;
    struct source_reader *reader;
    const uint8_t *data;
    uint64_t got;
    struct error error;

    sample_init(&sample, 1000);
    reader = open_reader(&sample);
    CU_ASSERT_EQUAL(truncate(sample.path, 500), 0);
    CU_ASSERT_EQUAL(reader_get(reader, 0, 1000, &data, &got, &error), READER_CHANGED);
    CU_ASSERT_EQUAL(reader_check(reader), READER_CHANGED);
    reader_free(&reader);
    sample_clear(&sample);
}

static void a_file_that_is_written_has_changed(void)
{
    struct sample sample;
    struct source_reader *reader;
    struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = UTIME_OMIT}, {.tv_sec = 5, .tv_nsec = 1}};

    sample_init(&sample, 1000);
    reader = open_reader(&sample);
    CU_ASSERT_EQUAL(reader_check(reader), READER_OK);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, sample.path, times, 0), 0);
    CU_ASSERT_EQUAL(reader_check(reader), READER_CHANGED);
    reader_free(&reader);
    sample_clear(&sample);
}

static const struct unit_case CASES[] = {
    {"any run of bytes is what the file holds", any_run_of_bytes_is_what_the_file_holds},
    {"data begins where the source says", data_begins_where_the_source_says},
    {"nothing is read past the end", nothing_is_read_past_the_end},
    {"Fortran order is gathered into rows", fortran_order_is_gathered_into_rows},
    {"Fortran order larger than the buffer is gathered",
     fortran_order_larger_than_the_buffer_is_gathered},
    {"a missing file is absent", a_missing_file_is_absent},
    {"another file of that name is absent", another_file_of_that_name_is_absent},
    {"a file that shrinks has changed", a_file_that_shrinks_has_changed},
    {"a file that is written has changed", a_file_that_is_written_has_changed},
};

UNIT_MAIN("reader", CASES)
