/* counts.c -- see counts.h. The list of policies only ever grows at its head, so readers walk it
 * without a lock; a reload marks who is configured. */
#include "plugin/counts.h"

#include "base/hash.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define FATE_NAME(name, sentence) #name,
const char *const slu_fate_names[SLU_FATE_COUNT] = {SLU_FATES(FATE_NAME)};

void slu_counts_init(struct slu_counts *counts)
{
    memset(counts, 0, sizeof(*counts));
}

void slu_counts_fini(struct slu_counts *counts)
{
    struct slu_policy_counts *policy = atomic_load(&counts->policies);

    while (policy != NULL) {
        struct slu_policy_counts *next = policy->next;
        free(atomic_load(&policy->codes));
        free(policy);
        policy = next;
    }
    slu_counts_init(counts);
}

struct slu_policy_counts *slu_counts_policy(struct slu_counts *counts, const char *id)
{
    size_t len = strlen(id);
    struct slu_policy_counts **bucket =
        &counts->buckets[slu_hash_bytes(0, id, len) % SLU_COUNTS_BUCKETS];

    for (struct slu_policy_counts *policy = *bucket; policy != NULL; policy = policy->same_bucket) {
        if (strcmp(policy->id, id) == 0)
            return policy;
    }
    struct slu_policy_counts *fresh = NULL;
    if (counts->n_policies < SLU_COUNTS_POLICIES && len < sizeof(fresh->id))
        fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return NULL;
    memcpy(fresh->id, id, len + 1);
    fresh->same_bucket = *bucket;
    *bucket = fresh;
    fresh->next = atomic_load_explicit(&counts->policies, memory_order_relaxed);
    counts->n_policies++;
    atomic_store_explicit(&counts->policies, fresh, memory_order_release);
    return fresh;
}

void slu_counts_configure(struct slu_counts *counts)
{
    struct slu_policy_counts *policy = atomic_load(&counts->policies);

    for (; policy != NULL; policy = policy->next)
        atomic_store(&policy->configured, false);
}

void slu_counts_violation(struct slu_policy_counts *policy, const char *code)
{
    struct slu_code_count *codes = atomic_load_explicit(&policy->codes, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&policy->n_codes, memory_order_relaxed);

    if (codes == NULL) {
        codes = calloc(SLU_COUNTS_CODES, sizeof(*codes));
        if (codes == NULL)
            return;
        atomic_store_explicit(&policy->codes, codes, memory_order_release);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(codes[i].code, code) == 0) {
            slu_counts_bump(&codes[i].n);
            return;
        }
    }
    if (n >= SLU_COUNTS_CODES || strlen(code) >= sizeof(codes[n].code))
        return;
    memcpy(codes[n].code, code, strlen(code) + 1);
    atomic_store_explicit(&codes[n].n, 1, memory_order_relaxed);
    atomic_store_explicit(&policy->n_codes, n + 1, memory_order_release);
}

static bool picture_taken(const struct slu_counts *counts, struct slu_counts_picture *picture)
{
    uint64_t before = atomic_load_explicit(&counts->version, memory_order_acquire);

    picture->received = atomic_load_explicit(&counts->received, memory_order_relaxed);
    for (size_t i = 0; i < SLU_FATE_COUNT; i++)
        picture->fates[i] = atomic_load_explicit(&counts->fates[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 &&
           before == atomic_load_explicit(&counts->version, memory_order_relaxed);
}

void slu_counts_picture(const struct slu_counts *counts, struct slu_counts_picture *picture)
{
    /* A message takes under a microsecond, `sync: always` up to 2 s: yielding between tries ends this
     * soon. Should the writer hold a message for ever, the sum is made right by hand. */
    for (int tries = 0; tries < 100000; tries++) {
        if (picture_taken(counts, picture))
            return;
        sched_yield();
    }
    picture->received = 0;
    for (size_t i = 0; i < SLU_FATE_COUNT; i++)
        picture->received += picture->fates[i];
}
