/* property_table.c -- see property_table.h. Hash, displace and compress: the fullest buckets choose
 * their multipliers first, while there is room.
 */
#include "validation/json_schema/property_table.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>

#define MULTIPLIERS_TRIED 4096
#define SEEDS_TRIED       32

struct name {
    uint64_t hash;
    uint32_t number; /* of its entry */
    uint32_t bucket;
    uint32_t bucket_size;
};

static int by_bucket_size(const void *a, const void *b)
{
    const struct name *left = a;
    const struct name *right = b;
    if (left->bucket_size != right->bucket_size)
        return left->bucket_size > right->bucket_size ? -1 : 1;
    return (left->bucket > right->bucket) - (left->bucket < right->bucket);
}

/* Put the names of one bucket where `multiplier` says; undone when two meet. */
static bool place(const struct name *names, uint32_t n, uint32_t multiplier, uint32_t shift,
                  uint32_t *slots)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *slot = &slots[(uint32_t)(names[i].hash >> 32) * multiplier >> shift];
        if (*slot == 0) {
            *slot = names[i].number + 1;
            continue;
        }
        while (i-- > 0)
            slots[(uint32_t)(names[i].hash >> 32) * multiplier >> shift] = 0;
        return false;
    }
    return true;
}

/* Odd numbers without a pattern. */
static uint32_t multiplier_at(uint32_t i)
{
    return (uint32_t)(slu_hash_mix(i + 1, SLU_HASH_B) >> 16) | 1;
}

static bool place_all(const struct name *names, uint32_t n, uint32_t shift, uint32_t *multipliers,
                      uint32_t *slots)
{
    for (uint32_t first = 0; first < n; first += names[first].bucket_size) {
        uint32_t i = 0;
        while (!place(names + first, names[first].bucket_size, multiplier_at(i), shift, slots))
            if (++i == MULTIPLIERS_TRIED)
                return false;
        multipliers[names[first].bucket] = multiplier_at(i);
    }
    return true;
}

static bool try_seed(struct slu_property_table *table, struct name *names, uint32_t *multipliers,
                     uint32_t *slots)
{
    const size_t n_slots = (size_t)1 << (32 - table->slot_shift);
    const size_t n_buckets = (size_t)table->bucket_mask + 1;
    memset(slots, 0, n_slots * sizeof(*slots));
    memset(multipliers, 0, n_buckets * sizeof(*multipliers));

    for (uint32_t i = 0; i < table->n; i++) {
        const struct slu_property *entry = &table->entries[i];
        names[i].hash = slu_hash_bytes(table->seed, entry->name, entry->len);
        names[i].number = i;
        names[i].bucket = (uint32_t)names[i].hash & table->bucket_mask;
        multipliers[names[i].bucket]++;
    }
    for (uint32_t i = 0; i < table->n; i++)
        names[i].bucket_size = multipliers[names[i].bucket];
    for (size_t i = 0; i < n_buckets; i++)
        multipliers[i] = 1;
    qsort(names, table->n, sizeof(*names), by_bucket_size);
    return place_all(names, table->n, table->slot_shift, multipliers, slots);
}

bool slu_property_table_build(struct slu_property_table *table, struct slu_arena *arena,
                              struct slu_property *entries, uint32_t n)
{
    uint32_t n_buckets = 1, slot_bits = 1;
    while (n_buckets < n / 2)
        n_buckets *= 2;
    while (slot_bits < 31 && (UINT32_C(1) << slot_bits) < 2 * (uint64_t)n)
        slot_bits++;

    entries[n] = (struct slu_property){.name = "", .len = SIZE_MAX};
    for (uint32_t i = 0; i < n; i++) {
        const size_t n_head = entries[i].len < 8 ? entries[i].len : 8;
        entries[i].tail_at = (uint32_t)(entries[i].len - n_head);
        memcpy(&entries[i].head, entries[i].name, n_head);
        memcpy(&entries[i].tail, entries[i].name + entries[i].tail_at, n_head);
        memset(&entries[i].mask8, 0xFF, n_head);
    }
    uint32_t *multipliers = slu_arena_array(arena, n_buckets, sizeof(*multipliers));
    uint32_t *slots = slu_arena_array(arena, (size_t)1 << slot_bits, sizeof(*slots));
    struct name *names = calloc(n != 0 ? n : 1, sizeof(*names));
    bool built = false;
    *table = (struct slu_property_table){entries, n,           n_buckets - 1, 32 - slot_bits,
                                         0,       multipliers, slots};
    if (multipliers != NULL && slots != NULL && names != NULL)
        for (; !built && table->seed < SEEDS_TRIED; table->seed += !built)
            built = try_seed(table, names, multipliers, slots);
    free(names);
    return built;
}

const struct slu_property *slu_property_table_find(const struct slu_property_table *table,
                                                   const char *key, size_t len)
{
    const uint64_t hash = slu_hash_bytes(table->seed, key, len);
    const uint32_t multiplier = table->multipliers[(uint32_t)hash & table->bucket_mask];
    const uint32_t slot = (uint32_t)(hash >> 32) * multiplier >> table->slot_shift;
    const uint32_t number = table->slots[slot];
    if (number == 0)
        return NULL;
    const struct slu_property *property = &table->entries[number - 1];
    return slu_property_is(property, key, len) ? property : NULL;
}

const struct slu_property *slu_property_table_learn(const struct slu_property_table *table,
                                                    uint32_t *after, const char *key, size_t len)
{
    const struct slu_property *property = slu_property_table_find(table, key, len);
    if (property != NULL)
        *after = (uint32_t)(property - table->entries);
    return property;
}
