/* delivery_answer.c -- what follows from a sink's answer.
 *
 *   settlement ──judge──▶ what is due: some rejects, then a place for the cursor ──pay──▶ done
 *
 * An answer is judged at once, in the order of the records. Paying may fail and be tried again (a full
 * disk under the dead letters); until it is paid the sink is not called, because it counts on its
 * rejects being on disk.
 */
#include "sinks/delivery_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void trip(struct slu_delivery *d)
{
    const struct slu_sink_reject *last = &d->settlement.rejects[d->due.n_rejects - 1];
    const double wait_s =
        (double)(d->circuit.probe_mono_ns - slu_clock_mono_ns()) / (double)SLU_NS_PER_S;
    char cause[sizeof(d->told)];

    snprintf(cause, sizeof(cause), "too many records are refused, the last with %s: %.150s",
             last->code, last->message);
    d->is_up = false;
    d->ops->reset(d->self);
    slu_window_clear(&d->window);
    d->pushed = d->committed;
    slu_delivery_set_state(d, SLU_DELIVERY_PAUSED, cause);
    slu_log(SLU_LOG_ERROR,
            "sink %s: %s; paused, %" PRIu64
            " records wait; goes on after a reload, a restart, or when "
            "one record passes (next try in %.0f s)",
            d->name, cause, slu_delivery_waiting(d), wait_s > 0 ? wait_s : 0);
}

/* Walk the window up to `safe_seq` in order, feed the circuit breaker, keep the rejects that are ours
 * to set aside. What lies behind a trip is nobody's: it will be pushed again. */
static void judge(struct slu_delivery *d)
{
    struct slu_settlement *settlement = &d->settlement;
    const struct slu_underway *entry;
    const int64_t now = slu_clock_mono_ns();
    size_t next = 0;

    while (!d->due.trips && (entry = slu_window_oldest(&d->window)) != NULL) {
        if (entry->is_dead) {
            d->due.n_dead++;
        } else if (entry->seq > settlement->safe_seq) {
            return;
        } else {
            while (next < settlement->n_rejects && settlement->rejects[next].seq < entry->seq)
                next++;
            const bool rejected =
                next < settlement->n_rejects && settlement->rejects[next].seq == entry->seq;
            if (rejected)
                settlement->rejects[d->due.n_rejects++] = settlement->rejects[next++];
            d->due.trips = slu_circuit_note(&d->circuit, rejected, now);
        }
        d->due.seq = entry->seq;
        d->due.is_open = true;
        d->attempts = d->resets = 0;
        slu_window_drop_oldest(&d->window);
    }
}

/* Add the letters of the rejects from `first` on whose records one read brings; returns the next. */
static int add_letters(struct slu_delivery *d, size_t first, size_t *n_found, struct slu_err *err)
{
    const struct slu_sink_reject *rejects = d->settlement.rejects;
    const int64_t now = slu_clock_wall_ns();
    const int n = slu_spool_read(d->reader, rejects[first].seq - 1, d->records,
                                 SLU_DELIVERY_LETTERS_READ, SLU_DELIVERY_BATCH_BYTES, err);
    if (n < 0)
        return -1;

    size_t next = first;
    for (int i = 0; i < n && next < d->due.n_rejects; i++) {
        while (next < d->due.n_rejects && rejects[next].seq < d->records[i].seq)
            next++; /* the spool has discarded it meanwhile, and counted it */
        if (next == d->due.n_rejects || rejects[next].seq != d->records[i].seq)
            continue;
        if (slu_dead_letters_add(d->letters, &d->records[i], &rejects[next], now, err) != 0)
            return -1;
        next++;
        (*n_found)++;
    }
    return (int)(next > first ? next : first + 1);
}

