/*
 * That no cut and no grouping can be seen in an answer or in a fault: the property that all of the
 * farm rests on. Small inputs exhaustively, larger ones at random.
 */
#include "trees.h"
#include "unit.h"

enum { EXHAUSTIVE_UNITS = 8 };

/* What a generated input may still get behind `most` bytes: one piece and what ends it. */
enum { PIECE_ROOM = 128 };

struct cuts_case {
    enum source_format format;
    enum op_kind op;
    struct cut cut;
    enum element_type type;
};

static const struct cut CUTS[] = {{.kind = CUT_SUBLISTS},
                                  {.kind = CUT_EVERY, .size = 1},
                                  {.kind = CUT_EVERY, .size = 2},
                                  {.kind = CUT_SPLIT, .parts = 2},
                                  {.kind = CUT_TOTAL}};
enum { CUT_COUNT = sizeof CUTS / sizeof *CUTS };

static bool check_single_and_double_cuts(struct folding *folding, uint64_t *random)
{
    size_t end = folding->units + 1;
    struct bytes whole = {0};
    bool ok = true;

    folding_whole(folding, &whole);
    for (size_t i = 1; i < end; i++) {
        ok &= trees_check_random(folding, (size_t[]){0, i, end}, 3, &whole, random);
        for (size_t j = i + 1; j < end && ok; j++)
            ok &= trees_check_random(folding, (size_t[]){0, i, j, end}, 4, &whole, random);
    }
    bytes_clear(&whole);
    return ok;
}

static bool check_one_byte_slices(struct folding *folding, int trees, uint64_t *random)
{
    size_t count = folding->units + 2;
    size_t *cut = memory_array(count, sizeof *cut);
    struct bytes whole = {0};
    bool ok = true;

    for (size_t i = 0; i < count; i++)
        cut[i] = i;
    folding_whole(folding, &whole);
    for (int i = 0; i < trees && ok; i++)
        ok &= trees_check_random(folding, cut, count, &whole, random);
    bytes_clear(&whole);
    memory_free(cut);
    return ok;
}

typedef bool check_function(struct folding *folding, uint64_t *random);

/* The check for every way to cut sublists, both operations. */
static bool check_ways(enum source_format format, const void *data, size_t units,
                       check_function *check, uint64_t *random)
{
    bool ok = true;

    for (int op = OP_SUM; op <= OP_PRODUCT; op++)
        for (int i = 0; i < CUT_COUNT; i++) {
            struct folding folding;

            folding_init(&folding, format, (enum op_kind)op, CUTS[i]);
            folding_set(&folding, data, units);
            ok &= check(&folding, random);
            folding_clear(&folding);
        }
    return ok;
}

static bool all_trees(struct folding *folding, uint64_t *random)
{
    (void)random;
    return trees_check_all(folding);
}

static bool hundred_trees(struct folding *folding, uint64_t *random)
{
    return check_one_byte_slices(folding, 100 / FOLDING_LESS, random);
}

static const char TEXT_ALPHABET[] = "1 ,\n\r-.ex";
static const char JSON_ALPHABET[] = "[],1 \n-x\"";

static void draw(uint64_t *random, const char *alphabet, size_t letters, uint8_t *out,
                 size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)alphabet[trees_random(random) % letters];
}

/* All inputs of up to `units` bytes over the first `letters` of the alphabet. */
static bool check_all_inputs(enum source_format format, const char *alphabet, size_t letters,
                             size_t units)
{
    uint64_t random = 1;
    bool ok = true;

    for (size_t length = 0; length <= units; length++) {
        size_t digit[EXHAUSTIVE_UNITS + 1] = {0};
        uint8_t data[EXHAUSTIVE_UNITS];

        while (!digit[length] && ok) {
            size_t i = 0;

            for (size_t k = 0; k < length; k++)
                data[k] = (uint8_t)alphabet[digit[k]];
            ok &= check_ways(format, data, length, all_trees, &random);
            while (i < length && ++digit[i] == letters)
                digit[i++] = 0;
            digit[length] = i == length;
        }
    }
    return ok;
}

