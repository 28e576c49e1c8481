#include "core/merge.h"

#include "base/memory.h"
#include "core/mutant.h"

#include <assert.h>

void merge_init(struct merge *merge, const struct job_spec *spec, uint64_t run_bytes_max,
                uint64_t *held_sum)
{
    *merge = (struct merge){.spec = spec, .run_bytes_max = run_bytes_max, .held_sum = held_sum};
}

static void hold(struct merge *merge, uint64_t bytes)
{
    merge->held_bytes += bytes;
    *merge->held_sum += bytes;
}

static void let_go(struct merge *merge, uint64_t bytes)
{
    merge->held_bytes -= bytes;
    *merge->held_sum -= bytes;
}

void merge_clear(struct merge *merge)
{
    while (merge->tiles.first)
        merge_remove(merge, merge->tiles.first);
}

static void waiting_add(struct tile_list *list, struct tile *tile)
{
    assert(!tile->is_waiting);
    tile->waiting_previous = list->last;
    tile->waiting_next = NULL;
    *(list->last ? &list->last->waiting_next : &list->first) = tile;
    list->last = tile;
    tile->is_waiting = true;
}

/* What was lost or split off lies before what is fresh, and goes first. */
static void waiting_add_first(struct tile_list *list, struct tile *tile)
{
    assert(!tile->is_waiting);
    tile->waiting_previous = NULL;
    tile->waiting_next = list->first;
    *(list->first ? &list->first->waiting_previous : &list->last) = tile;
    list->first = tile;
    tile->is_waiting = true;
}

static struct tile_list *waiting_list(struct merge *merge, const struct tile *tile)
{
    return tile->state == TILE_READY ? &merge->ready : &merge->heavy;
}

static void waiting_remove(struct merge *merge, struct tile *tile)
{
    struct tile_list *list = waiting_list(merge, tile);

    if (!tile->is_waiting)
        return;
    *(tile->waiting_previous ? &tile->waiting_previous->waiting_next : &list->first) =
        tile->waiting_next;
    *(tile->waiting_next ? &tile->waiting_next->waiting_previous : &list->last) =
        tile->waiting_previous;
    tile->is_waiting = false;
}

static void insert_behind(struct merge *merge, struct tile *previous, struct tile *tile)
{
    tile->previous = previous;
    tile->next = previous ? previous->next : merge->tiles.first;
    *(previous ? &previous->next : &merge->tiles.first) = tile;
    *(tile->next ? &tile->next->previous : &merge->tiles.last) = tile;
}

/* Without its numbers: those of a large product pass any window, and its parts would then be folded
 * one after the other. */
static uint64_t run_bytes(const struct segment *run)
{
    return run->closed.packed.length + run->entry.text.length + run->exit.text.length;
}

static uint64_t bytes_held(const struct tile *tile)
{
    return tile->payload.length + (tile->run ? run_bytes(tile->run) : 0);
}

static void leave_state(struct merge *merge, struct tile *tile)
{
    waiting_remove(merge, tile);
    if (tile->state == TILE_GIVEN)
        merge->given--;
}

void merge_set_state(struct merge *merge, struct tile *tile, enum tile_state state)
{
    leave_state(merge, tile);
    tile->state = state;
    if (state == TILE_READY)
        waiting_add_first(&merge->ready, tile);
    if (state == TILE_GIVEN)
        merge->given++;
}

void merge_set_payload(struct merge *merge, struct tile *tile, struct chunk *payload)
{
    let_go(merge, tile->payload.length);
    chunk_drop(&tile->payload);
    tile->payload = *payload;
    *payload = (struct chunk){0};
    tile->by_value = true;
    hold(merge, tile->payload.length);
}

struct tile *merge_append(struct merge *merge, const struct slice *slice, struct chunk *payload)
{
    struct tile *tile = memory_new(sizeof *tile);

    tile->slice = *slice;
    insert_behind(merge, merge->tiles.last, tile);
    if (payload)
        merge_set_payload(merge, tile, payload);
    tile->state = TILE_READY;
    waiting_add(&merge->ready, tile);
    return tile;
}

/* The bytes of a by-value tile from `place` on, as the tile's new payload; the front part is
 * returned. */
