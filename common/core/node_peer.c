/*
 * Peers: the handshake, heartbeats, and who is lost. A session is one HELLO and its WELCOME;
 * whatever follows a loss begins with a new HELLO, so that nothing of an old session is ever taken
 * for the new one's.
 */
#include "core/node_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct peer *peer_find(const struct node *node, peer_id id)
{
    struct peer *peer;

    HASH_FIND(hh, node->peers, &id, sizeof id, peer);
    return peer;
}

void notice(struct node *node, const char *format, ...)
{
    struct action *action = actions_add(node->actions, ACTION_NOTICE, 0);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(action->notice, sizeof action->notice, format, arguments);
    va_end(arguments);
}

static void send_to(struct node *node, peer_id id, struct message *message)
{
    message_move(&actions_add(node->actions, ACTION_SEND, id)->message, message);
}

void peer_send(struct node *node, struct peer *peer, struct message *message)
{
    peer->spoke_ns = node->now_ns;
    send_to(node, peer->id, message);
}

static struct peer *peer_new(struct node *node, peer_id id)
{
    struct peer *peer = memory_new(sizeof *peer);

    peer->id = id;
    peer->heard_ns = node->now_ns;
    peer->spoke_ns = node->now_ns;
    HASH_ADD(hh, node->peers, id, sizeof peer->id, peer);
    return peer;
}

void peer_free(struct node *node, struct peer *peer)
{
    peer->is_ready = false;
    peer_update_capacity(node, peer);
    node->watched -= peer->is_watched || peer->is_dialled;
    HASH_DEL(node->peers, peer);
    memory_free(peer);
}

static bool counts_as_worker(const struct peer *peer)
{
    return peer->is_ready && peer->role == ROLE_WORKER && peer->is_taker;
}

static void forget_known(struct node *node, const struct peer *peer)
{
    for (struct job *job = node->jobs; job; job = job->next) {
        struct known *known = job_known(job, peer);

        if (!known)
            continue;
        HASH_DEL(job->known, known);
        memory_free(known);
    }
}

/* What a taker held runs elsewhere; what a giver asked for is wanted no more. */
static void session_end(struct node *node, struct peer *peer, const struct event *event)
{
    if (peer->is_taker && peer->is_ready) {
        node->slots -= peer->slots;
        node->stats.workers -= counts_as_worker(peer);
    }
    peer->is_ready = false;
    peer->blamed = 0;
    peer_update_capacity(node, peer);
    node->look_for_eyes |= peer->is_taker;
    if (peer->is_taker) {
        forget_known(node, peer); /* first: a job that ends by this loss says nothing to the lost */
        while (peer->oldest)
            lease_lost(node, peer->oldest, event);
    }
    if (peer->is_giver)
        for (struct job *job = node->jobs, *next; job; job = next) {
            next = job->next;
            if (job->key.giver == peer->id)
                job_free(node, job);
        }
    peer->is_taker = false;
    peer->is_giver = false;
    peer->spares_tasks = false;
}

void peer_lost(struct node *node, struct peer *peer, const struct event *event)
{
    bool was_worker = counts_as_worker(peer);

    if (peer->is_dialled && node->unreachable_ns == INT64_MAX)
        node->unreachable_ns = node->now_ns;
    if (peer->is_ready && peer->is_dialled)
        notice(node, "the coordinator is gone; waiting for it to come back");
    if (was_worker && !peer->is_draining) {
        node->stats.lost_children++;
        notice(node, "worker %s (pid %u) is lost; its work runs elsewhere", peer->host, peer->pid);
    }
    session_end(node, peer, event);
    peer_free(node, peer);
    if (was_worker && !node->slots && node->jobs && !node->said_no_workers) {
        node->said_no_workers = true;
        notice(node, "the last worker is gone; waiting for one to join");
    }
}

void peer_drop(struct node *node, struct peer *peer)
{
    actions_add(node->actions, ACTION_DROP, peer->id);
    peer_lost(node, peer, NULL);
}

