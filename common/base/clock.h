/* Monotonic time, for shells only: pure code is given the time. */
#ifndef SHEAF_BASE_CLOCK_H
#define SHEAF_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ns(void);

#endif
