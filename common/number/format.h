/* Numbers to text, as Python prints them. */
#ifndef SHEAF_NUMBER_FORMAT_H
#define SHEAF_NUMBER_FORMAT_H

#include "base/bytes.h"

#include <gmp.h>
#include <stddef.h>
#include <stdint.h>

enum { FORMAT_NUMBER_BYTES = 32 };

/* Decimal text, no terminator; returns its length. */
size_t format_int(char text[FORMAT_NUMBER_BYTES], int64_t value);
/* As repr(): the shortest text that reads back to the same bits, always recognisable as a float;
 * inf, -inf, nan. */
size_t format_float(char text[FORMAT_NUMBER_BYTES], double value);
void format_big(struct bytes *out, const mpz_t value); /* appends */

#endif
