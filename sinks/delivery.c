/* delivery.c -- see delivery.h; the life of a delivery and its loop.
 *
 * One turn of the loop: pay what is due, ask the sink (settle), offer it more (push).
 *
 * Threads: start, stop, join, resume, rotate and stats are other threads'. They meet the delivery's own at
 * `lock`.
 */
#include "sinks/decoder.h"
#include "sinks/delivery_inside.h"

#include "sinks/section.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_RECORDS     5000u
#define BATCH_TIME_NS     (200 * SLU_NS_PER_MS)
#define SECTION_MAX_BYTES (4u << 20)
#define WINDOW_RECORDS    100000u
#define WINDOW_BYTES      (64u << 20)
#define BACKOFF_MIN_NS    (100 * SLU_NS_PER_MS)
#define BACKOFF_MAX_NS    (30 * SLU_NS_PER_S)
#define PROBE_MIN_NS      (300 * SLU_NS_PER_S)
#define PROBE_MAX_NS      (3600 * SLU_NS_PER_S)

/* ---- the thread ---------------------------------------------------------------------------------------- */

/* The first look at the dead letters: before anything is pushed. */
static bool look_at_letters(struct slu_delivery *d)
{
    struct slu_err err = {0};
    if (d->letters == NULL)
        d->letters = slu_dead_letters_open(d->data_dir, &d->env, d->committed, &err);
    if (d->letters == NULL)
        slu_delivery_hold(d, SLU_DELIVERY_PAUSED, &err);
    return d->letters != NULL;
}

/* Is the sink expected to have something to tell? Else it is only given its turn; and as long as what it has
 * under way may grow, if that is what its batches are made of. */
static int64_t answer_by(const struct slu_delivery *d, const struct slu_wishes *wishes)
{
    int64_t by = slu_clock_mono_ns();
    if (!d->is_up || (d->window.n > 0 && !(d->ops->is_pipelined && d->batch_is_there)))
        by += SLU_DELIVERY_TURN_NS;
    return slu_delivery_bounded(wishes, by);
}

/* The last answers, after finish(). */
static void wind_down(struct slu_delivery *d, int64_t deadline_ns)
{
    if (!slu_delivery_pay(d))
        return;
    if (d->ops->finish != NULL)
        d->ops->finish(d->self, deadline_ns);
    do {
        d->resets = 0;
        if (!slu_delivery_ask(d, deadline_ns))
            return;
    } while (d->window.n > 0 && slu_clock_mono_ns() < deadline_ns);
}

/* What the sink has to show, for whoever asks. */
static void note_numbers(struct slu_delivery *d)
{
    struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX];
    if (d->ops->numbers == NULL)
        return;
    const size_t n = d->is_open ? d->ops->numbers(d->self, numbers) : 0;
    pthread_mutex_lock(&d->lock);
    memcpy(d->stats.numbers, numbers, n * sizeof(numbers[0]));
    d->stats.n_numbers = n;
    pthread_mutex_unlock(&d->lock);
}

static void turn(struct slu_delivery *d, const struct slu_wishes *wishes)
{
    if (wishes->resume) {
        slu_circuit_close(&d->circuit);
        d->attempts = d->resets = 0;
    }
    if (wishes->rotate && d->is_open && d->ops->rotate != NULL)
        d->ops->rotate(d->self);
    if (slu_delivery_pay(d) && slu_delivery_open_sink(d) && look_at_letters(d) &&
        slu_delivery_ask(d, answer_by(d, wishes)))
        slu_delivery_offer(d, wishes);
}

