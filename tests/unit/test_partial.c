#include "number/partial.h"
#include "op/op.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct bytes encoded(const struct partial *partial)
{
    struct bytes out = {0};

    partial_encode(partial, &out);
    return out;
}

/* Decoding gives the same partial: the same bytes again, and nothing left over. */
static void check_round_trip(const struct partial *partial, int64_t identity)
{
    struct bytes once = encoded(partial), twice;
    struct reader in = reader_of(once.data, once.length);
    struct partial copy;

    partial_init(&copy, identity);
    CU_ASSERT(partial_decode(&copy, identity, &in));
    CU_ASSERT_EQUAL(reader_left(&in), 0);
    CU_ASSERT_EQUAL(copy.open, partial->open);
    CU_ASSERT_EQUAL(copy.has_elements, partial->has_elements);
    CU_ASSERT_EQUAL(copy.is_float, partial->is_float);
    CU_ASSERT_EQUAL(copy.is_negative_zero, partial->is_negative_zero);
    CU_ASSERT_EQUAL(copy.is_too_large, partial->is_too_large);
    CU_ASSERT_EQUAL(partial_weight(&copy), partial_weight(partial));
    twice = encoded(&copy);
    CU_ASSERT_EQUAL_FATAL(once.length, twice.length);
    CU_ASSERT(!memcmp(once.data, twice.data, once.length));
    partial_clear(&copy);
    bytes_clear(&once);
    bytes_clear(&twice);
}

static void check_cut_off(const struct partial *partial)
{
    struct bytes bytes = encoded(partial);
    struct partial copy;

    partial_init(&copy, 0);
    for (size_t length = 0; length < bytes.length; length++) {
        uint8_t *part = malloc(length + 1);
        struct reader in = reader_of(part, length);

        memcpy(part, bytes.data, length);
        CU_ASSERT_FALSE(partial_decode(&copy, 7, &in));
        CU_ASSERT(!copy.open && !copy.is_big && !copy.exact && copy.small == 7);
        free(part);
    }
    bytes_clear(&bytes);
}

static void set(struct partial *partial, const char *integer, double real, bool is_float)
{
    partial_clear(partial);
    partial->open = true;
    if (!integer)
        return;
    OP_SUM_TABLE.add_int(partial, 0, UINT64_MAX);
    partial_make_big(partial);
    mpz_set_str(partial->big, integer, 10);
    if (is_float)
        OP_SUM_TABLE.add_float(partial, real);
    OP_SUM_TABLE.settle(partial, UINT64_MAX);
}

static void every_kind_survives_the_wire(void)
{
    static const struct {
        const char *integer;
        double real;
        bool is_float;
        size_t weight;
    } TABLE[] = {
        {NULL, 0, false, 0},
        {"0", 0, false, 0},
        {"-1", 0, false, 0},
        {"9223372036854775807", 0, false, 0},
        {"-9223372036854775808", 0, false, 0},
        {"9223372036854775808", 0, false, 8},
        {"-9223372036854775809", 0.1, true, 8},
        {"-340282366920938463463374607431768211456", 0, false, 24},
        {"5", -1e300, true, 0},
        {"5", HUGE_VAL, true, 0},
        {"0", 0.0, true, 0},
    };
    struct partial partial;

    partial_init(&partial, 0);
    check_round_trip(&partial, 0);
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        set(&partial, TABLE[i].integer, TABLE[i].real, TABLE[i].is_float);
        CU_ASSERT_EQUAL(partial_weight(&partial), TABLE[i].weight);
        check_round_trip(&partial, 0);
        check_cut_off(&partial);
    }
    partial_clear(&partial);
    OP_SUM_TABLE.add_float(&partial, -0.0);
    CU_ASSERT(partial.is_negative_zero);
    check_round_trip(&partial, 0);
    partial_clear(&partial);
    partial_init(&partial, 1);
    check_round_trip(&partial, 1);
    for (int i = 0; i < 40; i++)
        OP_PRODUCT_TABLE.add_int(&partial, -3, 8);
    OP_PRODUCT_TABLE.add_int(&partial, INT64_MAX, 8);
    OP_PRODUCT_TABLE.settle(&partial, 8);
    CU_ASSERT(partial.is_too_large && !partial.is_big && !partial.factors);
    check_round_trip(&partial, 1);
    check_cut_off(&partial);
    OP_PRODUCT_TABLE.add_int(&partial, 0, 8);
    CU_ASSERT(!partial.is_too_large && !partial.small);
    check_round_trip(&partial, 1);
    partial_clear(&partial);
}

/* Any bytes: refused, or a partial that encodes to exactly these bytes. */
static void random_bytes_are_refused_or_canonical(void)
{
    uint8_t bytes[40];
    struct partial partial;

    srand(1);
    partial_init(&partial, 0);
    for (int round = 0; round < 300000; round++) {
        size_t length = (size_t)rand() % sizeof bytes;
        struct reader in = reader_of(bytes, length);

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand() % 3 ? rand() % 9 : rand());
        if (rand() % 2)
            memset(bytes + 2, 0, 7);
        if (partial_decode(&partial, 0, &in)) {
            struct bytes again = encoded(&partial);

            CU_ASSERT_EQUAL_FATAL(again.length, length - reader_left(&in));
            CU_ASSERT(!memcmp(again.data, bytes, again.length));
            bytes_clear(&again);
        }
    }
    partial_clear(&partial);
}

static void moving_leaves_a_void_partial(void)
{
    struct partial from, to;

    partial_init(&from, 1);
    partial_init(&to, 1);
    set(&to, "77777777777777777777777", 0.5, true);
    set(&from, "99999999999999999999999", 1.5, true);
    partial_move(&to, &from, 1);
    CU_ASSERT(!from.open && !from.is_big && !from.exact && from.small == 1);
    CU_ASSERT(to.open && to.is_big && to.exact);
    partial_clear(&to);
    CU_ASSERT(!to.open && !to.is_big && !to.exact && to.small == 0);
    partial_clear(&from);
}

static const struct unit_case CASES[] = {
    {"every kind survives the wire", every_kind_survives_the_wire},
    {"random bytes are refused or canonical", random_bytes_are_refused_or_canonical},
    {"moving leaves a void partial", moving_leaves_a_void_partial},
};

UNIT_MAIN("partial", CASES)
