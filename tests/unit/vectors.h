/*
 * Vectors of an oracle: unit/vectors/NAME.py prints one case a line. What it printed for a fixed
 * seed is kept in NAME.txt; where python3 is present it is also asked for many more.
 */
#ifndef SHEAF_TESTS_VECTORS_H
#define SHEAF_TESTS_VECTORS_H

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_FAILURES_SHOWN = 10 };

/* Returns whether the line's expectation holds; `line` may be written to. */
typedef bool vectors_check(char *line);

static inline void vectors_run(FILE *file, vectors_check *check)
{
    char *line = NULL;
    size_t room = 0, lines = 0, failures = 0;

    for (; getline(&line, &room, file) > 0; lines++) {
        char *copy;

        line[strcspn(line, "\n")] = 0;
        copy = strdup(line);
        if (!check(line) && ++failures <= VECTORS_FAILURES_SHOWN)
            printf("\n    wrong: %.300s", copy);
        free(copy);
    }
    free(line);
    CU_ASSERT(lines > 0);
    CU_ASSERT_EQUAL(failures, 0);
}

static inline void vectors_recorded(const char *name, vectors_check *check)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "unit/vectors/%s.txt", name);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    vectors_run(file, check);
    fclose(file);
}

/* The oracle itself, for `seed` and about `count` cases. */
static inline void vectors_live(const char *name, unsigned seed, unsigned count,
                                vectors_check *check)
{
    char command[256];
    FILE *file;

    if (system("python3 -c '' 2>/dev/null")) {
        printf("\n    no python3: recorded vectors only");
        return;
    }
    snprintf(command, sizeof command, "python3 unit/vectors/%s.py %u %u", name, seed, count);
    file = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    vectors_run(file, check);
    CU_ASSERT_EQUAL(pclose(file), 0);
}

#endif
