/* The loop alone: links that play from a script, and a node that only notes what it is told. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/loop.h"
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

enum { SENT_MAX = 2048, NOTES_MAX = 2048 };

/* ---- a node in place of the real one ---- */

struct node {
    struct event notes[NOTES_MAX];
    size_t count;
    int64_t deadline_ns;
};

struct action *actions_add(struct actions *actions, enum action_type type, peer_id peer)
{
    if (actions->count == actions->capacity)
        actions->items = memory_grow(actions->items, ++actions->capacity, sizeof *actions->items);
    actions->items[actions->count] = (struct action){.type = type, .peer = peer};
    return &actions->items[actions->count++];
}

void actions_clear(struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        message_clear(&actions->items[i].message);
    actions->count = 0;
}

void actions_free(struct actions *actions)
{
    actions_clear(actions);
    memory_free(actions->items);
    *actions = (struct actions){0};
}

static void ask_to_send(struct actions *actions, peer_id peer, uint64_t job)
{
    struct message *message = &actions_add(actions, ACTION_SEND, peer)->message;

    message->type = MESSAGE_FORGET;
    message->forget.job = job;
}

/* A connection is greeted, a message is answered by a drop; a submission asks for something to read
 * between two messages to peer `event->peer`, and input for a third. */
void node_step(struct node *node, struct event *event, struct actions *actions)
{
    CU_ASSERT_FATAL(node->count < NOTES_MAX);
    node->notes[node->count++] = *event;
    if (event->type == EVENT_CONNECTED)
        ask_to_send(actions, event->peer, 1);
    else if (event->type == EVENT_MESSAGE)
        actions_add(actions, ACTION_DROP, event->peer);
    else if (event->type == EVENT_TICK)
        node->deadline_ns = INT64_MAX;
    else if (event->type == EVENT_INPUT)
        ask_to_send(actions, event->peer, 12);
    if (event->type != EVENT_SUBMIT)
        return;
    ask_to_send(actions, event->peer, 10);
    actions_add(actions, ACTION_READ, event->peer);
    ask_to_send(actions, event->peer, 11);
}

int64_t node_deadline(const struct node *node)
{
    return node->deadline_ns;
}

/* ---- links ---- */

struct played {
    struct link link;
    int fd;
    struct link_event script[4];
    size_t next, count, repeats; /* the script is played 1 + repeats times */
    struct {
        link_peer peer;
        uint64_t job;
        int flushes_before;
    } sent[SENT_MAX];
    size_t sent_count;
    int flushes, drops;
    link_peer dropped;
    int64_t deadline_ns;
    bool *is_closed;
};

static struct played *played_of(const struct link *link)
{
    return (struct played *)(uintptr_t)link;
}

static int played_fd(const struct link *link)
{
    return played_of(link)->fd;
}

static enum link_event_type played_receive(struct link *link, struct link_event *event)
{
    struct played *played = played_of(link);

    if (played->next == played->count && played->repeats) {
        played->repeats--;
        played->next = 0;
    }
    if (played->next == played->count)
        return LINK_NOTHING;
    *event = played->script[played->next++];
    return event->type;
}

static void played_send(struct link *link, link_peer peer, struct message *messages, size_t count)
{
    struct played *played = played_of(link);

    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_FATAL(played->sent_count < SENT_MAX);
        played->sent[played->sent_count].peer = peer;
        played->sent[played->sent_count].flushes_before = played->flushes;
        played->sent[played->sent_count++].job = messages[i].forget.job;
        message_clear(messages + i);
    }
}

static void played_flush(struct link *link)
{
    played_of(link)->flushes++;
}

static void played_drop(struct link *link, link_peer peer)
{
    played_of(link)->drops++;
    played_of(link)->dropped = peer;
}

static int64_t played_deadline(const struct link *link)
{
    return played_of(link)->deadline_ns;
}

static void played_close(struct link **link, int64_t linger_ns)
{
    CU_ASSERT(linger_ns > 0);
    *played_of(*link)->is_closed = true;
    close(played_of(*link)->fd);
    memory_free(*link);
    *link = NULL;
}

static const struct link_ops PLAYED = {"played",        played_fd,    played_receive,
                                       played_send,     played_flush, played_drop,
                                       played_deadline, NULL,         played_close};

static struct played *play(struct loop *loop, bool *is_closed)
{
    struct played *played = memory_new(sizeof *played);

    played->link.ops = &PLAYED;
    played->fd = eventfd(0, EFD_CLOEXEC);
    played->deadline_ns = INT64_MAX;
    played->is_closed = is_closed;
    loop_add_link(loop, &played->link);
    return played;
}

struct scene {
    struct node node;
    struct loop *loop;
    struct played *links[2];
    bool are_closed[2];
    int readable_fd;
    uint64_t reads;
};

