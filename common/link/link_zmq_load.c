#include "link/link_zmq.h"
#include "link/module.h"

static int load(const struct link_zmq_module **table, struct error *error)
{
    static const struct module MODULE = {.file = "sheaf-link-zmq.so",
                                         .symbol = "sheaf_link_zmq",
                                         .abi = LINK_ZMQ_ABI,
                                         .library = "ZeroMQ",
                                         .advice = ""};
    const void *found = NULL;
    int rc = module_load(&MODULE, &found, error);

    *table = found;
    return rc;
}

int link_zmq_listen(struct link **out, const char *const *urls, size_t count, struct error *error)
{
    const struct link_zmq_module *module;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->listen(out, urls, count, error) : rc;
}

int link_zmq_connect(struct link **out, const char *url, struct error *error)
{
    const struct link_zmq_module *module;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->connect(out, url, error) : rc;
}
