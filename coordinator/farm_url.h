/* Where a farm's coordinator listens, and where others find it. */
#ifndef SHEAF_COORDINATOR_FARM_URL_H
#define SHEAF_COORDINATOR_FARM_URL_H

#include "base/error.h"

enum { FARM_URL_BYTES = 300 };

struct farm_url {
    char listen[FARM_URL_BYTES]; /* for the coordinator */
    char farm[FARM_URL_BYTES];   /* for a client on this host */
    char host[FARM_URL_BYTES];
    const char *address; /* host, NULL: every address of this host */
    char port[6];
};

/*
 * listen         tcp://HOST:PORT, HOST may be * or another word for every address; NULL: every
 *                address, at port 7400 or, with `any_port`, at one that is free now.
 * url            filled; holds a pointer into itself, so it is not to be copied.
 *
 * ERROR_USAGE for anything else: hosts elsewhere can reach nothing but a TCP port.
 */
int farm_url_choose(struct farm_url *url, const char *listen, bool any_port, struct error *error);

#endif
