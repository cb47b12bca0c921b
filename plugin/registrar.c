/* registrar.c -- see registrar.h. */
#include "plugin/registrar.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTS_MAX_BYTES ((size_t)16 << 20)
#define ASK_NS          (10 * SLU_NS_PER_S) /* for one question, with its references */
#define PERIOD_NS       (60 * SLU_NS_PER_S)
#define LOOK_NS         (5 * SLU_NS_PER_S) /* between rounds that unknown ids ask for */
#define BACKOFF_MIN_NS  SLU_NS_PER_S
#define BACKOFF_MAX_NS  (60 * SLU_NS_PER_S)

struct slu_registrar {
    struct slu_registry_wants wants;
    struct slu_registry *client; /* its own thread's */
    void (*news)(void *context);
    void *context;
    bool waited_for;   /* the first round's news are fetched, not told */
    _Atomic bool stop; /* the client looks at it too */

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool look;
    bool ended;
    bool has_tried;        /* the first round has what was missing, or an error */
    struct slu_err failed; /* of the first round */
    struct slu_registrar_stats stats;

    int64_t backoff_ns; /* thread's own */
    struct slu_random random;
};

void slu_registry_wants_init(struct slu_registry_wants *wants)
{
    *wants = (struct slu_registry_wants){.n = 0};
    slu_arena_init(&wants->arena, WANTS_MAX_BYTES);
}

