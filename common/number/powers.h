/* Powers of ten: their 128 leading bits, for converting between binary and decimal. */
#ifndef SHEAF_NUMBER_POWERS_H
#define SHEAF_NUMBER_POWERS_H

#include <stdint.h>

enum { POWER_FIRST = -342, POWER_LAST = 324, POWER_EXACT_LAST = 55 };

/* Rounded down: 10^e lies in [bits, bits + 1) * 2^(floor(log2(10^e)) - 127), the first only for e
 * in [0, POWER_EXACT_LAST]. */
struct power {
    uint64_t high, low;
};

extern const struct power POWERS[POWER_LAST - POWER_FIRST + 1];

#endif
