/* What `sheaf status` shows. */
#include "core/node_private.h"

#include <stdarg.h>
#include <stdio.h>

static void add(struct bytes *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct bytes *json, const char *format, ...)
{
    char text[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bytes_append(json, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

static const char *worker_state(const struct peer *peer)
{
    if (peer->is_draining)
        return "draining";
    return peer->running ? "busy" : "idle";
}

static void add_worker(struct bytes *json, const struct peer *peer)
{
    add(json,
        "{\"host\":\"%s\",\"pid\":%u,\"slots\":%u,\"running\":%u,\"done\":%llu,\"rate\":%.6g,"
        "\"state\":\"%s\"}",
        peer->host, peer->pid, peer->slots, peer->running, (unsigned long long)peer->done,
        peer->rate * 1e9 * peer->slots, worker_state(peer));
}

static const char *job_state(const struct node *node, const struct job *job)
{
    if (!job->first)
        return "idle";
    return node->slots ? "running" : "waiting for workers";
}

static void add_job(struct bytes *json, const struct node *node, const struct job *job)
{
    double progress = job->cost_all ? (double)job->cost_done / (double)job->cost_all : 0;

    add(json, "{\"op\":\"%s\",\"progress\":%.4f,\"state\":\"%s\"}", job->op->name,
        progress < 1 ? progress : 1.0, job_state(node, job));
}

void node_status(const struct node *node, struct bytes *json)
{
    const char *separator = "";

    add(json, "{\"workers\":[");
    for (const struct peer *peer = node->peers; peer; peer = peer->hh.next) {
        if (!peer->is_ready || !peer->is_taker)
            continue;
        add(json, "%s", separator);
        add_worker(json, peer);
        separator = ",";
    }
    separator = "";
    add(json, "],\"jobs\":[");
    for (const struct job *job = node->jobs; job; job = job->next) {
        add(json, "%s", separator);
        add_job(json, node, job);
        separator = ",";
    }
    add(json, "]}");
}

static void tell_status(struct node *node, struct peer *peer)
{
    struct message status = {.type = MESSAGE_STATUS};
    struct bytes json = {0};

    node_status(node, &json);
    status.payload = chunk_take(&json);
    peer->told_status_ns = node->now_ns;
    peer->wants_status = false;
    peer_send(node, peer, &status);
}

/* However often somebody asks, saying it costs little. */
void status_asked(struct node *node, struct peer *peer)
{
    int64_t next_ns = peer->told_status_ns + STATUS_PAUSE_NS;

    if (!peer->told_status_ns || node->now_ns >= next_ns) {
        tell_status(node, peer);
        return;
    }
    peer->wants_status = true;
    if (next_ns < node->status_ns)
        node->status_ns = next_ns;
}

void statuses_tell(struct node *node)
{
    if (node->now_ns < node->status_ns)
        return;
    node->status_ns = INT64_MAX;
    for (struct peer *peer = node->peers; peer; peer = peer->hh.next)
        if (peer->wants_status && node->now_ns >= peer->told_status_ns + STATUS_PAUSE_NS)
            tell_status(node, peer);
        else if (peer->wants_status)
            node->status_ns = node->now_ns + STATUS_PAUSE_NS;
}
