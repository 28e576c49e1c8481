#include "hosts.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES_MAX = 65536 };

static const char BLANKS[] = " \t\r\n\v\f";

/* The next word of a line, ended by a zero byte; NULL when there is none. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, BLANKS);
    size_t length = strcspn(word, BLANKS);

    *line = word + length;
    if (**line)
        *(*line)++ = 0;
    return length ? word : NULL;
}

/* Why a line is not `host [processes]`, NULL when it is. */
static const char *parse_line(char *line, struct host *host)
{
    char *name = next_word(&line);
    char *count = next_word(&line);
    char *end;
    unsigned long long processes;

    if (name[0] == '-')
        return "a host's name does not begin with '-'";
    if (next_word(&line))
        return "expected a host and, after it, at most a number of processes";
    host->name = name;
    host->processes = 0;
    if (!count)
        return NULL;
    errno = 0;
    processes = strtoull(count, &end, 10);
    if (count[0] < '0' || count[0] > '9' || *end || errno || !processes ||
        processes > PROCESSES_MAX)
        return "the number of processes is a whole number from 1 to 65536";
    host->processes = (uint32_t)processes;
    return NULL;
}

static void add(struct hosts *hosts, const struct host *host)
{
    hosts->items = memory_grow(hosts->items, hosts->count + 1, sizeof *hosts->items);
    hosts->items[hosts->count++] =
        (struct host){.name = memory_text(host->name), .processes = host->processes};
}

static bool is_empty(const char *line)
{
    return line[strspn(line, BLANKS)] == 0;
}

static void read_lines(struct hosts *hosts, FILE *file, const char *path, const struct log *log)
{
    size_t room = 0;
    char *line = NULL;

    for (unsigned long number = 1; getline(&line, &room, file) >= 0; number++) {
        struct host host;
        const char *fault;

        line[strcspn(line, "#")] = 0;
        if (is_empty(line))
            continue;
        fault = parse_line(line, &host);
        if (fault)
            log_line(log, LOG_QUIET, "%s: line %lu: %s; this line is skipped", path, number, fault);
        else
            add(hosts, &host);
    }
    free(line);
}

int hosts_read(struct hosts *hosts, const char *path, const struct log *log, struct error *error)
{
    FILE *file = fopen(path, "re");
    bool has_failed;

    if (!file)
        return error_set_errno(error, ERROR_INPUT, errno, "%.200s: cannot be opened", path);
    errno = 0;
    read_lines(hosts, file, path, log);
    has_failed = ferror(file);
    fclose(file);
    if (has_failed)
        return error_set_errno(error, ERROR_INPUT, errno, "%.200s: cannot be read", path);
    if (!hosts->count)
        return error_set(error, ERROR_INPUT, "%.200s: names no host", path);
    return OK;
}

void hosts_clear(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        memory_free(hosts->items[i].name);
    memory_free(hosts->items);
    *hosts = (struct hosts){0};
}
