/* spool.c -- open and close, definitions, and the numbers for who watches.
 *
 * The books of a sink hold in every answer:
 *
 *   spooled_at_start + routed = delivered + dead_lettered + discarded + corrupt + spooled
 *
 * `spooled` is not counted but what the others leave. The ways out are read before the way in
 * (routed), and a record is counted in before anybody can see it, so what is left is never negative.
 */
#include "sinks/spool/inside.h"

#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define DEFINE_WAIT_NS (2 * SLU_NS_PER_S)

void slu_wait_until(int64_t ns, struct timespec *until)
{
    clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_sec += ns / SLU_NS_PER_S;
    until->tv_nsec += ns % SLU_NS_PER_S;
    if (until->tv_nsec >= SLU_NS_PER_S) {
        until->tv_nsec -= SLU_NS_PER_S;
        until->tv_sec++;
    }
}

/* ---- open ------------------------------------------------------------------------------------------ */

static int locked_by_other(struct slu_spool *spool, struct slu_err *err)
{
    char pid[24] = {0};
    ssize_t n = slu_files_read(spool->disk, spool->lock_fd, pid, sizeof(pid) - 1, 0);
    while (n > 0 && (pid[n - 1] < '0' || pid[n - 1] > '9'))
        pid[--n] = '\0';
    return slu_err_set(err, SLU_EBUSY,
                       "spool: %s is in use by process %s; each broker needs a data_dir of its own",
                       spool->data_dir, n > 0 ? pid : "unknown");
}

static int take_lock(struct slu_spool *spool, struct slu_err *err)
{
    const struct slu_disk *disk = spool->disk;

    spool->lock_fd = slu_files_open(disk, spool->data_fd, "lock", O_RDWR | O_CREAT, err);
    if (spool->lock_fd < 0)
        return -1;
    int result = -1;
    for (int i = 0; i < 64 && result != 0; i++) {
        result = disk->flock(disk->context, spool->lock_fd, LOCK_EX | LOCK_NB);
        if (result != 0 && errno != EINTR)
            break;
    }
    if (result != 0 && errno == EWOULDBLOCK)
        return locked_by_other(spool, err);
    if (result != 0)
        return slu_err_system(err, errno, "spool: cannot lock %s", spool->data_dir);

    char pid[24];
    const int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    /* For the message above only: a disk that is full must not keep the broker from starting. */
    if (disk->ftruncate(disk->context, spool->lock_fd, 0) == 0)
        (void)slu_files_write(disk, spool->lock_fd, pid, (size_t)n, 0);
    return 0;
}

static int open_folders(struct slu_spool *spool, struct slu_err *err)
{
    spool->data_fd = slu_files_open_dir(spool->disk, AT_FDCWD, spool->data_dir, true, err);
    if (spool->data_fd < 0 ||
        slu_files_refuse_network(spool->disk, spool->data_fd, spool->data_dir, err) != 0 ||
        take_lock(spool, err) != 0)
        return -1;
    spool->dir_fd = slu_files_open_dir(spool->disk, spool->data_fd, "spool", true, err);
    if (spool->dir_fd < 0)
        return -1;
    if (slu_files_sync_dir(spool->disk, spool->data_fd) != 0)
        return slu_err_system(err, errno, "spool: cannot sync %s", spool->data_dir);
    return 0;
}

static int start_thread(struct slu_spool *spool, struct slu_err *err)
{
    sigset_t all, before;

    spool->recovering = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the broker's */
    const int sys = pthread_create(&spool->thread, NULL, slu_writer_main, spool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys != 0)
        return slu_err_system(err, sys, "spool: cannot start the writer thread");
    spool->thread_started = true;
    return 0;
}

static bool init_locks(struct slu_spool *spool)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    bool ok = pthread_mutex_init(&spool->lock, NULL) == 0 &&
              pthread_cond_init(&spool->readable, &monotonic) == 0 &&
              pthread_cond_init(&spool->defined, &monotonic) == 0;
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        ok = ok && pthread_mutex_init(&spool->sinks[i].file_lock, NULL) == 0;
    pthread_condattr_destroy(&monotonic);
    return ok;
}

