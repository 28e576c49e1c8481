#include "source/range.h"

/* Below this many, elements are made and added one by one: cheaper than big numbers. */
enum { SHORT_ELEMENTS = 64 };

/* begin + step × unit. */
static void element_at(mpz_t out, const struct source *source, uint64_t unit)
{
    mpz_set_ui(out, unit);
    mpz_mul(out, out, source->step);
    mpz_add(out, out, source->begin);
}

/* All elements that a short run makes are small enough for lanes. */
static bool is_lane(const mpz_t value)
{
    return mpz_sizeinbase(value, 2) <= 56;
}

static void add_short(struct sink *sink, const struct source *source, const mpz_t first,
                      uint64_t count)
{
    int64_t lanes[SHORT_ELEMENTS];
    int64_t value = mpz_get_si(first);
    int64_t step = mpz_get_si(source->step);

    for (uint64_t i = 0; i < count; i++, value += step)
        lanes[i] = value;
    sink_lanes(sink, LANE_I64, lanes, (size_t)count);
}

/* The sublist has the whole range in it, and that decides. */
static bool is_decided(const struct sink *sink, const struct source *source)
{
    return !cut_is_numbered(&sink->spec->cut) &&
           sink->op->range_decides(source->begin, source->step, source->units,
                                   sink->spec->value_bytes_max);
}

static void add_run(struct sink *sink, const struct source *source, uint64_t unit, uint64_t count)
{
    mpz_t first;

    mpz_init(first);
    element_at(first, source, unit);
    if (count <= SHORT_ELEMENTS && is_lane(first) && is_lane(source->step))
        add_short(sink, source, first, count);
    else
        sink_status(sink, sink->op->add_range(&sink->segment->tail, first, source->step, count,
                                              sink->spec->value_bytes_max));
    mpz_clear(first);
}

uint64_t range_feed(struct sink *sink, uint64_t count, uint64_t unit, uint64_t room_bytes)
{
    const struct source *source = &sink->spec->sources[sink->source];
    bool decided = is_decided(sink, source);
    uint64_t done = 0;

    while (done < count && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        uint64_t most = sink_run(sink);
        uint64_t run = most < count - done ? most : count - done;

        sink_elements(sink, run);
        if (decided)
            add_run(sink, source, 0, source->units);
        else
            add_run(sink, source, unit + done, run);
        done += run;
    }
    return done;
}
