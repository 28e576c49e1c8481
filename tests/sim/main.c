/*
 * sheaf-sim: run worlds from seeds.
 *
 * Worlds run in a child process, so that a failed assertion in a node is a failing seed like any
 * other: the parent sees which seed it was in shared memory, reports it and goes on behind it.
 */
#include "swarm.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TWICE_EVERY = 16 };

struct options {
    uint64_t first, last;
    struct swarm_filter filter;
    bool is_traced, expects_failure, is_quiet;
    const char *program;
};

/* What the child tells the parent. */
struct shared {
    uint64_t seed; /* the one under way */
    uint64_t happenings, messages, virtual_ns;
    uint32_t classes;
    char failure[512];
};

static void run_one(struct shared *shared, const struct options *options, uint64_t seed)
{
    struct world_report report;
    struct world_report again;

    shared->seed = seed;
    world_run(seed, options->filter, options->is_traced, &report);
    shared->happenings += report.happenings;
    shared->messages += report.messages;
    shared->virtual_ns += (uint64_t)report.virtual_ns;
    shared->classes = report.classes;
    memcpy(shared->failure, report.failure, sizeof shared->failure);
    if (report.failure[0] || seed % TWICE_EVERY)
        return;
    world_run(seed, options->filter, false, &again);
    if (again.hash != report.hash)
        snprintf(shared->failure, sizeof shared->failure, "two runs of the seed differ");
}

/* Run seeds until one fails; the child's whole life. */
static void run_all(struct shared *shared, const struct options *options, uint64_t first)
{
    for (uint64_t seed = first; seed <= options->last && !shared->failure[0]; seed++)
        run_one(shared, options, seed);
}

