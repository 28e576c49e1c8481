#include "feed.h"

#include "base/memory.h"
#include "source/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TORN = -1,         /* in place of an errno: the input ends inside an element, or too early */
    LONG = -2,         /* … or goes on behind the last element that was promised */
    SLACK_BEFORE = 32, /* folding may read this far around the bytes (source/fold.h) */
    SLACK_AFTER = 64,
    GATHER_MS = 2, /* a pipe that goes on filling is given this long for a fuller slice */
    PIPE_BYTES = 1 << 20,
    PIECE_BYTES_MAX = 1 << 23 /* one answer; the rest of a request is answered by the next ones */
};

/* A request on its way in, an answer on its way out. */
struct order {
    struct order *next;
    uint32_t source;
    uint64_t unit, units;
    struct chunk bytes;
    bool end, changed;
    char failure[128];
};

struct orders {
    struct order *first, **last;
};

struct feed {
    const struct job_spec *spec;
    const int *streams;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards what follows, up to the descriptors */
    pthread_cond_t changed;
    struct orders asked, answered;
    bool is_stopped;
    uint64_t *bytes;              /* by source, owned */
    int *failures;                /* by source, owned; the thread's: for the next request */
    int event_fd;                 /* an answer is there */
    int stop_fd;                  /* ends a wait for a pipe */
    struct source_reader *reader; /* the thread's: the file read last */
    uint32_t reader_source;
};

static void orders_put(struct orders *orders, struct order *order)
{
    order->next = NULL;
    *orders->last = order;
    orders->last = &order->next;
}

static struct order *orders_take(struct orders *orders)
{
    struct order *order = orders->first;

    if (order)
        orders->first = order->next;
    if (!orders->first)
        orders->last = &orders->first;
    return order;
}

static void orders_clear(struct orders *orders)
{
    struct order *order;

    while ((order = orders_take(orders))) {
        chunk_drop(&order->bytes);
        memory_free(order);
    }
}

/* A larger pipe costs its writer fewer naps; when the system refuses, the usual one does as well.
 */
static void widen_pipes(const struct feed *feed)
{
    for (uint32_t i = 0; i < feed->spec->source_count; i++)
        if (feed->streams && feed->streams[i] >= 0)
            fcntl(feed->streams[i], F_SETPIPE_SZ, PIPE_BYTES);
}

int feed_new(struct feed **out, const struct job_spec *spec, const int *streams,
             struct error *error)
{
    struct feed *feed = memory_new(sizeof *feed);

    *out = feed;
    feed->spec = spec;
    feed->streams = streams;
    feed->bytes = memory_array(spec->source_count, sizeof *feed->bytes);
    feed->failures = memory_array(spec->source_count, sizeof *feed->failures);
    feed->asked.last = &feed->asked.first;
    feed->answered.last = &feed->answered.first;
    pthread_mutex_init(&feed->mutex, NULL);
    pthread_cond_init(&feed->changed, NULL);
    feed->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (feed->event_fd < 0 || feed->stop_fd < 0)
        return error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for the input");
    widen_pipes(feed);
    return OK;
}

static void stop_thread(struct feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    feed->is_stopped = true;
    pthread_cond_signal(&feed->changed);
    pthread_mutex_unlock(&feed->mutex);
    eventfd_write(feed->stop_fd, 1);
    pthread_join(feed->thread, NULL);
}

void feed_free(struct feed **out)
{
    struct feed *feed = *out;

    *out = NULL;
    if (!feed)
        return;
    if (feed->has_thread)
        stop_thread(feed);
    orders_clear(&feed->asked);
    orders_clear(&feed->answered);
    reader_free(&feed->reader);
    memory_free(feed->bytes);
    memory_free(feed->failures);
    if (feed->event_fd >= 0)
        close(feed->event_fd);
    if (feed->stop_fd >= 0)
        close(feed->stop_fd);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->mutex);
    memory_free(feed);
}

int feed_fd(const struct feed *feed)
{
    return feed->event_fd;
}

/* Sleep until the stream has something. false: nothing came in time, or the feed is stopped. */
static bool wait_for_stream(const struct feed *feed, int stream, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = stream, .events = POLLIN},
                           {.fd = feed->stop_fd, .events = POLLIN}};
    int ready;

    do
        ready = poll(fds, 2, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && !fds[1].revents;
}

