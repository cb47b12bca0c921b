/* house.c -- see house.h. Open and close mirror each other; in between, tick on the broker's side and
 * the housekeeper's loop meet only in the few lines that hold house->lock. */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "plugin/alert.h"
#include "plugin/status.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEMS_LOGGED 20

void slu_house_tell_problems(struct slu_problems *problems, struct slu_err *err)
{
    size_t told = 0;
    char line[1200];

    slu_problems_sort(problems);
    for (size_t i = 0; i < problems->n; i++) {
        const struct slu_problem *problem = &problems->items[i];
        slu_err_format(&problem->err, line, sizeof(line));
        if (!problem->is_warning)
            slu_err_set(err, problem->err.kind, "%s", line);
        if (told++ < PROBLEMS_LOGGED)
            slu_log(problem->is_warning ? SLU_LOG_WARNING : SLU_LOG_ERROR, "%s", line);
    }
    if (told > PROBLEMS_LOGGED)
        slu_log(SLU_LOG_ERROR, "%zu more problems: run `sluice check` to see all of them",
                told - PROBLEMS_LOGGED);
}

/* ---- sinks ------------------------------------------------------------------------------------------- */

int slu_house_register_sinks(struct slu_house *house, struct slu_config *config,
                             struct slu_err *err)
{
    const char *names[SLU_SINKS_MAX];

    if (config->n_sinks > SLU_SINKS_MAX)
        return slu_err_set(err, SLU_EINVAL, "%zu sinks: at most %d are possible", config->n_sinks,
                           SLU_SINKS_MAX);
    for (size_t i = 0; i < config->n_sinks; i++) {
        struct slu_config_sink *sink = &config->sinks[i];
        names[i] = sink->name;
        sink->bit = slu_spool_sink(house->spool, sink->name, sink->ops->type, sink->when_full, err);
        if (sink->bit < 0)
            return -1;
    }
    slu_spool_keep_sinks(house->spool, names, config->n_sinks);
    return 0;
}

uint64_t slu_house_fingerprint(const struct slu_config *config, const struct slu_config_sink *sink)
{
    return slu_hash_bytes(sink->fingerprint, config->instance, strlen(config->instance));
}

void slu_house_show_policies(struct slu_house *house)
{
    slu_counts_configure(&house->counts);
    for (size_t i = 0; i < house->snapshot->n_policies; i++)
        atomic_store(&house->binding->policies[i].counts->configured, true);
}

int slu_house_start_sink(struct slu_house *house, const struct slu_config *config,
                         const struct slu_config_sink *sink, struct slu_err *err)
{
    struct slu_delivery_options options = {
        .name = sink->name,
        .instance = config->instance,
        .data_dir = config->data_dir,
        .ops = sink->ops,
        .section = sink->section,
        .batch_records = sink->batch_records,
        .batch_time_ns = sink->batch_time_ns,
    };
    struct slu_house_sink *running = &house->sinks[house->n_sinks];

    running->delivery = slu_delivery_start(house->spool, &options, err);
    if (running->delivery == NULL)
        return -1;
    snprintf(running->name, sizeof(running->name), "%s", sink->name);
    running->fingerprint = slu_house_fingerprint(config, sink);
    running->told = SLU_DELIVERY_CONNECTING;
    house->n_sinks++;
    return 0;
}

/* ---- the two threads meet ------------------------------------------------------------------------------ */

int slu_house_ask(struct slu_house *house, slu_house_task *task, void *argument,
                  struct slu_err *err)
{
    pthread_mutex_lock(&house->lock);
    house->task = task;
    house->task_argument = argument;
    house->task_done = false;
    house->task_err = (struct slu_err){.kind = SLU_OK};
    atomic_store(&house->attention, true);
    while (!house->task_done && !house->stopping)
        pthread_cond_wait(&house->wake, &house->lock);
    int result = house->task_done ? house->task_result : -1;
    if (!house->task_done)
        slu_err_set(&house->task_err, SLU_EBUSY, "the broker stops");
    house->task = NULL;
    if (result != 0 && err != NULL)
        *err = house->task_err;
    pthread_mutex_unlock(&house->lock);
    return result;
}

