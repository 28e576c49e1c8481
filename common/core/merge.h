/*
 * The merge: what has become of each part of a piece of work, in order.
 *
 * Everything cut so far is tiled by tiles without gap or overlap: runs that are counted and glued,
 * and ranges that are not. Tiles know their neighbours, so counting, splitting and gluing touch no
 * more than two of them. That the tiles tile, always, is the invariant from which "counted exactly
 * once" follows. Pure.
 */
#ifndef SHEAF_CORE_MERGE_H
#define SHEAF_CORE_MERGE_H

#include "base/chunk.h"
#include "source/segment.h"

enum tile_state {
    TILE_READY = 1, /* waits to be given */
    TILE_READING,   /* waits for its bytes */
    TILE_GIVEN,     /* a child has it */
    TILE_RUN,       /* counted: `run` is its segment */
    TILE_GLUING     /* counted, and with its neighbour at a child to be glued */
};

struct task;

struct tile {
    struct tile *previous, *next; /* neighbours in the source's order */
    struct tile *waiting_previous,
        *waiting_next; /* in the list of its state: ready tiles, runs to be glued */
    enum tile_state state;
    bool is_waiting;
    bool by_value;
    uint32_t deaths, lost_daemons; /* blame of a range that was started */
    struct slice slice;            /* a tile that is not counted carries its element number */
    struct chunk payload;          /* its bytes, by value */
    struct segment *run;
    struct task *task; /* TILE_GIVEN, TILE_GLUING */
};

struct tile_list {
    struct tile *first, *last;
};

struct merge {
    const struct job_spec *spec; /* borrowed */
    struct tile_list tiles;
    struct tile_list ready; /* TILE_READY, oldest first */
    struct tile_list heavy; /* runs whose right neighbour is a run that a leaf must glue to it */
    uint64_t run_bytes_max; /* runs of more closed values together are not glued … */
    bool is_final; /* … unless the left one has none: no giver above glues what is left apart */
    uint64_t held_bytes; /* closed values, token text and payloads in all tiles … */
    uint64_t *held_sum;  /* … and in all merges of the node; borrowed */
    uint64_t given;      /* tiles in TILE_GIVEN */
};

/* held_sum: where the bytes held are added up; outlives the merge. */
void merge_init(struct merge *merge, const struct job_spec *spec, uint64_t run_bytes_max,
                uint64_t *held_sum);
/* Free all tiles; the caller has ended their tasks. */
void merge_clear(struct merge *merge);

/* A new TILE_READY at the end. payload is taken over (may be NULL: by reference). */
struct tile *merge_append(struct merge *merge, const struct slice *slice, struct chunk *payload);
/* Cut a tile that is not counted in two; the right part is TILE_READY and returned. */
struct tile *merge_split(struct merge *merge, struct tile *tile, const struct slice *right);
/* Change the state of a tile that is not counted. */
void merge_set_state(struct merge *merge, struct tile *tile, enum tile_state state);
void merge_set_payload(struct merge *merge, struct tile *tile, struct chunk *payload);

/*
 * Count a prefix of a tile: [tile begin, rest->begin) is `segment` (consumed); `rest` is what
 * remains of the tile, which goes when that is empty. The run is glued to its neighbours where that
 * is light. Returns the run.
 */
struct tile *merge_count(struct merge *merge, struct tile *tile, const struct slice *rest,
                         struct segment *segment);
/* Take a pair to be glued by a leaf; false: none. relaxed: also pairs of very different weights. */
bool merge_take_pair(struct merge *merge, bool relaxed, struct tile **left);
/* A pair (left, left->next) in TILE_GLUING was glued: `segment` is the union. Returns the run. */
struct tile *merge_pair_glued(struct merge *merge, struct tile *left, struct segment *segment);
/* The pair's task was lost: they are runs again, to be glued later. */
void merge_pair_lost(struct merge *merge, struct tile *left);

/* The first tile, if it is a run: what can be answered. */
struct tile *merge_front(struct merge *merge);
/* Take the closed values out of a run. They are the caller's. */
void merge_take_closed(struct merge *merge, struct tile *run, struct values *closed);
/* Take the front, which is a run, out of the merge. The segment is the caller's. */
void merge_take_front(struct merge *merge, struct segment *segment);
/* The front has lost its closed values: glue to it what is light now. */
void merge_glue_front(struct merge *merge);
/* Free a tile; its neighbours become neighbours. Only for the front (answered) and for what lies
 * behind a fault. */
void merge_remove(struct merge *merge, struct tile *tile);
/* The invariant, for tests and assertions: tiles are neighbours, from `begin` on; returns the end.
 */
struct place merge_check(const struct merge *merge, struct place begin);

#endif
