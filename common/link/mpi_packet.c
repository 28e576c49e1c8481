#include "link/mpi_packet.h"

#include "base/memory.h"
#include "wire/wire.h"

/* The longest payload taken in parts: a value and its text of --max-value's default pass, and the
 * two operands of a gluing. Its memory is touched only as it comes. */
#define BULK_BYTES_MAX (4 * GIB)

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void packet_head_write(const struct packet_head *head, uint8_t *data)
{
    put_u32(data, head->kind);
    put_u32(data + 4, head->returned);
    put_u32(data + 8, head->header_bytes);
    put_u32(data + 12, (uint32_t)head->payload_bytes);
    put_u32(data + 16, (uint32_t)(head->payload_bytes >> 32));
}

static bool has_right_length(const struct packet_head *head, size_t bytes)
{
    size_t rest = bytes - PACKET_HEAD_BYTES;

    switch (head->kind) {
    case PACKET_BATCH:
        return rest >= head->header_bytes && rest - head->header_bytes == head->payload_bytes;
    case PACKET_BULK:
        return rest == head->header_bytes && head->payload_bytes &&
               head->payload_bytes <= BULK_BYTES_MAX;
    case PACKET_RETURN:
    case PACKET_OPEN:
    case PACKET_END:
        return rest == 0 && !head->header_bytes && !head->payload_bytes;
    }
    return false;
}

bool packet_head_read(struct packet_head *head, const struct bytes *packet)
{
    struct reader reader = reader_of(packet->data, packet->length);

    head->kind = (enum packet_kind)reader_u32(&reader);
    head->returned = reader_u32(&reader);
    head->header_bytes = reader_u32(&reader);
    head->payload_bytes = reader_u64(&reader);
    return !reader.failed && has_right_length(head, packet->length);
}

static void incoming_free(struct incoming *incoming)
{
    bytes_clear(&incoming->packet);
    bytes_clear(&incoming->payload);
    memory_free(incoming->parts);
    memory_free(incoming);
}

/* What MPI still writes into stays where it is: the process is on its way out then. */
void incoming_free_all(struct mpi_channel *channel)
{
    while (channel->first) {
        struct incoming *incoming = channel->first;

        channel->first = incoming->next;
        if (!channel->is_broken && incoming->is_here &&
            incoming->parts_here == incoming->part_count)
            incoming_free(incoming);
    }
    channel->last = &channel->first;
}

void mpi_channel_take(struct mpi_channel *channel, MPI_Message *message, int bytes)
{
    struct incoming *incoming = memory_new(sizeof *incoming);

    incoming->request = MPI_REQUEST_NULL;
    bytes_reserve(&incoming->packet, bytes > 0 ? (size_t)bytes : 1);
    incoming->packet.length = (size_t)bytes;
    *channel->last = incoming;
    channel->last = &incoming->next;
    if (MPI_Imrecv(incoming->packet.data, bytes, MPI_BYTE, message, &incoming->request) !=
        MPI_SUCCESS)
        channel->is_broken = true;
}

/* Whether it is complete: with as many bytes as there had to be, or else it failed. */
static bool is_received(struct mpi_channel *channel, MPI_Request *request, size_t bytes)
{
    MPI_Status status;
    int flag = 0, count = 0;

    if (MPI_Test(request, &flag, &status) != MPI_SUCCESS) {
        channel->is_broken = true;
        return false;
    }
    if (!flag)
        return false;
    if (MPI_Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS || (size_t)count != bytes)
        channel->is_broken = true;
    return !channel->is_broken;
}

static size_t part_bytes(const struct incoming *incoming, size_t index)
{
    size_t left = incoming->payload.length - index * PACKET_PART_BYTES;

    return left < PACKET_PART_BYTES ? left : PACKET_PART_BYTES;
}

