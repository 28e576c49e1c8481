#include "link/launch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static bool number_of(const char *name, uint32_t *number)
{
    const char *text = getenv(name);
    unsigned long value;
    char *end;

    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || value > INT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

struct launch launch_read(void)
{
    static const char *const NAMES[][2] = {
        {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
        {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
        {"PMI_RANK", "PMI_SIZE"},
    };
    struct launch launch = {.count = 1};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        uint32_t rank, count;

        if (!number_of(NAMES[i][0], &rank) || !number_of(NAMES[i][1], &count) || rank >= count)
            continue;
        launch.rank = rank;
        launch.count = count;
        /* Its mpirun is PRRTE's, which says so; that of OpenMPI 4 is ORTE's. */
        launch.by_prrte = i == 0 && getenv("PRTE_LAUNCHED");
        break;
    }
    return launch;
}
