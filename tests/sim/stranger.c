/*
 * Strangers: peers of the coordinator that are no node of ours. A hostile one says well-formed
 * nonsense, an observer asks for the status and may never read it, a foreign one speaks another
 * version. Nobody else may notice them.
 */
#include "world.h"

#include "base/memory.h"

#include <stdio.h>

static uint64_t draw(struct world *world, uint64_t often)
{
    /* Small numbers meet what there is; large ones are what nobody expects. */
    switch (random_below(&world->strangers, 4)) {
    case 0:
        return random_next(&world->strangers);
    case 1:
        return random_below(&world->strangers, 1000000);
    default:
        return random_below(&world->strangers, often + 1);
    }
}

static struct place draw_place(struct world *world)
{
    struct place place = {(uint32_t)draw(world, 1), draw(world, 5000)};

    place.source %= SOURCES_MAX + 1;
    return place;
}

static void draw_payload(struct world *world, struct message *message)
{
    struct bytes bytes = {0};
    struct segment segment;
    uint64_t noise = random_below(&world->strangers, 40);

    if (random_chance(&world->strangers, 500)) {
        segment_init(&segment, draw(world, 1) & 1 ? SEGMENT_COUNT : SEGMENT_FOLD, op_of(OP_SUM));
        segment.elements = draw(world, 10);
        segment.bounded = true;
        for (uint64_t i = random_below(&world->strangers, 50); i && segment.kind == SEGMENT_FOLD;
             i--)
            values_append_int(&segment.closed, (int64_t)draw(world, 9));
        segment_encode(&segment, &bytes);
        segment_clear(&segment);
    } else {
        while (noise--)
            bytes_append_byte(&bytes, (uint8_t)draw(world, 255));
    }
    message->payload = chunk_take(&bytes);
}

static void draw_task(struct world *world, struct message_task *task)
{
    struct place a = draw_place(world);
    struct place b = draw_place(world);
    bool in_order = place_compare(a, b) <= 0;

    *task = (struct message_task){.job = draw(world, 3),
                                  .task = draw(world, 5),
                                  .attempt = (uint32_t)draw(world, 2),
                                  .kind = (enum task_kind)(random_below(&world->strangers, 3) + 1),
                                  .slice = {in_order ? a : b, in_order ? b : a, 0, false},
                                  .room_bytes = draw(world, 1000),
                                  .deaths = (uint32_t)draw(world, 3),
                                  .lost_daemons = (uint32_t)draw(world, 3),
                                  .by_value = random_chance(&world->strangers, 300)};
    task->slice.element = draw(world, 10);
}

/* A fault in a source that no job has. */
static void encode_false_fault(const struct message_result *result, struct bytes *bytes)
{
    struct segment segment;

    segment_init(&segment, result->kind == TASK_COUNT ? SEGMENT_COUNT : SEGMENT_FOLD,
                 op_of(OP_SUM));
    segment.fault = (struct fault){.kind = FAULT_NOT_A_NUMBER, .source = UINT32_MAX};
    segment_encode(&segment, bytes);
    segment_clear(&segment);
}

/* A lie that could be true is believed, as nobody computes twice; so that is never told. */
static void spoil(struct world *world, struct message *message)
{
    struct bytes bytes = {0};

    if (place_compare(message->result.begin, message->result.middle) == 0) {
        message->result.deaths = 0;
        return;
    }
    switch (random_below(&world->strangers, 3)) {
    case 0:
        message->result.middle = (struct place){SOURCES_MAX, 5};
        return;
    case 1:
        encode_false_fault(&message->result, &bytes);
        break;
    default:
        bytes_append_byte(&bytes, 0xee);
        break;
    }
    chunk_drop(&message->payload);
    message->payload = chunk_take(&bytes);
}

/* An answer to the task that it was given last, right or nearly so; or to one that is not there. */
static void draw_result(struct world *world, const struct stranger *stranger,
                        struct message_result *result)
{
    const struct message_task *task = &stranger->task;
    struct place a = draw_place(world);
    struct place b = draw_place(world);
    bool in_order = place_compare(a, b) <= 0;

    *result = (struct message_result){
        .job = task->job,
        .task = random_chance(&world->strangers, 800) ? task->task : draw(world, 9),
        .attempt = task->attempt,
        .kind = task->kind,
        .begin = task->slice.begin,
        .middle = task->slice.begin,
        .busy_ns = draw(world, 100000),
        .deaths = (uint32_t)draw(world, 2),
        .units = draw(world, 100)};
    if (random_chance(&world->strangers, 400))
        result->middle = (struct place){task->slice.end.source, task->slice.end.unit};
    if (!result->kind || random_chance(&world->strangers, 300)) {
        result->kind = (enum task_kind)(random_below(&world->strangers, 3) + 1);
        result->begin = in_order ? a : b;
        result->middle = in_order ? b : a;
    }
    result->done = random_chance(&world->strangers, 300);
}

