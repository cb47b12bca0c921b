/* naive_apply.c -- keywords that apply schemas to properties and items. */
#include "tests/conformance/naive_inside.h"

static bool has(const struct slu_value *object, const struct slu_value *name)
{
    return slu_value_get(object, slu_value_text(name)) != NULL;
}

static bool has_all(const struct slu_value *object, const struct slu_value *names)
{
    const struct slu_value *name = slu_value_first(names);
    for (size_t i = 0; i < slu_value_len(names); i++, name = slu_value_next(name)) {
        if (!has(object, name))
            return false;
    }
    return true;
}

bool naive_required(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_OBJECT) || has_all(here->value, value);
}

bool naive_properties(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *key = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, key = slu_value_next(key + 1)) {
        const struct slu_value *schema = slu_value_get(value, slu_value_text(key));
        if (schema == NULL)
            continue;
        if (!naive_inside(here, schema, key + 1))
            return false;
        here->seen.members[i] = true;
    }
    return true;
}

bool naive_pattern_properties(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *name = slu_value_first(value);
    for (size_t p = 0; p < slu_value_len(value); p++, name = slu_value_next(name + 1)) {
        const struct slu_value *key = slu_value_first(here->value);
        for (size_t i = 0; i < slu_value_len(here->value); i++, key = slu_value_next(key + 1)) {
            if (!naive_matches(slu_value_text(name), slu_value_text(key), &here->run->gave_up))
                continue;
            if (!naive_inside(here, name + 1, key + 1))
                return false;
            here->seen.members[i] = true;
        }
    }
    return true;
}

/* Is it a name that `properties` or `patternProperties` beside us speak of? */
static bool is_declared(struct here *here, const struct slu_value *key)
{
    const struct slu_value *declared = naive_sibling(here, "properties");
    if (declared != NULL && has(declared, key))
        return true;
    const struct slu_value *patterns = naive_sibling(here, "patternProperties");
    if (patterns == NULL)
        return false;
    const struct slu_value *name = slu_value_first(patterns);
    for (size_t p = 0; p < slu_value_len(patterns); p++, name = slu_value_next(name + 1)) {
        if (naive_matches(slu_value_text(name), slu_value_text(key), &here->run->gave_up))
            return true;
    }
    return false;
}

bool naive_additional_properties(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *key = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, key = slu_value_next(key + 1)) {
        if (is_declared(here, key))
            continue;
        if (!naive_inside(here, value, key + 1))
            return false;
        here->seen.members[i] = true;
    }
    return true;
}

bool naive_property_names(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *key = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, key = slu_value_next(key + 1)) {
        if (!naive_inside(here, value, key))
            return false;
    }
    return true;
}

/* dependencies, dependentRequired, dependentSchemas: names or a schema, by the name of a property. */
bool naive_dependencies(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *name = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, name = slu_value_next(name + 1)) {
        const bool names = naive_is(name + 1, SLU_VALUE_ARRAY);
        if (has(here->value, name) &&
            !(names ? has_all(here->value, name + 1) : naive_in_place(here, name + 1)))
            return false;
    }
    return true;
}

bool naive_unevaluated_properties(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_OBJECT))
        return true;
    const struct slu_value *key = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, key = slu_value_next(key + 1)) {
        if (!here->seen.members[i] && !naive_inside(here, value, key + 1))
            return false;
        here->seen.members[i] = true;
    }
    return true;
}

/* The first items by a list of schemas, one each. */
static bool items_by_list(struct here *here, const struct slu_value *schemas)
{
    const struct slu_value *item = slu_value_first(here->value);
    const struct slu_value *schema = slu_value_first(schemas);
    const size_t n = slu_value_len(schemas);
    for (size_t i = 0; i < slu_value_len(here->value) && i < n; i++) {
        if (!naive_inside(here, schema, item))
            return false;
        here->seen.members[i] = true;
        item = slu_value_next(item);
        schema = slu_value_next(schema);
    }
    return true;
}

/* The items from number `first` on by one schema; with `unseen` only those not seen before. */
static bool items_from(struct here *here, const struct slu_value *schema, size_t first, bool unseen)
{
    const struct slu_value *item = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, item = slu_value_next(item)) {
        if (i < first || (unseen && here->seen.members[i]))
            continue;
        if (!naive_inside(here, schema, item))
            return false;
        here->seen.members[i] = true;
    }
    return true;
}

bool naive_prefix_items(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_ARRAY) || items_by_list(here, value);
}

bool naive_items(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_ARRAY))
        return true;
    if (here->dialect.draft <= NAIVE_2019)
        return naive_is(value, SLU_VALUE_ARRAY) ? items_by_list(here, value)
                                                : items_from(here, value, 0, false);
    const struct slu_value *prefix = naive_sibling(here, "prefixItems");
    return items_from(here, value, prefix != NULL ? slu_value_len(prefix) : 0, false);
}

bool naive_additional_items(struct here *here, const struct slu_value *value)
{
    const struct slu_value *list = naive_sibling(here, "items");
    return !naive_is(here->value, SLU_VALUE_ARRAY) || !naive_is(list, SLU_VALUE_ARRAY) ||
           items_from(here, value, slu_value_len(list), false);
}

bool naive_contains(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_ARRAY))
        return true;
    const bool bounded = here->dialect.draft >= NAIVE_2019 && here->dialect.validation;
    const struct slu_value *min = bounded ? naive_sibling(here, "minContains") : NULL;
    const struct slu_value *max = bounded ? naive_sibling(here, "maxContains") : NULL;
    const struct slu_value *item = slu_value_first(here->value);
    size_t count = 0;
    for (size_t i = 0; i < slu_value_len(here->value); i++, item = slu_value_next(item)) {
        if (!naive_inside(here, value, item))
            continue;
        count++;
        here->seen.members[i] = here->seen.members[i] || here->dialect.draft >= NAIVE_2020;
    }
    if (max != NULL && naive_compare_count(here, count, max) > 0)
        return false;
    return min != NULL ? naive_compare_count(here, count, min) >= 0 : count > 0;
}

bool naive_unevaluated_items(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_ARRAY) || items_from(here, value, 0, true);
}
