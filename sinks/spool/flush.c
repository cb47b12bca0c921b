/* flush.c -- everything appended so far becomes durable and readable now, not at the next interval: a
 * clean stop wants the sinks to see it.
 *
 * Mode `always` is what makes every pass of the writer a sync, so the owner asks for that mode until
 * its last record is durable.
 */
#include "sinks/spool/inside.h"

bool slu_spool_flush(struct slu_spool *spool, int64_t deadline_mono_ns)
{
    const uint64_t head = atomic_load(&spool->head_seq);
    const int mode = atomic_exchange(&spool->sync, (int)SLU_SYNC_ALWAYS);
    bool reached;

    for (;;) {
        const uint32_t step = atomic_load(&spool->durable_step);
        reached = atomic_load(&spool->durable_seq) >= head;
        const int64_t left = deadline_mono_ns - slu_clock_mono_ns();
        if (reached || left <= 0)
            break;
        slu_writer_wake(spool);
        slu_futex_wait(&spool->durable_step, step, left < SLU_PASS_NS ? left : SLU_PASS_NS);
    }
    atomic_store(&spool->sync, mode);
    return reached;
}
