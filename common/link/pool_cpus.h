/* How many CPUs a control group leaves to this process. */
#ifndef SHEAF_LINK_POOL_CPUS_H
#define SHEAF_LINK_POOL_CPUS_H

#include <stdint.h>

/*
 * The smallest quota of all groups this process is in, version 1 and 2, rounded up; UINT32_MAX: no
 * limit. `root` stands before every path that is read: "" on a real system.
 */
uint32_t cpus_of_quota(const char *root);

#endif
