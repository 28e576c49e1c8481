#include "number/exact.h"

#include <string.h>

void exact_add_array(struct exact *exact, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value;

        memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        exact_add(exact, value);
    }
}
