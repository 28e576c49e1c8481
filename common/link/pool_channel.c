#include "link/pool_channel.h"

#include "base/memory.h"
#include "link/pool_file.h"
#include "wire/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Some 30 KiB of small tasks: enough to make a system call cheap, little enough to keep both ends
 * at work at once. */
enum { BATCH_MESSAGES = 256 };
enum { INLINE_BYTES = 64 * 1024 };

enum carrier { CARRIER_INLINE = 1, CARRIER_BAY, CARRIER_FILE };

struct frame {
    uint32_t carrier;
    uint32_t bay;
    uint64_t header_bytes, payload_bytes;
};

struct channel_ready {
    size_t count; /* messages at the front of the outbox; 0: nothing is ready */
    struct frame frame;
    struct bytes header;
    int file; /* CARRIER_FILE, else -1 */
};

/* The first datagram, from parent to process; the shared memory's descriptor goes with it. */
struct pool_greeting {
    char magic[8];
    uint32_t layout; /* of everything the two ends share */
    uint32_t frame_bytes;
};

static const struct pool_greeting POOL_GREETING = {
    .magic = {'s', 'h', 'e', 'a', 'f', '-', 'p', '1'},
    .layout = POOL_BAYS << 24 | (uint32_t)(POOL_BAY_BYTES >> 10),
    .frame_bytes = sizeof(struct frame),
};

void channel_open(struct pool_channel *channel, int socket, struct pool_shared *shared,
                  enum pool_direction out)
{
    *channel = (struct pool_channel){.socket = socket, .shared = shared, .out = out};
    channel->ready = memory_new(sizeof *channel->ready);
    channel->ready->file = -1;
    channel->buffer = memory_array(INLINE_BYTES, 1);
}

static void forget_ready(struct channel_ready *ready)
{
    if (ready->file >= 0)
        close(ready->file);
    ready->file = -1;
    ready->count = 0;
    ready->header.length = 0;
}

void channel_close(struct pool_channel *channel)
{
    if (!channel->ready)
        return;
    forget_ready(channel->ready);
    bytes_clear(&channel->ready->header);
    memory_free(channel->ready);
    memory_free(channel->buffer);
    outbox_clear(&channel->outbox);
    pool_shared_free(&channel->shared);
    close(channel->socket);
    *channel = (struct pool_channel){.socket = -1};
}

/* A descriptor to send, or room for one to come. */
union descriptor_room {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static ssize_t send_datagram(int socket, struct iovec *parts, size_t count, int fd, int flags)
{
    struct msghdr datagram = {.msg_iov = parts, .msg_iovlen = count};
    union descriptor_room room = {0};
    struct cmsghdr *control;
    ssize_t n;

    if (fd >= 0) {
        datagram.msg_control = room.bytes;
        datagram.msg_controllen = sizeof room.bytes;
        control = CMSG_FIRSTHDR(&datagram);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(control), &fd, sizeof fd);
    }
    do
        n = sendmsg(socket, &datagram, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

/* One datagram; *fd is the descriptor that came with it, -1 for none. More than fits: EMSGSIZE. */
static ssize_t take_datagram(int socket, struct iovec *parts, size_t count, int *fd, int flags)
{
    struct msghdr datagram = {.msg_iov = parts, .msg_iovlen = count};
    union descriptor_room room = {0};
    struct cmsghdr *control;
    ssize_t n;

    *fd = -1;
    do {
        datagram.msg_control = room.bytes;
        datagram.msg_controllen = sizeof room.bytes;
        n = recvmsg(socket, &datagram, flags | MSG_CMSG_CLOEXEC);
        /* A peer that died with input unread is said so, once, before what it had sent. */
    } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n <= 0)
        return n;
    control = CMSG_FIRSTHDR(&datagram);
    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(control), sizeof *fd);
    if (datagram.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        errno = EMSGSIZE;
        n = -1;
    }
    return n;
}

static int greet(int socket, int shared_fd, struct error *error)
{
    struct pool_greeting greeting = POOL_GREETING;
    struct iovec part = {&greeting, sizeof greeting};

    if (send_datagram(socket, &part, 1, shared_fd, MSG_DONTWAIT) == sizeof greeting)
        return OK;
    return error_set_errno(error, ERROR_SYSTEM, errno, "a pool process cannot be spoken to");
}

