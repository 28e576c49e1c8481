#include "progress.h"

#include "base/limits.h"
#include "base/stdio.h"

#include <stdio.h>
#include <string.h>

enum { BAR_CELLS = 30, LINE_BYTES = 160, SECONDS_MAX = 999 * 3600 };
#define PROGRESS_STEP_NS (200 * NS_PER_MS)

void progress_init(struct progress *progress, bool is_on, int64_t now_ns)
{
    *progress =
        (struct progress){.is_on = is_on, .begin_ns = now_ns, .next_ns = now_ns + PROGRESS_STEP_NS};
}

static void put(const char *line)
{
    stdio_say(line, strlen(line), 0);
}

/* 12345678 → "12.3 M" */
static void scaled(char text[16], double value)
{
    static const char units[] = " kMGTPE";
    size_t unit = 0;

    while (value >= 1000 && unit < sizeof units - 2) {
        value /= 1000;
        unit++;
    }
    if (unit)
        snprintf(text, 16, "%.1f %c", value, units[unit]);
    else
        snprintf(text, 16, "%.0f ", value);
}

/* A clock that nobody waits for to its end stands still. */
static int whole_seconds(double seconds)
{
    return seconds < SECONDS_MAX ? (int)(seconds + 0.5) : SECONDS_MAX;
}

static void write_bar(char line[LINE_BYTES], uint64_t done, uint64_t all, double seconds)
{
    double part = (double)done / (double)all;
    int cells = (int)(part * BAR_CELLS);
    int left = part > 0 ? whole_seconds(seconds / part - seconds) : 0;
    char rate[16], bar[BAR_CELLS + 1];

    scaled(rate, (double)done / seconds);
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)cells);
    bar[BAR_CELLS] = 0;
    if (done)
        snprintf(line, LINE_BYTES, "\r%3d%% [%s] %s/s, %d:%02d left\x1b[K", (int)(part * 100), bar,
                 rate, left / 60, left % 60);
    else
        snprintf(line, LINE_BYTES, "\r  0%% [%s]\x1b[K", bar);
}

static void write_count(char line[LINE_BYTES], uint64_t done, double seconds)
{
    char count[16], rate[16];
    int elapsed = whole_seconds(seconds);

    scaled(count, (double)done);
    scaled(rate, (double)done / seconds);
    snprintf(line, LINE_BYTES, "\r%s done, %s/s, %d:%02d\x1b[K", count, rate, elapsed / 60,
             elapsed % 60);
}

void progress_show(struct progress *progress, int64_t now_ns, uint64_t units_done,
                   uint64_t units_all)
{
    double seconds = (double)(now_ns - progress->begin_ns) / (double)NS_PER_S;
    char line[LINE_BYTES];

    if (!progress->is_on || now_ns < progress->next_ns)
        return;
    progress->next_ns = now_ns + PROGRESS_STEP_NS;
    progress->is_shown = true;
    if (units_all && units_all != UINT64_MAX)
        write_bar(line, units_done < units_all ? units_done : units_all, units_all, seconds);
    else
        write_count(line, units_done, seconds);
    put(line);
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown)
        put("\r\x1b[K");
    progress->is_shown = false;
}
