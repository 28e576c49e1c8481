#include "source/reader_gather.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int pread_whole(int fd, void *to, size_t length, off_t offset)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = pread(fd, (uint8_t *)to + done, length - done, offset + (off_t)done);

        if (got == 0)
            return 1;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

/* A rectangle of the array: what one call gathers. */
struct tile {
    uint64_t row, rows;
    uint64_t column, columns;
};

/* `count` elements, one behind the other, to every `stride`th element. */
static void scatter(uint8_t *to, const uint8_t *from, size_t count, size_t stride, uint32_t width)
{
    switch (width) {
    case 1:
        for (size_t i = 0; i < count; i++)
            to[i * stride] = from[i];
        return;
    case 2:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * stride * 2, from + i * 2, 2);
        return;
    case 4:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * stride * 4, from + i * 4, 4);
        return;
    default:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * stride * 8, from + i * 8, 8);
        return;
    }
}

/* One column of a tile, in parts that fit the stack. */
static int gather_column(int fd, const struct gather_shape *shape, const struct tile *tile,
                         uint64_t column, uint8_t *to)
{
    uint8_t part[16384];
    uint64_t most = sizeof part / shape->width;
    uint64_t at = (column * shape->rows + tile->row) * shape->width + shape->data_begin;
    int rc = 0;

    for (uint64_t row = 0; row < tile->rows && rc == 0; row += most) {
        uint64_t rows = tile->rows - row < most ? tile->rows - row : most;

        rc = pread_whole(fd, part, (size_t)rows * shape->width, (off_t)(at + row * shape->width));
        if (rc == 0)
            scatter(to + row * tile->columns * shape->width, part, (size_t)rows,
                    (size_t)tile->columns, shape->width);
    }
    return rc;
}

static struct tile choose_tile(const struct gather_shape *shape, struct gather_run *run,
                               uint64_t elements_max)
{
    uint64_t first_row = run->unit / shape->columns;
    uint64_t last_row = (run->unit + run->units - 1) / shape->columns;
    uint64_t column = run->unit % shape->columns;
    uint64_t rows = last_row - first_row + 1;
    uint64_t fitting = elements_max / shape->columns;

    if (rows == 1 || fitting == 0) {
        uint64_t left = shape->columns - column;

        run->units = run->units < left ? run->units : left;
        run->units = run->units < elements_max ? run->units : elements_max;
        run->skipped = 0;
        return (struct tile){first_row, 1, column, run->units};
    }
    rows = rows < fitting ? rows : fitting;
    run->skipped = column;
    if (run->units > rows * shape->columns - column)
        run->units = rows * shape->columns - column;
    return (struct tile){first_row, rows, 0, shape->columns};
}

int gather(int fd, const struct gather_shape *shape, struct gather_run *run, uint8_t *buffer,
           size_t buffer_bytes)
{
    struct tile tile = choose_tile(shape, run, buffer_bytes / shape->width);
    int rc = 0;

    for (uint64_t i = 0; i < tile.columns && rc == 0; i++)
        rc = gather_column(fd, shape, &tile, tile.column + i, buffer + i * shape->width);
    return rc;
}
