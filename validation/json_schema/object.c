/* object.c -- the walk over an object's members: properties, patternProperties,
 * additionalProperties, propertyNames, required, dependentRequired, dependentSchemas.
 *
 * One op does all of them: the members of the instance are walked once, each key is looked up in the
 * table of all names that any of the keywords mentions, and what has to be known afterwards (required
 * and the triggers of dependencies) is one bit per such name:
 *
 *   found    1 1 0 1 | 0 …
 *   required 1 1 1 1   all set?      bits 0 … n_required-1
 *   others             dependencies  then the other names that a dependency mentions
 *
 * Keys are unique: the reader saw to that, or left the payload's root to us (payload.h, "unproved").
 * Keys that come in the order of the table are different; and where 64 bits suffice every declared name
 * gets one: as many bits as members says the same. Both are cheaper to see here than there.
 */
#include "base/hash.h"
#include "validation/json_schema/compile.h"
#include "validation/json_schema/property_table.h"
#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"

struct pattern {
    const struct slu_regex *regex;
    const struct slu_node *node;
};

/* Once `trigger` was found: these must be too, and the object must hold by `node`. */
struct dependency {
    uint32_t trigger;
    size_t n_needs;
    const uint32_t *needs; /* entries */
    const struct slu_node *node;
};

struct object {
    struct slu_property_table table;
    uint32_t n_required;
    uint32_t n_bits;
    bool plain; /* no patterns, no names */
    size_t n_patterns;
    struct pattern *patterns;
    const struct slu_node *additional; /* NULL: anything */
    const struct slu_value *raw_additional;
    const struct slu_node *names; /* NULL: any */
    const struct slu_value *raw_names;
    size_t n_dependencies;
    struct dependency *dependencies;
};

/* ── compile ─────────────────────────────────────────────────────────────────────────────────── */

/* Names on their way into the table. A name may come from several keywords, so they go through a
 * passing hash table of entry numbers. */
struct gathering {
    struct slu_build *build;
    struct object *object;
    struct slu_property *entries;
    uint32_t n;
    uint32_t *slots;
    size_t mask;
};

static size_t list_len(const struct slu_value *value, enum slu_value_kind kind)
{
    return value != NULL && slu_value_kind(value) == kind ? slu_value_len(value) : 0;
}

/* At most so many names. */
static size_t count_names(const struct slu_build *build)
{
    const struct slu_value *needs = build->values[SLU_KEYWORD_DEPENDENT_REQUIRED];
    size_t n = list_len(build->values[SLU_KEYWORD_PROPERTIES], SLU_VALUE_OBJECT) +
               list_len(build->values[SLU_KEYWORD_REQUIRED], SLU_VALUE_ARRAY) +
               list_len(build->values[SLU_KEYWORD_DEPENDENT_SCHEMAS], SLU_VALUE_OBJECT);
    const size_t n_needs = list_len(needs, SLU_VALUE_OBJECT);
    const struct slu_value *key = n_needs != 0 ? slu_value_first(needs) : NULL;
    for (size_t i = 0; i < n_needs; i++, key = slu_value_next(key + 1))
        n += 1 + list_len(key + 1, SLU_VALUE_ARRAY);
    return n;
}

static bool gathering_init(struct gathering *gathering, struct slu_build *build,
                           struct object *object)
{
    const size_t most = count_names(build);
    size_t slots = 16;
    while (slots < 2 * most)
        slots *= 2;
    *gathering = (struct gathering){
        .build = build,
        .object = object,
        .entries = slu_compile_alloc(build->compile, most + 1, sizeof(*gathering->entries)),
        .slots = slu_arena_array(&build->compile->passing, slots, sizeof(*gathering->slots)),
        .mask = slots - 1,
    };
    if (gathering->slots == NULL)
        build->compile->no_memory = true;
    return gathering->entries != NULL && gathering->slots != NULL;
}

/* The entry of that name, made if need be. */
static uint32_t gather(struct gathering *gathering, const struct slu_value *name)
{
    const size_t len = slu_value_len(name);
    size_t at = slu_hash_bytes(0, name->text, len) & gathering->mask;
    for (; gathering->slots[at] != 0; at = (at + 1) & gathering->mask)
        if (slu_property_is(&gathering->entries[gathering->slots[at] - 1], name->text, len))
            return gathering->slots[at] - 1;
    gathering->entries[gathering->n] = (struct slu_property){.name = name->text, .len = len};
    gathering->slots[at] = ++gathering->n;
    return gathering->n - 1;
}

/* The same, and remember in a bit whether it is found. */
static uint32_t gather_bit(struct gathering *gathering, const struct slu_value *name)
{
    const uint32_t entry = gather(gathering, name);
    if (gathering->entries[entry].mask == 0) {
        const uint32_t bit = gathering->object->n_bits++;
        gathering->entries[entry].word = bit / 64;
        gathering->entries[entry].mask = UINT64_C(1) << bit % 64;
    }
    return entry;
}

