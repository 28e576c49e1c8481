#include "print.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/stdio.h"
#include "render.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What waits, oldest first. */
struct queued {
    struct queued *next;
    struct chunk packed;
};

struct print {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards what follows, up to the render */
    pthread_cond_t changed;
    struct queued *first, **last;
    bool has_ended, is_whole;
    struct print_state state;
    int event_fd;
    struct render render;   /* the thread's */
    struct queued *current; /* the thread's: what it renders */
    int failure;            /* the thread's: errno of its write */
};

/* The one place where the thread may be ended from outside: it holds nothing there. */
static ssize_t write_some(const char *data, size_t length)
{
    ssize_t written;
    int errnum;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    written = stdio_write_some(STDOUT_FILENO, data, length);
    errnum = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    errno = errnum;
    return written;
}

static bool write_all(void *context, const void *data, size_t length)
{
    struct print *print = context;
    const char *at = data;

    while (length) {
        ssize_t written = write_some(at, length);

        if (written < 0) {
            print->failure = errno;
            return false;
        }
        at += written;
        length -= (size_t)written;
    }
    return true;
}

int print_new(struct print **out, bool is_json, struct error *error)
{
    struct print *print = memory_new(sizeof *print);

    *out = print;
    pthread_mutex_init(&print->mutex, NULL);
    pthread_cond_init(&print->changed, NULL);
    print->last = &print->first;
    render_init(&print->render, is_json, write_all, print);
    print->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (print->event_fd < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for the output");
    return OK;
}

static void drop(struct queued *queued)
{
    if (queued)
        chunk_drop(&queued->packed);
    memory_free(queued);
}

static void drop_queue(struct print *print)
{
    while (print->first) {
        struct queued *queued = print->first;

        print->first = queued->next;
        drop(queued);
    }
    print->last = &print->first;
    drop(print->current);
}

void print_free(struct print **out)
{
    struct print *print = *out;

    *out = NULL;
    if (!print)
        return;
    if (print->has_thread) {
        print_end(print, false);
        pthread_cancel(print->thread);
        pthread_join(print->thread, NULL);
    }
    drop_queue(print);
    render_clear(&print->render);
    if (print->event_fd >= 0)
        close(print->event_fd);
    pthread_cond_destroy(&print->changed);
    pthread_mutex_destroy(&print->mutex);
    memory_free(print);
}

int print_fd(const struct print *print)
{
    return print->event_fd;
}

/* The next chunk; sleeps until there is one. NULL: the end, or a write has failed meanwhile. */
static struct queued *take_next(struct print *print)
{
    struct queued *queued;

    pthread_mutex_lock(&print->mutex);
    if (!print->first && !print->has_ended) {
        /* What is rendered may wait in the block only while more is on its way. */
        pthread_mutex_unlock(&print->mutex);
        if (!render_flush(&print->render))
            return NULL;
        pthread_mutex_lock(&print->mutex);
    }
    while (!print->first && !print->has_ended)
        pthread_cond_wait(&print->changed, &print->mutex);
    queued = print->first;
    if (queued)
        print->first = queued->next;
    if (!print->first)
        print->last = &print->first;
    pthread_mutex_unlock(&print->mutex);
    return queued;
}

static void acknowledge(struct print *print, uint64_t bytes, bool is_done, int64_t busy_ns)
{
    pthread_mutex_lock(&print->mutex);
    print->state.bytes += bytes;
    print->state.is_done = is_done;
    print->state.failure = print->failure;
    print->state.busy_ns += busy_ns;
    pthread_mutex_unlock(&print->mutex);
    eventfd_write(print->event_fd, 1);
}

static void *run(void *context)
{
    struct print *print = context;
    int64_t begin_ns;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    while (!print->failure && (print->current = take_next(print))) {
        begin_ns = clock_now_ns();
        render_values(&print->render, &print->current->packed);
        acknowledge(print, print->current->packed.length, false, clock_now_ns() - begin_ns);
        drop(print->current);
        print->current = NULL;
    }
    begin_ns = clock_now_ns();
    if (!print->failure)
        render_end(&print->render, print->is_whole);
    acknowledge(print, 0, true, clock_now_ns() - begin_ns);
    return NULL;
}

static void ensure_thread(struct print *print)
{
    if (!print->has_thread)
        print->has_thread = !pthread_create(&print->thread, NULL, run, print);
    if (!print->has_thread)
        print->state = (struct print_state){.is_done = true, .failure = EAGAIN};
}

void print_values(struct print *print, struct chunk *packed)
{
    struct queued *queued = memory_new(sizeof *queued);

    queued->packed = *packed;
    *packed = (struct chunk){0};
    pthread_mutex_lock(&print->mutex);
    *print->last = queued;
    print->last = &queued->next;
    pthread_cond_signal(&print->changed);
    pthread_mutex_unlock(&print->mutex);
    ensure_thread(print);
}

void print_end(struct print *print, bool is_whole)
{
    pthread_mutex_lock(&print->mutex);
    if (!print->has_ended)
        print->is_whole = is_whole;
    print->has_ended = true;
    pthread_cond_signal(&print->changed);
    pthread_mutex_unlock(&print->mutex);
    ensure_thread(print);
}

void print_look(struct print *print, struct print_state *state)
{
    eventfd_t ignored;

    eventfd_read(print->event_fd, &ignored);
    pthread_mutex_lock(&print->mutex);
    *state = print->state;
    print->state.bytes = 0;
    pthread_mutex_unlock(&print->mutex);
}
