#include "open_help.h"

#include <fcntl.h>

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
        {"xml", NULL, "no such format"},
        {"raw", NULL, "needs --dtype"},
        {"raw", "i7", "no such element"},
        {"raw", "i128", "no such element"},
        {"raw", "<>i8", "no such element"},
        {"raw", "", "no such element"},
        {"raw", "|i8", "no such element"},
        {"text", "i64", "--format raw only"},
        {NULL, "i64", "--format raw only"},
        {"raw", "i1", "no such element"},
        {"raw", "<", "no such element"},
        /* To numpy these are 8 bytes. */
        {"raw", "<i8",
         "--dtype <i8: the number counts bits, and one byte has no order; expected <i64 for 8 "
         "bytes, or i8"},
        {"raw", ">u8",
         "--dtype >u8: the number counts bits, and one byte has no order; expected >u64 for 8 "
         "bytes, or u8"},
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
    {"k.ndjson", "\xef\xbb\xbf[1]\n", false, 3, 4, 1, SOURCE_JSON},
    {"l.json", "", false, 0, 0, 1, SOURCE_JSON},
    {"m.ndjson", "", false, 0, 0, 1, SOURCE_TEXT},
    {"n.JSONL", "\xef\xbb\xbf", false, 3, 0, 1, SOURCE_TEXT},
    {"o.ndjson", "\n", false, 0, 1, 1, SOURCE_JSON},
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
    } table[] = {{"i8", 24, 0},  {"u8", 24, 0},  {"u16", 12, 0}, {">i32", 6, 1},
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
    CU_ASSERT_EQUAL_FATAL(stream_spool(feeder.fd, "standard input", 5, &spooled, &bytes, NULL), OK);
    CU_ASSERT_EQUAL(bytes, 6);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(lseek(spooled, 5, SEEK_SET), 5);
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

/* Files of /proc have the size 0, whatever is in them. */
static void a_file_that_hides_its_size_is_a_stream(void)
{
    struct opened opened = open_one("/proc/self/stat");
    char text[8] = {0};

    CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
    CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_STREAM);
    CU_ASSERT_EQUAL(opened.spec.sources[0].units, SOURCE_UNITS_UNKNOWN);
    CU_ASSERT_EQUAL(read(opened.streams[0], text, 1), 1);
    CU_ASSERT(*text >= '1' && *text <= '9');
    opened_clear(&opened);
}

/* No memory is mapped at the address 0. */
static void a_file_that_cannot_be_read_is_not_an_empty_one(void)
{
    static const struct source_options OPTIONS[] = {
        {0}, {.header = true}, {.format = "json"}, {.format = "raw", .dtype = "i8"}};
    struct folder folder;
    char *path;

    folder_new(&folder);
    path = folder_file(&folder, "empty", "", 0);
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        struct opened opened = open_with(&OPTIONS[i], (const char *const[]){path, NULL});

        CU_ASSERT_EQUAL_FATAL(opened.rc, OK);
        CU_ASSERT_EQUAL(opened.spec.sources[0].access, SOURCE_FILE);
        opened_clear(&opened);
        check_refused(open_with(&OPTIONS[i], (const char *const[]){"/proc/self/mem", NULL}),
                      "/proc/self/mem", "/proc/self/mem: cannot be read: Input/output error");
    }
    remove_file(path);
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
    {"a raw stream is one row of unknown length", a_raw_stream_is_one_row_of_unknown_length},
    {"a spooled stream can be read twice", a_spooled_stream_can_be_read_twice},
    {"standard input is named once", standard_input_is_named_once},
    {"a file behind a descriptor is read by its own name",
     a_file_behind_a_descriptor_is_read_by_its_own_name},
    {"a file that hides its size is a stream", a_file_that_hides_its_size_is_a_stream},
    {"a file that cannot be read is not an empty one",
     a_file_that_cannot_be_read_is_not_an_empty_one},
};

UNIT_MAIN("open", CASES)
