#include "link/link_mpi.h"
#include "link/module.h"

static int load(const struct link_mpi_module **table, struct error *error)
{
    static const struct module MODULE = {
        .file = "sheaf-link-mpi.so",
        .symbol = "sheaf_link_mpi",
        .abi = LINK_MPI_ABI,
        .library = "MPI",
        .advice = "; it needs OpenMPI: install libopenmpi-dev and openmpi-bin (scripts/setup does) "
                  "and build again",
        /* OpenMPI's components expect to find libmpi's symbols among the program's. */
        .is_global = true};
    const void *found = NULL;
    int rc = module_load(&MODULE, &found, error);

    *table = found;
    return rc;
}

int link_mpi_check(struct error *error)
{
    const struct link_mpi_module *module;

    return load(&module, error);
}

int link_mpi_begin(struct ranks **out, const struct ranks_options *options, struct error *error)
{
    const struct link_mpi_module *module;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->begin(out, options, error) : rc;
}

int link_mpi_open(struct link **out, struct ranks *ranks, struct error *error)
{
    const struct link_mpi_module *module;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->open(out, ranks, error) : rc;
}

void link_mpi_end(struct ranks **ranks, int status)
{
    const struct link_mpi_module *module;

    if (*ranks && load(&module, NULL) == OK && module)
        module->end(ranks, status);
}