static void *run(void *context)
{
    struct slu_delivery *d = context;
    struct slu_wishes wishes = slu_delivery_wishes(d);

    while (!wishes.abandoned && !d->gives_up && !d->is_drained &&
           (!wishes.stop || slu_clock_mono_ns() < wishes.drain_until_ns)) {
        turn(d, &wishes);
        note_numbers(d);
        wishes = slu_delivery_wishes(d);
    }
    if (!wishes.abandoned) {
        if (d->is_up && !d->gives_up)
            wind_down(d, wishes.deadline_ns);
        slu_delivery_close_sink(d);
    }
    slu_delivery_set_state(d, SLU_DELIVERY_STOPPED, NULL);
    pthread_mutex_lock(&d->lock);
    d->has_ended = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---- from outside --------------------------------------------------------------------------------------- */

static const char *policy_name(const void *spool, uint16_t number)
{
    return slu_spool_policy_name(spool, number);
}

static struct slu_slice schema_text(const void *spool, uint16_t number)
{
    return slu_spool_schema_text(spool, number);
}

static const char *schema_name(const void *spool, uint16_t number)
{
    return slu_spool_schema_name(spool, number);
}

/* Everything but the sink, the reader and the thread. */
static void free_memory(struct slu_delivery *d)
{
    slu_dead_letters_close(d->letters);
    slu_window_fini(&d->window);
    slu_arena_fini(&d->arena);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    slu_decoder_free(d->env.decoder);
    free(d->records);
    free(d->self);
    free(d->name);
    free(d->instance);
    free(d->data_dir);
    free(d);
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static bool init_locks(struct slu_delivery *d)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&d->lock, NULL) != 0)
        return false;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    const bool done = pthread_cond_init(&d->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!done)
        pthread_mutex_destroy(&d->lock);
    return done;
}

static struct slu_delivery *new_delivery(struct slu_spool *spool,
                                         const struct slu_delivery_options *options)
{
    struct slu_delivery *d = calloc(1, sizeof(*d));
    if (d == NULL || !init_locks(d)) {
        free(d);
        return NULL;
    }
    d->spool = spool;
    d->ops = options->ops;
    slu_arena_init(&d->arena, SECTION_MAX_BYTES);
    d->section = slu_section_copy(options->section, &d->arena);
    d->batch_records = options->batch_records > 0 ? options->batch_records : BATCH_RECORDS;
    if (d->batch_records > WINDOW_RECORDS)
        d->batch_records = WINDOW_RECORDS;
    d->batch_time_ns = or_default(options->batch_time_ns, BATCH_TIME_NS);
    d->backoff_min_ns = or_default(options->backoff_min_ns, BACKOFF_MIN_NS);
    d->backoff_max_ns = or_default(options->backoff_max_ns, BACKOFF_MAX_NS);
    slu_circuit_init(&d->circuit, options->breaker_run,
                     or_default(options->probe_min_ns, PROBE_MIN_NS),
                     or_default(options->probe_max_ns, PROBE_MAX_NS));
    uint64_t seed;
    slu_random_fill(&seed, sizeof(seed));
    slu_random_seed(&d->random, seed);

    const size_t n_records =
        d->batch_records > SLU_DELIVERY_LETTERS_READ ? d->batch_records : SLU_DELIVERY_LETTERS_READ;
    d->records = calloc(n_records, sizeof(*d->records));
    d->self = calloc(1, d->ops->self_bytes > 0 ? d->ops->self_bytes : 1);
    d->name = strdup(options->name);
    d->instance = strdup(options->instance);
    d->data_dir = strdup(options->data_dir);
    if (slu_window_init(&d->window, WINDOW_RECORDS, WINDOW_BYTES) && d->records != NULL &&
        (d->section != NULL || options->section == NULL) && d->self != NULL && d->name != NULL &&
        d->instance != NULL && d->data_dir != NULL)
        return d;
    free_memory(d);
    return NULL;
}

/* Signals are the broker's: the thread is made with all of them blocked. */
static int start_thread(struct slu_delivery *d)
{
    sigset_t all, before;
    char name[16]; /* the kernel's limit, with its NUL */

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int sys = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys != 0)
        return sys;
    snprintf(name, sizeof(name), "slu-%.11s", d->name);
    pthread_setname_np(d->thread, name);
    return 0;
}

