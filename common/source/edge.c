#include "source/edge.h"

#include "base/memory.h"

#include <string.h>

void edge_clear(struct edge *edge)
{
    bytes_clear(&edge->text);
    memory_free(edge->routes);
    *edge = (struct edge){0};
}

void edge_move(struct edge *to, struct edge *from)
{
    edge_clear(to);
    *to = *from;
    *from = (struct edge){0};
}

bool edge_append(struct edge *edge, const void *data, size_t length, enum token_grammar grammar,
                 prefix_states states)
{
    if (!edge->looked)
        edge->states = states;
    bytes_append(&edge->text, data, length);
    edge->looked += prefix_take(&edge->states, grammar, edge->text.data + edge->looked,
                                edge->text.length - edge->looked);
    if (edge->states || edge->text.length < FAULT_TEXT_BYTES)
        return false;
    edge->text.length = edge->looked < FAULT_TEXT_BYTES ? FAULT_TEXT_BYTES : edge->looked;
    return true;
}

void edge_end_token(struct edge *edge)
{
    edge->text.length = 0;
    edge->looked = 0;
}

static void append_text(const struct edge *edge, struct bytes *out)
{
    bytes_append_u64(out, edge->unit);
    bytes_append_u64(out, edge->text.length);
    bytes_append(out, edge->text.data, edge->text.length);
}

static void encode_text_edge(const struct edge *edge, struct bytes *out)
{
    bytes_append_byte(out, (uint8_t)edge->sync);
    bytes_append_byte(out, (uint8_t)(edge->blank | edge->comma << 1 | edge->cr << 2));
    bytes_append_u64(out, edge->comma_unit);
    bytes_append_u64(out, edge->cr_unit);
    bytes_append_byte(out, (uint8_t)edge->state);
    bytes_append_u64(out, edge->mark_unit);
}

static void encode_route(const struct json_route *route, struct bytes *out)
{
    bytes_append_byte(out, route->track);
    if (route->track != JSON_DEAD)
        return;
    bytes_append_byte(out, route->bounded);
    bytes_append_u64(out, route->closed);
    fault_encode(&route->fault, out);
}

static void encode_json_edge(const struct edge *edge, struct bytes *out)
{
    bytes_append_byte(out, edge->track_count);
    bytes_append(out, edge->track, edge->track_count);
    bytes_append_byte(out, edge->routes != NULL);
    if (edge->routes)
        for (int i = 0; i < JSON_STATES; i++)
            encode_route(&edge->routes[i], out);
}

void edge_encode(const struct edge *edge, struct bytes *out)
{
    bytes_append_byte(out, (uint8_t)edge->kind);
    if (edge->kind == EDGE_CLEAN)
        return;
    bytes_append_byte(out, edge->token);
    bytes_append_u32(out, edge->source);
    append_text(edge, out);
    if (edge->kind == EDGE_TEXT)
        encode_text_edge(edge, out);
    if (edge->kind == EDGE_JSON)
        encode_json_edge(edge, out);
}

static bool decode_text(struct edge *edge, struct reader *in)
{
    uint64_t length;
    const uint8_t *text;

    edge->unit = reader_u64(in);
    length = reader_u64(in);
    text = reader_take(in, length);
    if (in->failed)
        return false;
    if (length)
        bytes_append(&edge->text, text, (size_t)length);
    return true;
}

static bool decode_text_edge(struct edge *edge, struct reader *in)
{
    uint8_t sync = reader_u8(in);
    uint8_t flags = reader_u8(in);
    uint8_t state;

    edge->comma_unit = reader_u64(in);
    edge->cr_unit = reader_u64(in);
    state = reader_u8(in);
    edge->mark_unit = reader_u64(in);
    if (in->failed || sync > TEXT_SYNC_FAULT || flags > 7 || state >= TEXT_STATES)
        return false;
    edge->sync = (enum text_sync)sync;
    edge->blank = flags & 1;
    edge->comma = flags >> 1 & 1;
    edge->cr = flags >> 2 & 1;
    edge->state = (enum text_state)state;
    return state != TEXT_TOKEN || edge->text.length;
}

static bool decode_route(struct json_route *route, struct reader *in)
{
    uint8_t bounded;

    route->track = reader_u8(in);
    if (route->track != JSON_DEAD)
        return route->track < JSON_STATES;
    bounded = reader_u8(in);
    route->bounded = bounded == 1;
    route->closed = reader_u64(in);
    return bounded <= 1 && fault_decode(&route->fault, in) && route->fault.kind;
}

static bool decode_json_edge(struct edge *edge, struct reader *in)
{
    const uint8_t *tracks;
    uint8_t has_routes;

    edge->track_count = reader_u8(in);
    if (edge->track_count > JSON_STATES)
        return false;
    tracks = reader_take(in, edge->track_count);
    has_routes = reader_u8(in);
    if (in->failed || has_routes > 1)
        return false;
    for (int i = 0; i < edge->track_count; i++)
        if (tracks[i] >= JSON_STATES)
            return false;
    if (edge->track_count)
        memcpy(edge->track, tracks, edge->track_count);
    if (!has_routes)
        return true;
    edge->routes = memory_array(JSON_STATES, sizeof *edge->routes);
    for (int i = 0; i < JSON_STATES; i++)
        if (!decode_route(&edge->routes[i], in))
            return false;
    return !in->failed;
}

bool edge_decode(struct edge *edge, struct reader *in)
{
    uint8_t kind = reader_u8(in);
    uint8_t token;

    if (in->failed || kind >= EDGE_KINDS)
        return false;
    edge->kind = (enum edge_kind)kind;
    if (kind == EDGE_CLEAN)
        return true;
    token = reader_u8(in);
    edge->token = token == 1;
    edge->source = reader_u32(in);
    if (token > 1 || !decode_text(edge, in))
        return false;
    if (kind == EDGE_TEXT)
        return decode_text_edge(edge, in);
    return kind != EDGE_JSON || decode_json_edge(edge, in);
}
