/* What a peer may do to the ZeroMQ link that is not this program: bare sockets, frame by frame. */
#include "base/limits.h"
#include "base/memory.h"
#include "link/link_zmq.h"
#include "link_conformance.h"
#include "unit.h"
#include "wire/wire.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { WAIT_MS = 20000 };

static void new_ipc_url(char *url, size_t bytes)
{
    static unsigned count;

    snprintf(url, bytes, "ipc:///tmp/sheaf-test-%d-%u", getpid(), count++);
}

static void remove_ipc(const char *url)
{
    unlink(url + strlen("ipc://"));
}

static struct link *listen_at(const char *url)
{
    struct link *link = NULL;
    struct error error = {0};

    if (link_zmq_listen(&link, &url, 1, &error) != OK)
        printf("%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    return link;
}

static bool next_is(struct link *link, enum link_event_type type, link_peer *peer)
{
    struct link_event event;
    bool is_right = conformance_wait(link, &event, WAIT_MS) == type;

    *peer = event.peer;
    if (event.type == LINK_MESSAGE)
        message_clear(&event.message);
    return is_right;
}

struct stranger {
    struct link *link;
    void *context, *socket;
    char url[128];
};

static void add_frame(void *socket, const void *data, size_t length, bool has_more)
{
    CU_ASSERT_FATAL(zmq_send(socket, data, length, has_more ? ZMQ_SNDMORE : 0) >= 0);
}

/* One message, encoded: a HELLO, or a TASK that names a payload. */
static struct bytes encoded(enum message_type type, size_t payload_bytes)
{
    struct message message = {.type = MESSAGE_HELLO};
    const struct message *pointer = &message;
    struct bytes header = {0};

