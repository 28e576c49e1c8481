#include "source/sink.h"

#include "number/token.h"

#include <assert.h>

void sink_init(struct sink *sink, struct segment *segment, const struct job_spec *spec)
{
    *sink = (struct sink){.segment = segment, .spec = spec, .op = op_of(spec->op)};
    assert(sink->op);
    sink->has_sublists = spec->cut.kind == CUT_SUBLISTS;
    sink->boundary = UINT64_MAX;
    sink->token_bytes_max = token_bytes_max(spec->value_bytes_max);
}

/* The first number from `element` on that begins a sublist. */
static uint64_t first_boundary(const struct cut *cut, uint64_t element)
{
    return element ? cut_sublist_end(cut, element - 1) : 0;
}

void sink_begin(struct sink *sink, struct segment *segment, const struct job_spec *spec,
                const struct slice *slice)
{
    bool begins_job = slice->begin.source == 0 && slice->begin.unit == 0;

    sink_init(sink, segment, spec);
    sink->source = slice->begin.source;
    sink->number = slice->element;
    if (segment->kind == SEGMENT_FOLD && cut_is_numbered(&spec->cut))
        sink->boundary = first_boundary(&spec->cut, slice->element);
    segment->bounded = begins_job || (sink->has_sublists && slice->begin.unit == 0);
    segment->lines_are_absolute = slice->begin.unit == 0;
}

void sink_fault(struct sink *sink, enum fault_kind kind, uint64_t unit, const void *text,
                size_t length)
{
    struct segment *segment = sink->segment;

    if (segment->fault.kind)
        return;
    segment->fault = (struct fault){.kind = kind,
                                    .source = sink->source,
                                    .unit = unit,
                                    .line = segment->lines,
                                    .line_is_absolute = segment->lines_are_absolute};
    fault_set_text(&segment->fault, text, length);
}

void sink_status(struct sink *sink, enum op_status status)
{
    switch (status) {
    case OP_OK:
        break;
    case OP_FLOAT_REFUSED:
        sink_fault(sink, FAULT_FLOAT_PRODUCT, 0, "", 0);
        break;
    case OP_TOO_LARGE:
        sink_fault(sink, FAULT_VALUE_TOO_LARGE, 0, "", 0);
        break;
    }
}

/* Between two sublists: what is open on the left is closed, or waits as the head. */
void sink_cut(struct sink *sink)
{
    struct segment *segment = sink->segment;

    if (!segment->bounded) {
        partial_move(&segment->head, &segment->tail, sink->op->identity);
        segment->bounded = true;
        return;
    }
    if (!segment->tail.open)
        return;
    if (!sink_is_small(sink))
        sink->op->settle(&segment->tail, sink->spec->value_bytes_max);
    sink_status(sink, sink->op->finish(&segment->tail, sink->spec->type,
                                       sink->spec->value_bytes_max, &segment->closed));
}

uint64_t sink_run(const struct sink *sink)
{
    if (sink->number != sink->boundary)
        return sink->boundary - sink->number;
    return cut_sublist_end(&sink->spec->cut, sink->number) - sink->number;
}

void sink_number_boundary(struct sink *sink)
{
    sink->boundary = cut_sublist_end(&sink->spec->cut, sink->boundary);
    sink_cut(sink);
}

void sink_lanes(struct sink *sink, enum lane lane, const void *elements, size_t count)
{
    sink_status(sink, sink->op->add_lanes(&sink->segment->tail, lane, elements, count,
                                          sink->spec->value_bytes_max));
}

/* --split into more parts than there are elements: the rest are empty. */
static void append_empty_parts(struct sink *sink)
{
    const struct cut *cut = &sink->spec->cut;
    uint64_t empty = cut->parts > cut->elements ? cut->parts - cut->elements : 0;

    sink_empty_sublists(sink, empty);
}

void sink_empty_sublists(struct sink *sink, uint64_t count)
{
    struct segment *segment = sink->segment;

    sink_cut(sink);
    if (sink_is_faulty(sink))
        return;
    if (sink->spec->type != ELEMENT_FLOAT) {
        if (count)
            values_append_same(&segment->closed, sink->op->identity, count);
        return;
    }
    values_append_same_float(&segment->closed, (double)sink->op->identity, count);
}

void sink_end_job(struct sink *sink)
{
    switch (sink->spec->cut.kind) {
    case CUT_SUBLISTS:
        break;
    case CUT_EVERY:
        sink_cut(sink);
        break;
    case CUT_SPLIT:
        append_empty_parts(sink);
        break;
    case CUT_TOTAL:
        sink->segment->tail.open = true;
        sink_cut(sink);
        break;
    }
}

