/* What may be shown of a name, and how the rest is written. */
#include "base/plain.h"
#include "unit.h"

#include <string.h>

static void is_shown_as(const char *from, size_t length, const char *expected)
{
    char text[128];
    size_t got = plain_text(text, sizeof text, from, length);

    CU_ASSERT_EQUAL(got, strlen(expected));
    CU_ASSERT(!memcmp(text, expected, got));
}

#define SHOWN(from, expected) is_shown_as(from, sizeof from - 1, expected)

static void ordinary_text_stays_as_it_is(void)
{
    SHOWN("", "");
    SHOWN("a 'name' \"of\" \\ a $file~", "a 'name' \"of\" \\ a $file~");
    SHOWN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xbe",
          "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xbe");
}

static void control_characters_are_written_out(void)
{
    SHOWN("a\nb\tc\rd", "a\\nb\\tc\\rd");
    SHOWN("\x1b[31m\x7f\0.", "\\x1b[31m\\x7f\\x00.");
    SHOWN("\xc2\x9b"
          "31m \xc2\xa0",
          "\\xc2\\x9b31m \xc2\xa0"); /* CSI in one character */
}

static void bytes_that_are_no_utf8_are_written_out(void)
{
    SHOWN("\xff\x80", "\\xff\\x80");
    SHOWN("\xc0\xaf", "\\xc0\\xaf");
    SHOWN("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
    SHOWN("\xed\xa0\x80", "\\xed\\xa0\\x80");
    SHOWN("\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80");
    SHOWN("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    SHOWN("a\xc3", "a\\xc3");
    SHOWN("\xe2\x82x", "\\xe2\\x82x");
}

static void it_ends_between_two_characters(void)
{
    char text[8];

    CU_ASSERT_EQUAL(plain_text(text, 7, "123456\xc3\xbc", 8), 6);
    CU_ASSERT_EQUAL(plain_text(text, 8, "12345\x1b", 6), 5);
    CU_ASSERT_EQUAL(plain_text(text, 0, "1", 1), 0);
}

static const struct unit_case CASES[] = {
    {"ordinary text stays as it is", ordinary_text_stays_as_it_is},
    {"control characters are written out", control_characters_are_written_out},
    {"bytes that are no UTF-8 are written out", bytes_that_are_no_utf8_are_written_out},
    {"it ends between two characters", it_ends_between_two_characters},
};
UNIT_MAIN("plain text", CASES)
