/* The module is found beside the program that runs (in a build), or in the library folder of the
 * prefix that the program is installed in. It is never unloaded: links and chunks of it may live to
 * the end. */
#include "link/link_zmq.h"

#include "base/memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef SHEAF_LIBRARY_FOLDER
#define SHEAF_LIBRARY_FOLDER "lib"
#endif

static const char *const PLACES[] = {
    "sheaf-link-zmq.so",
    "../" SHEAF_LIBRARY_FOLDER "/sheaf/sheaf-link-zmq.so",
    "../lib/sheaf/sheaf-link-zmq.so",
};

static bool own_folder(char *folder, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", folder, bytes - 1);
    char *slash;

    if (length < 0)
        return false;
    folder[length] = 0;
    slash = strrchr(folder, '/');
    if (slash)
        slash[1] = 0;
    return slash != NULL;
}

static int load(const struct link_zmq_module **module, struct error *error)
{
    char folder[PATH_MAX], path[2 * PATH_MAX];
    void *library = NULL;

    if (!own_folder(folder, sizeof folder))
        return error_set_errno(error, ERROR_SYSTEM, errno, "this program's own path is not known");
    for (size_t i = 0; !library && i < sizeof PLACES / sizeof *PLACES; i++) {
        snprintf(path, sizeof path, "%s%s", folder, PLACES[i]);
        if (access(path, R_OK) < 0)
            continue;
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!library)
            return error_set(error, ERROR_SYSTEM, "ZeroMQ cannot be used: %s", dlerror());
    }
    if (!library)
        return error_set(error, ERROR_SYSTEM,
                         "ZeroMQ cannot be used: there is no sheaf-link-zmq.so beside %s or in the "
                         "library folder",
                         folder);
    *module = dlsym(library, "sheaf_link_zmq");
    if (!*module || (*module)->abi != LINK_ZMQ_ABI)
        return error_set(error, ERROR_SYSTEM, "%s belongs to another version of this program",
                         path);
    return OK;
}

int link_zmq_listen(struct link **out, const char *const *urls, size_t count, struct error *error)
{
    const struct link_zmq_module *module = NULL;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->listen(out, urls, count, error) : rc;
}

int link_zmq_connect(struct link **out, const char *url, struct error *error)
{
    const struct link_zmq_module *module = NULL;
    int rc = load(&module, error);

    *out = NULL;
    return rc == OK && module ? module->connect(out, url, error) : rc;
}
