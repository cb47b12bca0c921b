/* object.c -- the walk over an object's members, see object.h. */
#include "validation/json_schema/object.h"

#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"

#define MEMBER_UNITS 6

static inline bool was_found(const uint64_t *found, const struct slu_property *property)
{
    return (found[property->word] & property->mask) != 0;
}

/* Neither was the key the one that was guessed, nor the one that came here before: some 100 instructions,
 * and more for a long key. NULL: not declared, or the budget is gone. */
static __attribute__((noinline)) const struct slu_property *look_up(struct slu_run *run,
                                                                    const struct slu_object *object,
                                                                    uint32_t *after,
                                                                    const struct slu_value *key)
{
    const size_t len = slu_value_len(key);
    if (object->table.n == 0 || !slu_run_draw(run, 10 + len / 16))
        return NULL;
    return slu_property_table_learn(&object->table, after, key->text, len);
}

/* The entry of `key` after `guess` was not it; NULL: not declared. */
static inline const struct slu_property *find_after(struct slu_run *run,
                                                    const struct slu_object *object,
                                                    const struct slu_property *guess,
                                                    const struct slu_value *key)
{
    uint32_t *after = slu_property_order_at(&run->scratch->order, guess);
    const struct slu_property *property = slu_property_table_remembered(&object->table, after, key);
    return property != NULL ? property : look_up(run, object, after, key);
}

/* A member beyond the plain case: not declared, or of an object with patterns, or somebody asks what
 * was looked at. `property`: its entry, or NULL. */
static __attribute__((noinline)) bool judge_member(struct slu_run *run,
                                                   const struct slu_object *object,
                                                   const struct slu_property *property,
                                                   const struct slu_value *key,
                                                   struct slu_seen *seen, size_t ordinal)
{
    bool known = property != NULL && property->node != NULL;
    if (!slu_run_draw(run, 8))
        return false;
    bool holds = !known || slu_run_node(run, property->node, key + 1, NULL);

    if (object->names != NULL && !slu_run_branch(run, object->names, key, NULL))
        holds = slu_run_report_as(run, &slu_keywords[SLU_KEYWORD_PROPERTY_NAMES], object->raw_names,
                                  key);
    for (size_t i = 0; i < object->n_patterns; i++) {
        if (!slu_run_draw(run, 4))
            return false;
        if (!slu_regex_matches(object->patterns[i].regex, run, key))
            continue;
        known = true;
        holds = slu_run_node(run, object->patterns[i].node, key + 1, NULL) && holds;
    }
    if (run->stop != SLU_RUN_GOES)
        return false;
    if (seen != NULL && (known || object->additional != NULL))
        slu_seen_mark(seen, ordinal);
    if (known || object->additional == NULL)
        return holds;
    if (object->additional->never)
        return slu_run_report_property(run, &slu_keywords[SLU_KEYWORD_ADDITIONAL_PROPERTIES],
                                       object->raw_additional, key);
    return slu_run_node(run, object->additional, key + 1, NULL) && holds;
}

/* The members, one after the other. Nearly all of a message's time is spent here. */
static bool judge_members(struct slu_run *run, const struct slu_object *object,
                          const struct slu_value *value, struct slu_seen *seen, uint64_t *found)
{
    const struct slu_property *guess = object->table.entries;
    const bool plain = object->plain && seen == NULL;
    const bool open = plain && object->additional == NULL;
    const struct slu_value *key = slu_value_first(value);
    const size_t n = slu_value_len(value);
    bool holds = true, rising = true;

    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        const struct slu_property *property = guess;
        if (!slu_property_is_key(guess, key))
            property = find_after(run, object, guess, key);
        rising = rising && property >= guess; /* NULL is below */
        if (property != NULL) {
            guess = property + 1;
            found[property->word] |= property->mask;
            if (plain && property->node != NULL) {
                if (slu_run_node(run, property->node, key + 1, NULL))
                    continue;
                goto failed;
            }
        }
        if (open && run->budget >= 0) /* nothing is asked of what is not declared */
            continue;
        if (judge_member(run, object, property, key, seen, i))
            continue;
    failed:
        if (!run->collect || run->stop != SLU_RUN_GOES)
            return false;
        holds = false;
    }
    if (value == run->payload->root)
        run->scratch->keys_differ |=
            rising ||
            (object->n_bits <= 64 && (size_t)__builtin_popcountll(*found) == slu_value_len(value));
    return holds;
}

/* Units for the members behind `key`, at which the walk ended: a branch mostly fails at the first. */
static void give_back(struct slu_run *run, const struct slu_value *key, const struct slu_value *end)
{
    if (run->stop == SLU_RUN_GOES)
        run->budget += MEMBER_UNITS * ((end - key) / 2 - 1);
}

/* The same for the usual object: nothing asked of it but properties, no member of a member, at most 64
 * bits, the first pass. A member is two cells. */
