/* What a peer may do to the ZeroMQ link that is not this program: bare sockets, frame by frame. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/zmq_peers.h"
#include "unit.h"
#include "wire/wire.h"
#include "zmq_help.h"

#include <zmq.h>

struct stranger {
    struct link *link;
    void *context, *socket, *monitor;
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

static void stranger_joins(struct stranger *stranger, link_peer *peer)
{
    struct message welcome = {.type = MESSAGE_WELCOME};

    stranger_greets(stranger, peer);
    stranger->link->ops->send(stranger->link, *peer, &welcome, 1);
    stranger->link->ops->flush(stranger->link);
}

/* A socket, and a monitor that tells when its connection ends. */
static void stranger_dials(struct stranger *stranger, const char *identity)
{
    static unsigned count;
    char monitor[32];

    snprintf(monitor, sizeof monitor, "inproc://monitor-%u", count++);
    stranger->socket = zmq_socket(stranger->context, ZMQ_DEALER);
    zmq_setsockopt(stranger->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_setsockopt(stranger->socket, ZMQ_RECONNECT_IVL, &(int){-1}, sizeof(int));
    if (identity)
        zmq_setsockopt(stranger->socket, ZMQ_ROUTING_ID, identity, strlen(identity));
    CU_ASSERT_FATAL(zmq_socket_monitor(stranger->socket, monitor, ZMQ_EVENT_DISCONNECTED) == 0);
    stranger->monitor = zmq_socket(stranger->context, ZMQ_PAIR);
    CU_ASSERT_FATAL(zmq_connect(stranger->monitor, monitor) == 0);
    CU_ASSERT_FATAL(zmq_connect(stranger->socket, stranger->url) == 0);
}

static void stranger_hangs_up(struct stranger *stranger)
{
    zmq_socket_monitor(stranger->socket, NULL, 0);
    zmq_close(stranger->monitor);
    zmq_close(stranger->socket);
}

static void stranger_open(struct stranger *stranger, const char *identity)
{
    new_ipc_url(stranger->url, sizeof stranger->url);
    stranger->link = listen_at(stranger->url);
    stranger->context = zmq_ctx_new();
    stranger_dials(stranger, identity);
}

/* Its connection ends within that time, while the link does what a loop would have it do. */
static bool stranger_is_sent_away(struct stranger *stranger, int timeout_ms)
{
    zmq_pollitem_t ended = {.socket = stranger->monitor, .events = ZMQ_POLLIN};
    int64_t end_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
    struct link_event event;

    do {
        if (conformance_wait(stranger->link, &event, 10) == LINK_MESSAGE)
            message_clear(&event.message);
        if (zmq_poll(&ended, 1, 0) == 1)
            return true;
    } while (clock_now_ns() < end_ns);
    return false;
}

static void stranger_close(struct stranger *stranger)
{
    stranger_hangs_up(stranger);
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

static void put_three_megabytes(struct stranger *stranger)
{
    uint8_t *data = memory_array(3 * MIB, 1);

    add_frame(stranger->socket, data, 3 * MIB, false);
    memory_free(data);
}

static void put_task_without_payload(struct stranger *stranger)
{
    struct bytes task = encoded(MESSAGE_TASK, 0);

    add_frame(stranger->socket, task.data, task.length, false);
    bytes_clear(&task);
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
        stranger_joins(&stranger, &peer);
        PUTS[i](&stranger);
        CU_ASSERT(next_is(stranger.link, LINK_GONE, &gone));
        CU_ASSERT_EQUAL(peer, gone);
        CU_ASSERT(stranger_is_sent_away(&stranger, WAIT_MS));
        stranger_hangs_up(&stranger);
        stranger_dials(&stranger, NULL);
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
    stranger_joins(&stranger, &peer);
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

/* ---- before a WELCOME ---- */

static struct bytes encoded_hello(uint32_t version, enum role role)
{
    struct message message = {.type = MESSAGE_HELLO};
    const struct message *pointer = &message;
    struct bytes header = {0};

    message.hello.version = version;
    message.hello.role = role;
    message.hello.slots = 1;
    wire_encode(&pointer, 1, &header);
    return header;
}

static void a_pool_process_is_not_believed_over_a_socket(void)
{
    struct bytes hello = encoded_hello(PROTOCOL_VERSION, ROLE_PROCESS);
    struct stranger stranger;
    link_peer peer;

    for (int welcome_first = 0; welcome_first < 2; welcome_first++) {
        stranger_open(&stranger, NULL);
        if (welcome_first)
            stranger_joins(&stranger, &peer);
        add_frame(stranger.socket, hello.data, hello.length, false);
        CU_ASSERT(next_is(stranger.link, LINK_GONE, &peer));
        CU_ASSERT(stranger_is_sent_away(&stranger, WAIT_MS));
        stranger_close(&stranger);
    }
    bytes_clear(&hello);
}

static void who_is_refused_hears_why_and_is_sent_away(void)
{
    struct message refused = {.type = MESSAGE_REFUSED, .refused.text = "not you"};
    struct bytes hello = encoded_hello(PROTOCOL_VERSION, ROLE_WORKER);
    struct link_event event;
    struct stranger stranger;
    link_peer peer;
    char heard[64];

    stranger_open(&stranger, NULL);
    stranger_greets(&stranger, &peer);
    stranger.link->ops->send(stranger.link, peer, &refused, 1);
    stranger.link->ops->flush(stranger.link);
    CU_ASSERT(zmq_recv(stranger.socket, heard, sizeof heard, 0) > 7);
    /* It is not heard any more. */
    add_frame(stranger.socket, hello.data, hello.length, false);
    CU_ASSERT_EQUAL(conformance_wait(stranger.link, &event, WAIT_MS), LINK_GONE);
    CU_ASSERT_EQUAL(event.peer, peer);
    CU_ASSERT(stranger_is_sent_away(&stranger, WAIT_MS));
    bytes_clear(&hello);
    stranger_close(&stranger);
}

/* An empty REFUSED only asks for a HELLO. */
static void who_is_asked_to_greet_may_stay(void)
{
    struct message refused = {.type = MESSAGE_REFUSED};
    struct stranger stranger;
    link_peer peer, again;

    stranger_open(&stranger, NULL);
    stranger_greets(&stranger, &peer);
    stranger.link->ops->send(stranger.link, peer, &refused, 1);
    CU_ASSERT_FALSE(stranger_is_sent_away(&stranger, 1500));
    stranger_greets(&stranger, &again);
    CU_ASSERT_EQUAL(peer, again);
    stranger_close(&stranger);
}

/* Bulk from who has no session is heard, so that it is asked to greet, and nothing of it kept. */
static void nothing_is_gathered_for_a_stranger(void)
{
    static void (*const PUTS[])(struct stranger *) = {put_part_out_of_order, put_part_of_too_much,
                                                      put_long_payload, put_three_megabytes,
                                                      put_task_without_payload};
    struct stranger stranger;
    struct link_event event;
    link_peer peer;

    for (size_t i = 0; i < sizeof PUTS / sizeof *PUTS; i++) {
        stranger_open(&stranger, NULL);
        PUTS[i](&stranger);
        CU_ASSERT_EQUAL_FATAL(conformance_wait(stranger.link, &event, WAIT_MS), LINK_MESSAGE);
        CU_ASSERT_EQUAL(event.message.type, MESSAGE_HEARTBEAT);
        CU_ASSERT_EQUAL(event.message.payload.length, 0);
        while (conformance_wait(stranger.link, &event, 50) != LINK_NOTHING)
            CU_ASSERT_EQUAL(event.message.type, MESSAGE_HEARTBEAT);
        stranger_greets(&stranger, &peer);
        stranger_close(&stranger);
    }
}

static void of_too_many_strangers_the_oldest_goes(void)
{
    enum { MORE = 8 };
    struct bytes hello = encoded_hello(PROTOCOL_VERSION, ROLE_WORKER);
    void *others[PEERS_STRANGERS_MAX + MORE - 1];
    struct stranger stranger;
    struct link_event event;
    link_peer first;
    size_t gone = 0, heard = 0;

    stranger_open(&stranger, NULL);
    stranger_greets(&stranger, &first);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        others[i] = zmq_socket(stranger.context, ZMQ_DEALER);
        CU_ASSERT_FATAL(others[i] && zmq_connect(others[i], stranger.url) == 0);
        zmq_setsockopt(others[i], ZMQ_LINGER, &(int){0}, sizeof(int));
        add_frame(others[i], hello.data, hello.length, false);
    }
    while (gone < MORE && conformance_wait(stranger.link, &event, WAIT_MS) != LINK_NOTHING) {
        CU_ASSERT(event.type != LINK_GONE || gone || event.peer == first);
        gone += event.type == LINK_GONE;
        heard += event.type == LINK_MESSAGE;
    }
    CU_ASSERT_EQUAL(gone, MORE);
    CU_ASSERT_EQUAL(heard, sizeof others / sizeof *others);
    CU_ASSERT(stranger_is_sent_away(&stranger, WAIT_MS));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        zmq_close(others[i]);
    bytes_clear(&hello);
    stranger_close(&stranger);
}

static const struct unit_case CASES[] = {
    {"a malformed message ends its peer only", a_malformed_message_ends_its_peer_only},
    {"a payload in parts arrives whole", a_payload_in_parts_arrives_whole},
    {"an identity of one's own is not heard", an_identity_of_ones_own_is_not_heard},
    {"a frame too long is not taken", a_frame_too_long_is_not_taken},
    {"a pool process is not believed over a socket", a_pool_process_is_not_believed_over_a_socket},
    {"who is refused hears why and is sent away", who_is_refused_hears_why_and_is_sent_away},
    {"who is asked to greet may stay", who_is_asked_to_greet_may_stay},
    {"nothing is gathered for a stranger", nothing_is_gathered_for_a_stranger},
    {"of too many strangers the oldest goes", of_too_many_strangers_the_oldest_goes},
};
UNIT_MAIN("zmq strangers", CASES)
