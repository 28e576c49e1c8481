/*
 * The addresses of a name, looked up beside everything else. libzmq would do it in the thread that
 * serves its sockets, where a name server that does not answer stops all of them, and every further
 * attempt waits behind the ones before.
 */
#ifndef SHEAF_LINK_ZMQ_RESOLVE_H
#define SHEAF_LINK_ZMQ_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing was asked for. */
struct resolve {
    struct lookup *lookup;       /* under way, or with addresses left */
    const struct addrinfo *next; /* of what it found */
    int64_t look_ns;             /* how long until it is worth looking again */
};

enum resolve_state { RESOLVE_UNDER_WAY, RESOLVE_FAILED, RESOLVE_DONE };

/*
 * The next address of tcp://NAME:PORT, checked, as a URL of its own; the first after the last,
 * asked for anew. RESOLVE_UNDER_WAY: look again after look_ns. The lookup that failed is forgotten.
 */
enum resolve_state resolve_next(struct resolve *resolve, const char *url, char *numeric,
                                size_t bytes);
/* Does not wait for a lookup that is under way. */
void resolve_clear(struct resolve *resolve);

#endif
