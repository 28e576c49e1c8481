#include "unit.h"

#include "base/limits.h"
#include "base/options.h"

#include <string.h>

struct fields {
    bool quiet, help;
    const char *text;
    struct texts many;
    uint64_t count, size;
    int64_t pause_ns, patience_ns;
    uint32_t choice;
};

static const struct option OPTIONS[] = {
    {"quiet", 'q', OPTION_FLAG, offsetof(struct fields, quiet), NULL, "say less", 0},
    {"text", 't', OPTION_TEXT, offsetof(struct fields, text), "TEXT", "a text", 0},
    {"many", 0, OPTION_TEXTS, offsetof(struct fields, many), "TEXT", "texts", 0},
    {"count", 'j', OPTION_COUNT, offsetof(struct fields, count), "N", "a count", 1},
    {"size", 0, OPTION_BYTES, offsetof(struct fields, size), "BYTES", "a size", KIB},
    {"pause", 0, OPTION_MS, offsetof(struct fields, pause_ns), "MS", "a pause", 1},
    {"patience", 0, OPTION_SECONDS, offsetof(struct fields, patience_ns), "S", "patience", 0},
    {"choice", 0, OPTION_CHOICE, offsetof(struct fields, choice), "one|other", "a choice", 0},
    {"secret", 0, OPTION_FLAG, offsetof(struct fields, quiet), NULL, NULL, 0},
    {"help", 'h', OPTION_FLAG, offsetof(struct fields, help), NULL, "this", 0},
};
static const struct option_pair PAIRS[] = {{"text", "many"}};
static const struct command COMMAND = {.name = "test",
                                       .operands = "[WORD…]",
                                       .about = "A test.",
                                       .more = "Example: test -q\n",
                                       .options = OPTIONS,
                                       .option_count = sizeof OPTIONS / sizeof *OPTIONS,
                                       .contradictions = PAIRS,
                                       .contradiction_count = 1};

/* Parse words separated by blanks. */
static int parse(const char *line, struct fields *fields, struct texts *operands,
                 struct error *error)
{
    static char copy[256]; /* the fields point into it */
    char *argv[32];
    char *rest = copy;
    int argc = 0;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; argc < 32 && (word = strsep(&rest, " "));)
        argv[argc++] = word;
    return options_parse(&COMMAND, argc, argv, fields, operands, error);
}

static void every_way_of_writing_an_option_is_read(void)
{
    static const char *const lines[] = {"-q -j 4 --text=x --size 2K",
                                        "--quiet -j4 -t x --size=2048", "-qj4 -tx --size 2k",
                                        "--count 4 --quiet --text x --size 2048"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct fields fields = {0};
        struct texts operands = {0};
        struct error error = {0};

        CU_ASSERT_EQUAL(parse(lines[i], &fields, &operands, &error), OK);
        CU_ASSERT_TRUE(fields.quiet);
        CU_ASSERT_EQUAL(fields.count, 4);
        CU_ASSERT_EQUAL(fields.size, 2048);
        CU_ASSERT_TRUE(fields.text && !strcmp(fields.text, "x"));
        CU_ASSERT_EQUAL(operands.count, 0);
        texts_clear(&operands);
    }
}

static void negative_numbers_are_operands(void)
{
    static const char *const words[] = {"-5", "-.5", "-1..-9:-2", "-inf", "-Infinity", "-nan", "-"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct fields fields = {0};
        struct texts operands = {0};
        struct error error = {0};

        CU_ASSERT_EQUAL(parse(words[i], &fields, &operands, &error), OK);
        CU_ASSERT_EQUAL_FATAL(operands.count, 1);
        CU_ASSERT_STRING_EQUAL(operands.items[0], words[i]);
        texts_clear(&operands);
    }
}

static void operands_and_options_mix_until_two_dashes(void)
{
    struct fields fields = {0};
    struct texts operands = {0};
    struct error error = {0};

    CU_ASSERT_EQUAL(parse("a -q b -- -t --many", &fields, &operands, &error), OK);
    CU_ASSERT_TRUE(fields.quiet);
    CU_ASSERT_EQUAL_FATAL(operands.count, 4);
    CU_ASSERT_STRING_EQUAL(operands.items[2], "-t");
    CU_ASSERT_STRING_EQUAL(operands.items[3], "--many");
    texts_clear(&operands);
}

