/* file_rotate.c -- begins and ends one file; the steps are numbered in file_inside.h. */
#include "sinks/file_inside.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLLISIONS_MAX 1000 /* names tried beside one that is taken */

/* Open folder `name` in `parent`, make it first if it is missing; `parent` is synced then. */
static int open_or_make(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int folder = openat(parent, name, flags);
    if (folder >= 0 || errno != ENOENT)
        return folder;
    if (mkdirat(parent, name, 0750) != 0 && errno != EEXIST)
        return -1;
    folder = openat(parent, name, flags);
    if (folder >= 0 && (fchmod(folder, 0750) != 0 || fsync(parent) != 0)) {
        const int sys = errno;
        close(folder);
        errno = sys;
        return -1;
    }
    return folder;
}

int slu_file_folder(struct slu_file *file, int64_t hour, char name[SLU_FILE_FOLDER_SIZE],
                    struct slu_err *err)
{
    char day[SLU_FILE_FOLDER_SIZE];
    slu_file_folder_name(hour, name);
    snprintf(day, sizeof(day), "%.13s", name);

    const int outer = open_or_make(file->root, day);
    const int folder = outer >= 0 ? open_or_make(outer, name + 14) : -1;
    if (folder < 0)
        slu_err_system(err, errno, "cannot make %s/%s", file->path, name);
    if (outer >= 0)
        close(outer);
    return folder;
}

/* ---- begin ------------------------------------------------------------------------------------------- */

/* Step 2. A file of that name can only be one that recovery could not know of (somebody removed the
 * state file): it is finished first, and whoever is told RESET starts behind it. */
static int make_open_file(struct slu_file *file, struct slu_err *err)
{
    file->fd =
        openat(file->folder, file->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (file->fd < 0 && errno == EEXIST) {
        file->needs_reset = true;
        return slu_file_recover_one(file, file->folder_name, file->name, false, err);
    }
    if (file->fd >= 0 && fchmod(file->fd, 0640) == 0 && fsync(file->folder) == 0)
        return 0;
    slu_err_system(err, errno, "cannot make %s/%s/%s", file->path, file->folder_name, file->name);
    if (file->fd >= 0)
        unlinkat(file->folder, file->name, 0);
    return -1;
}

int slu_file_begin(struct slu_file *file, struct slu_err *err)
{
    char place[SLU_FILE_PLACE_SIZE];

    file->folder = slu_file_folder(file, file->hour, file->folder_name, err);
    if (file->folder < 0)
        return -1;
    file->first_seq = file->pending_first;
    snprintf(file->name, sizeof(file->name), ".%s-%020" PRIu64 "%s.inprogress", file->prefix,
             file->first_seq, slu_file_suffixes[file->format]);
    snprintf(place, sizeof(place), "%s/%s", file->folder_name, file->name);
    if (slu_file_state_write(&file->state, file->env->spool_id, file->safe_seq, place, 0, err) !=
            0 ||
        make_open_file(file, err) != 0 || file->needs_reset) {
        slu_file_drop(file);
        return -1;
    }
    file->n_lines = 0;
    file->synced_bytes = 0;
    file->opened_ns = file->written_ns = slu_clock_mono_ns();
    return 0;
}

/* ---- end --------------------------------------------------------------------------------------------- */

/* rename() that never replaces. File systems without the flag are looked at first: nobody else makes
 * names of this sink and instance. */
static int rename_to_new(int folder, const char *from, const char *to)
{
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (faccessat(folder, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(folder, from, folder, to);
}

/* The final name may be taken only by the file of an older spool with the same numbers, in the same
 * hour: then a number is put behind it. */
int slu_file_rename(const struct slu_file *file, int folder, const char *open_name,
                    enum slu_file_format format, uint64_t first_seq, uint64_t last_seq,
                    char final[SLU_FILE_NAME_SIZE], struct slu_err *err)
{
    for (int i = 1; i <= COLLISIONS_MAX; i++) {
        char suffix[16] = "";
        if (i > 1)
            snprintf(suffix, sizeof(suffix), "-%d", i);
        snprintf(final, SLU_FILE_NAME_SIZE, "%s-%020" PRIu64 "-%020" PRIu64 "%s%s", file->prefix,
                 first_seq, last_seq, suffix, slu_file_suffixes[format]);
        if (rename_to_new(folder, open_name, final) == 0)
            return fsync(folder) == 0 ? 0 : slu_err_system(err, errno, "cannot sync a folder");
        if (errno != EEXIST)
            break;
    }
    final[0] = '\0';
    return slu_err_system(err, errno, "cannot rename %s in %s", open_name, file->path);
}

void slu_file_drop(struct slu_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->folder >= 0)
        close(file->folder);
    file->fd = file->folder = -1;
    file->synced_bytes = 0;
    file->n_lines = 0;
    file->is_suspect = false;
    file->final[0] = '\0';
}

/* Somebody removed the open file. What was in it was safe, and is their responsibility now. */
void slu_file_note_gone(struct slu_file *file)
{
    slu_log(SLU_LOG_WARNING,
            "sink %s: somebody removed %s/%s/%s while it was written; the %" PRIu64
            " records in it are gone, going on with a new file",
            file->env->name, file->path, file->folder_name, file->name, file->n_lines);
    slu_file_drop(file);
}

/* Steps 4 and 5; when only the sync of 5 failed before, that alone. */
static int give_final_name(struct slu_file *file, struct slu_err *err)
{
    if (file->final[0] != '\0')
        return fsync(file->folder) == 0
                   ? 0
                   : slu_err_system(err, errno, "cannot sync %s/%s", file->path, file->folder_name);
    if (slu_file_state_write(&file->state, file->env->spool_id, file->safe_seq, file->state.open,
                             (uint64_t)file->synced_bytes, err) != 0)
        return -1;
    return slu_file_rename(file, file->folder, file->name, file->format, file->first_seq,
                           file->safe_seq, file->final, err);
}

int slu_file_end(struct slu_file *file, struct slu_err *err)
{
    struct slu_err problem = {0};

    if (file->fd < 0)
        return 0;
    if (file->synced_bytes == 0) {
        unlinkat(file->folder, file->name, 0);
        slu_file_drop(file);
        return 0;
    }
    if (give_final_name(file, &problem) == 0) {
        if (file->compresses)
            slu_file_gzip_begin(file, file->folder, file->final);
        slu_file_drop(file);
    } else if (problem.kind == SLU_ENOENT && file->final[0] == '\0') {
        slu_file_note_gone(file);
    } else {
        return slu_err_set(err, problem.kind, "%s", problem.text);
    }
    slu_file_retain(file, true);
    return 0;
}
