/* Which children can take more: idle ones, the last used first (a pool starts no more processes
 * than needed), then others in turn, then full ones, which take what
 * holds up the output. */
#include "core/node_private.h"

static void list_remove(struct peer_list *list, struct peer *peer)
{
    *(peer->capacity_previous ? &peer->capacity_previous->capacity_next : &list->first) =
        peer->capacity_next;
    *(peer->capacity_next ? &peer->capacity_next->capacity_previous : &list->last) =
        peer->capacity_previous;
}

static void list_add_first(struct peer_list *list, struct peer *peer)
{
    peer->capacity_previous = NULL;
    peer->capacity_next = list->first;
    *(list->first ? &list->first->capacity_previous : &list->last) = peer;
    list->first = peer;
}

static void list_add_last(struct peer_list *list, struct peer *peer)
{
    peer->capacity_next = NULL;
    peer->capacity_previous = list->last;
    *(list->last ? &list->last->capacity_next : &list->first) = peer;
    list->last = peer;
}

static enum capacity capacity_of(const struct node *node, const struct peer *peer)
{
    if (!peer->is_ready || !peer->is_taker || peer->is_draining)
        return CAPACITY_NONE;
    if (!peer->running)
        return CAPACITY_IDLE;
    bool is_full = peer->queued_ns >= slots_ns(node, peer, 2);

    if (peer->running >= peer->credit)
        return CAPACITY_NONE;
    if (peer->role == ROLE_PROCESS)
        return is_full ? CAPACITY_NONE : CAPACITY_SOME;
    if (peer->running + 1 == peer->credit || (is_full && !peer->takes_whole))
        return CAPACITY_FRONT;
    return CAPACITY_SOME;
}

static struct peer_list *list_of(struct node *node, enum capacity capacity)
{
    switch (capacity) {
    case CAPACITY_NONE:
        return NULL;
    case CAPACITY_FRONT:
        return &node->full;
    case CAPACITY_SOME:
        return &node->some;
    case CAPACITY_IDLE:
        return &node->idle;
    }
    return NULL;
}

void peer_update_capacity(struct node *node, struct peer *peer)
{
    enum capacity capacity = capacity_of(node, peer);

    if (capacity == peer->capacity)
        return;
    if (peer->capacity != CAPACITY_NONE)
        list_remove(list_of(node, peer->capacity), peer);
    peer->capacity = capacity;
    if (capacity == CAPACITY_IDLE)
        list_add_first(&node->idle, peer);
    else if (capacity != CAPACITY_NONE)
        list_add_last(list_of(node, capacity), peer);
}

void peer_stand_back(struct node *node, struct peer *peer)
{
    if (peer->capacity == CAPACITY_NONE)
        return;
    list_remove(list_of(node, peer->capacity), peer);
    list_add_last(list_of(node, peer->capacity), peer);
}
