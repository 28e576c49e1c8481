#include "folded.h"
#include "unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LANES = 5000, LANE_TEXT = 64 };

/* One element of a lane as text. */
static void print_lane(char *text, enum lane lane, const char *at)
{
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
    } value;

    memcpy(&value, at, sizeof value);
    switch (lane) {
    case LANE_I8:
        snprintf(text, LANE_TEXT, "%d", value.i8);
        return;
    case LANE_U8:
        snprintf(text, LANE_TEXT, "%d", value.u8);
        return;
    case LANE_I16:
        snprintf(text, LANE_TEXT, "%d", value.i16);
        return;
    case LANE_U16:
        snprintf(text, LANE_TEXT, "%d", value.u16);
        return;
    case LANE_I32:
        snprintf(text, LANE_TEXT, "%" PRId32, value.i32);
        return;
    case LANE_U32:
        snprintf(text, LANE_TEXT, "%" PRIu32, value.u32);
        return;
    case LANE_I64:
        snprintf(text, LANE_TEXT, "%" PRId64, value.i64);
        return;
    case LANE_U64:
        snprintf(text, LANE_TEXT, "%" PRIu64, value.u64);
        return;
    case LANE_F32:
        snprintf(text, LANE_TEXT, "%.17e", (double)value.f32);
        return;
    case LANE_F64:
        snprintf(text, LANE_TEXT, "%.17e", value.f64);
        return;
    }
}

static const size_t WIDTH[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

/* Bytes for lanes: random, extreme (all ones, top bit), small, or minus zeros. */
static void fill(char *bytes, size_t length, int kind, size_t width)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)rand();
    for (size_t i = 0; kind && i + width <= length; i += width) {
        if (kind == 1 || kind == 3)
            memset(bytes + i, kind == 1 ? -1 : 0, width);
        if (kind == 2)
            memset(bytes + i + 1, 0, width - 1);
        if (kind == 3 || (kind == 1 && width > 4))
            bytes[i + width - 1] = (char)(kind == 3 ? -128 : rand() % 2 ? 127 : -128);
    }
}

static void check_lanes(const struct op *op, enum lane lane, const char *at, size_t count)
{
    struct partial lanes, single;
    char text[LANE_TEXT], *found, *expected;

    partial_init(&lanes, op->identity);
    partial_init(&single, op->identity);
    CU_ASSERT_EQUAL(op->add_lanes(&lanes, lane, at, count, NO_LIMIT), OP_OK);
    for (size_t i = 0; i < count; i++) {
        print_lane(text, lane, at + i * WIDTH[lane]);
        add_token(op, &single, text);
    }
    op->settle(&lanes, NO_LIMIT);
    op->settle(&single, NO_LIMIT);
    if (lanes.is_float != single.is_float || lanes.is_negative_zero != single.is_negative_zero)
        CU_FAIL("the flags differ");
    found = finished(op, &lanes, ELEMENT_AUTO);
    expected = finished(op, &single, ELEMENT_AUTO);
    CU_ASSERT_STRING_EQUAL(found, expected);
    free(found);
    free(expected);
}

/* Elements that begin anywhere, as in a file after a header of any length. */
static void check_count(enum lane lane, size_t count, int kind)
{
    static char bytes[8 * LANES + 16];
    size_t offset = (size_t)rand() % 8;

    fill(bytes + offset, WIDTH[lane] * count, kind, WIDTH[lane]);
    check_lanes(&OP_SUM_TABLE, lane, bytes + offset, count);
    if (lane < LANE_F32 && count <= 1000)
        check_lanes(&OP_PRODUCT_TABLE, lane, bytes + offset, count);
}

static void lanes_are_their_elements_added_one_by_one(void)
{
    static const size_t COUNTS[] = {0,  1,  2,  3,  4,   5,    8,    15,
                                    17, 31, 32, 33, 100, 1000, 4096, LANES};

    srand(1);
    for (enum lane lane = LANE_I8; lane <= LANE_F64; lane++)
        for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++)
            for (int kind = 0; kind < 4; kind++)
                check_count(lane, COUNTS[i], kind);
}

/* Rows as they come: nearly always sums of a few doubles that two words can hold. */
static void short_rows_of_doubles_are_exact(void)
{
    double row[48];

    srand(2);
    for (int round = 0; round < 4000; round++) {
        size_t count = 1 + (size_t)rand() % 40;

        for (size_t i = 0; i < count; i++) {
            row[i] = (rand() - RAND_MAX / 2) * (rand() % 3 ? 1e-3 : 1.0);
            if (round % 3 == 1)
                row[i] = ldexp(row[i], rand() % (round % 200 + 1));
            if (round % 3 == 2)
                row[i] = rand() % 4 ? i % 2 ? -row[i - 1] : row[i] : rand() % 2 ? -0.0 : 0.0;
        }
        if (round % 50 == 0)
            row[(size_t)rand() % count] = rand() % 2 ? HUGE_VAL : 0x1.fffffffffffffp1023;
        check_lanes(&OP_SUM_TABLE, LANE_F64, (const char *)row, count);
    }
}

static void wide_sums_of_lanes_do_not_wrap(void)
{
    enum { COUNT = 3 << 20 };
    int64_t *lowest = malloc(COUNT * sizeof *lowest);
    struct partial partial;
    char *text;

    partial_init(&partial, 0);
    for (int i = 0; i < COUNT; i++)
        lowest[i] = INT64_MIN;
    OP_SUM_TABLE.add_lanes(&partial, LANE_I64, lowest, COUNT, NO_LIMIT);
    OP_SUM_TABLE.add_lanes(&partial, LANE_I64, lowest, COUNT, NO_LIMIT);
    text = finished(&OP_SUM_TABLE, &partial, ELEMENT_AUTO);
    CU_ASSERT_STRING_EQUAL(text, "-58028439341502200385896448"); /* -6 * 2^20 * 2^63 */
    free(text);
    OP_SUM_TABLE.add_lanes(&partial, LANE_U64, lowest, COUNT, NO_LIMIT);
    text = finished(&OP_SUM_TABLE, &partial, ELEMENT_AUTO);
    CU_ASSERT_STRING_EQUAL(text, "29014219670751100192948224");
    free(text);
    free(lowest);
}

static const struct unit_case CASES[] = {
    {"lanes are their elements added one by one", lanes_are_their_elements_added_one_by_one},
    {"short rows of doubles are exact", short_rows_of_doubles_are_exact},
    {"wide sums of lanes do not wrap", wide_sums_of_lanes_do_not_wrap},
};

UNIT_MAIN("lanes", CASES)
