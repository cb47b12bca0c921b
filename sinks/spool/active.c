/* active.c -- the segment that is being written: made ahead, begun, given definitions, sealed, or
 * abandoned.
 *
 *   next.seg.new ──────────▶ <seq20>.seg ──────────▶ sealed: footer, exact size
 *   fallocated ahead          header, definitions      └───▶ abandoned: a write or sync failed
 *
 * The file is made ahead under another name, so that its blocks are taken (and a full disk is noticed)
 * before a record needs them. It gets its name when its first record is known, and only after its
 * beginning was synced: a segment with a name always has a header.
 *
 * Threads: as in writer.c.
 */
#include "sinks/spool/inside.h"

#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LOG_EACH_NS    (15 * SLU_NS_PER_S)
#define SEGMENTS_LEAST 32 /* in max_size, so that its parts can be dealt out (full.c) */

/* The file being written failed: it ends where it was last durable. What was taken ahead behind that end is
 * given back at once: a disk that fails again and again would else fill max_size with empty segments, and
 * sinks with drop_oldest would lose records for them. */
void slu_writer_abandon(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;

    pthread_mutex_lock(&spool->lock);
    struct slu_segment *segment = slu_table_find(&spool->table, writer->base_seq);
    const uint64_t end = segment != NULL ? segment->end : 0;
    if (segment != NULL)
        segment->sealed = true;
    pthread_mutex_unlock(&spool->lock);
    const bool cut = segment != NULL && writer->fd >= 0 &&
                     spool->disk->ftruncate(spool->disk->context, writer->fd, (off_t)end) == 0;
    pthread_mutex_lock(&spool->lock);
    segment = slu_table_find(&spool->table, writer->base_seq);
    if (cut && segment != NULL)
        segment->on_disk = end;
    pthread_mutex_unlock(&spool->lock);
    slu_files_close(spool->disk, writer->fd);
    writer->fd = -1;
    writer->in_file = 0;
}

/* ---- beginning -------------------------------------------------------------------------------------- */

uint64_t slu_writer_segment_bytes(const struct slu_spool *spool)
{
    const uint64_t max = (uint64_t)atomic_load(&spool->max_size_bytes);
    uint64_t bytes = spool->segment_option;

    if (bytes == 0)
        bytes = max / SEGMENTS_LEAST > SLU_SEGMENT_LEAST ? max / SEGMENTS_LEAST : SLU_SEGMENT_LEAST;
    if (bytes > SLU_SEGMENT_DEFAULT)
        bytes = SLU_SEGMENT_DEFAULT;
    return bytes < max / 4 ? bytes : max / 4;
}

/* Make the file of the next segment and take its blocks, so that a full disk shows up here. `owed`: for
 * records that were taken already and wait in the ring; max_size and min_free have decided about them
 * before, and only the disk itself can say no. They exceed max_size by the ring and a segment at most. */
static int make_ahead(struct slu_spool *spool, bool owed)
{
    struct slu_writer *writer = &spool->writer;
    const uint64_t bytes = slu_writer_segment_bytes(spool);

    if (!owed && !slu_full_make_room(spool, bytes)) {
        errno = ENOSPC;
        return -1;
    }
    (void)spool->disk->unlinkat(spool->disk->context, spool->dir_fd, SLU_SEGMENT_AHEAD);
    const int fd = slu_files_open(spool->disk, spool->dir_fd, SLU_SEGMENT_AHEAD,
                                  O_RDWR | O_CREAT | O_EXCL, NULL);
    if (fd < 0)
        return -1;
    int sys = 0;
    for (int i = 0; i < 64; i++) {
        sys = spool->disk->fallocate(spool->disk->context, fd, 0, (off_t)bytes) == 0 ? 0 : errno;
        if ((sys == ENOSPC || sys == EDQUOT) && slu_full_give_one(spool))
            continue;
        if (sys != EINTR)
            break;
    }
    if (sys != 0 && sys != EOPNOTSUPP && sys != ENOSYS) {
        slu_files_close(spool->disk, fd);
        (void)spool->disk->unlinkat(spool->disk->context, spool->dir_fd, SLU_SEGMENT_AHEAD);
        errno = sys;
        return -1;
    }
    writer->ahead_fd = fd;
    writer->ahead_bytes = bytes;
    return 0;
}

