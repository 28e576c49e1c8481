#include "source/text.h"

const uint8_t TEXT_CLASS[256] = {
    [' '] = TEXT_IS_BLANK, ['\t'] = TEXT_IS_BLANK, [','] = TEXT_IS_COMMA,
    [';'] = TEXT_IS_COMMA, ['\r'] = TEXT_IS_CR,    ['\n'] = TEXT_IS_NEWLINE,
};

void text_begin_inside(struct segment *segment, const struct slice *slice, bool is_numbered)
{
    bool follows_separator = is_numbered && !slice->in_token;

    segment->entry.kind = EDGE_TEXT;
    segment->entry.source = slice->begin.source;
    segment->exit.kind = EDGE_TEXT;
    segment->exit.source = slice->begin.source;
    segment->exit.state = follows_separator ? TEXT_BLANK : TEXT_NOTHING;
}

/* The state before the first unit of a source is known; exits are clean there. */
struct edge *text_enter(struct sink *sink)
{
    struct edge *exit = &sink->segment->exit;

    if (exit->kind == EDGE_TEXT)
        return exit;
    edge_clear(exit);
    exit->kind = EDGE_TEXT;
    exit->source = sink->source;
    exit->state = TEXT_LINE;
    return exit;
}

static bool is_all_entry(const struct segment *segment)
{
    return segment->entry.kind == EDGE_TEXT && segment->entry.sync == TEXT_SYNC_NONE;
}

static void synchronise(struct segment *segment, enum text_sync sync)
{
    if (is_all_entry(segment))
        segment->entry.sync = sync;
}

static void fault(struct sink *sink, enum fault_kind kind, uint64_t unit)
{
    synchronise(sink->segment, TEXT_SYNC_FAULT);
    sink_fault(sink, kind, unit, "", 0);
}

/* A separator comes: what is true before any of them. false: a fault. */
static bool end_token(struct sink *sink, struct edge *exit)
{
    if (exit->state == TEXT_CR) {
        fault(sink, FAULT_LONE_CR, exit->mark_unit);
        return false;
    }
    if (exit->state != TEXT_TOKEN)
        return true;
    sink_token(sink, (const char *)exit->text.data, exit->text.length, exit->unit, false);
    edge_end_token(exit);
    exit->state = TEXT_AFTER;
    return !sink_is_faulty(sink);
}

/* A token starts; false: a fault. */
static bool start_token(struct sink *sink, struct edge *exit)
{
    if (exit->state == TEXT_CR) {
        fault(sink, FAULT_LONE_CR, exit->mark_unit);
        return false;
    }
    synchronise(sink->segment, TEXT_SYNC_TOKEN);
    sink_element(sink);
    return !sink_is_faulty(sink);
}

static void append_leading(struct segment *segment, const uint8_t *data, size_t length,
                           uint64_t unit)
{
    if (!segment->entry.text.length)
        segment->entry.unit = unit;
    edge_append(&segment->entry, data, length, TOKEN_TEXT, prefix_inside());
}

void text_token_bytes(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit)
{
    struct edge *exit = text_enter(sink);

    sink_open(sink);
    if (exit->state == TEXT_NOTHING) {
        append_leading(sink->segment, data, length, unit);
        return;
    }
    if (exit->state != TEXT_TOKEN) {
        if (!start_token(sink, exit))
            return;
        exit->state = TEXT_TOKEN;
        exit->unit = unit;
        edge_end_token(exit);
    }
    sink_token_bytes(sink, exit, data, length, false);
}

/* The same as all its bytes and then a separator, without a copy. */
void text_whole_token(struct sink *sink, const uint8_t *data, size_t length, uint64_t unit)
{
    struct edge *exit = text_enter(sink);

    if (!start_token(sink, exit))
        return;
    exit->state = TEXT_AFTER;
    sink_token(sink, (const char *)data, length, unit, false);
}

void text_blank(struct sink *sink)
{
    struct edge *exit = text_enter(sink);

    sink_open(sink);
    if (!end_token(sink, exit))
        return;
    if (is_all_entry(sink->segment))
        sink->segment->entry.blank = true;
    if (exit->state == TEXT_NOTHING)
        exit->state = TEXT_BLANK;
}

