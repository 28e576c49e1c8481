/* The pool link: the conformance suite, and what only processes have. The pool processes are this
 * same program. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link_conformance.h"
#include "pool_help.h"
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the subject ---- */

static bool subject_open(struct subject *subject)
{
    return open_pool(&subject->link, 1) && next_hello(subject->link, &subject->peer);
}

/* This process's children, by /proc: the pool never tells their numbers. */
static size_t children(int *pids, size_t most)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    while (folder && (entry = readdir(folder)) != NULL) {
        char path[300], line[512] = "";
        int parent = 0;
        FILE *file;

        if (strtol(entry->d_name, NULL, 10) <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        file = fopen(path, "re");
        if (file && fgets(line, sizeof line, file) && strrchr(line, ')'))
            sscanf(strrchr(line, ')') + 1, " %*c %d", &parent);
        if (file)
            fclose(file);
        if (parent == getpid() && count < most)
            pids[count++] = (int)strtol(entry->d_name, NULL, 10);
    }
    if (folder)
        closedir(folder);
    return count;
}

static void subject_kill(struct subject *subject)
{
    int pids[8];

    (void)subject;
    CU_ASSERT_EQUAL_FATAL(children(pids, 8), 1);
    kill(pids[0], SIGKILL);
}

/* ---- cases of the pool's own ---- */

static void a_process_starts_with_its_first_task(void)
{
    struct message welcome = {.type = MESSAGE_WELCOME};
    struct link_event event;
    struct link *link;
    link_peer peers[3];
    int pids[8];

    CU_ASSERT_FATAL(open_pool(&link, 3));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_FATAL(next_hello(link, &peers[i]));
    link->ops->send(link, peers[0], &welcome, 1);
    CU_ASSERT_EQUAL(conformance_wait(link, &event, 50), LINK_NOTHING);
    CU_ASSERT_EQUAL(children(pids, 8), 0);
    give(link, peers[1], PARTNER_ECHO, 7);
    CU_ASSERT_EQUAL_FATAL(conformance_wait(link, &event, WAIT_MS), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.peer, peers[1]);
    message_clear(&event.message);
    CU_ASSERT_EQUAL(children(pids, 8), 1);
    link->ops->close(&link, 0);
    CU_ASSERT_EQUAL(children(pids, 8), 0);
}

/* What the death of a process that was given `order` is reported as. */
static void lose(enum partner_order order, struct link_event *event)
{
    struct link *link;
    link_peer peer, next;
    enum link_event_type type;

    CU_ASSERT_FATAL(open_pool(&link, 1));
    CU_ASSERT_FATAL(next_hello(link, &peer));
    give(link, peer, PARTNER_ECHO, 10);
    give(link, peer, order, 11);
    give(link, peer, PARTNER_ECHO, 12);
    do {
        type = conformance_wait(link, event, WAIT_MS);
        if (type == LINK_MESSAGE)
            message_clear(&event->message);
    } while (type == LINK_MESSAGE);
    CU_ASSERT_EQUAL(type, LINK_GONE);
    CU_ASSERT_EQUAL(event->peer, peer);
    CU_ASSERT_FATAL(next_hello(link, &next));
    CU_ASSERT_NOT_EQUAL(next, peer);
    link->ops->close(&link, 0);
}

static void a_death_names_the_signal_and_the_task_started(void)
{
    struct link_event event;

    lose(PARTNER_DIE, &event);
    CU_ASSERT_EQUAL(event.signal, SIGKILL);
    CU_ASSERT_EQUAL(event.started_task, 11);
    CU_ASSERT_EQUAL(event.started_attempt, 1);
}

static void a_stopped_process_is_replaced_and_nobody_blamed(void)
{
    struct link_event event;

    lose(PARTNER_STOP, &event);
    CU_ASSERT_EQUAL(event.signal, SIGSTOP);
    CU_ASSERT_EQUAL(event.started_task, 0);
}

static void a_process_that_leaves_is_replaced(void)
{
    struct link_event event;

    lose(PARTNER_LEAVE, &event);
    CU_ASSERT_EQUAL(event.signal, 0);
    CU_ASSERT_EQUAL(event.started_task, 0);
}

static void processes_killed_in_one_burst_are_all_reaped(void)
{
    enum { COUNT = 12 };
    struct link_event event;
    struct link *link;
    link_peer peers[COUNT];
    int pids[COUNT + 1], gone = 0, hellos = 0;

    CU_ASSERT_FATAL(open_pool(&link, COUNT));
    for (int i = 0; i < COUNT; i++) {
        CU_ASSERT_FATAL(next_hello(link, &peers[i]));
        give(link, peers[i], PARTNER_ECHO, 5);
    }
    for (int i = 0; i < COUNT; i++) {
        CU_ASSERT_EQUAL_FATAL(conformance_wait(link, &event, WAIT_MS), LINK_MESSAGE);
        message_clear(&event.message);
    }
    CU_ASSERT_EQUAL_FATAL(children(pids, COUNT + 1), COUNT);
    for (int i = 0; i < COUNT; i++)
        kill(pids[i], SIGKILL);
    while (gone < COUNT || hellos < COUNT) {
        enum link_event_type type = conformance_wait(link, &event, WAIT_MS);

        CU_ASSERT_NOT_EQUAL_FATAL(type, LINK_NOTHING);
        gone += type == LINK_GONE;
        hellos += type == LINK_MESSAGE && event.message.type == MESSAGE_HELLO;
        if (type == LINK_MESSAGE)
            message_clear(&event.message);
    }
    CU_ASSERT_EQUAL(gone, COUNT);
    CU_ASSERT_EQUAL(children(pids, COUNT + 1), 0);
    link->ops->close(&link, 0);
}

