/* file_recover.c -- what was left open by an earlier life is cut to its last whole line, or block of a
 * container file, and finished.
 *
 * The state file names the only file that can be open. Without a readable state the newest folders
 * are searched instead; that finds open files, and loses only the knowledge of files that were
 * finished in the very moment before the crash.
 *
 * What is cut off is normally one torn line. When whole lines stand behind a damaged one (pages that
 * never reached the disk, or a disk that lies) they are copied to `….damaged` first: those that nobody
 * was told are safe come again from the spool, but nothing is thrown away unseen.
 */
#include "sinks/file_inside.h"

#include "sinks/lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In place of the open file's name: there may be several. Stays until the next file is begun, so that a
 * crash in the middle of the search only makes it start again. */
static const char search_mark[] = "*";

#define SEARCH_FOLDERS 1000u /* hours looked at when there is no state */

/* ---- one open file ------------------------------------------------------------------------------------ */

static bool read_line(void *context, const struct slu_line *line)
{
    struct slu_file_reading *reading = context;

    if (!line->is_sound) {
        reading->is_damaged = true;
        return false;
    }
    reading->sound_end = line->end;
    reading->last_seq = line->seq;
    if (line->is_ours)
        reading->last_ours = line->seq;
    return true;
}

static int copy_rest(int from, int to, off_t at)
{
    char bytes[1 << 14];
    ssize_t n;

    while ((n = pread(from, bytes, sizeof(bytes), at)) > 0) {
        for (ssize_t done = 0; done < n;) {
            const ssize_t written = write(to, bytes + done, (size_t)(n - done));
            if (written <= 0)
                return -1;
            done += written;
        }
        at += n;
    }
    return n == 0 ? fdatasync(to) : -1;
}

