/* full.c -- when there is no more room: max_size, min_free, a full disk.
 *
 * The writer asks before it makes the next segment. Room is found in this order:
 *
 *   1  segments that every sink has passed are deleted; that costs nothing
 *   2  the oldest segment whose only claims are of sinks with drop_oldest: they lose those records
 *   3  nothing: `full` is in force, and append.c takes it out on the new records, sink by sink
 *
 * A segment that a sink with `refuse` or `drop_newest` still needs is never deleted.
 */
#include "sinks/spool/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Unlink, then take it out of the table: a file that cannot be deleted stays known, and is tried
 * again. */
static bool delete_segment(struct slu_spool *spool, uint64_t base_seq)
{
    char name[SLU_SEGMENT_NAME_SIZE];
    slu_segment_name(base_seq, name);
    if (spool->disk->unlinkat(spool->disk->context, spool->dir_fd, name) != 0 && errno != ENOENT) {
        slu_spool_failed(spool, "delete a segment", errno);
        return false;
    }
    pthread_mutex_lock(&spool->lock);
    const struct slu_segment *found = slu_table_find(&spool->table, base_seq);
    if (found != NULL)
        slu_table_remove(&spool->table, (size_t)(found - spool->table.items));
    pthread_mutex_unlock(&spool->lock);
    return true;
}

static bool is_claimed(const struct slu_spool *spool, const struct slu_segment *segment)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        if (spool->sinks[i].used && slu_sink_left_in(&spool->sinks[i], segment) > 0)
            return true;
    return false;
}

/* The base of the oldest segment that nobody needs; 0: none. The newest always stays: it tells where
 * the numbers are. */
static uint64_t find_free(struct slu_spool *spool)
{
    uint64_t base_seq = 0;

    pthread_mutex_lock(&spool->lock);
    for (size_t i = 0; i + 1 < spool->table.n && base_seq == 0; i++)
        if (spool->table.items[i].sealed && !is_claimed(spool, &spool->table.items[i]))
            base_seq = spool->table.items[i].base_seq;
    pthread_mutex_unlock(&spool->lock);
    return base_seq;
}

size_t slu_full_reclaim(struct slu_spool *spool)
{
    size_t n = 0;
    uint64_t base_seq;

    while ((base_seq = find_free(spool)) != 0 && delete_segment(spool, base_seq))
        n++;
    return n;
}

uint64_t slu_full_bytes(const struct slu_spool *spool)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < spool->table.n; i++)
        bytes += spool->table.items[i].on_disk;
    return bytes;
}

static bool may_be_dropped(const struct slu_spool *spool, const struct slu_segment *segment)
{
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        const struct slu_spool_sink *sink = &spool->sinks[i];
        if (sink->used && atomic_load(&sink->when_full) != SLU_FULL_DROP_OLDEST &&
            slu_sink_left_in(sink, segment) > 0)
            return false;
    }
    return true;
}

/* Lock held. Every sink that drops its oldest passes this segment. */
static uint64_t drop_up_to(struct slu_spool *spool, const struct slu_segment *segment)
{
    uint64_t dropped = 0;

    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        struct slu_spool_sink *sink = &spool->sinks[i];
        if (!sink->used || atomic_load(&sink->when_full) != SLU_FULL_DROP_OLDEST ||
            slu_sink_left_in(sink, segment) == 0)
            continue;
        const uint64_t gone = slu_sink_pass_segment(&spool->table, sink, segment);
        sink->discarded_old += gone;
        dropped += gone;
    }
    return dropped;
}

bool slu_full_give_one(struct slu_spool *spool)
{
    uint64_t base_seq = 0, dropped = 0;

    pthread_mutex_lock(&spool->lock);
    for (size_t i = 0; i + 1 < spool->table.n && base_seq == 0; i++) {
        const struct slu_segment *segment = &spool->table.items[i];
        if (!segment->sealed || !may_be_dropped(spool, segment))
            continue;
        base_seq = segment->base_seq;
        dropped = drop_up_to(spool, segment);
    }
    pthread_mutex_unlock(&spool->lock);
    if (base_seq == 0)
        return false;
    if (dropped > 0)
        slu_log_sometimes(&spool->writer.full_rate, 15 * SLU_NS_PER_S, SLU_LOG_WARNING,
                          "spool: full, sinks with when_full drop_oldest lost their %" PRIu64
                          " oldest records",
                          dropped);
    return delete_segment(spool, base_seq);
}

static bool disk_has(struct slu_spool *spool, uint64_t bytes)
{
    struct statvfs status;
    if (spool->disk->fstatvfs(spool->disk->context, spool->dir_fd, &status) != 0)
        return true; /* then the disk itself will say */
    const uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    atomic_store(&spool->free_bytes, (int64_t)free_bytes);
    const uint64_t least = (uint64_t)atomic_load(&spool->min_free_bytes);
    return free_bytes >= least && free_bytes - least >= bytes;
}

static void tell_level(struct slu_spool *spool, uint64_t bytes, uint64_t max)
{
    static const unsigned levels[] = {95, 80, 50};
    unsigned level = 0;

    for (size_t i = 0; i < 3 && level == 0; i++)
        if (bytes / 100 * 100 >= max / 100 * levels[i])
            level = levels[i];
    if (level > spool->writer.level)
        slu_log(level >= 80 ? SLU_LOG_WARNING : SLU_LOG_NOTICE,
                "spool: %u %% of max_size is in use (%" PRIu64 " of %" PRIu64 " MiB)", level,
                bytes >> 20, max >> 20);
    spool->writer.level = level;
}

bool slu_full_make_room(struct slu_spool *spool, uint64_t bytes)
{
    for (;;) {
        (void)slu_full_reclaim(spool);
        pthread_mutex_lock(&spool->lock);
        const uint64_t used = slu_full_bytes(spool);
        pthread_mutex_unlock(&spool->lock);
        const uint64_t max = (uint64_t)atomic_load(&spool->max_size_bytes);
        tell_level(spool, used, max);
        if (used + bytes <= max && disk_has(spool, bytes))
            return true;
        if (!slu_full_give_one(spool))
            return false;
    }
}
