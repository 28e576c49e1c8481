/*
 * The peers of a ZeroMQ link, by identity and by number, and what is believed of them.
 *
 * A peer's number is the link's own: an identity that was dropped and speaks again is a new peer.
 * On the side that listens a peer is a stranger until it is sent a WELCOME: there are never more
 * than PEERS_STRANGERS_MAX of those, and the oldest gives way. Who is sent a REFUSED with a
 * sentence is leaving: it is heard no more, and its connection is closed when the sentence has had
 * time to arrive.
 */
#ifndef SHEAF_LINK_ZMQ_PEERS_H
#define SHEAF_LINK_ZMQ_PEERS_H

#include "link/link.h"
#include "link/zmq_batches.h"

#include <sys/types.h>
#include <uthash.h>

enum { PEERS_STRANGERS_MAX = 256 };

enum standing { STANDING_STRANGER, STANDING_WELCOME, STANDING_LEAVING };

/* A connection of libzmq's, by its descriptor and, as that may be closed and used for another at
 * any time, by its inode. */
struct connection {
    int fd; /* -1: not known */
    ino_t inode;
};

struct peer {
    uint8_t identity[FRAMES_IDENTITY_BYTES];
    link_peer number;
    enum standing standing;
    int64_t leaves_ns;
    struct connection connection;
    bool has_unsent; /* is in the list of those */
    struct batch_sender sender;
    struct batch_receiver receiver;
    UT_hash_handle by_identity, by_number;
    UT_hash_handle in_line; /* of the strangers or of the leaving, oldest first */
};

struct peers {
    struct peer *by_identity, *by_number;
    struct peer *strangers, *leaving;
    link_peer last_number;
    struct peer **unsent;
    size_t unsent_count;
    int room_fd; /* borrowed: see lending_new() */
};

/* A new peer: a stranger, or, standing outside all lines, one that we connected to. */
struct peer *peers_add(struct peers *peers, const uint8_t *identity, enum standing standing);
void peers_remove(struct peers *peers, struct peer *peer);
struct peer *peers_find_number(const struct peers *peers, link_peer number);
struct peer *peers_find_identity(const struct peers *peers, const uint8_t *identity);
/* There is something in its outbox. */
void peers_note_unsent(struct peers *peers, struct peer *peer);
void peers_clear(struct peers *peers);

/* It was sent a WELCOME, or a REFUSED with a sentence. */
void peers_welcome(struct peers *peers, struct peer *peer);
void peers_refuse(struct peers *peers, struct peer *peer, int64_t now_ns);
/* Who is to go now: a stranger too many, or one whose time to leave has come. NULL: nobody. */
struct peer *peers_next_to_go(const struct peers *peers, int64_t now_ns);
/* When somebody is to go at the latest, INT64_MAX: nobody is leaving. */
int64_t peers_deadline(const struct peers *peers);

/* The connection over which these frames came. */
struct connection connection_of(const struct frames *frames);
/* Close it as its other end would. libzmq notices, and forgets the identity. */
void connection_end(const struct connection *connection);

#endif
