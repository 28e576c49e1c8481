#include "number/partial.h"

#include "base/memory.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum flag {
    FLAG_OPEN = 1,
    FLAG_HAS_ELEMENTS = 2,
    FLAG_IS_FLOAT = 4,
    FLAG_IS_NEGATIVE_ZERO = 8,
    FLAG_IS_BIG = 16,
    FLAG_BIG_IS_NEGATIVE = 32,
    FLAG_HAS_EXACT = 64,
    FLAG_IS_TOO_LARGE = 128
};

void partial_init(struct partial *partial, int64_t identity)
{
    *partial = (struct partial){.small = identity};
}

void partial_clear(struct partial *partial)
{
    if (partial->is_big)
        mpz_clear(partial->big);
    memory_free(partial->exact);
    factors_free(&partial->factors);
    partial_init(partial, 0);
}

void partial_move(struct partial *to, struct partial *from, int64_t identity)
{
    partial_clear(to);
    *to = *from;
    partial_init(from, identity);
}

size_t partial_weight(const struct partial *partial)
{
    size_t bytes = partial->is_big ? mpz_size(partial->big) * sizeof(mp_limb_t) : 0;

    return bytes + (partial->factors ? factors_bytes(partial->factors) : 0);
}

void partial_normalise(struct partial *partial)
{
    int64_t value;

    if (!partial->is_big || !mpz_fits_slong_p(partial->big))
        return;
    value = mpz_get_si(partial->big);
    mpz_clear(partial->big);
    partial->is_big = false;
    partial->small = value;
}

void partial_make_big(struct partial *partial)
{
    if (partial->is_big)
        return;
    mpz_init_set_si(partial->big, partial->small);
    partial->is_big = true;
    partial->small = 0;
}

/* The magnitude, least byte first: as it lies in memory, on most machines. GMP's own way there goes
 * byte by byte, and a long product travels often. */
static void encode_big(const mpz_t big, struct bytes *out)
{
    size_t length = (mpz_sizeinbase(big, 2) + 7) / 8;

    bytes_append_u64(out, length);
    if (BYTE_ORDER == LITTLE_ENDIAN && !GMP_NAIL_BITS)
        memcpy(bytes_extend(out, length), mpz_limbs_read(big), length);
    else
        mpz_export(bytes_extend(out, length), NULL, -1, 1, 0, 0, big);
}

static void import_big(mpz_t big, const uint8_t *data, size_t length)
{
    size_t limbs = (length + sizeof(mp_limb_t) - 1) / sizeof(mp_limb_t);
    mp_limb_t *to;

    if (BYTE_ORDER != LITTLE_ENDIAN || GMP_NAIL_BITS) {
        mpz_import(big, length, -1, 1, 0, 0, data);
        return;
    }
    to = mpz_limbs_write(big, (mp_size_t)limbs);
    to[limbs - 1] = 0;
    memcpy(to, data, length);
    mpz_limbs_finish(big, (mp_size_t)limbs);
}

void partial_encode(const struct partial *partial, struct bytes *out)
{
    bool has_exact = partial->is_float && partial->exact && !exact_is_zero(partial->exact);
    int flags = 0;

    assert(!partial->factors);
    flags |= partial->open ? FLAG_OPEN : 0;
    flags |= partial->has_elements ? FLAG_HAS_ELEMENTS : 0;
    flags |= partial->is_float ? FLAG_IS_FLOAT : 0;
    flags |= partial->is_negative_zero ? FLAG_IS_NEGATIVE_ZERO : 0;
    flags |= partial->is_big ? FLAG_IS_BIG : 0;
    flags |= partial->is_big && mpz_sgn(partial->big) < 0 ? FLAG_BIG_IS_NEGATIVE : 0;
    flags |= has_exact ? FLAG_HAS_EXACT : 0;
    flags |= partial->is_too_large ? FLAG_IS_TOO_LARGE : 0;
    bytes_append_byte(out, (uint8_t)flags);
    if (partial->is_big)
        encode_big(partial->big, out);
    else if (partial->has_elements && !partial->is_too_large)
        bytes_append_u64(out, (uint64_t)partial->small);
    if (has_exact)
        exact_encode(partial->exact, out);
}

/* What no honest partial says of itself. */
static bool flags_are_valid(int flags)
{
    bool has_elements = flags & FLAG_HAS_ELEMENTS;
    bool is_float = flags & FLAG_IS_FLOAT;

    if (has_elements && !(flags & FLAG_OPEN))
        return false;
    if (flags & FLAG_IS_TOO_LARGE)
        return flags == (FLAG_IS_TOO_LARGE | FLAG_HAS_ELEMENTS | FLAG_OPEN);
    if (!has_elements && (flags & ~FLAG_OPEN))
        return false;
    if ((flags & FLAG_BIG_IS_NEGATIVE) && !(flags & FLAG_IS_BIG))
        return false;
    if ((flags & FLAG_IS_NEGATIVE_ZERO) && (!is_float || (flags & (FLAG_IS_BIG | FLAG_HAS_EXACT))))
        return false;
    return is_float || !(flags & FLAG_HAS_EXACT);
}

static bool decode_big(struct partial *partial, bool is_negative, struct reader *in)
{
    uint64_t length = reader_u64(in);
    const uint8_t *data = length ? reader_take(in, length) : NULL;

    if (!data || !data[length - 1])
        return false;
    mpz_init(partial->big);
    partial->is_big = true;
    import_big(partial->big, data, length);
    if (is_negative)
        mpz_neg(partial->big, partial->big);
    return !mpz_fits_slong_p(partial->big);
}

static bool decode_parts(struct partial *partial, int flags, struct reader *in)
{
    partial->open = flags & FLAG_OPEN;
    partial->has_elements = flags & FLAG_HAS_ELEMENTS;
    partial->is_float = flags & FLAG_IS_FLOAT;
    partial->is_negative_zero = flags & FLAG_IS_NEGATIVE_ZERO;
    partial->is_too_large = flags & FLAG_IS_TOO_LARGE;
    if (flags & FLAG_IS_BIG) {
        if (!decode_big(partial, flags & FLAG_BIG_IS_NEGATIVE, in))
            return false;
    } else if (partial->has_elements && !partial->is_too_large) {
        partial->small = (int64_t)reader_u64(in);
    }
    if (partial->is_negative_zero && partial->small)
        return false;
    if (flags & FLAG_HAS_EXACT) {
        partial->exact = memory_new(sizeof *partial->exact);
        if (!exact_decode(partial->exact, in) || exact_is_zero(partial->exact))
            return false;
    }
    return !in->failed;
}

bool partial_decode(struct partial *partial, int64_t identity, struct reader *in)
{
    int flags = reader_u8(in);

    partial_clear(partial);
    partial_init(partial, identity);
    if (!in->failed && flags_are_valid(flags) && decode_parts(partial, flags, in))
        return true;
    partial_clear(partial);
    partial_init(partial, identity);
    return false;
}
