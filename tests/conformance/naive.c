/* naive.c -- the keywords, each as its paragraph in the specification says.
 *
 *   judge(schema, instance, scope) ──▶ holds?  and which members or items of the instance were looked
 *                                      at by it (`seen`): the annotations that unevaluated* asks for
 *
 * A schema that holds hands what it has seen to the schema that applied it in place; one that fails
 * hands over nothing. The scope is the chain of resources that led here, for $dynamicRef and
 * $recursiveRef.
 */
#include "tests/conformance/naive_inside.h"

#include <stdlib.h>

#define MAX_DEPTH 150
#define MAX_STEPS 200000

static bool judge(struct run *run, const struct slu_value *schema, const struct scope *scope,
                  const struct slu_value *value, struct seen *seen);

static struct seen nothing_seen(struct run *run, const struct slu_value *value)
{
    struct seen seen = {NULL, slu_value_is_container(value) ? slu_value_len(value) : 0};
    seen.members = slu_arena_alloc(&run->arena, seen.n + 1);
    if (seen.members == NULL)
        abort();
    return seen;
}

/* A subschema for the same value: what it has seen counts if it holds. */
static bool in_place_from(struct here *here, const struct slu_value *schema,
                          const struct scope *scope)
{
    struct seen seen = nothing_seen(here->run, here->value);
    if (!judge(here->run, schema, scope, here->value, &seen))
        return false;
    for (size_t i = 0; i < seen.n; i++)
        here->seen.members[i] = here->seen.members[i] || seen.members[i];
    return true;
}

bool naive_in_place(struct here *here, const struct slu_value *schema)
{
    return in_place_from(here, schema, &here->scope);
}

bool naive_inside(struct here *here, const struct slu_value *schema, const struct slu_value *value)
{
    struct seen seen = nothing_seen(here->run, value);
    return judge(here->run, schema, &here->scope, value, &seen);
}

/* -- references -- */

static bool refer(struct here *here, const struct naive_target *target)
{
    if (target->schema == NULL) {
        here->run->gave_up = true;
        return true;
    }
    const struct scope scope = {&here->scope, target->resource};
    return in_place_from(here, target->schema, &scope);
}

static struct naive_target resolve(struct here *here, const struct slu_value *reference)
{
    return naive_resolve(here->run->naive, &here->run->arena, here->scope.resource,
                         slu_value_text(reference));
}

static bool ref(struct here *here, const struct slu_value *value)
{
    const struct naive_target target = resolve(here, value);
    return refer(here, &target);
}

/* 2020-12 core §8.2.3.2. */
static bool dynamic_ref(struct here *here, const struct slu_value *value)
{
    struct naive_target target = resolve(here, value);
    if (target.anchor == NULL || !target.anchor->dynamic)
        return refer(here, &target);
    const struct slu_slice name = target.anchor->name;
    for (const struct scope *scope = &here->scope; scope != NULL; scope = scope->outer) {
        const struct naive_anchor *anchor =
            naive_anchor_find(here->run->naive, scope->resource, name);
        if (anchor != NULL && anchor->dynamic)
            target = (struct naive_target){anchor->target, scope->resource, anchor};
    }
    return refer(here, &target);
}

static bool is_recursive(const struct here *here, size_t resource)
{
    const struct naive_resource *it = &here->run->naive->resources[resource];
    return it->dialect.draft == NAIVE_2019 && naive_is(it->root, SLU_VALUE_OBJECT) &&
           naive_is_true(naive_member(it->root, "$recursiveAnchor"));
}

/* 2019-09 core §8.2.4.2. */
static bool recursive_ref(struct here *here, const struct slu_value *value)
{
    struct naive_target target = resolve(here, value);
    if (target.schema == NULL || !is_recursive(here, target.resource))
        return refer(here, &target);
    for (const struct scope *scope = &here->scope; scope != NULL; scope = scope->outer) {
        if (is_recursive(here, scope->resource))
            target = (struct naive_target){here->run->naive->resources[scope->resource].root,
                                           scope->resource, NULL};
    }
    return refer(here, &target);
}

