#include "world.h"

#include "base/memory.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { STALE_MAX = 4, BATCH_OVERHEAD = 60 };

struct conduit *conduit_new(struct world *world, struct host *upper, struct host *lower,
                            struct leaf *leaf)
{
    struct conduit *conduit = memory_new(sizeof *conduit);

    if (world->conduit_count == world->conduit_capacity) {
        world->conduit_capacity = world->conduit_capacity ? 2 * world->conduit_capacity : 64;
        world->conduits =
            memory_grow(world->conduits, world->conduit_capacity, sizeof(struct conduit *));
    }
    conduit->index = world->conduit_count;
    conduit->hosts[0] = upper;
    conduit->hosts[1] = lower;
    conduit->leaf = leaf;
    conduit->giver = leaf ? 0 : -1;
    world->conduits[world->conduit_count++] = conduit;
    return conduit;
}

static void packet_free(struct packet *packet)
{
    bytes_clear(&packet->header);
    chunk_drop(&packet->payload);
    memory_free(packet);
}

static void lane_clear(struct direction *lane)
{
    while (lane->first) {
        struct packet *packet = lane->first;

        lane->first = packet->next;
        packet_free(packet);
    }
}

void conduit_free(struct conduit *conduit)
{
    lane_clear(&conduit->lanes[0]);
    lane_clear(&conduit->lanes[1]);
    memory_free(conduit->given);
    memory_free(conduit->known_jobs);
    memory_free(conduit);
}

/* A listener that has dropped a peer knows it, when it speaks again, by another number. */
enum { ALIAS_SHIFT = 40 };

peer_id conduit_peer(const struct conduit *conduit, int end)
{
    peer_id alias = end == 0 ? (peer_id)conduit->aliases << ALIAS_SHIFT : 0;

    return alias + 2 * conduit->index + (peer_id)end + 2;
}

struct conduit *conduit_find(const struct world *world, peer_id peer, int *end)
{
    uint64_t number = peer & ((UINT64_C(1) << ALIAS_SHIFT) - 1);
    uint64_t index = (number - 2) / 2;

    *end = (int)(peer & 1);
    return number >= 2 && index < world->conduit_count ? world->conduits[index] : NULL;
}

static void deliver_message(struct world *world, struct conduit *conduit, int to,
                            struct message *message)
{
    struct event event = {.type = EVENT_MESSAGE, .peer = conduit_peer(conduit, to)};

    world_hash(world, (uint64_t)message->type << 32 | conduit->index);
    world->messages++;
    if (to == 1 && conduit->leaf) {
        check_arrived(world, conduit, to, message);
        leaf_receive(world, conduit->leaf, message);
        return;
    }
    if (to == 1 && conduit->stranger) {
        stranger_hears(world, conduit->stranger, message);
        return;
    }
    event.message = memory_new(sizeof *event.message);
    message_move(event.message, message);
    host_event(world, conduit->hosts[to], &event);
}

static bool can_hear(const struct conduit *conduit, int to)
{
    if (conduit->has_dropped[to] || conduit->is_over[to] || conduit->is_told[to])
        return false;
    if (to == 1 && conduit->stranger)
        return !conduit->is_cut;
    return to == 1 && conduit->leaf ? conduit->leaf->is_alive && conduit->leaf->conduit == conduit
                                    : conduit->hosts[to]->node != NULL;
}

static void deliver(struct world *world, struct packet *packet)
{
    struct message *messages;
    size_t count;

    if (!wire_decode(packet->header.data, packet->header.length, &packet->payload, &messages,
                     &count)) {
        world_fail(world, "a batch that a node sent cannot be decoded");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (can_hear(packet->conduit, packet->to) && !world->failure[0])
            deliver_message(world, packet->conduit, packet->to, &messages[i]);
        message_clear(&messages[i]);
    }
    memory_free(messages);
}

static struct packet *lane_take(struct direction *lane)
{
    struct packet *packet = lane->first;

    lane->first = packet->next;
    if (!lane->first)
        lane->last = NULL;
    return packet;
}

static void loose_arrives(struct world *world, struct happening *happening)
{
    struct packet *packet = happening->subject;

    deliver(world, packet);
    packet_free(packet);
}

bool conduit_discard(struct happening *happening)
{
    if (happening->run != loose_arrives)
        return false;
    packet_free(happening->subject);
    return true;
}

static struct packet *packet_copy(const struct packet *packet)
{
    struct packet *copy = memory_new(sizeof *copy);

    *copy = (struct packet){.conduit = packet->conduit, .to = packet->to, .is_loose = true};
    copy->is_answer = packet->is_answer;
    bytes_append(&copy->header, packet->header.data, packet->header.length);
    copy->payload = chunk_share(&packet->payload);
    return copy;
}

static void maybe_repeat(struct world *world, const struct packet *packet)
{
    if (!swarm_has(&world->swarm, SWARM_DUPLICATE) || !packet->is_answer || packet->conduit->leaf ||
        world->is_healed || !random_chance(&world->network, 100))
        return;
    world_trace(world, "repeat a batch on %llu", (unsigned long long)packet->conduit->index);
    world_later(world, random_log(&world->network, 1000, 2 * NS_PER_S), loose_arrives,
                packet_copy(packet), 0);
}

/* The lane's next packet arrives, whichever that is by now: packets of one lane never overtake. */
static void lane_arrives(struct world *world, struct happening *happening)
{
    struct conduit *conduit = happening->subject;
    struct direction *lane = &conduit->lanes[happening->number];
    struct packet *packet;

    if (!lane->first)
        return;
    if (lane->blocked_until_ns > world->now_ns) {
        queue_add(&world->queue, lane->blocked_until_ns, lane_arrives, conduit, happening->number);
        return;
    }
    packet = lane_take(lane);
    maybe_repeat(world, packet);
    deliver(world, packet);
    packet_free(packet);
}

