/* names.c -- see names.h.
 *
 * A number that is used by records but defined nowhere any more (its segment is gone or damaged) is
 * marked with a placeholder without text, so that it is not given away: a wrong name is worse than
 * none.
 */
#include "sinks/spool/names.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

bool slu_names_init(struct slu_names *names)
{
    *names = (struct slu_names){.next_policy = 1, .next_schema = 1};
    names->policies = calloc(SLU_NAMES_MAX + 1, sizeof(names->policies[0]));
    names->schemas = calloc(SLU_NAMES_MAX + 1, sizeof(names->schemas[0]));
    names->buckets = calloc(SLU_NAMES_BUCKETS, sizeof(names->buckets[0]));
    if (names->policies != NULL && names->schemas != NULL && names->buckets != NULL)
        return true;
    slu_names_fini(names);
    return false;
}

void slu_names_fini(struct slu_names *names)
{
    for (size_t i = 0; names->policies != NULL && i <= SLU_NAMES_MAX; i++)
        free(atomic_load_explicit(&names->policies[i], memory_order_relaxed));
    for (size_t i = 0; names->schemas != NULL && i <= SLU_NAMES_MAX; i++)
        free(atomic_load_explicit(&names->schemas[i], memory_order_relaxed));
    free(names->policies);
    free(names->schemas);
    free(names->buckets);
    free(names->live);
    *names = (struct slu_names){0};
}

static _Atomic(struct slu_name *) *table_of(const struct slu_names *names,
                                            enum slu_definition_kind kind)
{
    return kind == SLU_DEFINE_POLICY ? names->policies : names->schemas;
}

static struct slu_name *lookup(const struct slu_names *names, enum slu_definition_kind kind,
                               size_t number)
{
    return atomic_load_explicit(&table_of(names, kind)[number], memory_order_acquire);
}

static struct slu_name **bucket_of(const struct slu_names *names, enum slu_definition_kind kind,
                                   struct slu_slice name, struct slu_slice type,
                                   struct slu_slice text)
{
    uint64_t hash = slu_hash_bytes((uint64_t)kind, name.data, name.len);
    hash = slu_hash_bytes(hash, type.data, type.len);
    hash = slu_hash_bytes(hash, text.data, text.len);
    return &names->buckets[hash % SLU_NAMES_BUCKETS];
}

/* Returns the new entry, or NULL. */
static struct slu_name *enter(struct slu_names *names, enum slu_definition_kind kind,
                              uint16_t number, struct slu_slice name, struct slu_slice type,
                              struct slu_slice text)
{
    if (name.len + type.len + text.len > SLU_RECORD_MAX_BYTES)
        return NULL;
    struct slu_name *entry = malloc(sizeof(*entry) + name.len + type.len + text.len + 3);
    if (entry == NULL)
        return NULL;

    *entry = (struct slu_name){.kind = kind,
                               .number = number,
                               .type_len = (uint32_t)type.len,
                               .text_len = (uint32_t)text.len};
    entry->type = entry->name + name.len + 1;
    entry->text = entry->type + type.len + 1;
    const struct slu_slice texts[] = {name, type, text};
    char *at = entry->name;
    for (size_t i = 0; i < 3; i++) {
        if (texts[i].len > 0)
            memcpy(at, texts[i].data, texts[i].len);
        at[texts[i].len] = '\0';
        at += texts[i].len + 1;
    }
    if (name.len > 0) {
        struct slu_name **bucket = bucket_of(names, kind, name, type, text);
        entry->same_bucket = *bucket;
        *bucket = entry;
    }
    atomic_store_explicit(&table_of(names, kind)[number], entry, memory_order_release);
    return entry;
}

void slu_names_learn(struct slu_names *names, const struct slu_definition *definition)
{
    if (definition->kind != SLU_DEFINE_POLICY && definition->kind != SLU_DEFINE_SCHEMA)
        return;
    if (definition->number != 0 && definition->name.len > 0 &&
        lookup(names, definition->kind, definition->number) == NULL)
        (void)enter(names, definition->kind, definition->number, definition->name, definition->type,
                    definition->text);
}

static void reserve(struct slu_names *names, enum slu_definition_kind kind, uint16_t number)
{
    if (number != 0 && lookup(names, kind, number) == NULL)
        (void)enter(names, kind, number, SLU_SLICE(""), SLU_SLICE(""), SLU_SLICE(""));
}

