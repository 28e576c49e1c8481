#include "link/mpi_channel.h"

#include "link/mpi_packet.h"

static const struct batch_limits LIMITS = {1024, PACKET_PAYLOAD_MAX, PACKET_BULK_BYTES};

void mpi_channel_init(struct mpi_channel *channel, int rank, int tag, unsigned window)
{
    *channel = (struct mpi_channel){
        .rank = rank, .tag = tag, .window = window, .number = (link_peer)rank + 1};
    channel->last = &channel->first;
}

void mpi_channel_clear(struct mpi_channel *channel)
{
    outbox_clear(&channel->outbox);
    chunk_drop(&channel->payload);
    incoming_free_all(channel);
}

/* ---- out ---- */

static struct outgoing *ring_at(struct mpi_channel *channel, unsigned index)
{
    return channel->ring + (channel->ring_begin + index) % CHANNEL_RING;
}

/* Free what MPI has let go of. */
static bool reap(struct mpi_channel *channel)
{
    bool has_moved = false;

    while (channel->ring_count) {
        struct outgoing *front = ring_at(channel, 0);
        int flag = 0;

        if (MPI_Test(&front->request, &flag, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            channel->is_broken = true;
            return has_moved;
        }
        if (!flag)
            return has_moved;
        bytes_clear(&front->packet);
        chunk_drop(&front->part);
        channel->ring_begin = (channel->ring_begin + 1) % CHANNEL_RING;
        channel->ring_count--;
        has_moved = true;
    }
    return has_moved;
}

/* Takes the packet, or the part, over. */
static void post(struct mpi_channel *channel, struct bytes *packet, struct chunk *part)
{
    struct outgoing *slot = ring_at(channel, channel->ring_count++);
    const void *data = packet ? packet->data : part->data;
    size_t length = packet ? packet->length : part->length;

    *slot = (struct outgoing){.request = MPI_REQUEST_NULL};
    if (packet)
        slot->packet = *packet;
    else
        slot->part = *part;
    if (MPI_Isend(data, (int)length, MPI_BYTE, channel->rank, channel->tag + (packet ? 0 : 1),
                  MPI_COMM_WORLD, &slot->request) != MPI_SUCCESS)
        channel->is_broken = true;
}

static void post_packet(struct mpi_channel *channel, struct bytes *packet, struct packet_head *head)
{
    head->returned = channel->owed;
    channel->owed = 0;
    packet_head_write(head, packet->data);
    post(channel, packet, NULL);
}

static void send_bare(struct mpi_channel *channel, enum packet_kind kind)
{
    struct packet_head head = {.kind = kind};
    struct bytes packet = {0};

    bytes_extend(&packet, PACKET_HEAD_BYTES);
    post_packet(channel, &packet, &head);
}

static void append_payloads(struct bytes *packet, const struct outbox *outbox, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct chunk *payload = &outbox_at(outbox, i)->payload;

        bytes_append(packet, payload->data, payload->length);
    }
}

static void send_batch(struct mpi_channel *channel)
{
    struct packet_head head = {.kind = PACKET_BATCH};
    struct bytes packet = {0};
    const struct chunk *last;
    size_t count;

    bytes_extend(&packet, PACKET_HEAD_BYTES);
    count = outbox_encode(&channel->outbox, &LIMITS, &packet, &head.payload_bytes);
    head.header_bytes = (uint32_t)(packet.length - PACKET_HEAD_BYTES);
    /* What is bulk stands last in its batch, and no other payload before it. */
    last = &outbox_at(&channel->outbox, count - 1)->payload;
    if (last->length >= PACKET_BULK_BYTES) {
        head.kind = PACKET_BULK;
        channel->payload = chunk_share(last);
        channel->sent_bytes = 0;
    } else {
        append_payloads(&packet, &channel->outbox, count);
    }
    outbox_shift(&channel->outbox, count);
    channel->window_used++;
    post_packet(channel, &packet, &head);
}

static void send_part(struct mpi_channel *channel)
{
    size_t left = channel->payload.length - channel->sent_bytes;
    size_t length = left < PACKET_PART_BYTES ? left : PACKET_PART_BYTES;
    struct chunk part = chunk_part(&channel->payload, channel->sent_bytes, length);

    channel->window_used++;
    channel->sent_bytes += length;
    post(channel, NULL, &part);
    if (length == left)
        chunk_drop(&channel->payload);
}

/* One place of the ring is kept for the end. */
static bool has_place(const struct mpi_channel *channel)
{
    return !channel->is_broken && channel->ring_count < CHANNEL_RING - 1;
}

/* Half a window is worth a packet of its own. The other side may need it for what it has begun even
 * when this one has said its end; once it has said its own it needs nothing more. */
static bool must_return(const struct mpi_channel *channel)
{
    return 2 * channel->owed >= channel->window && !channel->has_ended;
}

bool mpi_channel_flush(struct mpi_channel *channel)
{
    bool has_moved = reap(channel);

    while (has_place(channel) && channel->window_used < channel->window &&
           (channel->payload.length || outbox_count(&channel->outbox))) {
        if (channel->payload.length)
            send_part(channel);
        else
            send_batch(channel);
        has_moved = true;
    }
    /* Giving back takes no place of the window, or two full ones would wait for each other. */
    if (must_return(channel) && has_place(channel))
        send_bare(channel, PACKET_RETURN);
    return has_moved;
}

void mpi_channel_say_open(struct mpi_channel *channel)
{
    send_bare(channel, PACKET_OPEN);
}

bool mpi_channel_has_work(const struct mpi_channel *channel)
{
    return !channel->is_broken && (channel->ring_count || channel->payload.length ||
                                   outbox_count(&channel->outbox) || must_return(channel));
}

void mpi_channel_forget(struct mpi_channel *channel)
{
    outbox_clear(&channel->outbox);
}

bool mpi_channel_say_end(struct mpi_channel *channel)
{
    if (channel->has_said_end || channel->is_broken)
        return true;
    if (channel->payload.length || outbox_count(&channel->outbox))
        return false;
    send_bare(channel, PACKET_END);
    return channel->has_said_end = true;
}
