/* file.c -- the file sink; see file.h for what it makes and file_inside.h for how it stays exact.
 *
 * push() only writes lines (or blocks of a container file) into memory and stops at the first record that belongs into another file
 * (another hour, or enough bytes); settle() makes them durable and then begins and ends files. So one
 * push and settle never touch two files.
 */
#include "sinks/file.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/template.h"
#include "sinks/envelope.h"
#include "sinks/file_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR_NS           (3600 * SLU_NS_PER_S)
#define ROTATE_BYTES      (128ll << 20)
#define ROTATE_AGE_NS     (300 * SLU_NS_PER_S)
#define ROTATE_MIN_BYTES  4096
#define ROTATE_MIN_AGE_NS SLU_NS_PER_S
#define PENDING_BYTES     (8u << 20)          /* no more records are taken beyond it */
#define HOUR_GRACE_NS     (10 * SLU_NS_PER_S) /* quiet for so long, a file of a past hour is ended */
#define GZIP_SLICE_NS     (100 * SLU_NS_PER_MS)

/* ---- options ----------------------------------------------------------------------------------------- */

/* The bounds that are durations or sizes. */
static const struct bound {
    const char *group, *key;
    bool is_size;
    int64_t least;
    const char *least_text;
} bounds[] = {
    {"rotate", "size", true, ROTATE_MIN_BYTES, "4KiB"},
    {"rotate", "age", false, ROTATE_MIN_AGE_NS, "1s"},
    {"retain", "max_age", false, HOUR_NS, "1h"},
    {"retain", "max_size", true, ROTATE_MIN_BYTES, "4KiB"},
};

static int64_t read_bound(const struct slu_node *section, const char *group, const char *key,
                          bool is_size, int64_t fallback)
{
    const struct slu_node *node = slu_node_get(slu_node_get(section, group), key);
    return is_size ? slu_node_size_bytes(node, fallback) : slu_node_duration_ns(node, fallback);
}

static void check(const struct slu_node *section, struct slu_problems *problems)
{
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        const struct bound *bound = &bounds[i];
        const struct slu_node *node = slu_node_get(slu_node_get(section, bound->group), bound->key);
        const int64_t value =
            read_bound(section, bound->group, bound->key, bound->is_size, bound->least);
        if (node != NULL && value < bound->least)
            slu_problems_error(problems, node->file, node->line, node->column, NULL,
                               "%s.%s must be at least %s", bound->group, bound->key,
                               bound->least_text);
    }
    const struct slu_node *retained = slu_node_get(slu_node_get(section, "retain"), "max_size");
    const int64_t rotate_bytes = read_bound(section, "rotate", "size", true, ROTATE_BYTES);
    if (retained != NULL && slu_node_size_bytes(retained, rotate_bytes) < rotate_bytes)
        slu_problems_warn(problems, retained->file, retained->line, retained->column, NULL,
                          "retain.max_size is less than rotate.size (%lld bytes): finished files "
                          "are removed at once",
                          (long long)rotate_bytes);
    slu_file_avro_check(section, problems);
}

/* "<sink>-<instance>", escaped as every template of a file name is. */
static int make_prefix(struct slu_file *file, struct slu_err *err)
{
    static const char pattern[] = "${instance}";
    struct slu_template_values values = {0};
    struct slu_arena arena;
    struct slu_buf name;
    int result = -1;

    values.variables[SLU_VARIABLE_INSTANCE] = slu_slice_of(file->env->instance);
    slu_arena_init(&arena, 1 << 16);
    slu_buf_init(&name, SLU_FILE_PREFIX_MAX);
    slu_buf_add_text(&name, file->env->name);
    slu_buf_add_char(&name, '-');
    const struct slu_template *template = slu_template_parse(
        SLU_SLICE(pattern), SLU_VARIABLE_BIT(SLU_VARIABLE_INSTANCE), &arena, err);
    if (template != NULL && slu_template_fill(template, SLU_TEMPLATE_NAME, &values, &name) == 0 &&
        !name.failed) {
        memcpy(file->prefix, slu_buf_text(&name), name.len + 1);
        result = 0;
    }
    slu_buf_fini(&name);
    slu_arena_fini(&arena);
    if (result != 0)
        slu_err_set(err, SLU_EINVAL, "instance is too long for names of files (%u bytes)",
                    SLU_FILE_PREFIX_MAX);
    return result;
}

