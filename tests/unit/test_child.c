/* Programs beside this one: what they say, and how they end. */
#include "child.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINES_TOO_MANY = 1000 };

struct heard {
    struct child *child;
    size_t lines;
    char last[64];
};

static struct child start(char *const *arguments)
{
    struct child child;
    struct error error = {0};

    CU_ASSERT_EQUAL_FATAL(child_start(&child, CHILD_PIPED, arguments, &error), OK);
    return child;
}

static void keep_line(void *context, const char *line)
{
    struct heard *heard = context;

    heard->lines++;
    snprintf(heard->last, sizeof heard->last, "%s", line);
}

static void wait_for_end(const struct child *child)
{
    struct pollfd end = {.fd = child->pidfd, .events = POLLIN};

    CU_ASSERT_EQUAL(poll(&end, 1, 20000), 1);
}

/* Each line is answered with one more, which is there before this returns. */
static void ask_for_more(void *context, const char *line)
{
    struct heard *heard = context;
    struct pollfd more = {.fd = heard->child->output, .events = POLLIN};

    keep_line(context, line);
    if (heard->lines == LINES_TOO_MANY)
        child_close_input(heard->child);
    if (heard->child->input < 0)
        return;
    CU_ASSERT_EQUAL(write(heard->child->input, "x\n", 2), 2);
    CU_ASSERT_EQUAL(poll(&more, 1, 20000), 1);
}

static void who_never_stops_talking_is_heard_for_a_while_only(void)
{
    char *arguments[] = {"cat", NULL};
    struct child child = start(arguments);
    struct heard heard = {.child = &child};
    struct pollfd output = {.fd = child.output, .events = POLLIN};

    CU_ASSERT_EQUAL(write(child.input, "x\n", 2), 2);
    CU_ASSERT_EQUAL(poll(&output, 1, 20000), 1);
    child_hear(&child, ask_for_more, &heard);
    CU_ASSERT(heard.lines > 0);
    CU_ASSERT(heard.lines < LINES_TOO_MANY);
    child_clear(&child);
}

/* As much as a pipe holds, the last line without its end. */
static void what_an_ended_one_has_said_is_heard_to_the_end(void)
{
    char *arguments[] = {"sh", "-c",
                         "yes 12345678901234567890123456789012345678901234567 | "
                         "head -n 1365; printf end",
                         NULL};
    struct child child = start(arguments);
    struct heard heard = {.child = &child};
    int status;

    wait_for_end(&child);
    CU_ASSERT(child_reap(&child, &status));
    CU_ASSERT_EQUAL(status, 0);
    child_hear(&child, keep_line, &heard);
    CU_ASSERT_EQUAL(heard.lines, 1366);
    CU_ASSERT_STRING_EQUAL(heard.last, "end");
    child_clear(&child);
}

static void a_program_that_is_not_there_is_named(void)
{
    char *arguments[] = {"/nowhere/program", NULL};
    struct child child = start(arguments);
    struct heard heard = {.child = &child};
    int status;

    wait_for_end(&child);
    CU_ASSERT(child_reap(&child, &status));
    CU_ASSERT_EQUAL(status, 127);
    child_hear(&child, keep_line, &heard);
    CU_ASSERT_EQUAL(strncmp(heard.last, "/nowhere/program cannot be started: ", 36), 0);
    child_clear(&child);
}

static const struct unit_case CASES[] = {
    {"who never stops talking is heard for a while only",
     who_never_stops_talking_is_heard_for_a_while_only},
    {"what an ended one has said is heard to the end",
     what_an_ended_one_has_said_is_heard_to_the_end},
    {"a program that is not there is named", a_program_that_is_not_there_is_named}};

UNIT_MAIN("child", CASES)
