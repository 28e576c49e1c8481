/* A hosts file: the hosts that are to work, a line each. For shells only. */
#ifndef SHEAF_COORDINATOR_HOSTS_H
#define SHEAF_COORDINATOR_HOSTS_H

#include "base/error.h"
#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

struct host {
    char *name; /* whatever ssh takes: host, user@host, a name of its configuration; owned */
    uint32_t processes; /* 0: the CPUs that it may use */
};

struct hosts {
    struct host *items; /* owned array */
    size_t count;
};

/*
 * Read `host [processes]` lines; `#` begins a comment. A line that does not parse is named in the
 * log and skipped. ERROR_INPUT when the file cannot be read or names no host.
 */
int hosts_read(struct hosts *hosts, const char *path, const struct log *log, struct error *error);
void hosts_clear(struct hosts *hosts);

#endif
