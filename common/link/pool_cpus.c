/*
 * The CPUs this process may use: its affinity, and the quotas of its control groups and all of
 * their ancestors. sysconf and nproc see no quota, and a pool larger than its quota is throttled in
 * bursts.
 *
 * /proc/self/cgroup names a group per hierarchy, /proc/self/mountinfo where hierarchies are mounted
 * and which group is their root here (in a container not that of the host).
 */
#include "link/pool_cpus.h"
#include "base/memory.h"
#include "link/link_pool.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 4096, LINE_BYTES = 3 * TEXT_BYTES };

struct hierarchy {
    const char *root; /* of the whole file system, for tests */
    char mount[TEXT_BYTES];
    char top[TEXT_BYTES]; /* the group that is mounted there */
    bool is_v2;
};

static bool read_line(const char *path, char *line, size_t bytes)
{
    FILE *file = fopen(path, "re");
    bool is_read = file && fgets(line, (int)bytes, file);

    if (file)
        fclose(file);
    return is_read;
}

static uint32_t quotient(double quota, double period)
{
    double cpus = quota / period;
    uint32_t whole = cpus < 1e6 ? (uint32_t)cpus : UINT32_MAX;

    if (!(quota > 0) || !(period > 0))
        return UINT32_MAX;
    return (double)whole < cpus ? whole + 1 : whole;
}

static uint32_t quota_v2(const char *folder)
{
    char path[LINE_BYTES], line[128];
    double quota, period;

    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lf %lf", &quota, &period) != 2)
        return UINT32_MAX;
    return quotient(quota, period);
}

static uint32_t quota_v1(const char *folder)
{
    char path[LINE_BYTES], quota[64], period[64];

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_line(path, quota, sizeof quota))
        return UINT32_MAX;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_line(path, period, sizeof period))
        return UINT32_MAX;
    return quotient(strtod(quota, NULL), strtod(period, NULL));
}

/* The group's part below what is mounted; a group outside of it: the mount itself. */
static const char *below_top(const struct hierarchy *hierarchy, const char *group)
{
    size_t length = strlen(hierarchy->top);

    if (!strcmp(hierarchy->top, "/"))
        return group;
    if (!strncmp(group, hierarchy->top, length) && (!group[length] || group[length] == '/'))
        return group + length;
    return "";
}

static uint32_t quota_of_group(const struct hierarchy *hierarchy, const char *group)
{
    char folder[2 * TEXT_BYTES + 64];
    uint32_t least = UINT32_MAX;
    size_t floor;

    snprintf(folder, sizeof folder, "%s%s", hierarchy->root, hierarchy->mount);
    floor = strlen(folder);
    snprintf(folder + floor, sizeof folder - floor, "%s", below_top(hierarchy, group));
    for (;;) {
        uint32_t quota = hierarchy->is_v2 ? quota_v2(folder) : quota_v1(folder);
        char *slash = strrchr(folder + floor, '/');

        least = quota < least ? quota : least;
        if (!slash)
            return least;
        *slash = 0;
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
        bool begins = at == list || at[-1] == ',';
        bool ends = !at[length] || strchr(",: \n", at[length]);

        if (begins && ends)
            return true;
    }
    return false;
}

/* The line "N:controllers:/group" of this hierarchy. */
static bool find_group(const struct hierarchy *hierarchy, char *group)
{
    char path[TEXT_BYTES], line[LINE_BYTES];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", hierarchy->root);
    file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *name = controllers ? strchr(controllers + 1, ':') : NULL;

        if (!name)
            continue;
        *name++ = 0;
        name[strcspn(name, "\n")] = 0;
        found = hierarchy->is_v2 ? !controllers[1] : has_word(controllers + 1, "cpu");
        if (found)
            snprintf(group, TEXT_BYTES, "%s", name);
    }
    if (file)
        fclose(file);
    return found;
}

/* "id parent dev top mount options … - type source super-options" */
static bool parse_mount(const char *line, struct hierarchy *hierarchy)
{
    char type[64], options[TEXT_BYTES];
    const char *behind = strstr(line, " - ");

    if (!behind || sscanf(behind, " - %63s %*s %4095s", type, options) != 2 ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", hierarchy->top, hierarchy->mount) != 2)
        return false;
    hierarchy->is_v2 = !strcmp(type, "cgroup2");
    return hierarchy->is_v2 || (!strcmp(type, "cgroup") && has_word(options, "cpu"));
}

uint32_t cpus_of_quota(const char *root)
{
    struct hierarchy hierarchy = {.root = root};
    char path[TEXT_BYTES], line[LINE_BYTES], group[TEXT_BYTES];
    uint32_t least = UINT32_MAX;
    FILE *file;

    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        uint32_t quota;

        if (!parse_mount(line, &hierarchy) || !find_group(&hierarchy, group))
            continue;
        quota = quota_of_group(&hierarchy, group);
        least = quota < least ? quota : least;
    }
    if (file)
        fclose(file);
    return least;
}

static uint32_t cpus_of_affinity(void)
{
    for (size_t cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        size_t bytes = CPU_ALLOC_SIZE(cpus);
        int count = set && sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;

        CPU_FREE(set);
        if (count > 0)
            return (uint32_t)count;
    }
    return 1;
}

uint32_t pool_usable_cpus(void)
{
    uint32_t affinity = cpus_of_affinity();
    uint32_t quota = cpus_of_quota("");

    return quota < affinity ? (quota ? quota : 1) : affinity;
}