static void values_have_units(void)
{
    struct fields fields = {0};
    struct texts operands = {0};
    struct error error = {0};

    CU_ASSERT_EQUAL(parse("--size 3G --pause 1.5 --patience 0 --choice other --many a --many b",
                          &fields, &operands, &error),
                    OK);
    CU_ASSERT_EQUAL(fields.size, 3 * GIB);
    CU_ASSERT_EQUAL(fields.pause_ns, 1500000);
    CU_ASSERT_EQUAL(fields.patience_ns, 0);
    CU_ASSERT_EQUAL(fields.choice, 1);
    CU_ASSERT_EQUAL(fields.many.count, 2);
    texts_clear(&fields.many);
}

static void what_makes_no_sense_is_a_sentence(void)
{
    static const struct {
        const char *line, *sentence;
    } cases[] = {
        {"--cuont 3",
         "unknown option '--cuont'; the nearest known one is '--count' (see test --help)"},
        {"--secre",
         "unknown option '--secre'; the nearest known one is '--size' (see test --help)"},
        {"-x", "unknown option '-x'; the nearest known one is '--text' (see test --help)"},
        {"--count", "--count needs a value: --count N"},
        {"--count 0", "--count: '0' is not a whole number from 1 on"},
        {"--count -3", "--count: '-3' is not a whole number from 1 on"},
        {"--count 3x", "--count: '3x' is not a whole number from 1 on"},
        {"--count 99999999999999999999",
         "--count: '99999999999999999999' is too large; at most 9223372036854775807"},
        {"--size 1", "--size: '1' is not a number of bytes (K, M, G, T may follow) from 1024 on"},
        {"--size 99999999999T",
         "--size: '99999999999T' is too large; at most 9223372036854775807 bytes"},
        {"--pause 0", "--pause: '0' is not a number of milliseconds"},
        {"--pause inf", "--pause: 'inf' is not a number of milliseconds"},
        {"--pause 1.2.3", "--pause: '1.2.3' is not a number of milliseconds"},
        {"--patience -1", "--patience: '-1' is not a number of seconds"},
        {"--choice on", "--choice: 'on' is not one of one|other"},
        {"--quiet=yes", "--quiet takes no value"},
        {"--text a --many b", "--text and --many contradict each other; give one of them"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fields fields = {0};
        struct texts operands = {0};
        struct error error = {0};

        CU_ASSERT_EQUAL(parse(cases[i].line, &fields, &operands, &error), ERROR_USAGE);
        CU_ASSERT_STRING_EQUAL(error.text, cases[i].sentence);
        texts_clear(&operands);
        texts_clear(&fields.many);
    }
}

static void help_ends_the_parsing_and_shows_what_is_not_secret(void)
{
    struct fields fields = {0};
    struct texts operands = {0};
    struct error error = {0};
    struct bytes text = {0};

    CU_ASSERT_EQUAL(parse("--help --nonsense", &fields, &operands, &error), OK);
    CU_ASSERT_TRUE(fields.help);
    options_help(&COMMAND, &text);
    bytes_append_byte(&text, 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr((char *)text.data, "  -q, --quiet                     say less\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text.data, "Example: test -q\n"));
    CU_ASSERT_PTR_NULL(strstr((char *)text.data, "secret"));
    bytes_clear(&text);
}

static void distance_counts_single_edits(void)
{
    CU_ASSERT_EQUAL(options_distance("split", "split"), 0);
    CU_ASSERT_EQUAL(options_distance("splt", "split"), 1);
    CU_ASSERT_EQUAL(options_distance("", "split"), 5);
    CU_ASSERT_EQUAL(options_distance("kitten", "sitting"), 3);
}

static const struct unit_case CASES[] = {
    {"every way of writing an option is read", every_way_of_writing_an_option_is_read},
    {"negative numbers are operands", negative_numbers_are_operands},
    {"operands and options mix until two dashes", operands_and_options_mix_until_two_dashes},
    {"values have units", values_have_units},
    {"what makes no sense is a sentence", what_makes_no_sense_is_a_sentence},
    {"help ends the parsing and shows what is not secret",
     help_ends_the_parsing_and_shows_what_is_not_secret},
    {"distance counts single edits", distance_counts_single_edits},
};

UNIT_MAIN("options", CASES)