int channel_pair(struct pool_channel *channel, int *child_socket, struct error *error)
{
    struct pool_shared *shared = NULL;
    int sockets[2] = {-1, -1};
    int shared_fd = -1;
    int rc = pool_shared_new(&shared, &shared_fd, error);

    if (rc == OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no socket for a pool process");
    if (rc == OK)
        rc = greet(sockets[0], shared_fd, error);
    if (shared_fd >= 0)
        close(shared_fd);
    if (rc == OK) {
        channel_open(channel, sockets[0], shared, POOL_DOWN);
        *child_socket = sockets[1];
        return OK;
    }
    pool_shared_free(&shared);
    for (int i = 0; i < 2; i++)
        if (sockets[i] >= 0)
            close(sockets[i]);
    return rc;
}

int channel_take_greeting(int socket, int *shared_fd, struct error *error)
{
    struct pool_greeting greeting = {0};
    struct iovec part = {&greeting, sizeof greeting};
    ssize_t n = take_datagram(socket, &part, 1, shared_fd, 0);

    if (n == 0)
        return error_set(error, ERROR_STOPPED, "the program that started this process is gone");
    if (n == sizeof greeting && *shared_fd >= 0 &&
        !memcmp(&greeting, &POOL_GREETING, sizeof greeting))
        return OK;
    if (*shared_fd >= 0)
        close(*shared_fd);
    *shared_fd = -1;
    return error_set(error, ERROR_PROTOCOL,
                     "started by another version of this program, or not by it at all");
}

static void fill_bay(struct pool_channel *channel, unsigned bay, size_t count)
{
    uint8_t *at = pool_shared_bay(channel->shared, channel->out, bay);

    for (size_t i = 0; i < count; i++) {
        const struct chunk *payload = &outbox_at(&channel->outbox, i)->payload;

        if (payload->length)
            memcpy(at, payload->data, payload->length);
        at += payload->length;
    }
}

/* Encode the next batch and bring its bulk to where the other end will find it. */
static bool make_ready(struct pool_channel *channel)
{
    static const struct batch_limits LIMITS = {BATCH_MESSAGES, POOL_BAY_BYTES, SIZE_MAX};
    struct channel_ready *ready = channel->ready;
    struct frame *frame = &ready->frame;
    int bay = -1;

    *frame = (struct frame){.carrier = CARRIER_FILE};
    ready->count = outbox_encode(&channel->outbox, &LIMITS, &ready->header, &frame->payload_bytes);
    frame->header_bytes = ready->header.length;
    if (frame->header_bytes <= INLINE_BYTES && frame->payload_bytes <= POOL_BAY_BYTES) {
        if (frame->payload_bytes <= INLINE_BYTES - frame->header_bytes)
            frame->carrier = CARRIER_INLINE;
        else if ((bay = pool_shared_claim(channel->shared, channel->out)) >= 0)
            frame->carrier = CARRIER_BAY;
    }
    if (bay >= 0) {
        frame->bay = (uint32_t)bay;
        fill_bay(channel, frame->bay, ready->count);
    }
    if (frame->carrier == CARRIER_FILE)
        ready->file = pool_file_new(&ready->header, &channel->outbox, ready->count);
    return frame->carrier != CARRIER_FILE || ready->file >= 0;
}

static enum channel_result send_ready(struct pool_channel *channel, int flags)
{
    struct channel_ready *ready = channel->ready;
    struct iovec parts[2 + BATCH_MESSAGES];
    size_t n = 0;

    parts[n++] = (struct iovec){&ready->frame, sizeof ready->frame};
    if (ready->frame.carrier != CARRIER_FILE)
        parts[n++] = (struct iovec){ready->header.data, ready->header.length};
    for (size_t i = 0; ready->frame.carrier == CARRIER_INLINE && i < ready->count; i++) {
        const struct chunk *payload = &outbox_at(&channel->outbox, i)->payload;

        if (payload->length)
            parts[n++] = (struct iovec){(void *)(uintptr_t)payload->data, payload->length};
    }
    if (send_datagram(channel->socket, parts, n, ready->file, flags) >= 0) {
        outbox_shift(&channel->outbox, ready->count);
        forget_ready(ready);
        return CHANNEL_DONE;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? CHANNEL_AGAIN
                                                                       : CHANNEL_CLOSED;
}

/* What cannot be handed down is as fatal to a process as what it cannot work on, and would be so
 * again and again: the same blame makes an end of it. */
static void blame_front(const struct pool_channel *channel)
{
    const struct message *largest = outbox_at(&channel->outbox, 0);

    for (size_t i = 1; i < channel->ready->count; i++)
        if (outbox_at(&channel->outbox, i)->payload.length > largest->payload.length)
            largest = outbox_at(&channel->outbox, i);
    if (channel->out == POOL_DOWN && largest->type == MESSAGE_TASK)
        pool_shared_set_started(channel->shared, largest->task.task, largest->task.attempt);
}

enum channel_result channel_flush(struct pool_channel *channel, bool wait)
{
    enum channel_result result = CHANNEL_DONE;

    while (result == CHANNEL_DONE && outbox_count(&channel->outbox)) {
        if (!channel->ready->count && !make_ready(channel)) {
            blame_front(channel);
            forget_ready(channel->ready);
            return CHANNEL_BROKEN;
        }
        result = send_ready(channel, wait ? 0 : MSG_DONTWAIT);
    }
    return result;
}

/* A copy with the slack that folding wants around it. */
static struct chunk copy_padded(const uint8_t *data, size_t length)
{
    uint8_t *block;

    if (!length)
        return (struct chunk){0};
    block = memory_array(length + 2 * POOL_SLACK_BYTES, 1);
    memcpy(block + POOL_SLACK_BYTES, data, length);
    return chunk_wrap(block + POOL_SLACK_BYTES, length, memory_free, block);
}

static bool decode(const uint8_t *header, uint64_t length, struct chunk *payload,
                   struct inbox *inbox)
{
    bool is_sound = wire_decode(header, length, payload, &inbox->items, &inbox->count);

    chunk_drop(payload);
    return is_sound;
}

/* What the frame says, held against what came: `inside` bytes in the datagram. */
static bool open_batch(struct pool_channel *channel, const struct frame *frame, uint64_t inside,
                       int file, struct inbox *inbox)
{
    struct chunk header, payload = {0};
    bool is_sound;

    if (frame->carrier == CARRIER_FILE) {
        if (file < 0 || inside ||
            !pool_file_map(file, frame->header_bytes, frame->payload_bytes, &header, &payload))
            return false;
        is_sound = decode(header.data, header.length, &payload, inbox);
        chunk_drop(&header);
        return is_sound;
    }
    if (frame->header_bytes > inside)
        return false;
    if (frame->carrier == CARRIER_INLINE && frame->payload_bytes == inside - frame->header_bytes)
        payload = copy_padded(channel->buffer + frame->header_bytes, frame->payload_bytes);
    else if (frame->carrier == CARRIER_BAY && frame->header_bytes == inside &&
             frame->bay < POOL_BAYS && frame->payload_bytes <= POOL_BAY_BYTES)
        payload =
            pool_shared_chunk(channel->shared, !channel->out, frame->bay, frame->payload_bytes);
    else
        return false;
    return decode(channel->buffer, frame->header_bytes, &payload, inbox);
}

enum channel_result channel_receive(struct pool_channel *channel, bool wait, struct inbox *inbox)
{
    struct frame frame;
    struct iovec parts[2] = {{&frame, sizeof frame}, {channel->buffer, INLINE_BYTES}};
    int file;
    ssize_t n = take_datagram(channel->socket, parts, 2, &file, wait ? 0 : MSG_DONTWAIT);
    bool is_sound = n >= (ssize_t)sizeof frame &&
                    open_batch(channel, &frame, (uint64_t)n - sizeof frame, file, inbox);

    if (file >= 0)
        close(file);
    if (n == 0)
        return CHANNEL_CLOSED;
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? CHANNEL_AGAIN : CHANNEL_BROKEN;
    return is_sound ? CHANNEL_DONE : CHANNEL_BROKEN;
}
