/* dead_letter.c -- see dead_letter.h for what is kept and where.
 *
 *   file   │ whole lines, synced                │ pending
 *          └──────────── synced_bytes ──────────┴── in memory until sync: pwrite, fdatasync
 *
 * `pending` is written at `synced_bytes` and forgotten only after the fdatasync. When anything
 * fails the file is cut back to `synced_bytes` and closed: a file whose sync failed once is looked
 * at afresh before it is trusted again. What lies in an open file up to `synced_bytes` never changes.
 *
 * At open every file's last line is looked at. Only those that end beyond the cursor are read: their
 * seqs beyond the cursor are the letters whose records will come again. The one with the highest of
 * our seqs is the one to append to. A file may hold letters of an older spool (its id tells); they
 * are left alone.
 */
#include "sinks/dead_letter.h"

#include "base/buf.h"
#include "sinks/envelope.h"
#include "sinks/lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_DIGITS   20
#define PENDING_BYTES (8u << 20) /* beyond this what was added is written, though not yet synced */
#define KNOWN_MAX     (1u << 20) /* letters beyond the cursor that are remembered */

struct slu_dead_letters {
    const struct slu_sink_env *env;
    char *folder;                              /* <data_dir>/dead/<sink> */
    int dir;                                   /* -1: not there yet */
    int fd;                                    /* the file that is appended to; -1: none is open */
    char name[NAME_DIGITS + sizeof(".jsonl")]; /* of the file to append to; "": a new one */
    off_t synced_bytes, written_bytes;
    bool is_suspect;   /* `name` may be longer than synced_bytes: cut it when it is opened again */
    uint64_t last_seq; /* of the newest letter of ours in `name` */
    struct slu_buf pending;
    uint64_t *known; /* ascending; letters beyond the cursor at open */
    size_t n_known;
};

/* ---- reading what is there --------------------------------------------------------------------------- */

struct survey {
    struct slu_dead_letters *letters;
    uint64_t committed;
    bool failed;
};

static bool remember(struct slu_dead_letters *letters, uint64_t seq)
{
    const size_t n = letters->n_known;
    if (n >= KNOWN_MAX)
        return false;
    if ((n & (n - 1)) == 0) { /* full at the powers of two */
        uint64_t *known = realloc(letters->known, (n == 0 ? 1 : 2 * n) * sizeof(*known));
        if (known == NULL)
            return false;
        letters->known = known;
    }
    letters->known[letters->n_known++] = seq;
    return true;
}

static bool survey_line(void *context, const struct slu_line *line)
{
    struct survey *survey = context;

    if (line->is_sound && line->is_ours && line->seq > survey->committed)
        survey->failed = survey->failed || !remember(survey->letters, line->seq);
    return !survey->failed;
}

/* Read a file whose last letter lies beyond the cursor, or cannot be read. Unsound lines stay where
 * they are: their records come again, and somebody may want to look. */
static int survey_file(struct slu_dead_letters *letters, int fd, uint64_t committed,
                       struct slu_err *err)
{
    struct survey survey = {.letters = letters, .committed = committed};

    if (slu_lines_walk(fd, letters->env->spool_id, survey_line, &survey, NULL, err) != 0)
        return -1;
    if (survey.failed)
        return slu_err_set(err, SLU_ENOMEM, "too many dead letters beyond the cursor");
    return 0;
}

/* Cut what follows the last newline: a torn line whose record has not been passed. */
static int cut_torn(int fd, const struct slu_line *last, struct slu_err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return slu_err_system(err, errno, "cannot ask for a dead letter file's size");
    if (status.st_size > last->end && ftruncate(fd, last->end) != 0)
        return slu_err_system(err, errno, "cannot cut the torn end of a dead letter file");
    return 0;
}

static int look_at(struct slu_dead_letters *letters, int fd, const char *name, uint64_t committed,
                   struct slu_err *err)
{
    struct slu_line last = {0};
    const int found = slu_lines_last(fd, letters->env->spool_id, &last, err);
    if (found < 0 || cut_torn(fd, &last, err) != 0)
        return -1;
    if (found == 0)
        return 0;
    const bool is_recent = last.is_sound && last.is_ours && last.seq > committed;
    if ((is_recent || !last.is_sound) && survey_file(letters, fd, committed, err) != 0)
        return -1;
    if (!last.is_sound || !last.is_ours || last.seq < letters->last_seq)
        return 0;
    letters->last_seq = last.seq;
    memcpy(letters->name, name, sizeof(letters->name));
    return 0;
}

static bool is_letter_file(const char *name)
{
    return strspn(name, "0123456789") == NAME_DIGITS && strcmp(name + NAME_DIGITS, ".jsonl") == 0;
}