static void free_spool(struct slu_spool *spool)
{
    slu_writer_fini(spool);
    slu_ring_close(&spool->ring, spool->disk);
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        if (spool->sinks[i].used)
            slu_slots_close(&spool->sinks[i].cursor.slots);
        pthread_mutex_destroy(&spool->sinks[i].file_lock);
    }
    slu_slots_close(&spool->identity.slots);
    slu_files_close(spool->disk, spool->dir_fd);
    slu_files_close(spool->disk, spool->lock_fd); /* and with it goes the lock */
    slu_files_close(spool->disk, spool->data_fd);
    slu_names_fini(&spool->names);
    free(spool->table.items);
    pthread_cond_destroy(&spool->readable);
    pthread_cond_destroy(&spool->defined);
    pthread_mutex_destroy(&spool->lock);
    free(spool->data_dir);
    free(spool);
}

static struct slu_spool *new_spool(const struct slu_spool_options *options, struct slu_err *err)
{
    struct slu_spool *spool = aligned_alloc(64, (sizeof(*spool) + 63) / 64 * 64);
    if (spool == NULL) {
        slu_err_set(err, SLU_ENOMEM, "spool: no memory");
        return NULL;
    }
    memset(spool, 0, sizeof(*spool));
    spool->disk = options->disk != NULL ? options->disk : &slu_disk_real;
    spool->data_fd = spool->dir_fd = spool->lock_fd = -1;
    spool->identity.slots = (struct slu_slots){.disk = spool->disk, .fd = -1};
    spool->segment_option = options->segment_bytes;
    slu_spool_reconfigure(spool, options);
    spool->data_dir = strdup(options->data_dir);
    const bool locks = init_locks(spool);
    const bool writer = slu_writer_init(spool);
    const bool names = slu_names_init(&spool->names);
    if (spool->data_dir != NULL && locks && writer && names)
        return spool;
    slu_err_set(err, SLU_ENOMEM, "spool: no memory");
    free_spool(spool);
    return NULL;
}

struct slu_spool *slu_spool_open(const struct slu_spool_options *options, struct slu_err *err)
{
    struct slu_spool *spool = new_spool(options, err);
    if (spool == NULL)
        return NULL;
    spool->recovering = true;
    if (open_folders(spool, err) != 0 || slu_recovery_run(spool, options->data_dir, err) != 0 ||
        slu_ring_open(&spool->ring, spool->disk, spool->dir_fd,
                      slu_identity_current(&spool->identity), err) != 0 ||
        start_thread(spool, err) != 0) {
        free_spool(spool);
        return NULL;
    }
    atomic_store(&spool->reclaim, true);
    return spool;
}

/* ---- close ----------------------------------------------------------------------------------------- */

static bool writer_ends(struct slu_spool *spool, int64_t deadline_mono_ns)
{
    bool ended = false;

    atomic_store(&spool->stop_deadline_ns, deadline_mono_ns);
    atomic_store(&spool->stopping, true);
    slu_writer_wake(spool);
    pthread_mutex_lock(&spool->lock);
    for (;;) {
        ended = spool->writer_ended;
        /* It checks the deadline itself between two calls; a bit more for the last one. */
        const int64_t left = deadline_mono_ns + SLU_NS_PER_S / 2 - slu_clock_mono_ns();
        if (ended || left <= 0)
            break;
        struct timespec until;
        slu_wait_until(left < SLU_NS_PER_S ? left : SLU_NS_PER_S, &until);
        (void)pthread_cond_timedwait(&spool->defined, &spool->lock, &until);
    }
    pthread_mutex_unlock(&spool->lock);
    return ended;
}

