/* sink.c -- the sinks a spool knows: their bits and cursors, who is orphaned, who is forgotten.
 *
 *   configured ──▶ orphaned (kept, shown) ──forget──▶ forgotten (claims nothing) ──▶ gone
 *        ▲                │                                 │
 *        └────────────────┘ named again: goes on            └ when no segment uses its bit any more;
 *                                                             named again before: starts at the head
 *
 * A bit is never given to another sink while a segment uses it.
 */
#include "sinks/spool/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int slu_spool_store_cursor(struct slu_spool *spool, struct slu_spool_sink *sink, bool sync,
                           struct slu_err *err)
{
    uint8_t content[SLU_CURSOR_BYTES];

    pthread_mutex_lock(&sink->file_lock);
    pthread_mutex_lock(&spool->lock);
    slu_cursor_pack(&sink->cursor, content);
    pthread_mutex_unlock(&spool->lock);
    const int result = slu_cursor_write(&sink->cursor, content, sync, err);
    pthread_mutex_unlock(&sink->file_lock);
    return result;
}

/* Lock held. */
static struct slu_spool_sink *sink_named(struct slu_spool *spool, const char *name)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        if (spool->sinks[i].used && strcmp(spool->sinks[i].cursor.name, name) == 0)
            return &spool->sinks[i];
    return NULL;
}

/* Lock held. Nothing before now is this sink's. */
static void start_at_head(struct slu_spool *spool, struct slu_spool_sink *sink)
{
    struct slu_position *position = &sink->cursor.position;
    const struct slu_segment *newest = slu_table_newest(&spool->table);

    *position = (struct slu_position){.seq = atomic_load(&spool->head_seq)};
    if (newest == NULL)
        return;
    position->segment = newest->base_seq;
    position->passed = newest->counts[sink->cursor.bit];
}

/* Lock held. A free bit for a new sink, or NULL. */
static struct slu_spool_sink *new_sink(struct slu_spool *spool, const char *name)
{
    for (uint32_t bit = 0; bit < SLU_SINKS_MAX; bit++) {
        struct slu_spool_sink *sink = &spool->sinks[bit];
        if (sink->used)
            continue;
        slu_cursor_init(&sink->cursor, spool->disk, spool->dir_fd, name);
        sink->cursor.bit = bit;
        start_at_head(spool, sink);
        sink->used = true;
        return sink;
    }
    return NULL;
}

int slu_spool_sink(struct slu_spool *spool, const char *name, const char *type,
                   enum slu_when_full when_full, struct slu_err *err)
{
    if (!slu_cursor_name_is_sound(name))
        return slu_err_set(err, SLU_EINVAL, "spool: %s is no name for a sink", name);

    pthread_mutex_lock(&spool->lock);
    struct slu_spool_sink *sink = sink_named(spool, name);
    const bool is_new = sink == NULL;
    if (is_new)
        sink = new_sink(spool, name);
    bool changed = is_new;
    if (sink != NULL) {
        struct slu_cursor *cursor = &sink->cursor;
        if (cursor->forgotten)
            start_at_head(spool, sink);
        changed = is_new || cursor->forgotten || cursor->orphaned ||
                  cursor->when_full != (uint8_t)when_full || strcmp(cursor->type, type) != 0;
        cursor->forgotten = cursor->orphaned = false;
        cursor->when_full = (uint8_t)when_full;
        (void)snprintf(cursor->type, sizeof(cursor->type), "%s", type);
        atomic_store(&sink->when_full, (uint8_t)when_full);
    }
    pthread_mutex_unlock(&spool->lock);
    if (sink == NULL)
        return slu_err_set(err, SLU_EFULL,
                           "spool: no more than %d sinks; forget an orphaned one with: "
                           "sluice spool %s forget SINK",
                           SLU_SINKS_MAX, spool->data_dir);
    if (changed && slu_spool_store_cursor(spool, sink, true, err) != 0) {
        pthread_mutex_lock(&spool->lock);
        if (is_new) {
            slu_slots_close(&sink->cursor.slots);
            sink->used = false;
        }
        pthread_mutex_unlock(&spool->lock);
        return -1;
    }
    slu_writer_wake(spool); /* it writes the definition */
    return (int)sink->cursor.bit;
}

