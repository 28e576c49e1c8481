/*
 * The hot loop of text: integers of up to 18 digits, each with one separator or line end behind it,
 * straight from memory. Whatever else comes is one event of the automaton in text.c, and then back
 * to the loop. Lines of plain sums never leave registers.
 */
#include "source/ints.h"
#include "source/text.h"

struct scan {
    struct sink *sink;
    const uint8_t *at, *end, *begin;
    const uint8_t *fast_end; /* tokens that start before it may be read in whole words */
    uint64_t unit;           /* of `begin` */
    uint64_t room_bytes;
    bool is_sum;
};

/* What the hot loop keeps in registers of a sublist's elements. */
struct run {
    const uint8_t *at;
    uint64_t count;
    int64_t sum;
    enum text_state state;
};

static uint64_t unit_of(const struct scan *scan, const uint8_t *at)
{
    return scan->unit + (uint64_t)(at - scan->begin);
}

static void add_int(struct scan *scan, struct run *run, int64_t value)
{
    struct sink *sink = scan->sink;
    uint64_t most = sink->spec->value_bytes_max;

    if (!scan->is_sum) {
        sink->op->add_int(&sink->segment->tail, value, most);
    } else if (__builtin_add_overflow(run->sum, value, &run->sum)) {
        /* The wrapped sum is off by 2^64: take the value out again. */
        sink->op->add_int(&sink->segment->tail, (int64_t)((uint64_t)run->sum - (uint64_t)value),
                          most);
        run->sum = value;
    }
}

/*
 * Integers up to the newline, one that begins a new sublist, or what is not for this loop; at most
 * `most` of them. Returns whether the newline was the last byte taken.
 */
static bool take_line(struct scan *scan, struct run *run, uint64_t most)
{
    while (run->count < most) {
        bool negative = *run->at == '-';
        const uint8_t *digits = run->at + negative;
        uint64_t magnitude = 0;
        unsigned count = ints_read(digits, &magnitude);
        const uint8_t *behind = digits + count;

        if (!count || count > INTS_DIGITS_MAX)
            return false;
        behind += *behind == '\r' && behind[1] == '\n';
        if (TEXT_CLASS[*behind] == TEXT_IS_TOKEN || *behind == '\r')
            return false;
        add_int(scan, run, negative ? -(int64_t)magnitude : (int64_t)magnitude);
        run->count++;
        run->at = behind + 1;
        if (*behind == '\n')
            return true;
        run->state = TEXT_CLASS[*behind] == TEXT_IS_COMMA ? TEXT_COMMA : TEXT_AFTER;
        if (run->at >= scan->fast_end)
            return false;
    }
    return false;
}

/* What the loop kept goes into the segment. */
static void put_run(struct scan *scan, const struct run *run)
{
    struct sink *sink = scan->sink;
    struct edge *exit = &sink->segment->exit;

    if (scan->is_sum)
        sink->op->add_int(&sink->segment->tail, run->sum, sink->spec->value_bytes_max);
    exit->state = run->state;
    if (run->state == TEXT_COMMA)
        exit->mark_unit = unit_of(scan, run->at - 1);
    scan->at = run->at;
}

/* A sum of nothing but these: straight to the closed values. */
static bool close_sum(struct scan *scan, const struct run *run)
{
    struct sink *sink = scan->sink;
    struct segment *segment = sink->segment;
    struct partial *tail = &segment->tail;
    int64_t sum;

    if (!scan->is_sum || !sink->has_sublists || !segment->bounded || !sink_is_small(sink) ||
        sink->spec->type == ELEMENT_FLOAT || __builtin_add_overflow(tail->small, run->sum, &sum))
        return false;
    values_append_int(&segment->closed, sum);
    tail->open = false;
    tail->has_elements = false;
    tail->small = 0;
    return true;
}

/* An integer that take_line() takes is here. */
static bool is_at_int(const struct scan *scan)
{
    const uint8_t *digits = scan->at + (*scan->at == '-');
    uint64_t magnitude;
    unsigned count = ints_read(digits, &magnitude);
    const uint8_t *behind = digits + count;

    behind += *behind == '\r' && behind[1] == '\n';
    return count && count <= INTS_DIGITS_MAX && TEXT_CLASS[*behind] != TEXT_IS_TOKEN &&
           *behind != '\r';
}

/* Take lines while they are of the simple kind. The boundary before an element that begins a
 * sublist by its number comes only when that element is there. */
