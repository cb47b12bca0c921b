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
 * Damage: a stretch that is no record is skipped. For whom its records were cannot be read from it; but
 * the segment knows how many records of each sink it has, and when a sink leaves it with fewer, the
 * difference is counted corrupt.
 *
 * Threads: a reader belongs to one thread; the spool's lock is taken for a look at the table and for
 * the books, never over a read. The writer may move the position forward (drop_oldest).
 */
#include "sinks/spool/reader.h"

#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES (1u << 20)
#define PATIENCE   5 /* reads that failed in a row, before an unreadable page counts as damage */
#define CURSOR_NS  SLU_NS_PER_S

/* ---- walking --------------------------------------------------------------------------------------- */

static void walk_init(struct slu_walk *walk, const struct slu_disk *disk)
{
    *walk = (struct slu_walk){.fd = -1};
    slu_scan_init(&walk->scan, disk, READ_BYTES);
}

static void walk_close(struct slu_walk *walk)
{
    slu_files_close(walk->scan.disk, walk->fd);
    walk->fd = -1;
    walk->segment = 0;
}

static void walk_fini(struct slu_walk *walk)
{
    walk_close(walk);
    slu_scan_fini(&walk->scan);
}

/* Open `segment` at `offset`. 0; 1: the file is gone; -1: err. */
static int walk_open(struct slu_spool *spool, struct slu_walk *walk,
                     const struct slu_segment *segment, uint64_t offset, uint64_t last_seq,
                     struct slu_err *err)
{
    char name[SLU_SEGMENT_NAME_SIZE];
    struct slu_err open_err = {0};

    slu_segment_name(segment->base_seq, name);
    const int fd = slu_files_open(spool->disk, spool->dir_fd, name, O_RDONLY, &open_err);
    if (fd < 0 && open_err.kind == SLU_ENOENT)
        return 1;
    if (fd < 0)
        return slu_err_set(err, open_err.kind, "%s", open_err.text);
    walk_close(walk);
    walk->fd = fd;
    walk->segment = segment->base_seq;
    walk->generation = segment->generation;
    walk->at_end = false;
    slu_scan_begin(&walk->scan, fd, slu_pack_seed(segment->id), offset, segment->end, last_seq,
                   SLU_SEQ_MAX);
    return 0;
}

/* ---- finding the way ------------------------------------------------------------------------------- */

/* The next segment for this walk: 1 and a copy; 0: there is none (yet). Tells the marks of the end of
 * the one that is left, and what has been looked at. */
static int next_segment(struct slu_spool_reader *reader, struct slu_walk *walk, bool leads,
                        struct slu_segment *next)
{
    struct slu_spool *spool = reader->spool;
    int answer = 0;

    pthread_mutex_lock(&spool->lock);
    const struct slu_segment *here = slu_table_find(&spool->table, walk->segment);
    if (here != NULL && walk->fd >= 0 && here->generation != walk->generation) {
        *next = *here;
        answer = 1;
    } else if (here != NULL && here->end > walk->scan.end && walk->fd >= 0) {
        walk->scan.end = here->end; /* it has grown meanwhile */
        *next = *here;
        answer = 1;
    } else if (here == NULL || here->sealed) {
        if (here != NULL && leads && !walk->at_end)
            slu_marks_end(reader, here);
        walk->at_end = true;
        const struct slu_segment *found = slu_table_next(&spool->table, walk->segment);
        if (found != NULL) {
            *next = *found;
            answer = 1;
        }
    } else if (leads && walk->fd >= 0) {
        slu_marks_end(reader, here);
    }
    if (answer == 0 && leads)
        reader->exhausted = atomic_load(&spool->durable_seq);
    pthread_mutex_unlock(&spool->lock);
    return answer;
}

/* Go on behind the end of what could be read. 1: go on; 0: nothing there; -1: err. */
static int walk_on(struct slu_spool_reader *reader, struct slu_walk *walk, bool leads,
                   struct slu_err *err)
{
    struct slu_segment next;

    while (next_segment(reader, walk, leads, &next) == 1) {
        if (next.base_seq == walk->segment && next.generation == walk->generation)
            return 1;
        const int opened =
            walk_open(reader->spool, walk, &next, SLU_SEGMENT_HEADER_BYTES, next.base_seq - 1, err);
        if (opened <= 0)
            return opened == 0 ? 1 : -1;
        walk_close(walk); /* deleted under our eyes: the one behind it */
        walk->segment = next.base_seq;
    }
    return 0;
}

/* Where to begin to find all records with seq > `after`. Lock held. */
static bool find_start(struct slu_spool_reader *reader, uint64_t after, struct slu_segment *segment,
                       uint64_t *offset, uint64_t *last_seq)
{
    const struct slu_table *table = &reader->spool->table;
    const struct slu_position *position = &reader->sink->cursor.position;
    const struct slu_segment *found = slu_table_find(table, position->segment);

    if (after >= position->seq && found != NULL && position->offset >= SLU_SEGMENT_HEADER_BYTES &&
        position->offset <= found->end) {
        *segment = *found;
        *offset = position->offset;
        *last_seq = found->base_seq - 1; /* the offset is enough; seq may be of another record */
        return true;
    }
    /* Not behind the position, or records without a mark would be jumped over. */
    if (after < position->seq || found == NULL)
        found = slu_table_holding(table, (after < position->seq ? after : position->seq) + 1);
    if (found == NULL)
        return false;
    *segment = *found;
    *offset = SLU_SEGMENT_HEADER_BYTES;
    *last_seq = found->base_seq - 1;
    return true;
}

