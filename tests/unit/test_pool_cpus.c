/* Quotas of control groups, in trees made up for the purpose. */
#include "link/link_pool.h"
#include "link/pool_cpus.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void put(const char *root, const char *path, const char *text)
{
    char whole[600];
    FILE *file;

    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *at = whole + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = 0;
        mkdir(whole, 0700);
        *at = '/';
    }
    file = fopen(whole, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

#define MOUNT_V1 "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_V2 "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n"
#define MOUNT_DOCKER "32 31 0:29 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpuacct,cpu\n"

static void quotas_of_every_version_and_ancestor_count(void)
{
    static const struct {
        const char *mounts, *groups;
        const char *file, *text, *file2, *text2;
        uint32_t cpus;
    } ROWS[] = {
        {MOUNT_V2, "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n", NULL, NULL,
         UINT32_MAX},
        {MOUNT_V2, "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max", "200000 100000\n", NULL, NULL, 2},
        {MOUNT_V2, "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max", "399000 100000\n", NULL, NULL, 4},
        {MOUNT_V2, "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max", "150000 100000\n",
         "/sys/fs/cgroup/a/b/cpu.max", "900000 100000\n", 2},
        {MOUNT_V2, "0::/\n", "/sys/fs/cgroup/cpu.max", "10000 100000\n", NULL, NULL, 1},
        {MOUNT_V1, "3:cpuset:/x\n1:cpu,cpuacct:/g\n", "/sys/fs/cgroup/cpu/g/cpu.cfs_quota_us",
         "250000\n", "/sys/fs/cgroup/cpu/g/cpu.cfs_period_us", "100000\n", 3},
        {MOUNT_V1, "1:cpu,cpuacct:/g\n", "/sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", "-1\n",
         "/sys/fs/cgroup/cpu/g/cpu.cfs_period_us", "100000\n", UINT32_MAX},
        {MOUNT_DOCKER, "1:cpuacct,cpu:/docker/ab\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
         "100000\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n", 2},
        {MOUNT_DOCKER, "1:cpuset:/docker/ab\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n",
         "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n", UINT32_MAX},
        {"", "", "/unused", "", NULL, NULL, UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char root[] = "/tmp/sheaf-cpus-XXXXXX", command[64];

        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
        put(root, "/proc/self/mountinfo", ROWS[i].mounts);
        put(root, "/proc/self/cgroup", ROWS[i].groups);
        put(root, ROWS[i].file, ROWS[i].text);
        if (ROWS[i].file2)
            put(root, ROWS[i].file2, ROWS[i].text2);
        CU_ASSERT_EQUAL(cpus_of_quota(root), ROWS[i].cpus);
        snprintf(command, sizeof command, "rm -rf %s", root);
        CU_ASSERT_EQUAL(system(command), 0);
    }
    CU_ASSERT(pool_usable_cpus() >= 1);
}

static const struct unit_case CASES[] = {
    {"quotas of every version and ancestor count", quotas_of_every_version_and_ancestor_count},
};
UNIT_MAIN("pool cpus", CASES)