static bool is_answer(const struct message *message)
{
    return message->type == MESSAGE_RESULT || message->type == MESSAGE_DECLINED;
}

static struct packet *packet_new(struct conduit *conduit, int to, struct message *const *messages,
                                 size_t count)
{
    struct packet *packet = memory_new(sizeof *packet);
    struct bytes payload = {0};

    *packet = (struct packet){.conduit = conduit, .to = to, .is_answer = true};
    wire_encode((const struct message *const *)messages, count, &packet->header);
    for (size_t i = 0; i < count; i++) {
        packet->is_answer = packet->is_answer && is_answer(messages[i]);
        bytes_append(&payload, messages[i]->payload.data, messages[i]->payload.length);
    }
    if (payload.length)
        packet->payload = chunk_take(&payload);
    bytes_clear(&payload);
    return packet;
}

static int64_t arrival(struct world *world, struct conduit *conduit, struct direction *lane,
                       size_t length)
{
    const struct swarm *swarm = &world->swarm;
    int64_t at = lane->busy_until_ns > world->now_ns ? lane->busy_until_ns : world->now_ns;

    if (conduit->leaf)
        return world->now_ns + random_between(&world->network, 5000, 50000);
    if (swarm->bytes_per_s && !world->is_healed)
        at += (int64_t)(length + BATCH_OVERHEAD) * NS_PER_S / swarm->bytes_per_s;
    lane->busy_until_ns = at;
    return at + swarm->delay_ns + random_between(&world->network, 0, swarm->jitter_ns);
}

void conduit_send(struct world *world, struct conduit *conduit, int from,
                  struct message *const *messages, size_t count)
{
    int to = 1 - from;
    struct direction *lane = &conduit->lanes[to];
    struct packet *packet;
    int64_t at;

    for (size_t i = 0; i < count; i++)
        check_sent(world, conduit, from, messages[i]);
    packet = packet_new(conduit, to, messages, count);
    for (size_t i = 0; i < count; i++)
        message_clear(messages[i]);
    if (conduit->is_cut) {
        packet_free(packet);
        return;
    }
    at = arrival(world, conduit, lane, packet->header.length + packet->payload.length);
    lane->last_arrival_ns = at > lane->last_arrival_ns ? at : lane->last_arrival_ns;
    *(lane->last ? &lane->last->next : &lane->first) = packet;
    lane->last = packet;
    queue_add(&world->queue, lane->last_arrival_ns, lane_arrives, conduit, (uint64_t)to);
}

static void keep_stale(struct world *world, struct conduit *conduit, struct packet *packet)
{
    struct host *host = conduit->hosts[1];

    if (!host || packet->to != 0 || host->stale_count == STALE_MAX ||
        !swarm_has(&world->swarm, SWARM_REPLAY)) {
        packet_free(packet);
        return;
    }
    if (!host->stale)
        host->stale = memory_array(STALE_MAX, sizeof(struct packet *));
    host->stale[host->stale_count++] = packet;
}

static void lose_suffix(struct world *world, struct conduit *conduit, struct direction *lane)
{
    struct packet **link = &lane->first;
    struct packet *lost;
    size_t count = 0;

    for (struct packet *packet = lane->first; packet; packet = packet->next)
        count++;
    lane->last = NULL;
    for (size_t keep = random_below(&world->network, count + 1); keep > 0; keep--) {
        lane->last = *link;
        link = &(*link)->next;
    }
    lost = *link;
    *link = NULL;
    while (lost) {
        struct packet *next = lost->next;

        lost->next = NULL;
        keep_stale(world, conduit, lost);
        lost = next;
    }
}

void conduit_cut(struct world *world, struct conduit *conduit)
{
    if (conduit->is_cut)
        return;
    conduit->is_cut = true;
    lose_suffix(world, conduit, &conduit->lanes[0]);
    lose_suffix(world, conduit, &conduit->lanes[1]);
}

static void end_is_told(struct world *world, struct happening *happening)
{
    struct conduit *conduit = happening->subject;
    int end = (int)happening->number;
    struct host *host = conduit->hosts[end];
    struct event event = {.type = EVENT_GONE, .peer = conduit_peer(conduit, end)};

    if (!host || !host->node || conduit->is_told[end] || conduit->is_over[end])
        return;
    world_trace(world, "host %u hears that %llu is gone", host->index,
                (unsigned long long)event.peer);
    conduit->is_told[end] = true;
    host_event(world, host, &event);
    if (end == 1 && host->up == conduit) {
        host->up = NULL;
        host_connect_later(world, host, random_log(&world->network, NS_PER_MS, 2 * NS_PER_S));
    }
}

void conduit_tell(struct world *world, struct conduit *conduit, int end, int64_t delay_ns)
{
    world_later(world, delay_ns, end_is_told, conduit, (uint64_t)end);
}

void conduit_forget_stale(struct host *host)
{
    for (size_t i = 0; i < host->stale_count; i++)
        packet_free(host->stale[i]);
    memory_free(host->stale);
    host->stale = NULL;
    host->stale_count = 0;
}

void conduit_replay(struct world *world, struct host *host, struct conduit *conduit)
{
    for (size_t i = 0; i < host->stale_count; i++) {
        struct packet *packet = host->stale[i];

        packet->conduit = conduit;
        packet->is_loose = true;
        world_trace(world, "host %u: a batch of its last connection comes late", host->index);
        world_later(world, random_log(&world->network, 1000, NS_PER_S), loose_arrives, packet, 0);
    }
    host->stale_count = 0;
}