static void gather_properties(struct gathering *gathering)
{
    struct slu_build *build = gathering->build;
    const struct slu_value *value = build->values[SLU_KEYWORD_PROPERTIES];
    if (value == NULL ||
        !slu_build_expect(build, &slu_keywords[SLU_KEYWORD_PROPERTIES], value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        const uint32_t entry = gather(gathering, key);
        gathering->entries[entry].node = slu_compile_node(build->compile, key + 1);
    }
}

static void gather_required(struct gathering *gathering)
{
    struct slu_build *build = gathering->build;
    const struct slu_value *value = build->values[SLU_KEYWORD_REQUIRED];
    if (value == NULL || !slu_build_expect_names(build, &slu_keywords[SLU_KEYWORD_REQUIRED], value))
        return;
    const struct slu_value *name = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, name = slu_value_next(name)) {
        const uint32_t entry = gather(gathering, name);
        if (gathering->entries[entry].mask != 0)
            slu_compile_error(build->compile, name, "required names this property twice");
        gather_bit(gathering, name);
    }
    gathering->object->n_required = gathering->object->n_bits;
}

static void gather_needs(struct gathering *gathering)
{
    struct slu_build *build = gathering->build;
    const struct slu_keyword *row = &slu_keywords[SLU_KEYWORD_DEPENDENT_REQUIRED];
    const struct slu_value *value = build->values[SLU_KEYWORD_DEPENDENT_REQUIRED];
    if (value == NULL || !slu_build_expect(build, row, value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        if (!slu_build_expect_names(build, row, key + 1))
            continue;
        const size_t n = slu_value_len(key + 1);
        uint32_t *needs = slu_compile_alloc(build->compile, n + 1, sizeof(*needs));
        if (needs == NULL)
            return;
        const struct slu_value *name = slu_value_first(key + 1);
        for (size_t j = 0; j < n; j++, name = slu_value_next(name))
            needs[j] = gather_bit(gathering, name);
        gathering->object->dependencies[gathering->object->n_dependencies++] =
            (struct dependency){gather_bit(gathering, key), n, needs, NULL};
    }
}

static void gather_dependent_schemas(struct gathering *gathering)
{
    struct slu_build *build = gathering->build;
    const struct slu_value *value = build->values[SLU_KEYWORD_DEPENDENT_SCHEMAS];
    if (value == NULL || !slu_build_expect(build, &slu_keywords[SLU_KEYWORD_DEPENDENT_SCHEMAS],
                                           value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1))
        gathering->object->dependencies[gathering->object->n_dependencies++] = (struct dependency){
            gather_bit(gathering, key), 0, NULL, slu_build_in_place(build, key + 1)};
}

/* Bits for the rest, if there are bits enough in one word. */
static void gather_the_rest(struct gathering *gathering)
{
    uint32_t without = 0;

    for (uint32_t i = 0; i < gathering->n; i++)
        without += gathering->entries[i].mask == 0;
    if (gathering->object->n_bits + without > 64)
        return;
    for (uint32_t i = 0; i < gathering->n; i++)
        if (gathering->entries[i].mask == 0)
            gathering->entries[i].mask = UINT64_C(1) << gathering->object->n_bits++;
}

static void compile_patterns(struct slu_build *build, struct object *object)
{
    const struct slu_value *value = build->values[SLU_KEYWORD_PATTERN_PROPERTIES];
    if (value == NULL || !slu_build_expect(build, &slu_keywords[SLU_KEYWORD_PATTERN_PROPERTIES],
                                           value, SLU_VALUE_OBJECT))
        return;
    object->patterns =
        slu_compile_alloc(build->compile, slu_value_len(value) + 1, sizeof(*object->patterns));
    if (object->patterns == NULL)
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1))
        object->patterns[i] = (struct pattern){slu_build_regex(build, key),
                                               slu_compile_node(build->compile, key + 1)};
    object->n_patterns = slu_value_len(value);
}

static void compile_others(struct slu_build *build, struct object *object)
{
    const struct slu_value *additional = build->values[SLU_KEYWORD_ADDITIONAL_PROPERTIES];
    const struct slu_value *names = build->values[SLU_KEYWORD_PROPERTY_NAMES];
    if (additional != NULL) {
        object->additional = slu_compile_node(build->compile, additional);
        object->raw_additional = slu_compile_raw(build->compile, additional);
    }
    if (names != NULL) {
        object->names = slu_compile_node(build->compile, names);
        object->raw_names = slu_compile_raw(build->compile, names);
    }
}

static struct object *compile_object(struct slu_build *build)
{
    struct slu_compile *compile = build->compile;
    struct object *object = slu_compile_alloc(compile, 1, sizeof(*object));
    struct gathering gathering;
    if (object == NULL || !gathering_init(&gathering, build, object))
        return NULL;
    const size_t most = list_len(build->values[SLU_KEYWORD_DEPENDENT_REQUIRED], SLU_VALUE_OBJECT) +
                        list_len(build->values[SLU_KEYWORD_DEPENDENT_SCHEMAS], SLU_VALUE_OBJECT);
    object->dependencies = slu_compile_alloc(compile, most + 1, sizeof(*object->dependencies));
    if (object->dependencies == NULL)
        return NULL;

