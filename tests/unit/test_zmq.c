/* The ZeroMQ link: the conformance suite over both of its sides, with this same program as the
 * partner; connecting again, closing. */
#include "base/clock.h"
#include "base/limits.h"
#include "link_conformance.h"
#include "unit.h"
#include "zmq_help.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the partner ---- */

struct far {
    struct link *link;
    link_peer peer;
};

static bool far_receive(void *context, struct message *message)
{
    struct far *far = context;
    struct link_event event;

    for (;;) {
        switch (conformance_wait(far->link, &event, 3 * WAIT_MS)) {
        case LINK_NOTHING:
            return false;
        case LINK_MESSAGE:
            far->peer = event.peer;
            *message = event.message;
            if (message->type == MESSAGE_HELLO)
                say_welcome(far->link, far->peer);
            return true;
        case LINK_CONNECTED:
            far->peer = event.peer;
            say_hello(far->link, event.peer);
            break;
        case LINK_GONE:
            return false;
        }
    }
}

static bool far_send(void *context, struct message *message)
{
    struct far *far = context;

    far->link->ops->send(far->link, far->peer, message, 1);
    return true;
}

static int run_partner(const char *side, const char *url)
{
    struct far far = {0};
    struct partner partner = {&far, far_receive, far_send, NULL, NULL};
    struct error error;
    int rc = strcmp(side, "--listen") ? link_zmq_connect(&far.link, url, &error)
                                      : link_zmq_listen(&far.link, &url, 1, &error);

    if (rc != OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    conformance_partner(&partner);
    far.link->ops->close(&far.link, 0);
    return 0;
}

/* ---- the subjects ---- */

struct place_to_meet {
    char url[128];
};

static int start_partner(const char *side, const char *url)
{
    char name[] = "test_zmq", side_copy[16], url_copy[128];
    char *arguments[] = {name, side_copy, url_copy, NULL};
    pid_t pid = 0;

    snprintf(side_copy, sizeof side_copy, "%s", side);
    snprintf(url_copy, sizeof url_copy, "%s", url);
    CU_ASSERT_FATAL(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
    return pid;
}

static bool open_listening(struct subject *subject, const char *url)
{
    snprintf(subject->context, sizeof(struct place_to_meet), "%s", url);
    subject->link = listen_at(url);
    subject->partner_pid = start_partner("--connect", url);
    if (!next_is(subject->link, LINK_MESSAGE, &subject->peer))
        return false;
    say_welcome(subject->link, subject->peer);
    return true;
}

static bool open_ipc_listening(struct subject *subject)
{
    char url[128];

    new_ipc_url(url, sizeof url);
    return open_listening(subject, url);
}

static bool open_tcp_listening(struct subject *subject)
{
    char url[128];

    new_tcp_url(url, sizeof url);
    return open_listening(subject, url);
}

static bool open_connecting(struct subject *subject)
{
    char *url = subject->context;

    new_ipc_url(url, sizeof(struct place_to_meet));
    subject->partner_pid = start_partner("--listen", url);
    subject->link = connect_at(url);
    if (!next_is(subject->link, LINK_CONNECTED, &subject->peer))
        return false;
    say_hello(subject->link, subject->peer);
    return next_is(subject->link, LINK_MESSAGE, &subject->peer);
}

static void close_subject(struct subject *subject)
{
    kill(subject->partner_pid, SIGKILL);
    waitpid(subject->partner_pid, NULL, 0);
    remove_ipc(subject->context);
}

static void kill_partner(struct subject *subject)
{
    kill(subject->partner_pid, SIGKILL);
}

/* ---- connecting, again ---- */

static void a_lost_coordinator_is_found_again(void)
{
    struct link *link;
    struct link_event event;
    link_peer first, lost, second;
    char url[128];
    int pid;

    new_ipc_url(url, sizeof url);
    link = connect_at(url);
    CU_ASSERT_EQUAL(conformance_wait(link, &event, 300), LINK_NOTHING);
    pid = start_partner("--listen", url);
    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &first));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CU_ASSERT_FATAL(next_is(link, LINK_GONE, &lost));
    CU_ASSERT_EQUAL(first, lost);
    pid = start_partner("--listen", url);
    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &second));
    CU_ASSERT_NOT_EQUAL(first, second);
    link->ops->close(&link, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    remove_ipc(url);
}

