/*
 * MPI as a link: rank 0 with a channel to every other rank, the others with one to rank 0.
 *
 * MPI gives no descriptor to sleep on. So the link's own is never readable, and deadline() says
 * when to look again: at once while something moves, then after pauses that grow with the time in
 * which nothing did, up to a millisecond; an idle rank leaves its core to others, and one that has
 * just been idle for t learns of a message at most t/8 late.
 *
 * A peer's number is its rank + 1 and a generation above it: a rank that was dropped and speaks
 * again is a new peer, whom the node does not know and will answer so.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "link/mpi_link.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { RANK_BITS = 32, PAUSE_SHARE = 8 };
/* The window of all channels together bounds what MPI may have to keep for this rank. */
enum { WINDOWS_MAX = 1024, WINDOW_MIN = 2 };

#define SPIN_NS (50 * INT64_C(1000))
/* Data on its way moves only while both ends look after it. */
#define SPIN_MOVING_NS NS_PER_MS
#define PAUSE_NS_MAX NS_PER_MS
/* Naps are short: the usual 50 µs of slack would double them. */
#define TIMER_SLACK_NS 1000UL
#define LAUNCHER_NS (250 * NS_PER_MS)

static struct mpi_channel *channel_of_rank(struct mpi_link *mpi, int rank)
{
    size_t index = (size_t)(mpi_link_is_below(mpi) ? rank : rank - 1);

    return rank >= 0 && index < mpi->count ? mpi->channels + index : NULL;
}

static struct mpi_channel *channel_of(struct mpi_link *mpi, link_peer peer)
{
    struct mpi_channel *channel =
        channel_of_rank(mpi, (int)(peer & ((UINT64_C(1) << RANK_BITS) - 1)) - 1);

    return channel && channel->number == peer ? channel : NULL;
}

/* ---- events ---- */

static void tell(struct mpi_link *mpi, enum link_event_type type, link_peer peer)
{
    mpi->events = memory_grow(mpi->events, mpi->event_count + 1, sizeof *mpi->events);
    mpi->events[mpi->event_count++] = (struct mpi_event){type, peer};
}

static bool take_event(struct mpi_link *mpi, struct link_event *event)
{
    if (!mpi->event_count)
        return false;
    *event = (struct link_event){.type = mpi->events[0].type, .peer = mpi->events[0].peer};
    mpi->event_count--;
    for (size_t i = 0; i < mpi->event_count; i++)
        mpi->events[i] = mpi->events[i + 1];
    return true;
}

/* From here on the rank is another peer. Rank 0 is what a worker is there for: it greets anew. */
static void renew(struct mpi_link *mpi, struct mpi_channel *channel)
{
    if (mpi->inbox_peer == channel->number)
        inbox_clear(&mpi->inbox);
    mpi_channel_forget(channel);
    channel->number += UINT64_C(1) << RANK_BITS;
    if (mpi_link_is_below(mpi) && mpi->is_open && !channel->has_ended && !channel->is_broken)
        tell(mpi, LINK_CONNECTED, channel->number);
}

/* That rank 0 has ended in order is no loss: over() says it. */
static void lose(struct mpi_link *mpi, struct mpi_channel *channel)
{
    if (!mpi_link_is_below(mpi) || !channel->has_ended)
        tell(mpi, LINK_GONE, channel->number);
    renew(mpi, channel);
}

/* ---- receiving ---- */

static void look_after(struct mpi_channel **list, size_t *count, struct mpi_channel *channel,
                       bool *is_listed)
{
    if (!*is_listed)
        list[(*count)++] = channel;
    *is_listed = true;
}

void mpi_link_want_flush(struct mpi_link *mpi, struct mpi_channel *channel)
{
    look_after(mpi->sending, &mpi->sending_count, channel, &channel->is_sending);
}

static void note_moved(struct mpi_link *mpi, struct mpi_channel *channel)
{
    mpi->moved_ns = channel->heard_ns = clock_now_ns();
    mpi_link_want_flush(mpi, channel); /* there may be places to give back, or some were */
}

static void open_channel(struct mpi_link *mpi, struct mpi_channel *channel)
{
    if (!mpi_link_is_below(mpi) || mpi->is_open) {
        lose(mpi, channel);
        return;
    }
    mpi->is_open = true;
    tell(mpi, LINK_CONNECTED, channel->number);
}

