#include "core/message.h"

#include "base/memory.h"

void message_clear(struct message *message)
{
    if (message->type == MESSAGE_JOB && message->job.spec) {
        job_spec_clear(message->job.spec);
        memory_free(message->job.spec);
    }
    chunk_drop(&message->payload);
    *message = (struct message){0};
}

void message_move(struct message *to, struct message *from)
{
    message_clear(to);
    *to = *from;
    *from = (struct message){0};
}