/* "lake, historian": the sinks in `bits`. */
static void name_sinks(struct slu_spool *spool, uint32_t bits, struct slu_buf *out)
{
    pthread_mutex_lock(&spool->lock);
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        if ((bits >> i & 1u) != 0 && spool->sinks[i].used)
            slu_buf_printf(out, "%s%s", out->len > 0 ? ", " : "", spool->sinks[i].cursor.name);
    pthread_mutex_unlock(&spool->lock);
}

static void now_full(struct slu_spool *spool, uint32_t bits)
{
    const uint32_t before = atomic_exchange(&spool->full_for, bits);
    if (bits == before)
        return;
    struct slu_buf names;
    slu_buf_init(&names, 4096);
    name_sinks(spool, bits, &names);
    const char *const who = slu_buf_text(&names);
    if ((bits & ~before) != 0)
        slu_log_sometimes(
            &spool->writer.full_rate, LOG_EACH_NS, SLU_LOG_WARNING,
            "spool: full (max_size, min_free or the disk of %s); when_full decides about "
            "new records of %s",
            spool->data_dir, who);
    else if (bits != 0)
        slu_log_sometimes(&spool->writer.full_rate, LOG_EACH_NS, SLU_LOG_NOTICE,
                          "spool: has room again, but not for %s", who);
    else
        slu_log_sometimes(&spool->writer.full_rate, LOG_EACH_NS, SLU_LOG_NOTICE,
                          "spool: has room again");
    slu_buf_fini(&names);
}

void slu_writer_look_full(struct slu_spool *spool)
{
    if (spool->writer.ahead_fd >= 0) /* else it is full for everybody, or about to be looked at */
        now_full(spool, slu_full_behind(spool));
}

/* Keep a segment ready. A disk without room is full for everybody, anything else is `failing`. */
int slu_writer_keep_ahead(struct slu_spool *spool)
{
    if (spool->writer.ahead_fd >= 0)
        return 0;
    if (make_ahead(spool, false) == 0) {
        now_full(spool, slu_full_behind(spool));
        slu_spool_works(spool);
        return 0;
    }
    const int sys = errno;
    if (sys == ENOSPC || sys == EDQUOT)
        now_full(spool, UINT32_MAX);
    else
        slu_spool_failed(spool, "make a segment", sys);
    errno = sys;
    return -1;
}

/* Definitions of the sinks in `bits`; lock held. */
static bool pack_sinks(const struct slu_spool *spool, uint32_t bits, uint64_t seq, uint32_t *late,
                       uint64_t file_at, struct slu_buf *out)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        const struct slu_cursor *cursor = &spool->sinks[i].cursor;
        if ((bits >> i & 1u) == 0)
            continue;
        const uint64_t at = file_at + out->len;
        const struct slu_definition definition = {.kind = SLU_DEFINE_SINK,
                                                  .seq = seq,
                                                  .previous = late != NULL ? *late : 0,
                                                  .number = (uint16_t)i,
                                                  .name = slu_slice_of(cursor->name),
                                                  .type = slu_slice_of(cursor->type)};
        if (!slu_definition_pack(out, &definition, spool->seed))
            return false;
        if (late != NULL)
            *late = (uint32_t)at;
    }
    return true;
}

static uint32_t used_sinks(const struct slu_spool *spool)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        if (spool->sinks[i].used)
            bits |= UINT32_C(1) << i;
    return bits;
}

/* What the next record's seq will be at least. */
static uint64_t next_seq(const struct slu_spool *spool)
{
    const struct slu_writer *writer = &spool->writer;
    if (writer->unsynced_len > 0)
        return slu_unpack_seq(writer->unsynced);
    return writer->last_seq + 1 > spool->run_first_seq ? writer->last_seq + 1
                                                       : spool->run_first_seq;
}

/* Header and definitions into the scratch buffer. */
static bool pack_begin(struct slu_spool *spool, uint64_t base_seq, size_t *names, uint32_t *sinks)
{
    struct slu_buf *out = &spool->writer.scratch;
    uint8_t header[SLU_SEGMENT_HEADER_BYTES];

    slu_buf_reset(out);
    slu_segment_header_write(header, base_seq, spool->seed_id, slu_clock_wall_ns());
    slu_buf_add(out, header, sizeof(header));
    pthread_mutex_lock(&spool->lock);
    *sinks = used_sinks(spool);
    *names = spool->names.n_live;
    const bool ok = pack_sinks(spool, *sinks, base_seq, NULL, 0, out) &&
                    slu_names_pack(&spool->names, 0, base_seq, spool->seed, NULL, 0, out);
    pthread_mutex_unlock(&spool->lock);
    return ok && !out->failed;
}

