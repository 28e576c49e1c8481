/*
 * The one event loop: links and a node. Shells (one-shot, client, coordinator, worker daemon) add
 * their own descriptors and look at root actions; everything else is the same.
 */
#ifndef SHEAF_LINK_LOOP_H
#define SHEAF_LINK_LOOP_H

#include "core/node.h"
#include "link/link.h"

#include <poll.h>

enum { LOOP_LINKS_MAX = 4, LOOP_FDS_MAX = 8 };

/* What a shell wants to hear; any may be NULL. Called between steps, never from inside the node. */
struct loop_hooks {
    void *context;
    void (*action)(void *context, struct action *action);   /* READ, VALUES, END, NOTICE */
    void (*readable)(void *context, int fd, short revents); /* one of the shell's own descriptors */
    /* A message that the node is given next; links are numbered from 0 in the order of their
     * adding. */
    void (*heard)(void *context, size_t link, link_peer peer, const struct message *message,
                  int64_t now_ns);
};

struct loop;

int loop_new(struct loop **out, struct node *node, const struct loop_hooks *hooks,
             struct error *error);
void loop_free(struct loop **loop);
void loop_add_link(struct loop *loop, struct link *link); /* owned by the loop from now on */
void loop_add_fd(struct loop *loop, int fd, short events);
void loop_submit(struct loop *loop,
                 struct event *event); /* step the node with an event of the shell's own */
/* One round: drain links, step, perform, sleep until something happens or the node's deadline (at
 * most max_ns). */
void loop_round(struct loop *loop, int64_t max_ns);

#endif
