/* `sheaf status`: asks a coordinator once, and shows its workers and jobs. */
#include "cli.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/plain.h"
#include "base/stdio.h"
#include "link/link_zmq.h"
#include "link/self.h"

#include <cjson/cJSON.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_GIVE_UP_NS (5 * NS_PER_S)
#define LOOK_AGAIN_NS (500 * NS_PER_MS)

struct status_options {
    const char *farm;
    const char *worker;
    uint32_t output; /* 0 text, 1 json */
    int64_t give_up_ns;
    bool help, version;
};

#define FIELD(name) offsetof(struct status_options, name)

static const struct option OPTIONS[] = {
    {"farm", 0, OPTION_TEXT, FIELD(farm), "URL", "the coordinator (SHEAF_FARM)", 0},
    {"worker", 0, OPTION_TEXT, FIELD(worker), "HOST",
     "only the workers of this host; status 1 when there is none", 0},
    {"output", 0, OPTION_CHOICE, FIELD(output), "text|json", "tables, or an object", 0},
    {"give-up", 0, OPTION_SECONDS, FIELD(give_up_ns), "SECONDS",
     "wait this long for the answer (5; 0: for ever)", 0},
    {"help", 'h', OPTION_FLAG, FIELD(help), NULL, "show this text", 0},
    {"version", 0, OPTION_FLAG, FIELD(version), NULL, "show the version", 0},
};

static const struct command COMMAND = {
    .name = "sheaf status",
    .operands = "",
    .about = "Show a farm's workers and jobs, or whether a host works for it.",
    .more = "Examples:\n"
            "  sheaf status --farm tcp://127.0.0.1:7400\n"
            "  sheaf status --farm tcp://127.0.0.1:7400 --output json\n"
            "  sheaf status --farm tcp://127.0.0.1:7400 --worker $(hostname)\n"
            "\n"
            "A rate is in bytes of input a second. Exit status: 0 answered, 1 that host has no "
            "worker,\n"
            "2 wrong usage, 3 no coordinator answers, 128 + N after signal N, 141 when the reader "
            "of\n"
            "standard output closed it early.\n",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS};

static void ask(struct link *link, link_peer peer)
{
    struct message messages[2] = {{.type = MESSAGE_HELLO}, {.type = MESSAGE_ASK_STATUS}};
    struct node_options self;

    self_describe(&self);
    messages[0].hello.version = PROTOCOL_VERSION;
    messages[0].hello.role = ROLE_OBSERVER;
    messages[0].hello.pid = self.pid;
    messages[0].hello.session = self.seed;
    memcpy(messages[0].hello.host, self.host, sizeof self.host);
    link->ops->send(link, peer, messages, 2);
    link->ops->flush(link);
}

/* One event. true: it was the answer, and *json is its text. */
static bool take(struct link *link, struct link_event *event, struct chunk *json,
                 struct error *error)
{
    bool is_answer = false;

    if (event->type == LINK_CONNECTED)
        ask(link, event->peer);
    if (event->type != LINK_MESSAGE)
        return false;
    if (event->message.type == MESSAGE_STATUS) {
        *json = chunk_share(&event->message.payload);
        is_answer = true;
    }
    if (event->message.type == MESSAGE_REFUSED) {
        error_set(error, ERROR_FARM, "the coordinator refused: %s", event->message.refused.text);
        is_answer = true;
    }
    message_clear(&event->message);
    return is_answer;
}