static void names_are_durable(struct slu_spool *spool, size_t names)
{
    pthread_mutex_lock(&spool->lock);
    spool->names_durable = names;
    pthread_cond_broadcast(&spool->defined);
    pthread_mutex_unlock(&spool->lock);
}

/* Write the beginning of the segment made ahead and give it its name. */
static int christen(struct slu_spool *spool, uint64_t base_seq)
{
    struct slu_writer *writer = &spool->writer;
    const struct slu_disk *disk = spool->disk;
    char name[SLU_SEGMENT_NAME_SIZE];

    slu_segment_name(base_seq, name);
    if (slu_files_write(disk, writer->ahead_fd, writer->scratch.data, writer->scratch.len, 0) ==
            0 &&
        slu_writer_sync_file(spool, writer->ahead_fd) == 0 &&
        disk->renameat(disk->context, spool->dir_fd, SLU_SEGMENT_AHEAD, name) == 0 &&
        slu_files_sync_dir(disk, spool->dir_fd) == 0)
        return 0;
    slu_spool_failed(spool, "begin a segment", errno);
    slu_files_close(disk, writer->ahead_fd);
    writer->ahead_fd = -1;
    return -1;
}

static int enter_segment(struct slu_spool *spool, uint64_t base_seq)
{
    const struct slu_writer *writer = &spool->writer;
    struct slu_segment segment = {.base_seq = base_seq,
                                  .last_seq = base_seq - 1,
                                  .end = writer->scratch.len,
                                  .on_disk = writer->ahead_bytes};
    memcpy(segment.id, spool->seed_id, sizeof(segment.id));
    pthread_mutex_lock(&spool->lock);
    const struct slu_segment *replaced = slu_table_find(&spool->table, base_seq);
    if (replaced != NULL) /* it failed before anything in it was durable */
        segment.generation = replaced->generation + 1;
    const bool ok = slu_table_add(&spool->table, &segment) != NULL;
    pthread_mutex_unlock(&spool->lock);
    return ok ? 0 : -1;
}

/* A segment for records that were taken already. A recovery makes no room for them at anybody's cost. */
static int have_ahead(struct slu_spool *spool)
{
    if (spool->writer.ahead_fd >= 0) {
        slu_writer_look_full(spool);
        return 0;
    }
    if (!spool->recovering && slu_writer_keep_ahead(spool) == 0)
        return 0;
    if (make_ahead(spool, true) == 0)
        return 0;
    const int sys = errno;
    if (sys != ENOSPC && sys != EDQUOT)
        slu_spool_failed(spool, "make a segment", sys);
    errno = sys;
    return -1;
}

/* Begin a new segment, and write to it what is not durable yet. */
int slu_writer_begin(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    const uint64_t base_seq = next_seq(spool);
    size_t names = 0;
    uint32_t sinks = 0;

    if (have_ahead(spool) != 0)
        return -1;
    if (!pack_begin(spool, base_seq, &names, &sinks) || christen(spool, base_seq) != 0)
        return -1;
    if (enter_segment(spool, base_seq) != 0) {
        slu_spool_failed(spool, "note a segment", ENOMEM);
        slu_files_close(spool->disk, writer->ahead_fd);
        writer->ahead_fd = -1;
        return -1;
    }
    writer->fd = writer->ahead_fd;
    writer->ahead_fd = -1;
    writer->base_seq = base_seq;
    writer->written = writer->scratch.len;
    writer->names_written = names;
    writer->sinks_written = sinks;
    writer->late_definition = 0;
    writer->run_wanted = false; /* the base tells where the run begins */
    names_are_durable(spool, names);

    if (writer->unsynced_len > 0) {
        if (slu_files_write(spool->disk, writer->fd, writer->unsynced, writer->unsynced_len,
                            writer->written) != 0) {
            slu_spool_failed(spool, "write a segment", errno);
            slu_writer_abandon(spool);
            return -1;
        }
        writer->written += writer->unsynced_len;
        writer->in_file = writer->unsynced_len;
    }
    return 0;
}