void slu_registry_wants_fini(struct slu_registry_wants *wants)
{
    slu_arena_fini(&wants->arena);
    wants->n = 0;
    wants->options = (struct slu_registry_options){.url = NULL};
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool slu_registry_wants_equal(const struct slu_registry_wants *a,
                              const struct slu_registry_wants *b)
{
    const struct slu_registry_options *x = &a->options, *y = &b->options;

    if (!same_text(x->url, y->url) || !same_text(x->username, y->username) ||
        !same_text(x->password, y->password) || !same_text(x->token, y->token) ||
        !same_text(x->ca_file, y->ca_file) || !same_text(x->cache, y->cache) || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_text(a->items[i].subject, b->items[i].subject) ||
            a->items[i].version != b->items[i].version ||
            a->items[i].all_versions != b->items[i].all_versions)
            return false;
    return true;
}

/* ---- a round ------------------------------------------------------------------------------------------- */

static int64_t ask_deadline(void)
{
    return slu_clock_mono_ns() + ASK_NS;
}

/* The number of the version that the cache holds under that name; 0: none. */
static int64_t kept_version(const struct slu_registrar *registrar, const char *subject,
                            int64_t version)
{
    struct slu_registry_schema *schema =
        slu_registry_cached(&registrar->wants.options, -1, subject, version);
    const int64_t number = schema != NULL ? schema->version : 0;

    slu_registry_schema_free(schema);
    return number;
}

/* Have that version in the cache. *is_new when it was not there. */
static int fetch(struct slu_registrar *registrar, const char *subject, int64_t version,
                 bool *is_new, struct slu_err *err)
{
    const int64_t before = kept_version(registrar, subject, version);

    if (version != SLU_REGISTRY_LATEST && before != 0)
        return 0;
    struct slu_registry_schema *schema =
        slu_registry_by_version(registrar->client, subject, version, ask_deadline(), err);
    if (schema == NULL)
        return -1;
    const int64_t now = schema->version;
    slu_registry_schema_free(schema);
    if (now == before)
        return 0;
    /* Without this a cache that cannot be written would be news for ever. */
    if (kept_version(registrar, subject, version) != now)
        return slu_err_set(err, SLU_EIO,
                           "%s cannot be written: what the registry says of subject %s "
                           "is not kept",
                           registrar->wants.options.cache, subject);
    *is_new = true;
    pthread_mutex_lock(&registrar->lock);
    registrar->stats.fetched++;
    pthread_mutex_unlock(&registrar->lock);
    slu_log(SLU_LOG_NOTICE, "registry: subject %s, version %lld is new here", subject,
            (long long)now);
    return 0;
}

/* Everything that a policy names. The first error is kept, the others are tried all the same. */
static int fetch_wanted(struct slu_registrar *registrar, bool *is_new, struct slu_err *err)
{
    int result = 0;

    for (size_t i = 0; i < registrar->wants.n && !atomic_load(&registrar->stop); i++) {
        const struct slu_registry_want *want = &registrar->wants.items[i];
        if (fetch(registrar, want->subject, want->version, is_new, err) != 0)
            result = -1;
    }
    return result;
}

/* The newest versions of a subject. One that cannot be had (deleted, of another kind) is no reason to
 * leave out the others. */
static int fetch_versions(struct slu_registrar *registrar, const char *subject, bool *is_new,
                          struct slu_err *err)
{
    int64_t versions[SLU_REGISTRAR_VERSIONS];
    size_t n;

    if (slu_registry_versions(registrar->client, subject, ask_deadline(), versions,
                              SLU_REGISTRAR_VERSIONS, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n && !atomic_load(&registrar->stop); i++) {
        struct slu_err why = {.kind = SLU_OK};
        if (fetch(registrar, subject, versions[i], is_new, &why) == 0 || why.kind == SLU_ENOENT ||
            why.kind == SLU_EINVAL)
            continue;
        *err = why;
        return -1;
    }
    return 0;
}

/* Somebody who waits loads by himself what is new; else it is told. */
static void tell_first(struct slu_registrar *registrar, int result, const struct slu_err *err,
                       bool *is_new)
{
    pthread_mutex_lock(&registrar->lock);
    if (!registrar->has_tried) {
        registrar->has_tried = true;
        if (result != 0)
            registrar->failed = *err;
        if (registrar->waited_for)
            *is_new = false;
        pthread_cond_broadcast(&registrar->wake);
    }
    pthread_mutex_unlock(&registrar->lock);
}

/* Where all that is wanted is kept, a round would say that a registry answers which was never asked. */
static bool asks_always(const struct slu_registry_wants *wants)
{
    for (size_t i = 0; i < wants->n; i++)
        if (wants->items[i].all_versions || wants->items[i].version == SLU_REGISTRY_LATEST)
            return true;
    return false;
}

static int make_round(struct slu_registrar *registrar, struct slu_err *err)
{
    bool is_new = false;
    int result = fetch_wanted(registrar, &is_new, err);

    tell_first(registrar, result, err, &is_new);
    for (size_t i = 0; i < registrar->wants.n && result == 0; i++)
        if (registrar->wants.items[i].all_versions)
            result = fetch_versions(registrar, registrar->wants.items[i].subject, &is_new, err);
    if (result == 0 && !asks_always(&registrar->wants))
        result = slu_registry_reach(registrar->client, ask_deadline(), err);
    if (is_new && !atomic_load(&registrar->stop))
        registrar->news(registrar->context);
    return result;
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

/* Book a round. Tells the log when the registry goes away and when it comes back, not each time. */
static void book(struct slu_registrar *registrar, int result, const struct slu_err *err)
{
    struct slu_registrar_stats *stats = &registrar->stats;

    pthread_mutex_lock(&registrar->lock);
    const bool changed = stats->rounds == 0 || stats->answers != (result == 0);
    stats->rounds++;
    stats->failed += result != 0;
    stats->answers = result == 0;
    snprintf(stats->last_error, sizeof(stats->last_error), "%s", result != 0 ? err->text : "");
    if (result == 0)
        stats->last_answer_wall_ns = slu_clock_wall_ns();
    pthread_mutex_unlock(&registrar->lock);
    if (result != 0 && changed)
        slu_log(SLU_LOG_WARNING, "%s; what is kept of it stays in use, trying again", err->text);
    else if (result == 0 && changed)
        slu_log(SLU_LOG_INFO, "registry: %s answers", registrar->wants.options.url);
}

/* How long until the next round. */
static int64_t pause_ns(struct slu_registrar *registrar, bool answers)
{
    if (answers) {
        registrar->backoff_ns = 0;
        return PERIOD_NS;
    }
    registrar->backoff_ns = registrar->backoff_ns == 0 ? BACKOFF_MIN_NS : 2 * registrar->backoff_ns;
    if (registrar->backoff_ns > BACKOFF_MAX_NS)
        registrar->backoff_ns = BACKOFF_MAX_NS;
    return registrar->backoff_ns / 2 +
           (int64_t)slu_random_below(&registrar->random, (uint64_t)registrar->backoff_ns / 2 + 1);
}

/* Until the time has come, or unknown ids ask for it (not before `soonest`). False: stop. */
static bool sleep_until(struct slu_registrar *registrar, int64_t soonest, int64_t latest)
{
    pthread_mutex_lock(&registrar->lock);
    while (!atomic_load(&registrar->stop)) {
        const int64_t until = registrar->look && soonest < latest ? soonest : latest;
        const struct timespec at = {until / SLU_NS_PER_S, until % SLU_NS_PER_S};
        if (slu_clock_mono_ns() >= until)
            break;
        pthread_cond_timedwait(&registrar->wake, &registrar->lock, &at);
    }
    registrar->look = false;
    pthread_mutex_unlock(&registrar->lock);
    return !atomic_load(&registrar->stop);
}

static void *run(void *argument)
{
    struct slu_registrar *registrar = argument;
    int64_t began, pause;

    do {
        struct slu_err err = {.kind = SLU_OK};
        began = slu_clock_mono_ns();
        const int result = make_round(registrar, &err);
        if (atomic_load(&registrar->stop))
            break;
        book(registrar, result, &err);
        pause = pause_ns(registrar, result == 0);
    } while (sleep_until(registrar, began + LOOK_NS, slu_clock_mono_ns() + pause));
    pthread_mutex_lock(&registrar->lock);
    registrar->ended = true;
    registrar->has_tried = true;
    pthread_cond_broadcast(&registrar->wake);
    pthread_mutex_unlock(&registrar->lock);
    return NULL;
}

static void free_registrar(struct slu_registrar *registrar)
{
    slu_registry_free(registrar->client);
    slu_registry_wants_fini(&registrar->wants);
    pthread_cond_destroy(&registrar->wake);
    pthread_mutex_destroy(&registrar->lock);
    free(registrar);
}

static int start_thread(struct slu_registrar *registrar, struct slu_err *err)
{
    sigset_t all, before;

    /* A signal meant for the broker must not land in a thread of ours. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int sys = pthread_create(&registrar->thread, NULL, run, registrar);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys != 0)
        return slu_err_system(err, sys, "cannot start a thread");
    pthread_setname_np(registrar->thread, "slu-registry");
    return 0;
}

struct slu_registrar *slu_registrar_start(struct slu_registry_wants *wants,
                                          void (*news)(void *context), void *context,
                                          bool waited_for, struct slu_err *err)
{
    struct slu_registrar *registrar = calloc(1, sizeof(*registrar));
    pthread_condattr_t monotonic;
    uint64_t seed;

    if (registrar == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory");
        return NULL;
    }
    pthread_mutex_init(&registrar->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&registrar->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    slu_random_fill(&seed, sizeof(seed));
    slu_random_seed(&registrar->random, seed);
    registrar->wants = *wants;
    slu_registry_wants_init(wants);
    registrar->wants.options.stop = &registrar->stop;
    registrar->news = news;
    registrar->context = context;
    registrar->waited_for = waited_for;
    snprintf(registrar->stats.url, sizeof(registrar->stats.url), "%s",
             registrar->wants.options.url);
    registrar->client = slu_registry_new(&registrar->wants.options, err);
    if (registrar->client != NULL && start_thread(registrar, err) == 0)
        return registrar;
    free_registrar(registrar);
    return NULL;
}

int slu_registrar_wait(struct slu_registrar *registrar, int64_t deadline_mono_ns,
                       struct slu_err *err)
{
    const struct timespec until = {deadline_mono_ns / SLU_NS_PER_S,
                                   deadline_mono_ns % SLU_NS_PER_S};
    int result = 0;

    pthread_mutex_lock(&registrar->lock);
    while (!registrar->has_tried &&
           pthread_cond_timedwait(&registrar->wake, &registrar->lock, &until) != ETIMEDOUT)
        ;
    if (!registrar->has_tried)
        result = slu_err_set(err, SLU_EIO, "registry %s: no answer in time",
                             registrar->wants.options.url);
    else if (registrar->failed.kind != SLU_OK)
        result = slu_err_set(err, registrar->failed.kind, "%s", registrar->failed.text);
    pthread_mutex_unlock(&registrar->lock);
    return result;
}

const struct slu_registry_wants *slu_registrar_wants(const struct slu_registrar *registrar)
{
    return &registrar->wants;
}

void slu_registrar_look(struct slu_registrar *registrar)
{
    pthread_mutex_lock(&registrar->lock);
    registrar->look = true;
    pthread_cond_broadcast(&registrar->wake);
    pthread_mutex_unlock(&registrar->lock);
}

void slu_registrar_stats(struct slu_registrar *registrar, struct slu_registrar_stats *stats)
{
    pthread_mutex_lock(&registrar->lock);
    *stats = registrar->stats;
    pthread_mutex_unlock(&registrar->lock);
}

void slu_registrar_hurry(struct slu_registrar *registrar)
{
    if (registrar == NULL)
        return;
    pthread_mutex_lock(&registrar->lock);
    atomic_store(&registrar->stop, true);
    pthread_cond_broadcast(&registrar->wake);
    pthread_mutex_unlock(&registrar->lock);
}

bool slu_registrar_stop(struct slu_registrar *registrar, int64_t deadline_mono_ns)
{
    const struct timespec until = {deadline_mono_ns / SLU_NS_PER_S,
                                   deadline_mono_ns % SLU_NS_PER_S};

    if (registrar == NULL)
        return true;
    slu_registrar_hurry(registrar);
    pthread_mutex_lock(&registrar->lock);
    while (!registrar->ended &&
           pthread_cond_timedwait(&registrar->wake, &registrar->lock, &until) != ETIMEDOUT)
        ;
    const bool ended = registrar->ended;
    pthread_mutex_unlock(&registrar->lock);
    if (!ended)
        return false;
    pthread_join(registrar->thread, NULL);
    free_registrar(registrar);
    return true;
}
