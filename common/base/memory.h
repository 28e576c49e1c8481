/*
 * Allocation that does not return NULL.
 *
 * Only for what is small or was bounded before (limits.h, --max-value, --memory): when even that
 * cannot be had the process says one sentence and ends with status 1, as a farm that goes on
 * half-alive would be worse. A pool process that ends so costs one attempt of its piece.
 */
#ifndef SHEAF_BASE_MEMORY_H
#define SHEAF_BASE_MEMORY_H

#include <stddef.h>

void *memory_new(size_t bytes);                      /* zeroed; bytes may be 0 */
void *memory_array(size_t count, size_t item_bytes); /* zeroed; checks the product */
void *memory_grow(void *old, size_t count,
                  size_t item_bytes); /* as realloc; new room is not zeroed */
char *memory_text(const char *text);  /* a copy; NULL gives NULL */
void memory_free(void *pointer);

#endif