static bool is_among(const char *name, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void slu_spool_keep_sinks(struct slu_spool *spool, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        struct slu_spool_sink *sink = &spool->sinks[i];
        pthread_mutex_lock(&spool->lock);
        const bool orphan =
            sink->used && !sink->cursor.forgotten && !is_among(sink->cursor.name, names, n_names);
        if (orphan)
            sink->cursor.orphaned = true;
        const uint64_t left = orphan ? slu_sink_left(&spool->table, sink) : 0;
        pthread_mutex_unlock(&spool->lock);
        if (!orphan)
            continue;
        struct slu_err err = {0};
        if (slu_spool_store_cursor(spool, sink, true, &err) != 0)
            slu_log(SLU_LOG_WARNING, "%s", err.text);
        slu_log(SLU_LOG_NOTICE,
                "spool: sink %s is not configured any more, %" PRIu64
                " records are kept for it; give them up with: sluice spool %s forget %s",
                sink->cursor.name, left, spool->data_dir, sink->cursor.name);
    }
}

/* ---- forget ---------------------------------------------------------------------------------------- */

static int forget_sink(struct slu_spool *spool, const char *name, bool was_orphaned,
                       uint64_t *records, struct slu_err *err)
{
    pthread_mutex_lock(&spool->lock);
    struct slu_spool_sink *sink = sink_named(spool, name);
    const bool known = sink != NULL && !sink->cursor.forgotten;
    if (known && was_orphaned) {
        *records = slu_sink_left(&spool->table, sink);
        sink->cursor.forgotten = true;
    }
    pthread_mutex_unlock(&spool->lock);
    if (!known)
        return slu_err_set(err, SLU_ENOENT, "spool: %s has no sink %s", spool->data_dir, name);
    if (!was_orphaned)
        return slu_err_set(
            err, SLU_EINVAL,
            "spool: sink %s is configured; take it out of the configuration and start "
            "the broker once, then it may be forgotten",
            name);
    return slu_spool_store_cursor(spool, sink, true, err);
}

/* Is it marked orphaned on disk? Opening the spool takes every sink for one. */
static bool is_orphaned_on_disk(const char *data_dir, const char *name)
{
    char path[PATH_MAX];
    struct slu_cursor cursor;
    const int n = snprintf(path, sizeof(path), "%s/spool", data_dir);
    if (n < 0 || (size_t)n >= sizeof(path) || !slu_cursor_name_is_sound(name))
        return false;
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0)
        return false;
    slu_cursor_init(&cursor, &slu_disk_real, dir, name);
    const enum slu_slots_found found = slu_cursor_load(&cursor, true, NULL);
    slu_slots_close(&cursor.slots);
    close(dir);
    return found == SLU_SLOTS_MISSING || found == SLU_SLOTS_DAMAGED || cursor.orphaned;
}

int slu_spool_forget(const char *data_dir, const char *sink, uint64_t *records, struct slu_err *err)
{
    *records = 0;
    struct stat status;
    if (stat(data_dir, &status) != 0)
        return slu_err_system(err, errno, "spool: %s", data_dir);

    const bool orphaned = is_orphaned_on_disk(data_dir, sink);
    const struct slu_spool_options options = {.data_dir = data_dir,
                                              .sync_interval_ns = SLU_PASS_NS};
    struct slu_spool *spool = slu_spool_open(&options, err);
    if (spool == NULL)
        return -1;
    const int result = forget_sink(spool, sink, orphaned, records, err);
    atomic_store(&spool->reclaim, true); /* the writer deletes what is free now, before it ends */
    slu_spool_close(spool, slu_clock_mono_ns() + 5 * SLU_NS_PER_S);
    return result;
}