/* -- in place -- */

static size_t count_holding(struct here *here, const struct slu_value *schemas)
{
    const struct slu_value *schema = slu_value_first(schemas);
    size_t count = 0;
    for (size_t i = 0; i < slu_value_len(schemas); i++, schema = slu_value_next(schema))
        count += naive_in_place(here, schema);
    return count;
}

static bool all_of(struct here *here, const struct slu_value *value)
{
    return count_holding(here, value) == slu_value_len(value);
}

static bool any_of(struct here *here, const struct slu_value *value)
{
    return count_holding(here, value) > 0;
}

static bool one_of(struct here *here, const struct slu_value *value)
{
    return count_holding(here, value) == 1;
}

static bool not_this(struct here *here, const struct slu_value *value)
{
    return !naive_inside(here, value, here->value);
}

static bool if_then_else(struct here *here, const struct slu_value *value)
{
    const struct slu_value *branch =
        naive_sibling(here, naive_in_place(here, value) ? "then" : "else");
    return branch == NULL || naive_in_place(here, branch);
}

enum vocabulary { CORE, APPLICATOR, VALIDATION, UNEVALUATED };

/* In the order in which they may be run: unevaluated* see what all the others have seen. */
/* `dependencies` was taken out by 2019-09, whose metaschema keeps it for those who go on. */
static const struct {
    const char *name;
    enum naive_draft first, last;
    enum vocabulary vocabulary;
    naive_keyword *holds;
} keywords[] = {
    {"$ref", NAIVE_4, NAIVE_2020, CORE, ref},
    {"$recursiveRef", NAIVE_2019, NAIVE_2019, CORE, recursive_ref},
    {"$dynamicRef", NAIVE_2020, NAIVE_2020, CORE, dynamic_ref},
    {"type", NAIVE_4, NAIVE_2020, VALIDATION, naive_type},
    {"enum", NAIVE_4, NAIVE_2020, VALIDATION, naive_one_of_these},
    {"const", NAIVE_6, NAIVE_2020, VALIDATION, naive_constant},
    {"multipleOf", NAIVE_4, NAIVE_2020, VALIDATION, naive_multiple_of},
    {"maximum", NAIVE_4, NAIVE_2020, VALIDATION, naive_maximum},
    {"minimum", NAIVE_4, NAIVE_2020, VALIDATION, naive_minimum},
    {"exclusiveMaximum", NAIVE_6, NAIVE_2020, VALIDATION, naive_exclusive_maximum},
    {"exclusiveMinimum", NAIVE_6, NAIVE_2020, VALIDATION, naive_exclusive_minimum},
    {"maxLength", NAIVE_4, NAIVE_2020, VALIDATION, naive_max_length},
    {"minLength", NAIVE_4, NAIVE_2020, VALIDATION, naive_min_length},
    {"pattern", NAIVE_4, NAIVE_2020, VALIDATION, naive_pattern},
    {"maxItems", NAIVE_4, NAIVE_2020, VALIDATION, naive_max_items},
    {"minItems", NAIVE_4, NAIVE_2020, VALIDATION, naive_min_items},
    {"uniqueItems", NAIVE_4, NAIVE_2020, VALIDATION, naive_unique_items},
    {"maxProperties", NAIVE_4, NAIVE_2020, VALIDATION, naive_max_properties},
    {"minProperties", NAIVE_4, NAIVE_2020, VALIDATION, naive_min_properties},
    {"required", NAIVE_4, NAIVE_2020, VALIDATION, naive_required},
    {"dependentRequired", NAIVE_2019, NAIVE_2020, VALIDATION, naive_dependencies},
    {"dependencies", NAIVE_4, NAIVE_2020, APPLICATOR, naive_dependencies},
    {"dependentSchemas", NAIVE_2019, NAIVE_2020, APPLICATOR, naive_dependencies},
    {"properties", NAIVE_4, NAIVE_2020, APPLICATOR, naive_properties},
    {"patternProperties", NAIVE_4, NAIVE_2020, APPLICATOR, naive_pattern_properties},
    {"additionalProperties", NAIVE_4, NAIVE_2020, APPLICATOR, naive_additional_properties},
    {"propertyNames", NAIVE_6, NAIVE_2020, APPLICATOR, naive_property_names},
    {"prefixItems", NAIVE_2020, NAIVE_2020, APPLICATOR, naive_prefix_items},
    {"items", NAIVE_4, NAIVE_2020, APPLICATOR, naive_items},
    {"additionalItems", NAIVE_4, NAIVE_2019, APPLICATOR, naive_additional_items},
    {"contains", NAIVE_6, NAIVE_2020, APPLICATOR, naive_contains},
    {"allOf", NAIVE_4, NAIVE_2020, APPLICATOR, all_of},
    {"anyOf", NAIVE_4, NAIVE_2020, APPLICATOR, any_of},
    {"oneOf", NAIVE_4, NAIVE_2020, APPLICATOR, one_of},
    {"not", NAIVE_4, NAIVE_2020, APPLICATOR, not_this},
    {"if", NAIVE_7, NAIVE_2020, APPLICATOR, if_then_else},
    {"unevaluatedItems", NAIVE_2019, NAIVE_2020, UNEVALUATED, naive_unevaluated_items},
    {"unevaluatedProperties", NAIVE_2019, NAIVE_2020, UNEVALUATED, naive_unevaluated_properties},
};

