#include "farm_url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_USUAL = 7400, PORT_MAX = 65535 };

/* A port that nothing listens on. Another program may take it before we do, and is then named. */
static int free_port(unsigned *port, struct error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = OK;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) ||
        getsockname(fd, (struct sockaddr *)&address, &length))
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no free port");
    else
        *port = ntohs(address.sin_port);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int take_given(struct farm_url *url, const char *listen, struct error *error)
{
    static const char PREFIX[] = "tcp://";
    const char *host = listen + sizeof PREFIX - 1;
    const char *colon = strrchr(listen, ':');
    char *end;
    unsigned long port;

    if (strncmp(listen, PREFIX, sizeof PREFIX - 1) != 0 || strlen(listen) >= FARM_URL_BYTES ||
        colon <= host)
        return error_set(
            error, ERROR_USAGE,
            "--listen %.100s: expected tcp://ADDRESS:PORT, as other hosts are to reach it", listen);
    port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || port < 1 || port > PORT_MAX)
        return error_set(error, ERROR_USAGE, "--listen %.100s: a port is a number from 1 to 65535",
                         listen);
    snprintf(url->listen, sizeof url->listen, "%s", listen);
    snprintf(url->host, sizeof url->host, "%.*s", (int)(colon - host), host);
    snprintf(url->port, sizeof url->port, "%lu", port);
    return OK;
}

static int take_usual(struct farm_url *url, bool any_port, struct error *error)
{
    unsigned port = PORT_USUAL;
    int rc = any_port ? free_port(&port, error) : OK;

    snprintf(url->listen, sizeof url->listen, "tcp://*:%u", port);
    snprintf(url->host, sizeof url->host, "*");
    snprintf(url->port, sizeof url->port, "%u", port & PORT_MAX);
    return rc;
}

int farm_url_choose(struct farm_url *url, const char *listen, bool any_port, struct error *error)
{
    int rc = listen ? take_given(url, listen, error) : take_usual(url, any_port, error);
    bool is_every;

    if (rc != OK)
        return rc;
    is_every =
        !strcmp(url->host, "*") || !strcmp(url->host, "0.0.0.0") || !strcmp(url->host, "[::]");
    url->address = is_every ? NULL : url->host;
    snprintf(url->farm, sizeof url->farm, "tcp://%.280s:%s", is_every ? "127.0.0.1" : url->host,
             url->port);
    return OK;
}
