/* house_registry.c -- the house and its registrar (registrar.h).
 *
 *   start   load: everything in the cache ────────────────────────────▶ go on, registrar beside
 *                 something never seen ──▶ registrar, at most 5 s ──▶ load again, or no start
 *   reload  load: something never seen ──▶ the old configuration stays, the registrar asks, and what it
 *                                          finds loads the configuration again
 *   later   messages with an id that nobody knew ──▶ the registrar looks for it
 *
 * The five seconds are the only time that anyone waits for a network, and only the very first start on a
 * machine does: no message is lost by it, for nobody is served yet, and the alternative is no start.
 */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_START_NS (5 * SLU_NS_PER_S)
#define STOP_NS        (2 * SLU_NS_PER_S)

/* Registrar's thread. */
static void load_again(void *context)
{
    struct slu_house *house = context;

    pthread_mutex_lock(&house->lock);
    house->news_wanted = true;
    pthread_cond_broadcast(&house->wake);
    pthread_mutex_unlock(&house->lock);
}

void slu_house_note_file(struct slu_house *house)
{
    if (stat(house->config_file, &house->loaded) != 0)
        memset(&house->loaded, 0, sizeof(house->loaded));
}

bool slu_house_file_is_same(const struct slu_house *house)
{
    const struct stat *before = &house->loaded;
    struct stat now;

    return stat(house->config_file, &now) == 0 && now.st_dev == before->st_dev &&
           now.st_ino == before->st_ino && now.st_size == before->st_size &&
           now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* The spool makes data_dir otherwise, but is opened later. If this fails, the cache tells why. */
static void make_data_dir(const char *cache)
{
    char path[4096];
    const int n = snprintf(path, sizeof(path), "%s", cache);
    char *slash = strrchr(path, '/');

    if (n < 0 || (size_t)n >= sizeof(path) || slash == NULL)
        return;
    *slash = '\0';
    (void)mkdir(path, 0700);
}

int slu_house_ask_registry(struct slu_house *house, struct slu_registry_wants *wants,
                           struct slu_err *err)
{
    make_data_dir(wants->options.cache);
    slu_log(SLU_LOG_NOTICE, "registry: asking %s for %zu schemas that were never seen here",
            wants->options.url, wants->n_missing);
    house->registrar = slu_registrar_start(wants, load_again, house, true, err);
    if (house->registrar == NULL)
        return -1;
    return slu_registrar_wait(house->registrar, slu_clock_mono_ns() + FIRST_START_NS, err);
}

void slu_house_follow_registry(struct slu_house *house, struct slu_registry_wants *wants)
{
    struct slu_err err = {.kind = SLU_OK};

    if (house->registrar != NULL &&
        slu_registry_wants_equal(slu_registrar_wants(house->registrar), wants)) {
        if (wants->n_missing > 0)
            slu_registrar_look(house->registrar);
        return;
    }
    if (!slu_house_leave_registry(house, slu_clock_mono_ns() + STOP_NS))
        slu_log(SLU_LOG_ERROR, "registry: its thread does not stop and is left behind");
    if (wants->n == 0)
        return;
    house->registrar = slu_registrar_start(wants, load_again, house, false, &err);
    if (house->registrar == NULL)
        slu_log(SLU_LOG_ERROR, "registry: %s; it is not asked until the next reload", err.text);
}

bool slu_house_leave_registry(struct slu_house *house, int64_t deadline_mono_ns)
{
    const bool ended = slu_registrar_stop(house->registrar, deadline_mono_ns);

    house->registrar = NULL;
    return ended;
}

/* Messages so far that named a schema that nobody knew. */
static uint64_t count_unknown(const struct slu_counts *counts)
{
    const struct slu_policy_counts *policy =
        atomic_load_explicit(&counts->policies, memory_order_acquire);
    uint64_t n = 0;

    for (; policy != NULL; policy = policy->next) {
        const uint32_t n_codes = atomic_load_explicit(&policy->n_codes, memory_order_acquire);
        const struct slu_code_count *codes =
            atomic_load_explicit(&policy->codes, memory_order_acquire);
        for (uint32_t i = 0; i < n_codes; i++)
            if (strcmp(codes[i].code, "avro.unknown_schema_id") == 0)
                n += atomic_load(&codes[i].n);
    }
    return n;
}

void slu_house_watch_registry(struct slu_house *house)
{
    if (house->registrar == NULL)
        return;
    const uint64_t unknown = count_unknown(&house->counts);
    if (unknown != house->unknown_seen)
        slu_registrar_look(house->registrar);
    house->unknown_seen = unknown;
}
