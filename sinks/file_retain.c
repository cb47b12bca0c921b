/* file_retain.c -- keeps what the sink has written within `retain: {max_age, max_size}`.
 *
 * Only finished files of this sink and instance are counted and removed, oldest folder first; the open
 * file is counted, never removed. Age is that of a file's hour. Folders that are empty then go too.
 */
#include "sinks/file_inside.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR_NS  (3600 * SLU_NS_PER_S)
#define EVERY_NS (60 * SLU_NS_PER_S)

struct sweep {
    struct slu_file *file;
    int64_t total_bytes;  /* first pass */
    int64_t excess_bytes; /* second pass: still to go */
    int64_t oldest_hour;  /* folders before it go; INT64_MIN: none */
    uint64_t n_removed;
};

static bool is_finished(const struct slu_file *file, const char *name)
{
    uint64_t first_seq;
    const enum slu_file_kind kind = slu_file_kind(file, name, &first_seq);
    return kind == SLU_FILE_PLAIN || kind == SLU_FILE_GZIP;
}

static int64_t size_of(const struct slu_file_visit *folder, const char *name)
{
    struct stat status;
    const int flags = AT_SYMLINK_NOFOLLOW;
    return fstatat(folder->folder, name, &status, flags) == 0 && S_ISREG(status.st_mode)
               ? (int64_t)status.st_size
               : 0;
}

static bool add_sizes(void *context, const struct slu_file_visit *folder)
{
    struct sweep *sweep = context;
    for (int i = 0; i < folder->n_names; i++) {
        if (is_finished(sweep->file, folder->names[i]->d_name))
            sweep->total_bytes += size_of(folder, folder->names[i]->d_name);
    }
    return true;
}

/* The folder of an hour, and that of its day, when nothing is in them any more. */
static void remove_empty(const struct slu_file *file, const char *folder_name)
{
    char day[SLU_FILE_FOLDER_SIZE];
    snprintf(day, sizeof(day), "%.13s", folder_name);
    if (unlinkat(file->root, folder_name, AT_REMOVEDIR) == 0)
        unlinkat(file->root, day, AT_REMOVEDIR);
}

static bool remove_old(void *context, const struct slu_file_visit *folder)
{
    struct sweep *sweep = context;
    const bool is_old = folder->hour < sweep->oldest_hour;
    bool removed = false;

    for (int i = 0; i < folder->n_names && (is_old || sweep->excess_bytes > 0); i++) {
        const char *name = folder->names[i]->d_name;
        if (!is_finished(sweep->file, name))
            continue;
        const int64_t size = size_of(folder, name);
        if (unlinkat(folder->folder, name, 0) != 0)
            continue;
        sweep->excess_bytes -= size;
        sweep->n_removed++;
        removed = true;
    }
    if (removed)
        remove_empty(sweep->file, folder->folder_name);
    return is_old || sweep->excess_bytes > 0;
}

void slu_file_retain(struct slu_file *file, bool now)
{
    const int64_t mono = slu_clock_mono_ns();
    if ((file->retain_age_ns == 0 && file->retain_bytes == 0) ||
        (!now && mono < file->retain_due_ns))
        return;
    file->retain_due_ns = mono + EVERY_NS;

    struct sweep sweep = {.file = file, .oldest_hour = INT64_MIN};
    if (file->retain_bytes > 0 &&
        slu_file_tree_walk(file, false, SIZE_MAX, add_sizes, &sweep, NULL) == 0)
        sweep.excess_bytes = sweep.total_bytes + file->synced_bytes - file->retain_bytes;
    if (file->retain_age_ns > 0) /* the whole of its hour must be too old */
        sweep.oldest_hour = (slu_clock_wall_ns() - file->retain_age_ns) / HOUR_NS;
    slu_file_tree_walk(file, false, SIZE_MAX, remove_old, &sweep, NULL);
    if (sweep.n_removed > 0)
        slu_log(SLU_LOG_INFO, "sink %s: removed %llu files beyond retain from %s", file->env->name,
                (unsigned long long)sweep.n_removed, file->path);
}
