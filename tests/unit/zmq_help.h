/* Links over ZeroMQ for tests: places to meet, both ends, the words of a greeting. */
#ifndef SHEAF_TESTS_ZMQ_HELP_H
#define SHEAF_TESTS_ZMQ_HELP_H

#include "base/limits.h"
#include "link/link_zmq.h"
#include "link_conformance.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static inline void new_ipc_url(char *url, size_t bytes)
{
    static unsigned count;

    snprintf(url, bytes, "ipc:///tmp/sheaf-test-%d-%u", getpid(), count++);
}

/* A port that was free a moment ago. */
static inline void new_tcp_url(char *url, size_t bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    close(fd);
    snprintf(url, bytes, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
}

static inline void remove_ipc(const char *url)
{
    if (!strncmp(url, "ipc://", 6))
        unlink(url + 6);
}

static inline struct link *listen_at(const char *url)
{
    struct link *link = NULL;
    struct error error = {0};

    if (link_zmq_listen(&link, &url, 1, &error) != OK)
        printf("%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    return link;
}

static inline struct link *connect_at(const char *url)
{
    struct link *link = NULL;
    struct error error = {0};

    if (link_zmq_connect(&link, url, &error) != OK)
        printf("%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    return link;
}

static inline bool next_is(struct link *link, enum link_event_type type, link_peer *peer)
{
    struct link_event event;
    bool is_right = conformance_wait(link, &event, WAIT_MS) == type;

    *peer = event.peer;
    if (event.type == LINK_MESSAGE)
        message_clear(&event.message);
    return is_right;
}

static inline void say_hello(struct link *link, link_peer peer)
{
    struct message hello = {.type = MESSAGE_HELLO};

    hello.hello.version = PROTOCOL_VERSION;
    hello.hello.role = ROLE_WORKER;
    hello.hello.slots = 1;
    hello.hello.credit_tasks = 64;
    hello.hello.session = 1;
    link->ops->send(link, peer, &hello, 1);
    link->ops->flush(link);
}

static inline void say_welcome(struct link *link, link_peer peer)
{
    struct message welcome = {.type = MESSAGE_WELCOME};

    welcome.welcome.version = PROTOCOL_VERSION;
    welcome.welcome.session = 1;
    link->ops->send(link, peer, &welcome, 1);
    link->ops->flush(link);
}

#endif