void slu_spool_close(struct slu_spool *spool, int64_t deadline_mono_ns)
{
    if (spool == NULL)
        return;
    if (!writer_ends(spool, deadline_mono_ns)) {
        slu_log(
            SLU_LOG_ERROR,
            "spool: the writer hangs in the disk of %s; left behind, what is in the ring will be "
            "found at the next start",
            spool->data_dir);
        return; /* its memory stays: the thread may wake up and use it */
    }
    pthread_join(spool->thread, NULL);

    struct slu_err err = {0};
    if (!atomic_load(&spool->emptied))
        slu_log(
            SLU_LOG_WARNING,
            "spool: not everything could be written in time; it is in the ring and will be found "
            "at the next start");
    else if (slu_identity_store(&spool->identity, spool->next_seq, true, &err) != 0)
        slu_log(SLU_LOG_WARNING, "%s; some sequence numbers will be skipped", err.text);
    free_spool(spool);
}

void slu_spool_reconfigure(struct slu_spool *spool, const struct slu_spool_options *options)
{
    atomic_store(&spool->sync, (int)options->sync);
    atomic_store(&spool->sync_interval_ns, options->sync_interval_ns);
    atomic_store(&spool->max_size_bytes,
                 options->max_size_bytes > 0 ? options->max_size_bytes : INT64_MAX);
    atomic_store(&spool->min_free_bytes, options->min_free_bytes > 0 ? options->min_free_bytes : 0);
}

/* ---- identity -------------------------------------------------------------------------------------- */

const uint8_t *slu_spool_id(const struct slu_spool *spool)
{
    return slu_identity_current(&spool->identity);
}

const uint8_t *slu_spool_id_of(const struct slu_spool *spool, uint64_t seq)
{
    return slu_identity_of(&spool->identity, seq);
}

int slu_spool_renew_id(struct slu_spool *spool, uint64_t far_seq, struct slu_err *err)
{
    if (far_seq <= atomic_load(&spool->head_seq))
        return slu_err_set(err, SLU_EINVAL,
                           "spool: the far side's cursor %" PRIu64 " is not beyond ours", far_seq);
    pthread_mutex_lock(&spool->lock);
    struct slu_identity *identity = &spool->identity;
    const uint32_t n = atomic_load(&identity->n_spans);
    const bool done = identity->spans[n - 1].first_seq >= spool->run_first_seq;
    const bool room = n < SLU_IDENTITIES_MAX;
    if (!done && room) {
        slu_identity_renew(identity, spool->run_first_seq);
        atomic_store(&spool->identity_changed, true);
    }
    pthread_mutex_unlock(&spool->lock);
    if (done)
        return 0;
    if (!room)
        return slu_err_set(err, SLU_ENOMEM, "spool: the identity changed too often");
    slu_log(SLU_LOG_WARNING,
            "spool: the far side knows record %" PRIu64
            " of this spool, which we never made (an older copy was put back?): records of this "
            "run get a new spool id",
            far_seq);
    slu_writer_wake(spool); /* it writes the id file */
    return 0;
}

/* ---- definitions ----------------------------------------------------------------------------------- */

static uint16_t define(struct slu_spool *spool, enum slu_definition_kind kind, const char *name,
                       const char *type, struct slu_slice text)
{
    pthread_mutex_lock(&spool->lock);
    const uint16_t number =
        slu_names_define(&spool->names, kind, slu_slice_of(name), slu_slice_of(type), text);
    pthread_mutex_unlock(&spool->lock);
    return number;
}

uint16_t slu_spool_define_policy(struct slu_spool *spool, const char *id)
{
    return define(spool, SLU_DEFINE_POLICY, id, "", SLU_SLICE(""));
}

uint16_t slu_spool_define_schema(struct slu_spool *spool, const char *name, const char *type,
                                 struct slu_slice text)
{
    return define(spool, SLU_DEFINE_SCHEMA, name, type, text);
}

