#include "source/open.h"
#include "unit.h"

#include "base/memory.h"
#include "source/reader.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 6 };

struct opened {
    struct job_spec spec;
    int *streams;
    struct error error;
    int rc;
};

static struct opened open_with(const struct source_options *options, const char *const *arguments)
{
    struct opened opened = {.spec = {.op = OP_SUM}};
    char *copies[ARGUMENTS_MAX] = {0};
    int count = 0;

    for (; count < ARGUMENTS_MAX && arguments[count]; count++)
        copies[count] = memory_text(arguments[count]);
    opened.rc = sources_open(&opened.spec, &opened.streams, copies, count, options, &opened.error);
    for (int i = 0; i < count; i++)
        memory_free(copies[i]);
    return opened;
}

static struct opened open_one(const char *argument)
{
    return open_with(&(struct source_options){0}, (const char *const[]){argument, NULL});
}

static void opened_clear(struct opened *opened)
{
    for (uint32_t i = 0; i < opened->spec.source_count; i++)
        if (opened->streams[i] >= 0)
            close(opened->streams[i]);
    memory_free(opened->streams);
    job_spec_clear(&opened->spec);
}

static void check_refused(struct opened opened, const char *what, const char *sentence)
{
    CU_ASSERT_NOT_EQUAL(opened.rc, OK);
    CU_ASSERT_PTR_NULL(opened.streams);
    CU_ASSERT_EQUAL(opened.spec.source_count, 0);
    if (opened.rc == OK) {
        printf("\n%s was accepted\n", what);
        opened_clear(&opened);
        return;
    }
    CU_ASSERT_EQUAL(error_exit_status(opened.error.code), 2);
    if (!strstr(opened.error.text, sentence))
        printf("\n%s: '%s' does not say '%s'\n", what, opened.error.text, sentence);
    CU_ASSERT_PTR_NOT_NULL(strstr(opened.error.text, sentence));
}

/* A folder of its own for the files of one case. */
struct folder {
    char path[64];
};

static void folder_new(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/sheaf-open-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder->path));
}

static char *folder_file(const struct folder *folder, const char *name, const void *data,
                         size_t length)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, length, file), length);
    fclose(file);
    return memory_text(path);
}

static void remove_file(char *path)
{
    unlink(path);
    memory_free(path);
}

/* A pipe's reading end as a path, its bytes written one by one, so that nobody reads too far. */
struct feeder {
    char path[32];
    int fd;
    pid_t pid;
};

static void feeder_start(struct feeder *feeder, const void *data, size_t length)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    feeder->pid = fork();
    if (feeder->pid == 0) {
        close(ends[0]);
        for (size_t i = 0; i < length; i++)
            if (write(ends[1], (const char *)data + i, 1) != 1)
                break;
        _exit(0);
    }
    close(ends[1]);
    feeder->fd = ends[0];
    snprintf(feeder->path, sizeof feeder->path, "/dev/fd/%d", ends[0]);
}

static void feeder_stop(struct feeder *feeder)
{
    close(feeder->fd);
    waitpid(feeder->pid, NULL, 0);
}

static void ranges_know_their_length(void)
{
    static const struct {
        const char *text;
        uint64_t units;
    } table[] = {
        {"1..400", 400},
        {"5..5", 1},
        {"5..1", 0},
        {"1..10:-1", 0},
        {"10..1:-3", 4},
        {"10..1:-9", 2},
        {"10..1:-10", 1},
        {"-5..5:+2", 6},
        {"+1..+3", 3},
        {"1..9223372036854775807", INT64_MAX},
        {"100000000000000000000..100000000000000000009", 10},
        {"-100000000000000000000..100000000000000000000:100000000000000000000", 3},
        {"0..1000000000000000000000000000000:1000000000000000000000000", 1000001},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct opened opened = open_one(table[i].text);

        CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
        CU_ASSERT_EQUAL(opened.spec.sources[0].format, SOURCE_RANGE);
        CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_NOTHING);
        CU_ASSERT_EQUAL(opened.spec.sources[0].units, table[i].units);
        opened_clear(&opened);
    }
}

