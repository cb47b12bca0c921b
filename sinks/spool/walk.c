/* walk.c -- from record to record of one sink, from segment to segment.
 *
 * Damage: a stretch that is no record is skipped. For whom its records were cannot be read from it; but
 * the segment knows how many records of each sink it has, and when a sink leaves it with fewer, the
 * difference is counted corrupt.
 *
 * Threads: the reader's. The spool's lock is taken for a look at the table, never over a read.
 */
#include "sinks/spool/files.h"
#include "sinks/spool/reader.h"

#include <fcntl.h>
#include <inttypes.h>

#define READ_BYTES (1u << 20)

/* ---- one segment ------------------------------------------------------------------------------------ */

void slu_walk_init(struct slu_walk *walk, const struct slu_disk *disk)
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

void slu_walk_fini(struct slu_walk *walk)
{
    walk_close(walk);
    slu_scan_fini(&walk->scan);
}

int slu_walk_open(struct slu_spool *spool, struct slu_walk *walk, const struct slu_segment *segment,
                  uint64_t offset, uint64_t last_seq, struct slu_err *err)
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
        const int opened = slu_walk_open(reader->spool, walk, &next, SLU_SEGMENT_HEADER_BYTES,
                                         next.base_seq - 1, err);
        if (opened <= 0)
            return opened == 0 ? 1 : -1;
        walk_close(walk); /* deleted under our eyes: the one behind it */
        walk->segment = next.base_seq;
    }
    return 0;
}

bool slu_walk_start(struct slu_spool_reader *reader, uint64_t after, struct slu_segment *segment,
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

int slu_walk_to(struct slu_spool_reader *reader, uint64_t after, struct slu_err *err)
{
    struct slu_spool *spool = reader->spool;
    struct slu_walk *walk = &reader->walk;
    struct slu_segment segment;
    uint64_t offset = 0, last_seq = 0;

    if (walk->segment != 0 && after >= walk->own_last)
        return 1;
    pthread_mutex_lock(&spool->lock);
    const bool found = slu_walk_start(reader, after, &segment, &offset, &last_seq);
    pthread_mutex_unlock(&spool->lock);
    if (!found)
        return 0; /* no segment at all yet */
    const int opened = slu_walk_open(spool, walk, &segment, offset, last_seq, err);
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

enum slu_scan_kind slu_walk_next(struct slu_spool_reader *reader, struct slu_walk *walk, bool leads,
                                 bool in_buffer, struct slu_scan_item *item, struct slu_err *err)
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
