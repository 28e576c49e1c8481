#include "keeper.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "keeper_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* One part in so many of the time may go to making and writing snapshots: of a processor's, and of
 * the disk's. */
enum { CPU_SHARE = 200, DISK_SHARE = 10 };

struct queued {
    struct queued *next;
    struct chunk packed; /* values … */
    struct saved *saved; /* … or a snapshot */
    int64_t taken_ns;    /* processor time that the loop took to make it */
};

struct keeper {
    struct keeper_file file; /* the thread's, once there is one */
    struct identity identity;
    struct saved resumed;
    struct chunk answers;
    int64_t every_ns;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards what follows, up to the descriptor */
    pthread_cond_t changed;
    struct queued *first, **last;
    bool has_ended;
    bool is_saving; /* a snapshot is queued or being written */
    int64_t due_ns; /* not before then the next one */
    struct keeper_state state;
    int event_fd;
};

int keeper_new(struct keeper **out, const char *path, int64_t every_ns, const struct job_spec *spec,
               struct error *error)
{
    struct keeper *keeper = memory_new(sizeof *keeper);
    int rc;

    *out = keeper;
    keeper->every_ns = every_ns;
    keeper->due_ns = clock_now_ns() + every_ns;
    keeper->last = &keeper->first;
    pthread_mutex_init(&keeper->mutex, NULL);
    pthread_cond_init(&keeper->changed, NULL);
    identity_of(&keeper->identity, spec);
    keeper->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = keeper_file_open(&keeper->file, path, error);
    if (rc == OK && keeper->event_fd < 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for the checkpoint");
    if (rc == OK)
        rc = keeper_file_read(&keeper->file, spec, &keeper->resumed, &keeper->answers, error);
    return rc;
}

static void drop(struct queued *queued)
{
    if (!queued)
        return;
    chunk_drop(&queued->packed);
    if (queued->saved)
        saved_clear(queued->saved);
    memory_free(queued->saved);
    memory_free(queued);
}

static void end_thread(struct keeper *keeper, bool drops)
{
    pthread_mutex_lock(&keeper->mutex);
    while (drops && keeper->first) {
        struct queued *queued = keeper->first;

        keeper->first = queued->next;
        drop(queued);
    }
    if (!keeper->first)
        keeper->last = &keeper->first;
    keeper->has_ended = true;
    pthread_cond_signal(&keeper->changed);
    pthread_mutex_unlock(&keeper->mutex);
    if (keeper->has_thread)
        pthread_join(keeper->thread, NULL);
    keeper->has_thread = false;
}

void keeper_free(struct keeper **out)
{
    struct keeper *keeper = *out;

    *out = NULL;
    if (!keeper)
        return;
    end_thread(keeper, true);
    keeper_file_close(&keeper->file);
    saved_clear(&keeper->resumed);
    chunk_drop(&keeper->answers);
    if (keeper->event_fd >= 0)
        close(keeper->event_fd);
    pthread_cond_destroy(&keeper->changed);
    pthread_mutex_destroy(&keeper->mutex);
    memory_free(keeper);
}

int keeper_fd(const struct keeper *keeper)
{
    return keeper->event_fd;
}

struct snapshot *keeper_resume(struct keeper *keeper)
{
    return keeper->file.has_saved ? &keeper->resumed.snapshot : NULL;
}

struct chunk keeper_answers(struct keeper *keeper)
{
    struct chunk answers = keeper->answers;

    keeper->answers = (struct chunk){0};
    return answers;
}

/* The next thing to write; sleeps until there is one. NULL: the end. */
static struct queued *take_next(struct keeper *keeper)
{
    struct queued *queued;

