#include "link/pool_file.h"

#include "base/limits.h"
#include "base/memory.h"
#include "link/pool_shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* Slack, header, slack (and up to an alignment of it), payload, slack. */
static uint64_t payload_begin(uint64_t header_bytes)
{
    uint64_t end = POOL_SLACK_BYTES + header_bytes + POOL_SLACK_BYTES;

    return (end + POOL_SLACK_BYTES - 1) / POOL_SLACK_BYTES * POOL_SLACK_BYTES;
}

static bool write_at(int fd, const uint8_t *data, size_t length, uint64_t at)
{
    while (length) {
        ssize_t n = pwrite(fd, data, length, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        length -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

static bool fill(int fd, const struct bytes *header, const struct outbox *outbox, size_t count)
{
    uint64_t at = payload_begin(header->length);

    if (!write_at(fd, header->data, header->length, POOL_SLACK_BYTES))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *payload = &outbox_at(outbox, i)->payload;

        if (!write_at(fd, payload->data, payload->length, at))
            return false;
        at += payload->length;
    }
    return ftruncate(fd, (off_t)(at + POOL_SLACK_BYTES)) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0;
}

int pool_file_new(const struct bytes *header, const struct outbox *outbox, size_t count)
{
    int fd = memfd_create("sheaf-batch", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && !fill(fd, header, outbox, count)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct mapping {
    void *base;
    size_t length;
};

static void unmap(void *owner)
{
    struct mapping *mapping = owner;

    munmap(mapping->base, mapping->length);
    memory_free(mapping);
}

static bool is_sound(int fd, uint64_t header_bytes, uint64_t payload_bytes)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
           header_bytes <= BATCH_HEADER_BYTES_MAX &&
           payload_bytes <= (uint64_t)INT64_MAX - payload_begin(header_bytes) - POOL_SLACK_BYTES &&
           (uint64_t)status.st_size ==
               payload_begin(header_bytes) + payload_bytes + POOL_SLACK_BYTES;
}

bool pool_file_map(int fd, uint64_t header_bytes, uint64_t payload_bytes, struct chunk *header,
                   struct chunk *payload)
{
    struct mapping *mapping;
    struct chunk whole;
    uint64_t length;
    void *base;

    if (!is_sound(fd, header_bytes, payload_bytes))
        return false;
    length = payload_begin(header_bytes) + payload_bytes + POOL_SLACK_BYTES;
    base = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED)
        return false;
    mapping = memory_new(sizeof *mapping);
    *mapping = (struct mapping){.base = base, .length = length};
    whole = chunk_wrap(base, length, unmap, mapping);
    *header = chunk_part(&whole, POOL_SLACK_BYTES, header_bytes);
    *payload = chunk_part(&whole, payload_begin(header_bytes), payload_bytes);
    chunk_drop(&whole);
    return true;
}