void slu_house_notice(struct slu_house *house, const char *code, const char *message)
{
    pthread_mutex_lock(&house->lock);
    if (house->n_notices < SLU_HOUSE_NOTICES) {
        struct slu_notice *notice = &house->notices[house->n_notices++];
        snprintf(notice->code, sizeof(notice->code), "%s", code);
        snprintf(notice->message, sizeof(notice->message), "%s", message);
    }
    pthread_mutex_unlock(&house->lock);
}

/* Broker's thread. The task runs without the lock: the housekeeper waits for task_done anyway. */
static void run_task(struct slu_house *house)
{
    pthread_mutex_lock(&house->lock);
    slu_house_task *task = house->task_done ? NULL : house->task;
    void *argument = house->task_argument;
    pthread_mutex_unlock(&house->lock);
    if (task == NULL)
        return;

    struct slu_err err = {.kind = SLU_OK};
    int result = task(house, argument, &err);

    pthread_mutex_lock(&house->lock);
    house->task_result = result;
    house->task_err = err;
    house->task_done = true;
    pthread_cond_broadcast(&house->wake);
    pthread_mutex_unlock(&house->lock);
}

static void publish_notices(struct slu_house *house)
{
    struct slu_notice notices[SLU_HOUSE_NOTICES];
    struct slu_gate *gate = &house->gate;

    pthread_mutex_lock(&house->lock);
    size_t n = house->n_notices;
    memcpy(notices, house->notices, n * sizeof(notices[0]));
    house->n_notices = 0;
    pthread_mutex_unlock(&house->lock);
    for (size_t i = 0; i < n; i++) {
        slu_buf_reset(&gate->alert);
        if (slu_alert_system(&gate->alert, gate->snapshot, notices[i].code, notices[i].message,
                             slu_clock_wall_ns()))
            gate->publish(gate->context, SLU_SLICE("sluice/system"), slu_buf_slice(&gate->alert));
    }
}

void slu_house_tick(struct slu_house *house)
{
    slu_log_drain();
    if (!slu_house_wants_tick(house))
        return;
    atomic_store(&house->attention, false);
    run_task(house);
    publish_notices(house);
    slu_gate_summaries(&house->gate, slu_clock_wall_ns(), slu_clock_mono_ns());
}

void slu_house_reload(struct slu_house *house)
{
    pthread_mutex_lock(&house->lock);
    house->reload_wanted = true;
    pthread_cond_broadcast(&house->wake);
    pthread_mutex_unlock(&house->lock);
}

/* ---- the housekeeper ----------------------------------------------------------------------------------- */

static void write_status(struct slu_house *house)
{
    static const int64_t once_a_minute = 60 * SLU_NS_PER_S;
    struct slu_err err = {.kind = SLU_OK};

    if (slu_status_write(house, &err) != 0)
        slu_log_sometimes(&house->status_rate, once_a_minute, SLU_LOG_WARNING,
                          "status: %s; trying again each second", err.text);
}

/* The registrar found something new: is the configuration to be loaded for it? */
static bool take_news(const struct slu_house *house)
{
    if (slu_house_file_is_same(house))
        return true;
    slu_log(SLU_LOG_WARNING,
            "registry: something new is here, but %s was changed since it was loaded: it takes "
            "effect with the next reload",
            house->config_file);
    return false;
}

/* Wait a second, or less when somebody calls. Returns false when the house closes. */
static bool wait_for_work(struct slu_house *house, bool *reload)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&house->lock);
    while (!house->stopping && !house->reload_wanted && !house->news_wanted &&
           pthread_cond_timedwait(&house->wake, &house->lock, &until) != ETIMEDOUT)
        ;
    bool goes_on = !house->stopping;
    const bool news = house->news_wanted;
    *reload = house->reload_wanted;
    house->reload_wanted = house->news_wanted = false;
    pthread_mutex_unlock(&house->lock);
    if (news && !*reload && goes_on)
        *reload = take_news(house);
    return goes_on;
}