static int write_letters(struct slu_delivery *d, size_t *n_found, struct slu_err *err)
{
    for (size_t next = 0; next < d->due.n_rejects;) {
        const int after = add_letters(d, next, n_found, err);
        if (after < 0)
            return -1;
        next = (size_t)after;
    }
    return slu_dead_letters_sync(d->letters, err);
}

bool slu_delivery_pay(struct slu_delivery *d)
{
    struct slu_err err = {0};
    size_t n_letters = 0;

    if (!d->due.is_open)
        return true;
    if (d->due.n_rejects > 0 && write_letters(d, &n_letters, &err) != 0) {
        slu_delivery_hold(d, SLU_DELIVERY_PAUSED, &err);
        return false;
    }
    if (slu_spool_commit(d->reader, d->due.seq, n_letters + d->due.n_dead, &err) != 0)
        slu_log_sometimes(
            &d->spool_rate, SLU_DELIVERY_REPEAT_NS, SLU_LOG_WARNING,
            "sink %s: the cursor cannot be written: %s; a crash would repeat records to "
            "the far side",
            d->name, err.text);
    d->committed = d->due.seq;
    if (d->due.trips)
        trip(d);
    d->due = (struct slu_due){0};
    return true;
}

/* The far side starts afresh behind `safe_seq`. It may know more than the cursor (a crash came between
 * its commit and ours) or less (it was wiped): the higher place is right, since the cursor only ever
 * passed what was safe. */
static void rewind_to(struct slu_delivery *d, uint64_t safe_seq)
{
    const uint64_t known = slu_delivery_known(d, safe_seq);
    const uint64_t fated = d->due.is_open && d->due.seq > d->committed ? d->due.seq : d->committed;

    if (known > fated && !d->due.trips) {
        d->due.is_open = true;
        d->due.n_dead += slu_dead_letters_between(d->letters, fated, known);
        d->due.seq = known;
    }
    if (safe_seq != 0 && safe_seq < fated && !d->told_behind) {
        d->told_behind = true;
        slu_log(
            SLU_LOG_NOTICE,
            "sink %s: the far side holds records up to %" PRIu64 ", the cursor stands at %" PRIu64
            ": going on behind the cursor; what lies between was set aside or discarded here, or "
            "removed over there",
            d->name, safe_seq, fated);
    }
    slu_window_clear(&d->window);
    d->pushed = known > fated && !d->due.trips ? known : fated;
}

bool slu_delivery_ask(struct slu_delivery *d, int64_t deadline_ns)
{
    struct slu_err err = {0};
    d->settlement.safe_seq = 0;
    d->settlement.n_rejects = 0;
    const enum slu_sink_answer answer = d->ops->settle(d->self, deadline_ns, &d->settlement, &err);
    if (slu_delivery_is_abandoned(d))
        return false; /* it took so long that nobody waits any more, and the spool may be gone */

    if (answer != SLU_SINK_RESET && d->settlement.safe_seq > d->pushed)
        d->settlement.safe_seq = d->pushed;
    if (d->settlement.n_rejects > SLU_SINK_REJECTS_MAX)
        d->settlement.n_rejects = SLU_SINK_REJECTS_MAX;
    judge(d);
    if (answer == SLU_SINK_RESET)
        rewind_to(d, d->settlement.safe_seq);
    const bool trips = d->due.trips;
    if (!slu_delivery_pay(d) || trips)
        return false;
    if (answer == SLU_SINK_AWAY || answer == SLU_SINK_PAUSED) {
        slu_delivery_hold(
            d, answer == SLU_SINK_AWAY ? SLU_DELIVERY_DISCONNECTED : SLU_DELIVERY_PAUSED, &err);
        return false;
    }
    slu_delivery_note_up(d);
    if (answer == SLU_SINK_RESET && d->resets++ > 0)
        slu_delivery_nap(d, slu_delivery_backoff(d)); /* lost again before anything was safe */
    else if (answer == SLU_SINK_LIVE && d->window.n == 0)
        d->attempts = d->resets = 0;
    return true;
}
