#include "link/self.h"

#include "base/clock.h"
#include "base/limits.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void self_describe(struct node_options *options)
{
    *options = (struct node_options){.memory_bytes = MEMORY_BYTES_DEFAULT,
                                     .task_ns = TASK_NS_DEFAULT,
                                     .silence_ns = SILENCE_NS,
                                     .client_silence_ns = CLIENT_SILENCE_NS,
                                     .pid = (uint32_t)getpid()};
    if (gethostname(options->host, sizeof options->host - 1))
        memcpy(options->host, "?", 2);
    /* Without random bytes two processes of one host still differ. */
    if (getrandom(&options->seed, sizeof options->seed, GRND_NONBLOCK) != sizeof options->seed)
        options->seed = (uint64_t)clock_now_ns() ^ (uint64_t)getpid() << 40;
}