static void note_readable(void *context, int fd, short revents)
{
    CU_ASSERT(revents & POLLIN);
    ((struct scene *)context)->readable_fd = fd;
}

/* What is asked for is there at once, and given from inside the hook. */
static void answer_read(void *context, struct action *action)
{
    struct scene *scene = context;
    struct event input = {.type = EVENT_INPUT, .peer = action->peer};

    CU_ASSERT_EQUAL(action->type, ACTION_READ);
    scene->reads++;
    loop_submit(scene->loop, &input);
}

static void set_scene(struct scene *scene)
{
    struct loop_hooks hooks = {.context = scene, .readable = note_readable, .action = answer_read};
    struct error error;

    memset(scene, 0, sizeof *scene);
    scene->readable_fd = -1;
    scene->node.deadline_ns = INT64_MAX;
    CU_ASSERT_EQUAL_FATAL(loop_new(&scene->loop, &scene->node, &hooks, &error), OK);
    for (int i = 0; i < 2; i++)
        scene->links[i] = play(scene->loop, &scene->are_closed[i]);
}

static void end_scene(struct scene *scene)
{
    loop_free(&scene->loop);
    CU_ASSERT(scene->are_closed[0] && scene->are_closed[1]);
    CU_ASSERT_PTR_NULL(scene->loop);
}

static void an_answer_goes_to_the_link_and_peer_it_is_for(void)
{
    static struct scene scene;

    for (int which = 0; which < 2; which++) {
        set_scene(&scene);
        scene.links[which]->script[0] = (struct link_event){.type = LINK_CONNECTED, .peer = 77};
        scene.links[which]->count = 1;
        loop_round(scene.loop, 0);
        CU_ASSERT_EQUAL_FATAL(scene.links[which]->sent_count, 1);
        CU_ASSERT_EQUAL(scene.links[which]->sent[0].peer, 77);
        CU_ASSERT(scene.links[which]->flushes > scene.links[which]->sent[0].flushes_before);
        CU_ASSERT_EQUAL(scene.links[!which]->sent_count, 0);
        end_scene(&scene);
    }
}

static void one_number_on_two_links_is_two_peers(void)
{
    static struct scene scene;

    set_scene(&scene);
    for (int i = 0; i < 2; i++) {
        scene.links[i]->script[0] = (struct link_event){.type = LINK_CONNECTED, .peer = 0};
        scene.links[i]->count = 1;
    }
    loop_round(scene.loop, 0);
    CU_ASSERT_EQUAL_FATAL(scene.node.count, 2);
    CU_ASSERT_NOT_EQUAL(scene.node.notes[0].peer, scene.node.notes[1].peer);
    CU_ASSERT_NOT_EQUAL(scene.node.notes[0].peer, 0);
    CU_ASSERT_NOT_EQUAL(scene.node.notes[1].peer, 0);
    end_scene(&scene);
}

static void a_drop_reaches_the_peer_that_spoke(void)
{
    static struct scene scene;

    set_scene(&scene);
    scene.links[1]->script[0] = (struct link_event){.type = LINK_MESSAGE, .peer = 5};
    scene.links[1]->script[0].message.type = MESSAGE_HEARTBEAT;
    scene.links[1]->script[0].message.payload =
        chunk_copy("abc", 3); /* left: cleared by the loop */
    scene.links[1]->count = 1;
    loop_round(scene.loop, 0);
    CU_ASSERT_EQUAL(scene.links[0]->drops, 0);
    CU_ASSERT_EQUAL(scene.links[1]->drops, 1);
    CU_ASSERT_EQUAL(scene.links[1]->dropped, 5);
    end_scene(&scene);
}

static void a_death_is_told_with_all_that_is_known(void)
{
    static struct scene scene;
    const struct event *told = &scene.node.notes[0];

    set_scene(&scene);
    scene.links[0]->script[0] = (struct link_event){
        .type = LINK_GONE, .peer = 9, .signal = SIGSEGV, .started_task = 42, .started_attempt = 3};
    scene.links[0]->count = 1;
    loop_round(scene.loop, 0);
    CU_ASSERT_EQUAL_FATAL(scene.node.count, 1);
    CU_ASSERT_EQUAL(told->type, EVENT_GONE);
    CU_ASSERT_EQUAL(told->gone.signal, SIGSEGV);
    CU_ASSERT_EQUAL(told->gone.started_task, 42);
    CU_ASSERT_EQUAL(told->gone.started_attempt, 3);
    end_scene(&scene);
}

static void actions_keep_their_order_when_a_hook_submits(void)
{
    static struct scene scene;
    struct event submit = {.type = EVENT_SUBMIT};

    set_scene(&scene);
    scene.links[0]->script[0] = (struct link_event){.type = LINK_CONNECTED, .peer = 3};
    scene.links[0]->count = 1;
    loop_round(scene.loop, 0);
    submit.peer = scene.node.notes[0].peer;
    loop_submit(scene.loop, &submit);
    CU_ASSERT_EQUAL(scene.reads, 1);
    CU_ASSERT_EQUAL_FATAL(scene.links[0]->sent_count, 4);
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(scene.links[0]->sent[1 + i].job, 10 + i);
    end_scene(&scene);
}

