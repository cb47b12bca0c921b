/* reader.c -- one sink's way through the segments.
 *
 *             position (on disk)        marked            walk
 *                 │                       │                │
 *   ──────────────┼──── read, not yet ────┼────────────────┼──────▶ seq
 *     fate known  │      committed        │  (only when far ahead)
 *
 * The walk is where reading is. A mark is kept for every record of the sink between position and
 * `marked`, so that a commit can count exactly what it passes and knows where in which segment that
 * is. When there are too many marks, or a commit is ahead of everything read (the far side knew more
 * than the cursor), a second walk from `marked` finds what is missing.
 *
 * How it walks, and what damage is: walk.c.
 *
 * Threads: a reader belongs to one thread; the spool's lock is taken for a look at the table and for
 * the books, never over a read. The writer may move the position forward (drop_oldest).
 */
#include "sinks/spool/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE  5 /* reads that failed in a row, before an unreadable page counts as damage */
#define CURSOR_NS SLU_NS_PER_S

/* ---- reading --------------------------------------------------------------------------------------- */

static int fill(struct slu_spool_reader *reader, uint64_t after, struct slu_record *records,
                size_t max_records, size_t max_bytes, struct slu_err *err)
{
    struct slu_walk *walk = &reader->walk;
    struct slu_scan_item item = {0};
    size_t n = 0, bytes = 0;

    while (n < max_records) {
        const uint64_t at = walk->scan.at, last_seq = walk->scan.last_seq;
        const enum slu_scan_kind kind = slu_walk_next(reader, walk, true, n > 0, &item, err);
        if (kind == SLU_SCAN_ERROR && n == 0)
            return -1;
        if (kind != SLU_SCAN_RECORD)
            break;
        if (item.record.seq <= after) {
            walk->own_last = item.record.seq;
            continue;
        }
        /* Records of one answer have one spool id. */
        const bool other_id =
            n > 0 && slu_identity_of(&reader->spool->identity, records[0].seq) !=
                         slu_identity_of(&reader->spool->identity, item.record.seq);
        if (n > 0 && (bytes + item.bytes > max_bytes || other_id)) {
            walk->scan.at = at;
            walk->scan.last_seq = last_seq;
            break;
        }
        walk->own_last = item.record.seq;
        records[n++] = item.record;
        bytes += item.bytes;
    }
    return (int)n;
}

int slu_spool_read(struct slu_spool_reader *reader, uint64_t after, struct slu_record *records,
                   size_t max_records, size_t max_bytes, struct slu_err *err)
{
    struct slu_scan *scan = &reader->walk.scan;

    reader->exhausted = 0;
    if (max_records == 0)
        return 0;
    pthread_mutex_lock(&reader->spool->lock);
    if (reader->marked.segment < reader->sink->cursor.position.segment)
        reader->marked = reader->sink->cursor.position; /* the writer dropped the oldest */
    pthread_mutex_unlock(&reader->spool->lock);
    int n = slu_walk_to(reader, after, err);
    if (n == 0)
        reader->exhausted = atomic_load(&reader->spool->durable_seq);
    if (n > 0) {
        const uint64_t left = scan->buffer_at + scan->buffered - scan->at;
        if (left < scan->capacity / 2)
            scan->buffered = 0; /* rather a full buffer now than a small answer */
        scan->patch_holes = reader->failures >= PATIENCE;
        n = fill(reader, after, records, max_records > INT32_MAX ? INT32_MAX : max_records,
                 max_bytes, err);
    }
    reader->failures = n < 0 ? reader->failures + 1 : 0;
    return n;
}

/* ---- committing ------------------------------------------------------------------------------------ */

/* A commit is ahead of what is marked: walk there, counting. Returns how many records were passed. */
static uint64_t catch_up(struct slu_spool_reader *reader, uint64_t seq, struct slu_err *err)
{
    struct slu_spool *spool = reader->spool;
    struct slu_walk walk;
    struct slu_segment segment;
    struct slu_scan_item item = {0};
    uint64_t offset = 0, last_seq = 0, n = 0;

    pthread_mutex_lock(&spool->lock);
    const struct slu_position *position = &reader->sink->cursor.position;
    const bool found = slu_walk_start(reader, position->seq, &segment, &offset, &last_seq);
    pthread_mutex_unlock(&spool->lock);
    if (!found)
        return 0;

    slu_walk_init(&walk, spool->disk);
    reader->marks_behind = false;
    int opened = slu_walk_open(spool, &walk, &segment, offset, last_seq, err);
    if (opened > 0) {
        walk.segment = segment.base_seq;
        opened = 0;
    }
    while (opened == 0 && reader->marked.seq < seq &&
           slu_walk_next(reader, &walk, true, false, &item, err) == SLU_SCAN_RECORD) {
        if (item.record.seq > seq)
            break;
        pthread_mutex_lock(&spool->lock);
        n += slu_marks_pass(reader, seq);
        pthread_mutex_unlock(&spool->lock);
    }
    slu_walk_fini(&walk);
    if (reader->walk.own_last > reader->marked.seq)
        reader->marks_behind = true;
    return n;
}

/* Is there something between what is marked and `seq` that was never looked at? */
static bool is_ahead(const struct slu_spool_reader *reader, uint64_t seq)
{
    return seq > reader->marked.seq && seq > reader->sink->cursor.position.seq &&
           (reader->marks_behind || (seq > reader->walk.own_last && seq > reader->exhausted));
}

