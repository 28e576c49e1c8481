/*
 * The hot loop of JSON: `number,` straight from memory while every track stands behind a comma, as
 * these bring all tracks back to where they were. Everything else is one event of the automaton.
 */
#include "source/ints.h"
#include "source/json.h"

struct scan {
    struct sink *sink;
    const uint8_t *at, *end, *begin;
    const uint8_t *fast_end; /* tokens that start before it may be read in whole words */
    uint64_t unit;           /* of `begin` */
};

static uint64_t unit_of(const struct scan *scan)
{
    return scan->unit + (uint64_t)(scan->at - scan->begin);
}

/* Every track stands behind a comma between numbers, and no token is unfinished. */
static bool is_behind_comma(const struct segment *segment)
{
    const struct edge *exit = &segment->exit;

    if (exit->text.length || !exit->track_count)
        return false;
    for (int i = 0; i < exit->track_count; i++)
        if (exit->track[i] != JSON_FLAT_COMMA && exit->track[i] != JSON_INNER_COMMA)
            return false;
    return true;
}

/* Integers with a comma behind them, at most `most`; returns how many. */
static uint64_t take_numbers(struct scan *scan, uint64_t most)
{
    struct partial *tail = &scan->sink->segment->tail;
    const struct op *op = scan->sink->op;
    uint64_t taken = 0;

    while (taken < most && scan->at < scan->fast_end) {
        const uint8_t *at = scan->at + (*scan->at == ' ');
        bool negative = *at == '-';
        const uint8_t *digits = at + negative;
        uint64_t magnitude = 0;
        unsigned count = ints_read(digits, &magnitude);

        if (!count || count > INTS_DIGITS_MAX || digits[count] != ',' ||
            (*digits == '0' && count > 1))
            break;
        op->add_int(tail, negative ? -(int64_t)magnitude : (int64_t)magnitude);
        scan->at = digits + count + 1;
        taken++;
    }
    return taken;
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
                        .unit = unit};

    json_enter(sink);
    while (scan.at < scan.end && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        if (is_behind_comma(sink->segment))
            sink_elements(sink, take_numbers(&scan, sink->boundary - sink->number));
        if (scan.at < scan.end)
            take_event(&scan);
    }
    return (size_t)(scan.at - data);
}
