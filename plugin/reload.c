/* reload.c -- a new configuration beside the running one, then a swap.
 *
 *   housekeeper                                   broker's thread (tick)
 *   load and compile ─ any problem: keep the old
 *   bits for new sinks, numbers and counters for new policies: all that waits for the disk
 *   stop the sinks that changed, start the new ones ─ any problem: put the old ones back
 *   ask ────────────────────────────────────────▶ swap snapshot, binding, configuration
 *   stop the sinks that left, now that nothing is routed to them; free the old configuration
 *
 * All or nothing: whatever fails, the old configuration goes on, one line says why, and status.json
 * shows it as config_error.
 */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define SINK_STOP_NS (2 * SLU_NS_PER_S)

/* What is made here, and what the task on the broker's thread swaps. */
struct change {
    struct slu_config *config;
    struct slu_snapshot *snapshot;
    struct slu_binding *binding;
};

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

/* Stop one; false: it hangs in the kernel, and its place in the spool stays taken. */
static bool stop_one(struct slu_house *house, struct slu_house_sink *sink)
{
    int64_t deadline = slu_clock_mono_ns() + SINK_STOP_NS;

    slu_delivery_stop(sink->delivery, deadline);
    if (slu_delivery_join(sink->delivery, deadline, NULL))
        return true;
    house->left_behind = true;
    slu_log(SLU_LOG_ERROR, "sink %s: does not stop and is left behind: restart the broker",
            sink->name);
    return false;
}

/* Stop the running sinks that `config` has, but not just so. Those that it has not at all go on: they
 * are still fed until the swap. */
static int stop_changed(struct slu_house *house, const struct slu_config *config,
                        struct slu_err *err)
{
    size_t kept = 0;
    int result = 0;

    for (size_t i = 0; i < house->n_sinks; i++) {
        struct slu_house_sink *sink = &house->sinks[i];
        const struct slu_config_sink *wanted = sink_named(config, sink->name);
        if (wanted == NULL || slu_house_fingerprint(config, wanted) == sink->fingerprint)
            house->sinks[kept++] = *sink;
        else if (!stop_one(house, sink))
            result = slu_err_set(err, SLU_EBUSY, "sink %s does not stop", sink->name);
    }
    house->n_sinks = kept;
    return result;
}

/* Stop those that `config` does not have. */
static void stop_departed(struct slu_house *house, const struct slu_config *config)
{
    size_t kept = 0;

    for (size_t i = 0; i < house->n_sinks; i++) {
        struct slu_house_sink *sink = &house->sinks[i];
        if (sink_named(config, sink->name) != NULL)
            house->sinks[kept++] = *sink;
        else
            stop_one(house, sink);
    }
    house->n_sinks = kept;
}

/* Those that carry on end their open file, as those do that were stopped; the others have none yet. One
 * that stands still tries again: an operator who mended something reloads. */
static void stir_sinks(struct slu_house *house)
{
    for (size_t i = 0; i < house->n_sinks; i++) {
        slu_delivery_rotate(house->sinks[i].delivery);
        slu_delivery_resume(house->sinks[i].delivery);
    }
}

/* Start those that do not run; with `go_on` the others too when one of them cannot. */
static int start_missing(struct slu_house *house, const struct slu_config *config, bool go_on,
                         struct slu_err *err)
{
    int result = 0;

    for (size_t i = 0; i < config->n_sinks && (result == 0 || go_on); i++) {
        const struct slu_config_sink *sink = &config->sinks[i];
        if (running_sink(house, sink->name) != NULL ||
            slu_house_start_sink(house, config, sink, err) == 0)
            continue;
        slu_err_place(err, config->file, sink->section->line, sink->section->column, NULL);
        result = -1;
    }
    return result;
}

static int change_sinks(struct slu_house *house, const struct slu_config *next, struct slu_err *err)
{
    if (stop_changed(house, next, err) != 0)
        return -1;
    if (slu_house_is_stopping(house))
        return slu_err_set(err, SLU_EBUSY, "the broker stops");
    return start_missing(house, next, false, err);
}

/* The old configuration goes on: its sinks run again, its names are the spool's. Every step is tried,
 * whatever became of the one before. */
static void put_back(struct slu_house *house)
{
    struct slu_err err = {.kind = SLU_OK};

    if (slu_house_is_stopping(house))
        return;
    int result = stop_changed(house, house->config, &err);
    stop_departed(house, house->config);
    result |= slu_house_register_sinks(house, house->config, &err);
    result |= start_missing(house, house->config, true, &err);
    if (result != 0 && !slu_house_is_stopping(house))
        slu_log(SLU_LOG_ERROR, "reload: %s; restart the broker", err.text);
}

static int load_beside(struct slu_house *house, struct change *change, struct slu_err *err)
{
    struct slu_problems problems;
    struct slu_registry_wants wants;

    slu_problems_init(&problems);
    slu_registry_wants_init(&wants);
    slu_house_note_file(house);
    change->config = slu_config_load_wanting(house->config_file, NULL, NULL, &problems, &wants);
    slu_house_tell_problems(&problems, change->config == NULL ? err : NULL);
    /* Also when all that is wrong is what the registry was not asked yet: it is loaded again then. */
    if (change->config != NULL || (wants.n_missing > 0 && wants.n_missing == problems.n_errors))
        slu_house_follow_registry(house, &wants);
    slu_registry_wants_fini(&wants);
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
    if (slu_house_register_sinks(house, change.config, err) != 0)
        goto put_back;
    change.binding =
        slu_binding_new(change.config, change.snapshot, house->spool, &house->counts, err);
    if (change.binding == NULL || change_sinks(house, change.config, err) != 0 ||
        slu_house_ask(house, swap_task, &change, err) != 0)
        goto put_back;
    stop_departed(house, house->config);
    stir_sinks(house);
    slu_house_show_policies(house);
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
