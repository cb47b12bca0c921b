/* delivery_offer.c -- reads the spool behind what was pushed and hands it to the sink.
 *
 * A batch is what is there when a few records' worth of time has passed since its first (batch time),
 * or as many as make it full. The window (window.h) and the circuit breaker bound what is under way.
 */
#include "sinks/delivery_inside.h"

#include <string.h>

#define RECORD_OVERHEAD 64u /* bytes a record costs beyond what came in */

static size_t record_bytes(const struct slu_record *record)
{
    return RECORD_OVERHEAD + record->topic.len + record->client_id.len + record->username.len +
           record->properties.len + record->payload.len;
}

static void enter(struct slu_delivery *d, const struct slu_record *record, bool is_dead)
{
    slu_window_add(&d->window, (struct slu_underway){.seq = record->seq,
                                                     .bytes = (uint32_t)record_bytes(record),
                                                     .is_dead = is_dead});
    d->pushed = record->seq;
}

/* Push `n` records, but not those that have a dead letter already. False when the sink has enough. */
static bool push(struct slu_delivery *d, size_t n, int64_t deadline_ns)
{
    for (size_t i = 0; i < n;) {
        size_t run = i;
        while (run < n && !slu_dead_letters_has(d->letters, d->records[run].seq))
            run++;
        const size_t taken =
            run > i ? d->ops->push(d->self, &d->records[i], run - i, deadline_ns) : 0;
        for (size_t k = 0; k < taken && i < run; k++)
            enter(d, &d->records[i++], false);
        if (i < run)
            return false;
        if (i < n)
            enter(d, &d->records[i++], true);
    }
    return true;
}

/* How many records may be pushed now. */
static size_t quota(struct slu_delivery *d)
{
    size_t most = slu_circuit_allows(&d->circuit, slu_clock_mono_ns());
    most = most > d->window.n ? most - d->window.n : 0;
    const size_t room = slu_window_room(&d->window);
    most = most < room ? most : room;
    return most < d->batch_records ? most : d->batch_records;
}

/* Wait for records, then a little for more of them. True when there are some. */
static bool await_records(struct slu_delivery *d, size_t wanted, const struct slu_wishes *wishes)
{
    const int64_t now = slu_clock_mono_ns();
    if (wishes->stop)
        return slu_spool_wait(d->reader, d->pushed, now + SLU_DELIVERY_PAUSE_NS);
    if (!slu_spool_wait(d->reader, d->pushed, d->window.n > 0 ? now : now + SLU_DELIVERY_TURN_NS))
        return false;
    if (!d->more_is_there)
        slu_spool_wait(d->reader, d->pushed + wanted - 1, slu_clock_mono_ns() + d->batch_time_ns);
    return true;
}

/* Read up to `wanted` records behind `pushed`. 0: none, or not readable now. */
static size_t read_records(struct slu_delivery *d, size_t wanted)
{
    struct slu_err err = {0};
    const int n =
        slu_spool_read(d->reader, d->pushed, d->records, wanted, SLU_DELIVERY_BATCH_BYTES, &err);
    /* Bounded by bytes: the next batch is there already. */
    d->more_is_there = n > 0 && (size_t)n < wanted &&
                       slu_spool_wait(d->reader, d->records[n - 1].seq, slu_clock_mono_ns());
    if (n >= 0)
        return (size_t)n;
    slu_log_sometimes(&d->spool_rate, SLU_DELIVERY_REPEAT_NS, SLU_LOG_WARNING,
                      "sink %s: the spool cannot be read: %s; trying again", d->name, err.text);
    slu_delivery_nap(d, slu_delivery_backoff(d));
    return 0;
}

/* Nothing left of what was spooled when the stop was asked for? `durable_seq` is of before the read
 * that found `n` records. */
static bool is_drained(const struct slu_delivery *d, const struct slu_wishes *wishes,
                       uint64_t durable_seq, size_t n)
{
    if (!wishes->stop || d->window.n > 0)
        return false;
    if (n > 0)
        return d->records[0].seq > wishes->head;
    return durable_seq >= wishes->head || slu_delivery_waiting(d) == 0;
}

/* May a whole batch be pushed, and is it there? */
static bool has_batch(struct slu_delivery *d)
{
    return quota(d) == d->batch_records &&
           slu_spool_wait(d->reader, d->pushed + d->batch_records - 1, slu_clock_mono_ns());
}

void slu_delivery_offer(struct slu_delivery *d, const struct slu_wishes *wishes)
{
    const size_t wanted = quota(d);
    d->batch_is_there = false;
    if (wanted == 0) {
        if (d->window.n == 0) { /* the circuit breaker is open */
            d->gives_up = wishes->stop;
            slu_delivery_nap(d, SLU_DELIVERY_TURN_NS < d->backoff_max_ns ? SLU_DELIVERY_TURN_NS
                                                                         : d->backoff_max_ns);
        }
        return;
    }
    struct slu_spool_stats stats;
    slu_spool_stats(d->spool, &stats);
    const bool any = await_records(d, wanted, wishes);
    const size_t n = any || wishes->stop ? read_records(d, wanted) : 0;
    d->is_drained = is_drained(d, wishes, stats.durable_seq, n);
    slu_delivery_note_lag(d, n > 0 ? d->records[0].time_ns : 0);
    if (n == 0 && any)
        slu_delivery_nap(d, SLU_DELIVERY_PAUSE_NS); /* records, but none for this sink */
    if (n == 0 || d->is_drained || slu_delivery_is_foreign(d, &d->records[0]) ||
        !slu_delivery_takes_id_of(d, &d->records[0]))
        return;
    d->has_pushed = true;
    const bool took_all =
        push(d, n, slu_delivery_bounded(wishes, slu_clock_mono_ns() + SLU_DELIVERY_TURN_NS));
    d->more_is_there |= !took_all;
    d->batch_is_there = took_all && has_batch(d);
    if (!took_all && d->window.n == 0)
        slu_delivery_nap(d, SLU_DELIVERY_PAUSE_NS); /* it takes none and has none: not in a hurry */
}
