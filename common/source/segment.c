#include "source/segment.h"

#include "base/memory.h"
#include "source/count.h"
#include "source/json.h"
#include "source/sink.h"
#include "source/text.h"

#include <assert.h>
#include <string.h>

void segment_init(struct segment *segment, enum segment_kind kind, const struct op *op)
{
    *segment = (struct segment){.kind = kind};
    partial_init(&segment->head, op->identity);
    partial_init(&segment->tail, op->identity);
}

void segment_clear(struct segment *segment)
{
    enum segment_kind kind = segment->kind;

    edge_clear(&segment->entry);
    edge_clear(&segment->exit);
    partial_clear(&segment->head);
    partial_clear(&segment->tail);
    values_clear(&segment->closed);
    memory_free(segment->checkpoints);
    *segment = (struct segment){.kind = kind};
}

void segment_move(struct segment *to, struct segment *from)
{
    segment_clear(to);
    *to = *from;
    *from = (struct segment){.kind = to->kind};
}

/* The last unit is a byte of a token. */
static bool ends_in_token(const struct segment *segment)
{
    switch (segment->exit.kind) {
    case EDGE_CLEAN:
    case EDGE_KINDS:
        return false;
    case EDGE_TEXT:
        return text_ends_in_token(segment);
    case EDGE_JSON:
        return json_ends_in_token(segment);
    case EDGE_COUNT:
        return segment->exit.token;
    }
    return false;
}

/* Nothing but entry: its effect on the left's exit is all it does to it. */
static bool is_all_entry(const struct segment *segment)
{
    switch (segment->entry.kind) {
    case EDGE_CLEAN:
    case EDGE_COUNT:
    case EDGE_KINDS:
        return false;
    case EDGE_TEXT:
        return segment->entry.sync == TEXT_SYNC_NONE;
    case EDGE_JSON:
        return json_is_all_entry(segment);
    }
    return false;
}

static void replay(struct sink *sink, struct segment *right)
{
    switch (right->entry.kind) {
    case EDGE_CLEAN:
    case EDGE_COUNT:
    case EDGE_KINDS:
        sink_append(sink, right);
        break;
    case EDGE_TEXT:
        text_replay(sink, &right->entry);
        if (!sink_is_faulty(sink))
            sink_append(sink, right);
        break;
    case EDGE_JSON:
        json_replay(sink, right);
        break;
    }
}

static void glue_ends(struct segment *left, struct segment *right, bool keep_exit)
{
    if (right->fault.kind) {
        fault_rebase(&right->fault, left->lines, left->lines_are_absolute);
        left->fault = right->fault;
        return;
    }
    if (!keep_exit)
        edge_move(&left->exit, &right->exit);
    left->lines = right->lines_are_absolute ? right->lines : left->lines + right->lines;
    left->lines_are_absolute |= right->lines_are_absolute;
}

static void glue_fold(struct segment *left, struct segment *right, const struct job_spec *spec)
{
    uint64_t elements =
        left->elements + right->elements - (uint64_t)(ends_in_token(left) && right->entry.token);
    bool keep_exit = is_all_entry(right);
    struct sink sink;

    sink_init(&sink, left, spec);
    sink.source = right->entry.source;
    replay(&sink, right);
    sink_settle(&sink);
    left->elements = elements;
    if (!left->fault.kind)
        glue_ends(left, right, keep_exit);
}

void segment_glue(struct segment *left, struct segment *right, const struct job_spec *spec)
{
    assert(left->kind == right->kind);
    if (left->fault.kind) {
        segment_clear(right);
        return;
    }
    if (left->kind == SEGMENT_COUNT)
        count_glue(left, right);
    else
        glue_fold(left, right, spec);
    segment_clear(right);
}

/* Nothing but bytes of a token that goes on to the right. */
static bool is_inside_token(const struct segment *segment)
{
    const struct edge *entry = &segment->entry;

    return is_all_entry(segment) && entry->text.length && !entry->blank && !entry->comma &&
           !entry->cr;
}

size_t segment_glue_weight(const struct segment *left, const struct segment *right)
{
    const struct partial *begin = right->bounded ? &right->head : &right->tail;
    size_t tokens = left->exit.text.length + right->entry.text.length;
    size_t numbers = partial_weight(&left->tail) + partial_weight(begin);

    /* Appended to what the left one has, which is not looked at: a leaf would be sent all of both.
     * So digits without end take time as they come, and not as often as they are cut. */
    if (is_inside_token(right))
        return 0;
    /* Joining with nothing is a move, unless something is closed and written in decimal. */
    if (!right->bounded && !tokens && (!left->tail.open || !begin->open))
        numbers = 0;
    return tokens + numbers;
}

size_t segment_weight(const struct segment *segment)
{
    return partial_weight(&segment->head) + partial_weight(&segment->tail) +
           segment->entry.text.length + segment->exit.text.length;
}

void segment_rest(const struct segment *segment, const struct slice *slice, struct place middle,
                  const struct job_spec *spec, struct slice *rest)
{
    *rest = *slice;
    rest->begin = middle;
    rest->in_token = false;
    if (!cut_is_numbered(&spec->cut))
        return;
    rest->element = slice->element + segment->elements;
    rest->in_token = middle.unit != 0 && ends_in_token(segment);
}

void segment_thin(struct segment *segment, uint32_t most)
{
    uint32_t count = segment->checkpoint_count;

    if (count <= most)
        return;
    for (uint32_t i = 0; i < most; i++)
        segment->checkpoints[i] = segment->checkpoints[(uint64_t)i * count / most];
    segment->checkpoint_count = most;
}