static uint64_t next_random(struct node *node)
{
    uint64_t x = (node->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void say_hello(struct node *node, struct peer *peer)
{
    struct message hello = {.type = MESSAGE_HELLO};

    peer->session = next_random(node);
    peer->greeted_ns = node->now_ns;
    hello.hello = (struct message_hello){.version = PROTOCOL_VERSION,
                                         .role = node->options.role,
                                         .pid = node->options.pid,
                                         .slots = node->options.slots_hint,
                                         .credit_tasks = own_credit(node),
                                         .session = peer->session};
    memcpy(hello.hello.host, node->options.host, sizeof hello.hello.host);
    peer_send(node, peer, &hello);
}

void peer_connected(struct node *node, peer_id id)
{
    struct peer *peer = peer_find(node, id);

    if (peer)
        peer_lost(node, peer, NULL);
    peer = peer_new(node, id);
    peer->is_dialled = true;
    node->watched++;
    say_hello(node, peer);
}

static void refuse(struct node *node, peer_id to, const char *why)
{
    struct message refused = {.type = MESSAGE_REFUSED};

    snprintf(refused.refused.text, sizeof refused.refused.text, "%s", why);
    send_to(node, to, &refused);
}

static void welcome(struct node *node, struct peer *peer)
{
    struct message message = {.type = MESSAGE_WELCOME};

    message.welcome = (struct message_welcome){.version = PROTOCOL_VERSION,
                                               .slots = (uint32_t)node->slots,
                                               .credit_tasks = own_credit(node),
                                               .session = peer->session};
    if (peer->role != ROLE_PROCESS)
        peer_send(node, peer, &message);
}

static void taker_joined(struct node *node, struct peer *peer)
{
    node->slots += peer->slots;
    node->stats.workers += counts_as_worker(peer);
    node->said_no_workers = false;
    peer_update_capacity(node, peer);
}

static bool is_root_node(const struct node *node)
{
    return node->jobs && node->jobs->is_root;
}

static const char *hello_fault(const struct node *node, const struct message_hello *hello)
{
    if (hello->version != PROTOCOL_VERSION)
        return "this peer speaks another version of the protocol; install the same version of "
               "sheaf on all hosts";
    if (hello->role == ROLE_CLIENT && (is_root_node(node) || node->options.role == ROLE_CLIENT ||
                                       node->options.role == ROLE_WORKER))
        return "this is not a coordinator";
    if ((hello->role == ROLE_WORKER || hello->role == ROLE_PROCESS) && !hello->slots)
        return "a worker needs at least one slot";
    return NULL;
}

/* A name goes into sentences and JSON: nothing but what host names are made of. */
static void copy_host(char to[64], const char from[64])
{
    size_t i = 0;

    for (; i < 63 && from[i]; i++) {
        bool is_plain = (from[i] >= '0' && from[i] <= '9') || (from[i] >= 'A' && from[i] <= 'Z') ||
                        (from[i] >= 'a' && from[i] <= 'z') || from[i] == '-' || from[i] == '.';

        to[i] = from[i];
        if (!is_plain)
            to[i] = '_';
    }
    to[i] = 0;
}

static void take_hello(struct node *node, peer_id from, const struct message_hello *hello)
{
    struct peer *peer = peer_find(node, from);
    const char *fault = hello_fault(node, hello);

    if (fault) {
        refuse(node, from, fault);
        return;
    }
    if (peer) {
        peer->spares_tasks = true;
        peer_lost(node, peer, NULL);
    }
    peer = peer_new(node, from);
    peer->role = hello->role;
    peer->is_ready = true;
    peer->is_watched = hello->role != ROLE_PROCESS;
    node->watched += peer->is_watched;
    peer->is_taker = hello->role == ROLE_WORKER || hello->role == ROLE_PROCESS;
    peer->is_giver = hello->role == ROLE_CLIENT;
    peer->session = hello->session;
    peer->pid = hello->pid;
    peer->slots = hello->slots;
    peer->credit = hello->credit_tasks ? hello->credit_tasks : 1;
    copy_host(peer->host, hello->host);
    welcome(node, peer);
    if (peer->is_taker)
        taker_joined(node, peer);
    if (peer->role == ROLE_WORKER && !node->options.expects_workers)
        notice(node, "worker %s (pid %u) joined with %u slots", peer->host, peer->pid, peer->slots);
}

static void told_slots(struct node *node, struct peer *peer, uint64_t slots)
{
    if (!peer->takes_whole)
        return;
    if (!slots && !node->said_no_workers)
        notice(node, "%s; waiting for one to join",
               peer->had_workers ? "the last worker is gone" : "the farm has no worker yet");
    peer->had_workers |= slots > 0;
    node->said_no_workers = !slots;
}

static void greet_again(struct node *node, struct peer *peer)
{
    if (node->unreachable_ns == INT64_MAX)
        node->unreachable_ns = node->now_ns;
    session_end(node, peer, NULL);
    say_hello(node, peer);
}

void peer_misbehaves(struct node *node, struct peer *peer)
{
    peer->spares_tasks = true;
    if (peer->is_dialled)
        greet_again(node, peer);
    else
        peer_drop(node, peer);
}

static void take_welcome(struct node *node, struct peer *peer,
                         const struct message_welcome *message)
{
    if (!peer->is_dialled)
        return;
    if (message->session != peer->session) {
        /* It took an older HELLO, which came late, for the newest one, and has forgotten all. */
        if (peer->is_ready)
            greet_again(node, peer);
        return;
    }
    if (peer->is_ready)
        return;
    peer->is_ready = true;
    peer->is_watched = true;
    node->unreachable_ns = INT64_MAX;
    *node->said_refusal = 0;
    if (node->options.role == ROLE_WORKER) {
        peer->is_giver = true;
        return;
    }
    peer->is_taker = true;
    peer->takes_whole = true;
    peer->slots = 1;
    peer->credit = message->credit_tasks ? message->credit_tasks : 1;
    taker_joined(node, peer);
    told_slots(node, peer, message->slots);
}

static void take_refused(struct node *node, struct peer *peer, const char *text)
{
    if (!peer->is_dialled)
        return;
    if (*text && strcmp(text, node->said_refusal) != 0) {
        snprintf(node->said_refusal, sizeof node->said_refusal, "%s", text);
        notice(node, "the coordinator refused: %.200s", text);
    }
    if (peer->is_ready)
        node->unreachable_ns = node->now_ns;
    session_end(node, peer, NULL);
    peer->greeted_ns = node->now_ns;
}

static void giver_message(struct node *node, struct peer *peer, struct message *message)
{
    struct job *job = job_find(node, peer->id, message->forget.job);
    struct work *work;

    switch (message->type) {
    case MESSAGE_JOB:
        if (job)
            break;
        if (!job_is_possible(message->job.spec) ||
            peer->asked.jobs >= (peer->is_dialled ? JOBS_MAX : CLIENT_JOBS_MAX)) {
            peer_misbehaves(node, peer);
            break;
        }
        job_new(node, peer->id, message->job.job, message->job.spec);
        message->job.spec = NULL;
        break;
    case MESSAGE_FORGET:
        if (job)
            job_free(node, job);
        break;
    case MESSAGE_TASK:
        job_take_task(node, peer, message);
        break;
    case MESSAGE_CANCEL:
        work = job ? work_find(job, message->cancel.task, message->cancel.attempt) : NULL;
        if (work)
            work_free(node, work);
        break;
    case MESSAGE_ROOM:
        work = job ? work_find(job, message->room.task, message->room.attempt) : NULL;
        if (work) {
            if (__builtin_add_overflow(work->room_bytes, message->room.more_bytes,
                                       &work->room_bytes))
                work->room_bytes = UINT64_MAX;
            work_advance(node, work);
        }
        break;
    default:
        break;
    }
}

static void known_message(struct node *node, struct peer *peer, struct message *message)
{
    switch (message->type) {
    case MESSAGE_WELCOME:
        take_welcome(node, peer, &message->welcome);
        break;
    case MESSAGE_REFUSED:
        take_refused(node, peer, message->refused.text);
        break;
    case MESSAGE_HEARTBEAT:
        told_slots(node, peer, message->heartbeat.slots);
        break;
    case MESSAGE_BYE:
        peer->is_draining = true;
        node->look_for_eyes = true;
        peer_update_capacity(node, peer);
        break;
    case MESSAGE_ASK_STATUS:
        status_asked(node, peer);
        break;
    case MESSAGE_RESULT:
        if (peer->is_taker)
            task_result(node, peer, message);
        break;
    case MESSAGE_DECLINED:
        if (peer->is_taker)
            task_declined(node, peer, message);
        break;
    default:
        if (peer->is_giver)
            giver_message(node, peer, message);
        else if (peer->is_ready)
            peer_drop(node, peer);
        break;
    }
}

void peer_message(struct node *node, peer_id from, struct message *message)
{
    struct peer *peer = peer_find(node, from);

    if (message->type == MESSAGE_HELLO) {
        take_hello(node, from, &message->hello);
        return;
    }
    if (!peer) {
        refuse(node, from, ""); /* of a session that is over: it shall say HELLO again */
        return;
    }
    peer->heard_ns = node->now_ns;
    known_message(node, peer, message);
}

static int64_t silence_of(const struct node *node, const struct peer *peer)
{
    return peer->is_giver && !peer->is_dialled ? node->options.client_silence_ns
                                               : node->options.silence_ns;
}

static void tick_dialled(struct node *node, struct peer *peer)
{
    /* Up to a quarter of a second apart, so that a thousand workers do not greet in step. */
    int64_t jitter = (int64_t)(next_random(node) % (HEARTBEAT_NS / 4));

    if (!peer->is_ready && node->now_ns - peer->greeted_ns >= HEARTBEAT_NS - jitter)
        say_hello(node, peer);
}

static void tick_one(struct node *node, struct peer *peer)
{
    struct message beat = {.type = MESSAGE_HEARTBEAT};

    if (peer->is_dialled && !peer->is_ready) {
        tick_dialled(node, peer);
        return;
    }
    if (!peer->is_watched)
        return;
    if (node->now_ns - peer->heard_ns >= silence_of(node, peer)) {
        if (!peer->is_dialled) {
            peer_drop(node, peer);
            return;
        }
        notice(node, "the coordinator is silent; waiting for it to come back");
        greet_again(node, peer);
        return;
    }
    beat.heartbeat.slots = node->slots;
    peer_send(node, peer, &beat);
}

bool peers_tick(struct node *node)
{
    struct peer *peer;
    struct peer *next;

    if (!node->peers || node->now_ns < node->beat_ns)
        return false;
    node->beat_ns = node->now_ns + HEARTBEAT_NS;
    HASH_ITER(hh, node->peers, peer, next) tick_one(node, peer);
    return true;
}

void peers_shift(struct node *node, int64_t gap_ns)
{
    for (struct peer *peer = node->peers; peer; peer = peer->hh.next)
        peer->heard_ns += gap_ns;
}

int64_t peers_deadline(const struct node *node)
{
    return node->watched ? node->beat_ns : INT64_MAX;
}
