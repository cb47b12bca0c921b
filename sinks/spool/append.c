/* append.c -- the owner's hot path: a record goes into the ring.
 *
 * In the usual case: three atomic reads, the record packed straight into the mapped ring, one CRC, a
 * counter for each sink, two atomic stores. Everything unusual (full, the ring full, `always`, the
 * writer to be woken) is a function of its own below that path.
 *
 * What a refusal or a drop means for the books: a refused record is not counted at all, its publisher
 * sends it again; a bit that is taken away counts as routed and discarded.
 */
#include "sinks/spool/inside.h"

#include <errno.h>
#include <time.h>

#define ROOM_WAIT_NS    (5 * SLU_NS_PER_MS) /* once, when the ring is full */
#define ROOM_LOOK_NS    (SLU_NS_PER_MS / 4)
#define DURABLE_WAIT_NS (2 * SLU_NS_PER_S) /* `always` */

/* Only the owner adds, so a load and a store do. */
static inline void add_own(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_release);
}

static inline void count_routed(struct slu_spool *spool, uint32_t sinks)
{
    for (; sinks != 0; sinks &= sinks - 1)
        add_own(&spool->sinks[__builtin_ctz(sinks)].routed, 1);
}

static void count_discarded(struct slu_spool *spool, uint32_t sinks)
{
    count_routed(spool, sinks);
    for (; sinks != 0; sinks &= sinks - 1)
        add_own(&spool->sinks[__builtin_ctz(sinks)].discarded_new, 1);
}

/* It cannot be taken: QoS 0 is lost and counted, the others come again. */
static enum slu_append turn_away(struct slu_spool *spool, const struct slu_record *record)
{
    if (record->qos > 0)
        return SLU_APPEND_REFUSED;
    count_discarded(spool, (uint32_t)record->sinks);
    return SLU_APPEND_DROPPED;
}

/* when_full is in force for the sinks in `full`, some of the record's: which of its sinks still get it?
 * False: refused. */
static bool filter_full(struct slu_spool *spool, const struct slu_record *record, uint32_t full,
                        uint32_t *sinks)
{
    if (record->qos > 0)
        for (uint32_t bits = full; bits != 0; bits &= bits - 1)
            if (atomic_load(&spool->sinks[__builtin_ctz(bits)].when_full) == SLU_FULL_REFUSE)
                return false;
    /* drop_newest loses the new one; so does drop_oldest, which had nothing old to give up that
     * would have made room. */
    count_discarded(spool, full);
    *sinks &= ~full;
    return true;
}

/* The ring is full: the writer is stalled. Wait a little, once, then not again until it is half
 * empty. */
static uint8_t *wait_for_room(struct slu_spool *spool, size_t size)
{
    const struct timespec look = {.tv_nsec = ROOM_LOOK_NS};

    if (spool->ring_stalled)
        return NULL;
    slu_writer_wake(spool);
    for (int64_t waited = 0; waited < ROOM_WAIT_NS; waited += ROOM_LOOK_NS) {
        (void)nanosleep(&look, NULL);
        uint8_t *at = slu_ring_reserve(&spool->ring, size);
        if (at != NULL)
            return at;
    }
    spool->ring_stalled = true;
    return NULL;
}

static void look_at_stall(struct slu_spool *spool)
{
    if (slu_ring_used(&spool->ring) <= SLU_RING_BYTES / 2)
        spool->ring_stalled = false;
}

/* `always`: is the disk in a state to make anything durable? */
static bool may_become_durable(struct slu_spool *spool)
{
    if (spool->undurable_seq != 0 && atomic_load(&spool->durable_seq) >= spool->undurable_seq)
        spool->undurable_seq = 0;
    return spool->undurable_seq == 0 && !atomic_load(&spool->failing);
}

static enum slu_append wait_durable(struct slu_spool *spool, const struct slu_record *record)
{
    const int64_t until = slu_clock_mono_ns() + DURABLE_WAIT_NS;

    slu_writer_wake(spool);
    for (;;) {
        const uint32_t step = atomic_load(&spool->durable_step);
        if (atomic_load(&spool->durable_seq) >= record->seq)
            return SLU_APPENDED;
        const int64_t left = until - slu_clock_mono_ns();
        if (left <= 0 || atomic_load(&spool->failing))
            break;
        slu_futex_wait(&spool->durable_step, step, left < SLU_PASS_NS ? left : SLU_PASS_NS);
    }
    /* It is in the ring and will be delivered, but it may not be acknowledged: it may come twice. */
    spool->undurable_seq = record->seq;
    return record->qos > 0 ? SLU_APPEND_REFUSED : SLU_APPENDED;
}

/* A quarter of the ring filled since the writer looked: do not leave it to its timer. */
static inline void wake_when_behind(struct slu_spool *spool)
{
    const uint64_t passed = atomic_load_explicit(&spool->passed_head, memory_order_relaxed);
    if (__builtin_expect(spool->ring.head - passed <= SLU_RING_BYTES / 4, 1) ||
        spool->woken_at == passed + 1)
        return;
    spool->woken_at = passed + 1;
    slu_writer_wake(spool);
}

enum slu_append slu_spool_append(struct slu_spool *spool, struct slu_record *record)
{
    uint32_t sinks = (uint32_t)record->sinks;
    record->seq = 0;
    if (sinks == 0)
        return SLU_APPENDED; /* accepted, and nobody wants it */

    const bool always = atomic_load_explicit(&spool->sync, memory_order_relaxed) == SLU_SYNC_ALWAYS;
    if (__builtin_expect(always, 0) && record->qos > 0 && !may_become_durable(spool))
        return SLU_APPEND_REFUSED;
    const uint32_t full = atomic_load_explicit(&spool->full_for, memory_order_relaxed) & sinks;
    if (__builtin_expect(full != 0, 0)) {
        if (!filter_full(spool, record, full, &sinks))
            return SLU_APPEND_REFUSED;
        if (sinks == 0)
            return SLU_APPEND_DROPPED;
    }
    if (__builtin_expect(spool->ring_stalled, 0))
        look_at_stall(spool);

    const size_t size = slu_pack_size(record);
    if (__builtin_expect(size == 0 || spool->next_seq >= atomic_load_explicit(&spool->reserved_end,
                                                                              memory_order_relaxed),
                         0))
        return turn_away(spool, record);
    uint8_t *at = slu_ring_reserve(&spool->ring, size);
    if (__builtin_expect(at == NULL, 0)) {
        at = wait_for_room(spool, size);
        if (at == NULL)
            return turn_away(spool, record);
    }

    record->seq = spool->next_seq++;
    slu_pack_record(at, record, sinks, size, spool->seed);
    count_routed(spool, sinks);
    atomic_store_explicit(&spool->head_seq, record->seq, memory_order_relaxed);
    slu_ring_commit(&spool->ring, at, size);
    if (__builtin_expect(always, 0))
        return wait_durable(spool, record);
    wake_when_behind(spool);
    return SLU_APPENDED;
}