static void a_range_has_its_begin_and_step(void)
{
    struct opened opened = open_one("-100000000000000000000..7:3000000000000000000");
    char text[40];

    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(mpz_cmp_si(opened.spec.sources[0].step, 3000000000000000000), 0);
    CU_ASSERT_EQUAL(gmp_snprintf(text, sizeof text, "%Zd", opened.spec.sources[0].begin), 22);
    CU_ASSERT_STRING_EQUAL(text, "-100000000000000000000");
    opened_clear(&opened);
}

static void wrong_arguments_are_refused_with_a_sentence(void)
{
    static const char *const table[][2] = {
        {"1..", "without end"},
        {"1..:2", "without end"},
        {"..5", "without a begin"},
        {"1..5:0", "step 0"},
        {"1..5:-0", "step 0"},
        {"1..5:", "not a range"},
        {"1..5:x", "not a range"},
        {"1..5x", "not a range"},
        {"1..5:2:3", "not a range"},
        {"1...5", "not a range"},
        {"0..9223372036854775807", "at most 9223372036854775807 elements"},
        {"1..100000000000000000000000", "at most 9223372036854775807 elements"},
        {"1e400", "too large"},
        {"-1e999999", "too large"},
        {"12x", "neither a number nor a range nor a file"},
        {"1_000", "neither a number nor a range nor a file"},
        {"/nowhere/at/all.txt", "No such file"},
        {"/tmp", "is a directory"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_refused(open_one(table[i][0]), table[i][0], table[i][1]);
}

static void wrong_options_are_refused_with_a_sentence(void)
{
    static const struct {
        const char *format, *dtype, *sentence;
    } table[] = {
        {"xml", NULL, "no such format"},    {"raw", NULL, "needs --dtype"},
        {"raw", "i7", "no such element"},   {"raw", "i128", "no such element"},
        {"raw", "<>i8", "no such element"}, {"raw", "", "no such element"},
        {"raw", "|i8", "no such element"},  {"text", "i64", "--format raw only"},
        {NULL, "i64", "--format raw only"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct source_options options = {.format = table[i].format, .dtype = table[i].dtype};

        check_refused(open_with(&options, (const char *const[]){"1", NULL}), table[i].sentence,
                      table[i].sentence);
    }
}

static void neighbouring_numbers_are_one_source(void)
{
    static const char *const arguments[] = {"6", "-7", "1e3", "1..3", "nan", NULL};
    struct opened opened = open_with(&(struct source_options){0}, arguments);
    const struct source *source = opened.spec.sources;

    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL_FATAL(opened.spec.source_count, 3);
    CU_ASSERT_EQUAL(source[0].format, SOURCE_TEXT);
    CU_ASSERT_EQUAL(source[0].access, SOURCE_INLINE);
    CU_ASSERT_EQUAL(source[0].units, 8);
    CU_ASSERT_NSTRING_EQUAL(source[0].inline_data.data, "6 -7 1e3", 8);
    CU_ASSERT_STRING_EQUAL(source[0].name, "the command line");
    CU_ASSERT_EQUAL(source[1].format, SOURCE_RANGE);
    CU_ASSERT_NSTRING_EQUAL(source[2].inline_data.data, "nan", 3);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(opened.streams[i], -1);
    opened_clear(&opened);
}

static const struct text_case {
    const char *name, *data;
    bool header;
    uint64_t data_begin, units, first_line;
    enum source_format format;
} TEXTS[] = {
    {"a.txt", "1 2\n3", false, 0, 5, 1, SOURCE_TEXT},
    {"a.csv",
     "\xef\xbb\xbf"
     "1,2",
     false, 3, 3, 1, SOURCE_TEXT},
    {"b.txt",
     "\xef\xbb"
     "1",
     false, 0, 3, 1, SOURCE_TEXT},
    {"c.csv", "a,b\n1,2\n", true, 4, 4, 2, SOURCE_TEXT},
    {"d.csv",
     "\xef\xbb\xbf"
     "a\r\n1\r\n",
     true, 6, 3, 2, SOURCE_TEXT},
    {"e.csv", "only a header", true, 13, 0, 2, SOURCE_TEXT},
    {"f.txt", "", true, 0, 0, 2, SOURCE_TEXT},
    {"g.txt", "", false, 0, 0, 1, SOURCE_TEXT},
    {"h", "\n\n", true, 1, 1, 2, SOURCE_TEXT},
    {"i.json", "[1]", true, 0, 3, 1, SOURCE_JSON},
    {"j.JSONL", "[1]\n", false, 0, 4, 1, SOURCE_JSON},
    {"k.ndjson", "\xef\xbb\xbf[1]\n", false, 0, 7, 1, SOURCE_JSON},
};

static void check_text(const struct source *source, const struct text_case *text)
{
    CU_ASSERT_EQUAL(source->format, text->format);
    CU_ASSERT_EQUAL(source->data_begin, text->data_begin);
    CU_ASSERT_EQUAL(source->first_line, text->first_line);
}

static void text_files_begin_behind_mark_and_header(void)
{
    struct folder folder;

    folder_new(&folder);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct source_options options = {.header = TEXTS[i].header};
        char *path = folder_file(&folder, TEXTS[i].name, TEXTS[i].data, strlen(TEXTS[i].data));
        struct opened opened = open_with(&options, (const char *const[]){path, NULL});

        CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
        check_text(opened.spec.sources, &TEXTS[i]);
        CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_FILE);
        CU_ASSERT_EQUAL(opened.spec.sources[0].units, TEXTS[i].units);
        CU_ASSERT_EQUAL(opened.spec.sources[0].file_bytes, strlen(TEXTS[i].data));
        CU_ASSERT_EQUAL(opened.spec.sources[0].path[0], '/');
        CU_ASSERT_EQUAL(opened.streams[0], -1);
        opened_clear(&opened);
        remove_file(path);
    }
    rmdir(folder.path);
}

static void text_streams_begin_behind_mark_and_header(void)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct source_options options = {
            .header = TEXTS[i].header,
            .format = TEXTS[i].format == SOURCE_JSON ? "json" : "text",
        };
        char rest[64] = {0};
        struct feeder feeder;
        struct opened opened;

        feeder_start(&feeder, TEXTS[i].data, strlen(TEXTS[i].data));
        opened = open_with(&options, (const char *const[]){feeder.path, NULL});
        CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
        check_text(opened.spec.sources, &TEXTS[i]);
        CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_STREAM);
        CU_ASSERT_EQUAL(opened.spec.sources[0].units, SOURCE_UNITS_UNKNOWN);
        for (size_t at = 0; read(opened.streams[0], rest + at, 1) == 1; at++)
            ;
        CU_ASSERT_STRING_EQUAL(rest, TEXTS[i].data + TEXTS[i].data_begin);
        opened_clear(&opened);
        feeder_stop(&feeder);
    }
}

