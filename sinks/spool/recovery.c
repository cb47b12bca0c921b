/* recovery.c -- from the files that are there to a spool that goes on.
 *
 *   1  the lock is held (spool.c)
 *   2  identity and reservation are read
 *   3  segments: of sealed ones the footer is read; the newest, and any other that was not sealed, is
 *      walked. An invalid stretch with something valid and higher behind it is damage: counted, set
 *      aside, only those records are lost. One with nothing valid behind it is a torn tail: zeroed
 *      (which keeps the blocks that were taken for it), and writing goes on there.
 *   4  every valid record of the ring with a higher seq, in order, is appended and synced
 *   5  only then numbers are reserved for this run and the ring is used again
 *
 * Each step may be cut by another crash and is simply done again: 3 changes only bytes that mean
 * nothing, what 4 appended is found by 3 the next time, and a reservation that was made twice skips
 * some numbers.
 *
 * The cost does not grow with the backlog: three small reads for a sealed segment, one walk of 64 MiB
 * at most, and the ring.
 */
#include "sinks/spool/recovery.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASIDE_FILES_MAX 16
#define ASIDE_BYTES_MAX (64u << 20)

/* ---- step 2: identity ------------------------------------------------------------------------------ */

static int read_identity(struct slu_recovery *recovery, const char *data_dir, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_identity *identity = &spool->identity;
    uint8_t place[8];

    slu_identity_place(data_dir, place);
    const enum slu_slots_found found =
        slu_identity_load(identity, spool->disk, spool->dir_fd, false, err);
    if (found == SLU_SLOTS_FAILED)
        return -1;
    recovery->had_identity = found == SLU_SLOTS_GOOD;
    recovery->renew = recovery->had_identity && memcmp(place, identity->place, sizeof(place)) != 0;
    if (recovery->renew)
        slu_log(SLU_LOG_WARNING,
                "spool: %s was made on another machine or path (a copy?): new records get a new "
                "spool id, the backlog keeps its own",
                data_dir);
    memcpy(identity->place, place, sizeof(place));
    return 0;
}

/* The id file is missing or damaged: the newest segment knows who we were. */
static void make_identity(struct slu_recovery *recovery)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_identity *identity = &spool->identity;

    slu_identity_renew(identity, 1);
    for (size_t i = recovery->files.n_segments; i-- > 0;) {
        struct slu_segment segment;
        bool damaged = false;
        int fd = -1;
        if (slu_look_segment(&recovery->look, recovery->files.segments[i], &fd, &segment, &damaged,
                             NULL) != SLU_LOOK_GOOD)
            continue;
        slu_files_close(spool->disk, fd);
        if (damaged)
            continue;
        memcpy(identity->spans[0].id, segment.id, 16);
        slu_log(SLU_LOG_WARNING, "spool: the file id is missing or damaged; taken from a segment");
        return;
    }
    /* No segment to ask: the ring may still hold records under the old id. */
    uint8_t *ring = NULL;
    uint8_t id[16];
    bool has_id = false;
    if (slu_ring_read(spool->disk, spool->dir_fd, false, &ring, id, &has_id, NULL) == 0 && has_id)
        memcpy(identity->spans[0].id, id, 16);
    free(ring);
}

/* ---- step 3: segments ------------------------------------------------------------------------------ */

/* Keep damaged bytes for a person to look at. Failing here is no failure. */
static void set_aside(struct slu_recovery *recovery, int fd, const struct slu_segment *segment,
                      const struct slu_scan_item *item)
{
    const struct slu_disk *disk = recovery->spool->disk;
    char name[80];

    if (recovery->n_aside++ >= ASIDE_FILES_MAX || item->bytes > ASIDE_BYTES_MAX)
        return;
    (void)snprintf(name, sizeof(name), "%020" PRIu64 "-%" PRIu64 ".damaged", segment->base_seq,
                   item->offset);
    const int out =
        slu_files_open(disk, recovery->spool->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, NULL);
    if (out < 0) /* set aside by an earlier recovery, most likely */
        return;
    uint8_t piece[4096];
    for (uint64_t done = 0; done < item->bytes;) {
        const uint64_t left = item->bytes - done;
        const ssize_t got =
            slu_files_read(disk, fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece),
                           item->offset + done);
        if (got <= 0 || slu_files_write(disk, out, piece, (size_t)got, done) != 0)
            break;
        done += (uint64_t)got;
    }
    slu_files_close(disk, out);
}

