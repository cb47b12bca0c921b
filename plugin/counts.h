/* counts.h -- what became of every message: the counters of status.json.
 *
 * Every message ends in exactly one of the fates below; `received` counts them at the door. The
 * broker's thread writes, the housekeeper reads a picture in which the sum is right:
 *
 *   version odd: a message is between the door and its fate ── reader tries again
 *
 * Policies are counted by id, so their counters go on across reloads.
 *
 * Threads: slu_counts_begin/end and the counting functions: the broker's. slu_counts_policy and
 * slu_counts_configure: the loader's (or the broker's while there is none). Reading: any.
 */
#ifndef SLU_PLUGIN_COUNTS_H
#define SLU_PLUGIN_COUNTS_H

#include "plugin/rate.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, sentence): the fates, as they stand in status.json's "messages". */
#define SLU_FATES(X)                                                                        \
    X(passed,                                                                               \
      "went on untouched: no policy, mode off, a retained clear, or a violation with pass") \
    X(accepted, "held (or was only monitored); in the spool if its policies have sinks")    \
    X(rerouted, "moved to the alert topic")                                                 \
    X(dropped, "taken away")                                                                \
    X(refused, "not taken because the spool had no room; the publisher sends it again")     \
    X(disconnected, "taken away and the publisher's connection closed")

enum slu_fate {
#define SLU_FATE_ENUM(name, sentence) SLU_FATE_##name,
    SLU_FATES(SLU_FATE_ENUM)
#undef SLU_FATE_ENUM
        SLU_FATE_COUNT,
};
extern const char *const slu_fate_names[SLU_FATE_COUNT];

#define SLU_COUNTS_CODES    96 /* different codes a policy; the list of codes is closed and shorter */
#define SLU_COUNTS_POLICIES 65535
#define SLU_COUNTS_BUCKETS  4096

struct slu_code_count {
    char code[48];
    _Atomic uint64_t n;
};

/* One policy, found by id. */
struct slu_policy_counts {
    char id[65];
    _Atomic uint64_t held; /* messages that held */
    _Atomic uint64_t
        would_reroute; /* monitored violations: messages that mode enforce would act on */
    _Atomic uint32_t n_codes;
    struct slu_code_count
        *_Atomic codes;             /* messages by their first violation's code; made when needed */
    _Atomic bool configured;        /* in the current configuration */
    struct slu_rate rate;           /* of its published alerts; broker's thread only */
    struct slu_policy_counts *next; /* all of them, newest first */
    struct slu_policy_counts *same_bucket;
};

struct slu_counts {
    _Atomic uint64_t version;
    _Atomic uint64_t received;
    _Atomic uint64_t fates[SLU_FATE_COUNT];
    struct slu_policy_counts *_Atomic policies;
    struct slu_policy_counts *buckets[SLU_COUNTS_BUCKETS]; /* by hash of the id */
    uint32_t n_policies;
};

void slu_counts_init(struct slu_counts *counts);
void slu_counts_fini(struct slu_counts *counts);

/* A counter that one thread writes: cheaper than an atomic add, and readers see whole numbers. */
static inline void slu_counts_bump(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline void slu_counts_begin(struct slu_counts *counts)
{
    uint64_t version = atomic_load_explicit(&counts->version, memory_order_relaxed);
    atomic_store_explicit(&counts->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    slu_counts_bump(&counts->received);
}

static inline void slu_counts_end(struct slu_counts *counts, enum slu_fate fate)
{
    slu_counts_bump(&counts->fates[fate]);
    uint64_t version = atomic_load_explicit(&counts->version, memory_order_relaxed);
    atomic_store_explicit(&counts->version, version + 1, memory_order_release);
}

/* The counters of policy `id`, made when it is new. NULL: no memory or too many. */
struct slu_policy_counts *slu_counts_policy(struct slu_counts *counts, const char *id);

/* No policy is configured any more; whoever puts a configuration in force marks its own. */
void slu_counts_configure(struct slu_counts *counts);

/* Count a broken message under its first violation's code. */
void slu_counts_violation(struct slu_policy_counts *policy, const char *code);

struct slu_counts_picture {
    uint64_t received;
    uint64_t fates[SLU_FATE_COUNT];
};

/* A picture in which received equals the sum of the fates. */
void slu_counts_picture(const struct slu_counts *counts, struct slu_counts_picture *picture);

#endif
