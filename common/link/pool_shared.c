#include "link/pool_shared.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first page. Both ends are built from one source, so its layout is no protocol. */
struct table {
    _Atomic uint64_t started_task;
    _Atomic uint32_t started_attempt;
    _Atomic int32_t failure;
    _Atomic uint32_t is_busy[2][POOL_BAYS];
};

struct pool_shared {
    atomic_uint holders;
    uint8_t *base;
};

struct hold {
    struct pool_shared *shared;
    _Atomic uint32_t *is_busy;
};

#define PAGE_BYTES UINT64_C(4096)
#define BAY_STRIDE (POOL_BAY_BYTES + PAGE_BYTES)
#define SHARED_BYTES (PAGE_BYTES + 2 * POOL_BAYS * BAY_STRIDE)

_Static_assert(sizeof(struct table) <= PAGE_BYTES, "the table is one page");
_Static_assert(2 * POOL_SLACK_BYTES <= PAGE_BYTES, "the slack is what a stride has over a bay");

static struct table *table_of(const struct pool_shared *shared)
{
    return (struct table *)(void *)shared->base;
}

static int map(struct pool_shared **out, int fd, struct error *error)
{
    void *base = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED)
        return error_set_errno(error, ERROR_SYSTEM, errno,
                               "the memory shared with a pool process cannot be mapped");
    *out = memory_new(sizeof **out);
    atomic_init(&(*out)->holders, 1);
    (*out)->base = base;
    return OK;
}

int pool_shared_is_possible(struct error *error)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < SHARED_BYTES)
        return error_set(error, ERROR_SYSTEM,
                         "the limit for the size of files (ulimit -f) is too low: the memory that "
                         "is shared with a pool process counts as a file of %llu KiB",
                         (unsigned long long)(SHARED_BYTES / KIB));
    return OK;
}

int pool_shared_new(struct pool_shared **out, int *fd, struct error *error)
{
    int rc = OK;

    *out = NULL;
    *fd = memfd_create("sheaf-pool", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Sealed against shrinking: a process gone wild must not be able to make us fault. */
    if (*fd < 0 || ftruncate(*fd, (off_t)SHARED_BYTES) < 0 ||
        fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        rc = error_set_errno(error, ERROR_SYSTEM, errno, "no memory to share with a pool process");
    if (rc == OK)
        rc = map(out, *fd, error);
    if (rc != OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

int pool_shared_map(struct pool_shared **out, int fd, struct error *error)
{
    struct stat status;

    *out = NULL;
    if (fstat(fd, &status) < 0 || (uint64_t)status.st_size != SHARED_BYTES)
        return error_set(error, ERROR_PROTOCOL, "a pool process was given memory of another size");
    return map(out, fd, error);
}

static void let_go(struct pool_shared *shared)
{
    if (atomic_fetch_sub_explicit(&shared->holders, 1, memory_order_acq_rel) != 1)
        return;
    munmap(shared->base, SHARED_BYTES);
    memory_free(shared);
}

void pool_shared_free(struct pool_shared **shared)
{
    if (*shared)
        let_go(*shared);
    *shared = NULL;
}

int pool_shared_claim(struct pool_shared *shared, enum pool_direction direction)
{
    _Atomic uint32_t *is_busy = table_of(shared)->is_busy[direction];

    for (int bay = 0; bay < POOL_BAYS; bay++)
        if (!atomic_load_explicit(&is_busy[bay], memory_order_acquire)) {
            atomic_store_explicit(&is_busy[bay], 1, memory_order_relaxed);
            return bay;
        }
    return -1;
}

uint8_t *pool_shared_bay(struct pool_shared *shared, enum pool_direction direction, unsigned bay)
{
    assert(bay < POOL_BAYS);
    return shared->base + PAGE_BYTES + ((unsigned)direction * POOL_BAYS + bay) * BAY_STRIDE +
           POOL_SLACK_BYTES;
}

static void free_bay(void *owner)
{
    struct hold *hold = owner;

    atomic_store_explicit(hold->is_busy, 0, memory_order_release);
    let_go(hold->shared);
    memory_free(hold);
}

struct chunk pool_shared_chunk(struct pool_shared *shared, enum pool_direction direction,
                               unsigned bay, size_t length)
{
    struct hold *hold = memory_new(sizeof *hold);

    atomic_fetch_add_explicit(&shared->holders, 1, memory_order_relaxed);
    hold->shared = shared;
    hold->is_busy = &table_of(shared)->is_busy[direction][bay];
    return chunk_wrap(pool_shared_bay(shared, direction, bay), length, free_bay, hold);
}

void pool_shared_set_started(struct pool_shared *shared, uint64_t task, uint32_t attempt)
{
    struct table *table = table_of(shared);

    /* Nothing in between, so that no task is ever seen with the attempt of another. */
    atomic_store_explicit(&table->started_task, 0, memory_order_release);
    if (!task)
        return;
    atomic_store_explicit(&table->started_attempt, attempt, memory_order_release);
    atomic_store_explicit(&table->started_task, task, memory_order_release);
}

uint64_t pool_shared_started(const struct pool_shared *shared, uint32_t *attempt)
{
    struct table *table = table_of(shared);
    uint64_t task = atomic_load_explicit(&table->started_task, memory_order_acquire);

    *attempt = atomic_load_explicit(&table->started_attempt, memory_order_relaxed);
    return task;
}

void pool_shared_set_failure(struct pool_shared *shared, int errnum)
{
    atomic_store_explicit(&table_of(shared)->failure, errnum, memory_order_release);
}

int pool_shared_failure(const struct pool_shared *shared)
{
    return atomic_load_explicit(&table_of(shared)->failure, memory_order_acquire);
}
