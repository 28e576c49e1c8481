/* A job: op + type + cut + sources. What a client asks for; every node and leaf below gets a copy.
 */
#ifndef SHEAF_SOURCE_JOB_H
#define SHEAF_SOURCE_JOB_H

#include "op/op.h"
#include "source/source.h"

enum cut_kind {
    CUT_SUBLISTS = 1, /* the sources' own sublists */
    CUT_EVERY,        /* sublists of `size` elements */
    CUT_SPLIT, /* `parts` nearly equal sublists of `elements` elements in all: larger first, empty
                  last */
    CUT_TOTAL  /* one value */
};

struct cut {
    enum cut_kind kind;
    uint64_t size;     /* CUT_EVERY: at least 1 */
    uint64_t parts;    /* CUT_SPLIT: at least 1 */
    uint64_t elements; /* CUT_SPLIT: known only after counting; UINT64_MAX before */
};

struct job_spec {
    enum op_kind op;
    enum element_type type;
    struct cut cut;
    uint64_t piece_units;     /* --task-elements: units of one piece, 0: by measured speed */
    uint64_t value_bytes_max; /* --max-value */
    struct source *sources;   /* owned array */
    uint32_t source_count;
};

void job_spec_clear(struct job_spec *spec);
void job_spec_copy(struct job_spec *to, const struct job_spec *from);

/*
 * A place between two units of the job's sources taken one after the other. The place after the
 * last unit of source s *and its end* is {s + 1, 0}; {s, units} is before the end. So every source,
 * even an empty one, has something to fold, and neighbouring slices are exactly those with left.end
 * == right.begin.
 */
struct place {
    uint32_t source;
    uint64_t unit;
};

struct slice {
    struct place begin, end; /* [begin, end) */
    /* The number in the whole job of the first element that starts at or after `begin` (0 when
     * nothing is numbered). */
    uint64_t element;
    /* Text and JSON, numbered: the unit before `begin` belongs to a token, so one may continue
     * here. */
    bool in_token;
};

int place_compare(struct place a, struct place b); /* <0, 0, >0 */
/* Within its source, as far as that is known, or the end of them all. */
bool place_exists(const struct job_spec *spec, struct place place);
/* Units in the slice; UINT64_MAX: that many or more. false: a length is not known. */
bool slice_units(const struct job_spec *spec, const struct slice *slice, uint64_t *units);
/* Elements that are numbered stay below the number that says "none". */
bool slice_numbers_fit(const struct job_spec *spec, const struct slice *slice);
struct place place_of_end(const struct job_spec *spec); /* {source_count, 0} */

/* Elements carry numbers: CUT_EVERY and CUT_SPLIT. */
bool cut_is_numbered(const struct cut *cut);
/* The elements that arithmetic tells (bytes, for text) can be numbered in 64 bits. */
bool job_elements_fit(const struct job_spec *spec);
/* The number of the first element after the sublist that element `element` belongs to (may exceed
 * the last element). */
uint64_t cut_sublist_end(const struct cut *cut, uint64_t element);

#endif
