/*
 * The product of integers: in one word while it fits, then as factors that wait to be multiplied
 * with their likes. Zero is a word as any other, and nothing can leave it.
 */
#include "op/op.h"

#include "base/memory.h"
#include "op/lanes.h"

#include <assert.h>
#include <string.h>

enum { CHECK_EVERY = 1 << 16 }; /* elements between two looks at the limit */

static void mark(struct partial *partial)
{
    partial->open = true;
    partial->has_elements = true;
}

static bool is_zero(const struct partial *partial)
{
    return !partial->is_big && !partial->factors && !partial->small;
}

static void make_zero(struct partial *partial)
{
    if (partial->is_big)
        mpz_clear(partial->big);
    partial->is_big = false;
    partial->small = 0;
    factors_free(&partial->factors);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* The factors of a partial that is not zero; all that it was so far is in them. */
static struct factors *factors_of(struct partial *partial)
{
    if (!partial->factors)
        factors_new(&partial->factors);
    if (partial->is_big) {
        factors_take(partial->factors, partial->big);
        mpz_clear(partial->big);
        partial->is_big = false;
    } else if (partial->small != 1) {
        factors_add_word(partial->factors, magnitude(partial->small));
        if (partial->small < 0)
            factors_negate(partial->factors);
    }
    partial->small = 1;
    return partial->factors;
}

static void times_word(struct partial *partial, uint64_t word, bool is_negative)
{
    struct factors *factors;

    if (is_zero(partial))
        return;
    if (!word) {
        make_zero(partial);
        return;
    }
    factors = factors_of(partial);
    factors_add_word(factors, word);
    if (is_negative)
        factors_negate(factors);
}

static void product_add_int(struct partial *partial, int64_t value)
{
    int64_t product;

    mark(partial);
    if (!partial->is_big && !partial->factors &&
        !__builtin_mul_overflow(partial->small, value, &product)) {
        partial->small = product;
        return;
    }
    times_word(partial, magnitude(value), value < 0);
}

static enum op_status product_add_big(struct partial *partial, const mpz_t value,
                                      uint64_t value_bytes_max)
{
    mpz_t factor;

    if (factors_is_longer(value, value_bytes_max))
        return OP_TOO_LARGE;
    mark(partial);
    if (is_zero(partial))
        return OP_OK;
    if (!mpz_sgn(value)) {
        make_zero(partial);
        return OP_OK;
    }
    mpz_init_set(factor, value);
    factors_take(factors_of(partial), factor);
    mpz_clear(factor);
    return factors_exceed(partial->factors, value_bytes_max) ? OP_TOO_LARGE : OP_OK;
}

static enum op_status product_add_float(struct partial *partial, double value)
{
    (void)partial;
    (void)value;
    return OP_FLOAT_REFUSED;
}

static void add_lane(struct partial *partial, enum lane lane, const void *element)
{
    uint64_t word;

    if (lane != LANE_U64) {
        product_add_int(partial, lanes_int(lane, element));
        return;
    }
    memcpy(&word, element, sizeof word);
    if (word <= INT64_MAX)
        product_add_int(partial, (int64_t)word);
    else
        times_word(partial, word, false);
}

static bool is_too_large(const struct partial *partial, uint64_t value_bytes_max)
{
    return partial->factors && factors_exceed(partial->factors, value_bytes_max);
}

static enum op_status product_add_lanes(struct partial *partial, enum lane lane,
                                        const void *elements, size_t count,
                                        uint64_t value_bytes_max)
{
    size_t width = lanes_bytes(lane);

    if (!count)
        return OP_OK;
    if (lane == LANE_F32 || lane == LANE_F64)
        return OP_FLOAT_REFUSED;
    mark(partial);
    for (size_t i = 0; i < count && !is_zero(partial); i++) {
        add_lane(partial, lane, (const char *)elements + i * width);
        if (i % CHECK_EVERY == CHECK_EVERY - 1 && is_too_large(partial, value_bytes_max))
            return OP_TOO_LARGE;
    }
    return is_too_large(partial, value_bytes_max) ? OP_TOO_LARGE : OP_OK;
}

/* Some element of the range is zero. */
static bool range_has_zero(const mpz_t begin, const mpz_t step, uint64_t count)
{
    mpz_t index;
    bool has_zero = !mpz_sgn(begin);

    if (has_zero || !mpz_sgn(step) || !mpz_divisible_p(begin, step))
        return has_zero;
    mpz_init(index);
    mpz_divexact(index, begin, step);
    mpz_neg(index, index);
    has_zero = mpz_sgn(index) > 0 && mpz_cmp_ui(index, count) < 0;
    mpz_clear(index);
    return has_zero;
}

/*
 * Bits that the product of a range without a zero is sure to need. At most two of its elements are
 * 1 or -1, unless all are; where it stays on one side of zero its smaller end bounds every element.
 */
static uint64_t range_bits(const mpz_t begin, const mpz_t step, const mpz_t last, uint64_t count)
{
    size_t smaller =
        mpz_cmpabs(begin, last) < 0 ? mpz_sizeinbase(begin, 2) : mpz_sizeinbase(last, 2);
    uint64_t bits;

    if (mpz_sgn(begin) == mpz_sgn(last) && smaller > 1)
        return __builtin_mul_overflow(count, smaller - 1, &bits) ? UINT64_MAX : bits;
    return mpz_sgn(step) && count > 2 ? count - 2 : 0;
}

static enum op_status times_big_range(struct partial *partial, const mpz_t begin, const mpz_t step,
                                      uint64_t count, uint64_t value_bytes_max)
{
    enum op_status status = OP_OK;
    mpz_t value;

    mpz_init_set(value, begin);
    for (uint64_t i = 0; i < count && status == OP_OK; i++) {
        status = product_add_big(partial, value, value_bytes_max);
        mpz_add(value, value, step);
    }
    mpz_clear(value);
    return status;
}

static enum op_status times_small_range(struct partial *partial, int64_t begin, int64_t step,
                                        uint64_t count, uint64_t value_bytes_max)
{
    uint64_t value = (uint64_t)begin;

    for (uint64_t i = 0; i < count; i++) {
        product_add_int(partial, (int64_t)value);
        value += (uint64_t)step;
        if (i % CHECK_EVERY == CHECK_EVERY - 1 && is_too_large(partial, value_bytes_max))
            return OP_TOO_LARGE;
    }
    return is_too_large(partial, value_bytes_max) ? OP_TOO_LARGE : OP_OK;
}

/* A range without a zero, times a partial that is not zero. */
static enum op_status times_range(struct partial *partial, const mpz_t begin, const mpz_t step,
                                  uint64_t count, uint64_t value_bytes_max)
{
    enum op_status status;
    mpz_t last;

    mpz_init_set(last, begin);
    mpz_addmul_ui(last, step, count - 1);
    if (range_bits(begin, step, last, count) > factors_bits_max(value_bytes_max))
        status = OP_TOO_LARGE;
    else if (mpz_fits_slong_p(begin) && mpz_fits_slong_p(last) && mpz_fits_slong_p(step))
        status =
            times_small_range(partial, mpz_get_si(begin), mpz_get_si(step), count, value_bytes_max);
    else
        status = times_big_range(partial, begin, step, count, value_bytes_max);
    mpz_clear(last);
    return status;
}

static enum op_status product_add_range(struct partial *partial, const mpz_t begin,
                                        const mpz_t step, uint64_t count, uint64_t value_bytes_max)
{
    if (!count)
        return OP_OK;
    if (factors_is_longer(begin, value_bytes_max) || factors_is_longer(step, value_bytes_max))
        return OP_TOO_LARGE;
    mark(partial);
    if (is_zero(partial))
        return OP_OK;
    if (!range_has_zero(begin, step, count))
        return times_range(partial, begin, step, count, value_bytes_max);
    make_zero(partial);
    return OP_OK;
}

static enum op_status product_settle(struct partial *partial, uint64_t value_bytes_max)
{
    mpz_t product;
    bool fits;

    if (!partial->factors)
        return OP_OK;
    factors_of(partial); /* the word beside them, too */
    mpz_init(product);
    fits = factors_multiply(partial->factors, product, value_bytes_max);
    factors_free(&partial->factors);
    *partial->big = *product;
    partial->is_big = true;
    partial->small = 0;
    partial_normalise(partial);
    return fits ? OP_OK : OP_TOO_LARGE;
}

/* Both settled, neither zero, and not both small enough for a word. */
static enum op_status times_partial(struct partial *left, struct partial *right,
                                    uint64_t value_bytes_max)
{
    bool fits;

    partial_make_big(left);
    partial_make_big(right);
    fits = factors_multiply_two(left->big, left->big, right->big, value_bytes_max);
    partial_normalise(left);
    return fits ? OP_OK : OP_TOO_LARGE;
}

static enum op_status join_elements(struct partial *left, struct partial *right,
                                    uint64_t value_bytes_max)
{
    enum op_status status = product_settle(left, value_bytes_max);

    mark(left);
    if (status == OP_OK)
        status = product_settle(right, value_bytes_max);
    if (status != OP_OK || is_zero(left))
        return status;
    if (!right->is_big) {
        product_add_int(left, right->small);
        return product_settle(left, value_bytes_max);
    }
    return times_partial(left, right, value_bytes_max);
}

static enum op_status product_join(struct partial *left, struct partial *right,
                                   uint64_t value_bytes_max)
{
    enum op_status status = OP_OK;

    left->open |= right->open;
    if (left->is_float || right->is_float)
        status = OP_FLOAT_REFUSED;
    else if (right->has_elements)
        status = join_elements(left, right, value_bytes_max);
    partial_clear(right);
    right->small = OP_PRODUCT_TABLE.identity;
    return status;
}

static void product_finish(struct partial *partial, enum element_type type, struct values *values)
{
    enum op_status status = product_settle(partial, UINT64_MAX);

    assert(status == OP_OK);
    if (!partial->open)
        return;
    if (type == ELEMENT_FLOAT) {
        partial_make_big(partial);
        values_append_float(values, exact_round(NULL, partial->big));
    } else {
        values_append_integer(values, partial);
    }
    partial_clear(partial);
    partial->small = OP_PRODUCT_TABLE.identity;
}

const struct op OP_PRODUCT_TABLE = {
    .kind = OP_PRODUCT,
    .name = "product",
    .identity = 1,
    .takes_floats = false,
    .add_int = product_add_int,
    .add_big = product_add_big,
    .add_float = product_add_float,
    .add_lanes = product_add_lanes,
    .add_range = product_add_range,
    .settle = product_settle,
    .join = product_join,
    .finish = product_finish,
};
