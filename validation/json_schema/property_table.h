/* property_table.h -- from a key of the instance to what a schema says about it, at the same cost
 * for 12 names and for 5,000.
 *
 * A perfect hash, found at load: a key's hash picks a bucket, the bucket's multiplier picks the slot,
 * and no two names share a slot. So a lookup is one hash, three loads and one comparison, also for a
 * key that is not there.
 *
 *   hash of key ──low bits──▶ multipliers[ ]
 *        └──high bits × multiplier──▶ slots[ ] ──▶ entry number + 1 (0: none) ──▶ entries[ ]
 *
 * Before that come two guesses. The entry behind the one found last: devices send their keys in the
 * order of their program, and who writes a schema mostly follows it. (After the last entry stands one
 * that no key is equal to.) And the entry that came here in an earlier message: that memory is the
 * scratch's, so it belongs to the thread; it holds entry numbers only, and a wrong one costs a
 * comparison.
 *
 * Threads: a table never changes once built; a memory of orders belongs to one thread.
 */
#ifndef SLU_JSON_SCHEMA_PROPERTY_TABLE_H
#define SLU_JSON_SCHEMA_PROPERTY_TABLE_H

#include "base/bytes.h"
#include "base/slice.h"
#include "validation/payload/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_arena;
struct slu_node;

struct slu_property {
    const char *name; /* borrowed */
    size_t len;
    const struct slu_node *node; /* its subschema; NULL: `properties` does not declare it */
    uint64_t mask;               /* what is set, in the word … */
    uint32_t word;               /* … of this number, when the key was found; 0: nobody asks */
    uint32_t tail_at;            /* where the name's last 8 bytes begin */
    uint64_t head, tail, mask8;  /* the name's first and last 8 bytes, fewer for a shorter one */
};

struct slu_property_table {
    const struct slu_property *entries; /* n, and the one that is never equal */
    uint32_t n;
    uint32_t bucket_mask;
    uint32_t slot_shift; /* 32 - log2(slots) */
    uint64_t seed;
    const uint32_t *multipliers; /* odd; by bucket */
    const uint32_t *slots;
};

/* Build over `entries` (n, in the arena, with room for one more; names all different). False: no
 * memory, or (names made for it) no multipliers found. */
bool slu_property_table_build(struct slu_property_table *table, struct slu_arena *arena,
                              struct slu_property *entries, uint32_t n);

static inline bool slu_property_is(const struct slu_property *property, const char *key, size_t len)
{
    return property->len == len && slu_bytes_equal(property->name, key, len);
}

/* The same for a key of a payload, from where 8 bytes may be read however short it is (value.h). */
static inline bool slu_property_is_key(const struct slu_property *property,
                                       const struct slu_value *key)
{
    const size_t len = slu_value_len(key);
    if (len != property->len)
        return false;
    const uint64_t head = slu_bytes_load8(key->text) ^ property->head;
    const uint64_t tail = slu_bytes_load8(key->text + property->tail_at) ^ property->tail;
    if (((head | tail) & property->mask8) != 0)
        return false;
    return len <= 16 || memcmp(property->name, key->text, len) == 0;
}

#define SLU_PROPERTY_ORDERS 1024

struct slu_property_order {
    uint32_t after[SLU_PROPERTY_ORDERS]; /* entry number, by the address of the entry that was
                                            guessed in vain */
};

/* The entry of that name, or NULL. */
const struct slu_property *slu_property_table_find(const struct slu_property_table *table,
                                                   const char *key, size_t len);

/* Where the memory keeps what came after `guess`. Entries are 64 bytes long: neighbours get places of
 * their own. */
static inline uint32_t *slu_property_order_at(struct slu_property_order *order,
                                              const struct slu_property *guess)
{
    return &order->after[(uintptr_t)guess / sizeof(*guess) % SLU_PROPERTY_ORDERS];
}

/* By the table, and remember it. */
const struct slu_property *slu_property_table_learn(const struct slu_property_table *table,
                                                    uint32_t *after, const char *key, size_t len);

/* The entry of that name that the memory knows to come where `guess` was guessed in vain; NULL: ask the
 * table. */
static inline const struct slu_property *
slu_property_table_remembered(const struct slu_property_table *table, const uint32_t *after,
                              const struct slu_value *key)
{
    if (*after < table->n && slu_property_is_key(&table->entries[*after], key))
        return &table->entries[*after];
    return NULL;
}

#endif