int slu_segment_seal(const struct slu_disk *disk, int fd, const struct slu_segment *segment)
{
    uint8_t bytes[SLU_SEGMENT_FOOTER_BYTES];
    struct slu_footer footer = {.base_seq = segment->base_seq,
                                .last_seq = segment->last_seq,
                                .records = segment->records,
                                .first_time_ns = segment->first_time_ns,
                                .last_time_ns = segment->last_time_ns,
                                .late_definition = segment->late_definition};
    memcpy(footer.counts, segment->counts, sizeof(footer.counts));
    slu_footer_write(bytes, &footer, slu_pack_seed(segment->id));
    if (slu_files_write(disk, fd, bytes, sizeof(bytes), segment->end) != 0 ||
        disk->ftruncate(disk->context, fd, (off_t)(segment->end + sizeof(bytes))) != 0)
        return -1;
    return slu_files_sync(disk, fd);
}

void slu_writer_seal(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    if (writer->fd < 0)
        return;

    pthread_mutex_lock(&spool->lock);
    const struct slu_segment *found = slu_table_find(&spool->table, writer->base_seq);
    struct slu_segment segment = *found;
    pthread_mutex_unlock(&spool->lock);

    segment.end = writer->written; /* definitions may stand behind the last record */
    segment.late_definition = writer->late_definition;
    const int sealed = slu_segment_seal(spool->disk, writer->fd, &segment);
    if (sealed != 0)
        slu_spool_failed(spool, "seal a segment", errno); /* a recovery will walk it instead */

    pthread_mutex_lock(&spool->lock);
    struct slu_segment *entry = slu_table_find(&spool->table, writer->base_seq);
    entry->sealed = true;
    entry->late_definition = writer->late_definition;
    if (sealed == 0)
        entry->on_disk = segment.end + SLU_SEGMENT_FOOTER_BYTES;
    pthread_cond_broadcast(&spool->readable); /* readers may pass its end now */
    pthread_mutex_unlock(&spool->lock);
    slu_files_close(spool->disk, writer->fd);
    writer->fd = -1;
}

/* ---- definitions ----------------------------------------------------------------------------------- */

static bool definitions_wait(struct slu_spool *spool)
{
    const struct slu_writer *writer = &spool->writer;
    pthread_mutex_lock(&spool->lock);
    const bool wait = writer->fd < 0 || writer->run_wanted ||
                      spool->names.n_live > writer->names_written ||
                      (used_sinks(spool) & ~writer->sinks_written) != 0;
    pthread_mutex_unlock(&spool->lock);
    return wait;
}

int slu_writer_define(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    if (!definitions_wait(spool))
        return 0;
    if (slu_writer_sync(spool) != 0)
        return -1;
    if (writer->fd < 0)
        return slu_writer_begin(spool); /* it begins with them */

    slu_buf_reset(&writer->scratch);
    uint32_t late = writer->late_definition;
    const uint64_t seq = next_seq(spool);
    pthread_mutex_lock(&spool->lock);
    const uint32_t sinks = used_sinks(spool);
    const size_t names = spool->names.n_live;
    const struct slu_definition run = {.kind = SLU_DEFINE_RUN, .seq = seq};
    const bool ok =
        (!writer->run_wanted || slu_definition_pack(&writer->scratch, &run, spool->seed)) &&
        pack_sinks(spool, sinks & ~writer->sinks_written, seq, &late, writer->written,
                   &writer->scratch) &&
        slu_names_pack(&spool->names, writer->names_written, seq, spool->seed, &late,
                       writer->written, &writer->scratch);
    pthread_mutex_unlock(&spool->lock);
    if (!ok)
        return -1;
    if (slu_files_write(spool->disk, writer->fd, writer->scratch.data, writer->scratch.len,
                        writer->written) != 0 ||
        slu_writer_sync_file(spool, writer->fd) != 0) {
        slu_spool_failed(spool, "write definitions", errno);
        slu_writer_abandon(spool);
        return -1;
    }
    writer->written += writer->scratch.len;
    writer->names_written = names;
    writer->sinks_written |= sinks;
    writer->run_wanted = false;
    writer->late_definition = late;
    names_are_durable(spool, names);
    slu_spool_works(spool);
    return 0;
}