static bool drain(struct link *link, struct chunk *json, struct error *error)
{
    struct link_event event = {0};

    while (link->ops->receive(link, &event) != LINK_NOTHING) {
        if (take(link, &event, json, error))
            return true;
        event = (struct link_event){0};
    }
    return false;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void sleep_until_ready(struct link *link, int64_t until_ns)
{
    struct pollfd fd = {.fd = link->ops->fd(link), .events = POLLIN};
    int64_t now_ns = clock_now_ns();
    int64_t wake_ns = least(until_ns, least(link->ops->deadline(link), now_ns + LOOK_AGAIN_NS));

    /* Interrupted is as good as ready. */
    poll(&fd, 1, wake_ns > now_ns ? (int)((wake_ns - now_ns) / NS_PER_MS) + 1 : 0);
}

static int fetch(const struct status_options *options, struct chunk *json, struct error *error)
{
    int64_t end_ns = options->give_up_ns ? clock_now_ns() + options->give_up_ns : INT64_MAX;
    struct link *link = NULL;
    int rc = link_zmq_connect(&link, options->farm, error);

    if (rc != OK)
        return rc;
    error->code = OK;
    while (!drain(link, json, error)) {
        if (clock_now_ns() >= end_ns) {
            error_set(error, ERROR_FARM, "%s: no coordinator answers (waited %g s)", options->farm,
                      (double)options->give_up_ns / (double)NS_PER_S);
            break;
        }
        link->ops->flush(link);
        sleep_until_ready(link, end_ns);
    }
    link->ops->close(&link, 0);
    return (int)error->code;
}

enum { COLUMNS_MAX = 7, CELL_BYTES = 64 };

struct table {
    const char *key; /* in the object, and the heading */
    const char *columns[COLUMNS_MAX + 1];
    const char *none;
};

static const struct table TABLES[] = {
    {"workers", {"host", "pid", "slots", "running", "done", "rate", "state"}, "no workers"},
    {"jobs", {"op", "progress", "state"}, "no jobs"},
};

static void write_cell(char cell[CELL_BYTES], const char *column, const cJSON *value)
{
    if (cJSON_IsString(value))
        cell[plain_text(cell, CELL_BYTES - 1, value->valuestring, strlen(value->valuestring))] = 0;
    else if (cJSON_IsNumber(value) && !strcmp(column, "progress"))
        snprintf(cell, CELL_BYTES, "%.0f%%", value->valuedouble * 100);
    else if (cJSON_IsNumber(value))
        snprintf(cell, CELL_BYTES, "%.0f", value->valuedouble);
    else
        snprintf(cell, CELL_BYTES, "-");
}

static size_t column_width(const struct table *table, size_t column, const cJSON *rows)
{
    size_t width = strlen(table->columns[column]);
    const cJSON *row;
    char cell[CELL_BYTES];

    cJSON_ArrayForEach(row, rows)
    {
        write_cell(cell, table->columns[column],
                   cJSON_GetObjectItemCaseSensitive(row, table->columns[column]));
        width = strlen(cell) > width ? strlen(cell) : width;
    }
    return width;
}

static void print_row(FILE *out, const struct table *table, const size_t *widths, const cJSON *row)
{
    for (size_t i = 0; table->columns[i]; i++) {
        const char *column = table->columns[i];
        char cell[CELL_BYTES];

        if (row)
            write_cell(cell, column, cJSON_GetObjectItemCaseSensitive(row, column));
        else
            snprintf(cell, sizeof cell, "%s", column);
        if (table->columns[i + 1])
            fprintf(out, "%-*s  ", (int)widths[i], cell);
        else
            fprintf(out, "%s\n", cell);
    }
}

static void print_table(FILE *out, const struct table *table, const cJSON *rows)
{
    size_t widths[COLUMNS_MAX] = {0};
    const cJSON *row;

    if (!cJSON_GetArraySize(rows)) {
        fprintf(out, "%s\n", table->none);
        return;
    }
    for (size_t i = 0; table->columns[i]; i++)
        widths[i] = column_width(table, i, rows);
    print_row(out, table, widths, NULL);
    cJSON_ArrayForEach(row, rows)
    {
        print_row(out, table, widths, row);
    }
}

/* Leave only the workers of one host. */
static void keep_host(cJSON *workers, const char *host)
{
    for (int i = cJSON_GetArraySize(workers) - 1; i >= 0; i--) {
        const cJSON *row = cJSON_GetArrayItem(workers, i);
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "host"));

        if (!name || strcmp(name, host) != 0)
            cJSON_DeleteItemFromArray(workers, i);
    }
}

static void print_status(FILE *out, const struct status_options *options, const cJSON *status)
{
    /* Of one host, its workers and nothing else. */
    size_t tables = options->worker ? 1 : sizeof TABLES / sizeof *TABLES;
    char *text;

    if (options->output == 1) {
        text = cJSON_PrintUnformatted(status);
        fprintf(out, "%s\n", text);
        cJSON_free(text);
        return;
    }
    for (size_t i = 0; i < tables; i++) {
        fprintf(out, "%s", i ? "\n" : "");
        print_table(out, &TABLES[i], cJSON_GetObjectItemCaseSensitive(status, TABLES[i].key));
    }
}

static int put_status(const struct status_options *options, const cJSON *status,
                      struct error *error)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    int rc;

    if (!out)
        return error_set(error, ERROR_MEMORY, "out of memory");
    print_status(out, options, status);
    rc = fclose(out) ? error_set(error, ERROR_MEMORY, "out of memory")
                     : stdio_put(text, length, error);
    free(text);
    return rc;
}

static int show(const struct status_options *options, const struct chunk *json, struct error *error)
{
    cJSON *status = cJSON_ParseWithLength((const char *)json->data, json->length);
    cJSON *workers = cJSON_GetObjectItemCaseSensitive(status, "workers");
    int rc = OK;

    if (!cJSON_IsArray(workers))
        rc = error_set(error, ERROR_FARM, "%s: the answer is not a status", options->farm);
    if (rc == OK && options->worker)
        keep_host(workers, options->worker);
    if (rc == OK && options->worker && !cJSON_GetArraySize(workers))
        rc = error_set(error, ERROR_FAILED, "%s: no worker of host '%.80s' has joined",
                       options->farm, options->worker);
    if (rc == OK)
        rc = put_status(options, status, error);
    cJSON_Delete(status);
    return rc;
}

static int check(struct status_options *options, const struct texts *operands, struct error *error)
{
    if (!options->farm)
        options->farm = getenv("SHEAF_FARM");
    if (operands->count)
        return error_set(error, ERROR_USAGE,
                         "'%.40s': status takes options only (see sheaf status --help)",
                         operands->items[0]);
    if (!options->farm || !*options->farm)
        return error_set(error, ERROR_USAGE,
                         "which farm? --farm URL, such as tcp://127.0.0.1:7400");
    return OK;
}

static int run(struct status_options *options, const struct texts *operands)
{
    struct chunk json = {0};
    struct error error = {0};
    int rc = check(options, operands, &error);

    if (rc == OK)
        rc = fetch(options, &json, &error);
    if (rc == OK)
        rc = show(options, &json, &error);
    chunk_drop(&json);
    return rc == OK ? 0 : cli_fail(&error);
}

int cli_status(int argc, char *const *argv)
{
    struct status_options options = {.give_up_ns = STATUS_GIVE_UP_NS};
    struct texts operands = {0};
    struct error error;
    int rc = options_parse(&COMMAND, argc, argv, &options, &operands, &error);
    int status;

    if (rc != OK)
        status = cli_fail(&error);
    else if (options.help)
        status = cli_help(&COMMAND);
    else if (options.version)
        status = cli_version();
    else
        status = run(&options, &operands);
    texts_clear(&operands);
    return status;
}
