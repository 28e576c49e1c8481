/*
 * Gluing JSON: the left segment's tracks meet the right one's routes.
 *
 * Where a route ends in a fault, only what the right segment closed before that fault counts. The
 * left's own entry states that lead there get a route to that fault, with the count of values
 * shifted; if it is the left's only track, the fault is the union's.
 */
#include "source/json.h"

#include <string.h>

/* The first `count` values; a run is cut where it must be. */
static void keep_values(struct values *values, uint64_t count)
{
    struct values kept = {0};
    struct reader in = reader_of(values->packed.data, values->packed.length);
    struct values_run run;

    while (kept.count < count && values_next_run(&in, &run)) {
        uint64_t left = count - kept.count;
        uint64_t taken = run.kind != VALUES_TEXT && run.count > left ? left : run.count;
        size_t width = run.kind == VALUES_INT || run.kind == VALUES_FLOAT ? 8 : 0;

        kept.last_run = kept.packed.length;
        bytes_append_byte(&kept.packed, (uint8_t)run.kind);
        bytes_append_u64(&kept.packed, taken);
        bytes_append(&kept.packed, run.payload, width ? (size_t)taken * width : run.payload_bytes);
        kept.count += run.kind == VALUES_TEXT ? 1 : taken;
    }
    values_clear(values);
    *values = kept;
}

/* Leave of `right` what stands before the fault at the end of the route. */
static void cut_at_route(struct segment *right, const struct json_route *route, const struct op *op)
{
    struct fault fault = route->fault;

    if (!route->bounded) {
        partial_clear(&right->head);
        partial_init(&right->head, op->identity);
        right->bounded = false;
    }
    partial_clear(&right->tail);
    partial_init(&right->tail, op->identity);
    keep_values(&right->closed, route->bounded ? route->closed : 0);
    right->fault = fault;
}

/* The left segment where the right one begins. */
struct meeting {
    uint8_t count;
    uint8_t state[JSON_STATES];
    bool bounded;
    uint64_t closed;
};

static struct meeting meeting_of(const struct segment *left)
{
    struct meeting meeting = {
        .count = left->exit.track_count, .bounded = left->bounded, .closed = left->closed.count};

    memcpy(meeting.state, left->exit.track, sizeof meeting.state);
    return meeting;
}

static const struct json_route *route_of(const struct meeting *meeting, const struct segment *right,
                                         uint8_t track)
{
    return &right->entry.routes[meeting->state[track]];
}

/* If all tracks end in faults, the one with the last fault; else JSON_DEAD. */
static uint8_t last_fault(const struct meeting *meeting, const struct segment *right)
{
    uint8_t last = JSON_DEAD;

    for (uint8_t i = 0; i < meeting->count; i++) {
        const struct json_route *route = route_of(meeting, right, i);

        if (route->track != JSON_DEAD)
            return JSON_DEAD;
        if (last == JSON_DEAD || route->fault.unit > route_of(meeting, right, last)->fault.unit)
            last = i;
    }
    return last;
}

/* The right's tracks that the left leads to, numbered anew; the others go. */
static void prune_tracks(struct edge *exit, const struct meeting *meeting,
                         const struct segment *right, uint8_t to[JSON_STATES])
{
    uint8_t kept[JSON_STATES];
    uint8_t count = 0;

    memset(to, JSON_DEAD, JSON_STATES);
    for (uint8_t i = 0; i < meeting->count; i++) {
        uint8_t track = route_of(meeting, right, i)->track;

        if (track == JSON_DEAD || to[track] != JSON_DEAD)
            continue;
        to[track] = count;
        kept[count++] = exit->track[track];
    }
    if (exit->kind != EDGE_JSON)
        return;
    memcpy(exit->track, kept, count);
    exit->track_count = count;
}

/* The left's route ends in the fault that `next`, the right's, ends in. */
static void end_route(const struct segment *left, struct json_route *route,
                      const struct json_route *next, const struct meeting *meeting, uint64_t behind)
{
    *route = *next;
    route->bounded = meeting->bounded || next->bounded;
    route->closed = next->bounded ? behind + next->closed : meeting->closed;
    fault_rebase(&route->fault, left->lines, left->lines_are_absolute);
}

/* Lead the left's routes on through the right's. `behind`: closed values before the right's. */
static void lead_on(struct segment *left, const struct segment *right,
                    const struct meeting *meeting, const uint8_t to[JSON_STATES], uint64_t behind)
{
    for (int i = 0; i < JSON_STATES; i++) {
        struct json_route *route = &left->entry.routes[i];
        const struct json_route *next;

        if (route->track >= meeting->count)
            continue;
        next = route_of(meeting, right, route->track);
        if (next->track != JSON_DEAD)
            route->track = to[next->track];
        else
            end_route(left, route, next, meeting, behind);
    }
}

/*
 * Closing the left's last sublist was a fault, at the right's first boundary. It is the union's,
 * but for entry states that lead to a fault before that.
 */
static void end_before_closing(struct segment *left, const struct segment *right,
                               const struct meeting *meeting)
{
    for (int i = 0; left->entry.routes && i < JSON_STATES; i++) {
        struct json_route *route = &left->entry.routes[i];
        const struct json_route *next;

        if (route->track >= meeting->count)
            continue;
        next = route_of(meeting, right, route->track);
        if (next->track == JSON_DEAD && !next->bounded)
            end_route(left, route, next, meeting, 0);
    }
}

/* The left segment is only leading token bytes: more of them, or what the right one knows. */
static void adopt_entry(struct sink *sink, struct segment *right)
{
    struct edge *entry = &sink->segment->entry;

    if (!entry->text.length)
        entry->unit = right->entry.unit;
    edge_append(entry, right->entry.text.data, right->entry.text.length, TOKEN_JSON,
                prefix_inside());
    entry->routes = right->entry.routes;
    right->entry.routes = NULL;
    sink_append(sink, right);
}

void json_replay(struct sink *sink, struct segment *right)
{
    struct segment *left = sink->segment;
    struct meeting meeting;
    uint8_t last, to[JSON_STATES];
    uint64_t right_closed;

    json_enter(sink);
    if (json_is_all_entry(left)) {
        adopt_entry(sink, right);
        return;
    }
    if (right->entry.text.length)
        json_token_bytes(sink, right->entry.text.data, right->entry.text.length, right->entry.unit);
    if (!right->entry.routes || sink_is_faulty(sink))
        return;
    json_end_pending(sink);
    if (sink_is_faulty(sink))
        return;
    meeting = meeting_of(left);
    last = last_fault(&meeting, right);
    if (last != JSON_DEAD)
        cut_at_route(right, route_of(&meeting, right, last), sink->op);
    right_closed = right->closed.count;
    sink_append(sink, right);
    if (sink_is_faulty(sink)) {
        end_before_closing(left, right, &meeting);
        return;
    }
    prune_tracks(&right->exit, &meeting, right, to);
    if (left->entry.kind == EDGE_JSON && left->entry.routes)
        lead_on(left, right, &meeting, to, left->closed.count - right_closed);
}