static void take_lines(struct scan *scan)
{
    struct sink *sink = scan->sink;
    struct segment *segment = sink->segment;

    while (scan->at < scan->fast_end && !sink_is_faulty(sink) &&
           !sink_is_full(sink, scan->room_bytes)) {
        struct run run = {.at = scan->at, .state = segment->exit.state};
        bool ends_line;

        if (sink->number == sink->boundary && is_at_int(scan))
            sink_number_boundary(sink);
        ends_line = take_line(scan, &run, sink->boundary - sink->number);
        if (!run.count)
            return;
        sink_elements(sink, run.count);
        if (ends_line && close_sum(scan, &run)) {
            scan->at = run.at;
            segment->exit.state = TEXT_LINE;
            segment->lines++;
            continue;
        }
        put_run(scan, &run);
        if (ends_line) {
            segment->exit.state = TEXT_AFTER;
            text_newline(sink);
        }
    }
}

static const uint8_t *end_of_class(const struct scan *scan, uint8_t class)
{
    const uint8_t *at = scan->at;

    while (at < scan->end && TEXT_CLASS[*at] == class)
        at++;
    return at;
}

static void take_token(struct scan *scan)
{
    struct sink *sink = scan->sink;
    const uint8_t *end = end_of_class(scan, TEXT_IS_TOKEN);
    enum text_state state = sink->segment->exit.state;
    size_t length = (size_t)(end - scan->at);

    if (end < scan->end && state != TEXT_TOKEN && state != TEXT_NOTHING)
        text_whole_token(sink, scan->at, length, unit_of(scan, scan->at));
    else
        text_token_bytes(sink, scan->at, length, unit_of(scan, scan->at));
    scan->at = end;
}

/* Behind a newline: more of them are empty lines, all of one value. */
static void take_empty_lines(struct scan *scan)
{
    const uint64_t newlines = UINT64_C(0x0a0a0a0a0a0a0a0a);
    const uint8_t *at = scan->at;

    while (scan->end - at >= 8 && ints_load(at) == newlines)
        at += 8;
    while (at < scan->end && *at == '\n')
        at++;
    if (at == scan->at)
        return;
    scan->sink->segment->lines += (uint64_t)(at - scan->at);
    if (scan->sink->has_sublists)
        sink_empty_sublists(scan->sink, (uint64_t)(at - scan->at));
    scan->at = at;
}

/* One event, or one run of bytes of a kind. */
static void take_event(struct scan *scan)
{
    struct sink *sink = scan->sink;
    uint64_t unit = unit_of(scan, scan->at);

    switch ((enum text_class)TEXT_CLASS[*scan->at]) {
    case TEXT_IS_TOKEN:
        take_token(scan);
        return;
    case TEXT_IS_BLANK:
        text_blank(sink);
        scan->at = end_of_class(scan, TEXT_IS_BLANK);
        return;
    case TEXT_IS_COMMA:
        text_comma(sink, unit);
        break;
    case TEXT_IS_CR:
        text_cr(sink, unit);
        break;
    case TEXT_IS_NEWLINE:
        text_newline(sink);
        scan->at++;
        if (!sink_is_faulty(sink))
            take_empty_lines(scan);
        return;
    }
    scan->at++;
}

static bool may_start_token(const struct segment *segment)
{
    switch (segment->exit.state) {
    case TEXT_NOTHING:
    case TEXT_BLANK:
    case TEXT_TOKEN:
    case TEXT_CR:
    case TEXT_STATES:
        return false;
    case TEXT_COMMA:
        return segment->entry.kind != EDGE_TEXT || segment->entry.sync != TEXT_SYNC_NONE;
    case TEXT_LINE:
    case TEXT_AFTER:
        return true;
    }
    return false;
}

size_t text_feed(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit,
                 uint64_t room_bytes)
{
    struct scan scan = {.sink = sink,
                        .at = data,
                        .end = data + length,
                        .fast_end = length > INTS_BYTES ? data + length - INTS_BYTES : data,
                        .begin = data,
                        .unit = unit,
                        .room_bytes = room_bytes,
                        .is_sum = sink->spec->op == OP_SUM};

    text_enter(sink);
    while (scan.at < scan.end && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        if (may_start_token(sink->segment))
            take_lines(&scan);
        if (scan.at < scan.end && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes))
            take_event(&scan);
    }
    return (size_t)(scan.at - data);
}