/* Returns whether all seeds from `first` on passed; else shared->seed is the failing one. */
static bool run_child(struct shared *shared, const struct options *options, uint64_t first)
{
    struct swarm swarm;
    int status;
    pid_t child;

    shared->failure[0] = 0;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        run_all(shared, options, first);
        fflush(stdout);
        _exit(shared->failure[0] ? 1 : 0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    swarm_draw(&swarm, shared->seed, options->filter);
    shared->classes = swarm.classes;
    if (WIFSIGNALED(status))
        snprintf(shared->failure, sizeof shared->failure, "signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (!shared->failure[0])
        snprintf(shared->failure, sizeof shared->failure, "exit status %d", WEXITSTATUS(status));
    return false;
}

static void print_classes(uint32_t classes)
{
    for (unsigned class = 0; class < SWARM_CLASSES; class ++)
        if (classes >> class & 1)
            printf(" %s", swarm_class_name(class));
}

static void print_option(const char *option, uint32_t classes)
{
    const char *separator = " ";

    if (classes)
        printf(" %s", option);
    for (unsigned class = 0; class < SWARM_CLASSES; class ++)
        if (classes >> class & 1) {
            printf("%s%s", separator, swarm_class_name(class));
            separator = ",";
        }
}

/* Which classes of fault can go, and the seed fails all the same? */
static uint32_t shrink(struct shared *shared, const struct options *options, uint64_t seed)
{
    struct options one = {.first = seed, .last = seed, .filter = options->filter};
    uint32_t classes = shared->classes;
    uint32_t needless = options->filter.off;

    freopen("/dev/null", "w", stderr);
    for (unsigned class = 0; class < SWARM_CLASSES; class ++) {
        if (!(classes >> class & 1))
            continue;
        one.filter.off = needless | UINT32_C(1) << class;
        if (!run_child(shared, &one, seed))
            needless = one.filter.off;
    }
    return needless;
}

static void report_failure(struct shared *shared, const struct options *options)
{
    uint64_t seed = shared->seed;
    uint32_t classes = shared->classes;
    uint32_t needless;

    printf("seed %llu FAILED: %s\n  faults:", (unsigned long long)seed, shared->failure);
    print_classes(classes);
    needless = shrink(shared, options, seed);
    printf("\n  still fails without:");
    print_classes(classes & needless);
    printf("\n  replay: %s --seed %llu --trace", options->program, (unsigned long long)seed);
    print_option("--with", options->filter.on);
    print_option("--without", needless);
    printf("\n");
    fflush(stdout);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_range(struct shared *shared, const struct options *options)
{
    double begin = seconds_now();
    uint64_t failures = 0;
    uint64_t next = options->first;

    while (next <= options->last && !run_child(shared, options, next)) {
        failures++;
        next = shared->seed + 1;
        if (options->expects_failure) {
            printf("found by seed %llu: %s\n", (unsigned long long)shared->seed, shared->failure);
            return 0;
        }
        if (!options->is_traced)
            report_failure(shared, options);
        else
            printf("seed %llu FAILED: %s\n", (unsigned long long)shared->seed, shared->failure);
    }
    double seconds = seconds_now() - begin;
    double seeds = (double)(options->last - options->first + 1);

    printf(
        "%.0f seeds, %llu failed, %.0f seeds/minute, %.1f million messages, %.0f virtual seconds "
        "in %.1f\n",
        seeds, (unsigned long long)failures, seeds / seconds * 60, (double)shared->messages / 1e6,
        (double)shared->virtual_ns / 1e9, seconds);
    if (options->expects_failure) {
        printf("the planted fault was not found\n");
        return 1;
    }
    return failures ? 1 : 0;
}

static bool parse_classes(const char *text, uint32_t *classes)
{
    char name[32];
    int length;

    while (sscanf(text, "%31[^,]%n", name, &length) == 1) {
        if (!swarm_class_bit(name))
            return false;
        *classes |= swarm_class_bit(name);
        text += length + (text[length] == ',');
    }
    return !*text;
}

/* A number, classes that the world has beside those of the seed, and why it is kept. */
static bool parse_line(const char *line, struct options *options)
{
    char classes[64];
    int count;

    options->filter = (struct swarm_filter){0};
    options->first = options->last = strtoull(line, NULL, 10);
    count = sscanf(line, "%*u with %63s", classes);
    return count != 1 || parse_classes(classes, &options->filter.on);
}

/* Seeds that once failed, one a line. */
static int run_file(struct shared *shared, struct options *options, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[256];
    int status = 0;

    if (!file) {
        perror(path);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        if (line[0] < '0' || line[0] > '9')
            continue;
        if (!parse_line(line, options)) {
            status = 2;
            break;
        }
        status |= run_range(shared, options);
    }
    fclose(file);
    return status;
}

static int usage(void)
{
    fprintf(stderr, "usage: sheaf-sim --seeds A..B | --seed N | --file SEEDS\n"
                    "       [--trace] [--with CLASSES] [--without CLASSES] [--expect-failure]\n"
                    "CLASSES are names with commas between them:");
    for (unsigned class = 0; class < SWARM_CLASSES; class ++)
        fprintf(stderr, " %s", swarm_class_name(class));
    fputc('\n', stderr);
    return 2;
}

static bool parse_seeds(const char *text, struct options *options)
{
    char *end;

    options->first = strtoull(text, &end, 10);
    options->last = options->first;
    if (strncmp(end, "..", 2) == 0)
        options->last = strtoull(end + 2, &end, 10);
    return !*end && options->first <= options->last;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 0, .program = argv[0]};
    const char *path = NULL;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return 2;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (!strcmp(argv[i], "--seeds") || !strcmp(argv[i], "--seed")) {
            if (!parse_seeds(value, &options))
                return usage();
            i++;
        } else if (!strcmp(argv[i], "--without") || !strcmp(argv[i], "--with")) {
            if (!parse_classes(value, argv[i][6] ? &options.filter.off : &options.filter.on))
                return usage();
            i++;
        } else if (!strcmp(argv[i], "--file")) {
            path = value;
            i++;
        } else if (!strcmp(argv[i], "--trace")) {
            options.is_traced = true;
        } else if (!strcmp(argv[i], "--expect-failure")) {
            options.expects_failure = true;
        } else {
            return usage();
        }
    }
    if (path)
        return run_file(shared, &options, path);
    return options.last ? run_range(shared, &options) : usage();
}
