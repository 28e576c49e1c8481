/* Ranges: elements that need no bytes, folded by their closed form sublist by sublist. */
#ifndef SHEAF_SOURCE_RANGE_H
#define SHEAF_SOURCE_RANGE_H

#include "source/sink.h"

/* Fold `count` elements from `unit` on. Returns how many were taken: fewer after a fault, or when
 * room_bytes of closed values are there. */
uint64_t range_feed(struct sink *sink, uint64_t count, uint64_t unit, uint64_t room_bytes);

#endif
