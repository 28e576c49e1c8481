/*
 * The product of integers: in one word while it fits, then as factors that wait to be multiplied
 * with their likes. Zero is a word as any other, and nothing can leave it.
 *
 * A product past the limit is not kept, but that it is one: only a zero, which may still come, can
 * bring it back. So "too large" depends on a sublist's elements alone, and is said when it closes.
 */
#include "op/op.h"

#include "base/memory.h"
#include "op/lanes.h"

#include <assert.h>
#include <string.h>

static void mark(struct partial *partial)
{
    partial->open = true;
    partial->has_elements = true;
}

static bool is_word(const struct partial *partial)
{
    return !partial->is_big && !partial->factors && !partial->is_too_large;
}

static bool is_zero(const struct partial *partial)
{
    return is_word(partial) && !partial->small;
}

static void make_word(struct partial *partial, int64_t value)
{
    if (partial->is_big)
        mpz_clear(partial->big);
    partial->is_big = false;
    partial->is_too_large = false;
    partial->small = value;
    factors_free(&partial->factors);
}

static void make_too_large(struct partial *partial)
{
    make_word(partial, 1);
    partial->is_too_large = true;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* The factors of a partial that is neither zero nor too large; all that it was so far is in them.
 */
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

static void times_word(struct partial *partial, uint64_t word, bool is_negative,
                       uint64_t value_bytes_max)
{
    struct factors *factors;

    if (!word)
        make_word(partial, 0);
    if (is_zero(partial) || partial->is_too_large)
        return;
    factors = factors_of(partial);
    if (is_negative)
        factors_negate(factors);
    if (factors_add_word(factors, word) && factors_exceed(factors, 0, value_bytes_max))
        make_too_large(partial);
}

static void product_add_int(struct partial *partial, int64_t value, uint64_t value_bytes_max)
{
    int64_t product;

    mark(partial);
    if (is_word(partial) && !__builtin_mul_overflow(partial->small, value, &product)) {
        partial->small = product;
        return;
    }
    times_word(partial, magnitude(value), value < 0, value_bytes_max);
}

/* Neither is zero; the value is left unspecified. */
static void times_big(struct partial *partial, mpz_t value, uint64_t value_bytes_max)
{
    struct factors *factors = factors_of(partial);

    if (factors_exceed(factors, mpz_sizeinbase(value, 2), value_bytes_max))
        make_too_large(partial);
    else
        factors_take(factors, value);
}

static enum op_status product_add_big(struct partial *partial, const mpz_t value,
                                      uint64_t value_bytes_max)
{
    mpz_t factor;

    if (factors_is_longer(value, value_bytes_max))
        return OP_TOO_LARGE;
    mark(partial);
    if (!mpz_sgn(value))
        make_word(partial, 0);
    if (is_zero(partial) || partial->is_too_large)
        return OP_OK;
    mpz_init_set(factor, value);
    times_big(partial, factor, value_bytes_max);
    mpz_clear(factor);
    return OP_OK;
}

static enum op_status product_add_float(struct partial *partial, double value)
{
    (void)partial;
    (void)value;
    return OP_FLOAT_REFUSED;
}

static void add_lane(struct partial *partial, enum lane lane, const void *element,
                     uint64_t value_bytes_max)
{
    uint64_t word;

    if (lane != LANE_U64) {
        product_add_int(partial, lanes_int(lane, element), value_bytes_max);
        return;
    }
    memcpy(&word, element, sizeof word);
    if (word <= INT64_MAX)
        product_add_int(partial, (int64_t)word, value_bytes_max);
    else
        times_word(partial, word, false, value_bytes_max);
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
    for (size_t i = 0; i < count && !is_zero(partial); i++)
        add_lane(partial, lane, (const char *)elements + i * width, value_bytes_max);
    return OP_OK;
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

/* The last element; count is not 0. `last` is initialised. */
static void range_last(mpz_t last, const mpz_t begin, const mpz_t step, uint64_t count)
{
    mpz_init_set(last, begin);
    mpz_addmul_ui(last, step, count - 1);
}

/* A range without a zero is certain to be too large. */
static bool range_exceeds(const mpz_t begin, const mpz_t step, uint64_t count,
                          uint64_t value_bytes_max)
{
    mpz_t last;
    uint64_t bits;

    range_last(last, begin, step, count);
    bits = range_bits(begin, step, last, count);
    mpz_clear(last);
    return bits > factors_bits_max(value_bytes_max);
}

static void times_big_range(struct partial *partial, const mpz_t begin, const mpz_t step,
                            uint64_t count, uint64_t value_bytes_max)
{
    mpz_t value;

    mpz_init_set(value, begin);
    for (uint64_t i = 0; i < count && !partial->is_too_large; i++) {
        product_add_big(partial, value, value_bytes_max);
        mpz_add(value, value, step);
    }
    mpz_clear(value);
}

static void times_small_range(struct partial *partial, int64_t begin, int64_t step, uint64_t count,
                              uint64_t value_bytes_max)
{
    uint64_t value = (uint64_t)begin;

    for (uint64_t i = 0; i < count && !partial->is_too_large; i++) {
        product_add_int(partial, (int64_t)value, value_bytes_max);
        value += (uint64_t)step;
    }
}

static bool fits_words(const mpz_t begin, const mpz_t step, uint64_t count)
{
    mpz_t last;
    bool fits;

    range_last(last, begin, step, count);
    fits = mpz_fits_slong_p(begin) && mpz_fits_slong_p(last) && mpz_fits_slong_p(step);
    mpz_clear(last);
    return fits;
}

/* A range without a zero, times a partial that is neither zero nor too large. */
static void times_range(struct partial *partial, const mpz_t begin, const mpz_t step,
                        uint64_t count, uint64_t value_bytes_max)
{
    if (range_exceeds(begin, step, count, value_bytes_max))
        make_too_large(partial);
    else if (fits_words(begin, step, count))
        times_small_range(partial, mpz_get_si(begin), mpz_get_si(step), count, value_bytes_max);
    else
        times_big_range(partial, begin, step, count, value_bytes_max);
}

static bool ends_are_longer(const mpz_t begin, const mpz_t step, uint64_t count,
                            uint64_t value_bytes_max)
{
    mpz_t last;
    bool longer;

    range_last(last, begin, step, count);
    longer = factors_is_longer(begin, value_bytes_max) || factors_is_longer(last, value_bytes_max);
    mpz_clear(last);
    return longer;
}

static enum op_status product_add_range(struct partial *partial, const mpz_t begin,
                                        const mpz_t step, uint64_t count, uint64_t value_bytes_max)
{
    if (!count)
        return OP_OK;
    if (ends_are_longer(begin, step, count, value_bytes_max))
        return OP_TOO_LARGE;
    mark(partial);
    if (range_has_zero(begin, step, count))
        make_word(partial, 0);
    if (!is_zero(partial) && !partial->is_too_large)
        times_range(partial, begin, step, count, value_bytes_max);
    return OP_OK;
}

static bool product_range_decides(const mpz_t begin, const mpz_t step, uint64_t count,
                                  uint64_t value_bytes_max)
{
    return count && (range_has_zero(begin, step, count) ||
                     range_exceeds(begin, step, count, value_bytes_max));
}

static void product_settle(struct partial *partial, uint64_t value_bytes_max)
{
    mpz_t product;

    if (!partial->factors)
        return;
    factors_of(partial); /* the word beside them, too */
    mpz_init(product);
    if (!factors_multiply(partial->factors, product, value_bytes_max)) {
        mpz_clear(product);
        make_too_large(partial);
        return;
    }
    factors_free(&partial->factors);
    *partial->big = *product;
    partial->is_big = true;
    partial->small = 0;
    partial_normalise(partial);
}

/* Both settled, neither zero nor too large. */
static void times_partial(struct partial *left, struct partial *right, uint64_t value_bytes_max)
{
    partial_make_big(left);
    partial_make_big(right);
    if (factors_multiply_two(left->big, left->big, right->big, value_bytes_max))
        partial_normalise(left);
    else
        make_too_large(left);
}

static void join_elements(struct partial *left, struct partial *right, uint64_t value_bytes_max)
{
    mark(left);
    product_settle(left, value_bytes_max);
    product_settle(right, value_bytes_max);
    if (is_zero(right))
        make_word(left, 0);
    if (is_zero(left) || left->is_too_large)
        return;
    if (right->is_too_large)
        make_too_large(left);
    else
        times_partial(left, right, value_bytes_max);
}

static enum op_status product_join(struct partial *left, struct partial *right,
                                   uint64_t value_bytes_max)
{
    enum op_status status = OP_OK;

    left->open |= right->open;
    if (left->is_float || right->is_float)
        status = OP_FLOAT_REFUSED;
    else if (right->has_elements)
        join_elements(left, right, value_bytes_max);
    partial_clear(right);
    right->small = OP_PRODUCT_TABLE.identity;
    return status;
}

static void append_value(struct partial *partial, enum element_type type, struct values *values)
{
    if (type == ELEMENT_FLOAT) {
        partial_make_big(partial);
        values_append_float(values, exact_round(NULL, partial->big));
    } else {
        values_append_integer(values, partial);
    }
}

static enum op_status product_finish(struct partial *partial, enum element_type type,
                                     uint64_t value_bytes_max, struct values *values)
{
    enum op_status status = OP_OK;

    product_settle(partial, value_bytes_max);
    if (!partial->open)
        return OP_OK;
    if (partial->is_too_large)
        status = OP_TOO_LARGE;
    else
        append_value(partial, type, values);
    partial_clear(partial);
    partial->small = OP_PRODUCT_TABLE.identity;
    return status;
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
    .range_decides = product_range_decides,
    .settle = product_settle,
    .join = product_join,
    .finish = product_finish,
};
