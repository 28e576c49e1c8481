/* A lease put into words: the messages that a child needs to work on a task. */
#include "core/node_private.h"

#include <string.h>

static void tell_job(struct node *node, struct job *job, struct peer *peer)
{
    struct message message = {.type = MESSAGE_JOB};
    struct known *known = job_known(job, peer);

    if (known)
        return;
    known = memory_new(sizeof *known);
    known->peer = peer->id;
    HASH_ADD(hh, job->known, peer, sizeof known->peer, known);
    message.job.job = job->id;
    message.job.spec = memory_new(sizeof *message.job.spec);
    job_spec_copy(message.job.spec, job->spec);
    peer_send(node, peer, &message);
}

static struct chunk pair_payload(const struct tile *left)
{
    struct bytes payload = {0};
    struct bytes length = {0};

    bytes_append_u64(&payload, 0);
    segment_encode(left->run, &payload);
    bytes_append_u64(&length, payload.length - sizeof(uint64_t));
    memcpy(payload.data, length.data, length.length);
    bytes_clear(&length);
    segment_encode(left->next->run, &payload);
    return chunk_take(&payload);
}

static struct chunk task_payload(const struct task *task)
{
    if (task->kind != TASK_GLUE)
        return chunk_share(&task->tile->payload);
    return task->work->asked.kind == TASK_GLUE ? chunk_share(&task->tile->payload)
                                               : pair_payload(task->tile);
}

static void fill_task(struct message *message, const struct lease *lease)
{
    const struct task *task = lease->task;
    const struct tile *tile = task->tile;

    message->type = MESSAGE_TASK;
    message->task = (struct message_task){.job = task->work->job->id,
                                          .task = task->id,
                                          .attempt = lease->attempt,
                                          .kind = task->kind,
                                          .slice = tile->slice,
                                          .room_bytes = lease->room_bytes,
                                          .deaths = tile->deaths,
                                          .lost_daemons = tile->lost_daemons,
                                          .by_value = tile->by_value && task->kind != TASK_GLUE};
    if (tile->state == TILE_GLUING)
        message->task.slice.end = tile->next->slice.end;
    message->payload = task_payload(task);
}

void give_lease(struct node *node, struct task *task, struct peer *peer, uint64_t room)
{
    struct lease *lease = task_lease(node, task, peer);
    const struct slice *slice = &task->tile->slice;
    cost whole =
        task->kind == TASK_GLUE ? 0 : plan_cost(task->work->job->spec, slice->begin, slice->end);
    struct message message = {0};

    lease->room_bytes = room;
    lease->answered = task->tile->slice.begin;
    lease->expected_ns = expected_ns(node, task->work, peer, whole);
    reserve(node, task->work, room);
    peer->queued_ns += lease->expected_ns;
    lease->due_ns = node->now_ns + 2 * peer->queued_ns / peer->slots + 3 * node->options.task_ns;
    tell_job(node, task->work->job, peer);
    fill_task(&message, lease);
    lease->payload_bytes = message.payload.length;
    peer->payload_bytes += lease->payload_bytes;
    peer_send(node, peer, &message);
    peer_update_capacity(node, peer);
    node->stats.tasks++;
}