    gather_properties(&gathering); /* first: their order is the guess */
    gather_required(&gathering);   /* second: theirs are the lowest bits */
    gather_needs(&gathering);
    gather_dependent_schemas(&gathering);
    gather_the_rest(&gathering);
    compile_patterns(build, object);
    compile_others(build, object);
    object->plain = object->n_patterns == 0 && object->names == NULL;
    if (!slu_property_table_build(&object->table, &compile->schema->arena, gathering.entries,
                                  gathering.n)) {
        slu_compile_error(compile, build->schema, "no table can be made for these properties");
        return NULL;
    }
    return object;
}

void slu_keyword_object_compile(struct slu_build *build, const struct slu_keyword *row,
                                const struct slu_value *value)
{
    /* The first of the keywords that is there does it for all. */
    for (const struct slu_keyword *before = &slu_keywords[SLU_KEYWORD_REQUIRED]; before < row;
         before++)
        if (build->values[before - slu_keywords] != NULL)
            return;
    struct object *object = compile_object(build);
    if (object != NULL)
        slu_build_op(build, row, value)->data = object;
}

/* ── judge ───────────────────────────────────────────────────────────────────────────────────── */

static inline bool was_found(const uint64_t *found, const struct slu_property *property)
{
    return (found[property->word] & property->mask) != 0;
}

/* A member beyond the plain case: not declared, or of an object with patterns, or somebody asks what
 * was looked at. `property`: its entry, or NULL. */
static __attribute__((noinline)) bool judge_member(struct slu_run *run, const struct object *object,
                                                   const struct slu_property *property,
                                                   const struct slu_value *key,
                                                   struct slu_seen *seen, size_t ordinal)
{
    bool known = property != NULL && property->node != NULL;
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
static bool judge_members(struct slu_run *run, const struct object *object,
                          const struct slu_value *value, struct slu_seen *seen, uint64_t *found)
{
    const struct slu_property *guess = object->table.entries;
    const bool plain = object->plain && seen == NULL;
    const struct slu_value *key = slu_value_first(value);
    const size_t n = slu_value_len(value);
    bool holds = true, rising = true;

    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        const struct slu_property *property = guess;
        if (!slu_property_is_key(guess, key))
            property =
                slu_property_table_find_after(&object->table, &run->scratch->order, guess, key);
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

/* The same for the usual object: nothing asked of it but properties, no member of a member, at most 64
 * bits, the first pass. A member is two cells. */
static bool judge_flat(struct slu_run *run, const struct object *object,
                       const struct slu_value *value, uint64_t *found)
{
    const struct slu_property *guess = object->table.entries;
    const struct slu_value *const end = slu_value_next(value);
    uint64_t bits = 0;
    size_t falls = 0; /* keys that came before their turn, or are not declared */

    for (const struct slu_value *key = slu_value_first(value); key != end; key += 2) {
        const struct slu_property *property = guess;
        if (!slu_property_is_key(guess, key))
            property =
                slu_property_table_find_after(&object->table, &run->scratch->order, guess, key);
        if (__builtin_expect(property == NULL || property->node == NULL, 0)) {
            if (!judge_member(run, object, property, key, NULL, 0))
                return false;
            if (property == NULL) {
                falls++;
                continue;
            }
        } else if (!slu_run_node(run, property->node, key + 1, NULL)) {
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

static bool judge_required(struct slu_run *run, const struct object *object,
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

static bool judge_needs(struct slu_run *run, const struct object *object,
                        const struct dependency *dependency, const struct slu_value *value,
                        const uint64_t *found)
{
    bool holds = true;
    if (!slu_run_draw(run, 1 + dependency->n_needs / 2))
        return false;
    for (size_t i = 0; i < dependency->n_needs; i++) {
        const struct slu_property *need = &object->table.entries[dependency->needs[i]];
        if (was_found(found, need))
            continue;
        holds = slu_run_report_missing(run, &slu_keywords[SLU_KEYWORD_DEPENDENT_REQUIRED],
                                       slu_slice(need->name, need->len), value);
        if (!run->collect)
            return false;
    }
    return holds;
}

static bool judge_dependencies(struct slu_run *run, const struct object *object,
                               const struct slu_value *value, struct slu_seen *seen,
                               const uint64_t *found)
{
    bool holds = true;
    for (size_t i = 0; i < object->n_dependencies; i++) {
        const struct dependency *dependency = &object->dependencies[i];
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

static bool judge_object(struct slu_run *run, const struct object *object,
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
    const struct object *object = op->data;

    if (!slu_run_draw(run, 6 * slu_value_len(value)))
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
    slu_run_give(run, n_words);
    return holds;
}