static int open_at(const struct slu_dead_letters *letters, const char *name, int flags)
{
    return openat(letters->dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

static int compare_seqs(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int look_at_all(struct slu_dead_letters *letters, DIR *dir, uint64_t committed,
                       struct slu_err *err)
{
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_letter_file(entry->d_name))
            continue;
        const int fd = open_at(letters, entry->d_name, 0);
        if (fd < 0)
            return slu_err_system(err, errno, "cannot open %s/%s", letters->folder, entry->d_name);
        const int result = look_at(letters, fd, entry->d_name, committed, err);
        close(fd);
        if (result != 0)
            return -1;
    }
    if (letters->n_known > 0)
        qsort(letters->known, letters->n_known, sizeof(letters->known[0]), compare_seqs);
    return 0;
}

static int look_around(struct slu_dead_letters *letters, uint64_t committed, struct slu_err *err)
{
    letters->dir = open(letters->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (letters->dir < 0 && errno == ENOENT)
        return 0;
    const int copy = letters->dir >= 0 ? openat(letters->dir, ".", O_RDONLY | O_CLOEXEC) : -1;
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL) {
        slu_err_system(err, errno, "cannot read %s", letters->folder);
        if (copy >= 0)
            close(copy);
        return -1;
    }
    const int result = look_at_all(letters, dir, committed, err);
    closedir(dir);
    return result;
}

struct slu_dead_letters *slu_dead_letters_open(const char *data_dir, const struct slu_sink_env *env,
                                               uint64_t committed, struct slu_err *err)
{
    struct slu_dead_letters *letters = calloc(1, sizeof(*letters));
    if (letters == NULL || asprintf(&letters->folder, "%s/dead/%s", data_dir, env->name) < 0) {
        free(letters);
        slu_err_set(err, SLU_ENOMEM, "no memory for the dead letters");
        return NULL;
    }
    letters->env = env;
    letters->dir = letters->fd = -1;
    slu_buf_init(&letters->pending, 2 * (size_t)SLU_ENVELOPE_MAX_BYTES);
    if (look_around(letters, committed, err) == 0)
        return letters;
    slu_dead_letters_close(letters);
    return NULL;
}

void slu_dead_letters_close(struct slu_dead_letters *letters)
{
    if (letters == NULL)
        return;
    if (letters->fd >= 0)
        close(letters->fd);
    if (letters->dir >= 0)
        close(letters->dir);
    slu_buf_fini(&letters->pending);
    free(letters->known);
    free(letters->folder);
    free(letters);
}

bool slu_dead_letters_has(const struct slu_dead_letters *letters, uint64_t seq)
{
    return letters->n_known > 0 && bsearch(&seq, letters->known, letters->n_known,
                                           sizeof(letters->known[0]), compare_seqs) != NULL;
}

size_t slu_dead_letters_between(const struct slu_dead_letters *letters, uint64_t after,
                                uint64_t upto)
{
    size_t n = 0;
    for (size_t i = 0; letters != NULL && i < letters->n_known; i++)
        n += letters->known[i] > after && letters->known[i] <= upto;
    return n;
}

/* ---- adding ------------------------------------------------------------------------------------------ */

/* Make a folder and its entry in the parent durable. */
static int make_folder(const char *path, const char *parent, struct slu_err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return slu_err_system(err, errno, "cannot make %s", path);
    const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int result = fd >= 0 ? fsync(fd) : -1;
    if (result != 0)
        slu_err_system(err, errno, "cannot sync %s", parent);
    if (fd >= 0)
        close(fd);
    return result;
}

/* `path` up to its last slash. False: no memory. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? strndup(path, (size_t)(slash - path)) : strdup(".");
}

static int make_folders(struct slu_dead_letters *letters, struct slu_err *err)
{
    char *dead = parent_of(letters->folder);
    char *data_dir = dead != NULL ? parent_of(dead) : NULL;
    int result = -1;

    if (data_dir == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for the dead letters");
    else if (make_folder(dead, data_dir, err) == 0)
        result = make_folder(letters->folder, dead, err);
    free(data_dir);
    free(dead);
    if (result != 0)
        return -1;
    letters->dir = open(letters->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return letters->dir >= 0 ? 0 : slu_err_system(err, errno, "cannot open %s", letters->folder);
}

/* A new file begins with the name of its first record. One of that name can only be an older spool's,
 * or one that got no line: it is appended to. */
static int make_file(struct slu_dead_letters *letters, uint64_t seq, struct slu_err *err)
{
    snprintf(letters->name, sizeof(letters->name), "%020" PRIu64 ".jsonl", seq);
    letters->is_suspect = false;
    letters->fd = open_at(letters, letters->name, O_CREAT);
    if (letters->fd >= 0 && fsync(letters->dir) == 0)
        return 0;
    slu_err_system(err, errno, "cannot make %s/%s", letters->folder, letters->name);
    if (letters->fd >= 0)
        close(letters->fd);
    letters->fd = -1;
    letters->name[0] = '\0';
    return -1;
}

/* Open the file to append to; sets the sizes. */
static int open_file(struct slu_dead_letters *letters, uint64_t seq, struct slu_err *err)
{
    struct stat status;
    if (letters->dir < 0 && make_folders(letters, err) != 0)
        return -1;
    if (letters->name[0] != '\0')
        letters->fd = open_at(letters, letters->name, 0);
    if (letters->fd < 0 && make_file(letters, seq, err) != 0)
        return -1;
    if (fstat(letters->fd, &status) != 0 || !S_ISREG(status.st_mode))
        return slu_err_set(err, SLU_EDENIED, "%s/%s is no file", letters->folder, letters->name);
    if (!letters->is_suspect)
        letters->synced_bytes = status.st_size;
    else if (ftruncate(letters->fd, letters->synced_bytes) != 0)
        return slu_err_system(err, errno, "cannot cut %s/%s back", letters->folder, letters->name);
    letters->is_suspect = false;
    letters->written_bytes = letters->synced_bytes;
    return 0;
}

/* Back to what was synced. The file is opened afresh for the next letter, and cut then if that could
 * not be done now. */
static int give_up(struct slu_dead_letters *letters)
{
    if (letters->fd >= 0 && letters->written_bytes > letters->synced_bytes)
        letters->is_suspect = ftruncate(letters->fd, letters->synced_bytes) != 0;
    if (letters->fd >= 0)
        close(letters->fd);
    letters->fd = -1;
    slu_buf_reset(&letters->pending);
    return -1;
}

static int write_pending(struct slu_dead_letters *letters, struct slu_err *err)
{
    for (size_t at = 0; at < letters->pending.len;) {
        const ssize_t n = pwrite(letters->fd, letters->pending.data + at, letters->pending.len - at,
                                 letters->written_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return slu_err_system(err, n < 0 ? errno : ENOSPC, "cannot write %s/%s",
                                  letters->folder, letters->name);
        at += (size_t)n;
        letters->written_bytes += n;
    }
    slu_buf_reset(&letters->pending);
    return 0;
}

int slu_dead_letters_add(struct slu_dead_letters *letters, const struct slu_record *record,
                         const struct slu_sink_reject *reject, int64_t time_ns, struct slu_err *err)
{
    if (slu_dead_letters_has(letters, record->seq))
        return 0;
    const struct slu_envelope envelope = slu_sink_envelope(letters->env, record);
    slu_envelope_write_dead(&letters->pending, &envelope, record, letters->env->name, reject->code,
                            reject->message, time_ns);
    if (!slu_buf_add_char(&letters->pending, '\n')) {
        slu_err_set(err, SLU_ENOMEM, "no memory for a dead letter");
        return give_up(letters);
    }
    if (letters->fd < 0 && open_file(letters, record->seq, err) != 0)
        return give_up(letters);
    if (letters->pending.len > PENDING_BYTES && write_pending(letters, err) != 0)
        return give_up(letters);
    return 0;
}

/* Somebody removed the open file: what was added would go with it. */
static bool is_gone(const struct slu_dead_letters *letters)
{
    struct stat status;
    return fstat(letters->fd, &status) == 0 && status.st_nlink == 0;
}

int slu_dead_letters_sync(struct slu_dead_letters *letters, struct slu_err *err)
{
    if (letters->fd < 0)
        return 0;
    if (is_gone(letters)) {
        slu_err_set(err, SLU_ENOENT, "%s/%s was removed", letters->folder, letters->name);
        letters->name[0] = '\0';
        return give_up(letters);
    }
    if (write_pending(letters, err) != 0)
        return give_up(letters);
    if (letters->written_bytes == letters->synced_bytes)
        return 0;
    if (fdatasync(letters->fd) != 0) {
        slu_err_system(err, errno, "cannot sync %s/%s", letters->folder, letters->name);
        return give_up(letters);
    }
    letters->synced_bytes = letters->written_bytes;
    if (letters->synced_bytes >= SLU_DEAD_LETTER_FILE_BYTES) {
        close(letters->fd);
        letters->fd = -1;
        letters->name[0] = '\0';
    }
    return 0;
}