static void book_commit(struct slu_spool_reader *reader, uint64_t seq, uint64_t n, uint64_t n_dead)
{
    struct slu_spool_sink *sink = reader->sink;
    const uint64_t dead = n_dead < n ? n_dead : n;

    sink->dead_lettered += dead;
    sink->delivered += n - dead;
    if (sink->cursor.position.seq < seq)
        sink->cursor.position.seq = seq;
    if (reader->marked.seq < sink->cursor.position.seq && !reader->marks_behind)
        reader->marked.seq = sink->cursor.position.seq;
}

int slu_spool_commit(struct slu_spool_reader *reader, uint64_t seq, uint64_t n_dead,
                     struct slu_err *err)
{
    struct slu_spool *spool = reader->spool;
    const uint64_t durable = atomic_load(&spool->durable_seq);
    if (seq > durable)
        seq = durable; /* what comes later was surely not delivered */

    pthread_mutex_lock(&spool->lock);
    uint64_t n = slu_marks_pass(reader, seq);
    const bool ahead = is_ahead(reader, seq);
    pthread_mutex_unlock(&spool->lock);
    struct slu_err walk_err = {0};
    if (ahead)
        n += catch_up(reader, seq, &walk_err);

    pthread_mutex_lock(&spool->lock);
    if (walk_err.kind != SLU_OK) /* an I/O error on the way: only as far as could be counted */
        seq = reader->sink->cursor.position.seq;
    book_commit(reader, seq, n, n_dead);
    pthread_mutex_unlock(&spool->lock);
    atomic_store(&spool->reclaim, true);
    if (walk_err.kind != SLU_OK)
        return slu_err_set(err, walk_err.kind, "%s", walk_err.text);

    const int64_t now = slu_clock_mono_ns();
    const bool sync = now - reader->cursor_synced_ns >= CURSOR_NS;
    if (slu_spool_store_cursor(spool, reader->sink, sync, err) != 0)
        return -1;
    if (sync)
        reader->cursor_synced_ns = now;
    return 0;
}

uint64_t slu_spool_reader_committed(const struct slu_spool_reader *reader)
{
    struct slu_spool *spool = reader->spool;
    pthread_mutex_lock(&spool->lock);
    const uint64_t seq = reader->sink->cursor.position.seq;
    pthread_mutex_unlock(&spool->lock);
    return seq;
}

/* ---- waiting --------------------------------------------------------------------------------------- */

bool slu_spool_wait(struct slu_spool_reader *reader, uint64_t after, int64_t deadline_mono_ns)
{
    struct slu_spool *spool = reader->spool;
    const uint64_t known = after > reader->exhausted ? after : reader->exhausted;
    bool there = false;

    pthread_mutex_lock(&spool->lock);
    for (;;) {
        there = atomic_load(&reader->sink->visible_last) > known;
        const int64_t left = deadline_mono_ns - slu_clock_mono_ns();
        if (there || reader->woken || left <= 0)
            break;
        struct timespec until;
        slu_wait_until(left < SLU_NS_PER_S ? left : SLU_NS_PER_S, &until);
        (void)pthread_cond_timedwait(&spool->readable, &spool->lock, &until);
    }
    reader->woken = false;
    pthread_mutex_unlock(&spool->lock);
    return there;
}

void slu_spool_wake(struct slu_spool_reader *reader)
{
    struct slu_spool *spool = reader->spool;
    pthread_mutex_lock(&spool->lock);
    reader->woken = true;
    pthread_cond_broadcast(&spool->readable);
    pthread_mutex_unlock(&spool->lock);
}

/* ---- open, close ----------------------------------------------------------------------------------- */

static struct slu_spool_sink *find_sink(struct slu_spool *spool, const char *name)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        if (spool->sinks[i].used && strcmp(spool->sinks[i].cursor.name, name) == 0)
            return &spool->sinks[i];
    return NULL;
}

struct slu_spool_reader *slu_spool_reader_open(struct slu_spool *spool, const char *sink,
                                               struct slu_err *err)
{
    struct slu_spool_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        slu_err_set(err, SLU_ENOMEM, "spool: no memory for a reader");
        return NULL;
    }
    pthread_mutex_lock(&spool->lock);
    struct slu_spool_sink *found = find_sink(spool, sink);
    const bool busy = found != NULL && found->reader_open;
    if (found != NULL && !busy) {
        found->reader_open = true;
        reader->spool = spool;
        reader->sink = found;
        reader->bit = found->cursor.bit;
        reader->marked = found->cursor.position;
    }
    pthread_mutex_unlock(&spool->lock);
    if (found == NULL || busy) {
        slu_err_set(err, found == NULL ? SLU_ENOENT : SLU_EBUSY, "spool: sink %s %s", sink,
                    found == NULL ? "is not known" : "has a reader already");
        free(reader);
        return NULL;
    }
    slu_walk_init(&reader->walk, spool->disk);
    return reader;
}

void slu_spool_reader_close(struct slu_spool_reader *reader)
{
    if (reader == NULL)
        return;
    struct slu_spool *spool = reader->spool;
    struct slu_err err = {0};

    if (slu_spool_store_cursor(spool, reader->sink, true, &err) != 0)
        slu_log(SLU_LOG_WARNING, "%s; sink %s may repeat a little after a power cut", err.text,
                reader->sink->cursor.name);
    pthread_mutex_lock(&spool->lock);
    reader->sink->reader_open = false;
    pthread_mutex_unlock(&spool->lock);
    slu_walk_fini(&reader->walk);
    free(reader->marks);
    free(reader);
}