/* Whatever was meant for the old one never reaches the new one. */
static void nothing_reaches_a_coordinator_before_the_greeting(void)
{
    struct link *link, *other;
    struct link_event event;
    struct message message;
    link_peer peer;
    char url[128];

    new_ipc_url(url, sizeof url);
    other = listen_at(url);
    link = connect_at(url);
    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &peer));
    say_hello(link, peer);
    CU_ASSERT_FATAL(next_is(other, LINK_MESSAGE, &peer));
    other->ops->close(&other, 0);
    other = listen_at(url);
    /* Not yet aware of the change. */
    for (uint64_t i = 0; i < 50; i++) {
        conformance_order(&message, PARTNER_ECHO, i, 100);
        link->ops->send(link, 1, &message, 1);
        link->ops->flush(link);
        usleep(2000);
    }
    CU_ASSERT_EQUAL(conformance_wait(other, &event, 0), LINK_NOTHING);
    while (conformance_wait(link, &event, WAIT_MS) == LINK_GONE)
        continue;
    CU_ASSERT_EQUAL(event.type, LINK_CONNECTED);
    say_hello(link, event.peer);
    CU_ASSERT_EQUAL(conformance_wait(other, &event, WAIT_MS), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.message.type, MESSAGE_HELLO);
    message_clear(&event.message);
    link->ops->close(&link, 0);
    other->ops->close(&other, 0);
    remove_ipc(url);
}

static void what_was_sent_leaves_before_the_link_closes(void)
{
    enum { COUNT = 20 };
    struct link *link;
    struct message message;
    link_peer peer;
    char url[128];
    int pid, status = 0;

    new_ipc_url(url, sizeof url);
    pid = start_partner("--listen", url);
    link = connect_at(url);
    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &peer));
    say_hello(link, peer);
    CU_ASSERT_FATAL(next_is(link, LINK_MESSAGE, &peer));
    for (uint64_t i = 0; i < COUNT; i++) {
        conformance_order(&message, PARTNER_ECHO, i, i % 4 ? 1000000 : 3000000);
        link->ops->send(link, peer, &message, 1);
    }
    conformance_order(&message, PARTNER_LEAVE, COUNT, 0);
    link->ops->send(link, peer, &message, 1);
    link->ops->close(&link, 10 * NS_PER_S);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), COUNT);
    remove_ipc(url);
}

static void a_heartbeat_overtakes_bulk(void)
{
    struct message message = {.type = MESSAGE_HEARTBEAT};
    struct link *link, *other;
    struct link_event event;
    link_peer peer, far;
    char url[128];
    bool beat = false;

    new_ipc_url(url, sizeof url);
    other = listen_at(url);
    link = connect_at(url);
    CU_ASSERT_FATAL(next_is(link, LINK_CONNECTED, &peer));
    say_hello(link, peer);
    CU_ASSERT_FATAL(next_is(other, LINK_MESSAGE, &far));
    say_welcome(other, far);
    CU_ASSERT_FATAL(next_is(link, LINK_MESSAGE, &peer));
    conformance_order(&message, PARTNER_ECHO, 1, 64 * MIB);
    link->ops->send(link, peer, &message, 1);
    message = (struct message){.type = MESSAGE_HEARTBEAT};
    link->ops->send(link, peer, &message, 1);
    for (int64_t end_ns = clock_now_ns() + WAIT_MS * NS_PER_MS; clock_now_ns() < end_ns;) {
        conformance_wait(link, &event, 0);
        if (conformance_wait(other, &event, 0) != LINK_MESSAGE)
            continue;
        beat |= event.message.type == MESSAGE_HEARTBEAT;
        if (event.message.type == MESSAGE_TASK)
            break;
        message_clear(&event.message);
    }
    CU_ASSERT(beat);
    CU_ASSERT_EQUAL(event.message.payload.length, 64 * MIB);
    message_clear(&event.message);
    link->ops->close(&link, 0);
    other->ops->close(&other, 0);
    remove_ipc(url);
}

static const struct unit_case CASES[] = {
    {"a lost coordinator is found again", a_lost_coordinator_is_found_again},
    {"nothing reaches a coordinator before the greeting",
     nothing_reaches_a_coordinator_before_the_greeting},
    {"what was sent leaves before the link closes", what_was_sent_leaves_before_the_link_closes},
    {"a heartbeat overtakes bulk", a_heartbeat_overtakes_bulk},
};

int main(int argc, char **argv)
{
    struct place_to_meet places[3] = {0};
    struct subject subjects[] = {
        {.name = "zmq listening, ipc", .open = open_ipc_listening, .context = &places[0]},
        {.name = "zmq listening, tcp", .open = open_tcp_listening, .context = &places[1]},
        {.name = "zmq connecting",
         .open = open_connecting,
         .context = &places[2],
         .hears_of_death = true},
    };
    struct subject *all[3];
    int status;

    if (argc == 3)
        return run_partner(argv[1], argv[2]);
    for (size_t i = 0; i < 3; i++) {
        subjects[i].close = close_subject;
        subjects[i].kill_partner = kill_partner;
        subjects[i].sends_no_garbage = true;
        all[i] = &subjects[i];
    }
    status = unit_run("zmq", CASES, sizeof CASES / sizeof *CASES);
    return status | conformance_run(all, 3);
}
