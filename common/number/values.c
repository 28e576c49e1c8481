#include "number/values.h"

#include "number/format.h"

#include <string.h>

enum {
    HEADER_BYTES = 9,
    SAME_BYTES = HEADER_BYTES + 8,
    EQUAL_NEIGHBOURS_MIN = 4, /* from here on a run of equals is shorter than the numbers */
    TEXT_DIGITS_MIN = 19
};

/* Little-endian stores and loads; compilers make one move of each. */
static void store_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t load_u64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void values_clear(struct values *values)
{
    bytes_clear(&values->packed);
    *values = (struct values){0};
}

/* The last run when it is of this kind, else NULL. */
static uint8_t *last_run(const struct values *values, enum values_kind kind)
{
    uint8_t *run;

    if (values->last_run >= values->packed.length)
        return NULL;
    run = values->packed.data + values->last_run;
    return run[0] == kind ? run : NULL;
}

static void open_run(struct values *values, enum values_kind kind, uint64_t count)
{
    uint8_t *run;

    values->last_run = values->packed.length;
    run = bytes_extend(&values->packed, HEADER_BYTES);
    run[0] = (uint8_t)kind;
    store_u64(run + 1, count);
}

static void append_eight(struct values *values, enum values_kind kind, uint64_t bits)
{
    uint8_t *run = last_run(values, kind);

    if (run)
        store_u64(run + 1, load_u64(run + 1) + 1);
    else
        open_run(values, kind, 1);
    store_u64(bytes_extend(&values->packed, 8), bits);
    values->count++;
}

void values_append_float(struct values *values, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    append_eight(values, VALUES_FLOAT, bits);
}

/* How many of the last numbers of a run of integers equal `value`, as far as that matters. */
static uint64_t count_equal_end(const struct values *values, const uint8_t *run, uint64_t value)
{
    const uint8_t *end = values->packed.data + values->packed.length;
    uint64_t equal = 0, count = load_u64(run + 1);

    while (equal < count && equal < EQUAL_NEIGHBOURS_MIN - 1 &&
           load_u64(end - 8 * (equal + 1)) == value)
        equal++;
    return equal;
}

/* Take the last `equal` numbers off a run of integers, and the run itself when nothing is left. */
static void shorten_run(struct values *values, uint8_t *run, uint64_t equal)
{
    uint64_t count = load_u64(run + 1) - equal;

    values->packed.length -= 8 * equal;
    store_u64(run + 1, count);
    if (!count)
        values->packed.length = values->last_run;
}

static void append_same_run(struct values *values, int64_t value, uint64_t count)
{
    open_run(values, VALUES_SAME, count);
    store_u64(bytes_extend(&values->packed, 8), (uint64_t)value);
}

void values_append_same_float(struct values *values, double value, uint64_t count)
{
    uint64_t bits;

    if (!count)
        return;
    memcpy(&bits, &value, sizeof bits);
    open_run(values, VALUES_SAME_FLOAT, count);
    store_u64(bytes_extend(&values->packed, 8), bits);
    values->count += count;
}

void values_append_int(struct values *values, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    uint8_t *run = last_run(values, VALUES_INT);

    if (run && count_equal_end(values, run, bits) == EQUAL_NEIGHBOURS_MIN - 1) {
        shorten_run(values, run, EQUAL_NEIGHBOURS_MIN - 1);
        append_same_run(values, value, EQUAL_NEIGHBOURS_MIN);
        values->count++;
        return;
    }
    run = last_run(values, VALUES_SAME);
    if (run && load_u64(run + HEADER_BYTES) == bits) {
        store_u64(run + 1, load_u64(run + 1) + 1);
        values->count++;
        return;
    }
    append_eight(values, VALUES_INT, bits);
}

void values_append_same(struct values *values, int64_t value, uint64_t count)
{
    uint8_t *run = last_run(values, VALUES_SAME);

    if (run && load_u64(run + HEADER_BYTES) == (uint64_t)value) {
        store_u64(run + 1, load_u64(run + 1) + count);
        values->count += count;
        return;
    }
    if (count < EQUAL_NEIGHBOURS_MIN) {
        for (uint64_t i = 0; i < count; i++)
            values_append_int(values, value);
        return;
    }
    append_same_run(values, value, count);
    values->count += count;
}

void values_append_text(struct values *values, const char *digits, size_t length)
{
    open_run(values, VALUES_TEXT, length);
    bytes_append(&values->packed, digits, length);
    values->count++;
}

void values_append_integer(struct values *values, const struct partial *partial)
{
    struct bytes text = {0};

    if (!partial->is_big) {
        values_append_int(values, partial->small);
    } else if (mpz_fits_slong_p(partial->big)) {
        values_append_int(values, mpz_get_si(partial->big));
    } else {
        format_big(&text, partial->big);
        values_append_text(values, (const char *)text.data, text.length);
        bytes_clear(&text);
    }
}

static uint64_t payload_bytes(enum values_kind kind, uint64_t count)
{
    switch (kind) {
    case VALUES_INT:
    case VALUES_FLOAT:
        return count > UINT64_MAX / 8 ? UINT64_MAX : 8 * count;
    case VALUES_SAME:
    case VALUES_SAME_FLOAT:
        return 8;
    case VALUES_TEXT:
        return count;
    }
    return UINT64_MAX;
}

bool values_next_run(struct reader *in, struct values_run *run)
{
    if (!reader_left(in))
        return false;
    run->kind = (enum values_kind)reader_u8(in);
    run->count = reader_u64(in);
    run->payload_bytes = payload_bytes(run->kind, run->count);
    run->payload = reader_take(in, run->payload_bytes);
    return !in->failed;
}

/* The first run of `from` continues the last of `to`: its payload, or its count, can join that. */
static bool continues(const struct values *to, const struct values_run *first)
{
    const uint8_t *run = last_run(to, first->kind);

    if (!run || first->kind == VALUES_TEXT)
        return false;
    return !values_is_same(first->kind) || load_u64(run + HEADER_BYTES) == load_u64(first->payload);
}

void values_concat(struct values *to, struct values *from)
{
    struct reader in = reader_of(from->packed.data, from->packed.length);
    struct values_run first;
    size_t skip = 0;

    if (!from->count) {
        values_clear(from);
        return;
    }
    if (!to->count) {
        values_clear(to);
        *to = *from;
        *from = (struct values){0};
        return;
    }
    if (values_next_run(&in, &first) && continues(to, &first)) {
        uint8_t *run = to->packed.data + to->last_run;

        store_u64(run + 1, load_u64(run + 1) + first.count);
        skip = values_is_same(first.kind) ? SAME_BYTES : HEADER_BYTES;
    }
    if (!skip || from->last_run)
        to->last_run = to->packed.length + from->last_run - skip;
    bytes_append(&to->packed, from->packed.data + skip, from->packed.length - skip);
    to->count += from->count;
    values_clear(from);
}

static bool text_is_integer(const uint8_t *text, size_t length)
{
    size_t sign = length && text[0] == '-';

    if (length < sign + TEXT_DIGITS_MIN || text[sign] == '0')
        return false;
    for (size_t i = sign; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

bool values_check(const void *packed, size_t length, uint64_t *count)
{
    struct reader in = reader_of(packed, length);
    struct values_run run;

    *count = 0;
    while (values_next_run(&in, &run)) {
        uint64_t more = run.kind == VALUES_TEXT ? 1 : run.count;

        if (!run.count || __builtin_add_overflow(*count, more, count))
            return false;
        if (run.kind == VALUES_TEXT && !text_is_integer(run.payload, run.payload_bytes))
            return false;
    }
    return !in.failed;
}
