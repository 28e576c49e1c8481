/*
 * What a launcher of MPI programs (mpirun, srun) says of this process in its environment: known
 * before MPI_Init, which is when pool processes must have been started and every rank but 0 must
 * have become a worker. MPI itself is asked later whether it agrees.
 */
#ifndef SHEAF_LINK_LAUNCH_H
#define SHEAF_LINK_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

struct launch {
    uint32_t rank, count; /* 0 and 1 when nobody launched this process */
    bool by_prrte;        /* the mpirun of OpenMPI 5 */
};

/*
 * The launcher's mpirun: OMPI_COMM_WORLD_*; srun: SLURM_PROCID and SLURM_STEP_NUM_TASKS (a batch
 * script itself has no step); others: PMI_*. The first that names both numbers counts.
 */
struct launch launch_read(void);

#endif