static bool judge_keywords(struct here *here)
{
    const struct naive_dialect dialect = here->dialect;
    const bool in_use[] = {true, dialect.applicator, dialect.validation, dialect.unevaluated};
    const struct slu_value *reference = naive_sibling(here, "$ref");

    if (dialect.draft <= NAIVE_7 && naive_is(reference, SLU_VALUE_STRING))
        return ref(here, reference); /* "all other properties … MUST be ignored" */
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        const struct slu_value *value = naive_sibling(here, keywords[i].name);
        if (value != NULL && dialect.draft >= keywords[i].first &&
            dialect.draft <= keywords[i].last && in_use[keywords[i].vocabulary] &&
            !keywords[i].holds(here, value))
            return false;
    }
    return true;
}

static bool judge(struct run *run, const struct slu_value *schema, const struct scope *scope,
                  const struct slu_value *value, struct seen *seen)
{
    if (!naive_is(schema, SLU_VALUE_OBJECT))
        return naive_is_true(schema);
    if (run->gave_up || run->depth == MAX_DEPTH || run->steps == MAX_STEPS) {
        run->gave_up = true;
        return true;
    }
    run->steps++;
    run->depth++;
    struct here here = {run, schema, value, *scope, {NAIVE_4, true, true, true}, *seen};
    const size_t own = naive_resource_at(run->naive, schema);
    if (own != NAIVE_NONE && own != scope->resource)
        here.scope = (struct scope){scope, own};
    here.dialect = run->naive->resources[here.scope.resource].dialect;
    const bool holds = judge_keywords(&here);
    run->depth--;
    return holds;
}

enum naive_answer naive_judge(struct naive *naive, const struct slu_value *instance)
{
    struct run run = {.naive = naive};
    slu_arena_init(&run.arena, 256u << 20);
    const struct scope scope = {NULL, naive_resource_at(naive, naive->schema)};
    bool holds = naive_is_true(naive->schema);
    if (naive_is(naive->schema, SLU_VALUE_OBJECT)) {
        struct seen seen = nothing_seen(&run, instance);
        holds = judge(&run, naive->schema, &scope, instance, &seen);
    }
    slu_arena_fini(&run.arena);
    return run.gave_up ? NAIVE_GIVES_UP : holds ? NAIVE_HOLDS : NAIVE_FAILS;
}