/* Before they come, so that they go where they belong at once. */
static void call_for_parts(struct mpi_channel *channel, struct incoming *incoming)
{
    size_t bytes = (size_t)incoming->head.payload_bytes;

    bytes_reserve(&incoming->payload, bytes);
    incoming->payload.length = bytes;
    incoming->part_count = (bytes + PACKET_PART_BYTES - 1) / PACKET_PART_BYTES;
    incoming->parts = memory_array(incoming->part_count, sizeof *incoming->parts);
    for (size_t i = 0; i < incoming->part_count; i++)
        if (MPI_Irecv(incoming->payload.data + i * PACKET_PART_BYTES, (int)part_bytes(incoming, i),
                      MPI_BYTE, channel->rank, channel->tag + 1, MPI_COMM_WORLD,
                      &incoming->parts[i]) != MPI_SUCCESS)
            channel->is_broken = true;
}

/* What came may also have been no packet at all: it had its place in the window all the same. */
static void look_at_packet(struct mpi_channel *channel, struct incoming *incoming)
{
    struct packet_head *head = &incoming->head;

    incoming->is_here = true;
    incoming->is_malformed = !packet_head_read(head, &incoming->packet);
    if (incoming->is_malformed) {
        channel->owed++;
        return;
    }
    channel->owed += head->kind == PACKET_BATCH || head->kind == PACKET_BULK;
    channel->window_used -=
        head->returned < channel->window_used ? head->returned : channel->window_used;
    if (head->kind == PACKET_BULK)
        call_for_parts(channel, incoming);
}

/* Packets are looked at in order, so that parts are called for in the order in which they leave. */
static bool look_at_packets(struct mpi_channel *channel)
{
    bool has_moved = false;

    for (struct incoming *incoming = channel->first; incoming; incoming = incoming->next) {
        if (incoming->is_here)
            continue;
        if (channel->is_broken ||
            !is_received(channel, &incoming->request, incoming->packet.length))
            break;
        look_at_packet(channel, incoming);
        has_moved = true;
    }
    return has_moved;
}

static bool look_at_parts(struct mpi_channel *channel, struct incoming *incoming)
{
    size_t before = incoming->parts_here;

    while (incoming->parts_here < incoming->part_count && !channel->is_broken &&
           is_received(channel, &incoming->parts[incoming->parts_here],
                       part_bytes(incoming, incoming->parts_here))) {
        incoming->parts_here++;
        channel->owed++;
    }
    return incoming->parts_here != before;
}

static bool decode(struct incoming *incoming, struct inbox *inbox)
{
    const struct packet_head *head = &incoming->head;
    const uint8_t *header = incoming->packet.data + PACKET_HEAD_BYTES;
    struct chunk payload;
    bool is_sound;

    if (head->kind == PACKET_BULK)
        payload = chunk_take(&incoming->payload);
    else
        payload = chunk_copy(header + head->header_bytes, (size_t)head->payload_bytes);
    is_sound = wire_decode(header, head->header_bytes, &payload, &inbox->items, &inbox->count);
    chunk_drop(&payload);
    return is_sound;
}

static enum channel_news news_of(struct mpi_channel *channel, struct incoming *incoming,
                                 struct inbox *inbox)
{
    if (incoming->is_malformed)
        return CHANNEL_MALFORMED;
    switch (incoming->head.kind) {
    case PACKET_BATCH:
    case PACKET_BULK:
        return decode(incoming, inbox) ? CHANNEL_BATCH : CHANNEL_MALFORMED;
    case PACKET_RETURN:
        return CHANNEL_MOVED;
    case PACKET_OPEN:
        return CHANNEL_OPENED;
    case PACKET_END:
        channel->has_ended = true;
        return CHANNEL_ENDED;
    }
    return CHANNEL_MALFORMED;
}

enum channel_news mpi_channel_receive(struct mpi_channel *channel, struct inbox *inbox)
{
    bool has_moved = look_at_packets(channel);
    struct incoming *front = channel->first;
    enum channel_news news;

    if (front && front->is_here)
        has_moved |= look_at_parts(channel, front);
    if (channel->is_broken)
        return CHANNEL_FAILED;
    if (!front || !front->is_here || front->parts_here < front->part_count)
        return has_moved ? CHANNEL_MOVED : CHANNEL_NOTHING;
    channel->first = front->next;
    if (!channel->first)
        channel->last = &channel->first;
    news = news_of(channel, front, inbox);
    incoming_free(front);
    return news;
}
