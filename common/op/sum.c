/*
 * The sum: an integer part and a float part side by side, both exact, added and rounded only when
 * the sublist is closed. So an int among floats counts with its exact value, and no intermediate
 * result can overflow or lose a bit.
 */
#include "op/op.h"

#include "base/memory.h"
#include "op/lanes.h"

#include <assert.h>
#include <math.h>

static void open_with(struct partial *partial, bool is_negative_zero)
{
    partial->is_negative_zero =
        is_negative_zero && (!partial->has_elements || partial->is_negative_zero);
    partial->open = true;
    partial->has_elements = true;
}

static void add_word(struct partial *partial, int64_t value)
{
    if (!partial->is_big && !__builtin_add_overflow(partial->small, value, &partial->small))
        return;
    if (!partial->is_big) {
        /* The builtin stored the wrapped sum: take the value off again. */
        partial->small = (int64_t)((uint64_t)partial->small - (uint64_t)value);
        partial_make_big(partial);
    }
    if (value < 0)
        mpz_sub_ui(partial->big, partial->big, -(uint64_t)value);
    else
        mpz_add_ui(partial->big, partial->big, (uint64_t)value);
}

static void sum_add_int(struct partial *partial, int64_t value, uint64_t value_bytes_max)
{
    (void)value_bytes_max;
    open_with(partial, false);
    add_word(partial, value);
}

/* A sum of elements within the limit is never more than eight bytes longer: only when it is closed
 * is it looked at. */
static enum op_status sum_add_big(struct partial *partial, const mpz_t value,
                                  uint64_t value_bytes_max)
{
    if (factors_is_longer(value, value_bytes_max))
        return OP_TOO_LARGE;
    open_with(partial, false);
    partial_make_big(partial);
    mpz_add(partial->big, partial->big, value);
    return OP_OK;
}

static struct exact *exact_of(struct partial *partial)
{
    if (!partial->exact)
        partial->exact = memory_new(sizeof *partial->exact);
    return partial->exact;
}

static enum op_status sum_add_float(struct partial *partial, double value)
{
    open_with(partial, value == 0.0 && signbit(value));
    partial->is_float = true;
    if (value != 0.0)
        exact_add(exact_of(partial), value);
    return OP_OK;
}

static void add_wide(struct partial *partial, __int128 value)
{
    mpz_t high;

    if (value >= INT64_MIN && value <= INT64_MAX) {
        add_word(partial, (int64_t)value);
        return;
    }
    partial_make_big(partial);
    mpz_init_set_si(high, (int64_t)(value >> 64));
    mpz_mul_2exp(high, high, 64);
    mpz_add(partial->big, partial->big, high);
    mpz_add_ui(partial->big, partial->big, (uint64_t)value);
    mpz_clear(high);
}

static void add_float_lanes(struct partial *partial, enum lane lane, const void *elements,
                            size_t count)
{
    open_with(partial, lanes_are_negative_zero(lane, elements, count));
    partial->is_float = true;
    if (!partial->is_negative_zero)
        lanes_sum_floats(exact_of(partial), lane, elements, count);
}

static enum op_status sum_add_lanes(struct partial *partial, enum lane lane, const void *elements,
                                    size_t count, uint64_t value_bytes_max)
{
    (void)value_bytes_max; /* a sum of words needs no more than two */
    if (!count)
        return OP_OK;
    if (lane == LANE_F32 || lane == LANE_F64) {
        add_float_lanes(partial, lane, elements, count);
        return OP_OK;
    }
    open_with(partial, false);
    add_wide(partial, lanes_sum_ints(lane, elements, count));
    return OP_OK;
}