void slu_names_reserve(struct slu_names *names, uint16_t policy, uint16_t schema)
{
    reserve(names, SLU_DEFINE_POLICY, policy);
    reserve(names, SLU_DEFINE_SCHEMA, schema);
}

static struct slu_name *find(const struct slu_names *names, enum slu_definition_kind kind,
                             struct slu_slice name, struct slu_slice type, struct slu_slice text)
{
    struct slu_name *entry = *bucket_of(names, kind, name, type, text);
    while (entry != NULL &&
           !(entry->kind == kind && slu_slice_equal(slu_slice_of(entry->name), name) &&
             slu_slice_equal(slu_slice(entry->type, entry->type_len), type) &&
             slu_slice_equal(slu_slice(entry->text, entry->text_len), text)))
        entry = entry->same_bucket;
    return entry;
}

static bool make_live(struct slu_names *names, struct slu_name *entry)
{
    if (entry->live)
        return true;
    const size_t bytes = strlen(entry->name) + entry->type_len + entry->text_len + 32;
    if (names->live_bytes + bytes > SLU_NAMES_MAX_BYTES)
        return false;
    if (names->n_live == names->live_cap) {
        const size_t cap = names->live_cap == 0 ? 16 : names->live_cap * 2;
        struct slu_name **grown = realloc(names->live, cap * sizeof(grown[0]));
        if (grown == NULL)
            return false;
        names->live = grown;
        names->live_cap = cap;
    }
    names->live[names->n_live++] = entry;
    names->live_bytes += bytes;
    entry->live = true;
    return true;
}

uint16_t slu_names_define(struct slu_names *names, enum slu_definition_kind kind,
                          struct slu_slice name, struct slu_slice type, struct slu_slice text)
{
    size_t *next = kind == SLU_DEFINE_POLICY ? &names->next_policy : &names->next_schema;

    if (name.len == 0)
        return 0;
    struct slu_name *entry = find(names, kind, name, type, text);
    if (entry == NULL) {
        while (*next <= SLU_NAMES_MAX && lookup(names, kind, *next) != NULL)
            ++*next;
        if (*next <= SLU_NAMES_MAX)
            entry = enter(names, kind, (uint16_t)*next, name, type, text);
    }
    return entry != NULL && make_live(names, entry) ? entry->number : 0;
}

void slu_names_revive(struct slu_names *names, uint16_t policy, uint16_t schema)
{
    struct slu_name *entries[] = {
        policy != 0 ? lookup(names, SLU_DEFINE_POLICY, policy) : NULL,
        schema != 0 ? lookup(names, SLU_DEFINE_SCHEMA, schema) : NULL,
    };
    for (size_t i = 0; i < 2; i++)
        if (entries[i] != NULL && entries[i]->name[0] != '\0')
            (void)make_live(names, entries[i]);
}

static const char *text_of(const struct slu_names *names, enum slu_definition_kind kind,
                           uint16_t number)
{
    const struct slu_name *entry = number != 0 ? lookup(names, kind, number) : NULL;
    return entry != NULL && entry->name[0] != '\0' ? entry->name : NULL;
}

const char *slu_names_policy(const struct slu_names *names, uint16_t number)
{
    return text_of(names, SLU_DEFINE_POLICY, number);
}

const char *slu_names_schema(const struct slu_names *names, uint16_t number)
{
    return text_of(names, SLU_DEFINE_SCHEMA, number);
}

struct slu_slice slu_names_schema_text(const struct slu_names *names, uint16_t number)
{
    const struct slu_name *entry = number != 0 ? lookup(names, SLU_DEFINE_SCHEMA, number) : NULL;
    return entry != NULL ? slu_slice(entry->text, entry->text_len) : slu_slice(NULL, 0);
}

bool slu_names_pack(const struct slu_names *names, size_t from, uint64_t seq, uint32_t seed,
                    uint32_t *late, uint64_t file_at, struct slu_buf *out)
{
    for (size_t i = from; i < names->n_live; i++) {
        const struct slu_name *entry = names->live[i];
        const struct slu_definition definition = {
            .kind = entry->kind,
            .seq = seq,
            .previous = late != NULL ? *late : 0,
            .number = entry->number,
            .name = slu_slice_of(entry->name),
            .type = slu_slice(entry->type, entry->type_len),
            .text = slu_slice(entry->text, entry->text_len),
        };
        const uint64_t at = file_at + out->len;
        if (!slu_definition_pack(out, &definition, seed))
            return false;
        if (late != NULL)
            *late = (uint32_t)at;
    }
    return true;
}
