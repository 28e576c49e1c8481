/*
 * The MPI link, under mpirun with two ranks: rank 0 runs the conformance suite, rank 1 is its
 * partner. MPI begins and ends once; each case opens a link and closes it again.
 *
 *   mpirun -n 2 test_mpi
 *   mpirun -n 1 test_mpi --begin VERSION : -n 1 test_mpi --begin VERSION
 *                             begins, and says why not
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/mpi_channel.h"
#include "link/mpi_ranks.h"
#include "link_conformance.h"
#include "unit.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20000, TAG_ROUND = 30000, MALFORMED = 60 };

static struct ranks *ranks;
static uint32_t rounds;

static int begin(const char *version, int64_t limit_ns, struct error *error)
{
    struct ranks_options options = {
        .program = "test_mpi", .version = version, .launch = launch_read(), .limit_ns = limit_ns};

    return link_mpi_begin(&ranks, &options, error);
}

static struct link *open_link(void)
{
    struct link *link = NULL;
    struct error error;

    if (link_mpi_open(&link, ranks, &error) != OK)
        printf("%s\n", error.text);
    rounds++;
    return link;
}

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
        switch (conformance_wait(far->link, &event, 20)) {
        case LINK_NOTHING:
            if (far->link->ops->over(far->link))
                return false;
            break;
        case LINK_MESSAGE:
            far->peer = event.peer;
            *message = event.message;
            return message->type != MESSAGE_BYE;
        case LINK_CONNECTED:
            far->peer = event.peer;
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

/* What is no packet at all; and packets in their places of the window whose batches make no sense,
 * many more than it has places. The last one ends its batch, so that what follows is sound. */
static void far_garbage(void *context)
{
    struct far *far = context;
    int tag = TAG_LINKS + (int)((rounds - 1) % LINK_TAGS) * TAGS_PER_LINK;

    MPI_Send("garbage", 7, MPI_BYTE, 0, tag, MPI_COMM_WORLD);
    for (int i = 0; i < MALFORMED; i++) {
        struct message message;

        conformance_order(&message, PARTNER_ECHO, 1, i % 2 ? 100000 : 100);
        message.task.kind = (enum task_kind)99;
        far_send(far, &message);
        far->link->ops->flush(far->link);
    }
}

static bool is_another_round(void)
{
    const struct timespec pause = {.tv_nsec = 200000};
    MPI_Request request;
    int is_another = 0, flag = 0;

    MPI_Irecv(&is_another, 1, MPI_INT, 0, TAG_ROUND, MPI_COMM_WORLD, &request);
    while (!flag && MPI_Test(&request, &flag, MPI_STATUS_IGNORE) == MPI_SUCCESS && !flag)
        nanosleep(&pause, NULL);
    return is_another;
}

static int run_partner(void)
{
    while (is_another_round()) {
        struct far far = {.link = open_link()};
        struct partner partner = {&far, far_receive, far_send, NULL, far_garbage};

        if (!far.link)
            return 1;
        conformance_partner(&partner);
        far.link->ops->close(&far.link, 0);
    }
    return 0;
}

/* ---- the subject ---- */

static void tell_round(int is_another)
{
    MPI_Send(&is_another, 1, MPI_INT, 1, TAG_ROUND, MPI_COMM_WORLD);
}

static bool open_subject(struct subject *subject)
{
    tell_round(1);
    subject->link = open_link();
    subject->peer = 2;
    return subject->link != NULL;
}

/* A rank that is killed takes all with it (tests/integration/test_mpi.py); one may end early. */
static void end_partner(struct subject *subject)
{
    struct message bye = {.type = MESSAGE_BYE};

    subject->link->ops->send(subject->link, subject->peer, &bye, 1);
}

/* ---- what other links have not ---- */