    message.hello.version = PROTOCOL_VERSION;
    message.hello.role = ROLE_WORKER;
    message.hello.slots = 1;
    message.hello.credit_tasks = 1;
    if (type == MESSAGE_TASK)
        conformance_order(&message, PARTNER_ECHO, 7, payload_bytes);
    wire_encode(&pointer, 1, &header);
    message_clear(&message);
    return header;
}

static void stranger_greets(struct stranger *stranger, link_peer *peer)
{
    struct bytes hello = encoded(MESSAGE_HELLO, 0);

    add_frame(stranger->socket, hello.data, hello.length, false);
    bytes_clear(&hello);
    CU_ASSERT_FATAL(next_is(stranger->link, LINK_MESSAGE, peer));
}

static void stranger_open(struct stranger *stranger, const char *identity)
{
    new_ipc_url(stranger->url, sizeof stranger->url);
    stranger->link = listen_at(stranger->url);
    stranger->context = zmq_ctx_new();
    stranger->socket = zmq_socket(stranger->context, ZMQ_DEALER);
    zmq_setsockopt(stranger->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    if (identity)
        zmq_setsockopt(stranger->socket, ZMQ_ROUTING_ID, identity, strlen(identity));
    CU_ASSERT_FATAL(zmq_connect(stranger->socket, stranger->url) == 0);
}

static void stranger_close(struct stranger *stranger)
{
    zmq_close(stranger->socket);
    zmq_ctx_term(stranger->context);
    stranger->link->ops->close(&stranger->link, 0);
    remove_ipc(stranger->url);
}

static void put_part(struct stranger *stranger, uint64_t whole, uint64_t offset, size_t length,
                     const struct bytes *header)
{
    struct bytes head = {0};
    uint8_t *data = memory_array(length ? length : 1, 1);

    bytes_append_byte(&head, 0xc1);
    bytes_append_u64(&head, whole);
    bytes_append_u64(&head, offset);
    if (header)
        bytes_append(&head, header->data, header->length);
    add_frame(stranger->socket, head.data, head.length, length > 0);
    if (length)
        add_frame(stranger->socket, data, length, false);
    memory_free(data);
    bytes_clear(&head);
}

static void put_garbage(struct stranger *stranger)
{
    add_frame(stranger->socket, "garbage", 7, false);
}

static void put_empty(struct stranger *stranger)
{
    add_frame(stranger->socket, "", 0, false);
}

static void put_three_frames(struct stranger *stranger)
{
    struct bytes task = encoded(MESSAGE_TASK, 3);

    add_frame(stranger->socket, task.data, task.length, true);
    add_frame(stranger->socket, "abc", 3, true);
    add_frame(stranger->socket, "d", 1, false);
    bytes_clear(&task);
}

static void put_missing_payload(struct stranger *stranger)
{
    struct bytes task = encoded(MESSAGE_TASK, 3);

    add_frame(stranger->socket, task.data, task.length, false);
    bytes_clear(&task);
}

static void put_long_payload(struct stranger *stranger)
{
    struct bytes task = encoded(MESSAGE_TASK, 3);

    add_frame(stranger->socket, task.data, task.length, true);
    add_frame(stranger->socket, "abcd", 4, false);
    bytes_clear(&task);
}

static void put_part_of_little(struct stranger *stranger)
{
    put_part(stranger, 1000, 0, 1000, NULL);
}

static void put_part_of_too_much(struct stranger *stranger)
{
    put_part(stranger, UINT64_MAX, 0, 1000, NULL);
}

static void put_part_out_of_order(struct stranger *stranger)
{
    put_part(stranger, 3 * MIB, 0, MIB, NULL);
    put_part(stranger, 3 * MIB, 2 * MIB, MIB, NULL);
}

static void put_part_past_the_end(struct stranger *stranger)
{
    put_part(stranger, 3 * MIB, 0, 2 * MIB, NULL);
    put_part(stranger, 3 * MIB, 2 * MIB, 2 * MIB, NULL);
}

static void put_part_without_bytes(struct stranger *stranger)
{
    put_part(stranger, 3 * MIB, 0, 0, NULL);
}

static void put_last_part_without_header(struct stranger *stranger)
{
    put_part(stranger, 3 * MIB, 0, 2 * MIB, NULL);
    put_part(stranger, 3 * MIB, 2 * MIB, MIB, NULL);
}

static void put_header_too_early(struct stranger *stranger)
{
    struct bytes task = encoded(MESSAGE_TASK, 3 * MIB);

    put_part(stranger, 3 * MIB, 0, MIB, &task);
    bytes_clear(&task);
}

static void put_short_part_head(struct stranger *stranger)
{
    add_frame(stranger->socket, "\xc1\x01\x02", 3, true);
    add_frame(stranger->socket, "abc", 3, false);
}

static void a_malformed_message_ends_its_peer_only(void)
{
    static void (*const PUTS[])(struct stranger *) = {
        put_garbage,           put_empty,
        put_three_frames,      put_missing_payload,
        put_long_payload,      put_part_of_little,
        put_part_of_too_much,  put_part_out_of_order,
        put_part_past_the_end, put_part_without_bytes,
        put_header_too_early,  put_last_part_without_header,
        put_short_part_head,
    };
    struct stranger stranger;
    link_peer peer, gone, again;

    for (size_t i = 0; i < sizeof PUTS / sizeof *PUTS; i++) {
        stranger_open(&stranger, NULL);
        stranger_greets(&stranger, &peer);
        PUTS[i](&stranger);
        CU_ASSERT(next_is(stranger.link, LINK_GONE, &gone));
        CU_ASSERT_EQUAL(peer, gone);
        stranger_greets(&stranger, &again);
        CU_ASSERT_NOT_EQUAL(peer, again);
        stranger_close(&stranger);
    }
}

static void a_payload_in_parts_arrives_whole(void)
{
    struct bytes task = encoded(MESSAGE_TASK, 5 * MIB);
    struct stranger stranger;
    struct link_event event;
    link_peer peer;

    stranger_open(&stranger, NULL);
    stranger_greets(&stranger, &peer);
    put_part(&stranger, 3 * MIB, 0, MIB, NULL); /* begun, and then begun anew */
    put_part(&stranger, 5 * MIB, 0, 2 * MIB, NULL);
    put_part(&stranger, 5 * MIB, 2 * MIB, 1, NULL);
    stranger_greets(&stranger, &peer); /* a batch in between */
    put_part(&stranger, 5 * MIB, 2 * MIB + 1, MIB, NULL);
    put_part(&stranger, 5 * MIB, 3 * MIB + 1, 2 * MIB - 1, &task);
    CU_ASSERT_EQUAL_FATAL(conformance_wait(stranger.link, &event, WAIT_MS), LINK_MESSAGE);
    CU_ASSERT_EQUAL(event.message.type, MESSAGE_TASK);
    CU_ASSERT_EQUAL(event.message.payload.length, 5 * MIB);
    message_clear(&event.message);
    bytes_clear(&task);
    stranger_close(&stranger);
}

static void an_identity_of_ones_own_is_not_heard(void)
{
    struct bytes hello = encoded(MESSAGE_HELLO, 0);
    struct stranger stranger;
    struct link_event event;

    stranger_open(&stranger, "mine!");
    add_frame(stranger.socket, hello.data, hello.length, false);
    CU_ASSERT_EQUAL(conformance_wait(stranger.link, &event, 300), LINK_NOTHING);
    bytes_clear(&hello);
    stranger_close(&stranger);
}

/* libzmq ends the connection before it allocates. */
static void a_frame_too_long_is_not_taken(void)
{
    size_t bytes = 5 * MIB;
    uint8_t *data = memory_array(bytes, 1);
    struct stranger stranger;
    struct link_event event;
    link_peer peer;

    stranger_open(&stranger, NULL);
    stranger_greets(&stranger, &peer);
    add_frame(stranger.socket, data, bytes, false);
    CU_ASSERT_EQUAL(conformance_wait(stranger.link, &event, 300), LINK_NOTHING);
    memory_free(data);
    stranger_close(&stranger);
}

static const struct unit_case CASES[] = {
    {"a malformed message ends its peer only", a_malformed_message_ends_its_peer_only},
    {"a payload in parts arrives whole", a_payload_in_parts_arrives_whole},
    {"an identity of one's own is not heard", an_identity_of_ones_own_is_not_heard},
    {"a frame too long is not taken", a_frame_too_long_is_not_taken},
};
UNIT_MAIN("zmq strangers", CASES)
