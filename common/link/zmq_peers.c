#include "link/zmq_peers.h"

#include "base/limits.h"
#include "base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sentence of refusal may take this long to arrive. */
#define LEAVE_NS NS_PER_S

struct peer *peers_add(struct peers *peers, const uint8_t *identity, enum standing standing)
{
    struct peer *peer = memory_new(sizeof *peer);

    memcpy(peer->identity, identity, sizeof peer->identity);
    peer->number = ++peers->last_number;
    peer->standing = standing;
    peer->connection.fd = -1;
    batch_sender_init(&peer->sender, peers->room_fd);
    HASH_ADD(by_identity, peers->by_identity, identity, sizeof peer->identity, peer);
    HASH_ADD(by_number, peers->by_number, number, sizeof peer->number, peer);
    if (standing == STANDING_STRANGER)
        HASH_ADD(in_line, peers->strangers, number, sizeof peer->number, peer);
    return peer;
}

static void leave_line(struct peers *peers, struct peer *peer)
{
    if (peer->standing == STANDING_STRANGER)
        HASH_DELETE(in_line, peers->strangers, peer);
    if (peer->standing == STANDING_LEAVING)
        HASH_DELETE(in_line, peers->leaving, peer);
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    for (size_t i = 0; peer->has_unsent && i < peers->unsent_count; i++)
        if (peers->unsent[i] == peer) {
            peers->unsent[i] = peers->unsent[--peers->unsent_count];
            break;
        }
    leave_line(peers, peer);
    HASH_DELETE(by_identity, peers->by_identity, peer);
    HASH_DELETE(by_number, peers->by_number, peer);
    batch_sender_clear(&peer->sender);
    batch_receiver_clear(&peer->receiver);
    memory_free(peer);
}

struct peer *peers_find_number(const struct peers *peers, link_peer number)
{
    struct peer *peer;

    HASH_FIND(by_number, peers->by_number, &number, sizeof number, peer);
    return peer;
}

struct peer *peers_find_identity(const struct peers *peers, const uint8_t *identity)
{
    struct peer *peer;

    HASH_FIND(by_identity, peers->by_identity, identity, FRAMES_IDENTITY_BYTES, peer);
    return peer;
}

void peers_note_unsent(struct peers *peers, struct peer *peer)
{
    if (peer->has_unsent)
        return;
    peer->has_unsent = true;
    peers->unsent = memory_grow(peers->unsent, peers->unsent_count + 1, sizeof *peers->unsent);
    peers->unsent[peers->unsent_count++] = peer;
}

void peers_clear(struct peers *peers)
{
    struct peer *peer, *next;

    HASH_ITER(by_number, peers->by_number, peer, next)
    {
        peers_remove(peers, peer);
    }
    memory_free(peers->unsent);
    peers->unsent = NULL;
}

void peers_welcome(struct peers *peers, struct peer *peer)
{
    leave_line(peers, peer);
    peer->standing = STANDING_WELCOME;
}

void peers_refuse(struct peers *peers, struct peer *peer, int64_t now_ns)
{
    leave_line(peers, peer);
    peer->standing = STANDING_LEAVING;
    peer->leaves_ns = now_ns + LEAVE_NS;
    HASH_ADD(in_line, peers->leaving, number, sizeof peer->number, peer);
}

struct peer *peers_next_to_go(const struct peers *peers, int64_t now_ns)
{
    if (HASH_CNT(in_line, peers->strangers) > PEERS_STRANGERS_MAX)
        return peers->strangers;
    if (peers->leaving && (peers->leaving->leaves_ns <= now_ns ||
                           HASH_CNT(in_line, peers->leaving) > PEERS_STRANGERS_MAX))
        return peers->leaving;
    return NULL;
}

int64_t peers_deadline(const struct peers *peers)
{
    return peers->leaving ? peers->leaving->leaves_ns : INT64_MAX;
}

static ino_t inode_of(int fd)
{
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

struct connection connection_of(const struct frames *frames)
{
    int fd = frames_source(frames);

    return (struct connection){fd, inode_of(fd)};
}

void connection_end(const struct connection *connection)
{
    /* A copy stays what it is while it is looked at. */
    int fd = connection->fd >= 0 ? fcntl(connection->fd, F_DUPFD_CLOEXEC, 0) : -1;

    if (fd < 0)
        return;
    if (connection->inode && inode_of(fd) == connection->inode)
        shutdown(fd, SHUT_RDWR);
    close(fd);
}
