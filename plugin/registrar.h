/* registrar.h -- the thread that asks the schema registry, and never stands in anyone's way.
 *
 *   configuration ──wants──▶ registrar ──sinks/registry.h──▶ registry
 *         ▲                      │
 *         └── the cache on disk ◀┘── something new? "load again" ──▶ housekeeper
 *
 * The cache is the only door between the two: loading a configuration (config_registry.c) looks into it
 * and asks nobody; the registrar fills it and says when there is something new in it. So the broker's
 * thread, a reload and the command line never wait for a registry.
 *
 * A round: each wanted version, and where messages may name any version of a subject (Avro that is framed
 * by id) the newest SLU_REGISTRAR_VERSIONS of them. What is numbered is asked for once in its life. A
 * round is made at start, after a reload, each minute (`latest` may have moved), and when messages came
 * with an id that nobody knew, at most one each five seconds. While the registry does not answer: after a
 * second, then two, up to a minute.
 *
 * Threads: one of its own; the functions are the housekeeper's (or the broker's while there is none), but
 * stats, which are anybody's.
 */
#ifndef SLU_PLUGIN_REGISTRAR_H
#define SLU_PLUGIN_REGISTRAR_H

#include "sinks/registry.h"

#define SLU_REGISTRAR_VERSIONS 64 /* of a subject, the newest */

struct slu_registry_want {
    const char *subject;
    int64_t version;   /* or SLU_REGISTRY_LATEST */
    bool all_versions; /* and every other version too */
};

/* What a configuration needs from its registry. */
struct slu_registry_wants {
    const char *cache; /* set before a load: look there instead of data_dir/registry; borrowed */
    struct slu_registry_options options; /* url NULL: there is none */
    struct slu_registry_want *items;
    size_t n;
    size_t n_missing;       /* of these, not in the cache when the configuration was loaded */
    struct slu_arena arena; /* owns all of it */
};
void slu_registry_wants_init(struct slu_registry_wants *wants);
void slu_registry_wants_fini(struct slu_registry_wants *wants);

/* Do they ask for the same of the same registry? */
bool slu_registry_wants_equal(const struct slu_registry_wants *a,
                              const struct slu_registry_wants *b);

struct slu_registrar_stats {
    char url[256];
    bool answers;                /* the last round went through */
    uint64_t rounds;             /* made */
    uint64_t failed;             /* of these, cut short by an error */
    uint64_t fetched;            /* schemas that were new here */
    int64_t last_answer_wall_ns; /* end of the last round that went through; 0: none */
    char last_error[512];        /* of the last round; "" none */
};

struct slu_registrar;

/* Start the thread. Takes `wants` (and leaves empty ones). `news` is called in the registrar's thread; not
 * for what the first round finds missing when `waited_for`: slu_registrar_wait() comes next then. NULL
 * and err: the options are wrong, no memory, no thread. */
struct slu_registrar *slu_registrar_start(struct slu_registry_wants *wants,
                                          void (*news)(void *context), void *context,
                                          bool waited_for, struct slu_err *err);

/* Wait until the first round has what was missing, or cannot get it: 0, or -1 and err. */
int slu_registrar_wait(struct slu_registrar *registrar, int64_t deadline_mono_ns,
                       struct slu_err *err);

/* What it works for. Housekeeper's thread. */
const struct slu_registry_wants *slu_registrar_wants(const struct slu_registrar *registrar);

/* Messages came whose schema nobody knows: make a round soon. */
void slu_registrar_look(struct slu_registrar *registrar);

void slu_registrar_stats(struct slu_registrar *registrar, struct slu_registrar_stats *stats);

/* Let go of what is being asked; does not wait. NULL is fine. */
void slu_registrar_hurry(struct slu_registrar *registrar);

/* Stop it; NULL is fine. False: it hangs (a name server that does not answer) and is left behind, with
 * its memory. */
bool slu_registrar_stop(struct slu_registrar *registrar, int64_t deadline_mono_ns);

#endif
