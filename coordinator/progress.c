#include "progress.h"

#include "base/limits.h"
#include "base/stdio.h"

#include <stdio.h>
#include <string.h>

enum { BAR_CELLS = 30, SECONDS_MAX = 999 * 3600 };
#define PROGRESS_STEP_NS (200 * NS_PER_MS)

void progress_init(struct progress *progress, bool is_on, int64_t now_ns)
{
    *progress = (struct progress){.is_on = is_on,
                                  .begin_ns = now_ns,
                                  .next_ns = now_ns + PROGRESS_STEP_NS,
                                  .samples = {{.ns = now_ns}},
                                  .sample_count = 1};
}

static void put(const char *line)
{
    stdio_say(line, strlen(line), 0);
}

/* 12345678 → "12.3 MB" */
static void scaled(char text[16], double value)
{
    static const char units[] = " kMGTPE";
    size_t unit = 0;

    while (value >= 1000 && unit < sizeof units - 2) {
        value /= 1000;
        unit++;
    }
    if (unit)
        snprintf(text, 16, "%.1f %cB", value, units[unit]);
    else
        snprintf(text, 16, "%.0f B", value);
}

/* Units a second, since the oldest sample. */
static double rate_of(struct progress *progress, int64_t now_ns, uint64_t done)
{
    struct progress_sample now = {now_ns, done};
    struct progress_sample *place = &progress->samples[progress->sample_count % PROGRESS_SAMPLES];
    struct progress_sample oldest =
        progress->sample_count < PROGRESS_SAMPLES ? progress->samples[0] : *place;
    double seconds = (double)(now_ns - oldest.ns) / (double)NS_PER_S;

    *place = now;
    progress->sample_count++;
    return seconds > 0 && done > oldest.units ? (double)(done - oldest.units) / seconds : 0;
}

/* A clock that nobody waits for to its end stands still. */
static int whole_seconds(double seconds)
{
    return seconds < SECONDS_MAX ? (int)(seconds + 0.5) : SECONDS_MAX;
}

static void write_bar(char line[PROGRESS_LINE_BYTES], uint64_t done, uint64_t all, double rate)
{
    double part = (double)done / (double)all;
    char bar[BAR_CELLS + 1], speed[16];
    int left;

    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)(part * BAR_CELLS));
    bar[BAR_CELLS] = 0;
    scaled(speed, rate);
    if (rate > 0) {
        left = whole_seconds((double)(all - done) / rate);
        snprintf(line, PROGRESS_LINE_BYTES, "\r%3d%% [%s] %s/s, %d:%02d left\x1b[K",
                 (int)(part * 100), bar, speed, left / 60, left % 60);
    } else {
        snprintf(line, PROGRESS_LINE_BYTES, "\r%3d%% [%s]\x1b[K", (int)(part * 100), bar);
    }
}

static void write_count(char line[PROGRESS_LINE_BYTES], uint64_t done, double rate, double elapsed)
{
    int seconds = whole_seconds(elapsed);
    char count[16], speed[16];

    scaled(count, (double)done);
    scaled(speed, rate);
    snprintf(line, PROGRESS_LINE_BYTES, "\r%s done, %s/s, %d:%02d\x1b[K", count, speed,
             seconds / 60, seconds % 60);
}

void progress_line(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all, char line[PROGRESS_LINE_BYTES])
{
    double elapsed = (double)(now_ns - progress->begin_ns) / (double)NS_PER_S;
    double rate = rate_of(progress, now_ns, units_done);

    if (units_all && units_all != UINT64_MAX)
        write_bar(line, units_done < units_all ? units_done : units_all, units_all, rate);
    else
        write_count(line, units_done, rate, elapsed);
}

void progress_show(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all)
{
    char line[PROGRESS_LINE_BYTES];

    if (!progress->is_on || now_ns < progress->next_ns)
        return;
    progress->next_ns = now_ns + PROGRESS_STEP_NS;
    progress->is_shown = true;
    progress_line(progress, now_ns, units_done, units_all, line);
    put(line);
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown)
        put("\r\x1b[K");
    progress->is_shown = false;
}