static void note_damage(struct slu_recovery *recovery, int fd, struct slu_segment *segment,
                        const struct slu_scan_item *item)
{
    struct slu_spool *spool = recovery->spool;
    atomic_fetch_add(&spool->corrupt_records, item->lost);
    atomic_fetch_add(&spool->corrupt_bytes, item->bytes);
    segment->damage_seen = item->offset + item->bytes;
    slu_log(SLU_LOG_ERROR,
            "spool: %" PRIu64 " damaged bytes at %" PRIu64 " of segment %020" PRIu64 ", %" PRIu64
            " records lost; set aside in %s/spool",
            item->bytes, item->offset, segment->base_seq, item->lost, spool->data_dir);
    set_aside(recovery, fd, segment, item);
}

static void count_record(struct slu_recovery *recovery, struct slu_segment *segment,
                         const struct slu_record *record)
{
    const struct slu_spool_sink *sinks = recovery->spool->sinks;

    if (segment->records++ == 0)
        segment->first_time_ns = record->time_ns;
    segment->last_time_ns = record->time_ns;
    segment->last_seq = record->seq;
    for (uint32_t bits = (uint32_t)record->sinks; bits != 0; bits &= bits - 1) {
        const int bit = __builtin_ctz(bits);
        segment->counts[bit]++;
        if (record->seq <= sinks[bit].cursor.position.seq)
            recovery->passed[bit]++;
    }
    slu_names_reserve(recovery->look.names, record->policy, record->schema);
}

/* The walk knows better than the cursors how many records were passed here. */
static void correct_cursors(struct slu_recovery *recovery, const struct slu_segment *segment)
{
    for (size_t bit = 0; bit < SLU_SINKS_MAX; bit++) {
        struct slu_position *position = &recovery->spool->sinks[bit].cursor.position;
        if (position->segment != segment->base_seq)
            continue;
        position->passed = (uint32_t)recovery->passed[bit];
        if (position->offset > segment->end)
            position->offset = 0;
    }
}

/* Walk a segment that has no footer, up to `limit_seq`. `*dirty_end` is where zeros begin for good. */
static int walk(struct slu_recovery *recovery, int fd, struct slu_segment *segment,
                uint64_t limit_seq, uint64_t *dirty_end, struct slu_err *err)
{
    struct slu_scan *scan = &recovery->scan;
    struct slu_scan_item item;
    enum slu_scan_kind kind;

    memset(recovery->passed, 0, sizeof(recovery->passed));
    slu_scan_begin(scan, fd, slu_pack_seed(segment->id), SLU_SEGMENT_HEADER_BYTES, segment->on_disk,
                   segment->base_seq - 1, limit_seq);
    while ((kind = slu_scan_next(scan, &item, false, err)) > SLU_SCAN_END) {
        if (kind == SLU_SCAN_FOOTER) { /* of a seal that was cut: the walk has counted itself */
            *dirty_end = segment->on_disk;
            correct_cursors(recovery, segment);
            return 0;
        }
        if (kind == SLU_SCAN_DAMAGE)
            note_damage(recovery, fd, segment, &item);
        if (kind == SLU_SCAN_RECORD)
            count_record(recovery, segment, &item.record);
        if (kind == SLU_SCAN_DEFINITION) {
            slu_look_learn(&recovery->look, &item.definition);
            if (segment->records > 0 && item.definition.kind != SLU_DEFINE_RUN)
                segment->late_definition = (uint32_t)item.offset;
        }
        if (kind == SLU_SCAN_RECORD || kind == SLU_SCAN_DEFINITION)
            segment->end = item.offset + item.bytes;
    }
    *dirty_end = item.dirty_end;
    correct_cursors(recovery, segment);
    return kind == SLU_SCAN_END ? 0 : -1;
}

/* Zero what a torn tail left behind, so that nothing of it can ever be taken for a record. */
static int clear_tail(struct slu_recovery *recovery, int fd, const struct slu_segment *segment,
                      uint64_t dirty_end, struct slu_err *err)
{
    static const uint8_t nothing[65536];
    const struct slu_disk *disk = recovery->spool->disk;

    if (dirty_end <= segment->end)
        return 0;
    slu_log(SLU_LOG_NOTICE,
            "spool: %" PRIu64 " unfinished bytes behind record %" PRIu64 " of segment %020" PRIu64
            " cut off",
            dirty_end - segment->end, segment->last_seq, segment->base_seq);
    for (uint64_t at = segment->end; at < dirty_end;) {
        const uint64_t left = dirty_end - at;
        const size_t n = left < sizeof(nothing) ? (size_t)left : sizeof(nothing);
        if (slu_files_write(disk, fd, nothing, n, at) != 0)
            return slu_err_system(err, errno, "spool: cannot cut a torn segment");
        at += n;
    }
    return 0;
}