static void raw_files_are_whole_elements(void)
{
    static const struct {
        const char *dtype;
        uint64_t units;
        uint8_t big;
    } table[] = {{"i8", 24, 0},  {">i8", 24, 0}, {"u16", 12, 0}, {">i32", 6, 1},
                 {"<u64", 3, 0}, {"f16", 12, 0}, {">f32", 6, 1}, {"f64", 3, 0}};
    struct folder folder;
    char *path, *odd;

    folder_new(&folder);
    path = folder_file(&folder, "a.npy", "0123456789abcdefghijklmn", 24);
    odd = folder_file(&folder, "b", "01234567890", 11);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct source_options options = {.format = "raw", .dtype = table[i].dtype};
        struct opened opened = open_with(&options, (const char *const[]){path, NULL});

        CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
        CU_ASSERT_EQUAL(opened.spec.sources[0].units, table[i].units);
        CU_ASSERT_EQUAL(opened.spec.sources[0].columns, table[i].units);
        CU_ASSERT_EQUAL(opened.spec.sources[0].rows, 1);
        CU_ASSERT_EQUAL(opened.spec.sources[0].is_big_endian, table[i].big);
        opened_clear(&opened);
    }
    check_refused(open_with(&(struct source_options){.format = "raw", .dtype = "i16"},
                            (const char *const[]){odd, NULL}),
                  odd, "whole number");
    remove_file(path);
    remove_file(odd);
    rmdir(folder.path);
}

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

