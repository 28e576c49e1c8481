/* What addresses do, and what those that will not do get: one sentence, and nothing of anybody's
 * removed. */
#include "base/limits.h"
#include "unit.h"
#include "zmq_help.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEN "0123456789"
#define LONG_NAME TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void addresses_that_will_not_do_get_a_sentence(void)
{
    static const struct {
        const char *url;
        bool to_listen;
        int code;
    } ROWS[] = {
        {"", true, ERROR_USAGE},
        {"127.0.0.1:7400", true, ERROR_USAGE},
        {"http://127.0.0.1:7400", true, ERROR_USAGE},
        {"tcp://", true, ERROR_USAGE},
        {"tcp://127.0.0.1", true, ERROR_USAGE},
        {"tcp://127.0.0.1:", true, ERROR_USAGE},
        {"tcp://127.0.0.1:port", true, ERROR_USAGE},
        {"tcp://127.0.0.1:0", true, ERROR_USAGE},
        {"tcp://127.0.0.1:*", true, ERROR_USAGE},
        {"tcp://127.0.0.1:70000", true, ERROR_USAGE},
        {"tcp://127.0.0.1:-1", true, ERROR_USAGE},
        {"tcp://127.0.0.1: 80", true, ERROR_USAGE},
        {"tcp://127.0.0.1:99999999999999999999", true, ERROR_USAGE},
        {"tcp://:7400", true, ERROR_USAGE},
        {"tcp://[::1]", true, ERROR_USAGE},
        {"ipc://", true, ERROR_USAGE},
        {"ipc:///tmp/" LONG_NAME, true, ERROR_USAGE},
        {"tcp://no.such.host.invalid:7400", true, ERROR_FARM},
        {"tcp://192.0.2.1:7400", true, ERROR_FARM},
        {"inproc://a", true, ERROR_USAGE},
        {"ipc:///nonexistent/folder/x", true, ERROR_FARM},
        {"", false, ERROR_USAGE},
        {"127.0.0.1:7400", false, ERROR_USAGE},
        {"tcp://127.0.0.1", false, ERROR_USAGE},
        {"tcp://127.0.0.1:0", false, ERROR_USAGE},
        {"tcp://127.0.0.1:99999", false, ERROR_USAGE},
        {"ipc:///tmp/" LONG_NAME, false, ERROR_USAGE},
        {"inproc://a", false, ERROR_USAGE},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct error error = {0};
        struct link *link = NULL;
        int rc = ROWS[i].to_listen ? link_zmq_listen(&link, &ROWS[i].url, 1, &error)
                                   : link_zmq_connect(&link, ROWS[i].url, &error);

        CU_ASSERT_EQUAL(rc, ROWS[i].code);
        if (rc != ROWS[i].code)
            printf("%s: %d %s\n", ROWS[i].url, rc, error.text);
        CU_ASSERT_PTR_NULL(link);
        CU_ASSERT(strlen(error.text) > 10);
    }
}

static void an_address_in_use_is_said(void)
{
    char urls[2][128];

    new_ipc_url(urls[0], sizeof urls[0]);
    new_tcp_url(urls[1], sizeof urls[1]);
    for (int i = 0; i < 2; i++) {
        struct link *link = listen_at(urls[i]), *second = NULL;
        const char *url = urls[i];
        struct error error = {0};

        CU_ASSERT_EQUAL(link_zmq_listen(&second, &url, 1, &error), ERROR_FARM);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "in use"));
        CU_ASSERT_PTR_NULL(second);
        link->ops->close(&link, 0);
        /* And free again at once. */
        link = listen_at(urls[i]);
        link->ops->close(&link, 0);
        remove_ipc(urls[i]);
    }
}

static void one_link_listens_at_several_addresses(void)
{
    char urls[2][128];
    const char *const both[] = {urls[0], urls[1]};
    struct link *link = NULL;
    struct error error;

    new_ipc_url(urls[0], sizeof urls[0]);
    new_tcp_url(urls[1], sizeof urls[1]);
    CU_ASSERT_EQUAL_FATAL(link_zmq_listen(&link, both, 2, &error), OK);
    for (int i = 0; i < 2; i++) {
        struct link *other = connect_at(urls[i]);
        link_peer peer;

        CU_ASSERT_FATAL(next_is(other, LINK_CONNECTED, &peer));
        say_hello(other, peer);
        CU_ASSERT(next_is(link, LINK_MESSAGE, &peer));
        other->ops->close(&other, 0);
    }
    link->ops->close(&link, 0);
    remove_ipc(urls[0]);
}