/* The newest one: writing goes on in it. */
static void take_over(struct slu_recovery *recovery, int fd, const struct slu_segment *segment)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_writer *writer = &spool->writer;

    writer->fd = fd;
    writer->base_seq = segment->base_seq;
    writer->written = segment->end;
    writer->late_definition = segment->late_definition;
    /* What it defines is not carried on as live, so this run's definitions are written once more. */
    writer->names_written = 0;
    writer->sinks_written = 0;
    memcpy(spool->seed_id, segment->id, 16);
    spool->seed = slu_pack_seed(segment->id);
}

static int open_unsealed(struct slu_recovery *recovery, int fd, struct slu_segment *segment,
                         uint64_t limit_seq, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    const bool newest = limit_seq == SLU_SEQ_MAX;
    uint64_t dirty_end = 0;

    if (walk(recovery, fd, segment, limit_seq, &dirty_end, err) != 0)
        return -1;
    if (!newest) {
        segment->sealed = true; /* as far as we are concerned, even if that cannot be written */
        if (slu_segment_seal(spool->disk, fd, segment) == 0)
            segment->on_disk = segment->end + SLU_SEGMENT_FOOTER_BYTES;
        return 0;
    }
    if (clear_tail(recovery, fd, segment, dirty_end, err) != 0)
        return -1;
    /* Sinks see only what is durable; what a killed process wrote is not, yet. */
    if (slu_files_sync(spool->disk, fd) != 0)
        return slu_err_system(err, errno, "spool: cannot sync segment %020" PRIu64,
                              segment->base_seq);
    return 0;
}

/* A file without a single valid frame is no segment. */
static void put_away(struct slu_recovery *recovery, const struct slu_segment *segment)
{
    struct slu_spool *spool = recovery->spool;
    char name[SLU_SEGMENT_NAME_SIZE];
    char aside[SLU_SEGMENT_NAME_SIZE + 16];

    atomic_fetch_add(&spool->corrupt_bytes, segment->on_disk);
    slu_segment_name(segment->base_seq, name);
    (void)snprintf(aside, sizeof(aside), "%020" PRIu64 ".damaged", segment->base_seq);
    (void)spool->disk->renameat(spool->disk->context, spool->dir_fd, name, aside);
    slu_log(SLU_LOG_ERROR, "spool: segment %s holds nothing valid; renamed to %s", name, aside);
}

static int open_segment(struct slu_recovery *recovery, size_t index, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    const bool newest = index + 1 == recovery->files.n_segments;
    const uint64_t base_seq = recovery->files.segments[index];
    const uint64_t limit_seq = newest ? SLU_SEQ_MAX : recovery->files.segments[index + 1];
    struct slu_segment segment;
    bool header_damaged = false;
    int fd = -1;

    switch (slu_look_segment(&recovery->look, base_seq, &fd, &segment, &header_damaged, err)) {
    case SLU_LOOK_FAILED:
        return -1;
    case SLU_LOOK_GONE:
        return 0;
    case SLU_LOOK_NOTHING:
        put_away(recovery, &segment);
        return 0;
    case SLU_LOOK_GOOD:
        break;
    }
    if (header_damaged)
        slu_log(SLU_LOG_ERROR,
                "spool: the header of segment %020" PRIu64 " is damaged; its records "
                "are read all the same",
                base_seq);
    if (segment.sealed)
        slu_look_definitions(&recovery->look, fd, &segment, &recovery->scan);
    else if (open_unsealed(recovery, fd, &segment, limit_seq, err) != 0) {
        slu_files_close(spool->disk, fd);
        return -1;
    }
    if (slu_table_add(&spool->table, &segment) == NULL) {
        slu_files_close(spool->disk, fd);
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory for the list of segments");
    }
    if (spool->writer.last_seq < segment.last_seq)
        spool->writer.last_seq = segment.last_seq;
    if (newest && !segment.sealed && !header_damaged) {
        take_over(recovery, fd, &segment);
        return 0;
    }
    if (newest && !segment.sealed) { /* a header that had to be guessed: not continued */
        struct slu_segment *entry = slu_table_find(&spool->table, base_seq);
        entry->sealed = true;
    }
    slu_files_close(spool->disk, fd);
    return 0;
}

