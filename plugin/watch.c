/* watch.c -- what an operator must be told though no message is wrong: a system alert and a log line when
 * the spool fills, when a sink pauses and comes back, and when no message has come by at all.
 *
 * Threads: the housekeeper's.
 */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define SILENCE_NS (10 * 60 * SLU_NS_PER_S)

static const unsigned fill_steps[] = {50, 80, 95}; /* per cent of max_size */

static unsigned fill_step(const struct slu_spool_stats *stats)
{
    unsigned step = 0;

    for (size_t i = 0; i < sizeof(fill_steps) / sizeof(fill_steps[0]); i++)
        if (stats->max_bytes > 0 && stats->bytes / (stats->max_bytes / 100 + 1) >= fill_steps[i])
            step = fill_steps[i];
    return stats->full ? 95 : step;
}

static void watch_spool(struct slu_house *house)
{
    struct slu_spool_stats stats;
    char message[256];

    slu_spool_stats(house->spool, &stats);
    unsigned step = fill_step(&stats);
    if (step > house->spool_told) {
        snprintf(message, sizeof(message),
                 "the spool is %u %% full%s: %lld of %lld bytes wait for a sink", step,
                 stats.full ? " and takes no more" : "", (long long)stats.bytes,
                 (long long)stats.max_bytes);
        slu_log(SLU_LOG_WARNING, "spool: %s", message);
        slu_house_notice(house, "system.spool_fill", message);
        house->spool_told = step;
    }
    /* Told again only after it has gone down for good: a spool that drops its oldest stays near a step. */
    if (step == 0 || step + 30 <= house->spool_told)
        house->spool_told = step;
}

static void watch_sink(struct slu_house *house, struct slu_house_sink *sink)
{
    struct slu_delivery_stats stats;
    char message[400];

    slu_delivery_stats(sink->delivery, &stats);
    bool was_paused = sink->told == SLU_DELIVERY_PAUSED;
    bool is_paused = stats.state == SLU_DELIVERY_PAUSED;
    if (was_paused == is_paused)
        return;
    if (is_paused)
        snprintf(message, sizeof(message), "sink %s is paused and keeps its data: %s", sink->name,
                 stats.last_error);
    else
        snprintf(message, sizeof(message), "sink %s is no longer paused", sink->name);
    sink->told = stats.state;
    slu_house_notice(house, is_paused ? "system.sink_paused" : "system.sink_resumed", message);
}

/* A listener that bypasses plugins looks like this and like nothing else. */
static void watch_silence(struct slu_house *house)
{
    if (house->silence_told || atomic_load(&house->counts.received) != 0 ||
        slu_clock_mono_ns() - house->opened_mono_ns < SILENCE_NS)
        return;
    house->silence_told = true;
    slu_log(SLU_LOG_NOTICE,
            "no message has reached the plugin for 10 minutes: if clients do publish, "
            "set per_listener_settings to false");
}

void slu_house_watch(struct slu_house *house)
{
    watch_spool(house);
    for (size_t i = 0; i < house->n_sinks; i++)
        watch_sink(house, &house->sinks[i]);
    watch_silence(house);
}
