/* Sums of elements in memory, of any width: the hot loops below the sum. */
#ifndef SHEAF_OP_LANES_H
#define SHEAF_OP_LANES_H

#include "op/op.h"

/* Integer lanes. Exact for up to 2^63 elements. */
__int128 lanes_sum_ints(enum lane lane, const void *elements, size_t count);
/* LANE_F32 and LANE_F64. */
void lanes_sum_floats(struct exact *exact, enum lane lane, const void *elements, size_t count);
bool lanes_are_negative_zero(enum lane lane, const void *elements, size_t count);
size_t lanes_bytes(enum lane lane);                      /* of one element */
double lanes_float(enum lane lane, const void *element); /* LANE_F32 and LANE_F64 */
int64_t lanes_int(enum lane lane, const void *element);  /* all but those and LANE_U64 */

#endif
