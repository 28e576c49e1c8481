/* How pool processes come about, and what may go wrong before the first word of one. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "pool_help.h"
#include "unit.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

static bool stops_before_exec; /* the next child, once: it has a copy of its own */

static void in_the_child(void)
{
    if (stops_before_exec)
        raise(SIGSTOP);
}

/* The first process is stopped somewhere before its first word; the second one is not. */
static void lose_one_on_its_way(void (*let_go_on)(void))
{
    struct link_event event;
    struct link *link;
    link_peer peer, next;

    CU_ASSERT_FATAL(open_pool(&link, 1));
    CU_ASSERT_FATAL(next_hello(link, &peer));
    give(link, peer, PARTNER_ECHO, 10);
    CU_ASSERT_EQUAL_FATAL(conformance_wait(link, &event, WAIT_MS), LINK_GONE);
    CU_ASSERT_EQUAL(event.peer, peer);
    CU_ASSERT_EQUAL(event.signal, SIGSTOP);
    CU_ASSERT_EQUAL(event.started_task, 0);
    let_go_on();
    CU_ASSERT_FATAL(next_hello(link, &next));
    give(link, next, PARTNER_ECHO, 10);
    CU_ASSERT_EQUAL_FATAL(conformance_wait(link, &event, WAIT_MS), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.peer, next);
    message_clear(&event.message);
    link->ops->close(&link, 0);
}

static void clear_before_exec(void)
{
    stops_before_exec = false;
}

static void a_process_stopped_before_its_program_runs_is_replaced(void)
{
    pthread_atfork(NULL, NULL, in_the_child);
    stops_before_exec = true;
    lose_one_on_its_way(clear_before_exec);
}

static void clear_in_main(void)
{
    unsetenv(STOP_BEFORE_HELLO);
}

static void a_process_stopped_before_its_first_word_is_replaced(void)
{
    setenv(STOP_BEFORE_HELLO, "1", 1);
    lose_one_on_its_way(clear_in_main);
}

static void a_program_that_is_not_there_is_said_at_open(void)
{
    struct pool_options options = {.program = "/nonexistent/sheaf-worker", .processes = 1};
    struct error error = {0};
    struct link *link;

    CU_ASSERT_EQUAL(link_pool_open(&link, &options, &error), ERROR_SYSTEM);
    CU_ASSERT_PTR_NULL(link);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nonexistent/sheaf-worker"));
}

/* It is executable, and yet no program: only exec itself can tell. */
static void a_program_that_cannot_be_run_is_said(void)
{
    char path[] = "/tmp/sheaf-test-XXXXXX", said[512] = "";
    int file = mkstemp(path), kept = dup(STDERR_FILENO), pipe_fds[2];
    struct pool_options options = {.program = path, .processes = 1, .log_level = LOG_NORMAL};
    struct link_event event;
    struct error error;
    struct link *link;
    link_peer peer;

    CU_ASSERT_FATAL(file >= 0 && kept >= 0 && pipe(pipe_fds) == 0);
    CU_ASSERT(write(file, "neither\n", 8) == 8 && fchmod(file, 0700) == 0);
    close(file);
    CU_ASSERT_EQUAL_FATAL(link_pool_open(&link, &options, &error), OK);
    CU_ASSERT_FATAL(next_hello(link, &peer));
    give(link, peer, PARTNER_ECHO, 1);
    dup2(pipe_fds[1], STDERR_FILENO);
    CU_ASSERT_EQUAL(conformance_wait(link, &event, WAIT_MS), LINK_GONE);
    dup2(kept, STDERR_FILENO);
    CU_ASSERT(read(pipe_fds[0], said, sizeof said - 1) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "cannot be started: Exec format error; trying again\n"));
    link->ops->close(&link, 0);
    close(kept);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    unlink(path);
}

/* /bin/false never says a word: after some starts the link says that no further one will help. */
static void a_program_that_only_ends_is_given_up(void)
{
    struct pool_options options = {.program = "/bin/false", .processes = 4, .log_level = LOG_QUIET};
    int64_t end_ns = clock_now_ns() + 30 * NS_PER_S;
    struct error error = {0};
    const char *sentence = NULL;
    struct link_event event;
    struct link *link;

    CU_ASSERT_EQUAL_FATAL(link_pool_open(&link, &options, &error), OK);
    while (!sentence && clock_now_ns() < end_ns) {
        if (conformance_wait(link, &event, 100) == LINK_MESSAGE)
            give(link, event.peer, PARTNER_ECHO, 1);
        sentence = link->ops->over(link);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(sentence);
    CU_ASSERT_STRING_EQUAL(sentence, "/bin/false ended before its first word, with status 1");
    link->ops->close(&link, 0);
}

static void a_program_that_only_ends_is_not_started_in_a_storm(void)
{
    struct pool_options options = {.program = "/bin/false", .processes = 1};
    int64_t end_ns = clock_now_ns() + NS_PER_S;
    struct error error = {0};
    struct link *link;
    int deaths = 0;

    CU_ASSERT_EQUAL_FATAL(link_pool_open(&link, &options, &error), OK);
    while (clock_now_ns() < end_ns) {
        struct link_event event;
        enum link_event_type type = conformance_wait(link, &event, 100);

        deaths += type == LINK_GONE;
        if (type != LINK_MESSAGE)
            continue;
        message_clear(&event.message);
        give(link, event.peer, PARTNER_ECHO, 1);
    }
    CU_ASSERT(deaths >= 2 && deaths <= 6);
    link->ops->close(&link, 0);
}

static const struct unit_case CASES[] = {
    {"a process stopped before its program runs is replaced",
     a_process_stopped_before_its_program_runs_is_replaced},
    {"a process stopped before its first word is replaced",
     a_process_stopped_before_its_first_word_is_replaced},
    {"a program that is not there is said at open", a_program_that_is_not_there_is_said_at_open},
    {"a program that cannot be run is said", a_program_that_cannot_be_run_is_said},
    {"a program that only ends is given up", a_program_that_only_ends_is_given_up},
    {"a program that only ends is not started in a storm",
     a_program_that_only_ends_is_not_started_in_a_storm},
};

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--leaf"))
        return run_leaf((int)strtol(argv[2], NULL, 10));
    return unit_run("pool start", CASES, sizeof CASES / sizeof *CASES);
}
