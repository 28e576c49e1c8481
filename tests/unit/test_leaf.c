#include "leaf_files.h"
#include "leaf_queue.h"
#include "unit.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(struct leaf_queue *queue, uint64_t task, uint64_t job)
{
    struct message message = {.type = MESSAGE_TASK};

    message.task.task = task;
    message.task.job = job;
    message.task.attempt = (uint32_t)task % 3;
    message.task.room_bytes = 10;
    message.payload = chunk_copy(&task, sizeof task);
    leaf_queue_put(queue, &message);
    CU_ASSERT_PTR_NULL(message.payload.block);
}

/* The tasks left, in order; each must still hold its own payload. */
static void check_left(struct leaf_queue *queue, const uint64_t *tasks, size_t count)
{
    struct message message;

    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_FATAL(leaf_queue_take(queue, &message));
        CU_ASSERT_EQUAL(message.task.task, tasks[i]);
        CU_ASSERT_EQUAL(memcmp(message.payload.data, &tasks[i], sizeof tasks[i]), 0);
        message_clear(&message);
    }
    CU_ASSERT_FALSE(leaf_queue_take(queue, &message));
}

static void tasks_leave_in_the_order_in_which_they_came(void)
{
    struct leaf_queue queue = {0};
    struct message message;
    uint64_t in = 0, out = 0;

    /* Three in, two out: the ring wraps and grows many times over. */
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < 3; i++)
            put(&queue, in++, 1);
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_FATAL(leaf_queue_take(&queue, &message));
            CU_ASSERT_EQUAL(message.task.task, out++);
            message_clear(&message);
        }
    }
    CU_ASSERT_EQUAL(queue.count, in - out);
    leaf_queue_clear(&queue);
    CU_ASSERT_FALSE(leaf_queue_take(&queue, &message));
}

static void a_cancelled_task_never_leaves(void)
{
    struct leaf_queue queue = {0};

    for (uint64_t task = 0; task < 5; task++)
        put(&queue, task, 1);
    leaf_queue_cancel(&queue, 0, 0);
    leaf_queue_cancel(&queue, 3, 0);
    leaf_queue_cancel(&queue, 4, 2); /* another attempt: not this one */
    leaf_queue_cancel(&queue, 77, 0);
    check_left(&queue, (const uint64_t[]){1, 2, 4}, 3);
    leaf_queue_clear(&queue);
}

static void a_forgotten_job_takes_its_tasks_along(void)
{
    struct leaf_queue queue = {0};

    for (uint64_t task = 0; task < 6; task++)
        put(&queue, task, task % 2);
    leaf_queue_forget(&queue, 1);
    check_left(&queue, (const uint64_t[]){0, 2, 4}, 3);
    leaf_queue_clear(&queue);
}

static void room_is_added_to_the_task_it_is_for(void)
{
    struct leaf_queue queue = {0};
    struct message message;

    put(&queue, 0, 1);
    put(&queue, 1, 1);
    leaf_queue_add_room(&queue, 1, 1, 5);
    leaf_queue_add_room(&queue, 0, 2, 5);
    CU_ASSERT(leaf_queue_take(&queue, &message) && message.task.room_bytes == 10);
    message_clear(&message);
    leaf_queue_add_room(&queue, 1, 1, UINT64_MAX - 3);
    CU_ASSERT(leaf_queue_take(&queue, &message) && message.task.room_bytes == UINT64_MAX);
    message_clear(&message);
    leaf_queue_clear(&queue);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0;
    return count;
}

static void describe(struct source *source, const char *path)
{
    struct stat status;

    source_init(source);
    CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
    source->access = SOURCE_FILE;
    source->path = memory_text(path);
    source->name = memory_text(path);
    source->units = source->file_bytes = (uint64_t)status.st_size;
    source->file_mtime_ns = reader_mtime_ns(&status);
}

static void few_files_are_held_open(void)
{
    char path[] = "/tmp/sheaf-leaf-XXXXXX";
    unsigned before = open_descriptors();
    struct source_reader *reader, *first;
    struct leaf_files files = {0};
    struct source source;
    int fd = mkstemp(path);

    CU_ASSERT_EQUAL_FATAL(write(fd, "1", 1), 1);
    close(fd);
    describe(&source, path);
    CU_ASSERT_EQUAL(leaf_files_get(&files, 1, 0, &source, &first), READER_OK);
    for (uint32_t i = 1; i < 100; i++) {
        CU_ASSERT_EQUAL(leaf_files_get(&files, 1, i, &source, &reader), READER_OK);
        CU_ASSERT_EQUAL(leaf_files_get(&files, 1, 0, &source, &reader), READER_OK);
        CU_ASSERT_PTR_EQUAL(reader, first); /* what is used all the time stays */
    }
    CU_ASSERT_EQUAL(open_descriptors(), before + LEAF_FILES_MAX);
    CU_ASSERT_EQUAL(leaf_files_get(&files, 2, 0, &source, &reader), READER_OK);
    CU_ASSERT_PTR_NOT_EQUAL(reader, first);
    leaf_files_forget(&files, 1);
    CU_ASSERT_EQUAL(open_descriptors(), before + 1);
    leaf_files_clear(&files);
    CU_ASSERT_EQUAL(open_descriptors(), before);
    unlink(path);
    CU_ASSERT_EQUAL(leaf_files_get(&files, 1, 0, &source, &reader), READER_ABSENT);
    CU_ASSERT_PTR_NULL(reader);
    source_clear(&source);
}

static const struct unit_case CASES[] = {
    {"tasks leave in the order in which they came", tasks_leave_in_the_order_in_which_they_came},
    {"a cancelled task never leaves", a_cancelled_task_never_leaves},
    {"a forgotten job takes its tasks along", a_forgotten_job_takes_its_tasks_along},
    {"room is added to the task it is for", room_is_added_to_the_task_it_is_for},
    {"few files are held open", few_files_are_held_open},
};

UNIT_MAIN("leaf", CASES)