static int open_sink(void *self, const struct slu_sink_env *env, const struct slu_node *section,
                     struct slu_err *err)
{
    struct slu_file *file = self;
    const char *path = slu_node_text(slu_node_get(section, "path"), "");

    file->env = env;
    file->root = file->fd = file->folder = file->state.fd = -1;
    slu_buf_init(&file->pending, PENDING_BYTES + SLU_ENVELOPE_MAX_BYTES);
    if (path[0] == '\0')
        return slu_err_set(err, SLU_EINVAL, "path is missing");
    if (strcmp(slu_node_text(slu_node_get(section, "format"), "jsonl"), "avro") == 0)
        file->format = SLU_FILE_AVRO;
    file->path = strdup(path);
    if (file->path == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a path");
    file->rotate_bytes = read_bound(section, "rotate", "size", true, ROTATE_BYTES);
    file->rotate_age_ns = read_bound(section, "rotate", "age", false, ROTATE_AGE_NS);
    file->retain_age_ns = read_bound(section, "retain", "max_age", false, 0);
    file->retain_bytes = read_bound(section, "retain", "max_size", true, 0);
    file->compresses =
        file->format == SLU_FILE_JSONL &&
        strcmp(slu_node_text(slu_node_get(section, "compress"), "none"), "gzip") == 0;
    if (file->format == SLU_FILE_AVRO && slu_file_avro_open(file, section, err) != 0)
        return -1;
    return make_prefix(file, err);
}

/* ---- the path: start, and start again ------------------------------------------------------------------ */

/* Make one folder, durable in its parent (as far as we may look at that). */
static int make_folder(const char *path)
{
    if (mkdir(path, 0750) != 0)
        return errno == EEXIST ? 0 : -1;
    if (chmod(path, 0750) != 0) /* whatever the umask */
        return -1;
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    const int fd = parent != NULL ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(parent);
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    const int result = fsync(fd);
    close(fd);
    return result;
}

/* Make `path` and what is missing above it. */
static int make_path(const char *path)
{
    char *part = strdup(path);
    int result = part != NULL ? 0 : -1;

    for (char *slash = part; result == 0 && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        result = make_folder(part);
        if (slash != NULL)
            *slash = '/';
    }
    free(part);
    return result;
}

static void forget_pending(struct slu_file *file)
{
    file->wants_end = false;
    file->n_pending = 0;
    slu_buf_reset(&file->pending);
    if (file->avro != NULL)
        slu_file_avro_forget(file);
}

static void forget_path(struct slu_file *file)
{
    forget_pending(file);
    slu_file_gzip_stop(file);
    slu_file_drop(file);
    slu_file_state_close(&file->state);
    if (file->root >= 0)
        close(file->root);
    file->root = -1;
    file->is_started = false;
}

static int start(struct slu_file *file, struct slu_err *err)
{
    file->root = open(file->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->root < 0 && errno == ENOENT && make_path(file->path) == 0)
        file->root = open(file->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->root < 0)
        return slu_err_system(err, errno, "cannot open %s", file->path);
    struct slu_err problem = {0};
    if (slu_file_state_open(&file->state, file->root, file->prefix, &problem) != 0 ||
        slu_file_recover(file, &problem) != 0) {
        forget_path(file);
        return slu_err_set(err, problem.kind, "%s: %s", file->path, problem.text);
    }
    file->is_started = true;
    file->needs_reset = true;
    return 0;
}

static bool has_links(int fd)
{
    struct stat status;
    return fd < 0 || fstat(fd, &status) != 0 || status.st_nlink > 0;
}

/* Is what is open still what the path names? */
static bool is_in_place(const struct slu_file *file)
{
    struct stat ours, theirs;
    if (!has_links(file->root) || !has_links(file->state.fd))
        return false;
    if (fstat(file->root, &ours) != 0)
        return true;
    if (stat(file->path, &theirs) != 0)
        return errno != ENOENT && errno != ENOTDIR;
    return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* ---- push -------------------------------------------------------------------------------------------- */

static int64_t hour_of(int64_t wall_ns)
{
    return wall_ns / HOUR_NS - (wall_ns % HOUR_NS < 0);
}

/* Belongs the next record into the open file, or into what is pending for one? */
static bool fits(const struct slu_file *file, const struct slu_record *record)
{
    const size_t unsealed = file->avro != NULL ? slu_file_avro_unsealed(file) : 0;
    const int64_t bytes = (int64_t)file->synced_bytes + (int64_t)(file->pending.len + unsealed);
    if (bytes == 0)
        return true;
    return hour_of(record->time_ns) == file->hour && bytes < file->rotate_bytes;
}

static bool add_line(struct slu_file *file, const struct slu_record *record)
{
    const struct slu_envelope envelope = slu_sink_envelope(file->env, record);
    const size_t before = file->pending.len;

    slu_envelope_write(&file->pending, &envelope, record);
    if (!slu_buf_add_char(&file->pending, '\n')) {
        file->pending.failed = false; /* no memory now: it is offered again */
        slu_buf_cut(&file->pending, before);
        return false;
    }
    return true;
}

static bool add_record(struct slu_file *file, const struct slu_record *record)
{
    if (!(file->avro != NULL ? slu_file_avro_add(file, record) : add_line(file, record)))
        return false;
    if (file->n_pending++ == 0) {
        file->pending_first = record->seq;
        if (file->fd < 0)
            file->hour = hour_of(record->time_ns);
    }
    file->pending_last = record->seq;
    return true;
}

static size_t push(void *self, const struct slu_record *records, size_t n, int64_t deadline_mono_ns)
{
    struct slu_file *file = self;
    size_t taken = 0;

    (void)deadline_mono_ns;
    if (!file->is_started || file->needs_reset || file->gzip != NULL)
        return 0;
    while (taken < n && !file->wants_end && file->pending.len < PENDING_BYTES) {
        if (!fits(file, &records[taken]))
            file->wants_end = true;
        else if (add_record(file, &records[taken]))
            taken++;
        else
            break;
    }
    return taken;
}

/* ---- settle ------------------------------------------------------------------------------------------ */

static int write_bytes(int fd, struct slu_slice bytes, off_t place)
{
    for (size_t at = 0; at < bytes.len;) {
        const ssize_t n = pwrite(fd, bytes.data + at, bytes.len - at, place + (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : ENOSPC;
            return -1;
        }
        at += (size_t)n;
    }
    return 0;
}

/* What a new file begins with. */
static struct slu_slice head_of(const struct slu_file *file)
{
    return file->avro != NULL && file->synced_bytes == 0 ? slu_file_avro_head(file)
                                                         : slu_slice(NULL, 0);
}

/* Of a container file only the state knows what is safe. */
static int note_safe(struct slu_file *file, off_t bytes, struct slu_err *err)
{
    if (file->avro == NULL)
        return 0;
    return slu_file_state_write(&file->state, file->env->spool_id, file->pending_last,
                                file->state.open, (uint64_t)bytes, err);
}

/* An fdatasync failed: end the file at what is known to be on disk. */
static int end_suspect(struct slu_file *file, struct slu_err *err)
{
    if (ftruncate(file->fd, file->synced_bytes) != 0 || fdatasync(file->fd) != 0)
        return slu_err_system(err, errno, "cannot cut %s/%s/%s back", file->path, file->folder_name,
                              file->name);
    return slu_file_end(file, err);
}

/* Make what is pending durable: step 3. */
static int flush(struct slu_file *file, struct slu_err *err)
{
    if (file->is_suspect && end_suspect(file, err) != 0)
        return -1;
    if (file->n_pending == 0)
        return 0;
    if (file->avro != NULL && !slu_file_avro_seal(file))
        return slu_err_set(err, SLU_ENOMEM, "no memory for a block of records");
    if (!has_links(file->fd))
        slu_file_note_gone(file);
    if (file->fd < 0 && slu_file_begin(file, err) != 0)
        return -1;
    const struct slu_slice head = head_of(file);
    const off_t place = file->synced_bytes + (off_t)head.len;
    if (write_bytes(file->fd, head, 0) != 0 ||
        write_bytes(file->fd, slu_buf_slice(&file->pending), place) != 0) {
        slu_err_system(err, errno, "cannot write %s/%s/%s", file->path, file->folder_name,
                       file->name);
        if (ftruncate(file->fd, file->synced_bytes) != 0)
            file->is_suspect = true;
        return -1;
    }
    if (fdatasync(file->fd) != 0) {
        slu_err_system(err, errno, "cannot sync %s/%s/%s", file->path, file->folder_name,
                       file->name);
        file->is_suspect = true;
        return -1;
    }
    if (note_safe(file, place + (off_t)file->pending.len, err) != 0) {
        file->is_suspect = true; /* what is written was promised to nobody */
        return -1;
    }
    file->synced_bytes = place + (off_t)file->pending.len;
    file->safe_seq = file->pending_last;
    file->n_lines += file->n_pending;
    file->n_pending = 0;
    file->written_ns = slu_clock_mono_ns();
    slu_buf_reset(&file->pending);
    return 0;
}

static bool is_due_to_end(const struct slu_file *file)
{
    const int64_t now = slu_clock_mono_ns();
    if (file->fd < 0)
        return false;
    return file->wants_end || file->synced_bytes >= file->rotate_bytes ||
           now - file->opened_ns >= file->rotate_age_ns ||
           (now - file->written_ns >= HOUR_GRACE_NS && hour_of(slu_clock_wall_ns()) != file->hour);
}

/* Write, end, compress, retain: the work of one settle. */
static int work(struct slu_file *file, int64_t deadline_mono_ns, struct slu_err *err)
{
    if (flush(file, err) != 0)
        return -1;
    if (is_due_to_end(file) && slu_file_end(file, err) != 0)
        return -1;
    file->wants_end = false;
    const int64_t slice = slu_clock_mono_ns() + GZIP_SLICE_NS;
    if (slu_file_gzip_step(file, slice > deadline_mono_ns ? slice : deadline_mono_ns, err) != 0)
        return -1;
    slu_file_retain(file, false);
    return 0;
}

static enum slu_sink_answer settle(void *self, int64_t deadline_mono_ns,
                                   struct slu_settlement *settlement, struct slu_err *err)
{
    struct slu_file *file = self;
    int result = 0;

    if (file->is_started && !is_in_place(file)) {
        slu_log(SLU_LOG_WARNING, "sink %s: somebody moved or removed %s: starting afresh there",
                file->env->name, file->path);
        if (has_links(file->root) && !file->is_suspect)
            slu_file_end(file, NULL);
        forget_path(file);
    }
    if (!file->is_started && start(file, err) != 0)
        return SLU_SINK_PAUSED;
    if (!file->needs_reset)
        result = work(file, deadline_mono_ns, err);
    settlement->safe_seq = file->safe_seq;
    if (file->needs_reset) {
        file->needs_reset = false;
        forget_pending(file); /* it will be pushed again */
        return SLU_SINK_RESET;
    }
    return result == 0 ? SLU_SINK_LIVE : SLU_SINK_PAUSED;
}

/* ---- the end ----------------------------------------------------------------------------------------- */

static void reset(void *self)
{
    struct slu_file *file = self;
    forget_pending(file);
    if (file->synced_bytes == 0)
        slu_file_end(file, NULL); /* it was named for a record that may not come first any more */
    file->needs_reset = true;
}

static void rotate(void *self)
{
    struct slu_file *file = self;
    file->wants_end = true;
}

static void finish(void *self, int64_t deadline_mono_ns)
{
    struct slu_file *file = self;
    const int64_t half = slu_clock_mono_ns() + (deadline_mono_ns - slu_clock_mono_ns()) / 2;

    if (!file->is_started || flush(file, NULL) != 0 || slu_file_end(file, NULL) != 0)
        return;
    slu_file_gzip_step(file, half, NULL);
}

static void close_sink(void *self)
{
    struct slu_file *file = self;
    if (file->env == NULL)
        return;
    forget_path(file);
    slu_file_avro_close(file);
    slu_buf_fini(&file->pending);
    free(file->path);
    file->path = NULL;
}

const struct slu_sink_ops slu_sink_file = {
    .type = "file",
    .self_bytes = sizeof(struct slu_file),
    .check = check,
    .open = open_sink,
    .push = push,
    .settle = settle,
    .reset = reset,
    .rotate = rotate,
    .finish = finish,
    .close = close_sink,
    .probe = slu_file_probe,
    .wants_schema = true,
};