/* ---- step 5: go on --------------------------------------------------------------------------------- */

static int begin_run(struct slu_recovery *recovery, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_identity *identity = &spool->identity;
    const uint64_t after_last = spool->writer.last_seq + 1;

    uint64_t first = recovery->had_identity ? identity->next_seq : after_last + SLU_RESERVE_BLOCK;
    if (!recovery->had_identity && after_last == 1)
        first = 1; /* a new spool */
    if (first < after_last) {
        slu_log(SLU_LOG_WARNING, "spool: the reserved numbers are behind the records; put right");
        first = after_last + SLU_RESERVE_BLOCK;
    }
    if (recovery->renew)
        slu_identity_renew(identity, first);
    const struct slu_segment *oldest = spool->table.n > 0 ? &spool->table.items[0] : NULL;
    slu_identity_prune(identity, oldest != NULL ? oldest->base_seq : first);

    if (slu_identity_store(identity, first + SLU_RESERVE_BLOCK, false, err) != 0)
        return -1;
    atomic_store(&spool->reserved_end, first + SLU_RESERVE_BLOCK);
    spool->run_first_seq = first;
    spool->next_seq = first;
    spool->writer.run_wanted = first != after_last && spool->writer.fd >= 0;

    const uint8_t *current = slu_identity_current(identity);
    if (memcmp(current, spool->seed_id, 16) != 0)
        slu_writer_seal(spool);
    memcpy(spool->seed_id, current, 16);
    spool->seed = slu_pack_seed(current);
    return 0;
}

/* The books begin with what is left. */
static void open_books(struct slu_spool *spool)
{
    for (size_t bit = 0; bit < SLU_SINKS_MAX; bit++) {
        struct slu_spool_sink *sink = &spool->sinks[bit];
        if (!sink->used)
            continue;
        sink->written = 0;
        sink->spooled_at_start = slu_sink_left(&spool->table, sink);
        for (size_t i = spool->table.n; i-- > 0;) {
            const struct slu_segment *segment = &spool->table.items[i];
            if (segment->counts[bit] > 0 && atomic_load(&sink->visible_last) == 0)
                atomic_store(&sink->visible_last, segment->last_seq);
            if (slu_sink_left_in(sink, segment) > 0)
                atomic_store(&sink->oldest_ns, segment->first_time_ns);
        }
    }
    atomic_store(&spool->head_seq, spool->writer.last_seq);
    atomic_store(&spool->durable_seq, spool->writer.last_seq);
}

static int run_steps(struct slu_recovery *recovery, const char *data_dir, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;

    if (read_identity(recovery, data_dir, err) != 0 ||
        slu_look_files(&recovery->look, &recovery->files, err) != 0)
        return -1;
    if (!recovery->had_identity)
        make_identity(recovery);
    for (size_t i = 0; i < recovery->files.n_leftovers; i++)
        (void)spool->disk->unlinkat(spool->disk->context, spool->dir_fd,
                                    recovery->files.leftovers[i]);
    memcpy(spool->seed_id, slu_identity_current(&spool->identity), 16);
    spool->seed = slu_pack_seed(spool->seed_id);

    if (slu_recovery_cursors(recovery, err) != 0)
        return -1;
    for (size_t i = 0; i < recovery->files.n_segments; i++)
        if (open_segment(recovery, i, err) != 0)
            return -1;
    if (slu_recovery_ring(recovery, err) != 0 || slu_recovery_sinks(recovery, err) != 0 ||
        begin_run(recovery, err) != 0)
        return -1;
    open_books(spool);
    return 0;
}

int slu_recovery_run(struct slu_spool *spool, const char *data_dir, struct slu_err *err)
{
    struct slu_recovery *recovery = calloc(1, sizeof(*recovery));
    if (recovery == NULL)
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory to recover");
    recovery->spool = spool;
    recovery->look = (struct slu_look){.disk = spool->disk,
                                       .dir = spool->dir_fd,
                                       .identity = &spool->identity,
                                       .names = &spool->names};
    slu_scan_init(&recovery->scan, spool->disk, 1u << 20);
    recovery->scan.patch_holes = true;
    const int result = run_steps(recovery, data_dir, err);
    slu_scan_fini(&recovery->scan);
    slu_look_files_fini(&recovery->files);
    free(recovery);
    return result;
}
