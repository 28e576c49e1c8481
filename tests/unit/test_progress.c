/* The progress line: rates are those of the last seconds, whatever was before. */
#include "base/limits.h"
#include "progress.h"
#include "unit.h"

#include <string.h>

#define STEP_NS (200 * NS_PER_MS)
#define BEGIN_NS (1000 * NS_PER_S)

struct run {
    struct progress progress;
    int64_t now_ns;
    uint64_t done;
    char line[PROGRESS_LINE_BYTES];
};

static void begin(struct run *run)
{
    *run = (struct run){.now_ns = BEGIN_NS};
    progress_init(&run->progress, true, run->now_ns);
}

static void go_on(struct run *run, int seconds, uint64_t units_per_second, uint64_t all)
{
    for (int i = 0; i < 5 * seconds; i++) {
        run->now_ns += STEP_NS;
        run->done += units_per_second / 5;
        progress_line(&run->progress, run->now_ns, run->done, all, run->line);
    }
}

static bool says(const struct run *run, const char *text)
{
    bool is_said = strstr(run->line, text);

    if (!is_said)
        printf("\n%s\nwithout %s\n", run->line + 1, text);
    return is_said;
}

static void a_steady_rate(void)
{
    struct run run;

    begin(&run);
    go_on(&run, 3, 2000000, 20000000);
    CU_ASSERT(says(&run, " 30% [#########.....................] 2.0 MB/s, 0:07 left"));
    go_on(&run, 7, 2000000, 20000000);
    CU_ASSERT(says(&run, "100% [##############################] 2.0 MB/s, 0:00 left"));
}

static void a_wait_does_not_count_once_it_is_over(void)
{
    struct run run;

    begin(&run);
    go_on(&run, 60, 0, 100000000);
    CU_ASSERT(says(&run, "  0% [..............................]\x1b"));
    go_on(&run, 5, 1000000, 100000000);
    CU_ASSERT(says(&run, " 1.0 MB/s, 1:35 left"));
}

static void what_stands_still_has_no_rate(void)
{
    struct run run;

    begin(&run);
    go_on(&run, 4, 1000000, 10000000);
    go_on(&run, 6, 0, 10000000);
    CU_ASSERT(says(&run, " 40% [############..................]\x1b"));
}

static void a_stream_has_no_end_to_show(void)
{
    struct run run;

    begin(&run);
    go_on(&run, 61, 1500, 0);
    CU_ASSERT(says(&run, "91.5 kB done, 1.5 kB/s, 1:01"));
    go_on(&run, 6, 0, UINT64_MAX);
    CU_ASSERT(says(&run, "91.5 kB done, 0 B/s, 1:07"));
}

static void numbers_out_of_all_bounds(void)
{
    struct run run;

    begin(&run);
    run.done = UINT64_MAX;
    go_on(&run, 1, 0, UINT64_MAX - 1);
    CU_ASSERT(says(&run, "100% "));
    begin(&run);
    run.done = 1;
    progress_line(&run.progress, BEGIN_NS, 1, UINT64_MAX - 1, run.line);
    CU_ASSERT(says(&run, "  0% [..............................]\x1b"));
    progress_line(&run.progress, BEGIN_NS + NS_PER_S, 2, UINT64_MAX - 1, run.line);
    CU_ASSERT(says(&run, " 2 B/s, 59940:00 left"));
}

static const struct unit_case CASES[] = {
    {"a steady rate", a_steady_rate},
    {"a wait does not count once it is over", a_wait_does_not_count_once_it_is_over},
    {"what stands still has no rate", what_stands_still_has_no_rate},
    {"a stream has no end to show", a_stream_has_no_end_to_show},
    {"numbers out of all bounds", numbers_out_of_all_bounds},
};
UNIT_MAIN("progress", CASES)
