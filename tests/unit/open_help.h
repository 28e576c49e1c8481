/* What the tests of sources_open() share: opening, files of their own, a pipe that is fed. */
#ifndef SHEAF_TESTS_OPEN_HELP_H
#define SHEAF_TESTS_OPEN_HELP_H

#include "source/open.h"
#include "unit.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 6 };

struct opened {
    struct job_spec spec;
    int *streams;
    struct error error;
    int rc;
};

static inline struct opened open_with(const struct source_options *options,
                                      const char *const *arguments)
{
    struct opened opened = {.spec = {.op = OP_SUM}};
    char *copies[ARGUMENTS_MAX] = {0};
    int count = 0;

    for (; count < ARGUMENTS_MAX && arguments[count]; count++)
        copies[count] = memory_text(arguments[count]);
    opened.rc = sources_open(&opened.spec, &opened.streams, copies, count, options, &opened.error);
    for (int i = 0; i < count; i++)
        memory_free(copies[i]);
    return opened;
}

static inline struct opened open_one(const char *argument)
{
    return open_with(&(struct source_options){0}, (const char *const[]){argument, NULL});
}

static inline void opened_clear(struct opened *opened)
{
    for (uint32_t i = 0; i < opened->spec.source_count; i++)
        if (opened->streams[i] >= 0)
            close(opened->streams[i]);
    memory_free(opened->streams);
    job_spec_clear(&opened->spec);
}

static inline void check_refused(struct opened opened, const char *what, const char *sentence)
{
    CU_ASSERT_NOT_EQUAL(opened.rc, OK);
    CU_ASSERT_PTR_NULL(opened.streams);
    CU_ASSERT_EQUAL(opened.spec.source_count, 0);
    if (opened.rc == OK) {
        printf("\n%s was accepted\n", what);
        opened_clear(&opened);
        return;
    }
    CU_ASSERT_EQUAL(error_exit_status(opened.error.code), 2);
    if (!strstr(opened.error.text, sentence))
        printf("\n%s: '%s' does not say '%s'\n", what, opened.error.text, sentence);
    CU_ASSERT_PTR_NOT_NULL(strstr(opened.error.text, sentence));
}

/* A folder of its own for the files of one case. */
struct folder {
    char path[64];
};

static inline void folder_new(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/sheaf-open-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder->path));
}

static inline char *folder_file(const struct folder *folder, const char *name, const void *data,
                                size_t length)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, length, file), length);
    fclose(file);
    return memory_text(path);
}

static inline void remove_file(char *path)
{
    unlink(path);
    memory_free(path);
}

/* A pipe's reading end as a path, its bytes written one by one, so that nobody reads too far. */
struct feeder {
    char path[32];
    int fd;
    pid_t pid;
};

static inline void feeder_start(struct feeder *feeder, const void *data, size_t length)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    feeder->pid = fork();
    if (feeder->pid == 0) {
        close(ends[0]);
        for (size_t i = 0; i < length; i++)
            if (write(ends[1], (const char *)data + i, 1) != 1)
                break;
        _exit(0);
    }
    close(ends[1]);
    feeder->fd = ends[0];
    snprintf(feeder->path, sizeof feeder->path, "/dev/fd/%d", ends[0]);
}

static inline void feeder_stop(struct feeder *feeder)
{
    close(feeder->fd);
    waitpid(feeder->pid, NULL, 0);
}

#endif