/* Keep what stands behind `at` as `<name without .inprogress>.damaged`. */
static int set_aside(const struct slu_file *file, int folder, const char *folder_name,
                     const char *name, int fd, off_t at, struct slu_err *err)
{
    char aside[SLU_FILE_NAME_SIZE + 8];
    const size_t stem = strlen(name) - strlen(".inprogress");
    snprintf(aside, sizeof(aside), "%.*s.damaged", (int)stem, name);

    const int to =
        openat(folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (to < 0)
        return slu_err_system(err, errno, "cannot make %s/%s/%s", file->path, folder_name, aside);
    const int result = copy_rest(fd, to, at);
    if (result != 0)
        slu_err_system(err, errno, "cannot write %s/%s/%s", file->path, folder_name, aside);
    else
        slu_log(SLU_LOG_WARNING,
                "sink %s: %s/%s/%s is damaged from byte %lld on; what follows is kept as %s",
                file->env->name, file->path, folder_name, name, (long long)at, aside);
    close(to);
    return result;
}

static int cut(const struct slu_file *file, int folder, const char *folder_name, const char *name,
               int fd, const struct slu_file_reading *reading, struct slu_err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return slu_err_system(err, errno, "cannot look at %s/%s/%s", file->path, folder_name, name);
    if (reading->is_damaged &&
        set_aside(file, folder, folder_name, name, fd, reading->sound_end, err) != 0)
        return -1;
    if (status.st_size > reading->sound_end && ftruncate(fd, reading->sound_end) != 0)
        return slu_err_system(err, errno, "cannot cut %s/%s/%s", file->path, folder_name, name);
    return fdatasync(fd) == 0
               ? 0
               : slu_err_system(err, errno, "cannot sync %s/%s/%s", file->path, folder_name, name);
}

/* Read a container file. The state's word on how much of it is safe counts; without it, whatever is
 * whole. Is there less than the state says, then what is gone has to come again. */
static int read_blocks(struct slu_file *file, int fd, uint64_t first_seq, bool state_knows,
                       struct slu_file_reading *reading, struct slu_err *err)
{
    const struct slu_file_state *state = &file->state;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return slu_err_system(err, errno, "cannot ask for a file's size");
    const bool is_longer = state_knows && (uint64_t)status.st_size > state->open_bytes;
    if (slu_file_avro_read(file, fd, is_longer ? (off_t)state->open_bytes : status.st_size, reading,
                           err) != 0)
        return -1;
    if (state_knows && (uint64_t)reading->sound_end < state->open_bytes &&
        file->safe_seq >= first_seq)
        file->safe_seq = first_seq > 0 ? first_seq - 1 : 0;
    return 0;
}

/* The open file is there: cut it, take its place, finish it. */
static int finish(struct slu_file *file, int folder, const char *folder_name, const char *name,
                  int fd, bool state_knows, struct slu_err *err)
{
    const enum slu_file_format format = slu_file_format_of(name);
    struct slu_file_reading reading = {0};
    uint64_t first_seq = 0;
    char final[SLU_FILE_NAME_SIZE];

    slu_file_kind(file, name, &first_seq);
    const int result =
        format == SLU_FILE_AVRO
            ? read_blocks(file, fd, first_seq, state_knows, &reading, err)
            : slu_lines_walk(fd, file->env->spool_id, read_line, &reading, NULL, err);
    if (result != 0 || cut(file, folder, folder_name, name, fd, &reading, err) != 0)
        return -1;
    if (reading.last_ours > file->safe_seq)
        file->safe_seq = reading.last_ours;
    if (reading.sound_end == 0)
        return unlinkat(folder, name, 0) == 0 ? 0
                                              : slu_err_system(err, errno, "cannot remove %s/%s/%s",
                                                               file->path, folder_name, name);
    /* Step 4 again: the name must not take away the only place that knows what is safe. */
    if (slu_file_state_write(&file->state, file->env->spool_id, file->safe_seq, file->state.open,
                             (uint64_t)reading.sound_end, err) != 0 ||
        slu_file_rename(file, folder, name, format, first_seq, reading.last_seq, final, err) != 0)
        return -1;
    if (file->compresses && format == SLU_FILE_JSONL)
        slu_file_gzip_begin(file, folder, final);
    return 0;
}

/* ---- what a compression left -------------------------------------------------------------------------- */

static bool has_name(const struct slu_file_visit *folder, const char *name)
{
    for (int i = 0; i < folder->n_names; i++) {
        if (strcmp(folder->names[i]->d_name, name) == 0)
            return true;
    }
    return false;
}

struct leftovers {
    struct slu_file *file;
    uint64_t first_seq; /* of the file that was open last */
};

/* Halves go; a finished .gz replaces its plain file; a plain one that has none is begun again. */
static bool tidy_folder(void *context, const struct slu_file_visit *folder)
{
    struct leftovers *leftovers = context;
    for (int i = 0; i < folder->n_names; i++) {
        const char *name = folder->names[i]->d_name;
        char packed[SLU_FILE_NAME_SIZE + 4];
        uint64_t first_seq;
        const enum slu_file_kind kind = slu_file_kind(leftovers->file, name, &first_seq);
        if (kind == SLU_FILE_FOREIGN || first_seq != leftovers->first_seq)
            continue;
        snprintf(packed, sizeof(packed), "%s.gz", name);
        if (kind == SLU_FILE_TEMP || (kind == SLU_FILE_PLAIN && has_name(folder, packed)))
            unlinkat(folder->folder, name, 0);
        else if (kind == SLU_FILE_PLAIN && leftovers->file->compresses)
            slu_file_gzip_begin(leftovers->file, folder->folder, name);
    }
    return false;
}

/* ---- finding it ------------------------------------------------------------------------------------------ */

int slu_file_recover_one(struct slu_file *file, const char *folder_name, const char *name,
                         bool state_knows, struct slu_err *err)
{
    struct leftovers leftovers = {.file = file};
    if (slu_file_kind(file, name, &leftovers.first_seq) != SLU_FILE_OPEN)
        return 0;
    const int folder = slu_file_folder_open(file, folder_name);
    if (folder < 0)
        return errno == ENOENT
                   ? 0
                   : slu_err_system(err, errno, "cannot open %s/%s", file->path, folder_name);
    const int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    int result = 0;
    if (fd >= 0)
        result = finish(file, folder, folder_name, name, fd, state_knows, err);
    else if (errno == ENOENT)
        slu_file_folder_visit(file, folder_name, tidy_folder, &leftovers);
    else
        result = slu_err_system(err, errno, "cannot open %s/%s/%s", file->path, folder_name, name);
    if (fd >= 0)
        close(fd);
    close(folder);
    return result;
}

struct search {
    struct slu_file *file;
    struct slu_err *err;
    int result;
};

static bool search_folder(void *context, const struct slu_file_visit *folder)
{
    struct search *search = context;
    uint64_t first_seq;

    for (int i = 0; i < folder->n_names && search->result == 0; i++) {
        if (slu_file_kind(search->file, folder->names[i]->d_name, &first_seq) == SLU_FILE_OPEN)
            search->result = slu_file_recover_one(search->file, folder->folder_name,
                                                  folder->names[i]->d_name, false, search->err);
    }
    return search->result == 0;
}

int slu_file_recover(struct slu_file *file, struct slu_err *err)
{
    struct slu_file_state *state = &file->state;
    char place[SLU_FILE_PLACE_SIZE];
    struct search search = {.file = file, .err = err};

    file->safe_seq = 0;
    if (state->is_known && memcmp(state->spool_id, file->env->spool_id, 16) == 0)
        file->safe_seq = state->safe_seq;
    if (!state->is_known || strcmp(state->open, search_mark) == 0) {
        snprintf(state->open, sizeof(state->open), "%s", search_mark);
        const int result =
            slu_file_tree_walk(file, true, SEARCH_FOLDERS, search_folder, &search, err);
        return result == 0 ? search.result : -1;
    }
    snprintf(place, sizeof(place), "%s", state->open);
    char *slash = strrchr(place, '/');
    if (slash == NULL)
        return 0;
    *slash = '\0';
    return slu_file_recover_one(file, place, slash + 1, true, err);
}