    pthread_mutex_lock(&keeper->mutex);
    while (!keeper->first && !keeper->has_ended)
        pthread_cond_wait(&keeper->changed, &keeper->mutex);
    queued = keeper->first;
    if (queued)
        keeper->first = queued->next;
    if (!keeper->first)
        keeper->last = &keeper->first;
    pthread_mutex_unlock(&keeper->mutex);
    return queued;
}

static int64_t cpu_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Returns 0 or errno. *pause_ns: so long the next snapshot shall wait. */
static int save(struct keeper *keeper, const struct queued *queued, int64_t *pause_ns)
{
    int64_t begin_ns = clock_now_ns();
    int64_t cpu_ns = cpu_now_ns();
    int errnum = keeper_file_save(&keeper->file, queued->saved);

    cpu_ns = cpu_now_ns() - cpu_ns + queued->taken_ns;
    *pause_ns = larger(keeper->every_ns, CPU_SHARE * cpu_ns);
    *pause_ns = larger(*pause_ns, DISK_SHARE * (clock_now_ns() - begin_ns));
    return errnum;
}

static void write_one(struct keeper *keeper, const struct queued *queued)
{
    int64_t pause_ns = 0;
    int errnum = queued->saved ? save(keeper, queued, &pause_ns)
                               : keeper_file_append(&keeper->file, &queued->packed);

    pthread_mutex_lock(&keeper->mutex);
    keeper->state.bytes += queued->packed.length;
    keeper->state.failure = errnum;
    keeper->state.path = keeper->file.failed;
    if (queued->saved) {
        keeper->is_saving = false;
        keeper->due_ns = clock_now_ns() + pause_ns;
    }
    pthread_mutex_unlock(&keeper->mutex);
    eventfd_write(keeper->event_fd, 1);
}

/* A file that reaches its largest size (ulimit -f) is a failure with a sentence, not an end. */
static void block_size_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *run(void *context)
{
    struct keeper *keeper = context;
    struct queued *queued;

    block_size_signal();
    while (!keeper->file.failed && (queued = take_next(keeper))) {
        write_one(keeper, queued);
        drop(queued);
    }
    return NULL;
}

static void put(struct keeper *keeper, struct queued *queued)
{
    pthread_mutex_lock(&keeper->mutex);
    *keeper->last = queued;
    keeper->last = &queued->next;
    keeper->is_saving |= queued->saved != NULL;
    pthread_cond_signal(&keeper->changed);
    pthread_mutex_unlock(&keeper->mutex);
    if (keeper->has_thread)
        return;
    keeper->has_thread = !pthread_create(&keeper->thread, NULL, run, keeper);
    if (keeper->has_thread)
        return;
    keeper->state.failure = EAGAIN;
    keeper->state.path = keeper->file.path;
    eventfd_write(keeper->event_fd, 1);
}

void keeper_values(struct keeper *keeper, const struct chunk *packed)
{
    struct queued *queued = memory_new(sizeof *queued);

    queued->packed = chunk_share(packed);
    put(keeper, queued);
}

static bool is_due(struct keeper *keeper)
{
    bool due;

    pthread_mutex_lock(&keeper->mutex);
    due = !keeper->is_saving && clock_now_ns() >= keeper->due_ns;
    pthread_mutex_unlock(&keeper->mutex);
    return due;
}

static void keep_now(struct keeper *keeper, struct node *node)
{
    struct queued *queued;
    struct snapshot snapshot;
    int64_t begin_ns = cpu_now_ns();

    if (!node_snapshot(node, &snapshot))
        return;
    queued = memory_new(sizeof *queued);
    queued->saved = memory_new(sizeof *queued->saved);
    queued->saved->identity = keeper->identity;
    queued->saved->snapshot = snapshot;
    queued->taken_ns = cpu_now_ns() - begin_ns;
    put(keeper, queued);
}

void keeper_keep(struct keeper *keeper, struct node *node)
{
    if (is_due(keeper))
        keep_now(keeper, node);
}

void keeper_finish(struct keeper *keeper, struct node *node)
{
    keep_now(keeper, node);
    end_thread(keeper, false);
}

void keeper_remove(struct keeper *keeper)
{
    end_thread(keeper, true);
    keeper_file_remove(&keeper->file);
}

void keeper_look(struct keeper *keeper, struct keeper_state *state)
{
    eventfd_t ignored;

    eventfd_read(keeper->event_fd, &ignored);
    pthread_mutex_lock(&keeper->mutex);
    *state = keeper->state;
    keeper->state.bytes = 0;
    pthread_mutex_unlock(&keeper->mutex);
}