static bool is_socket(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* libzmq by itself would remove them. */
static void nothing_but_a_socket_is_replaced(void)
{
    char url[128], target[160];
    const char *path = url + strlen("ipc://"), *urls[] = {url};
    struct link *link = NULL;
    struct error error;

    new_ipc_url(url, sizeof url);
    for (int i = 0; i < 3; i++) {
        snprintf(target, sizeof target, "%s-target", path);
        if (i == 0)
            CU_ASSERT_FATAL(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
        if (i == 1)
            CU_ASSERT_FATAL(mkdir(path, 0700) == 0);
        if (i == 2)
            CU_ASSERT_FATAL(symlink(target, path) == 0);
        CU_ASSERT_EQUAL(link_zmq_listen(&link, urls, 1, &error), ERROR_FARM);
        CU_ASSERT_PTR_NULL(link);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "something else of that name"));
        CU_ASSERT_EQUAL(i == 1 ? rmdir(path) : unlink(path), 0);
    }
}

static void a_socket_left_behind_is_replaced_and_ours_removed(void)
{
    char url[128];
    const char *path = url + strlen("ipc://");
    struct link *link;
    int status;
    pid_t pid;

    new_ipc_url(url, sizeof url);
    pid = fork();
    if (pid == 0) {
        listen_at(url);
        raise(SIGKILL);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(is_socket(path));
    link = listen_at(url);
    link->ops->close(&link, 0);
    CU_ASSERT(!is_socket(path) && errno == ENOENT);
}

static bool can_bind_v6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return can;
}

static bool is_name_of_v6(const char *name)
{
    struct addrinfo hint = {.ai_family = AF_INET6}, *found = NULL;
    bool is = getaddrinfo(name, NULL, &hint, &found) == 0 && found;

    if (is)
        freeaddrinfo(found);
    return is;
}

static void they_meet(const char *to_listen, const char *to_connect)
{
    struct link *listener = listen_at(to_listen), *link = connect_at(to_connect);
    link_peer peer;

    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &peer));
    say_hello(link, peer);
    CU_ASSERT(next_is(listener, LINK_MESSAGE, &peer));
    link->ops->close(&link, 0);
    listener->ops->close(&listener, 0);
}

/* A name is tried with both families, and * listens on both. */
static void hosts_of_both_families_meet(void)
{
    static const char *const PAIRS[][2] = {
        {"tcp://[::1]:%s", "tcp://[::1]:%s"},         {"tcp://[::1]:%s", "tcp://ip6-localhost:%s"},
        {"tcp://ip6-localhost:%s", "tcp://[::1]:%s"}, {"tcp://*:%s", "tcp://[::1]:%s"},
        {"tcp://*:%s", "tcp://127.0.0.1:%s"},         {"tcp://127.0.0.1:%s", "tcp://localhost:%s"},
        {"tcp://[::1]:%s", "tcp://localhost:%s"},
    };
    char url[128], to_listen[128], to_connect[128];

    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        const char *const *pair = PAIRS[i];

        if ((strchr(pair[0], '[') || strchr(pair[1], '[') || strstr(pair[0], "ip6")) &&
            !can_bind_v6())
            continue;
        if (strstr(pair[0], "ip6") || strstr(pair[1], "ip6") || i == 6)
            if (!is_name_of_v6(i == 6 ? "localhost" : "ip6-localhost"))
                continue;
        new_tcp_url(url, sizeof url);
        snprintf(to_listen, sizeof to_listen, pair[0], strrchr(url, ':') + 1);
        snprintf(to_connect, sizeof to_connect, pair[1], strrchr(url, ':') + 1);
        they_meet(to_listen, to_connect);
    }
}

static const struct unit_case CASES[] = {
    {"addresses that will not do get a sentence", addresses_that_will_not_do_get_a_sentence},
    {"an address in use is said", an_address_in_use_is_said},
    {"one link listens at several addresses", one_link_listens_at_several_addresses},
    {"nothing but a socket is replaced", nothing_but_a_socket_is_replaced},
    {"a socket left behind is replaced, and ours removed",
     a_socket_left_behind_is_replaced_and_ours_removed},
    {"hosts of both families meet", hosts_of_both_families_meet},
};
UNIT_MAIN("zmq addresses", CASES)
