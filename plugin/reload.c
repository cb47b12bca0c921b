/* reload.c -- a new configuration beside the running one, then a swap.
 *
 *   housekeeper                                   broker's thread (tick)
 *   load and compile ─ any problem: keep the old
 *   ask ────────────────────────────────────────▶ give new sinks their bits
 *   numbers and counters for the new policies
 *   stop the sinks that changed or went, start the new ones ─ any problem: put the old ones back
 *   ask ────────────────────────────────────────▶ swap snapshot, binding, configuration
 *   free the old ones
 *
 * All or nothing: whatever fails, the old configuration goes on, one line says why, and status.json
 * shows it as config_error.
 */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define SINK_STOP_NS (5 * SLU_NS_PER_S)

/* What the two tasks on the broker's thread need. */
struct change {
    struct slu_config *config;
    struct slu_snapshot *snapshot;
    struct slu_binding *binding;
};

static int register_task(struct slu_house *house, void *argument, struct slu_err *err)
{
    const struct change *change = argument;

    return slu_house_register_sinks(house, change->config, err);
}

/* Swaps, and leaves the old ones in `change` for the housekeeper to free. */
static int swap_task(struct slu_house *house, void *argument, struct slu_err *err)
{
    struct change *change = argument;
    struct change old = {house->config, house->snapshot, house->binding};

    change->snapshot->generation = house->snapshot->generation + 1;
    if (slu_gate_use(&house->gate, change->snapshot, change->binding, err) != 0)
        return -1;
    slu_spool_reconfigure(house->spool, &change->config->spool);
    house->config = change->config;
    house->snapshot = change->snapshot;
    house->binding = change->binding;
    *change = old;
    return 0;
}

static void free_change(struct change *change)
{
    slu_binding_free(change->binding);
    slu_snapshot_free(change->snapshot);
    slu_config_free(change->config);
}

static const struct slu_config_sink *sink_named(const struct slu_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_sinks; i++)
        if (strcmp(config->sinks[i].name, name) == 0)
            return &config->sinks[i];
    return NULL;
}

static const struct slu_house_sink *running_sink(const struct slu_house *house, const char *name)
{
    for (size_t i = 0; i < house->n_sinks; i++)
        if (strcmp(house->sinks[i].name, name) == 0)
            return &house->sinks[i];
    return NULL;
}

/* Stop the running sinks that `next` does not have just so. */
static int stop_changed(struct slu_house *house, const struct slu_config *next, bool all,
                        struct slu_err *err)
{
    int64_t deadline = slu_clock_mono_ns() + SINK_STOP_NS;
    size_t kept = 0;
    int result = 0;

    for (size_t i = 0; i < house->n_sinks; i++) {
        struct slu_house_sink *sink = &house->sinks[i];
        const struct slu_config_sink *wanted = sink_named(next, sink->name);
        if (!all && wanted != NULL && wanted->fingerprint == sink->fingerprint) {
            house->sinks[kept++] = *sink;
            continue;
        }
        slu_delivery_stop(sink->delivery, deadline);
        if (!slu_delivery_join(sink->delivery, deadline)) {
            /* Its reader is still in use: a second one on the same place would be wrong. */
            result = slu_err_set(err, SLU_EBUSY, "sink %s does not stop: restart the broker",
                                 sink->name);
        }
    }
    house->n_sinks = kept;
    return result;
}

static int start_missing(struct slu_house *house, const struct slu_config *config,
                         struct slu_err *err)
{
    for (size_t i = 0; i < config->n_sinks; i++) {
        const struct slu_config_sink *sink = &config->sinks[i];
        if (running_sink(house, sink->name) != NULL)
            continue;
        if (slu_house_start_sink(house, config, sink, err) != 0) {
            slu_err_place(err, config->file, sink->section->line, sink->section->column, NULL);
            return -1;
        }
    }
    return 0;
}

static int change_sinks(struct slu_house *house, const struct slu_config *next, struct slu_err *err)
{
    bool all = strcmp(house->config->instance, next->instance) != 0;

    return stop_changed(house, next, all, err) != 0 ? -1 : start_missing(house, next, err);
}

/* The old configuration goes on: its sinks run again, its names are the spool's. */
static void put_back(struct slu_house *house)
{
    struct change old = {.config = house->config};
    struct slu_err err = {.kind = SLU_OK};

    if (stop_changed(house, house->config, false, &err) != 0 ||
        slu_house_ask(house, register_task, &old, &err) != 0 ||
        start_missing(house, house->config, &err) != 0)
        slu_log(SLU_LOG_ERROR, "reload: %s; restart the broker", err.text);
}

static int load_beside(struct slu_house *house, struct change *change, struct slu_err *err)
{
    struct slu_problems problems;

    slu_problems_init(&problems);
    change->config = slu_config_load(house->config_file, NULL, NULL, &problems);
    slu_house_tell_problems(&problems, change->config == NULL ? err : NULL);
    slu_problems_fini(&problems);
    if (change->config == NULL)
        return slu_err_set(err, SLU_EINVAL, "%s: cannot be used", house->config_file);
    change->snapshot = change->config->snapshot;
    change->config->snapshot = NULL;
    if (strcmp(change->config->data_dir, house->config->data_dir) != 0)
        return slu_err_set(err, SLU_EINVAL,
                           "data_dir cannot change from %s to %s while the broker runs: "
                           "restart it",
                           house->config->data_dir, change->config->data_dir);
    return 0;
}

static int reload(struct slu_house *house, struct slu_err *err)
{
    struct change change = {.config = NULL};
    int result = -1;

    if (load_beside(house, &change, err) != 0)
        goto done;
    if (slu_house_ask(house, register_task, &change, err) != 0)
        goto put_back;
    change.binding =
        slu_binding_new(change.config, change.snapshot, house->spool, &house->counts, err);
    if (change.binding == NULL || change_sinks(house, change.config, err) != 0 ||
        slu_house_ask(house, swap_task, &change, err) != 0)
        goto put_back;
    result = 0;
    goto done;

put_back:
    put_back(house);
done:
    free_change(&change); /* after a swap: the old one */
    return result;
}

void slu_house_reload_now(struct slu_house *house)
{
    struct slu_err err = {.kind = SLU_OK};

    if (reload(house, &err) == 0) {
        house->config_error[0] = '\0';
        slu_log(SLU_LOG_NOTICE,
                "reload: configuration %s is in force (generation %llu, %zu policies)",
                house->config_file, (unsigned long long)house->snapshot->generation,
                house->snapshot->n_policies);
        return;
    }
    slu_err_format(&err, house->config_error, sizeof(house->config_error));
    slu_log(SLU_LOG_ERROR,
            "reload: %s; the configuration before it (generation %llu) stays in force",
            house->config_error, (unsigned long long)house->snapshot->generation);
}