static void all_input_is_taken_before_time_is_judged(void)
{
    static struct scene scene;
    size_t last;

    set_scene(&scene);
    scene.node.deadline_ns = 0;
    for (size_t i = 0; i < 4; i++)
        scene.links[0]->script[i] =
            (struct link_event){.type = i % 2 ? LINK_GONE : LINK_CONNECTED, .peer = 10 + i / 2};
    scene.links[0]->count = 4;
    scene.links[0]->repeats = 199;
    loop_round(scene.loop, 0);
    last = scene.node.count - 1;
    CU_ASSERT_EQUAL(last, 800);
    for (size_t i = 0; i < last; i++) {
        CU_ASSERT_NOT_EQUAL(scene.node.notes[i].type, EVENT_TICK);
        CU_ASSERT(scene.node.notes[i].now_ns <= scene.node.notes[i + 1].now_ns);
    }
    CU_ASSERT_EQUAL(scene.node.notes[last].type, EVENT_TICK);
    /* … but answers did not wait for the last of it. */
    CU_ASSERT(scene.links[0]->sent[399].flushes_before > 0);
    end_scene(&scene);
}

static int64_t round_ns(struct scene *scene, int64_t max_ns)
{
    int64_t begin_ns = clock_now_ns();

    loop_round(scene->loop, max_ns);
    return clock_now_ns() - begin_ns;
}

static void a_round_sleeps_until_the_earliest_deadline(void)
{
    static struct scene scene;
    int64_t slept_ns;

    set_scene(&scene);
    CU_ASSERT(round_ns(&scene, 0) < 20 * NS_PER_MS);
    slept_ns = round_ns(&scene, 30 * NS_PER_MS);
    CU_ASSERT(slept_ns >= 29 * NS_PER_MS);
    scene.links[1]->deadline_ns = clock_now_ns() + 20 * NS_PER_MS;
    slept_ns = round_ns(&scene, 10 * NS_PER_S);
    CU_ASSERT(slept_ns >= 15 * NS_PER_MS && slept_ns < 2 * NS_PER_S);
    scene.links[1]->deadline_ns = 0;
    CU_ASSERT(round_ns(&scene, 10 * NS_PER_S) < NS_PER_S);
    end_scene(&scene);
}

static void a_readable_link_or_descriptor_ends_the_sleep(void)
{
    static struct scene scene;
    int own = eventfd(0, EFD_CLOEXEC);

    set_scene(&scene);
    loop_add_fd(scene.loop, own, POLLIN);
    eventfd_write(scene.links[1]->fd, 1);
    CU_ASSERT(round_ns(&scene, 10 * NS_PER_S) < NS_PER_S);
    CU_ASSERT_EQUAL(scene.readable_fd, -1);
    eventfd_write(own, 1);
    CU_ASSERT(round_ns(&scene, 10 * NS_PER_S) < NS_PER_S);
    CU_ASSERT_EQUAL(scene.readable_fd, own);
    end_scene(&scene);
    close(own);
}

static void take_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_the_sleep_and_nothing_else(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}}, never = {0};
    struct sigaction action = {.sa_handler = take_alarm};
    static struct scene scene;

    sigaction(SIGALRM, &action, NULL);
    set_scene(&scene);
    setitimer(ITIMER_REAL, &soon, NULL);
    CU_ASSERT(round_ns(&scene, 10 * NS_PER_S) < 2 * NS_PER_S);
    setitimer(ITIMER_REAL, &never, NULL);
    CU_ASSERT_EQUAL(scene.readable_fd, -1);
    end_scene(&scene);
}

static const struct unit_case CASES[] = {
    {"an answer goes to the link and peer it is for",
     an_answer_goes_to_the_link_and_peer_it_is_for},
    {"one number on two links is two peers", one_number_on_two_links_is_two_peers},
    {"a drop reaches the peer that spoke", a_drop_reaches_the_peer_that_spoke},
    {"a death is told with all that is known", a_death_is_told_with_all_that_is_known},
    {"actions keep their order when a hook submits", actions_keep_their_order_when_a_hook_submits},
    {"all input is taken before time is judged", all_input_is_taken_before_time_is_judged},
    {"a round sleeps until the earliest deadline", a_round_sleeps_until_the_earliest_deadline},
    {"a readable link or descriptor ends the sleep", a_readable_link_or_descriptor_ends_the_sleep},
    {"a signal ends the sleep and nothing else", a_signal_ends_the_sleep_and_nothing_else},
};
UNIT_MAIN("loop", CASES)