static void fail(struct order *order, int errnum)
{
    snprintf(order->failure, sizeof order->failure, "%s",
             errnum == TORN   ? "the input ends too early"
             : errnum == LONG ? "bytes follow the last promised element"
                              : strerror(errnum));
}

/*
 * Up to `wanted` bytes. A stream without a known end returns early when the pipe is empty for a
 * moment and what is there are whole units, so that slow input is worked on as it comes.
 */
static size_t read_stream(const struct feed *feed, struct order *order, uint8_t *data,
                          size_t wanted)
{
    const struct source *source = &feed->spec->sources[order->source];
    int stream = feed->streams[order->source];
    bool may_be_short = source->units == SOURCE_UNITS_UNKNOWN;
    size_t got = 0;

    while (got < wanted) {
        bool has_units = may_be_short && got && got % source_unit_bytes(source) == 0;
        ssize_t n;

        if (!wait_for_stream(feed, stream, has_units ? GATHER_MS : -1))
            break;
        n = read(stream, data + got, wanted - got);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            feed->failures[order->source] = errno;
        order->end = n == 0;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

/*
 * Whole units before a failure are an answer of their own, so that the place of the failure does
 * not depend on how the bytes came.
 */
static void check_end(const struct feed *feed, struct order *order, size_t got, size_t unit_bytes)
{
    const struct source *source = &feed->spec->sources[order->source];
    uint64_t end = order->unit + got / unit_bytes;
    bool is_known = source->units != SOURCE_UNITS_UNKNOWN;
    int *failure = &feed->failures[order->source];

    if (order->end && (got % unit_bytes || (is_known && end < source->units)))
        *failure = TORN;
    if (*failure)
        order->end = false;
    if (*failure && got < unit_bytes)
        fail(order, *failure);
    if (is_known && end >= source->units)
        order->end = true;
}

/* Behind the last element that a header promised. Waits for the stream's end, as for a file's. */
static bool goes_on(const struct feed *feed, const struct order *order)
{
    int stream = feed->streams[order->source];
    uint8_t byte;
    ssize_t n;

    do {
        if (!wait_for_stream(feed, stream, -1))
            return false;
        n = read(stream, &byte, 1);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    return n > 0;
}

static void answer_from_stream(const struct feed *feed, struct order *order)
{
    const struct source *source = &feed->spec->sources[order->source];
    size_t unit_bytes = source_unit_bytes(source);
    size_t wanted = (size_t)(order->units * unit_bytes);
    struct bytes room = {0};
    size_t got;

    bytes_reserve(&room, SLACK_BEFORE + wanted + SLACK_AFTER);
    /* Earlier answers may have been shorter than what was asked for. */
    order->unit = feed->bytes[order->source] / unit_bytes;
    got = feed->failures[order->source]
              ? 0
              : read_stream(feed, order, room.data + SLACK_BEFORE, wanted);
    if (source->units != SOURCE_UNITS_UNKNOWN && order->unit + got / unit_bytes == source->units &&
        goes_on(feed, order)) {
        feed->failures[order->source] = LONG;
        got = 0;
    }
    check_end(feed, order, got, unit_bytes);
    order->units = got / unit_bytes;
    room.length = SLACK_BEFORE + got - got % unit_bytes;
    order->bytes = chunk_take(&room);
    order->bytes.data += SLACK_BEFORE;
    order->bytes.length -= SLACK_BEFORE;
}

static int reader_for(struct feed *feed, uint32_t source, struct error *error)
{
    if (feed->reader && feed->reader_source == source)
        return READER_OK;
    reader_free(&feed->reader);
    feed->reader_source = source;
    return reader_open(&feed->reader, &feed->spec->sources[source], error);
}

/* A source that was there when the job was made and is not now has changed, too. */
static void note_status(struct order *order, int status, const struct error *error)
{
    order->changed = status == READER_CHANGED || status == READER_ABSENT;
    if (status == READER_FAILED)
        snprintf(order->failure, sizeof order->failure, "%.127s", error->text);
}

static void answer_from_file(struct feed *feed, struct order *order)
{
    const struct source *source = &feed->spec->sources[order->source];
    size_t unit_bytes = source_unit_bytes(source);
    struct bytes room = {0};
    struct error error = {0};
    uint64_t got = 0;
    int status = reader_for(feed, order->source, &error);

    bytes_reserve(&room, SLACK_BEFORE + order->units * unit_bytes + SLACK_AFTER);
    bytes_extend(&room, SLACK_BEFORE);
    while (status == READER_OK && got < order->units) {
        const uint8_t *data;
        uint64_t more;

        status =
            reader_get(feed->reader, order->unit + got, order->units - got, &data, &more, &error);
        if (status == READER_OK) {
            bytes_append(&room, data, (size_t)more * unit_bytes);
            got += more;
        }
    }
    if (status == READER_OK)
        status = reader_check(feed->reader);
    note_status(order, status, &error);
    order->units = got;
    order->end = order->unit + got >= source->units;
    order->bytes = chunk_take(&room);
    order->bytes.data += SLACK_BEFORE;
    order->bytes.length -= SLACK_BEFORE;
}

static void answer(struct feed *feed, struct order *order)
{
    uint32_t unit_bytes = source_unit_bytes(&feed->spec->sources[order->source]);

    if (order->units > PIECE_BYTES_MAX / unit_bytes)
        order->units = PIECE_BYTES_MAX / unit_bytes;
    if (feed->streams && feed->streams[order->source] >= 0)
        answer_from_stream(feed, order);
    else
        answer_from_file(feed, order);
}

static struct order *next_request(struct feed *feed)
{
    struct order *order;

    pthread_mutex_lock(&feed->mutex);
    while (!feed->asked.first && !feed->is_stopped)
        pthread_cond_wait(&feed->changed, &feed->mutex);
    order = feed->is_stopped ? NULL : orders_take(&feed->asked);
    pthread_mutex_unlock(&feed->mutex);
    return order;
}

static void *run(void *context)
{
    struct feed *feed = context;
    struct order *order;

    while ((order = next_request(feed))) {
        answer(feed, order);
        pthread_mutex_lock(&feed->mutex);
        feed->bytes[order->source] += order->bytes.length;
        orders_put(&feed->answered, order);
        pthread_mutex_unlock(&feed->mutex);
        eventfd_write(feed->event_fd, 1);
    }
    return NULL;
}

/* Without a thread the request fails like a read that the system refused. */
static void ensure_thread(struct feed *feed)
{
    struct order *order;

    if (!feed->has_thread)
        feed->has_thread = !pthread_create(&feed->thread, NULL, run, feed);
    if (feed->has_thread)
        return;
    while ((order = orders_take(&feed->asked))) {
        fail(order, EAGAIN);
        orders_put(&feed->answered, order);
    }
    eventfd_write(feed->event_fd, 1);
}

void feed_ask(struct feed *feed, uint32_t source, uint64_t unit, uint64_t units)
{
    struct order *order = memory_new(sizeof *order);

    order->source = source;
    order->unit = unit;
    order->units = units;
    pthread_mutex_lock(&feed->mutex);
    orders_put(&feed->asked, order);
    pthread_cond_signal(&feed->changed);
    pthread_mutex_unlock(&feed->mutex);
    ensure_thread(feed);
}

bool feed_take(struct feed *feed, struct event *event)
{
    struct order *order;
    eventfd_t ignored;

    eventfd_read(feed->event_fd, &ignored);
    pthread_mutex_lock(&feed->mutex);
    order = orders_take(&feed->answered);
    pthread_mutex_unlock(&feed->mutex);
    if (!order)
        return false;
    *event = (struct event){.type = EVENT_INPUT};
    event->input.source = order->source;
    event->input.unit = order->unit;
    event->input.bytes = order->bytes;
    event->input.end = order->end;
    event->input.changed = order->changed;
    memcpy(event->input.failure, order->failure, sizeof order->failure);
    memory_free(order);
    return true;
}

uint64_t feed_bytes(struct feed *feed, uint32_t source)
{
    uint64_t bytes;

    pthread_mutex_lock(&feed->mutex);
    bytes = feed->bytes[source];
    pthread_mutex_unlock(&feed->mutex);
    return bytes;
}
