/* What launchers say in the environment. */
#include "link/launch.h"
#include "unit.h"

#include <stdlib.h>

enum { VARIABLES_MAX = 8 };

static const char *const KNOWN[] = {"OMPI_COMM_WORLD_RANK",
                                    "OMPI_COMM_WORLD_SIZE",
                                    "SLURM_PROCID",
                                    "SLURM_STEP_NUM_TASKS",
                                    "PMI_RANK",
                                    "PMI_SIZE",
                                    "PRTE_LAUNCHED"};

struct row {
    const char *variables[VARIABLES_MAX]; /* name, value, … */
    struct launch launch;
};

static void what_launchers_say(void)
{
    static const struct row ROWS[] = {
        {{NULL}, {0, 1, false}},
        {{"OMPI_COMM_WORLD_RANK", "3", "OMPI_COMM_WORLD_SIZE", "16"}, {3, 16, false}},
        {{"OMPI_COMM_WORLD_RANK", "3", "OMPI_COMM_WORLD_SIZE", "16", "PRTE_LAUNCHED", "1"},
         {3, 16, true}},
        /* mpirun inside a job of Slurm */
        {{"OMPI_COMM_WORLD_RANK", "1", "OMPI_COMM_WORLD_SIZE", "2", "SLURM_PROCID", "0",
          "SLURM_STEP_NUM_TASKS", "1"},
         {1, 2, false}},
        {{"SLURM_PROCID", "5", "SLURM_STEP_NUM_TASKS", "8"}, {5, 8, false}},
        /* a batch script itself: no step */
        {{"SLURM_PROCID", "0"}, {0, 1, false}},
        {{"PMI_RANK", "1", "PMI_SIZE", "2"}, {1, 2, false}},
        /* what makes no sense is not said */
        {{"OMPI_COMM_WORLD_RANK", "2", "OMPI_COMM_WORLD_SIZE", "2"}, {0, 1, false}},
        {{"OMPI_COMM_WORLD_RANK", "-1", "OMPI_COMM_WORLD_SIZE", "2"}, {0, 1, false}},
        {{"OMPI_COMM_WORLD_RANK", "1x", "OMPI_COMM_WORLD_SIZE", "2"}, {0, 1, false}},
        {{"OMPI_COMM_WORLD_RANK", "", "OMPI_COMM_WORLD_SIZE", ""}, {0, 1, false}},
        {{"OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "99999999999"}, {0, 1, false}},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *row = &ROWS[i];
        struct launch launch;

        for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN; k++)
            unsetenv(KNOWN[k]);
        for (size_t k = 0; k < VARIABLES_MAX && row->variables[k]; k += 2)
            setenv(row->variables[k], row->variables[k + 1], 1);
        launch = launch_read();
        CU_ASSERT_EQUAL(launch.rank, row->launch.rank);
        CU_ASSERT_EQUAL(launch.count, row->launch.count);
        CU_ASSERT_EQUAL(launch.by_prrte, row->launch.by_prrte);
    }
}

static const struct unit_case CASES[] = {{"what launchers say", what_launchers_say}};

UNIT_MAIN("launch", CASES)
