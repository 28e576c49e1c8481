/* What waits to leave a link. */
#include "unit.h"

#include "base/memory.h"
#include "link/outbox.h"

#include <string.h>

static void push(struct outbox *outbox, enum message_type type, uint64_t number)
{
    struct message message = {.type = type};

    if (type == MESSAGE_STATUS)
        message.payload = chunk_copy(&number, sizeof number);
    else
        message.forget.job = number; /* a heartbeat's slots stand there, too */
    outbox_push(outbox, &message);
    CU_ASSERT_EQUAL(message.type, 0);
}

static void messages_leave_in_their_order(void)
{
    struct outbox outbox = {0};

    for (uint64_t i = 0; i < 100; i++)
        push(&outbox, MESSAGE_FORGET, i);
    for (uint64_t i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(outbox_at(&outbox, 0)->forget.job, i);
        outbox_shift(&outbox, 1);
    }
    CU_ASSERT_EQUAL(outbox_count(&outbox), 0);
    outbox_clear(&outbox);
}

static void who_never_reads_is_kept_the_newest_news_only(void)
{
    struct outbox outbox = {0};
    uint64_t newest;

    push(&outbox, MESSAGE_FORGET, 7);
    for (uint64_t i = 1; i <= 10000; i++) {
        push(&outbox, MESSAGE_STATUS, i);
        push(&outbox, MESSAGE_HEARTBEAT, i);
    }
    CU_ASSERT_EQUAL_FATAL(outbox_count(&outbox), 3);
    CU_ASSERT_EQUAL(outbox_at(&outbox, 0)->type, MESSAGE_FORGET);
    CU_ASSERT_EQUAL_FATAL(outbox_at(&outbox, 1)->type, MESSAGE_STATUS);
    memcpy(&newest, outbox_at(&outbox, 1)->payload.data, sizeof newest);
    CU_ASSERT_EQUAL(newest, 10000);
    CU_ASSERT_EQUAL(outbox_at(&outbox, 2)->heartbeat.slots, 10000);
    outbox_clear(&outbox);
}

static void news_do_not_pass_what_was_said_between(void)
{
    struct outbox outbox = {0};

    push(&outbox, MESSAGE_HEARTBEAT, 1);
    push(&outbox, MESSAGE_FORGET, 2);
    push(&outbox, MESSAGE_HEARTBEAT, 3);
    CU_ASSERT_EQUAL_FATAL(outbox_count(&outbox), 3);
    CU_ASSERT_EQUAL(outbox_at(&outbox, 0)->heartbeat.slots, 1);
    outbox_clear(&outbox);
}

static const struct unit_case cases[] = {
    {"messages leave in their order", messages_leave_in_their_order},
    {"who never reads is kept the newest news only", who_never_reads_is_kept_the_newest_news_only},
    {"news do not pass what was said between", news_do_not_pass_what_was_said_between},
};

UNIT_MAIN("outbox", cases)
