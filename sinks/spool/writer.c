/* writer.c -- the writer: from the ring to segments, from segments to the disk.
 *
 *   ring ──▶ unsynced ──pwrite──▶ segment ──fdatasync──▶ readable by sinks
 *              └────── kept until the fdatasync, to be written again to another file ──────┘
 *
 * A pass: definitions that are missing, what waits in the ring in chunks of 256 KiB, a sync when it is
 * due (interval, 4 MiB, always), then the house: numbers reserved ahead, segments nobody needs
 * deleted, the next segment made ahead. Passes come each sync_interval (100 ms at most) or when the
 * owner wakes us.
 *
 * After a write or a sync failed, the file is never trusted again: the kernel may have marked the
 * lost pages clean, and the next fdatasync would say yes. The segment ends where it was last durable,
 * what came after is written to a new one. Until that works the ring is not drained, so that an owner
 * learns of it as a full ring; tries are 100 ms to 1 s apart.
 *
 * Threads: everything here belongs to the writer's thread, during open and after its end to the
 * owner's.
 */
#include "sinks/spool/inside.h"

#include "base/clock.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RETRY_LEAST_NS (100 * SLU_NS_PER_MS)
#define RETRY_MOST_NS  SLU_NS_PER_S
#define LOG_EACH_NS    (15 * SLU_NS_PER_S)

void slu_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t ns)
{
    if (ns <= 0)
        return;
    const struct timespec wait = {.tv_sec = ns / SLU_NS_PER_S, .tv_nsec = ns % SLU_NS_PER_S};
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &wait, NULL, 0);
}

