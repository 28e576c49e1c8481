#include "link/trace.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/self.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct trace {
    FILE *file;
    char host[64];
    uint32_t pid;
    int64_t offset_ns; /* from clock_now_ns() to the time of day */
};

static int64_t time_of_day_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int trace_make_file(FILE **out, const char *folder, const char *name, uint32_t pid,
                    struct error *error)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s-%u.trace", folder, name, pid);

    *out = NULL;
    if (length < (int)sizeof path)
        *out = fopen(path, "we");
    else
        errno = ENAMETOOLONG;
    if (!*out)
        return error_set_errno(error, ERROR_USAGE, errno,
                               "SHEAF_TRACE: no file can be made in '%.200s'", folder);
    return OK;
}

int trace_open(struct trace **out, bool may_print, struct error *error)
{
    const char *where = getenv("SHEAF_TRACE");
    struct node_options self;
    struct trace *trace;
    int rc = OK;

    *out = NULL;
    if (!where || !*where)
        return OK;
    trace = memory_new(sizeof *trace);
    self_describe(&self);
    memcpy(trace->host, self.host, sizeof trace->host);
    trace->pid = self.pid;
    trace->offset_ns = time_of_day_ns() - clock_now_ns();
    if (strcmp(where, "-") != 0)
        rc = trace_make_file(&trace->file, where, trace->host, trace->pid, error);
    else if (may_print)
        trace->file = stdout;
    else
        rc = error_set(error, ERROR_USAGE,
                       "SHEAF_TRACE=- is for the workers of a farm; here standard output is the "
                       "answer's");
    if (rc != OK)
        memory_free(trace);
    else
        *out = trace;
    return rc;
}

static const char *kind_name(enum task_kind kind)
{
    switch (kind) {
    case TASK_FOLD:
        return "fold";
    case TASK_COUNT:
        return "count";
    case TASK_GLUE:
        return "glue";
    }
    return "other";
}

void trace_hear(struct trace *trace, uint32_t slot, const struct message *message, int64_t now_ns)
{
    int64_t end_ns, begin_ns;

    if (!trace || message->type != MESSAGE_RESULT)
        return;
    end_ns = now_ns + trace->offset_ns;
    begin_ns = end_ns - (int64_t)message->result.busy_ns;
    fprintf(trace->file, "trace %s %u %u %s %.6f %.6f %llu\n", trace->host, trace->pid, slot,
            kind_name(message->result.kind), (double)begin_ns / (double)NS_PER_S,
            (double)end_ns / (double)NS_PER_S, (unsigned long long)message->result.units);
}

int trace_close(struct trace **trace, struct error *error)
{
    FILE *file = *trace ? (*trace)->file : NULL;
    bool has_failed = file && fflush(file);

    if (file)
        has_failed |= ferror(file) != 0;
    if (file && file != stdout)
        has_failed |= fclose(file) != 0;
    memory_free(*trace);
    *trace = NULL;
    return has_failed ? error_set(error, ERROR_FAILED, "the trace could not be written whole") : OK;
}
