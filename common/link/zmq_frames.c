#include "link/zmq_frames.h"

#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

/* Above this the next payload waits. */
#define LENT_BYTES_MAX (4 * MIB)

struct lending {
    atomic_uint holders; /* the sender, and every lent payload */
    atomic_size_t bytes;
    atomic_bool is_waited_for;
    int room_fd; /* outlives libzmq's threads */
};

struct loan {
    struct lending *lending;
    struct chunk chunk;
};

void lending_new(struct lending **out, int room_fd)
{
    *out = memory_new(sizeof **out);
    atomic_init(&(*out)->holders, 1);
    atomic_init(&(*out)->bytes, 0);
    atomic_init(&(*out)->is_waited_for, false);
    (*out)->room_fd = room_fd;
}

static void let_go(struct lending *lending)
{
    if (atomic_fetch_sub_explicit(&lending->holders, 1, memory_order_acq_rel) == 1)
        memory_free(lending);
}

void lending_free(struct lending **lending)
{
    if (*lending)
        let_go(*lending);
    *lending = NULL;
}

bool lending_has_room(struct lending *lending)
{
    if (atomic_load(&lending->bytes) < LENT_BYTES_MAX)
        return true;
    /* Asked again behind the mark, so that what comes back in between is not missed. */
    atomic_store(&lending->is_waited_for, true);
    return atomic_load(&lending->bytes) < LENT_BYTES_MAX;
}

/* Called by libzmq, from any thread. */
static void give_back(void *data, void *hint)
{
    struct loan *loan = hint;
    struct lending *lending = loan->lending;
    size_t bytes = loan->chunk.length;

    (void)data;
    chunk_drop(&loan->chunk);
    memory_free(loan);
    if (atomic_fetch_sub(&lending->bytes, bytes) - bytes < LENT_BYTES_MAX &&
        atomic_exchange(&lending->is_waited_for, false))
        eventfd_write(lending->room_fd, 1);
    let_go(lending);
}

static int lend(zmq_msg_t *frame, const struct chunk *payload, struct lending *lending)
{
    struct loan *loan = memory_new(sizeof *loan);

    loan->lending = lending;
    loan->chunk = chunk_share(payload);
    atomic_fetch_add(&lending->holders, 1);
    atomic_fetch_add(&lending->bytes, payload->length);
    return zmq_msg_init_data(frame, (void *)(uintptr_t)payload->data, payload->length, give_back,
                             loan);
}

static int copy(zmq_msg_t *frame, const void *data, size_t length)
{
    int rc = zmq_msg_init_size(frame, length);

    if (rc == 0 && length)
        memcpy(zmq_msg_data(frame), data, length);
    return rc;
}

/* A frame that does not leave is closed, which gives back what it holds. */
static int send_frame(void *socket, zmq_msg_t *frame, int flags)
{
    int rc;

    do
        rc = zmq_msg_send(frame, socket, flags | ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        int failure = errno;

        zmq_msg_close(frame);
        errno = failure;
    }
    return rc;
}

static int send_copy(void *socket, const void *data, size_t length, int flags)
{
    zmq_msg_t frame;

    if (copy(&frame, data, length) < 0)
        return -1;
    return send_frame(socket, &frame, flags);
}

static int send_payload(void *socket, const struct chunk *payload, struct lending *lending)
{
    zmq_msg_t frame;

    if (payload->length < FRAMES_BULK_BYTES)
        return send_copy(socket, payload->data, payload->length, 0);
    if (lend(&frame, payload, lending) < 0)
        return -1;
    return send_frame(socket, &frame, 0);
}

enum frames_result frames_send(void *socket, const uint8_t *identity, const struct bytes *header,
                               const struct chunk *payload, struct lending *lending)
{
    int rc = 0;

    /* Only the first frame can be refused for want of room: libzmq counts whole messages. */
    if (identity)
        rc = send_copy(socket, identity, FRAMES_IDENTITY_BYTES, ZMQ_SNDMORE);
    if (rc >= 0)
        rc = send_copy(socket, header->data, header->length, payload->length ? ZMQ_SNDMORE : 0);
    if (rc >= 0 && payload->length)
        rc = send_payload(socket, payload, lending);
    if (rc >= 0)
        return FRAMES_DONE;
    return errno == EHOSTUNREACH ? FRAMES_UNREACHABLE : FRAMES_NOT_NOW;
}

static void close_owned(void *owner)
{
    zmq_msg_close(owner);
    memory_free(owner);
}

/* The frame's bytes as a chunk; the frame is empty after. */
static struct chunk chunk_of(zmq_msg_t *frame)
{
    size_t length = zmq_msg_size(frame);
    zmq_msg_t *owned;

    if (length < FRAMES_BULK_BYTES)
        return chunk_copy(zmq_msg_data(frame), length);
    owned = memory_new(sizeof *owned);
    zmq_msg_init(owned);
    zmq_msg_move(owned, frame);
    return chunk_wrap(zmq_msg_data(owned), length, close_owned, owned);
}

static bool receive_frame(void *socket, zmq_msg_t *frame)
{
    int rc;

    zmq_msg_init(frame);
    do
        rc = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    if (rc < 0)
        zmq_msg_close(frame);
    return rc >= 0;
}

/* The rest of a message, frame by frame; what the protocol does not have makes it unsound. */
static void receive_rest(void *socket, struct frames *frames)
{
    zmq_msg_t frame;

    for (int count = 1; zmq_msg_more(&frames->header) && receive_frame(socket, &frame); count++) {
        bool is_last = !zmq_msg_more(&frame);

        if (count == 1)
            frames->payload = chunk_of(&frame);
        else
            frames->is_sound = false;
        zmq_msg_close(&frame);
        if (is_last)
            return;
    }
}

/* The identity a ROUTER draws: a zero byte and four more. One that the peer chose is refused. */
static bool take_identity(void *socket, struct frames *frames)
{
    zmq_msg_t frame;

    if (!receive_frame(socket, &frame))
        return false;
    frames->has_identity = zmq_msg_size(&frame) == FRAMES_IDENTITY_BYTES &&
                           *(const uint8_t *)zmq_msg_data(&frame) == 0;
    frames->is_sound = frames->has_identity && zmq_msg_more(&frame);
    if (frames->has_identity)
        memcpy(frames->identity, zmq_msg_data(&frame), FRAMES_IDENTITY_BYTES);
    zmq_msg_close(&frame);
    return true;
}

enum frames_result frames_receive(void *socket, bool has_identity, struct frames *frames)
{
    memset(frames, 0, sizeof *frames);
    frames->is_sound = true;
    if (has_identity && !take_identity(socket, frames))
        return FRAMES_NOT_NOW;
    if (!receive_frame(socket, &frames->header)) {
        if (!has_identity)
            return FRAMES_NOT_NOW;
        zmq_msg_init(&frames->header);
        frames->is_sound = false;
    }
    receive_rest(socket, frames);
    return FRAMES_DONE;
}

void frames_clear(struct frames *frames)
{
    zmq_msg_close(&frames->header);
    chunk_drop(&frames->payload);
}

int frames_source(const struct frames *frames)
{
    return zmq_msg_get(&frames->header, ZMQ_SRCFD);
}
