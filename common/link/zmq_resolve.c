#include "link/zmq_resolve.h"

#include "base/limits.h"
#include "base/memory.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LOOK_NS_MIN NS_PER_MS
#define LOOK_NS_MAX (100 * NS_PER_MS)
enum { SCHEME_BYTES = 6 };

/* In one block that nothing else owns: the system writes into it until it is done. */
struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[NI_MAXHOST];
};

static void lookup_free(struct lookup *lookup)
{
    if (lookup->request.ar_result)
        freeaddrinfo(lookup->request.ar_result);
    memory_free(lookup);
}

void resolve_clear(struct resolve *resolve)
{
    struct lookup *lookup = resolve->lookup;

    *resolve = (struct resolve){0};
    /* What cannot be called back keeps its block; there is at most one for each link. */
    if (lookup && gai_cancel(&lookup->request) != EAI_NOTCANCELED)
        lookup_free(lookup);
}

static enum resolve_state fail(struct resolve *resolve)
{
    resolve_clear(resolve);
    return RESOLVE_FAILED;
}

static bool ask(struct resolve *resolve, const char *url)
{
    struct lookup *lookup = memory_new(sizeof *lookup);
    struct gaicb *list[] = {&lookup->request};
    const char *host = url + SCHEME_BYTES;
    size_t length = (size_t)(strrchr(host, ':') - host);

    length = length < sizeof lookup->host ? length : sizeof lookup->host - 1;
    memcpy(lookup->host, host, length);
    lookup->hints.ai_socktype = SOCK_STREAM;
    lookup->request.ar_name = lookup->host;
    lookup->request.ar_request = &lookup->hints;
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL)) {
        memory_free(lookup);
        return false;
    }
    resolve->lookup = lookup;
    resolve->look_ns = LOOK_NS_MIN;
    return true;
}

static bool write_url(const struct addrinfo *found, const char *port, char *numeric, size_t bytes)
{
    const char *form = found->ai_family == AF_INET6 ? "tcp://[%s]%s" : "tcp://%s%s";
    char host[NI_MAXHOST];
    int length;

    if (getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST))
        return false;
    length = snprintf(numeric, bytes, form, host, port);
    return length > 0 && (size_t)length < bytes;
}

enum resolve_state resolve_next(struct resolve *resolve, const char *url, char *numeric,
                                size_t bytes)
{
    bool is_written;

    if (!resolve->lookup && !ask(resolve, url))
        return fail(resolve);
    if (!resolve->next) {
        int rc = gai_error(&resolve->lookup->request);

        if (rc == EAI_INPROGRESS) {
            resolve->look_ns =
                2 * resolve->look_ns < LOOK_NS_MAX ? 2 * resolve->look_ns : LOOK_NS_MAX;
            return RESOLVE_UNDER_WAY;
        }
        resolve->next = rc ? NULL : resolve->lookup->request.ar_result;
        if (!resolve->next)
            return fail(resolve);
    }
    is_written = write_url(resolve->next, strrchr(url, ':'), numeric, bytes);
    resolve->next = resolve->next->ai_next;
    if (!resolve->next)
        resolve_clear(resolve);
    return is_written ? RESOLVE_DONE : RESOLVE_FAILED;
}