static void test_small_texts(void)
{
    CU_ASSERT(check_all_inputs(SOURCE_TEXT, TEXT_ALPHABET, 5, FOLDING_LESS > 1 ? 3 : 4));
    CU_ASSERT(check_all_inputs(SOURCE_TEXT, TEXT_ALPHABET, sizeof TEXT_ALPHABET - 1, 3));
}

static void test_small_jsons(void)
{
    CU_ASSERT(check_all_inputs(SOURCE_JSON, JSON_ALPHABET, 5, FOLDING_LESS > 1 ? 3 : 4));
    CU_ASSERT(check_all_inputs(SOURCE_JSON, JSON_ALPHABET, sizeof JSON_ALPHABET - 1, 3));
}

static void check_drawn(enum source_format format, const char *alphabet, size_t letters,
                        uint64_t seed)
{
    uint64_t random = seed;

    for (int i = 0; i < 120 / FOLDING_LESS; i++) {
        size_t length = 5 + (size_t)(trees_random(&random) % (EXHAUSTIVE_UNITS - 4));
        uint8_t data[EXHAUSTIVE_UNITS];

        draw(&random, alphabet, letters, data, length);
        CU_ASSERT(check_ways(format, data, length, all_trees, &random));
    }
}

static void test_drawn_texts(void)
{
    check_drawn(SOURCE_TEXT, TEXT_ALPHABET, 5, 1);
    check_drawn(SOURCE_TEXT, TEXT_ALPHABET, sizeof TEXT_ALPHABET - 1, 2);
}

static const char *const SMALL_JSONS[] = {
    "[]",       "[[]]",      "[[],[]]", "[1]\n[2]",  "[1,2]",   "[[1],2]", "[1,[2]]", "[[1,2]]",
    "[[1],[]]", "[ ]\n[ ]",  "[1] [2]", "\n[1]\n",   "[12,-3]", "[[1]]\n", "[[1]],2", "[1,]",
    "[,1]",     "[\"a,b\"]", "[true]",  "{\"a\":1}", "[1.5e2]", "[01]",    "[[[1]]]", "[1]]",
    "[1",       "[[1]",      "[[1],",   "12",        "",        "[1][2]",  "]",       "[1\n,2]",
    "[1]\r\n",  "[-]",       "[[1] ,[", "[nan]",     "[1e999]", "[1.0]",   "[1]x",    "[\n]\n[]",
};

static void test_drawn_jsons(void)
{
    uint64_t random = 3;

    check_drawn(SOURCE_JSON, JSON_ALPHABET, 5, 3);
    check_drawn(SOURCE_JSON, JSON_ALPHABET, sizeof JSON_ALPHABET - 1, 4);
    for (size_t i = 0; i < sizeof SMALL_JSONS / sizeof *SMALL_JSONS; i++)
        CU_ASSERT(
            check_ways(SOURCE_JSON, SMALL_JSONS[i], strlen(SMALL_JSONS[i]), all_trees, &random));
}

/* Text that is mostly right: the pieces of a grammar, with a fault now and then. */
static size_t write_input(enum source_format format, uint64_t *random, char *out, size_t most)
{
    static const char *const TEXT[] = {"1",
                                       "-7",
                                       "12345678",
                                       "999999999999999999",
                                       "0.5",
                                       "-1e3",
                                       " ",
                                       " ",
                                       ",",
                                       "\n",
                                       "\n",
                                       "\r\n",
                                       " , ",
                                       "\t",
                                       "; ",
                                       "\n",
                                       " ",
                                       " ",
                                       "123456789012345678901234567890",
                                       "+4",
                                       "1 2 3 4 5 6 7 8 9 10 11 12\n",
                                       "inf",
                                       "3,4,5\n"};
    static const char *const JSON[] = {"1",       "-7",  "12345678",
                                       "0.5",     ",",   ",",
                                       "],[",     "],[", " ",
                                       ", ",      "\n",  "[]",
                                       "1,2,3,4", "9,8", "],[1,2",
                                       "],\n[3",  "]",   "],[3,4",
                                       "1,2,33",  "[",   "123456789012345678901234567890"};
    bool is_json = format == SOURCE_JSON;
    size_t length = is_json ? (size_t)snprintf(out, PIECE_ROOM, "[[") : 0;
    size_t faults = (size_t)(trees_random(random) % 2);

    while (length < most) {
        const char *piece = is_json ? JSON[trees_random(random) % (sizeof JSON / sizeof *JSON)]
                                    : TEXT[trees_random(random) % (sizeof TEXT / sizeof *TEXT)];

        if (faults && trees_random(random) % 64 == 0)
            piece = trees_random(random) % 2 ? "x" : ",,";
        length += (size_t)snprintf(out + length, PIECE_ROOM, "%s", piece);
        if (is_json && trees_random(random) % 2)
            length += (size_t)snprintf(out + length, PIECE_ROOM, "],[");
    }
    return length + (size_t)(is_json ? snprintf(out + length, PIECE_ROOM, "]]\n") : 0);
}