static void *keep_house(void *argument)
{
    struct slu_house *house = argument;
    bool reload;

    while (wait_for_work(house, &reload)) {
        if (reload)
            slu_house_reload_now(house);
        slu_house_watch(house);
        slu_house_watch_registry(house);
        write_status(house);
        atomic_store(&house->attention, true);
    }
    pthread_mutex_lock(&house->lock);
    house->housekeeper_ended = true;
    pthread_cond_broadcast(&house->wake);
    pthread_mutex_unlock(&house->lock);
    return NULL;
}

static int start_housekeeper(struct slu_house *house, struct slu_err *err)
{
    sigset_t all, before;

    /* A signal meant for the broker must not land in a thread of ours. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int sys = pthread_create(&house->housekeeper, NULL, keep_house, house);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys != 0)
        return slu_err_system(err, sys, "cannot start a thread");
    pthread_setname_np(house->housekeeper, "slu-house");
    house->has_housekeeper = true;
    return 0;
}

/* ---- open and close ------------------------------------------------------------------------------------- */

/* What the registry's cache lacks is asked for, once, and the file loaded again. */
static void load_config(struct slu_house *house, struct slu_problems *problems,
                        struct slu_registry_wants *wants)
{
    struct slu_err err = {.kind = SLU_OK};

    slu_house_note_file(house);
    house->config = slu_config_load_wanting(house->config_file, NULL, NULL, problems, wants);
    if (house->config != NULL || wants->n_missing == 0 || wants->n_missing != problems->n_errors)
        return;
    if (slu_house_ask_registry(house, wants, &err) != 0) {
        slu_log(SLU_LOG_ERROR, "%s", err.text);
        return;
    }
    slu_problems_fini(problems);
    slu_problems_init(problems);
    slu_registry_wants_fini(wants);
    slu_registry_wants_init(wants);
    house->config = slu_config_load_wanting(house->config_file, NULL, NULL, problems, wants);
}

static int load(struct slu_house *house, struct slu_err *err)
{
    struct slu_problems problems;
    struct slu_registry_wants wants;

    slu_problems_init(&problems);
    slu_registry_wants_init(&wants);
    load_config(house, &problems, &wants);
    slu_house_tell_problems(&problems, house->config == NULL ? err : NULL);
    slu_problems_fini(&problems);
    if (house->config != NULL)
        slu_house_follow_registry(house, &wants);
    slu_registry_wants_fini(&wants);
    if (house->config == NULL)
        return slu_err_set(err, SLU_EINVAL, "%s: cannot be used", house->config_file);
    house->snapshot = house->config->snapshot;
    house->config->snapshot = NULL;
    house->snapshot->generation = 1;
    return 0;
}

static int start_sinks(struct slu_house *house, struct slu_err *err)
{
    for (size_t i = 0; i < house->config->n_sinks; i++) {
        const struct slu_config_sink *sink = &house->config->sinks[i];
        if (slu_house_start_sink(house, house->config, sink, err) != 0) {
            slu_err_place(err, house->config->file, sink->section->line, sink->section->column,
                          NULL);
            return -1;
        }
    }
    return 0;
}

static struct slu_house *new_house(const struct slu_house_options *options)
{
    struct slu_house *house = calloc(1, sizeof(*house));
    pthread_condattr_t monotonic;

    if (house == NULL)
        return NULL;
    house->config_file = strdup(options->config_file);
    if (house->config_file == NULL) {
        free(house);
        return NULL;
    }
    pthread_mutex_init(&house->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&house->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    slu_counts_init(&house->counts);
    slu_gate_init(&house->gate);
    house->gate.publish = options->publish;
    house->gate.context = options->context;
    house->gate.counts = &house->counts;
    house->opened_mono_ns = slu_clock_mono_ns();
    return house;
}

struct slu_house *slu_house_open(const struct slu_house_options *options, struct slu_err *err)
{
    struct slu_house *house = new_house(options);

    if (house == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory");
        return NULL;
    }
    if (load(house, err) != 0)
        goto fail;
    house->spool = slu_spool_open(&house->config->spool, err);
    if (house->spool == NULL)
        goto fail;
    house->gate.spool = house->spool;
    if (slu_house_register_sinks(house, house->config, err) != 0)
        goto fail;
    house->binding =
        slu_binding_new(house->config, house->snapshot, house->spool, &house->counts, err);
    if (house->binding == NULL ||
        slu_gate_use(&house->gate, house->snapshot, house->binding, err) != 0 ||
        start_sinks(house, err) != 0)
        goto fail;
    slu_house_show_policies(house);
    write_status(house);
    if (start_housekeeper(house, err) != 0)
        goto fail;
    return house;

fail:
    slu_house_close(house);
    return NULL;
}

bool slu_house_is_stopping(struct slu_house *house)
{
    pthread_mutex_lock(&house->lock);
    const bool stopping = house->stopping;
    pthread_mutex_unlock(&house->lock);
    return stopping;
}

/* False: it hangs in the kernel (a disk that does not answer). */
static bool stop_housekeeper(struct slu_house *house, int64_t deadline)
{
    const struct timespec until = {deadline / SLU_NS_PER_S, deadline % SLU_NS_PER_S};

    if (!house->has_housekeeper)
        return true;
    pthread_mutex_lock(&house->lock);
    house->stopping = true;
    pthread_cond_broadcast(&house->wake);
    while (!house->housekeeper_ended &&
           pthread_cond_timedwait(&house->wake, &house->lock, &until) != ETIMEDOUT)
        ;
    const bool ended = house->housekeeper_ended;
    pthread_mutex_unlock(&house->lock);
    if (ended)
        pthread_join(house->housekeeper, NULL);
    house->has_housekeeper = !ended;
    return ended;
}

/* All at once, so that they share the time; then wait for each. Returns whether all ended. */
static bool stop_sinks(struct slu_house *house, int64_t deadline)
{
    bool all_ended = true;

    if (house->spool != NULL)
        slu_spool_flush(house->spool, deadline);
    for (size_t i = 0; i < house->n_sinks; i++)
        slu_delivery_stop(house->sinks[i].delivery, deadline);
    for (size_t i = 0; i < house->n_sinks; i++) {
        struct slu_house_sink *sink = &house->sinks[i];
        const bool ended = slu_delivery_join(sink->delivery, deadline, &sink->last);
        sink->delivery = NULL;
        if (ended)
            continue;
        slu_log(SLU_LOG_ERROR,
                "sink %s: hangs in the kernel and is left behind; what it has not "
                "delivered waits in the spool",
                sink->name);
        all_ended = false;
    }
    return all_ended;
}

void slu_house_close(struct slu_house *house)
{
    if (house == NULL)
        return;
    int64_t deadline = slu_clock_mono_ns() + SLU_HOUSE_CLOSE_NS;

    slu_registrar_hurry(house->registrar);
    if (!stop_housekeeper(house, deadline)) {
        slu_log(SLU_LOG_ERROR,
                "the disk of %s does not answer: leaving everything as it is; what is "
                "in the spool will be found at the next start",
                house->config->data_dir);
        return; /* its memory stays: the thread may wake up and use it */
    }
    /* A reload may have used up the time; whoever is well still gets a moment. */
    if (deadline < slu_clock_mono_ns() + SLU_NS_PER_S / 2)
        deadline = slu_clock_mono_ns() + SLU_NS_PER_S / 2;
    bool all_ended = stop_sinks(house, deadline) && !house->left_behind;
    const bool registrar_ended = slu_house_leave_registry(house, deadline);
    if (house->snapshot != NULL && house->binding != NULL)
        write_status(house);
    slu_gate_fini(&house->gate);
    slu_log_drain();
    /* A thread that was left behind may still look at the spool: that memory stays, the files are synced. */
    if (house->spool != NULL && all_ended)
        slu_spool_close(house->spool, deadline);
    else if (house->spool != NULL)
        slu_spool_flush(house->spool, deadline);
    slu_binding_free(house->binding);
    slu_snapshot_free(house->snapshot);
    slu_config_free(house->config);
    slu_counts_fini(&house->counts);
    if (!registrar_ended)
        return; /* it may still call back */
    pthread_cond_destroy(&house->wake);
    pthread_mutex_destroy(&house->lock);
    free(house->config_file);
    free(house);
}