/* count * begin + step * count * (count - 1) / 2 */
static void add_series(struct partial *partial, const mpz_t begin, const mpz_t step, uint64_t count)
{
    mpz_t sum, pairs;

    partial_make_big(partial);
    mpz_init_set_ui(pairs, count % 2 ? count : count - 1);
    mpz_mul_ui(pairs, pairs, (count % 2 ? count - 1 : count) / 2);
    mpz_init(sum);
    mpz_mul_ui(sum, begin, count);
    mpz_addmul(sum, step, pairs);
    mpz_add(partial->big, partial->big, sum);
    mpz_clears(sum, pairs, NULL);
    partial_normalise(partial);
}

static enum op_status sum_add_range(struct partial *partial, const mpz_t begin, const mpz_t step,
                                    uint64_t count, uint64_t value_bytes_max)
{
    mpz_t last;
    bool is_longer;

    if (!count)
        return OP_OK;
    mpz_init_set(last, begin);
    mpz_addmul_ui(last, step, count - 1);
    is_longer =
        factors_is_longer(begin, value_bytes_max) || factors_is_longer(last, value_bytes_max);
    mpz_clear(last);
    if (is_longer)
        return OP_TOO_LARGE;
    open_with(partial, false);
    add_series(partial, begin, step, count);
    return OP_OK;
}

static bool sum_range_decides(const mpz_t begin, const mpz_t step, uint64_t count,
                              uint64_t value_bytes_max)
{
    (void)begin;
    (void)step;
    (void)count;
    (void)value_bytes_max;
    return false;
}

static void sum_settle(struct partial *partial, uint64_t value_bytes_max)
{
    (void)value_bytes_max;
    partial_normalise(partial);
    if (!partial->exact)
        return;
    exact_canonicalise(partial->exact);
    if (exact_is_zero(partial->exact)) {
        memory_free(partial->exact);
        partial->exact = NULL;
    }
}

static void join_integers(struct partial *left, const struct partial *right)
{
    if (!right->is_big) {
        add_word(left, right->small);
        return;
    }
    partial_make_big(left);
    mpz_add(left->big, left->big, right->big);
    partial_normalise(left);
}

static void join_floats(struct partial *left, struct partial *right)
{
    if (!right->exact)
        return;
    if (left->exact) {
        exact_join(left->exact, right->exact);
        return;
    }
    left->exact = right->exact;
    right->exact = NULL;
}

static enum op_status sum_join(struct partial *left, struct partial *right,
                               uint64_t value_bytes_max)
{
    (void)value_bytes_max;
    left->open |= right->open;
    if (right->has_elements) {
        open_with(left, right->is_negative_zero);
        left->is_float |= right->is_float;
        join_integers(left, right);
        join_floats(left, right);
    }
    partial_clear(right);
    return OP_OK;
}

static double round_sum(const struct partial *partial)
{
    if (partial->is_negative_zero)
        return -0.0;
    if (partial->is_big)
        return exact_round(partial->exact, partial->big);
    return partial->exact ? exact_round_small(partial->exact, partial->small)
                          : (double)partial->small;
}

/* A float is never too large, whatever its integers amount to. */
static enum op_status sum_finish(struct partial *partial, enum element_type type,
                                 uint64_t value_bytes_max, struct values *values)
{
    enum op_status status = OP_OK;

    assert(!partial->factors);
    if (!partial->open)
        return OP_OK;
    if (partial->is_float || type == ELEMENT_FLOAT)
        values_append_float(values, round_sum(partial));
    else if (partial->is_big && factors_is_longer(partial->big, value_bytes_max))
        status = OP_TOO_LARGE;
    else
        values_append_integer(values, partial);
    partial_clear(partial);
    return status;
}

const struct op OP_SUM_TABLE = {
    .kind = OP_SUM,
    .name = "sum",
    .identity = 0,
    .takes_floats = true,
    .add_int = sum_add_int,
    .add_big = sum_add_big,
    .add_float = sum_add_float,
    .add_lanes = sum_add_lanes,
    .add_range = sum_add_range,
    .range_decides = sum_range_decides,
    .settle = sum_settle,
    .join = sum_join,
    .finish = sum_finish,
};
