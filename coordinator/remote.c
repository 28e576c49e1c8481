#include "remote.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { SSH_FAILED = 255 };

/*
 * What the host's shell runs: sh -c SCRIPT sh PROGRAM FALLBACK ADDRESS PORT PROCESSES TRACE. Where
 * no address is given it is the one that this connection comes from, which the host can evidently
 * reach.
 */
static const char SCRIPT[] =
    "w=$1; command -v \"$w\" >/dev/null 2>&1 || w=$2; "
    "a=${3:-${SSH_CONNECTION%% *}}; case $a in \"\") a=127.0.0.1;; \"[\"*) ;; *:*) a=\"[$a]\";; "
    "esac; "
    "command -v \"$w\" >/dev/null 2>&1 || { echo \"there is no $1 there\" >&2; exit 127; }; "
    "export SHEAF_TRACE=\"$6\"; exec \"$w\" --attached -v --connect \"tcp://$a:$4\" ${5:+-j "
    "\"$5\"}";

void remote_init(struct remote *remote, const struct host *host)
{
    *remote = (struct remote){.host = host, .ssh = CHILD_NONE};
}

/* One word for a shell. */
static void append_quoted(struct bytes *out, const char *text)
{
    bytes_append(out, " '", 2);
    for (; *text; text++)
        if (*text == '\'')
            bytes_append(out, "'\\''", 4);
        else
            bytes_append_byte(out, (uint8_t)*text);
    bytes_append_byte(out, '\'');
}

static void append_command(struct bytes *out, const struct remote *remote,
                           const struct remote_plan *plan)
{
    char processes[16] = "";

    if (remote->host->processes)
        snprintf(processes, sizeof processes, "%u", remote->host->processes);
    bytes_append(out, "exec sh -c", 10);
    append_quoted(out, SCRIPT);
    append_quoted(out, "sh");
    append_quoted(out, plan->program);
    append_quoted(out, plan->fallback);
    append_quoted(out, plan->address ? plan->address : "");
    append_quoted(out, plan->port);
    append_quoted(out, processes);
    append_quoted(out, plan->trace ? "-" : "");
    bytes_append_byte(out, 0);
}

static char **make_arguments(const struct remote *remote, const struct remote_plan *plan,
                             const struct bytes *command)
{
    size_t words = 0;
    char **arguments;

    while (plan->ssh[words])
        words++;
    arguments = memory_array(words + 3, sizeof *arguments);
    memcpy(arguments, plan->ssh, words * sizeof *arguments);
    arguments[words] = remote->host->name;
    arguments[words + 1] = (char *)command->data;
    return arguments;
}

void remote_start(struct remote *remote, const struct remote_plan *plan, int64_t now_ns)
{
    struct bytes command = {0};
    struct error error;
    char **arguments;

    append_command(&command, remote, plan);
    arguments = make_arguments(remote, plan, &command);
    remote->state = REMOTE_STARTING;
    remote->since_ns = now_ns;
    if (child_start(&remote->ssh, CHILD_PIPED, arguments, &error) != OK) {
        remote->state = REMOTE_ENDED;
        log_line(&plan->log, LOG_QUIET, "%s: not up: %s", remote->host->name, error.text);
    }
    memory_free(arguments);
    bytes_clear(&command);
}

/* A worker's own words are told from the greetings of a host. */
static const char *words_of_worker(const char *line)
{
    static const char PROGRAM[] = "sheaf-worker: ";

    return strncmp(line, PROGRAM, sizeof PROGRAM - 1) == 0 ? line + sizeof PROGRAM - 1 : NULL;
}

static void keep_said(struct remote *remote, const char *line)
{
    size_t length = strlen(line);

    if (length >= sizeof remote->said)
        length = sizeof remote->said - 1;
    for (size_t i = 0; i < length; i++)
        remote->said[i] = (unsigned char)line[i] >= ' ' ? line[i] : '?';
    remote->said[length] = 0;
}

struct hearing {
    struct remote *remote;
    const struct remote_plan *plan;
};

static void take_line(void *context, const char *line)
{
    struct remote *remote = ((struct hearing *)context)->remote;
    const struct remote_plan *plan = ((struct hearing *)context)->plan;
    const char *words = words_of_worker(line);

    if (plan->trace && strncmp(line, "trace ", 6) == 0) {
        fprintf(plan->trace, "%s\n", line);
        return;
    }
    if (!*line || remote->state == REMOTE_ENDED)
        return;
    keep_said(remote, words ? words : line);
    if (!words || strncmp(words, "connecting to ", 14) == 0)
        return;
    if (remote->state == REMOTE_STARTING && strncmp(words, "joined ", 7) == 0) {
        remote->state = REMOTE_JOINED;
        log_line(&plan->log, LOG_NORMAL, "%s: up", remote->host->name);
    } else {
        log_line(&plan->log, LOG_NORMAL, "%s: %s", remote->host->name, remote->said);
    }
}

static const char *reason(const struct remote *remote, int status)
{
    if (remote->said[0])
        return remote->said;
    return status == SSH_FAILED ? "ssh failed without a word" : "it ended without a word";
}

static void end(struct remote *remote, const struct remote_plan *plan, int status)
{
    if (remote->state != REMOTE_ENDED)
        log_line(&plan->log, LOG_QUIET, "%s: %s: %s (status %d)", remote->host->name,
                 remote->state == REMOTE_JOINED ? "gone" : "not up", reason(remote, status),
                 status);
    remote->state = REMOTE_ENDED;
    child_clear(&remote->ssh);
}

void remote_look(struct remote *remote, const struct remote_plan *plan)
{
    struct hearing hearing = {remote, plan};
    int status;
    bool has_ended = child_reap(&remote->ssh, &status);

    child_hear(&remote->ssh, take_line, &hearing);
    if (has_ended)
        end(remote, plan, status);
}

void remote_stop(struct remote *remote, const struct remote_plan *plan, const char *why)
{
    if (why && remote->state == REMOTE_STARTING)
        log_line(&plan->log, LOG_QUIET, "%s: not up: %s%s%s", remote->host->name, why,
                 remote->said[0] ? "; the last it said: " : "", remote->said);
    remote->state = REMOTE_ENDED;
    child_close_input(&remote->ssh);
}

void remote_clear(struct remote *remote)
{
    child_clear(&remote->ssh);
}
