/* Window extraction: the exact sum of a block of doubles, when all fit into a few windows. */
#ifndef SHEAF_NUMBER_EXACT_WINDOW_H
#define SHEAF_NUMBER_EXACT_WINDOW_H

#include "number/exact.h"

enum {
    WINDOW_SHAPES = 4,    /* from cheap and narrow to dear and wide */
    WINDOW_MULTIPLE = 16, /* elements come in multiples of this */
    WINDOW_TOP_MIN = -1022,
    WINDOW_TOP_MAX = 1000
};

struct window {
    int top;   /* every |x| < 2^top; WINDOW_TOP_MIN to WINDOW_TOP_MAX */
    int shape; /* 0 to WINDOW_SHAPES - 1 */
};

/* Add `count` elements, or nothing: false when an element is too large for the window, or reaches
 * below it, or is not finite. */
bool window_add(struct exact *exact, const struct window *window, const double *values,
                size_t count);

#endif
