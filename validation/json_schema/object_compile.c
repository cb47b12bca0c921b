/* object_compile.c -- from an object's keywords to the one op that walks over its members, see object.h. */
#include "base/hash.h"
#include "validation/json_schema/compile.h"
#include "validation/json_schema/object.h"

static const enum slu_keyword_id dependencies[] = {
    SLU_KEYWORD_DEPENDENT_REQUIRED, SLU_KEYWORD_DEPENDENT_SCHEMAS, SLU_KEYWORD_DEPENDENCIES};

#define N_DEPENDENCIES (sizeof(dependencies) / sizeof(dependencies[0]))

/* Names on their way into the table. A name may come from several keywords, so they go through a
 * passing hash table of entry numbers. */
struct gathering {
    struct slu_build *build;
    struct slu_object *object;
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
    size_t n = list_len(build->values[SLU_KEYWORD_PROPERTIES], SLU_VALUE_OBJECT) +
               list_len(build->values[SLU_KEYWORD_REQUIRED], SLU_VALUE_ARRAY);
    for (size_t i = 0; i < N_DEPENDENCIES; i++) {
        const struct slu_value *value = build->values[dependencies[i]];
        const size_t n_triggers = list_len(value, SLU_VALUE_OBJECT);
        const struct slu_value *key = n_triggers != 0 ? slu_value_first(value) : NULL;
        for (size_t j = 0; j < n_triggers; j++, key = slu_value_next(key + 1))
            n += 1 + list_len(key + 1, SLU_VALUE_ARRAY);
    }
    return n;
}

static bool gathering_init(struct gathering *gathering, struct slu_build *build,
                           struct slu_object *object)
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

static void add_dependency(struct gathering *gathering, const struct slu_object_dependency *added)
{
    gathering->object->dependencies[gathering->object->n_dependencies++] = *added;
}

/* `key`: the trigger; its value are names. */
static void gather_needs(struct gathering *gathering, const struct slu_keyword *row,
                         const struct slu_value *key)
{
    struct slu_build *build = gathering->build;
    if (!slu_build_expect_names(build, row, key + 1))
        return;
    const size_t n = slu_value_len(key + 1);
    uint32_t *needs = slu_compile_alloc(build->compile, n + 1, sizeof(*needs));
    if (needs == NULL)
        return;
    const struct slu_value *name = slu_value_first(key + 1);
    for (size_t i = 0; i < n; i++, name = slu_value_next(name))
        needs[i] = gather_bit(gathering, name);
    add_dependency(gathering, &(struct slu_object_dependency){gather_bit(gathering, key), n, needs,
                                                              NULL, row});
}

/* dependentRequired: names; dependentSchemas: schemas; dependencies: both. */
static void gather_dependencies(struct gathering *gathering, enum slu_keyword_id id)
{
    struct slu_build *build = gathering->build;
    const struct slu_keyword *row = &slu_keywords[id];
    const struct slu_value *value = build->values[id];
    if (value == NULL || !slu_build_expect(build, row, value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        const bool names =
            id == SLU_KEYWORD_DEPENDENT_REQUIRED ||
            (id == SLU_KEYWORD_DEPENDENCIES && slu_value_kind(key + 1) == SLU_VALUE_ARRAY);
        if (names)
            gather_needs(gathering, row, key);
        else
            add_dependency(gathering, &(struct slu_object_dependency){
                                          gather_bit(gathering, key), 0, NULL,
                                          slu_build_in_place(build, key + 1), row});
    }
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

static void compile_patterns(struct slu_build *build, struct slu_object *object)
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
        object->patterns[i] = (struct slu_object_pattern){
            slu_build_regex(build, key), slu_compile_node(build->compile, key + 1)};
    object->n_patterns = slu_value_len(value);
}

static void compile_others(struct slu_build *build, struct slu_object *object)
{
    const struct slu_value *additional = build->values[SLU_KEYWORD_ADDITIONAL_PROPERTIES];
    const struct slu_value *names = build->values[SLU_KEYWORD_PROPERTY_NAMES];
    if (additional != NULL) {
        object->additional = slu_compile_node_or_flag(build->compile, additional);
        object->raw_additional = slu_compile_raw(build->compile, additional);
    }
    if (names != NULL) {
        object->names = slu_compile_node(build->compile, names);
        object->raw_names = slu_compile_raw(build->compile, names);
    }
}

static struct slu_object *compile_object(struct slu_build *build)
{
    struct slu_compile *compile = build->compile;
    struct slu_object *object = slu_compile_alloc(compile, 1, sizeof(*object));
    struct gathering gathering;
    if (object == NULL || !gathering_init(&gathering, build, object))
        return NULL;
    size_t most = 0;
    for (size_t i = 0; i < N_DEPENDENCIES; i++)
        most += list_len(build->values[dependencies[i]], SLU_VALUE_OBJECT);
    object->dependencies = slu_compile_alloc(compile, most + 1, sizeof(*object->dependencies));
    if (object->dependencies == NULL)
        return NULL;

    gather_properties(&gathering); /* first: their order is the guess */
    gather_required(&gathering);   /* second: theirs are the lowest bits */
    for (size_t i = 0; i < N_DEPENDENCIES; i++)
        gather_dependencies(&gathering, dependencies[i]);
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
    struct slu_object *object = compile_object(build);
    if (object != NULL)
        slu_build_op(build, row, value)->data = object;
}
