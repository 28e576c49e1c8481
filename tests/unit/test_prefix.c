#include "number/prefix.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { LENGTH_MAX = 5 };

static const char ALPHABET[] = "+-.019eEinfAaTty x";

/* Whether some number begins like this, by the parser itself. What may be missing behind a few
 * bytes is one of these. */
static bool some_number_begins_with(const char *text, size_t length, enum token_grammar grammar)
{
    static const char *const ENDS[] = {"",   "1", "nfinity", "finity", "inity", "nity", "ity",
                                       "ty", "y", "an",      "n",      "f",     "inf",  "nf"};
    char whole[LENGTH_MAX + 16];

    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        memcpy(whole, text, length);
        memcpy(whole + length, ENDS[i], strlen(ENDS[i]) + 1);
        if (token_parse(whole, strlen(whole), grammar).kind != TOKEN_BAD)
            return true;
    }
    return false;
}

static bool can_go_on(const char *text, size_t length, enum token_grammar grammar,
                      prefix_states states)
{
    size_t taken = prefix_take(&states, grammar, text, length);

    return states && taken == length;
}

static uint64_t check_all(char *text, size_t length, enum token_grammar grammar)
{
    bool can = can_go_on(text, length, grammar, prefix_begin());
    uint64_t wrong = 0;

    if (can != some_number_begins_with(text, length, grammar)) {
        printf("\n    wrong: %.*s, grammar %d", (int)length, text, (int)grammar);
        wrong++;
    }
    if (can) /* as a fragment, too, and so does every end of it */
        for (size_t i = 0; i < length; i++)
            wrong += !can_go_on(text + i, length - i, grammar, prefix_inside());
    if (!can || length == LENGTH_MAX)
        return wrong;
    for (const char *byte = ALPHABET; *byte; byte++) {
        text[length] = *byte;
        wrong += check_all(text, length + 1, grammar);
    }
    return wrong;
}

static void a_prefix_goes_on_exactly_if_the_parser_takes_some_end(void)
{
    char text[LENGTH_MAX + 1];

    CU_ASSERT_EQUAL(check_all(text, 0, TOKEN_TEXT), 0);
    CU_ASSERT_EQUAL(check_all(text, 0, TOKEN_JSON), 0);
}

static void words_go_on_to_their_last_letter(void)
{
    static const char *const TABLE[] = {"-Infinity", "infinity", "+NaN", "1e-5", "-0.5E+10"};

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        char longer[32];

        for (size_t length = 0; length <= strlen(TABLE[i]); length++)
            CU_ASSERT(can_go_on(TABLE[i], length, TOKEN_TEXT, prefix_begin()));
        snprintf(longer, sizeof longer, "%s%s", TABLE[i], "y");
        CU_ASSERT_FALSE(can_go_on(longer, strlen(longer), TOKEN_TEXT, prefix_begin()));
    }
}

static void taking_stops_at_the_first_byte_that_no_number_has_there(void)
{
    static const struct {
        const char *text;
        enum token_grammar grammar;
        size_t from_begin, from_inside;
    } TABLE[] = {
        {"12345678901234567890x1", TOKEN_TEXT, 21, 21},
        {"1.2.3", TOKEN_TEXT, 4, 4},
        {"01", TOKEN_TEXT, 2, 2},
        {"01", TOKEN_JSON, 2, 2},
        {"-.5", TOKEN_JSON, 2, 2},
        {"5-5-5", TOKEN_TEXT, 2, 2},
        {"e5-5", TOKEN_TEXT, 1, 3},
        {"nity1", TOKEN_TEXT, 2, 5},
        {"", TOKEN_TEXT, 0, 0},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        prefix_states begin = prefix_begin(), inside = prefix_inside();
        size_t length = strlen(TABLE[i].text);

        CU_ASSERT_EQUAL(prefix_take(&begin, TABLE[i].grammar, TABLE[i].text, length),
                        TABLE[i].from_begin);
        CU_ASSERT_EQUAL(prefix_take(&inside, TABLE[i].grammar, TABLE[i].text, length),
                        TABLE[i].from_inside);
    }
}

static const struct unit_case CASES[] = {
    {"a prefix goes on exactly if the parser takes some end",
     a_prefix_goes_on_exactly_if_the_parser_takes_some_end},
    {"words go on to their last letter", words_go_on_to_their_last_letter},
    {"taking stops at the first byte that no number has there",
     taking_stops_at_the_first_byte_that_no_number_has_there},
};

UNIT_MAIN("prefix", CASES)