static struct chunk payload_split(struct merge *merge, struct tile *tile, struct place place)
{
    const struct source *source = &merge->spec->sources[tile->slice.begin.source];
    uint64_t units =
        place.source == tile->slice.begin.source ? place.unit - tile->slice.begin.unit : UINT64_MAX;
    size_t length = tile->payload.length;
    size_t front = units < length ? (size_t)units * source_unit_bytes(source) : length;
    struct chunk left;
    struct chunk right;

    front = front < length ? front : length;
    left = chunk_part(&tile->payload, 0, front);
    right = chunk_part(&tile->payload, front, length - front);
    merge_set_payload(merge, tile, &right);
    return left;
}

struct tile *merge_split(struct merge *merge, struct tile *tile, const struct slice *right)
{
    struct tile *rest = memory_new(sizeof *rest);

    assert(place_compare(tile->slice.begin, right->begin) < 0);
    assert(place_compare(right->end, tile->slice.end) == 0);
    rest->slice = *right;
    insert_behind(merge, tile, rest);
    if (tile->by_value) {
        struct chunk left = payload_split(merge, tile, right->begin);
        struct chunk back = chunk_share(&tile->payload);

        merge_set_payload(merge, rest, &back);
        merge_set_payload(merge, tile, &left);
    }
    tile->slice.end = right->begin;
    merge_set_state(merge, rest, TILE_READY);
    return rest;
}

static bool is_run(const struct tile *tile)
{
    return tile && tile->state == TILE_RUN;
}

static void mark_heavy(struct merge *merge, struct tile *left)
{
    if (!left->is_waiting)
        waiting_add(&merge->heavy, left);
}

/* Large runs stay apart: gluing copies closed values, and an answer is to be of bounded size. So do
 * more values than can be numbered, with the one that is closed where the two meet: equal ones by
 * the run are no bytes. */
static bool is_too_much(const struct merge *merge, const struct tile *left,
                        const struct tile *right)
{
    uint64_t before = left->run->closed.packed.length;
    uint64_t count;

    if (__builtin_add_overflow(left->run->closed.count, right->run->closed.count, &count) ||
        (before && count == UINT64_MAX))
        return true;
    return (before || !merge->is_final) &&
           before + right->run->closed.packed.length > merge->run_bytes_max;
}

/* Glue the run to its right neighbour, or note that a leaf must. Returns whether it was glued. */
static bool glue_right(struct merge *merge, struct tile *left)
{
    struct tile *right = left->next;

    if (!is_run(left) || !is_run(right) || is_too_much(merge, left, right))
        return false;
    if (!left->run->fault.kind && segment_glue_weight(left->run, right->run) > HEAVY_BYTES) {
        mark_heavy(merge, left);
        return false;
    }
    let_go(merge, bytes_held(left) + bytes_held(right));
    if (MUTANT(GLUE_SWAPPED)) {
        segment_glue(right->run, left->run, merge->spec);
        segment_move(left->run, right->run);
    } else {
        segment_glue(left->run, right->run, merge->spec);
    }
    left->slice.end = right->slice.end;
    hold(merge, bytes_held(left));
    hold(merge, bytes_held(right));
    merge_remove(merge, right);
    return true;
}

static struct tile *glue_around(struct merge *merge, struct tile *run)
{
    waiting_remove(merge, run);
    while (glue_right(merge, run))
        ;
    while (is_run(run->previous)) {
        struct tile *left = run->previous;

        waiting_remove(merge, left);
        if (!glue_right(merge, left))
            break;
        run = left;
        glue_right(merge, run);
    }
    return run;
}

static void become_run(struct merge *merge, struct tile *tile, struct segment *segment)
{
    leave_state(merge, tile);
    let_go(merge, bytes_held(tile));
    chunk_drop(&tile->payload);
    tile->state = TILE_RUN;
    tile->task = NULL;
    if (!tile->run) {
        tile->run = memory_new(sizeof *tile->run);
        *tile->run = *segment;
    } else {
        segment_move(tile->run, segment);
    }
    hold(merge, bytes_held(tile));
}

/* Split off the counted prefix as a tile of its own; the old tile keeps the rest, its task and its
 * blame. */
static struct tile *prefix_tile(struct merge *merge, struct tile *tile, const struct slice *rest)
{
    struct tile *prefix = memory_new(sizeof *prefix);