struct slu_delivery *slu_delivery_start(struct slu_spool *spool,
                                        const struct slu_delivery_options *options,
                                        struct slu_err *err)
{
    struct slu_delivery *d = new_delivery(spool, options);
    if (d == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for sink %s", options->name);
        return NULL;
    }
    d->env = (struct slu_sink_env){
        .name = d->name,
        .instance = d->instance,
        .spool_id = d->spool_id,
        .policy_name = policy_name,
        .schema_name = schema_name,
        .schema_text = schema_text,
        .names = spool,
        .decoder = slu_decoder_new(),
    };
    if (d->env.decoder == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for sink %s", options->name);
        goto fail;
    }
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    d->start_head = stats.head_seq;
    d->reader = slu_spool_reader_open(spool, d->name, err);
    if (d->reader == NULL)
        goto fail;
    d->committed = d->pushed = slu_spool_reader_committed(d->reader);
    memcpy(d->spool_id, slu_spool_id_of(spool, d->committed + 1), sizeof(d->spool_id));
    d->is_open = true; /* close() is called even after a failed open() */
    if (d->ops->open(d->self, &d->env, d->section, err) != 0)
        goto fail;
    const int sys = start_thread(d);
    if (sys == 0)
        return d;
    slu_err_system(err, sys, "cannot make a thread for sink %s", options->name);
fail:
    slu_delivery_close_sink(d);
    if (d->reader != NULL)
        slu_spool_reader_close(d->reader);
    free_memory(d);
    return NULL;
}

/* Wake the thread wherever it waits. Under the lock. */
static void wake(struct slu_delivery *d)
{
    d->wakes++;
    pthread_cond_broadcast(&d->changed);
    slu_spool_wake(d->reader);
}

void slu_delivery_stop(struct slu_delivery *delivery, int64_t deadline_mono_ns)
{
    struct slu_spool_stats stats;
    slu_spool_stats(delivery->spool, &stats);
    const int64_t left = deadline_mono_ns - slu_clock_mono_ns();

    pthread_mutex_lock(&delivery->lock);
    delivery->is_stopping = true;
    delivery->stop_head = stats.head_seq;
    /* The end comes before the deadline of those who wait for it. */
    delivery->stop_deadline_ns = deadline_mono_ns - (left > 0 ? left / 10 : 0);
    delivery->drain_until_ns = deadline_mono_ns - (left > 0 ? left / 5 : 0);
    wake(delivery);
    pthread_mutex_unlock(&delivery->lock);
}

bool slu_delivery_join(struct slu_delivery *delivery, int64_t deadline_mono_ns,
                       struct slu_delivery_stats *last)
{
    pthread_mutex_lock(&delivery->lock);
    while (!delivery->has_ended && slu_delivery_wait_changed(delivery, deadline_mono_ns)) {
    }
    const bool has_ended = delivery->has_ended;
    delivery->is_abandoned = !has_ended;
    if (last != NULL)
        *last = delivery->stats;
    pthread_mutex_unlock(&delivery->lock);
    if (!has_ended) {
        pthread_detach(delivery->thread);
        return false;
    }
    pthread_join(delivery->thread, NULL);
    slu_spool_reader_close(delivery->reader);
    free_memory(delivery);
    return true;
}

void slu_delivery_stats(const struct slu_delivery *delivery, struct slu_delivery_stats *stats)
{
    struct slu_delivery *d = (struct slu_delivery *)delivery; /* for its lock alone */
    pthread_mutex_lock(&d->lock);
    *stats = d->stats;
    pthread_mutex_unlock(&d->lock);
}

void slu_delivery_resume(struct slu_delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    delivery->wants_resume = true;
    wake(delivery);
    pthread_mutex_unlock(&delivery->lock);
}

void slu_delivery_rotate(struct slu_delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    delivery->wants_rotation = true;
    wake(delivery);
    pthread_mutex_unlock(&delivery->lock);
}
