/*
 * The sink: what a parser, an array or a gluing puts elements and boundaries into. It builds the
 * segment's { head, closed, tail } and knows where the cut puts boundaries:
 *
 * CUT_SUBLISTS     where the format says: sink_open() and sink_boundary().
 * CUT_EVERY/SPLIT  by element numbers, at the START of the element that begins a new sublist, so
 *                  that no boundary depends on whether more elements follow.
 * CUT_TOTAL        nowhere but at the job's ends.
 */
#ifndef SHEAF_SOURCE_SINK_H
#define SHEAF_SOURCE_SINK_H

#include "source/segment.h"

struct sink {
    struct segment *segment; /* borrowed */
    const struct job_spec *spec;
    const struct op *op;
    uint32_t source;   /* the source that the elements come from */
    bool has_sublists; /* CUT_SUBLISTS: the format's boundaries count */
    uint64_t number;   /* of the next element */
    uint64_t boundary; /* the next element number that begins a sublist; UINT64_MAX: none */
    uint64_t token_bytes_max;
};

/* A sink that appends to `segment`, which is all that was folded before. For gluing. */
void sink_init(struct sink *sink, struct segment *segment, const struct job_spec *spec);
/* The same for folding a slice: the segment is new, and elements are numbered from slice->element
 * on. */
void sink_begin(struct sink *sink, struct segment *segment, const struct job_spec *spec,
                const struct slice *slice);

/* The job ends here: close what its cut closes. */
void sink_end_job(struct sink *sink);

/* `count` sublists without elements begin and end here. */
void sink_empty_sublists(struct sink *sink, uint64_t count);

/* An element starts; to be called before it is added. */
static inline void sink_element(struct sink *sink);
/* Something that is no element opens the sublist. */
static inline void sink_open(struct sink *sink);
/* The format ends a sublist; it is closed if it is open. */
static inline void sink_boundary(struct sink *sink);

/* Add the whole token as a number, or its fault. */
void sink_token(struct sink *sink, const char *text, size_t length, uint64_t unit, bool is_json);
/* More bytes of the token that is unfinished in `exit`: a fault as soon as it can be no number, or
 * is too long. */
void sink_token_bytes(struct sink *sink, struct edge *exit, const uint8_t *data, size_t length,
                      bool is_json);
/* Add elements in memory, whose starts were noted with sink_elements(). */
void sink_lanes(struct sink *sink, enum lane lane, const void *elements, size_t count);

/* Note that `count` elements start, of which none but the first begins a sublist. */
static inline void sink_elements(struct sink *sink, uint64_t count);
/* How many elements from the next one on belong to one sublist, as far as their numbers say. */
uint64_t sink_run(const struct sink *sink);

/* Right behind the segment: right's closed values and partials, faults and edges apart. right is
 * left without them. */
void sink_append(struct sink *sink, struct segment *right);

/* Bring head and tail to rest: before a segment is handed out. Behind a fault there is no tail. */
void sink_settle(struct sink *sink);

void sink_fault(struct sink *sink, enum fault_kind kind, uint64_t unit, const void *text,
                size_t length);
/* A status of an operation: OP_OK does nothing. */
void sink_status(struct sink *sink, enum op_status status);

/* For the functions above and hot loops. */
void sink_cut(struct sink *sink);
void sink_number_boundary(struct sink *sink);

static inline bool sink_is_faulty(const struct sink *sink)
{
    return sink->segment->fault.kind != FAULT_NONE;
}

/* Enough closed values are there; but one at least, so that every fold makes progress. Equal ones
 * are no bytes: those of one more source, 2^63 − 1 at most, must still be counted in 64 bits. */
static inline bool sink_is_full(const struct sink *sink, uint64_t room_bytes)
{
    const struct values *closed = &sink->segment->closed;

    return closed->packed.length &&
           (closed->packed.length >= room_bytes || closed->count > INT64_MAX);
}

static inline void sink_element(struct sink *sink)
{
    if (sink->number++ == sink->boundary)
        sink_number_boundary(sink);
    sink->segment->elements++;
}

static inline void sink_elements(struct sink *sink, uint64_t count)
{
    if (!count)
        return;
    sink_element(sink);
    sink->number += count - 1;
    sink->segment->elements += count - 1;
}

static inline void sink_open(struct sink *sink)
{
    if (sink->has_sublists)
        sink->segment->tail.open = true;
}

static inline void sink_boundary(struct sink *sink)
{
    if (sink->has_sublists)
        sink_cut(sink);
}

/* The tail is an integer that fits 64 bits, so far. */
static inline bool sink_is_small(const struct sink *sink)
{
    const struct partial *tail = &sink->segment->tail;

    return !tail->is_big && !tail->is_float && !tail->exact && !tail->factors;
}

#endif
