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

void slu_spool_works(struct slu_spool *spool)
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
    const uint64_t out =
        sink->delivered + sink->dead_lettered + sink->corrupt + sink->discarded_old;
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
    slu_spool_works(spool);
}

int slu_writer_sync_file(struct slu_spool *spool, int fd)
{
    const int result = slu_files_sync(spool->disk, fd);
    if (result != 0)
        atomic_fetch_add(&spool->sync_failures, 1);
    return result;
}

int slu_writer_sync(struct slu_spool *spool)
{
    struct slu_writer *writer = &spool->writer;
    if (writer->unsynced_len == 0)
        return 0;
    if (writer->fd < 0 && slu_writer_begin(spool) != 0)
        return -1;
    if (slu_writer_sync_file(spool, writer->fd) != 0) {
        slu_spool_failed(spool, "sync a segment", errno);
        slu_writer_abandon(spool);
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
    return slu_writer_begin(spool);
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

    if (writer->fd < 0 && slu_writer_begin(spool) != 0)
        return -1;
    if (segment_is_full(spool, n) && rotate(spool) != 0)
        return -1;
    if (writer->unsynced_len + n > writer->unsynced_cap && slu_writer_sync(spool) != 0)
        return -1;

    memcpy(writer->unsynced + writer->unsynced_len, frames, n);
    if (slu_files_write(spool->disk, writer->fd, writer->unsynced + writer->unsynced_len, n,
                        writer->written) != 0) {
        slu_spool_failed(spool, "write a segment", errno);
        slu_writer_abandon(spool);
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
    return slu_clock_mono_ns() - writer->unsynced_since_ns >= atomic_load(&spool->sync_interval_ns);
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
        (writer->fd < 0 || atomic_load(&spool->full_for) != 0 ||
         writer->written > slu_writer_segment_bytes(spool) / 2))
        (void)slu_writer_keep_ahead(spool);
    if (atomic_load(&spool->full_for) != 0)
        slu_writer_look_full(spool);
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
            if (atomic_load(&spool->full_for) == 0) /* room is looked for at each pass */
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
