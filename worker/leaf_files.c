#include "leaf_files.h"

static struct leaf_file *find(struct leaf_files *files, uint64_t job, uint32_t index)
{
    for (int i = 0; i < LEAF_FILES_MAX; i++) {
        struct leaf_file *file = &files->files[i];

        if (file->reader && file->job == job && file->source == index)
            return file;
    }
    return NULL;
}

/* A free place, else that of the file not used for longest. */
static struct leaf_file *least_used(struct leaf_files *files)
{
    struct leaf_file *least = &files->files[0];

    for (int i = 0; i < LEAF_FILES_MAX; i++) {
        if (!files->files[i].reader)
            return &files->files[i];
        if (files->files[i].used < least->used)
            least = &files->files[i];
    }
    return least;
}

int leaf_files_get(struct leaf_files *files, uint64_t job, uint32_t index,
                   const struct source *source, struct source_reader **reader)
{
    struct leaf_file *file = find(files, job, index);
    int status = READER_OK;

    if (!file) {
        file = least_used(files);
        reader_free(&file->reader);
        status = reader_open(&file->reader, source, NULL);
        file->job = job;
        file->source = index;
    }
    file->used = ++files->uses;
    *reader = file->reader;
    return status;
}

void leaf_files_forget(struct leaf_files *files, uint64_t job)
{
    for (int i = 0; i < LEAF_FILES_MAX; i++)
        if (files->files[i].reader && files->files[i].job == job)
            reader_free(&files->files[i].reader);
}

void leaf_files_clear(struct leaf_files *files)
{
    for (int i = 0; i < LEAF_FILES_MAX; i++)
        reader_free(&files->files[i].reader);
}