static void children_of_others_are_left_alone(void)
{
    struct link_event event;
    pid_t other = fork();
    int status = 0;

    if (other == 0)
        _exit(42);
    CU_ASSERT_FATAL(other > 0);
    lose(PARTNER_DIE, &event);
    CU_ASSERT_EQUAL(waitpid(other, &status, 0), other);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 42);
}

static uint64_t ask(struct link *link, link_peer peer, enum partner_order order, size_t bytes)
{
    struct link_event event;
    struct message message;
    uint64_t units;

    conformance_order(&message, order, 1, bytes);
    link->ops->send(link, peer, &message, 1);
    CU_ASSERT_EQUAL_FATAL(conformance_wait(link, &event, WAIT_MS), LINK_MESSAGE);
    units = event.message.result.units;
    message_clear(&event.message);
    return units;
}

static void a_process_holds_no_descriptor_but_its_socket(void)
{
    struct link *link;
    link_peer peer;
    int open_here = dup(STDERR_FILENO);

    CU_ASSERT_FATAL(open_pool(&link, 1));
    CU_ASSERT_FATAL(next_hello(link, &peer));
    CU_ASSERT_EQUAL(ask(link, peer, PARTNER_COUNT_FDS, 0), 4);
    CU_ASSERT_EQUAL(ask(link, peer, PARTNER_COUNT_FDS, 3000000), 4);
    link->ops->close(&link, 0);
    close(open_here);
}

static void payloads_have_readable_bytes_around_them(void)
{
    static const size_t SIZES[] = {1, 100, 60000, 65536, 1000000, 1114112, 3000000};
    struct link *link;
    link_peer peer;

    CU_ASSERT_FATAL(open_pool(&link, 1));
    CU_ASSERT_FATAL(next_hello(link, &peer));
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        CU_ASSERT_EQUAL(ask(link, peer, PARTNER_TOUCH_SLACK, SIZES[i]), SIZES[i] + 96);
    link->ops->close(&link, 0);
}

static size_t count_own_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void nothing_is_left_after_many_deaths(void)
{
    size_t fds = count_own_fds();
    struct link_event event;
    int pids[4];

    for (int i = 0; i < 30; i++)
        lose(i % 2 ? PARTNER_DIE : PARTNER_LEAVE, &event);
    CU_ASSERT_EQUAL(count_own_fds(), fds);
    CU_ASSERT_EQUAL(children(pids, 4), 0);
}

/* A process that has a pool of its own with work in it, and is then killed. */
static void keep_a_pool(int report)
{
    struct link_event event;
    struct link *link;
    link_peer peers[2];
    int pids[2];

    if (!open_pool(&link, 2) || !next_hello(link, &peers[0]) || !next_hello(link, &peers[1]))
        _exit(1);
    for (int i = 0; i < 2; i++)
        give(link, peers[i], PARTNER_ECHO, 1);
    for (int i = 0; i < 2; i++)
        conformance_wait(link, &event, WAIT_MS);
    if (children(pids, 2) != 2 || write(report, pids, sizeof pids) != sizeof pids)
        _exit(1);
    give(link, peers[0], PARTNER_PAUSE, 2);
    link->ops->flush(link);
    pause();
}

static void pool_processes_die_with_their_parent(void)
{
    int report[2], pids[2];
    pid_t parent;
    int64_t end_ns;

    CU_ASSERT_FATAL(pipe(report) == 0);
    parent = fork();
    if (parent == 0)
        keep_a_pool(report[1]);
    close(report[1]);
    CU_ASSERT_EQUAL_FATAL(read(report[0], pids, sizeof pids), sizeof pids);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    end_ns = clock_now_ns() + NS_PER_S;
    for (int i = 0; i < 2; i++) {
        char path[64], state = 0;

        /* Gone, or a zombie that waits for whoever reaps orphans here. */
        do {
            FILE *file;

            snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
            file = fopen(path, "re");
            state = 'Z';
            if (file && fscanf(file, "%*d %*s %c", &state) != 1)
                state = 'Z';
            if (file)
                fclose(file);
        } while (state != 'Z' && clock_now_ns() < end_ns);
        CU_ASSERT_EQUAL(state, 'Z');
    }
    close(report[0]);
}

static const struct unit_case CASES[] = {
    {"a process starts with its first task", a_process_starts_with_its_first_task},
    {"a death names the signal and the task started",
     a_death_names_the_signal_and_the_task_started},
    {"a stopped process is replaced and nobody blamed",
     a_stopped_process_is_replaced_and_nobody_blamed},
    {"a process that leaves is replaced", a_process_that_leaves_is_replaced},
    {"processes killed in one burst are all reaped", processes_killed_in_one_burst_are_all_reaped},
    {"children of others are left alone", children_of_others_are_left_alone},
    {"a process holds no descriptor but its socket", a_process_holds_no_descriptor_but_its_socket},
    {"payloads have readable bytes around them", payloads_have_readable_bytes_around_them},
    {"nothing is left after many deaths", nothing_is_left_after_many_deaths},
    {"pool processes die with their parent", pool_processes_die_with_their_parent},
};

int main(int argc, char **argv)
{
    struct subject subject = {.name = "pool as a link",
                              .open = subject_open,
                              .kill_partner = subject_kill,
                              .hears_of_death = true};
    struct subject *const subjects[] = {&subject};
    int status;

    if (argc == 3 && !strcmp(argv[1], "--leaf"))
        return run_leaf((int)strtol(argv[2], NULL, 10));
    status = conformance_run(subjects, 1);
    return status | unit_run("pool", CASES, sizeof CASES / sizeof *CASES);
}
