#include "link/zmq_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char TCP[] = "tcp://", IPC[] = "ipc://";
enum { SCHEME_BYTES = sizeof TCP - 1, PORT_MAX = 65535 };

static bool is_tcp(const char *url)
{
    return !strncmp(url, TCP, SCHEME_BYTES);
}

static bool is_ipc(const char *url)
{
    return !strncmp(url, IPC, SCHEME_BYTES);
}

int address_refuse(const char *url, struct error *error)
{
    return error_set(error, ERROR_USAGE,
                     "'%s' is not an address: expected tcp://HOST:PORT or ipc://PATH", url);
}

/* libzmq looks at a port to connect to only when it connects, and then tells nobody; and it takes
 * port 0 for one that the system chooses and nobody knows. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long port = digits <= 5 ? strtol(text, NULL, 10) : 0;

    return digits && !text[digits] && port >= 1 && port <= PORT_MAX;
}

int address_check(const char *url, struct error *error)
{
    const struct sockaddr_un *room = NULL;
    const char *host = url + SCHEME_BYTES, *colon;

    if (is_ipc(url) && *host)
        return strlen(host) < sizeof room->sun_path
                   ? OK
                   : error_set(error, ERROR_USAGE, "'%s': the path is too long, at most %zu bytes",
                               url, sizeof room->sun_path - 1);
    colon = is_tcp(url) ? strrchr(host, ':') : NULL;
    if (!colon || colon == host || strchr(colon, ']'))
        return address_refuse(url, error);
    if (!is_port(colon + 1))
        return error_set(error, ERROR_USAGE, "'%s': the port must be a number from 1 to %d", url,
                         PORT_MAX);
    return OK;
}

static bool is_listened_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_dead;

    if (fd < 0)
        return true;
    memcpy(address.sun_path, path, strlen(path));
    is_dead = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 &&
              (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return !is_dead;
}

int address_check_to_bind(const char *url, struct error *error)
{
    const char *path = url + SCHEME_BYTES;
    int rc = address_check(url, error);
    struct stat status;

    if (rc != OK || !is_ipc(url) || *path == '@' || lstat(path, &status) < 0)
        return rc;
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, ERROR_FARM,
                         "%s: cannot listen there: there is something else of that name", url);
    if (is_listened_on(path))
        return error_set(error, ERROR_FARM, "%s: the address is in use", url);
    return OK;
}

void address_clean_up(const char *url)
{
    const char *path = url + SCHEME_BYTES;
    struct stat status;

    if (is_ipc(url) && *path != '@' && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        !is_listened_on(path))
        unlink(path);
}

static bool is_any(const char *url)
{
    return is_tcp(url) && url[SCHEME_BYTES] == '*';
}

bool address_is_v6(const char *url)
{
    return is_any(url) || (is_tcp(url) && url[SCHEME_BYTES] == '[');
}

bool address_has_both_families(const char *url)
{
    const char *host = url + SCHEME_BYTES;
    struct in_addr address;
    char text[INET_ADDRSTRLEN];
    size_t length;

    if (!is_tcp(url) || *host == '[')
        return false;
    length = (size_t)(strrchr(host, ':') - host);
    if (length >= sizeof text)
        return true;
    memcpy(text, host, length);
    text[length] = 0;
    return inet_pton(AF_INET, text, &address) != 1;
}
