/*
 * Folding a slice: the one thing a leaf does. Pure: bytes are fed in, a segment comes out; reading
 * is the shell's.
 *
 * A slice is folded span by span: fold_next() says which bytes of which source come next, the
 * caller brings them in one or several feeds, and so on until it returns false. fold_take() may be
 * called between feeds, for a result before the end ("the segment of the prefix [begin, middle)").
 */
#ifndef SHEAF_SOURCE_FOLD_H
#define SHEAF_SOURCE_FOLD_H

#include "source/segment.h"

struct fold;

/* Units wanted next, as contiguous bytes in row-major order (a reader gathers Fortran order before
 * feeding). */
struct span {
    uint32_t source;
    uint64_t unit;  /* first unit */
    uint64_t units; /* to the end of the slice in this source; SOURCE_UNITS_UNKNOWN: the rest of a
                       stream, which one feed brings */
};

/*
 * spec is borrowed until fold_free. kind SEGMENT_COUNT only counts elements and makes checkpoints
 * (at most CHECKPOINTS_PER_RESULT).
 */
void fold_new(struct fold **out, const struct job_spec *spec, const struct slice *slice,
              enum segment_kind kind);
void fold_free(struct fold **fold);

/*
 * The next span to feed; false when the slice is done (or a fault ended it, or room_bytes of closed
 * values are there). Ranges and inline sources want no bytes: fold_next() folds them itself,
 * stopping at room_bytes.
 */
bool fold_next(struct fold *fold, uint64_t room_bytes, struct span *span);
/*
 * Feed the next `length` bytes (whole elements) of the span. Nothing outside of them is read. Stops
 * early at a fault, and when the segment's closed values have passed `room_bytes` (there is at
 * least one then); returns the bytes consumed.
 */
size_t fold_feed(struct fold *fold, const void *data, size_t length, uint64_t room_bytes);
/* Where the fold stands: the middle of [begin, middle). A fault absorbs what follows, so after one
 * it is the slice's end. */
struct place fold_place(const struct fold *fold);
uint64_t fold_elements(const struct fold *fold);
/* Put a fault of the shell's own (changed, unreadable) at the present place; the fold is then done.
 */
void fold_fault(struct fold *fold, enum fault_kind kind, const char *text);
/* Settle everything and hand out the segment (`out` need not be initialised). The fold goes on
 * with an empty segment for the rest of its slice. */
void fold_take(struct fold *fold, struct segment *out);

#endif