    prefix->slice = tile->slice;
    prefix->slice.end = rest->begin;
    prefix->state = TILE_READING;
    insert_behind(merge, tile->previous, prefix);
    if (tile->by_value) {
        struct chunk left = payload_split(merge, tile, rest->begin);

        chunk_drop(&left);
    }
    tile->slice = *rest;
    return prefix;
}

struct tile *merge_count(struct merge *merge, struct tile *tile, const struct slice *rest,
                         struct segment *segment)
{
    struct tile *run = tile;

    assert(tile->state != TILE_RUN && tile->state != TILE_GLUING);
    assert(place_compare(tile->slice.begin, rest->begin) < 0 &&
           place_compare(rest->end, tile->slice.end) == 0);
    if (place_compare(rest->begin, rest->end) < 0)
        run = prefix_tile(merge, tile, rest);
    become_run(merge, run, segment);
    return glue_around(merge, run);
}

static bool is_balanced(const struct tile *left)
{
    uint64_t a = segment_weight(left->run);
    uint64_t b = segment_weight(left->next->run);

    return a <= 2 * b && b <= 2 * a;
}

bool merge_take_pair(struct merge *merge, bool relaxed, struct tile **left)
{
    enum { LOOK_AT = 16 };
    struct tile *at = merge->heavy.first;

    for (int i = 0; at && i < LOOK_AT; i++, at = at->waiting_next) {
        if (!is_run(at->next) || !(relaxed || is_balanced(at)))
            continue;
        *left = at;
        waiting_remove(merge, at);
        waiting_remove(merge, at->next);
        at->state = TILE_GLUING;
        at->next->state = TILE_GLUING;
        return true;
    }
    return false;
}

static struct tile *run_again(struct merge *merge, struct tile *tile)
{
    tile->state = TILE_RUN;
    tile->task = NULL;
    return glue_around(merge, tile);
}

struct tile *merge_pair_glued(struct merge *merge, struct tile *left, struct segment *segment)
{
    assert(left->state == TILE_GLUING && left->next->state == TILE_GLUING);
    left->slice.end = left->next->slice.end;
    merge_remove(merge, left->next);
    let_go(merge, bytes_held(left));
    segment_move(left->run, segment);
    hold(merge, bytes_held(left));
    return run_again(merge, left);
}

void merge_pair_lost(struct merge *merge, struct tile *left)
{
    struct tile *right = left->next;

    left->task = NULL;
    right->task = NULL;
    left->state = TILE_RUN;
    right->state = TILE_RUN;
    run_again(merge, right);
}

struct tile *merge_front(struct merge *merge)
{
    return is_run(merge->tiles.first) ? merge->tiles.first : NULL;
}

void merge_take_closed(struct merge *merge, struct tile *run, struct values *closed)
{
    let_go(merge, run->run->closed.packed.length);
    *closed = run->run->closed;
    run->run->closed = (struct values){0};
}

void merge_take_front(struct merge *merge, struct segment *segment)
{
    struct tile *front = merge->tiles.first;

    let_go(merge, run_bytes(front->run));
    *segment = *front->run;
    memory_free(front->run);
    front->run = NULL;
    merge_remove(merge, front);
}

void merge_glue_front(struct merge *merge)
{
    if (is_run(merge->tiles.first))
        glue_around(merge, merge->tiles.first);
}

void merge_remove(struct merge *merge, struct tile *tile)
{
    leave_state(merge, tile);
    let_go(merge, bytes_held(tile));
    *(tile->previous ? &tile->previous->next : &merge->tiles.first) = tile->next;
    *(tile->next ? &tile->next->previous : &merge->tiles.last) = tile->previous;
    /* The left neighbour may have waited to be glued to this one. */
    if (tile->previous && tile->previous->state == TILE_RUN)
        waiting_remove(merge, tile->previous);
    if (tile->run)
        segment_clear(tile->run);
    memory_free(tile->run);
    chunk_drop(&tile->payload);
    memory_free(tile);
}

struct place merge_check(const struct merge *merge, struct place begin)
{
    for (const struct tile *tile = merge->tiles.first; tile; tile = tile->next) {
        assert(place_compare(tile->slice.begin, begin) == 0);
        assert(place_compare(tile->slice.begin, tile->slice.end) <= 0);
        assert(!tile->next || tile->next->previous == tile);
        begin = tile->slice.end;
    }
    return begin;
}