void slu_futex_wake(const _Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void slu_writer_wake(struct slu_spool *spool)
{
    atomic_fetch_add(&spool->wake, 1);
    slu_futex_wake(&spool->wake);
}

bool slu_writer_init(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    *writer = (struct slu_writer){.fd = -1, .ahead_fd = -1, .retry_wait_ns = RETRY_LEAST_NS};
    writer->unsynced_cap = SLU_UNSYNCED_BYTES + SLU_RECORD_MAX_BYTES;
    writer->unsynced = malloc(writer->unsynced_cap);
    slu_buf_init(&writer->scratch, SLU_NAMES_MAX_BYTES + (8u << 20));
    return writer->unsynced != NULL;
}

void slu_writer_fini(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    slu_files_close(spool->disk, writer->fd);
    if (writer->ahead_fd >= 0) {
        slu_files_close(spool->disk, writer->ahead_fd);
        (void)spool->disk->unlinkat(spool->disk->context, spool->dir_fd, SLU_SEGMENT_AHEAD);
    }
    writer->fd = writer->ahead_fd = -1;
    free(writer->unsynced);
    writer->unsynced = NULL;
    slu_buf_fini(&writer->scratch);
}

/* ---- failing and getting well ---------------------------------------------------------------------- */

void slu_spool_failed(struct slu_spool *spool, const char *what, int sys)
{
    struct slu_writer *writer = &spool->writer;
    char reason[128];

    pthread_mutex_lock(&spool->lock);
    (void)snprintf(spool->last_error, sizeof(spool->last_error), "cannot %s: %s", what,
                   strerror_r(sys, reason, sizeof(reason)));
    pthread_mutex_unlock(&spool->lock);
    atomic_store(&spool->failing, true);
    slu_log_sometimes(&writer->failing_rate, LOG_EACH_NS, SLU_LOG_ERROR,
                      "spool: cannot %s (%s); kept in memory, tried again; see to the disk of %s",
                      what, strerror_r(sys, reason, sizeof(reason)), spool->data_dir);
}

static void works(struct slu_spool *spool)
{
    spool->writer.retry_wait_ns = RETRY_LEAST_NS;
    if (!atomic_exchange(&spool->failing, false))
        return;
    slu_log_sometimes(&spool->writer.works_rate, LOG_EACH_NS, SLU_LOG_NOTICE,
                      "spool: the disk takes data again");
}

static void back_off(struct slu_writer *writer)
{
    writer->retry_ns = slu_clock_mono_ns() + writer->retry_wait_ns;
    writer->retry_wait_ns *= 2;
    if (writer->retry_wait_ns > RETRY_MOST_NS)
        writer->retry_wait_ns = RETRY_MOST_NS;
}

/* The file being written failed: it ends where it was last durable. */
static void abandon(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;

    pthread_mutex_lock(&spool->lock);
    struct slu_segment *segment = slu_table_find(&spool->table, writer->base_seq);
    if (segment != NULL)
        segment->sealed = true;
    pthread_mutex_unlock(&spool->lock);
    slu_files_close(spool->disk, writer->fd);
    writer->fd = -1;
    writer->in_file = 0;
}

/* ---- segments -------------------------------------------------------------------------------------- */

uint64_t slu_writer_segment_bytes(const struct slu_spool *spool)
{
    const uint64_t max = (uint64_t)atomic_load(&spool->max_size_bytes);
    uint64_t bytes = spool->segment_option;

    if (bytes == 0)
        bytes = max / 8 > SLU_SEGMENT_LEAST ? max / 8 : SLU_SEGMENT_LEAST;
    if (bytes > SLU_SEGMENT_DEFAULT)
        bytes = SLU_SEGMENT_DEFAULT;
    return bytes < max / 4 ? bytes : max / 4;
}

/* Make the file of the next segment and take its blocks, so that a full disk shows up here. */
static int make_ahead(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    const uint64_t bytes = slu_writer_segment_bytes(spool);

    if (!slu_full_make_room(spool, bytes)) {
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

static void now_full(struct slu_spool *spool, bool full)
{
    if (atomic_exchange(&spool->full, full) == full)
        return;
    if (full)
        slu_log_sometimes(&spool->writer.full_rate, LOG_EACH_NS, SLU_LOG_WARNING,
                          "spool: full (max_size, min_free or the disk of %s); each sink's "
                          "when_full decides about new records",
                          spool->data_dir);
    else
        slu_log_sometimes(&spool->writer.full_rate, LOG_EACH_NS, SLU_LOG_NOTICE,
                          "spool: has room again");
}

/* Keep a segment ready. A disk without room is `full`, anything else is `failing`. */
static int keep_ahead(struct slu_spool *spool)
{
    if (spool->writer.ahead_fd >= 0)
        return 0;
    if (make_ahead(spool) == 0) {
        now_full(spool, false);
        works(spool);
        return 0;
    }
    const int sys = errno;
    if (sys == ENOSPC || sys == EDQUOT)
        now_full(spool, true);
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
    if (slu_files_write(disk, writer->ahead_fd, writer->scratch.data, writer->scratch.len, 0) == 0 &&
        slu_files_sync(disk, writer->ahead_fd) == 0 &&
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

/* Begin a new segment, and write to it what is not durable yet. */
static int begin_segment(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    const uint64_t base_seq = next_seq(spool);
    size_t names = 0;
    uint32_t sinks = 0;

    if (keep_ahead(spool) != 0)
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
            abandon(spool);
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

/* ---- making durable -------------------------------------------------------------------------------- */

/* What a run of frames adds to the books. */
struct tally {
    uint64_t records, last_seq;
    int64_t first_time_ns, last_time_ns;
    uint32_t counts[SLU_SINKS_MAX];
    uint64_t last_of[SLU_SINKS_MAX];
    int64_t first_time_of[SLU_SINKS_MAX];
};

static void tally_frames(struct tally *tally, const uint8_t *frames, size_t n)
{
    for (size_t at = 0; at < n; at += slu_frame_bytes(slu_get_u32(frames + at + 4))) {
        const uint8_t *frame = frames + at;
        tally->last_seq = slu_unpack_seq(frame);
        tally->last_time_ns = slu_unpack_time(frame);
        if (tally->records++ == 0)
            tally->first_time_ns = tally->last_time_ns;
        for (uint32_t bits = slu_unpack_sinks(frame); bits != 0; bits &= bits - 1) {
            const int bit = __builtin_ctz(bits);
            if (tally->counts[bit]++ == 0)
                tally->first_time_of[bit] = tally->last_time_ns;
            tally->last_of[bit] = tally->last_seq;
        }
    }
}

static void book_sink(struct slu_spool_sink *sink, const struct tally *tally, size_t bit)
{
    const uint64_t out = sink->delivered + sink->dead_lettered + sink->corrupt + sink->discarded_old;
    if (sink->spooled_at_start + sink->written == out) /* it had nothing left to do */
        atomic_store(&sink->oldest_ns, tally->first_time_of[bit]);
    sink->written += tally->counts[bit];
    atomic_store(&sink->visible_last, tally->last_of[bit]);
}

/* What is in `unsynced` is durable (os: written): sinks may read it. */
static void publish(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    struct tally tally = {0};
    tally_frames(&tally, writer->unsynced, writer->unsynced_len);

    pthread_mutex_lock(&spool->lock);
    struct slu_segment *segment = slu_table_find(&spool->table, writer->base_seq);
    if (segment->records == 0)
        segment->first_time_ns = tally.first_time_ns;
    segment->last_time_ns = tally.last_time_ns;
    segment->last_seq = tally.last_seq;
    segment->records += tally.records;
    segment->end = writer->written;
    if (segment->on_disk < writer->written)
        segment->on_disk = writer->written;
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        segment->counts[i] += tally.counts[i];
        if (tally.counts[i] > 0 && spool->sinks[i].used)
            book_sink(&spool->sinks[i], &tally, i);
    }
    atomic_store(&spool->durable_seq, tally.last_seq);
    pthread_cond_broadcast(&spool->readable);
    pthread_mutex_unlock(&spool->lock);

    writer->unsynced_len = writer->in_file = 0;
    atomic_fetch_add(&spool->durable_step, 1);
    if (atomic_load(&spool->sync) == SLU_SYNC_ALWAYS)
        slu_futex_wake(&spool->durable_step);
    works(spool);
}

int slu_writer_sync(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    if (writer->unsynced_len == 0)
        return 0;
    if (writer->fd < 0 && begin_segment(spool) != 0)
        return -1;
    if (slu_files_sync(spool->disk, writer->fd) != 0) {
        atomic_fetch_add(&spool->sync_failures, 1);
        slu_spool_failed(spool, "sync a segment", errno);
        abandon(spool);
        return -1;
    }
    publish(spool);
    return 0;
}

static int rotate(struct slu_spool *spool)
{
    if (slu_writer_sync(spool) != 0)
        return -1;
    slu_writer_seal(spool);
    return begin_segment(spool);
}

static bool segment_is_full(const struct slu_spool *spool, size_t n)
{
    const struct slu_writer *writer = &spool->writer;
    return writer->written + n + SLU_SEGMENT_FOOTER_BYTES > slu_writer_segment_bytes(spool) &&
           writer->last_seq >= writer->base_seq; /* not without a single record */
}

/* The seq of the last of these frames. */
static uint64_t last_seq_of(const uint8_t *frames, size_t n)
{
    uint64_t seq = 0;
    for (size_t at = 0; at < n; at += slu_frame_bytes(slu_get_u32(frames + at + 4)))
        seq = slu_unpack_seq(frames + at);
    return seq;
}

int slu_writer_put(struct slu_spool *spool, const uint8_t *frames, size_t n)
{
    struct slu_writer *writer = &spool->writer;

    if (writer->fd < 0 && begin_segment(spool) != 0)
        return -1;
    if (segment_is_full(spool, n) && rotate(spool) != 0)
        return -1;
    if (writer->unsynced_len + n > writer->unsynced_cap && slu_writer_sync(spool) != 0)
        return -1;

    memcpy(writer->unsynced + writer->unsynced_len, frames, n);
    if (slu_files_write(spool->disk, writer->fd, writer->unsynced + writer->unsynced_len, n,
                        writer->written) != 0) {
        slu_spool_failed(spool, "write a segment", errno);
        abandon(spool);
        return -1;
    }
    if (writer->unsynced_len == 0)
        writer->unsynced_since_ns = slu_clock_mono_ns();
    writer->unsynced_len += n;
    writer->in_file = writer->unsynced_len;
    writer->written += n;
    writer->last_seq = last_seq_of(writer->unsynced + writer->unsynced_len - n, n);
    if (atomic_load(&spool->sync) == SLU_SYNC_OS)
        publish(spool);
    return 0;
}

/* ---- definitions ----------------------------------------------------------------------------------- */

static bool definitions_wait(struct slu_spool *spool)
{
    const struct slu_writer *writer = &spool->writer;
    pthread_mutex_lock(&spool->lock);
    const bool wait = writer->fd < 0 || writer->run_wanted || spool->names.n_live > writer->names_written ||
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
        return begin_segment(spool); /* it begins with them */

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
        slu_files_sync(spool->disk, writer->fd) != 0) {
        slu_spool_failed(spool, "write definitions", errno);
        abandon(spool);
        return -1;
    }
    writer->written += writer->scratch.len;
    writer->names_written = names;
    writer->sinks_written |= sinks;
    writer->run_wanted = false;
    writer->late_definition = late;
    names_are_durable(spool, names);
    works(spool);
    return 0;
}

/* ---- the thread ------------------------------------------------------------------------------------ */

/* Bytes to take over at once: no more than the segment has room for. */
static size_t chunk_bytes(const struct slu_spool *spool)
{
    const struct slu_writer *writer = &spool->writer;
    const uint64_t used = (writer->fd >= 0 ? writer->written : 0) + SLU_SEGMENT_FOOTER_BYTES;
    const uint64_t whole = slu_writer_segment_bytes(spool);
    const uint64_t room = used < whole ? whole - used : 0;
    return room < SLU_CHUNK_BYTES ? (size_t)room : SLU_CHUNK_BYTES;
}

static int drain(struct slu_spool *spool)
{
    const uint8_t *frames;
    size_t n = 0;

    while ((frames = slu_ring_peek(&spool->ring, chunk_bytes(spool), &n)) != NULL) {
        if (slu_writer_put(spool, frames, n) != 0)
            return -1;
        slu_ring_release(&spool->ring, n);
        if (spool->writer.unsynced_len >= SLU_UNSYNCED_BYTES && slu_writer_sync(spool) != 0)
            return -1;
    }
    return 0;
}

static bool sync_is_due(struct slu_spool *spool)
{
    const struct slu_writer *writer = &spool->writer;
    if (writer->unsynced_len == 0)
        return false;
    if (atomic_load(&spool->sync) != SLU_SYNC_INTERVAL || atomic_load(&spool->stopping) ||
        writer->fd < 0)
        return true;
    return slu_clock_mono_ns() - writer->unsynced_since_ns >=
           atomic_load(&spool->sync_interval_ns);
}

static void reserve_ahead(struct slu_spool *spool)
{
    uint64_t end = atomic_load(&spool->reserved_end);
    const bool more = end - atomic_load(&spool->head_seq) <= SLU_RESERVE_BLOCK / 2;
    struct slu_err err = {0};

    if (!more && !atomic_exchange(&spool->identity_changed, false))
        return;
    if (more)
        end += SLU_RESERVE_BLOCK;
    if (slu_identity_store(&spool->identity, end, false, &err) == 0) {
        atomic_store(&spool->reserved_end, end);
        return;
    }
    atomic_store(&spool->identity_changed, true);
    slu_log_sometimes(&spool->writer.reserve_rate, LOG_EACH_NS, SLU_LOG_ERROR,
                      "spool: cannot reserve sequence numbers: %s; tried again", err.text);
}

static void keep_house(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    const int64_t now = slu_clock_mono_ns();

    reserve_ahead(spool);
    if (atomic_exchange(&spool->reclaim, false))
        (void)slu_full_reclaim(spool);
    if (atomic_load(&spool->stopping))
        return;
    if (writer->ahead_fd < 0 && now >= writer->retry_ns &&
        (writer->fd < 0 || writer->written > slu_writer_segment_bytes(spool) / 2))
        (void)keep_ahead(spool);
    if (now - writer->looked_ns >= SLU_NS_PER_S) {
        struct statvfs status;
        writer->looked_ns = now;
        if (spool->disk->fstatvfs(spool->disk->context, spool->dir_fd, &status) == 0)
            atomic_store(&spool->free_bytes, (int64_t)(status.f_bavail * status.f_frsize));
    }
}

/* One pass: 0, or -1 when the disk refused something. */
static int make_pass(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    atomic_store(&spool->passed_head,
                 atomic_load_explicit(&spool->ring.shared_head, memory_order_acquire));

    if (slu_clock_mono_ns() >= writer->retry_ns) {
        if (slu_writer_define(spool) != 0 || drain(spool) != 0 ||
            (sync_is_due(spool) && slu_writer_sync(spool) != 0)) {
            back_off(writer);
            keep_house(spool);
            return -1;
        }
    }
    keep_house(spool);
    return 0;
}

static bool all_is_durable(struct slu_spool *spool)
{
    return spool->writer.unsynced_len == 0 &&
           atomic_load(&spool->ring.shared_head) == atomic_load(&spool->ring.shared_tail);
}

void *slu_writer_main(void *argument)
{
    struct slu_spool *spool = argument;

    for (;;) {
        const uint32_t woken = atomic_load(&spool->wake);
        const bool stopping = atomic_load(&spool->stopping);
        (void)make_pass(spool);
        if (stopping && all_is_durable(spool)) {
            atomic_store(&spool->emptied, true);
            break;
        }
        if (stopping && slu_clock_mono_ns() >= atomic_load(&spool->stop_deadline_ns))
            break;
        int64_t wait = atomic_load(&spool->sync_interval_ns);
        if (wait <= 0 || wait > SLU_PASS_NS)
            wait = SLU_PASS_NS;
        slu_futex_wait(&spool->wake, woken, stopping ? 10 * SLU_NS_PER_MS : wait);
    }
    pthread_mutex_lock(&spool->lock);
    spool->writer_ended = true;
    pthread_cond_broadcast(&spool->defined);
    pthread_cond_broadcast(&spool->readable);
    pthread_mutex_unlock(&spool->lock);
    return NULL;
}
