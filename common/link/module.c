#include "link/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef SHEAF_LIBRARY_FOLDER
#define SHEAF_LIBRARY_FOLDER "lib"
#endif

static const char *const PLACES[] = {"", "../" SHEAF_LIBRARY_FOLDER "/sheaf/", "../lib/sheaf/"};

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

int module_load(const struct module *module, const void **table, struct error *error)
{
    char folder[PATH_MAX], path[2 * PATH_MAX];
    int flags = RTLD_NOW | (module->is_global ? RTLD_GLOBAL : RTLD_LOCAL);
    void *library = NULL;

    if (!own_folder(folder, sizeof folder))
        return error_set_errno(error, ERROR_SYSTEM, errno, "this program's own path is not known");
    for (size_t i = 0; !library && i < sizeof PLACES / sizeof *PLACES; i++) {
        snprintf(path, sizeof path, "%s%s%s", folder, PLACES[i], module->file);
        if (access(path, R_OK) < 0)
            continue;
        library = dlopen(path, flags);
        if (!library)
            return error_set(error, ERROR_SYSTEM, "%s cannot be used: %s%s", module->library,
                             dlerror(), module->advice);
    }
    if (!library)
        return error_set(error, ERROR_SYSTEM,
                         "%s cannot be used: there is no %s beside %s or in the library folder%s",
                         module->library, module->file, folder, module->advice);
    *table = dlsym(library, module->symbol);
    if (!*table || *(const uint32_t *)*table != module->abi)
        return error_set(error, ERROR_SYSTEM, "%s belongs to another version of this program",
                         path);
    return OK;
}