static bool receive_on(struct mpi_link *mpi, struct mpi_channel *channel)
{
    enum channel_news news = mpi_channel_receive(channel, &mpi->inbox);

    if (news == CHANNEL_NOTHING)
        return false;
    note_moved(mpi, channel);
    switch (news) {
    case CHANNEL_NOTHING:
    case CHANNEL_MOVED:
        break;
    case CHANNEL_BATCH:
        mpi->inbox_peer = channel->number;
        if (mpi->is_closing)
            inbox_clear(&mpi->inbox);
        break;
    case CHANNEL_OPENED:
        open_channel(mpi, channel);
        break;
    case CHANNEL_MALFORMED:
    case CHANNEL_ENDED:
    case CHANNEL_FAILED:
        lose(mpi, channel);
        break;
    }
    return news != CHANNEL_FAILED;
}

/* Go on with what is being received, until a batch is complete. */
static bool receive_begun(struct mpi_link *mpi)
{
    bool has_moved = false;

    for (size_t i = 0; i < mpi->receiving_count && !mpi->inbox.count;) {
        struct mpi_channel *channel = mpi->receiving[i];

        while (!mpi->inbox.count && channel->first && receive_on(mpi, channel))
            has_moved = true;
        if (channel->first && !channel->is_broken) {
            i++;
            continue;
        }
        channel->is_receiving = false;
        mpi->receiving[i] = mpi->receiving[--mpi->receiving_count];
    }
    return has_moved;
}

static void fail(struct mpi_link *mpi)
{
    if (mpi->is_broken)
        return;
    mpi->is_broken = true;
    for (size_t i = 0; i < mpi->count; i++) {
        mpi->channels[i].is_broken = true;
        lose(mpi, &mpi->channels[i]);
    }
}

/* OpenMPI's probe looks at what it knows already, and only then at what has come: so twice. */
static bool is_there(struct mpi_link *mpi, MPI_Message *message, MPI_Status *status)
{
    int flag = 0;

    for (int i = 0; i < 2 && !flag; i++)
        if (MPI_Improbe(MPI_ANY_SOURCE, mpi->tag, MPI_COMM_WORLD, &flag, message, status) !=
            MPI_SUCCESS) {
            fail(mpi);
            return false;
        }
    return flag;
}

/* Begin to receive the next packet, if one is there. */
static bool probe(struct mpi_link *mpi)
{
    struct mpi_channel *channel;
    MPI_Message message;
    MPI_Status status;
    int bytes = 0;

    if (mpi->is_broken || !is_there(mpi, &message, &status))
        return false;
    channel = channel_of_rank(mpi, status.MPI_SOURCE);
    if (!channel || MPI_Get_count(&status, MPI_BYTE, &bytes) != MPI_SUCCESS || bytes < 0) {
        fail(mpi);
        return false;
    }
    mpi_channel_take(channel, &message, bytes);
    look_after(mpi->receiving, &mpi->receiving_count, channel, &channel->is_receiving);
    return true;
}

/* After a pause of our own nobody was silent in that time. */
static void notice_own_pause(struct mpi_link *mpi)
{
    int64_t now_ns = clock_now_ns(), gap_ns = now_ns - mpi->looked_ns;

    mpi->looked_ns = now_ns;
    for (size_t i = 0; gap_ns > PAUSE_NS && i < mpi->count; i++)
        if (mpi->channels[i].heard_ns)
            mpi->channels[i].heard_ns += gap_ns;
}

enum link_event_type mpi_link_receive(struct link *link, struct link_event *event)
{
    struct mpi_link *mpi = mpi_link_of(link);

    for (;;) {
        if (inbox_pop(&mpi->inbox, &event->message)) {
            event->peer = mpi->inbox_peer;
            return event->type = LINK_MESSAGE;
        }
        if (take_event(mpi, event))
            return event->type;
        if (!receive_begun(mpi) && !probe(mpi) && !mpi->event_count)
            break;
    }
    notice_own_pause(mpi);
    return event->type = LINK_NOTHING;
}

/* ---- sending ---- */

static void send_messages(struct link *link, link_peer peer, struct message *messages, size_t count)
{
    struct mpi_link *mpi = mpi_link_of(link);
    struct mpi_channel *channel = channel_of(mpi, peer);
    bool is_gone = !channel || channel->has_ended || channel->is_broken;

    for (size_t i = 0; i < count; i++)
        if (is_gone)
            message_clear(messages + i);
        else
            outbox_push(&channel->outbox, messages + i);
    if (!is_gone && count)
        mpi_link_want_flush(mpi, channel);
}

