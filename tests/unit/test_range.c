#include "folded.h"
#include "unit.h"

static void check_range(const struct op *op, const char *first, const char *second, uint64_t count)
{
    struct partial range, single;
    char *found, *expected;
    mpz_t begin, step, value;

    mpz_init_set_str(begin, first, 10);
    mpz_init_set_str(step, second, 10);
    mpz_init_set(value, begin);
    partial_init(&range, op->identity);
    partial_init(&single, op->identity);
    op->add_int(&range, -3, NO_LIMIT);
    op->add_int(&single, -3, NO_LIMIT);
    CU_ASSERT_EQUAL(op->add_range(&range, begin, step, count, NO_LIMIT), OP_OK);
    for (uint64_t i = 0; i < count; i++, mpz_add(value, value, step))
        op->add_big(&single, value, NO_LIMIT);
    op->settle(&range, NO_LIMIT);
    op->settle(&single, NO_LIMIT);
    found = finished(op, &range, ELEMENT_AUTO);
    expected = finished(op, &single, ELEMENT_AUTO);
    CU_ASSERT_STRING_EQUAL(found, expected);
    free(found);
    free(expected);
    mpz_clears(begin, step, value, NULL);
}

static void ranges_are_their_elements_added_one_by_one(void)
{
    static const struct {
        const char *begin, *step;
        uint64_t count;
    } TABLE[] = {
        {"1", "1", 0},
        {"1", "1", 1},
        {"1", "1", 100},
        {"-10", "1", 10},
        {"-10", "1", 11},
        {"-10", "3", 20},
        {"10", "-5", 3},
        {"10", "-5", 2},
        {"-1", "2", 2},
        {"7", "0", 5},
        {"0", "0", 3},
        {"-1", "0", 1001},
        {"9223372036854775800", "1", 20},
        {"-9223372036854775808", "9223372036854775807", 3},
        {"-9223372036854775800", "-3", 4},
        {"123456789012345678901234567890", "-98765432109876543210", 2000},
        {"-100000000000000000000", "50000000000000000000", 5},
        {"1", "1", 5000},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        check_range(&OP_SUM_TABLE, TABLE[i].begin, TABLE[i].step, TABLE[i].count);
        check_range(&OP_PRODUCT_TABLE, TABLE[i].begin, TABLE[i].step, TABLE[i].count);
    }
}

static enum op_status range_status(const struct op *op, const char *first, uint64_t count,
                                   uint64_t value_bytes_max)
{
    struct values values = {0};
    struct partial partial;
    enum op_status status;
    mpz_t begin, step;

    mpz_init_set_str(begin, first, 10);
    mpz_init_set_si(step, 1);
    partial_init(&partial, op->identity);
    status = op->add_range(&partial, begin, step, count, value_bytes_max);
    if (status == OP_OK)
        status = op->finish(&partial, ELEMENT_AUTO, value_bytes_max, &values);
    values_clear(&values);
    partial_clear(&partial);
    mpz_clears(begin, step, NULL);
    return status;
}

static void ranges_without_end_are_refused_or_summed_at_once(void)
{
    CU_ASSERT_EQUAL(range_status(&OP_SUM_TABLE, "-5", INT64_MAX, 100), OP_OK);
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "-5", INT64_MAX, 100), OP_OK); /* zero */
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "1", INT64_MAX, 1 << 30), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "1", INT64_MAX, NO_LIMIT), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "1000000", INT64_MAX, 1 << 30), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "1", 1000, 1067), OP_OK); /* 8530 bits */
    CU_ASSERT_EQUAL(range_status(&OP_PRODUCT_TABLE, "1", 1000, 1066), OP_TOO_LARGE);
}

static enum op_status join_status(const struct op *op, unsigned left_bits, unsigned right_bits,
                                  uint64_t value_bytes_max)
{
    struct values values = {0};
    struct partial left, right;
    enum op_status status;
    mpz_t value;

    mpz_init(value);
    partial_init(&left, op->identity);
    partial_init(&right, op->identity);
    mpz_setbit(value, left_bits - 1);
    status = op->add_big(&left, value, value_bytes_max);
    mpz_set_ui(value, 0);
    mpz_setbit(value, right_bits - 1);
    if (status == OP_OK)
        status = op->add_big(&right, value, value_bytes_max);
    if (status == OP_OK)
        status = op->join(&left, &right, value_bytes_max);
    if (status == OP_OK)
        status = op->finish(&left, ELEMENT_AUTO, value_bytes_max, &values);
    values_clear(&values);
    partial_clear(&left);
    partial_clear(&right);
    mpz_clear(value);
    return status;
}

static void values_past_the_limit_are_refused(void)
{
    const struct op *sum = &OP_SUM_TABLE, *product = &OP_PRODUCT_TABLE;

    CU_ASSERT_EQUAL(join_status(sum, 799, 799, 100), OP_OK);
    CU_ASSERT_EQUAL(join_status(sum, 800, 800, 100), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(join_status(sum, 1, 801, 100), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(join_status(product, 400, 401, 100), OP_OK); /* 800 bits */
    CU_ASSERT_EQUAL(join_status(product, 401, 401, 100), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(join_status(product, 2, 800, 100), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(join_status(product, 2, 801, 100), OP_TOO_LARGE);
    CU_ASSERT_EQUAL(join_status(product, 1, 800, 100), OP_OK);
}

static void factorials_are_gmps(void)
{
    struct partial partial;
    mpz_t begin, step, expected;

    mpz_init_set_si(begin, 1);
    mpz_init_set_si(step, 1);
    mpz_init(expected);
    partial_init(&partial, 1);
    OP_PRODUCT_TABLE.add_range(&partial, begin, step, 100000, NO_LIMIT);
    OP_PRODUCT_TABLE.settle(&partial, NO_LIMIT);
    mpz_fac_ui(expected, 100000);
    CU_ASSERT_FATAL(partial.is_big);
    CU_ASSERT(!mpz_cmp(partial.big, expected));
    partial_clear(&partial);
    mpz_clears(begin, step, expected, NULL);
}

static const struct unit_case CASES[] = {
    {"ranges are their elements added one by one", ranges_are_their_elements_added_one_by_one},
    {"ranges without end are refused or summed at once",
     ranges_without_end_are_refused_or_summed_at_once},
    {"values past the limit are refused", values_past_the_limit_are_refused},
    {"factorials are GMP's", factorials_are_gmps},
};

UNIT_MAIN("range", CASES)
