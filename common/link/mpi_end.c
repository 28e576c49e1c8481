/* How a link of ranks comes to its end: in order, with all others, or because nobody is left. */
#include "base/clock.h"
#include "base/memory.h"
#include "link/mpi_link.h"

#include <time.h>
#include <unistd.h>

/* A rank that has spoken and then is silent for this long will not speak again. */
#define DEAD_NS (60 * NS_PER_S)
/* How long rank 0, closing, waits for the others to close. */
#define CLOSE_NS (10 * NS_PER_S)

static bool is_dead(const struct mpi_link *mpi, const struct mpi_channel *channel)
{
    return channel->has_ended || channel->is_broken ||
           (channel->heard_ns && mpi->looked_ns - channel->heard_ns > DEAD_NS);
}

const char *mpi_link_over(const struct link *link)
{
    const struct mpi_link *mpi = mpi_link_of(link);

    if (!mpi->is_launcher_up)
        return "what started the ranks (mpirun or srun) is gone";
    if (mpi_link_is_below(mpi) && mpi->channels->has_ended)
        return "";
    for (size_t i = 0; i < mpi->count; i++)
        if (!is_dead(mpi, mpi->channels + i))
            return NULL;
    return mpi_link_is_below(mpi) ? "rank 0 is gone" : "all other ranks are gone";
}

static void pause_a_little(const struct mpi_link *mpi)
{
    int64_t until_ns = mpi_link_deadline(&mpi->link) - clock_now_ns();

    nanosleep(
        &(struct timespec){.tv_nsec = until_ns < MPI_PAUSE_NS_MIN ? MPI_PAUSE_NS_MIN : until_ns},
        NULL);
}

/* One look at everything, while closing. */
static void turn(struct mpi_link *mpi)
{
    struct link_event ignored;

    while (mpi_link_receive(&mpi->link, &ignored) != LINK_NOTHING)
        if (ignored.type == LINK_MESSAGE)
            message_clear(&ignored.message);
    mpi_link_flush(&mpi->link);
}

static bool has_unsent(const struct mpi_link *mpi)
{
    for (size_t i = 0; i < mpi->count; i++)
        if (outbox_count(&mpi->channels[i].outbox) && !is_dead(mpi, mpi->channels + i))
            return true;
    return false;
}

/* Both sides have said that nothing more comes, and what was said has arrived. */
static bool has_closed(struct mpi_link *mpi, struct mpi_channel *channel)
{
    bool has_said = mpi_channel_say_end(channel);

    mpi_link_want_flush(mpi, channel);
    return has_said && channel->has_ended && !channel->ring_count && !channel->first;
}

static bool close_all(struct mpi_link *mpi)
{
    bool has_all = true;

    for (size_t i = 0; i < mpi->count; i++)
        has_all &= has_closed(mpi, mpi->channels + i);
    return has_all;
}

/*
 * No rank leaves while another waits: the end goes to and fro on every channel. Rank 0 ends the
 * job, so that it waits for the others for a while only; another one waits for as long as that
 * takes.
 */
static void close_in_order(struct mpi_link *mpi, int64_t linger_ns)
{
    int64_t until_ns = clock_now_ns() + linger_ns;

    mpi->is_closing = true;
    inbox_clear(&mpi->inbox);
    while (has_unsent(mpi) && clock_now_ns() < until_ns && mpi->is_launcher_up) {
        turn(mpi);
        pause_a_little(mpi);
    }
    for (size_t i = 0; i < mpi->count; i++)
        mpi_channel_forget(mpi->channels + i);
    until_ns = mpi_link_is_below(mpi) ? INT64_MAX : clock_now_ns() + CLOSE_NS;
    while (!close_all(mpi)) {
        if (mpi->is_broken || !mpi->is_launcher_up || clock_now_ns() > until_ns) {
            mpi->ranks->is_clean = false;
            return;
        }
        turn(mpi);
        pause_a_little(mpi);
    }
}

void mpi_link_free(struct mpi_link *mpi)
{
    memory_free(mpi->channels);
    memory_free(mpi->sending);
    memory_free(mpi->receiving);
    memory_free(mpi->events);
    memory_free(mpi);
}

void mpi_link_close(struct link **link, int64_t linger_ns)
{
    struct mpi_link *mpi = *link ? mpi_link_of(*link) : NULL;

    *link = NULL;
    if (!mpi)
        return;
    close_in_order(mpi, linger_ns);
    for (size_t i = 0; i < mpi->count; i++)
        mpi_channel_clear(mpi->channels + i);
    inbox_clear(&mpi->inbox);
    close(mpi->fd);
    mpi_link_free(mpi);
}