static void look_at_launcher(struct mpi_link *mpi)
{
    if (mpi->looked_ns - mpi->launcher_ns < LAUNCHER_NS)
        return;
    mpi->launcher_ns = mpi->looked_ns;
    mpi->is_launcher_up = getppid() == mpi->ranks->launcher;
}

void mpi_link_flush(struct link *link)
{
    struct mpi_link *mpi = mpi_link_of(link);

    look_at_launcher(mpi);
    for (size_t i = 0; i < mpi->sending_count;) {
        struct mpi_channel *channel = mpi->sending[i];

        if (mpi_channel_flush(channel))
            mpi->moved_ns = clock_now_ns();
        if (mpi_channel_has_work(channel)) {
            i++;
            continue;
        }
        if (channel->is_broken && !channel->has_ended)
            lose(mpi, channel);
        channel->is_sending = false;
        mpi->sending[i] = mpi->sending[--mpi->sending_count];
    }
}

static void drop(struct link *link, link_peer peer)
{
    struct mpi_link *mpi = mpi_link_of(link);
    struct mpi_channel *channel = channel_of(mpi, peer);

    if (channel)
        renew(mpi, channel);
}

/* ---- sleeping ---- */

int64_t mpi_link_deadline(const struct link *link)
{
    const struct mpi_link *mpi = mpi_link_of(link);
    int64_t now_ns = clock_now_ns(), idle_ns = now_ns - mpi->moved_ns;
    bool is_moving = mpi->sending_count || mpi->receiving_count;
    int64_t pause_ns = idle_ns / PAUSE_SHARE;

    if (mpi->event_count || mpi->ranks->options.never_pauses ||
        idle_ns < (is_moving ? SPIN_MOVING_NS : SPIN_NS))
        return 0;
    pause_ns = pause_ns < MPI_PAUSE_NS_MIN ? MPI_PAUSE_NS_MIN : pause_ns;
    return now_ns + (pause_ns < PAUSE_NS_MAX ? pause_ns : PAUSE_NS_MAX);
}

static int descriptor(const struct link *link)
{
    return mpi_link_of(link)->fd;
}

/* ---- opening ---- */

static const struct link_ops MPI_OPS = {
    .name = "mpi",
    .fd = descriptor,
    .receive = mpi_link_receive,
    .send = send_messages,
    .flush = mpi_link_flush,
    .drop = drop,
    .deadline = mpi_link_deadline,
    .over = mpi_link_over,
    .close = mpi_link_close,
};

static unsigned window_of(const struct ranks *ranks)
{
    unsigned window = WINDOWS_MAX / (unsigned)ranks->count;

    if (window > CHANNEL_WINDOW_MAX)
        return CHANNEL_WINDOW_MAX;
    return window < WINDOW_MIN ? WINDOW_MIN : window;
}

int mpi_link_open(struct link **out, struct ranks *ranks, struct error *error)
{
    struct mpi_link *mpi = memory_new(sizeof *mpi);
    size_t count = ranks->rank ? 1 : (size_t)ranks->count - 1;

    *mpi = (struct mpi_link){.link.ops = &MPI_OPS,
                             .ranks = ranks,
                             .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                             .tag = TAG_LINKS + (int)(ranks->links % LINK_TAGS) * TAGS_PER_LINK,
                             .channels = memory_array(count, sizeof *mpi->channels),
                             .count = count,
                             .sending = memory_array(count, sizeof(struct mpi_channel *)),
                             .receiving = memory_array(count, sizeof(struct mpi_channel *)),
                             .moved_ns = clock_now_ns(),
                             .looked_ns = clock_now_ns(),
                             .is_launcher_up = true};
    if (mpi->fd < 0) {
        error_set_errno(error, ERROR_SYSTEM, errno, "no descriptor for MPI");
        mpi_link_free(mpi);
        return ERROR_SYSTEM;
    }
    ranks->links++;
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    for (size_t i = 0; i < count; i++) {
        mpi_channel_init(mpi->channels + i, ranks->rank ? 0 : (int)i + 1, mpi->tag,
                         window_of(ranks));
        if (!ranks->rank) {
            mpi_channel_say_open(mpi->channels + i);
            mpi_link_want_flush(mpi, mpi->channels + i);
        }
    }
    *out = &mpi->link;
    return OK;
}
