/* full.c -- when there is no more room: max_size, min_free, a full disk.
 *
 * The writer asks before it makes the next segment. Room is found in this order:
 *
 *   1  segments that every sink has passed are deleted; that costs nothing
 *   2  the oldest segment whose only claims are of sinks with drop_oldest: they lose those records
 *   3  nothing: every sink's when_full is in force, and append.c takes it out on the new records
 *
 * A segment that a sink with `refuse` or `drop_newest` still needs is never deleted.
 *
 * A quarter of the room is kept for those who keep up, so that one sink that is away costs the others
 * nothing:
 *
 *   │ segments that sinks behind still need … │ reserve │ room: max_size, or what min_free leaves of it
 *                                             └ from here on when_full is in force for the sinks that
 *                                               are behind (drop_newest, refuse); the others go on,
 *                                               for their segments are free as soon as they are read
 *
 * "Behind" is a sink whose sealed segments are more than its part of the reserve: an equal one for each
 * sink but one, less two segments for what is under way before it is noticed. A single sink has no
 * reserve and may use everything. drop_oldest is never behind: it gives up its oldest segment when the
 * room really ends.
 *
 * What waits in the ring when the room ends was taken and will be written: room for a ring and a segment
 * is kept back for it, an eighth of max_size at most.
 */
#include "sinks/spool/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define RESERVE_PART       4 /* of the room: one in so many */
#define SEGMENTS_UNDER_WAY 2

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

/* What segments may take of max_size: the rest is for what waits in the ring. */
static uint64_t room_bytes(const struct slu_spool *spool)
{
    const uint64_t max = (uint64_t)atomic_load(&spool->max_size_bytes);
    const uint64_t ring = SLU_RING_BYTES + slu_writer_segment_bytes(spool);
    return max - (ring < max / 8 ? ring : max / 8);
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

static size_t count_sinks(const struct slu_spool *spool)
{
    size_t n = 0;
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        n += spool->sinks[i].used && !spool->sinks[i].cursor.orphaned;
    return n;
}

/* Lock held. Bytes of the sealed segments that this sink still needs. */
static uint64_t pinned_by(const struct slu_spool *spool, const struct slu_spool_sink *sink)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < spool->table.n; i++) {
        const struct slu_segment *segment = &spool->table.items[i];
        if (segment->sealed && slu_sink_left_in(sink, segment) > 0)
            bytes += segment->on_disk;
    }
    return bytes;
}

/* Lock held. The sinks with drop_newest or refuse that pin more than `allowed` bytes. */
static uint32_t find_behind(const struct slu_spool *spool, uint64_t allowed)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < SLU_SINKS_MAX; i++) {
        const struct slu_spool_sink *sink = &spool->sinks[i];
        if (sink->used && atomic_load(&sink->when_full) != SLU_FULL_DROP_OLDEST &&
            pinned_by(spool, sink) > allowed)
            bits |= UINT32_C(1) << i;
    }
    return bits;
}

/* All the room there is: what is in use and what may be added. */
static uint64_t whole_room(struct slu_spool *spool, uint64_t used)
{
    const uint64_t max = room_bytes(spool);
    const uint64_t least = (uint64_t)atomic_load(&spool->min_free_bytes);
    struct statvfs status;

    if (used >= max || spool->disk->fstatvfs(spool->disk->context, spool->dir_fd, &status) != 0)
        return max;
    const uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    const uint64_t more = free_bytes > least ? free_bytes - least : 0;
    return more < max - used ? used + more : max;
}

uint32_t slu_full_behind(struct slu_spool *spool)
{
    const uint64_t segment = slu_writer_segment_bytes(spool);

    pthread_mutex_lock(&spool->lock);
    const uint64_t used = slu_full_bytes(spool);
    const size_t n_sinks = count_sinks(spool);
    pthread_mutex_unlock(&spool->lock);
    const uint64_t room = whole_room(spool, used);
    const uint64_t reserve = room / RESERVE_PART;
    if (n_sinks < 2 || used + segment + reserve <= room)
        return 0;

    const uint64_t part = reserve / (n_sinks - 1);
    const uint64_t under_way = SEGMENTS_UNDER_WAY * segment;
    pthread_mutex_lock(&spool->lock);
    const uint32_t bits =
        find_behind(spool, part > under_way + segment ? part - under_way : segment);
    pthread_mutex_unlock(&spool->lock);
    return bits;
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
        if (used + bytes <= room_bytes(spool) && disk_has(spool, bytes))
            return true;
        if (!slu_full_give_one(spool))
            return false;
    }
}
