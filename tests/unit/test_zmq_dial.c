/* Waiting for a coordinator costs nothing, whatever keeps it from answering. */
#include "base/clock.h"
#include "base/limits.h"
#include "unit.h"
#include "zmq_help.h"

#include <dirent.h>
#include <sys/resource.h>
#include <zmq.h>

enum { DIAL_MS = 1000 };
/* A loop that spins takes all of DIAL_MS, on a loaded machine half of it. */
#define BUSY_NS_MAX (250 * NS_PER_MS)

static int64_t cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
}

/* Wait as a loop would; how often a connection came about. */
static int idle(struct link *link, int for_ms)
{
    int64_t end_ns = clock_now_ns() + for_ms * NS_PER_MS, now_ns;
    struct link_event event;
    int connections = 0;

    while ((now_ns = clock_now_ns()) < end_ns)
        connections += conformance_wait(link, &event, (int)((end_ns - now_ns) / NS_PER_MS) + 1) ==
                       LINK_CONNECTED;
    return connections;
}

static void is_cheap(const char *url, bool comes_up)
{
    struct link *link = connect_at(url);
    int64_t begin_ns = cpu_ns();

    CU_ASSERT_EQUAL(idle(link, DIAL_MS) > 0, comes_up);
    CU_ASSERT(cpu_ns() - begin_ns < BUSY_NS_MAX);
    link->ops->close(&link, 0);
}

/* A port of this host that takes at most so many connections, and answers nobody. */
static int mute_port(char *url, size_t bytes, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
                    (backlog < 0 || listen(fd, backlog) == 0));
    snprintf(url, bytes, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void nobody_listens(void)
{
    char url[64];
    int port = mute_port(url, sizeof url, -1);

    is_cheap(url, false);
    is_cheap("ipc:///tmp/sheaf-test-of-nobody", false);
    is_cheap("tcp://no.such.host.invalid:7400", false);
    close(port);
}

static void a_host_that_takes_the_connection_and_says_nothing(void)
{
    char url[64];
    int port = mute_port(url, sizeof url, 50);

    is_cheap(url, false);
    close(port);
}

/* What a firewall makes of packets: nothing comes back at all. */
static void a_host_that_swallows_every_packet(void)
{
    enum { FILLERS = 4 };
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char url[64];
    int port = mute_port(url, sizeof url, 0), fillers[FILLERS];

    getsockname(port, (struct sockaddr *)&address, &length);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fillers[i], (struct sockaddr *)&address, length) < 0)
            continue; /* the queue is full: that is what is wanted */
    }
    is_cheap(url, false);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(port);
}

static void a_coordinator_that_never_welcomes(void)
{
    char url[128];
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_ROUTER);

    snprintf(url, sizeof url, "ipc:///tmp/sheaf-test-%d-mute", getpid());
    CU_ASSERT_FATAL(zmq_bind(socket, url) == 0);
    is_cheap(url, true);
    zmq_close(socket);
    zmq_ctx_term(context);
    unlink(url + 6);
}

static size_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Only a WELCOME makes the pauses short again. */
static void who_is_sent_away_again_and_again_comes_back_slowly(void)
{
    struct link *link, *listener = NULL;
    struct link_event event;
    int64_t end_ns = clock_now_ns() + 2 * NS_PER_S;
    struct error error;
    char url[128];
    const char *urls[] = {url};
    size_t fds = count_fds();
    int count = 0;

    snprintf(url, sizeof url, "ipc:///tmp/sheaf-test-%d-harsh", getpid());
    CU_ASSERT_EQUAL_FATAL(link_zmq_listen(&listener, urls, 1, &error), OK);
    link = connect_at(url);
    while (clock_now_ns() < end_ns) {
        if (conformance_wait(link, &event, 2) == LINK_CONNECTED) {
            say_hello(link, event.peer);
            count++;
        }
        if (conformance_wait(listener, &event, 2) == LINK_MESSAGE)
            listener->ops->drop(listener, event.peer);
    }
    CU_ASSERT(count >= 2 && count <= 7);
    link->ops->close(&link, 0);
    listener->ops->close(&listener, 0);
    CU_ASSERT_EQUAL(count_fds(), fds);
    unlink(url + 6);
}

static const struct unit_case CASES[] = {
    {"nobody listens", nobody_listens},
    {"a host that takes the connection and says nothing",
     a_host_that_takes_the_connection_and_says_nothing},
    {"a host that swallows every packet", a_host_that_swallows_every_packet},
    {"a coordinator that never welcomes", a_coordinator_that_never_welcomes},
    {"who is sent away again and again comes back slowly",
     who_is_sent_away_again_and_again_comes_back_slowly},
};
UNIT_MAIN("zmq dial", CASES)