void slu_spool_await_definitions(struct slu_spool *spool)
{
    const int64_t deadline = slu_clock_mono_ns() + DEFINE_WAIT_NS;

    slu_writer_wake(spool);
    pthread_mutex_lock(&spool->lock);
    while (spool->names_durable < spool->names.n_live && !spool->writer_ended) {
        const int64_t left = deadline - slu_clock_mono_ns();
        if (left <= 0)
            break; /* the disk fails and the log says so; the definitions follow when it works */
        struct timespec until;
        slu_wait_until(left, &until);
        (void)pthread_cond_timedwait(&spool->defined, &spool->lock, &until);
    }
    pthread_mutex_unlock(&spool->lock);
}

const char *slu_spool_policy_name(const struct slu_spool *spool, uint16_t number)
{
    return slu_names_policy(&spool->names, number);
}

const char *slu_spool_schema_name(const struct slu_spool *spool, uint16_t number)
{
    return slu_names_schema(&spool->names, number);
}

struct slu_slice slu_spool_schema_text(const struct slu_spool *spool, uint16_t number)
{
    return slu_names_schema_text(&spool->names, number);
}

/* ---- watch ----------------------------------------------------------------------------------------- */

void slu_spool_stats(const struct slu_spool *spool, struct slu_spool_stats *stats)
{
    /* The lock is no part of what is promised not to change. */
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&spool->lock;

    *stats = (struct slu_spool_stats){0};
    pthread_mutex_lock(lock);
    stats->bytes = (int64_t)slu_full_bytes(spool);
    memcpy(stats->last_error, spool->last_error, sizeof(stats->last_error));
    pthread_mutex_unlock(lock);
    stats->max_bytes = atomic_load(&spool->max_size_bytes);
    stats->free_bytes = atomic_load(&spool->free_bytes);
    stats->durable_seq = atomic_load(&spool->durable_seq);
    stats->head_seq = atomic_load(&spool->head_seq);
    stats->corrupt_records = atomic_load(&spool->corrupt_records);
    stats->corrupt_bytes = atomic_load(&spool->corrupt_bytes);
    stats->sync_failures = atomic_load(&spool->sync_failures);
    stats->full = atomic_load(&spool->full_for) != 0;
    stats->failing = atomic_load(&spool->failing);
}

/* Lock held. */
static void fill_sink(const struct slu_spool_sink *sink, struct slu_spool_sink_stats *out)
{
    *out = (struct slu_spool_sink_stats){.bit = (int)sink->cursor.bit,
                                         .orphaned = sink->cursor.orphaned,
                                         .spooled_at_start = sink->spooled_at_start,
                                         .delivered = sink->delivered,
                                         .dead_lettered = sink->dead_lettered,
                                         .corrupt = sink->corrupt,
                                         .committed_seq = sink->cursor.position.seq};
    memcpy(out->name, sink->cursor.name, sizeof(sink->cursor.name));
    memcpy(out->type, sink->cursor.type, sizeof(sink->cursor.type));
    out->discarded =
        sink->discarded_old + atomic_load_explicit(&sink->discarded_new, memory_order_acquire);
    out->routed = atomic_load_explicit(&sink->routed, memory_order_acquire);
    const uint64_t in = out->spooled_at_start + out->routed;
    const uint64_t gone = out->delivered + out->dead_lettered + out->discarded + out->corrupt;
    out->spooled = in > gone ? in - gone : 0;
    out->oldest_time_ns = out->spooled > 0 ? atomic_load(&sink->oldest_ns) : 0;
}

size_t slu_spool_sink_stats(const struct slu_spool *spool, struct slu_spool_sink_stats *stats,
                            size_t max)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&spool->lock;
    size_t n = 0;

    pthread_mutex_lock(lock);
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        const struct slu_spool_sink *sink = &spool->sinks[i];
        if (!sink->used || sink->cursor.forgotten)
            continue;
        if (n < max)
            fill_sink(sink, &stats[n]);
        n++;
    }
    pthread_mutex_unlock(lock);
    return n;
}
