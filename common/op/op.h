/*
 * Operations: associative, with an identity. One small file each; op_find() is the only table.
 *
 * All functions are pure. `add_*` fold one element into a partial (opening it), `join` folds the
 * partial on the right into the one on the left, `finish` closes a sublist.
 *
 * value_bytes_max, the limit, refuses an element that is longer (OP_TOO_LARGE from add_*), and a
 * value (from finish). Both depend on a sublist's elements alone. In between a partial may need a
 * little more, but never much: what is past that is too large whatever comes, or only a zero can
 * mend it (partial->is_too_large). Eight bytes are always granted.
 */
#ifndef SHEAF_OP_OP_H
#define SHEAF_OP_OP_H

#include "number/partial.h"
#include "number/values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind { OP_SUM = 1, OP_PRODUCT = 2 };

/* --type: what the user says of the elements. */
enum element_type { ELEMENT_AUTO = 0, ELEMENT_INT = 1, ELEMENT_FLOAT = 2 };

/* Elements in memory, native byte order: what arrays are folded from. */
enum lane {
    LANE_I8,
    LANE_U8,
    LANE_I16,
    LANE_U16,
    LANE_I32,
    LANE_U32,
    LANE_I64,
    LANE_U64,
    LANE_F32,
    LANE_F64
};

enum op_status {
    OP_OK = 0,
    OP_FLOAT_REFUSED, /* the operation is not defined for floats yet */
    OP_TOO_LARGE      /* the element or value is longer than the limit */
};

struct op {
    enum op_kind kind;
    const char *name;
    int64_t identity;
    bool takes_floats;
    void (*add_int)(struct partial *partial, int64_t value, uint64_t value_bytes_max);
    enum op_status (*add_big)(struct partial *partial, const mpz_t value, uint64_t value_bytes_max);
    enum op_status (*add_float)(struct partial *partial, double value);
    /* `count` elements in memory. */
    enum op_status (*add_lanes)(struct partial *partial, enum lane lane, const void *elements,
                                size_t count, uint64_t value_bytes_max);
    /* begin, begin + step, …: count elements; closed form where there is one. */
    enum op_status (*add_range)(struct partial *partial, const mpz_t begin, const mpz_t step,
                                uint64_t count, uint64_t value_bytes_max);
    /* That these elements are among a sublist's decides what it is worth, however often they are:
     * so a part of such a range may be folded as the whole of it, which costs nothing. */
    bool (*range_decides)(const mpz_t begin, const mpz_t step, uint64_t count,
                          uint64_t value_bytes_max);
    /* Bring pending work (a product's factors, an accumulator's carries) into the partial's
     * canonical form. */
    void (*settle)(struct partial *partial, uint64_t value_bytes_max);
    /* left := left ⊕ right; right is left void. Joining with a void partial is the identity. */
    enum op_status (*join)(struct partial *left, struct partial *right, uint64_t value_bytes_max);
    /*
     * Append the finished value to `values` and make the partial void. Nothing is appended for a
     * void partial, or when the value is too large. ELEMENT_FLOAT makes the value a float even if
     * no element was one.
     */
    enum op_status (*finish)(struct partial *partial, enum element_type type,
                             uint64_t value_bytes_max, struct values *values);
};

const struct op *op_of(enum op_kind kind);  /* NULL: no such operation */
const struct op *op_find(const char *name); /* NULL: no such operation */

extern const struct op OP_SUM_TABLE;
extern const struct op OP_PRODUCT_TABLE;

#endif