static void a_malformed_packet_gives_its_place_back(void)
{
    struct subject subject = {0};
    struct message order;
    struct link_event event = {0};
    int gone = 0;

    CU_ASSERT_FATAL(open_subject(&subject));
    conformance_order(&order, PARTNER_GARBAGE, 7, 0);
    subject.link->ops->send(subject.link, subject.peer, &order, 1);
    while (conformance_wait(subject.link, &event, WAIT_MS) == LINK_GONE)
        gone++;
    CU_ASSERT(gone > CHANNEL_WINDOW_MAX);
    CU_ASSERT_EQUAL_FATAL(event.type, LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.message.type, MESSAGE_RESULT);
    CU_ASSERT_EQUAL(event.message.result.task, 7);
    CU_ASSERT_NOT_EQUAL(event.peer, subject.peer);
    message_clear(&event.message);
    subject.link->ops->close(&subject.link, 0);
}

static void an_end_in_order_is_over_and_no_loss(void)
{
    struct subject subject = {0};
    struct link_event event;

    CU_ASSERT_FATAL(open_subject(&subject));
    CU_ASSERT_PTR_NULL(subject.link->ops->over(subject.link));
    end_partner(&subject);
    CU_ASSERT_EQUAL(conformance_wait(subject.link, &event, WAIT_MS), LINK_GONE);
    CU_ASSERT_PTR_NOT_NULL(subject.link->ops->over(subject.link));
    subject.link->ops->close(&subject.link, 0);
}

static void what_was_sent_leaves_before_the_link_closes(void)
{
    struct subject subject = {0};
    struct message order;

    CU_ASSERT_FATAL(open_subject(&subject));
    for (uint64_t i = 0; i < 40; i++) {
        conformance_order(&order, PARTNER_ECHO, i, 300000);
        subject.link->ops->send(subject.link, subject.peer, &order, 1);
    }
    subject.link->ops->close(&subject.link, 10 * NS_PER_S);
    CU_ASSERT_PTR_NULL(subject.link);
}

static int64_t processor_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Slept through: 2 s idle cost hardly any time of the processor. */
static void an_idle_link_leaves_its_core(void)
{
    struct subject subject = {0};
    struct link_event event;
    int64_t busy_ns;

    CU_ASSERT_FATAL(open_subject(&subject));
    conformance_wait(subject.link, &event, 50);
    busy_ns = processor_ns();
    for (int64_t end_ns = clock_now_ns() + 2 * NS_PER_S; clock_now_ns() < end_ns;) {
        int64_t left_ns;

        while (subject.link->ops->receive(subject.link, &event) != LINK_NOTHING)
            CU_FAIL("something came");
        subject.link->ops->flush(subject.link);
        left_ns = subject.link->ops->deadline(subject.link) - clock_now_ns();
        if (left_ns > 0)
            nanosleep(&(struct timespec){.tv_nsec = left_ns}, NULL);
    }
    busy_ns = processor_ns() - busy_ns;
    printf(" [%.1f%% of a core] ", 50 * (double)busy_ns / (double)NS_PER_S);
    CU_ASSERT(busy_ns < NS_PER_S / 2);
    subject.link->ops->close(&subject.link, 0);
}

static const struct unit_case CASES[] = {
    {"a malformed packet gives its place back", a_malformed_packet_gives_its_place_back},
    {"an end in order is over, and no loss", an_end_in_order_is_over_and_no_loss},
    {"what was sent leaves before the link closes", what_was_sent_leaves_before_the_link_closes},
    {"an idle link leaves its core", an_idle_link_leaves_its_core},
};

static int run_suite(void)
{
    struct subject subject = {.name = "mpi, rank 0",
                              .open = open_subject,
                              .kill_partner = end_partner,
                              .hears_of_death = true};
    struct subject *const all[] = {&subject};
    int status = unit_run("mpi", CASES, sizeof CASES / sizeof *CASES);

    status |= conformance_run(all, 1);
    tell_round(0);
    return status;
}

int main(int argc, char **argv)
{
    bool is_whole = argc == 1;
    struct error error = {0};
    int status = 0;

    if (begin(is_whole ? "1" : argv[argc - 1], is_whole ? 60 * NS_PER_S : 5 * NS_PER_S, &error) !=
        OK) {
        if (*error.text)
            fprintf(stderr, "test_mpi: %s\n", error.text);
        status = error_exit_status(error.code);
    } else if (is_whole) {
        status = launch_read().rank ? run_partner() : run_suite();
    }
    link_mpi_end(&ranks, status);
    return status;
}
