/* house.h -- opens, reloads and closes everything around the gate.
 *
 *   open:    configuration → spool (recovery) → sinks → gate → housekeeper
 *   reload:  housekeeper compiles beside the running one, changes the sinks that changed, then asks the
 *            broker's thread to swap
 *   close:   housekeeper, sinks (deliver what is spooled), spool, all within 5 s
 *
 * Threads:
 *   broker's     open, admit, tick, reload, close; the only one that appends, swaps and publishes
 *   housekeeper  one, ours: loads and compiles, starts and stops sinks, writes status.json each second.
 *                What only the broker's thread may do it asks for (slu_house_ask) and tick carries out.
 *   registrar    one, where there is a registry: asks it (registrar.h)
 *   sinks        one each, in sinks/delivery.c; the spool's writer in sinks/spool
 * The broker's thread never waits for the housekeeper except at close, and then not beyond the deadline.
 */
#ifndef SLU_PLUGIN_HOUSE_H
#define SLU_PLUGIN_HOUSE_H

#include "base/log.h"
#include "plugin/config.h"
#include "plugin/gate.h"
#include "sinks/delivery.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define SLU_HOUSE_NOTICES  16                  /* system alerts waiting to be published */
#define SLU_HOUSE_CLOSE_NS INT64_C(4800000000) /* of the 5 s a clean stop may take */

struct slu_house_options {
    const char *config_file;
    slu_gate_publish *publish;
    void *context;
};

/* One running sink. Housekeeper's, and the broker's while there is no housekeeper. */
struct slu_house_sink {
    char name[65];
    uint64_t fingerprint;
    struct slu_delivery *delivery;  /* NULL: it has ended with the house */
    struct slu_delivery_stats last; /* then: how it was at its end */
    enum slu_delivery_state told;   /* the state the last system alert was about */
};

struct slu_notice {
    char code[32]; /* "system.spool_fill", "system.sink_paused" */
    char message[256];
};

struct slu_house;

/* Something only the broker's thread may do. */
typedef int slu_house_task(struct slu_house *house, void *argument, struct slu_err *err);

struct slu_house {
    char *config_file;
    struct slu_gate gate;
    struct slu_counts counts;
    struct slu_spool *spool;

    /* Changed only by the broker's thread, in a task that the housekeeper asked for and waits for. */
    struct slu_config *config;
    struct slu_snapshot *snapshot;
    struct slu_binding *binding;

    struct slu_house_sink sinks[SLU_SINKS_MAX];
    size_t n_sinks;
    bool left_behind; /* a sink did not end in time: what it may still look at is never freed */

    _Atomic bool attention; /* tick has something to do */
    pthread_t housekeeper;
    bool has_housekeeper;
    pthread_mutex_t lock; /* guards what follows; held for a few instructions only */
    pthread_cond_t wake;  /* housekeeper: stopping, reload_wanted, a task was done */
    bool stopping;
    bool housekeeper_ended;
    bool reload_wanted;
    bool news_wanted;     /* the registrar has something new: load again, if the file is the same */
    slu_house_task *task; /* waiting for the broker's thread; NULL: none */
    void *task_argument;
    int task_result;
    bool task_done;
    struct slu_err task_err;
    struct slu_notice notices[SLU_HOUSE_NOTICES];
    size_t n_notices;

    /* Housekeeper's own. */
    struct slu_registrar *registrar; /* NULL: nothing comes from a registry */
    struct stat loaded;              /* the configuration's file when it was read last */
    uint64_t unknown_seen;           /* messages of unknown schemas, when it was looked last */
    char config_error[1024];         /* of the last reload; "" none */
    unsigned spool_told;             /* highest of 50, 80, 95 % that an alert told of */
    int64_t opened_mono_ns;
    bool silence_told;
    struct slu_log_rate status_rate;
};

/* Everything of the picture above, or NULL and err with one line; the problems of a bad configuration
 * were all logged. Never waits for a network. */
struct slu_house *slu_house_open(const struct slu_house_options *options, struct slu_err *err);

/* Hand out waiting log lines, tasks, alerts. Costs two reads when there is nothing to do. */
void slu_house_tick(struct slu_house *house);

/* Is there something for tick to do? One relaxed read. */
static inline bool slu_house_wants_tick(const struct slu_house *house)
{
    return atomic_load_explicit(&house->attention, memory_order_relaxed);
}

/* Ask for a reload; its outcome is logged and shown in status.json. */
void slu_house_reload(struct slu_house *house);

/* Deliver, sync, write the last status, free. NULL is fine. */
void slu_house_close(struct slu_house *house);

/* ---- for the housekeeper's files (house.c, reload.c, watch.c) ------------------------------------------ */

/* Have the broker's thread run `task` and wait for it. -1 also when the house closes meanwhile. */
int slu_house_ask(struct slu_house *house, slu_house_task *task, void *argument,
                  struct slu_err *err);

/* Publish a system alert at the next tick; when too many wait already it is only logged. */
void slu_house_notice(struct slu_house *house, const char *code, const char *message);

/* Log every problem of a configuration (the first 20) and put the first into err. */
void slu_house_tell_problems(struct slu_problems *problems, struct slu_err *err);

/* Give each configured sink its bit in the spool; orphan the others. Waits for the disk: the
 * housekeeper's thread, or the broker's before it runs. */
int slu_house_register_sinks(struct slu_house *house, struct slu_config *config,
                             struct slu_err *err);

/* What makes a running sink the one that is configured: its section, and the instance in its records. */
uint64_t slu_house_fingerprint(const struct slu_config *config, const struct slu_config_sink *sink);

/* Show the policies in force, and no others, in status.json. After a configuration took effect. */
void slu_house_show_policies(struct slu_house *house);

/* Does the house close? Then a reload gives up. */
bool slu_house_is_stopping(struct slu_house *house);

/* Start the sink's delivery into house->sinks. */
int slu_house_start_sink(struct slu_house *house, const struct slu_config *config,
                         const struct slu_config_sink *sink, struct slu_err *err);

/* Load, compile, change the sinks, swap. Housekeeper. */
void slu_house_reload_now(struct slu_house *house);

/* Ask for what a first start lacks, and wait for it a few seconds. Broker's thread, while there is no
 * housekeeper. */
int slu_house_ask_registry(struct slu_house *house, struct slu_registry_wants *wants,
                           struct slu_err *err);

/* Remember the file that is about to be loaded; is it still the same? Somebody may be in the middle of a
 * change that he has not asked us to load. Housekeeper. */
void slu_house_note_file(struct slu_house *house);
bool slu_house_file_is_same(const struct slu_house *house);

/* Let the registrar work for `wants` (taken); starts, stops and changes it as needed. */
void slu_house_follow_registry(struct slu_house *house, struct slu_registry_wants *wants);

/* False: it hangs and is left behind. */
bool slu_house_leave_registry(struct slu_house *house, int64_t deadline_mono_ns);

/* Did messages come whose schema nobody knows? Then the registrar looks for it. */
void slu_house_watch_registry(struct slu_house *house);

/* Look for what an operator must be told: the spool fills, a sink paused, no message at all. */
void slu_house_watch(struct slu_house *house);

#endif
