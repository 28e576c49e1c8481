#include "source/random.h"

enum { BLOCK_ELEMENTS = 512 };

int64_t random_element(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)(z ^ (z >> 31));
}

static void add_run(struct sink *sink, uint64_t seed, uint64_t unit, uint64_t count)
{
    int64_t block[BLOCK_ELEMENTS];

    while (count && !sink_is_faulty(sink)) {
        size_t taken = count < BLOCK_ELEMENTS ? (size_t)count : BLOCK_ELEMENTS;

        for (size_t i = 0; i < taken; i++)
            block[i] = random_element(seed, unit + i);
        sink_lanes(sink, LANE_I64, block, taken);
        unit += taken;
        count -= taken;
    }
}

uint64_t random_feed(struct sink *sink, uint64_t count, uint64_t unit, uint64_t room_bytes)
{
    uint64_t seed = sink->spec->sources[sink->source].seed;
    uint64_t done = 0;

    while (done < count && !sink_is_faulty(sink) && !sink_is_full(sink, room_bytes)) {
        uint64_t most = sink_run(sink);
        uint64_t run = most < count - done ? most : count - done;

        sink_elements(sink, run);
        add_run(sink, seed, unit + done, run);
        done += run;
    }
    return done;
}
