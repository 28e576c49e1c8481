#include "stats.h"

#include "base/limits.h"
#include "base/stdio.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATIENCE_MS = 1000 };

static double seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

void stats_print(const struct node_stats *stats, const struct phases *phases, uint64_t bytes)
{
    char text[1024];
    int length;

    length = snprintf(text, sizeof text,
                      "{\"elements\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"tasks\":%" PRIu64
                      ",\"pieces\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"duplicates\":%" PRIu64
                      ",\"speculative\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"workers\":%" PRIu64
                      ",\"slots\":%" PRIu64
                      ",\"seconds\":{\"open\":%.6f,\"count\":%.6f,\"fold\":%.6f,\"print\":%.6f}}\n",
                      stats->elements, bytes, stats->tasks, stats->pieces_done, stats->retries,
                      stats->duplicates, stats->speculative, stats->lost_children, stats->workers,
                      stats->slots, seconds(phases->open_ns), seconds(phases->count_ns),
                      seconds(phases->fold_ns), seconds(phases->print_ns));
    stdio_say(text, (size_t)length, PATIENCE_MS);
}