static void mark(struct edge *exit, enum text_state state, uint64_t unit)
{
    exit->state = state;
    exit->mark_unit = unit;
}

void text_comma(struct sink *sink, uint64_t unit)
{
    struct edge *exit = text_enter(sink);

    sink_open(sink);
    if (!end_token(sink, exit))
        return;
    if (exit->state == TEXT_LINE || exit->state == TEXT_COMMA) {
        fault(sink, FAULT_EMPTY_FIELD, unit);
        return;
    }
    if (is_all_entry(sink->segment)) {
        sink->segment->entry.comma = true;
        sink->segment->entry.comma_unit = unit;
    }
    mark(exit, TEXT_COMMA, unit);
}

/* What a line's end asks of its last field. false: a fault. */
static bool end_field(struct sink *sink, struct edge *exit)
{
    if (exit->state != TEXT_COMMA)
        return true;
    fault(sink, FAULT_EMPTY_FIELD, exit->mark_unit);
    return false;
}

void text_cr(struct sink *sink, uint64_t unit)
{
    struct edge *exit = text_enter(sink);

    sink_open(sink);
    if (!end_token(sink, exit) || !end_field(sink, exit))
        return;
    if (is_all_entry(sink->segment)) {
        sink->segment->entry.cr = true;
        sink->segment->entry.cr_unit = unit;
    }
    mark(exit, TEXT_CR, unit);
}

/* The automaton's part of a newline; the sink's is text_newline()'s. */
static bool end_line(struct sink *sink, struct edge *exit)
{
    if (exit->state == TEXT_CR)
        exit->state = TEXT_AFTER;
    if (!end_token(sink, exit) || !end_field(sink, exit))
        return false;
    exit->state = TEXT_LINE;
    return true;
}

void text_newline(struct sink *sink)
{
    struct edge *exit = text_enter(sink);

    sink_open(sink);
    if (!end_line(sink, exit))
        return;
    synchronise(sink->segment, TEXT_SYNC_NEWLINE);
    sink->segment->lines++;
    sink_boundary(sink);
}

static bool end_source(struct sink *sink, struct edge *exit)
{
    return end_token(sink, exit) && end_field(sink, exit);
}

void text_end(struct sink *sink, uint64_t unit)
{
    struct edge *exit = text_enter(sink);

    (void)unit;
    if (!end_source(sink, exit))
        return;
    synchronise(sink->segment, TEXT_SYNC_END);
    sink_boundary(sink);
    edge_clear(exit);
}

static void replay_sync(struct sink *sink, const struct edge *entry, struct edge *exit)
{
    switch (entry->sync) {
    case TEXT_SYNC_NONE:
    case TEXT_SYNC_FAULT:
        break;
    case TEXT_SYNC_TOKEN:
        if (exit->state == TEXT_CR)
            fault(sink, FAULT_LONE_CR, exit->mark_unit);
        break;
    case TEXT_SYNC_NEWLINE:
        end_line(sink, exit);
        break;
    case TEXT_SYNC_END:
        end_source(sink, exit);
        break;
    }
    if (!sink_is_faulty(sink))
        synchronise(sink->segment, entry->sync);
}

void text_replay(struct sink *sink, const struct edge *entry)
{
    if (entry->text.length)
        text_token_bytes(sink, entry->text.data, entry->text.length, entry->unit);
    if (entry->blank && !sink_is_faulty(sink))
        text_blank(sink);
    if (entry->comma && !sink_is_faulty(sink))
        text_comma(sink, entry->comma_unit);
    if (entry->cr && !sink_is_faulty(sink))
        text_cr(sink, entry->cr_unit);
    if (!sink_is_faulty(sink))
        replay_sync(sink, entry, text_enter(sink));
}

bool text_ends_in_token(const struct segment *segment)
{
    const struct edge *exit = &segment->exit;

    return exit->state == TEXT_TOKEN ||
           (exit->state == TEXT_NOTHING && segment->entry.text.length != 0);
}