static bool judge_flat(struct slu_run *run, const struct slu_object *object,
                       const struct slu_value *value, uint64_t *found)
{
    const struct slu_property *guess = object->table.entries;
    const struct slu_value *const end = slu_value_next(value);
    uint64_t bits = 0;
    size_t falls = 0; /* keys that came before their turn, or are not declared */

    for (const struct slu_value *key = slu_value_first(value); key != end; key += 2) {
        const struct slu_property *property = guess;
        if (!slu_property_is_key(guess, key))
            property = find_after(run, object, guess, key);
        if (__builtin_expect(property == NULL || property->node == NULL, 0)) {
            if (object->additional != NULL && !judge_member(run, object, property, key, NULL, 0))
                return false;
            if (run->budget < 0)
                return false;
            if (property == NULL) {
                falls++;
                continue;
            }
        } else if (!slu_run_node(run, property->node, key + 1, NULL)) {
            give_back(run, key, end);
            return false;
        }
        falls += property < guess;
        bits |= property->mask;
        guess = property + 1;
    }
    *found = bits;
    if (value == run->payload->root)
        run->scratch->keys_differ |=
            falls == 0 || (size_t)__builtin_popcountll(bits) == slu_value_len(value);
    return true;
}

/* The required ones have the lowest bits. */
static bool is_required(const struct slu_property *property, uint32_t n_required)
{
    const uint32_t word = n_required / 64;
    const uint64_t partial = (UINT64_C(1) << n_required % 64) - 1;
    return property->mask != 0 &&
           (property->word < word || (property->word == word && (property->mask & partial) != 0));
}

static bool judge_required(struct slu_run *run, const struct slu_object *object,
                           const struct slu_value *value, const uint64_t *found)
{
    const uint32_t n = object->n_required;
    const uint32_t n_full = n / 64;
    bool holds = true;
    for (uint32_t i = 0; i < n_full; i++)
        holds = holds && found[i] == UINT64_MAX;
    if (n % 64 != 0)
        holds = holds && (~found[n_full] & ((UINT64_C(1) << n % 64) - 1)) == 0;
    if (holds || !run->collect)
        return holds;

    for (uint32_t i = 0; i < object->table.n; i++) {
        const struct slu_property *entry = &object->table.entries[i];
        if (is_required(entry, n) && !was_found(found, entry))
            slu_run_report_missing(run, &slu_keywords[SLU_KEYWORD_REQUIRED],
                                   slu_slice(entry->name, entry->len), value);
    }
    return false;
}

static bool judge_needs(struct slu_run *run, const struct slu_object *object,
                        const struct slu_object_dependency *dependency,
                        const struct slu_value *value, const uint64_t *found)
{
    bool holds = true;
    if (!slu_run_draw(run, 1 + dependency->n_needs / 2))
        return false;
    for (size_t i = 0; i < dependency->n_needs; i++) {
        const struct slu_property *need = &object->table.entries[dependency->needs[i]];
        if (was_found(found, need))
            continue;
        holds =
            slu_run_report_missing(run, dependency->row, slu_slice(need->name, need->len), value);
        if (!run->collect)
            return false;
    }
    return holds;
}

static bool judge_dependencies(struct slu_run *run, const struct slu_object *object,
                               const struct slu_value *value, struct slu_seen *seen,
                               const uint64_t *found)
{
    bool holds = true;
    for (size_t i = 0; i < object->n_dependencies; i++) {
        const struct slu_object_dependency *dependency = &object->dependencies[i];
        if (!slu_run_draw(run, 1))
            return false;
        if (!was_found(found, &object->table.entries[dependency->trigger]))
            continue;
        if (dependency->node != NULL)
            holds = slu_run_node(run, dependency->node, value, seen) && holds;
        else
            holds = judge_needs(run, object, dependency, value, found) && holds;
        if (!holds && !run->collect)
            return false;
    }
    return holds;
}

static bool judge_object(struct slu_run *run, const struct slu_object *object,
                         const struct slu_value *value, struct slu_seen *seen, uint64_t *found)
{
    const bool usual = object->plain && object->n_bits <= 64 && seen == NULL && !run->collect &&
                       value->size == (2 * slu_value_len(value) + 1) * sizeof(*value);
    bool holds = usual ? judge_flat(run, object, value, found)
                       : judge_members(run, object, value, seen, found);
    if (!holds && !run->collect)
        return false;
    holds = judge_required(run, object, value, found) && holds;
    if (object->n_dependencies == 0 || (!holds && !run->collect))
        return holds;
    return judge_dependencies(run, object, value, seen, found) && holds;
}

bool slu_keyword_object_judge(struct slu_run *run, const struct slu_op *op,
                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct slu_object *object = op->data;

    if (!slu_run_draw(run, MEMBER_UNITS * slu_value_len(value)))
        return false;
    if (slu_value_len(value) < object->n_required && !run->collect)
        return false;
    if (object->n_bits <= 64) {
        uint64_t found = 0;
        return judge_object(run, object, value, seen, &found);
    }
    const size_t n_words = object->n_bits / 64 + 1;
    uint64_t *found = slu_run_take(run, n_words);
    if (found == NULL)
        return false;
    const bool holds = judge_object(run, object, value, seen, found);
    slu_run_give(run, n_words, n_words);
    return holds;
}
