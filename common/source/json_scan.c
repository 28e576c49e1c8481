/*
 * The hot loop of JSON: `number,` straight from memory while every track stands behind a comma, as
 * these bring all tracks back to where they were; a row's first and last number with two steps of
 * the automaton. Everything else is one event of the automaton.
 */
#include "source/ints.h"
#include "source/json.h"

struct scan {
    struct sink *sink;
    const uint8_t *at, *end, *begin;
    const uint8_t *fast_end; /* tokens that start before it may be read in whole words */
    uint64_t unit;           /* of `begin` */
    bool is_sum;
};

static uint64_t unit_of(const struct scan *scan)
{
    return scan->unit + (uint64_t)(scan->at - scan->begin);
}

enum standing { AT_NO_VALUE, AT_VALUE, BEHIND_COMMA };

/* Whether every track may be at a number, and whether behind a comma; no token is unfinished. */
static enum standing standing_of(const struct segment *segment)
{
    const struct edge *exit = &segment->exit;
    enum standing standing = BEHIND_COMMA;

    if (exit->text.length || !exit->track_count)
        return AT_NO_VALUE;
    for (int i = 0; i < exit->track_count; i++) {
        uint8_t state = exit->track[i];

        if (state == JSON_OPEN || state == JSON_INNER_OPEN)
            standing = AT_VALUE;
        else if (state != JSON_FLAT_COMMA && state != JSON_INNER_COMMA)
            return AT_NO_VALUE;
    }
    return standing;
}

/* An integer straight from memory: its value, and the byte behind it; NULL when it is not one for
 * this loop. */
static const uint8_t *take_int(const uint8_t *at, int64_t *value)
{
    bool negative = *at == '-';
    uint64_t magnitude = 0;
    unsigned count;

    at += negative;
    count = ints_read(at, &magnitude);
    if (!count || count > INTS_DIGITS_MAX || (*at == '0' && count > 1))
        return NULL;
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return at + count;
}

static void add_int(struct scan *scan, int64_t value, int64_t *sum)
{
    struct sink *sink = scan->sink;
    uint64_t most = sink->spec->value_bytes_max;

    if (!scan->is_sum) {
        sink->op->add_int(&sink->segment->tail, value, most);
    } else if (__builtin_add_overflow(*sum, value, sum)) {
        /* The wrapped sum is off by 2^64: take the value out again. */
        sink->op->add_int(&sink->segment->tail, (int64_t)((uint64_t)*sum - (uint64_t)value), most);
        *sum = value;
    }
}

/* `number,` at most `most` times; returns how often. */
static uint64_t take_behind_commas(struct scan *scan, uint64_t most)
{
    uint64_t taken = 0;
    int64_t sum = 0, value;

    for (; taken < most && scan->at < scan->fast_end; taken++) {
        const uint8_t *behind = take_int(scan->at + (*scan->at == ' '), &value);

        if (!behind || *behind != ',')
            break;
        add_int(scan, value, &sum);
        scan->at = behind + 1;
    }
    if (taken && scan->is_sum)
        scan->sink->op->add_int(&scan->sink->segment->tail, sum, scan->sink->spec->value_bytes_max);
    return taken;
}

/* A number with a comma or bracket behind it, which the automaton then takes. */
static void take_one(struct scan *scan)
{
    struct sink *sink = scan->sink;
    const uint8_t *at = scan->at + (*scan->at == ' ');
    int64_t value;
    const uint8_t *behind = take_int(at, &value);

    if (!behind || (*behind != ',' && *behind != ']'))
        return;
    sink_element(sink);
    sink->op->add_int(&sink->segment->tail, value, sink->spec->value_bytes_max);
    json_step(sink, JSON_EVENT_VALUE, 0, 0);
    scan->at = behind;
    json_other_byte(sink, *behind, unit_of(scan));
    scan->at++;
}

static void take_numbers(struct scan *scan)
{
    struct sink *sink = scan->sink;
    enum standing standing = standing_of(sink->segment);

    if (standing == BEHIND_COMMA)
        sink_elements(sink, take_behind_commas(scan, sink->boundary - sink->number));
    if (standing != AT_NO_VALUE && scan->at < scan->fast_end)
        take_one(scan);
}

static const uint8_t *end_of_token(const struct scan *scan)
{
    const uint8_t *at = scan->at;

    while (at < scan->end && JSON_CLASS[*at] == JSON_IS_TOKEN)
        at++;
    return at;
}

static void take_token(struct scan *scan)
{
    struct sink *sink = scan->sink;
    const uint8_t *end = end_of_token(scan);
    size_t length = (size_t)(end - scan->at);

    if (end < scan->end && !sink->segment->exit.text.length && !json_is_all_entry(sink->segment))
        json_whole_token(sink, scan->at, length, unit_of(scan));
    else
        json_token_bytes(sink, scan->at, length, unit_of(scan));
    scan->at = end;
}

static void take_event(struct scan *scan)
{
    if (JSON_CLASS[*scan->at] == JSON_IS_TOKEN) {
        take_token(scan);
        return;
    }
    json_other_byte(scan->sink, *scan->at, unit_of(scan));
    scan->at++;
}

size_t json_feed(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit,
                 uint64_t room_bytes)
{
    struct scan scan = {.sink = sink,
                        .at = data,
                        .end = data + length,
                        .begin = data,
                        .fast_end = length > INTS_BYTES ? data + length - INTS_BYTES : data,
                        .unit = unit,
                        .is_sum = sink->spec->op == OP_SUM};

    json_enter(sink);
    while (scan.at < scan.end && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        take_numbers(&scan);
        if (scan.at < scan.end && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes))
            take_event(&scan);
    }
    return (size_t)(scan.at - data);
}