static void add_big(struct sink *sink, const char *text, size_t length)
{
    mpz_t value;

    mpz_init(value);
    token_big(value, text, length);
    sink_status(sink, sink->op->add_big(&sink->segment->tail, value, sink->spec->value_bytes_max));
    mpz_clear(value);
}

/* A string, true, null or an object: not a number written wrongly, but another kind of value. */
static bool is_other_json(const char *text)
{
    return text[0] == '"' || text[0] == '{' || text[0] == 't' || text[0] == 'f' || text[0] == 'n';
}

static enum fault_kind fault_of_bad(const char *text, bool is_json)
{
    return is_json && is_other_json(text) ? FAULT_JSON_NOT_NUMERIC : FAULT_NOT_A_NUMBER;
}

static enum fault_kind fault_of(const struct sink *sink, const struct token *token,
                                const char *text, bool is_json)
{
    switch (token->kind) {
    case TOKEN_BAD:
        return fault_of_bad(text, is_json);
    case TOKEN_RANGE:
        return FAULT_DECIMAL_RANGE;
    case TOKEN_INT:
    case TOKEN_BIG:
        return FAULT_NONE;
    case TOKEN_FLOAT:
        if (sink->spec->type == ELEMENT_INT)
            return FAULT_NOT_AN_INTEGER;
        return sink->op->takes_floats ? FAULT_NONE : FAULT_FLOAT_PRODUCT;
    }
    return FAULT_NONE;
}

static enum token_grammar grammar_of(bool is_json)
{
    return is_json ? TOKEN_JSON : TOKEN_TEXT;
}

/* A token that is too long, and no number either, is what shows first. */
static enum fault_kind fault_of_long(const struct sink *sink, const char *text, bool is_json)
{
    prefix_states states = prefix_begin();

    prefix_take(&states, grammar_of(is_json), text, (size_t)sink->token_bytes_max);
    return states ? FAULT_VALUE_TOO_LARGE : fault_of_bad(text, is_json);
}

void sink_token(struct sink *sink, const char *text, size_t length, uint64_t unit, bool is_json)
{
    struct partial *tail = &sink->segment->tail;
    struct token token;
    enum fault_kind fault;

    if (length > sink->token_bytes_max) {
        sink_fault(sink, fault_of_long(sink, text, is_json), unit, text, length);
        return;
    }
    token = token_parse(text, length, grammar_of(is_json));
    fault = fault_of(sink, &token, text, is_json);
    if (fault)
        sink_fault(sink, fault, unit, text, length);
    else if (token.kind == TOKEN_INT)
        sink->op->add_int(tail, token.small, sink->spec->value_bytes_max);
    else if (token.kind == TOKEN_BIG)
        add_big(sink, text, length);
    else
        sink_status(sink, sink->op->add_float(tail, token.real));
}

void sink_token_bytes(struct sink *sink, struct edge *exit, const uint8_t *data, size_t length,
                      bool is_json)
{
    bool is_bad = edge_append(exit, data, length, grammar_of(is_json), prefix_begin());
    const char *text = (const char *)exit->text.data;

    if (exit->text.length > sink->token_bytes_max)
        sink_fault(sink, FAULT_VALUE_TOO_LARGE, exit->unit, text, exit->text.length);
    else if (is_bad)
        sink_fault(sink, fault_of_bad(text, is_json), exit->unit, text, exit->text.length);
}

static void join_tail(struct sink *sink, struct partial *right)
{
    struct partial *tail = &sink->segment->tail;
    uint64_t most = sink->spec->value_bytes_max;

    if (right->open)
        sink_status(sink, sink->op->join(tail, right, most));
}

void sink_append(struct sink *sink, struct segment *right)
{
    struct segment *segment = sink->segment;

    if (!right->bounded) {
        join_tail(sink, &right->tail);
        return;
    }
    join_tail(sink, &right->head);
    if (!sink_is_faulty(sink))
        sink_cut(sink);
    if (sink_is_faulty(sink))
        return;
    values_concat(&segment->closed, &right->closed);
    partial_move(&segment->tail, &right->tail, sink->op->identity);
}

static bool is_at_rest(const struct partial *partial)
{
    return !partial->is_big && !partial->exact && !partial->factors;
}

static void drop(struct sink *sink, struct partial *partial)
{
    partial_clear(partial);
    partial_init(partial, sink->op->identity);
}

static void settle(struct sink *sink, struct partial *partial)
{
    if (!is_at_rest(partial))
        sink->op->settle(partial, sink->spec->value_bytes_max);
}

void sink_settle(struct sink *sink)
{
    struct segment *segment = sink->segment;

    settle(sink, &segment->head);
    if (!sink_is_faulty(sink))
        settle(sink, &segment->tail);
    /* The sublist that a fault stands in is never closed. */
    if (sink_is_faulty(sink))
        drop(sink, &segment->tail);
}
