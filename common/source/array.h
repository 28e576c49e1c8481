/*
 * Arrays: runs of fixed-width elements, as many at once as belong to one sublist. A row is a
 * sublist (CUT_SUBLISTS), so where they end is arithmetic, and nothing is undecided at any cut.
 */
#ifndef SHEAF_SOURCE_ARRAY_H
#define SHEAF_SOURCE_ARRAY_H

#include "source/sink.h"

/* Fold `count` elements in stored form. Returns how many were taken: fewer after a fault, or when
 * room_bytes of closed values are there. */
uint64_t array_feed(struct sink *sink, const uint8_t *data, uint64_t count, uint64_t unit,
                    uint64_t room_bytes);
/* The source's last element was fed. */
void array_end(struct sink *sink);

#endif