/* Bring the walk to a place from which all records behind `after` come. 1, 0: nothing there, -1. */
static int walk_to(struct slu_spool_reader *reader, uint64_t after, struct slu_err *err)
{
    struct slu_spool *spool = reader->spool;
    struct slu_walk *walk = &reader->walk;
    struct slu_segment segment;
    uint64_t offset = 0, last_seq = 0;

    if (walk->segment != 0 && after >= walk->own_last)
        return 1;
    pthread_mutex_lock(&spool->lock);
    const bool found = find_start(reader, after, &segment, &offset, &last_seq);
    pthread_mutex_unlock(&spool->lock);
    if (!found)
        return 0; /* no segment at all yet */
    const int opened = walk_open(spool, walk, &segment, offset, last_seq, err);
    if (opened < 0)
        return -1;
    if (opened > 0) { /* deleted just now */
        walk_close(walk);
        walk->segment = segment.base_seq;
    }
    walk->own_last = after;
    return 1;
}

static void note_damage(struct slu_spool_reader *reader, const struct slu_walk *walk,
                        const struct slu_scan_item *item)
{
    struct slu_spool *spool = reader->spool;

    pthread_mutex_lock(&spool->lock);
    struct slu_segment *segment = slu_table_find(&spool->table, walk->segment);
    const bool is_new = segment != NULL && item->offset >= segment->damage_seen;
    uint64_t lost = item->lost;
    if (is_new) {
        segment->damage_seen = item->offset + item->bytes;
        if (item->kind == SLU_SCAN_END && segment->last_seq > walk->scan.last_seq)
            lost = segment->last_seq - walk->scan.last_seq;
    }
    pthread_mutex_unlock(&spool->lock);
    if (!is_new)
        return;
    atomic_fetch_add(&spool->corrupt_records, lost);
    atomic_fetch_add(&spool->corrupt_bytes, item->bytes);
    slu_log(SLU_LOG_ERROR,
            "spool: %" PRIu64 " damaged bytes at %" PRIu64 " of segment %020" PRIu64 ", %" PRIu64
            " records lost; sink %s goes on behind them",
            item->bytes, item->offset, walk->segment, lost, reader->sink->cursor.name);
}

/* The next record of this sink; SLU_SCAN_END: none readable; LATER; ERROR. */
static enum slu_scan_kind walk_next(struct slu_spool_reader *reader, struct slu_walk *walk,
                                    bool leads, bool in_buffer, struct slu_scan_item *item,
                                    struct slu_err *err)
{
    for (;;) {
        const enum slu_scan_kind kind =
            walk->fd >= 0 ? slu_scan_next(&walk->scan, item, in_buffer, err) : SLU_SCAN_END;
        switch (kind) {
        case SLU_SCAN_ERROR:
        case SLU_SCAN_LATER:
            return kind;
        case SLU_SCAN_RECORD:
            if ((item->record.sinks >> reader->bit & 1u) == 0)
                break;
            if (leads)
                slu_marks_record(reader, walk->segment, item);
            return kind;
        case SLU_SCAN_DAMAGE:
            note_damage(reader, walk, item);
            break;
        case SLU_SCAN_DEFINITION:
        case SLU_SCAN_FOOTER:
            break;
        case SLU_SCAN_END: {
            if (in_buffer)
                return SLU_SCAN_LATER;
            if (item->bytes > 0 && walk->fd >= 0 && walk->scan.at < walk->scan.end) {
                /* Nothing valid up to the readable end: lost, as far as we can ever know. */
                note_damage(reader, walk, item);
                walk->scan.at = walk->scan.end;
            }
            const int on = walk_on(reader, walk, leads, err);
            if (on <= 0)
                return on == 0 ? SLU_SCAN_END : SLU_SCAN_ERROR;
            break;
        }
        }
    }
}

/* ---- reading --------------------------------------------------------------------------------------- */

static int fill(struct slu_spool_reader *reader, uint64_t after, struct slu_record *records,
                size_t max_records, size_t max_bytes, struct slu_err *err)
{
    struct slu_walk *walk = &reader->walk;
    struct slu_scan_item item = {0};
    size_t n = 0, bytes = 0;

    while (n < max_records) {
        const uint64_t at = walk->scan.at, last_seq = walk->scan.last_seq;
        const enum slu_scan_kind kind = walk_next(reader, walk, true, n > 0, &item, err);
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
    int n = walk_to(reader, after, err);
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
    const bool found = find_start(reader, position->seq, &segment, &offset, &last_seq);
    pthread_mutex_unlock(&spool->lock);
    if (!found)
        return 0;

    walk_init(&walk, spool->disk);
    reader->marks_behind = false;
    int opened = walk_open(spool, &walk, &segment, offset, last_seq, err);
    if (opened > 0) {
        walk.segment = segment.base_seq;
        opened = 0;
    }
    while (opened == 0 && reader->marked.seq < seq &&
           walk_next(reader, &walk, true, false, &item, err) == SLU_SCAN_RECORD) {
        if (item.record.seq > seq)
            break;
        pthread_mutex_lock(&spool->lock);
        n += slu_marks_pass(reader, seq);
        pthread_mutex_unlock(&spool->lock);
    }
    walk_fini(&walk);
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
    walk_init(&reader->walk, spool->disk);
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
    walk_fini(&reader->walk);
    free(reader->marks);
    free(reader);
}
