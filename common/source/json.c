#include "source/json.h"

#include "base/memory.h"

const uint8_t JSON_CLASS[256] = {
    [' '] = JSON_IS_BLANK, ['\t'] = JSON_IS_BLANK, ['\r'] = JSON_IS_BLANK,   [','] = JSON_IS_COMMA,
    ['['] = JSON_IS_OPEN,  [']'] = JSON_IS_CLOSE,  ['\n'] = JSON_IS_NEWLINE,
};

enum {
    XX = JSON_DEAD,
    NO = JSON_NOTHING,
    TO = JSON_TOP,
    TA = JSON_TOP_AFTER,
    OP = JSON_OPEN,
    FA = JSON_FLAT_AFTER,
    FC = JSON_FLAT_COMMA,
    OA = JSON_OUTER_AFTER,
    OC = JSON_OUTER_COMMA,
    IO = JSON_INNER_OPEN,
    IA = JSON_INNER_AFTER,
    IC = JSON_INNER_COMMA
};

static const uint8_t NEXT[JSON_EVENTS][JSON_STATES] = {
    /*                        NO  TO  TA  OP  FA  FC  OA  OC  IO  IA  IC */
    [JSON_EVENT_OPEN] = {OP, OP, XX, IO, XX, XX, XX, IO, XX, XX, XX},
    [JSON_EVENT_CLOSE] = {XX, XX, XX, TA, TA, XX, TA, XX, OA, OA, XX},
    [JSON_EVENT_COMMA] = {XX, XX, XX, XX, FC, XX, OC, XX, XX, IC, XX},
    [JSON_EVENT_NEWLINE] = {NO, TO, TO, OP, FA, FC, OA, OC, IO, IA, IC},
    [JSON_EVENT_TOKEN] = {XX, XX, XX, OP, XX, FC, XX, XX, IO, XX, IC},
    [JSON_EVENT_VALUE] = {XX, XX, XX, FA, XX, FA, XX, XX, IA, XX, IA},
    [JSON_EVENT_END] = {XX, NO, NO, XX, XX, XX, XX, XX, XX, XX, XX},
};

/* All entry states are possible, and nothing has happened to them yet. */
static void begin_routes(struct segment *segment)
{
    struct edge *entry = &segment->entry;

    entry->routes = memory_array(JSON_STATES, sizeof *entry->routes);
    segment->exit.track_count = JSON_STATES;
    for (int i = 0; i < JSON_STATES; i++) {
        entry->routes[i].track = (uint8_t)i;
        segment->exit.track[i] = (uint8_t)i;
    }
}

void json_begin_inside(struct segment *segment, const struct slice *slice, bool is_numbered)
{
    segment->entry.kind = EDGE_JSON;
    segment->entry.source = slice->begin.source;
    segment->exit.kind = EDGE_JSON;
    segment->exit.source = slice->begin.source;
    if (is_numbered && !slice->in_token)
        begin_routes(segment);
}

struct edge *json_enter(struct sink *sink)
{
    struct edge *exit = &sink->segment->exit;

    if (exit->kind == EDGE_JSON)
        return exit;
    edge_clear(exit);
    exit->kind = EDGE_JSON;
    exit->source = sink->source;
    exit->track_count = 1;
    exit->track[0] = JSON_NOTHING;
    return exit;
}

bool json_is_all_entry(const struct segment *segment)
{
    return segment->entry.kind == EDGE_JSON && !segment->entry.routes;
}

static void turn_routes(struct segment *segment, uint8_t from, uint8_t to)
{
    if (segment->entry.routes)
        for (int i = 0; i < JSON_STATES; i++)
            if (segment->entry.routes[i].track == from)
                segment->entry.routes[i].track = to;
}

/* The track has no routes any more: the last one takes its place. */
static void remove_track(struct segment *segment, uint8_t index)
{
    struct edge *exit = &segment->exit;
    uint8_t last = --exit->track_count;

    exit->track[index] = exit->track[last];
    if (index != last)
        turn_routes(segment, last, index);
}

/* The entry states that lead to this track end in a fault: where, and behind how many values. */
static void end_routes(struct segment *segment, uint8_t index, const struct json_route *dead)
{
    for (int i = 0; i < JSON_STATES; i++)
        if (segment->entry.routes[i].track == index)
            segment->entry.routes[i] = *dead;
    remove_track(segment, index);
}

static struct fault fault_at(const struct sink *sink, enum fault_kind kind, uint64_t unit)
{
    const struct segment *segment = sink->segment;

    return (struct fault){.kind = kind,
                          .source = sink->source,
                          .unit = unit,
                          .line = segment->lines,
                          .line_is_absolute = segment->lines_are_absolute};
}

static bool is_other_value(uint8_t byte)
{
    return byte == '"' || byte == '{' || byte == 't' || byte == 'f' || byte == 'n';
}

