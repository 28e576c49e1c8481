#include "number/format.h"
#include "number/values.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values as text, a space behind each: what the runs mean, whatever they are. */
static void describe(const struct values *values, struct bytes *out)
{
    struct reader in = reader_of(values->packed.data, values->packed.length);
    struct values_run run;

    while (values_next_run(&in, &run)) {
        uint64_t repeats = run.kind == VALUES_TEXT ? 1 : run.count;

        for (uint64_t i = 0; i < repeats; i++) {
            char text[FORMAT_NUMBER_BYTES];
            struct reader at = reader_of(run.payload, run.payload_bytes);
            uint64_t bits;
            double real;

            if (run.kind == VALUES_TEXT) {
                bytes_append(out, run.payload, run.payload_bytes);
            } else {
                reader_take(&at, values_is_same(run.kind) ? 0 : 8 * i);
                bits = reader_u64(&at);
                memcpy(&real, &bits, sizeof real);
                bytes_append(out, text,
                             values_is_float(run.kind) ? format_float(text, real)
                                                       : format_int(text, (int64_t)bits));
            }
            bytes_append_byte(out, ' ');
        }
    }
    CU_ASSERT_FALSE(in.failed);
    bytes_append_byte(out, 0);
}

/* i 5: an int; f 5: 5.5; s 5 7: seven fives; t 5: a five and nineteen zeros. */
static void append(struct values *values, char kind, int value, struct bytes *expected)
{
    char text[64];
    int repeats = 1;

    if (kind == 'i') {
        values_append_int(values, value);
        snprintf(text, sizeof text, "%d ", value);
    } else if (kind == 'f') {
        values_append_float(values, value + 0.5);
        snprintf(text, sizeof text, "%d.5 ", value);
    } else if (kind == 's') {
        repeats = value % 7;
        values_append_same(values, value % 2, (uint64_t)repeats);
        snprintf(text, sizeof text, "%d ", value % 2);
    } else {
        snprintf(text, sizeof text, "%d0000000000000000000 ", value + 1);
        values_append_text(values, text, strlen(text) - 1);
    }
    while (repeats--)
        bytes_append(expected, text, strlen(text));
}

static void check_meaning(const struct values *values, struct bytes *expected)
{
    struct bytes found = {0};
    uint64_t count;

    bytes_append_byte(expected, 0);
    describe(values, &found);
    CU_ASSERT_STRING_EQUAL((char *)found.data, (char *)expected->data);
    CU_ASSERT(values_check(values->packed.data, values->packed.length, &count));
    CU_ASSERT_EQUAL(count, values->count);
    bytes_clear(&found);
}

static void append_randomly(struct values *values, struct bytes *expected)
{
    int length = rand() % 12;

    for (int i = 0; i < length; i++)
        append(values, "iiiiiiifst"[rand() % 10], rand() % 2 ? 1 : rand() % 8, expected);
}

static void any_appends_and_concatenations_keep_every_value_in_order(void)
{
    srand(1);
    for (int round = 0; round < 3000; round++) {
        struct values left = {0}, right = {0};
        struct bytes expected = {0};

        for (int i = rand() % 4; i >= 0; i--) {
            append_randomly(&left, &expected);
            append_randomly(&right, &expected);
            if (rand() % 3 == 0) /* as after decoding */
                right.last_run = right.packed.length;
            values_concat(&left, &right);
            CU_ASSERT_EQUAL(right.count, 0);
            CU_ASSERT_EQUAL(right.packed.length, 0);
        }
        append_randomly(&left, &expected);
        check_meaning(&left, &expected);
        values_clear(&left);
        bytes_clear(&expected);
    }
}

static void equal_values_cost_nothing(void)
{
    struct values all = {0}, piece = {0};

    for (int i = 0; i < 100000; i++)
        values_append_int(&all, 0);
    CU_ASSERT_EQUAL(all.packed.length, 17);
    for (int i = 0; i < 1000; i++) {
        values_append_same(&piece, 0, UINT64_C(1) << 40);
        values_concat(&all, &piece);
    }
    CU_ASSERT_EQUAL(all.packed.length, 17);
    CU_ASSERT_EQUAL(all.count, 100000 + 1000 * (UINT64_C(1) << 40));
    values_clear(&all);
}

static void many_small_pieces_are_as_short_as_one(void)
{
    struct values all = {0}, piece = {0};

    for (int i = 0; i < 1000; i++) {
        values_append_int(&piece, i);
        values_concat(&all, &piece);
    }
    CU_ASSERT_EQUAL(all.packed.length, 9 + 8 * 1000);
    values_clear(&all);
}

static void malformed_encodings_are_refused(void)
{
    static const struct {
        size_t length;
        uint8_t bytes[32];
    } TABLE[] = {
        {1, {1}},                                                  /* cut off in the header */
        {9, {1, 1}},                                               /* no payload */
        {16, {1, 1}},                                              /* half of one */
        {9, {1, 0}},                                               /* a run of nothing */
        {17, {0, 1}},                                              /* no such kinds */
        {17, {6, 1}},                                              /**/
        {17, {1, 1, 0, 0, 0, 0, 0, 0, 0x20}},                      /* 8 * count wraps */
        {17, {4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, /* text past the end */
        {10, {4, 1, 0, 0, 0, 0, 0, 0, 0, '5'}},                    /* text that fits a word */
        {28, {4, 19, 0, 0, 0, 0, 0, 0, 0, '0', '1'}}, /* leading zero, then no digits */
        {18, {3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}}, /* a byte too many */
    };
    uint8_t twice[34] = {3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint64_t count;

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        CU_ASSERT_FALSE(values_check(TABLE[i].bytes, TABLE[i].length, &count));
    CU_ASSERT(values_check(twice, 17, &count));
    memcpy(twice + 17, twice, 17);
    CU_ASSERT_FALSE(values_check(twice, 34, &count)); /* the count wraps */
    CU_ASSERT(values_check(NULL, 0, &count));
    CU_ASSERT_EQUAL(count, 0);
}

static const struct unit_case CASES[] = {
    {"any appends and concatenations keep every value in order",
     any_appends_and_concatenations_keep_every_value_in_order},
    {"equal values cost nothing", equal_values_cost_nothing},
    {"many small pieces are as short as one", many_small_pieces_are_as_short_as_one},
    {"malformed encodings are refused", malformed_encodings_are_refused},
};

UNIT_MAIN("values", CASES)