static void a_raw_stream_is_one_row_of_unknown_length(void)
{
    struct feeder feeder;
    struct opened opened;

    feeder_start(&feeder, "0123", 4);
    opened = open_with(&(struct source_options){.format = "raw", .dtype = "i16"},
                       (const char *const[]){feeder.path, NULL});
    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(opened.spec.sources[0].units, SOURCE_UNITS_UNKNOWN);
    CU_ASSERT_EQUAL(opened.spec.sources[0].columns, SOURCE_UNITS_UNKNOWN);
    CU_ASSERT_EQUAL(opened.spec.sources[0].rows, 1);
    opened_clear(&opened);
    feeder_stop(&feeder);
}

static void a_spooled_stream_can_be_read_twice(void)
{
    struct feeder feeder;
    uint64_t bytes = 0;
    int spooled = -1;
    char text[8] = {0};

    feeder_start(&feeder, "1 2 3\n", 6);
    CU_ASSERT_EQUAL_FATAL(stream_spool(feeder.fd, "standard input", &spooled, &bytes, NULL), OK);
    CU_ASSERT_EQUAL(bytes, 6);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(lseek(spooled, 0, SEEK_SET), 0);
        CU_ASSERT_EQUAL(read(spooled, text, sizeof text), 6);
        CU_ASSERT_STRING_EQUAL(text, "1 2 3\n");
    }
    close(spooled);
    feeder_stop(&feeder);
}

static void standard_input_is_named_once(void)
{
    check_refused(open_with(&(struct source_options){0}, (const char *const[]){"-", "-", NULL}),
                  "- -", "named twice");
}

static void a_file_behind_a_descriptor_is_read_by_its_own_name(void)
{
    struct folder folder;
    struct opened opened;
    char *path, name[32];
    int fd;

    folder_new(&folder);
    path = folder_file(&folder, "a", "1 2", 3);
    fd = open(path, O_RDONLY);
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    opened = open_one(name);
    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_FILE);
    CU_ASSERT_STRING_EQUAL(opened.spec.sources[0].path, path);
    opened_clear(&opened);
    unlink(path);
    opened = open_one(name);
    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_STREAM);
    opened_clear(&opened);
    close(fd);
    memory_free(path);
    rmdir(folder.path);
}

static const struct unit_case CASES[] = {
    {"ranges know their length", ranges_know_their_length},
    {"a range has its begin and step", a_range_has_its_begin_and_step},
    {"wrong arguments are refused with a sentence", wrong_arguments_are_refused_with_a_sentence},
    {"wrong options are refused with a sentence", wrong_options_are_refused_with_a_sentence},
    {"neighbouring numbers are one source", neighbouring_numbers_are_one_source},
    {"text files begin behind mark and header", text_files_begin_behind_mark_and_header},
    {"text streams begin behind mark and header", text_streams_begin_behind_mark_and_header},
    {"raw files are whole elements", raw_files_are_whole_elements},
    {".npy files are what numpy says", npy_files_are_what_numpy_says},
    {".npy streams are raw elements in row-major order",
     npy_streams_are_raw_elements_in_row_major_order},
    {"a Fortran stream that is cut off is refused", a_fortran_stream_that_is_cut_off_is_refused},
    {"a raw stream is one row of unknown length", a_raw_stream_is_one_row_of_unknown_length},
    {"a spooled stream can be read twice", a_spooled_stream_can_be_read_twice},
    {"standard input is named once", standard_input_is_named_once},
    {"a file behind a descriptor is read by its own name",
     a_file_behind_a_descriptor_is_read_by_its_own_name},
};

UNIT_MAIN("open", CASES)
