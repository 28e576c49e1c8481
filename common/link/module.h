/* Links that are modules: loaded on demand, never unloaded, since links and chunks of them may live
 * to the end. */
#ifndef SHEAF_LINK_MODULE_H
#define SHEAF_LINK_MODULE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct module {
    const char *file;    /* "sheaf-link-zmq.so" */
    const char *symbol;  /* of its table, which begins with the version of what is shared … */
    uint32_t abi;        /* … which must be this */
    const char *library; /* what cannot be used without it */
    const char *advice;  /* how to get it, behind the sentence that says so; may be empty */
    bool is_global;      /* its libraries' own plug-ins look for symbols of it */
};

/*
 * Find it beside the program that runs (in a build), or in the library folder of the prefix that
 * the program is installed in. ERROR_SYSTEM with a sentence.
 */
int module_load(const struct module *module, const void **table, struct error *error);

#endif
