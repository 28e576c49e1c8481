/*
 * A segment: what folding a slice gives. Gluing two neighbouring segments is associative (the
 * segmented monoid), so slices may be folded and glued in any grouping, anywhere, at any time.
 *
 * Without a sublist boundary inside, everything is in `tail` and `head` is void. With one
 * (`bounded`): `head` belongs to the sublist that was open on the left, `closed` are the sublists
 * that begin and end inside, `tail` is still open. A boundary closes the sublist on its left only
 * if that is open (not void), joined with `head`.
 *
 * The edges hold what a cut in the middle of a token or of a bracket structure leaves undecided;
 * see text.c and json.c. At a place where a source begins or ends the edge is EDGE_CLEAN.
 *
 * A fault absorbs everything to its right: gluing on the right of a faulty segment is the identity.
 * What stands left of the fault is kept, so that the first fault in the source's order wins.
 */
#ifndef SHEAF_SOURCE_SEGMENT_H
#define SHEAF_SOURCE_SEGMENT_H

#include "base/limits.h"
#include "number/partial.h"
#include "number/values.h"
#include "source/edge.h"
#include "source/fault.h"
#include "source/job.h"

enum segment_kind { SEGMENT_FOLD = 1, SEGMENT_COUNT = 2 };

/* A place with a known element number, counted from the segment's begin; the cuts of later FOLD
 * slices. */
struct checkpoint {
    struct place place;
    uint64_t element; /* tokens that start in [segment begin, place) */
    bool in_token;
};

struct segment {
    enum segment_kind kind;
    struct edge entry, exit;
    /* SEGMENT_FOLD */
    bool bounded;
    struct partial head;
    struct values closed;
    struct partial tail;
    uint64_t
        lines; /* newlines since the begin, or since the last source's begin if that is inside */
    bool lines_are_absolute; /* a source began inside */
    struct fault fault;
    /* both kinds */
    uint64_t elements; /* tokens that start inside (a leading fragment counts as one until glued) */
    /* SEGMENT_COUNT */
    struct checkpoint *checkpoints; /* owned, ascending */
    uint32_t checkpoint_count;
};

void segment_init(struct segment *segment, enum segment_kind kind, const struct op *op);
void segment_clear(struct segment *segment);
void segment_move(struct segment *to,
                  struct segment *from); /* `to` is cleared first; `from` is cleared */

/*
 * left := left · right. Consumes right (cleared). They must be neighbours and of one kind. Pure;
 * work is bounded by the weights of the two sides that meet (segment_glue_weight) plus the copying
 * of closed values.
 */
void segment_glue(struct segment *left, struct segment *right, const struct job_spec *spec);

/* Bytes of number and token text at the two sides that a gluing would join, but nothing for token
 * bytes that are only appended: above HEAVY_BYTES it is a leaf's work. */
size_t segment_glue_weight(const struct segment *left, const struct segment *right);

/* Bytes of number and token text in a segment, closed values apart: the cost of gluing with it. */
size_t segment_weight(const struct segment *segment);

/*
 * What remains of a numbered slice whose prefix [begin, middle) is `segment`: the rest's begin,
 * element and in_token. For slices that are not numbered only the begin matters.
 */
void segment_rest(const struct segment *segment, const struct slice *slice, struct place middle,
                  const struct job_spec *spec, struct slice *rest);

/* Thin a count segment's checkpoints to at most `most`, evenly. */
void segment_thin(struct segment *segment, uint32_t most);

/* Whether what a peer calls the segment of this slice can be that: its edges and faults name
 * sources of the job, its elements and checkpoints lie within the slice. Values are not judged. */
bool segment_is_possible(const struct segment *segment, const struct job_spec *spec,
                         const struct slice *slice);

void segment_encode(const struct segment *segment, struct bytes *out);
/* Total and bounded: never trusts a length. false: malformed; the segment is then cleared. */
bool segment_decode(struct segment *segment, const struct op *op, const void *data, size_t length);

#endif
