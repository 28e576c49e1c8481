/*
 * An edge: what a cut inside a token or a structure leaves undecided at one end of a segment.
 *
 * Proposed content; text.c and json.c own the meaning. Size is bounded by the unfinished token,
 * never by a run of blanks or separators.
 */
#ifndef SHEAF_SOURCE_EDGE_H
#define SHEAF_SOURCE_EDGE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum edge_kind { EDGE_CLEAN = 0, EDGE_TEXT, EDGE_JSON, EDGE_COUNT };

struct edge {
    enum edge_kind kind;
};

#endif