/* A JSON text without a fault. */
static size_t write_json(uint64_t *random, char *out, size_t most)
{
    bool is_flat = trees_random(random) % 2;
    size_t length = (size_t)snprintf(out, PIECE_ROOM, is_flat ? "[" : "[[");

    while (length < most) {
        uint64_t drawn = trees_random(random);
        char last = out[length - 1];

        if (last != '[' && last != ',' && drawn % 4 == 0)
            length += (size_t)snprintf(out + length, PIECE_ROOM,
                                       is_flat     ? "]\n["
                                       : drawn % 8 ? "],\n["
                                                   : "],[");
        else
            length += (size_t)snprintf(out + length, PIECE_ROOM, "%s%lld",
                                       last == '['  ? ""
                                       : drawn % 16 ? ","
                                                    : " , ",
                                       (long long)drawn >> (drawn >> 32) % 64);
    }
    return length + (size_t)snprintf(out + length, PIECE_ROOM, is_flat ? "]" : "]]");
}

static void check_written(enum source_format format, check_function *check, int times, size_t most)
{
    uint64_t random = 5 + (uint64_t)most;
    char *data = memory_new(most + 2 * PIECE_ROOM);

    for (int i = 0; i < (times + FOLDING_LESS - 1) / FOLDING_LESS; i++) {
        size_t length = format == SOURCE_JSON && i % 2 ? write_json(&random, data, most)
                                                       : write_input(format, &random, data, most);

        CU_ASSERT(check_ways(format, data, length, check, &random));
    }
    memory_free(data);
}

static void test_single_and_double_cuts(void)
{
    check_written(SOURCE_TEXT, check_single_and_double_cuts, 4, 60);
    check_written(SOURCE_JSON, check_single_and_double_cuts, 4, 60);
    check_written(SOURCE_TEXT, check_single_and_double_cuts, 1, 220 / FOLDING_LESS);
    check_written(SOURCE_JSON, check_single_and_double_cuts, 2, 220 / FOLDING_LESS);
}

static void test_one_byte_slices(void)
{
    check_written(SOURCE_TEXT, hundred_trees, 2, 100);
    check_written(SOURCE_JSON, hundred_trees, 3, 100);
}

static void test_random_cuts(void)
{
    check_written(SOURCE_TEXT, trees_check_cuts, 200, 300);
    check_written(SOURCE_JSON, trees_check_cuts, 200, 300);
    check_written(SOURCE_TEXT, trees_check_cuts, 10, 4000);
    check_written(SOURCE_JSON, trees_check_cuts, 10, 4000);
}

static const struct unit_case CASES[] = {
    {"every tree over every cut of every small text says the same", test_small_texts},
    {"every tree over every cut of every small JSON says the same", test_small_jsons},
    {"every tree over every cut of texts of up to eight bytes", test_drawn_texts},
    {"every tree over every cut of JSONs of up to eight bytes", test_drawn_jsons},
    {"all single and double cuts of longer inputs", test_single_and_double_cuts},
    {"one-byte slices under a hundred random trees", test_one_byte_slices},
    {"random cuts and feeds of long inputs", test_random_cuts},
};

UNIT_MAIN("cuts", CASES)