static void draw_message(struct world *world, const struct stranger *stranger,
                         struct message *message)
{
    static const enum message_type TYPES[] = {
        MESSAGE_HEARTBEAT, MESSAGE_BYE,     MESSAGE_FORGET, MESSAGE_TASK,     MESSAGE_CANCEL,
        MESSAGE_ROOM,      MESSAGE_RESULT,  MESSAGE_RESULT, MESSAGE_DECLINED, MESSAGE_ASK_STATUS,
        MESSAGE_WELCOME,   MESSAGE_REFUSED, MESSAGE_RESULT};

    *message = (struct message){.type = TYPES[random_below(&world->strangers, 13)]};
    switch (message->type) {
    case MESSAGE_TASK:
        draw_task(world, &message->task);
        draw_payload(world, message);
        break;
    case MESSAGE_RESULT:
        draw_result(world, stranger, &message->result);
        draw_payload(world, message);
        spoil(world, message);
        break;
    case MESSAGE_DECLINED:
        message->declined.task = stranger->task.task;
        message->declined.attempt = stranger->task.attempt;
        message->declined.reason =
            random_chance(&world->strangers, 500) ? DECLINE_ABSENT : DECLINE_DRAINING;
        break;
    case MESSAGE_ROOM:
        message->room.more_bytes = draw(world, 1000);
        break;
    default:
        message->forget.job = draw(world, 3);
        break;
    }
}

static void send_one(struct world *world, struct stranger *stranger, struct message *message)
{
    struct message *const messages[] = {message};

    conduit_send(world, stranger->conduit, 1, messages, 1);
}

static void say_hello(struct world *world, struct stranger *stranger)
{
    static const enum role ROLES[] = {ROLE_WORKER, ROLE_WORKER, ROLE_CLIENT};
    struct message hello = {.type = MESSAGE_HELLO};

    hello.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                         .role = ROLES[random_below(&world->strangers, 3)],
                                         .slots = (uint32_t)draw(world, 3) % 65536 + 1,
                                         .credit_tasks = (uint32_t)draw(world, 3),
                                         .session = random_next(&world->strangers)};
    if (stranger->kind == STRANGER_OBSERVER)
        hello.hello.role = ROLE_OBSERVER;
    if (stranger->kind == STRANGER_FOREIGN)
        hello.hello.version = PROTOCOL_VERSION + 1;
    snprintf(hello.hello.host, sizeof hello.hello.host, "stranger");
    send_one(world, stranger, &hello);
}

static void speaks(struct world *world, struct happening *happening)
{
    struct stranger *stranger = happening->subject;
    struct message message = {.type = MESSAGE_ASK_STATUS};

    if (world->is_healed)
        return; /* it is gone by then */
    if (stranger->conduit && stranger->conduit->is_cut)
        stranger->conduit = NULL;
    if (!stranger->conduit && world->hosts[0]->node) {
        stranger->conduit = conduit_new(world, world->hosts[0], NULL, NULL);
        stranger->conduit->stranger = stranger;
        say_hello(world, stranger);
    } else if (stranger->conduit && random_chance(&world->strangers, 100)) {
        say_hello(world, stranger);
    } else if (stranger->conduit) {
        if (stranger->kind == STRANGER_HOSTILE)
            draw_message(world, stranger, &message);
        send_one(world, stranger, &message);
    }
    world_later(world, random_log(&world->strangers, NS_PER_MS, 400 * NS_PER_MS), speaks, stranger,
                0);
}

void stranger_hears(struct world *world, struct stranger *stranger, struct message *message)
{
    if (message->type == MESSAGE_TASK)
        stranger->task = message->task;
    if (message->type == MESSAGE_STATUS && stranger->kind == STRANGER_FOREIGN)
        world_fail(world, "one of another version is told the status");
    if (message->type == MESSAGE_WELCOME && stranger->kind == STRANGER_FOREIGN)
        world_fail(world, "one of another version is welcome");
}

void strangers_come(struct world *world)
{
    static const enum swarm_class CLASSES[STRANGER_KINDS] = {[STRANGER_HOSTILE] = SWARM_HOSTILE,
                                                             [STRANGER_OBSERVER] = SWARM_OBSERVER,
                                                             [STRANGER_FOREIGN] = SWARM_FOREIGN};

    for (unsigned i = 0; i < STRANGER_KINDS; i++) {
        world->stranger[i].kind = (enum stranger_kind)i;
        if (swarm_has(&world->swarm, CLASSES[i]))
            world_later(world, random_log(&world->strangers, 1000, NS_PER_S), speaks,
                        &world->stranger[i], 0);
    }
}
