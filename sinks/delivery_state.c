/* delivery_state.c -- what others wish of a delivery, and what they see of it.
 *
 * Lines for the operator: a cause of standing still is told when it is new and once a minute while it
 * stays; "connected" when it is over. A sink that flaps is held to one line of a kind each few seconds.
 *
 * Threads: `lock` guards wishes and stats and is never held across a call that can wait.
 */
#include "sinks/delivery_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BEHIND_NS (60 * SLU_NS_PER_S) /* further behind is "buffering" */
#define CHANGE_NS (5 * SLU_NS_PER_S)  /* between two lines about a change */

const char *const slu_delivery_state_names[6] = {
    [SLU_DELIVERY_CONNECTING] = "connecting",     [SLU_DELIVERY_CONNECTED] = "connected",
    [SLU_DELIVERY_BUFFERING] = "buffering",       [SLU_DELIVERY_PAUSED] = "paused",
    [SLU_DELIVERY_DISCONNECTED] = "disconnected", [SLU_DELIVERY_STOPPED] = "stopped",
};

/* ---- wishes ---------------------------------------------------------------------------------------- */

struct slu_wishes slu_delivery_wishes(struct slu_delivery *d)
{
    pthread_mutex_lock(&d->lock);
    const struct slu_wishes wishes = {
        .stop = d->is_stopping,
        .abandoned = d->is_abandoned,
        .resume = d->wants_resume,
        .rotate = d->wants_rotation,
        .deadline_ns = d->stop_deadline_ns,
        .drain_until_ns = d->drain_until_ns,
        .head = d->stop_head,
    };
    d->wants_resume = d->wants_rotation = false;
    d->seen_wakes = d->wakes;
    pthread_mutex_unlock(&d->lock);
    return wishes;
}

bool slu_delivery_is_abandoned(struct slu_delivery *d)
{
    pthread_mutex_lock(&d->lock);
    const bool is_abandoned = d->is_abandoned;
    pthread_mutex_unlock(&d->lock);
    return is_abandoned;
}

bool slu_delivery_wait_changed(struct slu_delivery *d, int64_t until_mono_ns)
{
    const int64_t left = until_mono_ns - slu_clock_mono_ns();
    if (left <= 0)
        return false;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(left / SLU_NS_PER_S);
    at.tv_nsec += (long)(left % SLU_NS_PER_S);
    if (at.tv_nsec >= SLU_NS_PER_S) {
        at.tv_sec++;
        at.tv_nsec -= SLU_NS_PER_S;
    }
    return pthread_cond_timedwait(&d->changed, &d->lock, &at) != ETIMEDOUT;
}

void slu_delivery_nap(struct slu_delivery *d, int64_t ns)
{
    pthread_mutex_lock(&d->lock);
    if (d->is_stopping && ns > SLU_DELIVERY_PAUSE_NS)
        ns = SLU_DELIVERY_PAUSE_NS;
    const int64_t until = slu_clock_mono_ns() + ns;
    while (d->wakes == d->seen_wakes && slu_delivery_wait_changed(d, until)) {
    }
    pthread_mutex_unlock(&d->lock);
}

/* ---- state ----------------------------------------------------------------------------------------- */

void slu_delivery_set_state(struct slu_delivery *d, enum slu_delivery_state state,
                            const char *error)
{
    pthread_mutex_lock(&d->lock);
    d->stats.state = state;
    d->stats.breaker_open = d->circuit.state != SLU_CIRCUIT_CLOSED;
    if (error != NULL)
        snprintf(d->stats.last_error, sizeof(d->stats.last_error), "%s", error);
    pthread_mutex_unlock(&d->lock);
}

uint64_t slu_delivery_waiting(const struct slu_delivery *d)
{
    struct slu_spool_sink_stats stats[SLU_SINKS_MAX];
    const size_t n = slu_spool_sink_stats(d->spool, stats, SLU_SINKS_MAX);

    for (size_t i = 0; i < n && i < SLU_SINKS_MAX; i++) {
        if (strcmp(stats[i].name, d->name) == 0)
            return stats[i].spooled;
    }
    return 0;
}

/* A new cause is told at once, the same one again once a minute. One that comes too soon after another
 * stays new, so that it is told by a later try and not only after a minute. */
static void tell(struct slu_delivery *d, const char *cause, int64_t next_try_ns)
{
    const bool is_new = strcmp(cause, d->told) != 0;
    const int64_t now = slu_clock_mono_ns();

    if (is_new && now >= d->change_rate.next_mono_ns) {
        snprintf(d->told, sizeof(d->told), "%s", cause);
        d->repeat_rate.next_mono_ns = now + SLU_DELIVERY_REPEAT_NS;
    }
    slu_log_sometimes(is_new ? &d->change_rate : &d->repeat_rate,
                      is_new ? CHANGE_NS : SLU_DELIVERY_REPEAT_NS, SLU_LOG_WARNING,
                      "sink %s: %s; %" PRIu64 " records wait, next try in %.1f s", d->name, cause,
                      slu_delivery_waiting(d), (double)next_try_ns / (double)SLU_NS_PER_S);
}

/* Full jitter: anything up to the ceiling, which doubles with each attempt. */
int64_t slu_delivery_backoff(struct slu_delivery *d)
{
    int64_t ceiling = d->backoff_min_ns;
    for (unsigned i = 0; i < d->attempts && ceiling < d->backoff_max_ns; i++)
        ceiling *= 2;
    if (ceiling > d->backoff_max_ns)
        ceiling = d->backoff_max_ns;
    d->attempts++;
    return 1 + (int64_t)slu_random_below(&d->random, (uint64_t)ceiling);
}

void slu_delivery_hold(struct slu_delivery *d, enum slu_delivery_state state,
                       const struct slu_err *err)
{
    const int64_t delay = slu_delivery_backoff(d);
    char cause[sizeof(d->told)];

    snprintf(cause, sizeof(cause), "%.255s", err->text[0] != '\0' ? err->text : "gives no reason");
    d->is_up = d->told_lag = false;
    slu_delivery_set_state(d, state, cause);
    tell(d, cause, delay);
    pthread_mutex_lock(&d->lock);
    d->gives_up = d->is_stopping;
    pthread_mutex_unlock(&d->lock);
    if (!d->gives_up)
        slu_delivery_nap(d, delay);
}

void slu_delivery_note_up(struct slu_delivery *d)
{
    if (d->is_up)
        return;
    if (d->circuit.state != SLU_CIRCUIT_CLOSED || d->is_stuck) {
        slu_delivery_set_state(d, SLU_DELIVERY_PAUSED, NULL);
        return;
    }
    d->is_up = true;
    d->told[0] = '\0';
    slu_delivery_set_state(d, SLU_DELIVERY_CONNECTED, "");
    slu_log_sometimes(&d->up_rate, CHANGE_NS, SLU_LOG_NOTICE,
                      "sink %s: connected, %" PRIu64 " records wait", d->name,
                      slu_delivery_waiting(d));
}

void slu_delivery_note_lag(struct slu_delivery *d, int64_t arrival_ns)
{
    const bool is_behind = arrival_ns != 0 && slu_clock_wall_ns() - arrival_ns > BEHIND_NS;
    if (!d->is_up || is_behind == d->told_lag)
        return;
    d->told_lag = is_behind;
    slu_delivery_set_state(d, is_behind ? SLU_DELIVERY_BUFFERING : SLU_DELIVERY_CONNECTED, NULL);
}
