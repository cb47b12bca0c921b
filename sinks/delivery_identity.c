/* delivery_identity.c -- under which spool id the sink works.
 *
 * A spool is one line of numbers, but records may have different ids: when a data folder was cloned or
 * an older copy of it was put back, new records get a new id while the backlog keeps its own. What a
 * far shore knows ("safe up to 500") it knows under one id. So before the first record of another id is
 * pushed, everything under way is settled, and the sink is closed and opened again under the new id.
 *
 * A far shore that knows numbers we have never given out is how an older copy is noticed at all:
 *
 *   far side, old id   1 ─────────────────────────────── 500
 *   the copy           1 ── 100 │ 101 ── 130 of this run: other records than 101 … 130 over there
 *                               └ from here on they get a new id (slu_spool_renew_id)
 */
#include "sinks/delivery_inside.h"

#include <inttypes.h>
#include <string.h>

static bool is_ours(const struct slu_delivery *d, uint64_t seq)
{
    return memcmp(slu_spool_id_of(d->spool, seq), d->spool_id, sizeof(d->spool_id)) == 0;
}

/* The last record behind `after`, up to `head`, that has our id; `after` when the next has another. */
static uint64_t last_of_ours(const struct slu_delivery *d, uint64_t after, uint64_t head)
{
    while (after < head) {
        const uint64_t middle = after + (head - after + 1) / 2;
        if (is_ours(d, middle))
            after = middle;
        else
            head = middle - 1;
    }
    return after;
}

uint64_t slu_delivery_known(struct slu_delivery *d, uint64_t safe_seq)
{
    struct slu_spool_stats stats;
    struct slu_err err = {0};
    slu_spool_stats(d->spool, &stats);
    /* Before the first push nothing of this run can be over there. */
    const uint64_t head = d->has_pushed ? stats.head_seq : d->start_head;

    d->is_stuck = false;
    d->foreign_seq = 0;
    if (safe_seq <= head)
        return safe_seq;
    if (slu_spool_renew_id(d->spool, safe_seq, &err) == 0 && !is_ours(d, stats.head_seq + 1))
        return last_of_ours(d, d->committed, stats.head_seq);
    d->foreign_seq = safe_seq;
    return head;
}

bool slu_delivery_is_foreign(struct slu_delivery *d, const struct slu_record *record)
{
    struct slu_err err = {0};
    if (d->foreign_seq == 0 || record->seq > d->foreign_seq || !is_ours(d, record->seq))
        return false;
    slu_err_set(
        &err, SLU_ECORRUPT,
        "the far side holds records up to %" PRIu64 " of this spool, which is only at %" PRIu64
        ": data_dir looks like an older copy of itself; restart the broker to go on under a "
        "new spool id",
        d->foreign_seq, record->seq);
    d->is_stuck = true;
    slu_delivery_hold(d, SLU_DELIVERY_PAUSED, &err);
    return true;
}

void slu_delivery_close_sink(struct slu_delivery *d)
{
    if (d->is_open)
        d->ops->close(d->self);
    d->is_open = d->is_up = false;
}

bool slu_delivery_takes_id_of(struct slu_delivery *d, const struct slu_record *record)
{
    if (is_ours(d, record->seq))
        return true;
    if (d->window.n > 0)
        return false; /* first things first */
    if (d->ops->finish != NULL)
        d->ops->finish(d->self, slu_clock_mono_ns() + SLU_DELIVERY_TURN_NS);
    slu_delivery_close_sink(d);
    memcpy(d->spool_id, slu_spool_id_of(d->spool, record->seq), sizeof(d->spool_id));
    slu_dead_letters_close(d->letters);
    d->letters = NULL;
    slu_log(SLU_LOG_NOTICE, "sink %s: from record %" PRIu64 " on under another spool id", d->name,
            record->seq);
    return false;
}

bool slu_delivery_open_sink(struct slu_delivery *d)
{
    struct slu_err err = {0};
    if (d->is_open)
        return true;
    memset(d->self, 0, d->ops->self_bytes);
    if (d->ops->open(d->self, &d->env, d->section, &err) == 0) {
        d->is_open = true;
        return true;
    }
    d->ops->close(d->self);
    slu_delivery_hold(d, SLU_DELIVERY_PAUSED, &err);
    return false;
}