static struct fault fault_of(const struct sink *sink, uint8_t state, enum json_event event,
                             uint64_t unit, uint8_t byte)
{
    bool at_top = state == JSON_NOTHING || state == JSON_TOP;
    char text[2] = {(char)state, (char)byte};
    struct fault fault;

    if (event == JSON_EVENT_END) {
        fault = fault_at(sink, FAULT_JSON_CUT_OFF, unit);
    } else if (event == JSON_EVENT_TOKEN && at_top && is_other_value(byte)) {
        fault = fault_at(sink, FAULT_JSON_NOT_NUMERIC, unit);
        fault_set_text(&fault, text + 1, 1);
    } else {
        fault = fault_at(sink, FAULT_JSON_SYNTAX, unit);
        fault_set_text(&fault, text, 2);
    }
    return fault;
}

/* One track ends. The last one's fault is the segment's own. */
static void kill_track(struct sink *sink, uint8_t index, const struct fault *fault)
{
    struct segment *segment = sink->segment;
    struct json_route dead = {.track = JSON_DEAD,
                              .bounded = segment->bounded,
                              .closed = segment->closed.count,
                              .fault = *fault};

    if (segment->exit.track_count > 1 && segment->entry.routes)
        end_routes(segment, index, &dead);
    else
        segment->fault = *fault;
}

static void unite_tracks(struct segment *segment)
{
    struct edge *exit = &segment->exit;

    for (uint8_t i = 0; i + 1 < exit->track_count; i++)
        for (uint8_t j = (uint8_t)(exit->track_count - 1); j > i; j--)
            if (exit->track[i] == exit->track[j]) {
                turn_routes(segment, j, i);
                remove_track(segment, j);
            }
}

void json_step(struct sink *sink, enum json_event event, uint64_t unit, uint8_t byte)
{
    struct segment *segment = sink->segment;
    struct edge *exit = &segment->exit;

    for (uint8_t i = exit->track_count; i-- > 0;) {
        uint8_t state = exit->track[i];
        uint8_t next = NEXT[event][state];

        if (next == JSON_DEAD) {
            struct fault fault = fault_of(sink, state, event, unit, byte);

            kill_track(sink, i, &fault);
        } else {
            exit->track[i] = next;
        }
    }
    if (exit->track_count > 1)
        unite_tracks(segment);
}

static void start_token(struct sink *sink, uint64_t unit, uint8_t byte)
{
    json_step(sink, JSON_EVENT_TOKEN, unit, byte);
    if (!sink_is_faulty(sink))
        sink_element(sink);
}

static void end_token(struct sink *sink, const void *text, size_t length, uint64_t unit)
{
    sink_token(sink, text, length, unit, true);
    if (!sink_is_faulty(sink))
        json_step(sink, JSON_EVENT_VALUE, unit, 0);
}

void json_token_bytes(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit)
{
    struct edge *exit = json_enter(sink);
    struct edge *entry = &sink->segment->entry;

    if (json_is_all_entry(sink->segment)) {
        if (!entry->text.length)
            entry->unit = unit;
        edge_append(entry, data, length, TOKEN_JSON, prefix_inside());
        return;
    }
    if (!exit->text.length) {
        start_token(sink, unit, data[0]);
        exit->unit = unit;
    }
    if (sink_is_faulty(sink))
        return;
    sink_token_bytes(sink, exit, data, length, true);
}

void json_whole_token(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit)
{
    json_enter(sink);
    start_token(sink, unit, data[0]);
    if (!sink_is_faulty(sink))
        end_token(sink, data, length, unit);
}

void json_end_pending(struct sink *sink)
{
    struct edge *exit = json_enter(sink);

    if (json_is_all_entry(sink->segment)) {
        begin_routes(sink->segment);
    } else if (exit->text.length) {
        end_token(sink, exit->text.data, exit->text.length, exit->unit);
        edge_end_token(exit);
    }
}

void json_other_byte(struct sink *sink, uint8_t byte, uint64_t unit)
{
    json_end_pending(sink);
    if (sink_is_faulty(sink))
        return;
    switch ((enum json_class)JSON_CLASS[byte]) {
    case JSON_IS_TOKEN:
    case JSON_IS_BLANK:
        break;
    case JSON_IS_NEWLINE:
        json_step(sink, JSON_EVENT_NEWLINE, unit, byte);
        sink->segment->lines++;
        break;
    case JSON_IS_COMMA:
        json_step(sink, JSON_EVENT_COMMA, unit, byte);
        break;
    case JSON_IS_OPEN:
        json_step(sink, JSON_EVENT_OPEN, unit, byte);
        if (!sink_is_faulty(sink))
            sink_open(sink);
        break;
    case JSON_IS_CLOSE:
        json_step(sink, JSON_EVENT_CLOSE, unit, byte);
        if (!sink_is_faulty(sink))
            sink_boundary(sink);
        break;
    }
}

void json_end(struct sink *sink, uint64_t unit)
{
    json_end_pending(sink);
    if (!sink_is_faulty(sink))
        json_step(sink, JSON_EVENT_END, unit, 0);
    if (sink_is_faulty(sink))
        return;
    sink_boundary(sink);
    edge_clear(&sink->segment->exit);
}

bool json_ends_in_token(const struct segment *segment)
{
    return segment->exit.text.length || (json_is_all_entry(segment) && segment->entry.text.length);
}
