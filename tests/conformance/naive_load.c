/* naive_load.c -- which schemas have URIs and anchors of their own, and where references lead.
 *
 * A document is walked along the keywords that hold schemas, and along these only: an $id in an enum
 * or in a word nobody knows is no $id (JSON Schema core §9.4.2).
 */
#include "tests/conformance/naive_inside.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What a schema is called that has no URI. */
#define NO_URI "naive:/schema"

const char *const naive_draft_uris[NAIVE_DRAFTS] = {
    "http://json-schema.org/draft-04/schema",       "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",       "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
};

enum holds { ONE, LIST, ONE_OR_LIST, MAP };

static const struct {
    const char *keyword;
    enum naive_draft first, last;
    enum holds holds;
} holders[] = {
    {"definitions", NAIVE_4, NAIVE_2020, MAP},
    {"$defs", NAIVE_2019, NAIVE_2020, MAP},
    {"properties", NAIVE_4, NAIVE_2020, MAP},
    {"patternProperties", NAIVE_4, NAIVE_2020, MAP},
    {"additionalProperties", NAIVE_4, NAIVE_2020, ONE},
    {"propertyNames", NAIVE_6, NAIVE_2020, ONE},
    {"dependencies", NAIVE_4, NAIVE_2020, MAP},
    {"dependentSchemas", NAIVE_2019, NAIVE_2020, MAP},
    {"items", NAIVE_4, NAIVE_2019, ONE_OR_LIST},
    {"items", NAIVE_2020, NAIVE_2020, ONE},
    {"additionalItems", NAIVE_4, NAIVE_2019, ONE},
    {"prefixItems", NAIVE_2020, NAIVE_2020, LIST},
    {"contains", NAIVE_6, NAIVE_2020, ONE},
    {"allOf", NAIVE_4, NAIVE_2020, LIST},
    {"anyOf", NAIVE_4, NAIVE_2020, LIST},
    {"oneOf", NAIVE_4, NAIVE_2020, LIST},
    {"not", NAIVE_4, NAIVE_2020, ONE},
    {"if", NAIVE_7, NAIVE_2020, ONE},
    {"then", NAIVE_7, NAIVE_2020, ONE},
    {"else", NAIVE_7, NAIVE_2020, ONE},
    {"unevaluatedItems", NAIVE_2019, NAIVE_2020, ONE},
    {"unevaluatedProperties", NAIVE_2019, NAIVE_2020, ONE},
    {"contentSchema", NAIVE_2019, NAIVE_2020, ONE},
};

static bool uses(const struct slu_value *vocabularies, const char *draft, const char *name)
{
    char uri[128];
    snprintf(uri, sizeof(uri), "https://json-schema.org/draft/%s/vocab/%s", draft, name);
    return vocabularies == NULL || naive_member(vocabularies, uri) != NULL;
}

/* The dialect that $schema names; false: unknown. */
static bool dialect_named(const struct naive *naive, struct slu_slice name, unsigned depth,
                          struct naive_dialect *dialect)
{
    if (name.len != 0 && name.data[name.len - 1] == '#')
        name.len--;
    for (int draft = 0; draft < NAIVE_DRAFTS; draft++) {
        if (slu_slice_equal(name, slu_slice_of(naive_draft_uris[draft]))) {
            *dialect = (struct naive_dialect){(enum naive_draft)draft, true, true, true};
            return true;
        }
    }
    char uri[1024];
    if (depth == 0 || name.len >= sizeof(uri))
        return false;
    memcpy(uri, name.data, name.len);
    uri[name.len] = '\0';
    const size_t found = naive_resource_named(naive, uri);
    if (found == NAIVE_NONE)
        return false;
    const struct slu_value *meta = naive->resources[found].root;
    const struct slu_value *above = naive_member(meta, "$schema");
    if (!naive_is(above, SLU_VALUE_STRING) ||
        !dialect_named(naive, slu_value_text(above), depth - 1, dialect))
        return false;
    if (dialect->draft < NAIVE_2019)
        return true;
    const struct slu_value *words = naive_member(meta, "$vocabulary");
    const char *draft = dialect->draft == NAIVE_2019 ? "2019-09" : "2020-12";
    dialect->validation = uses(words, draft, "validation");
    dialect->applicator = uses(words, draft, "applicator");
    dialect->unevaluated = uses(words, draft, "unevaluated");
    if (dialect->draft == NAIVE_2019)
        dialect->unevaluated = dialect->applicator;
    return true;
}

size_t naive_resource_at(const struct naive *naive, const struct slu_value *root)
{
    for (size_t i = naive->n_resources; i-- > 0;) {
        if (naive->resources[i].root == root)
            return i;
    }
    return NAIVE_NONE;
}

size_t naive_resource_named(const struct naive *naive, const char *uri)
{
    for (size_t i = naive->n_resources; i-- > 0;) {
        if (strcmp(naive->resources[i].uri, uri) == 0)
            return naive_resource_at(naive, naive->resources[i].root);
    }
    return NAIVE_NONE;
}

const struct naive_anchor *naive_anchor_find(const struct naive *naive, size_t resource,
                                             struct slu_slice name)
{
    for (size_t i = 0; i < naive->n_anchors; i++) {
        if (naive->anchors[i].resource == resource && slu_slice_equal(naive->anchors[i].name, name))
            return &naive->anchors[i];
    }
    return NULL;
}

static size_t add_resource(struct naive *naive, const char *uri, const struct slu_value *root,
                           const struct naive_dialect *dialect)
{
    if (naive->n_resources == NAIVE_MAX_RESOURCES)
        abort();
    naive->resources[naive->n_resources] = (struct naive_resource){uri, root, *dialect};
    return naive->n_resources++;
}

static void add_anchor(struct naive *naive, size_t resource, struct slu_slice name,
                       const struct slu_value *target, bool dynamic)
{
    if (naive->n_anchors == NAIVE_MAX_ANCHORS)
        abort();
    naive->anchors[naive->n_anchors++] = (struct naive_anchor){resource, name, target, dynamic};
}

static bool scan(struct naive *naive, const struct slu_value *schema, size_t resource);

/* The schema's own URI, if it has one: the resource that its inside belongs to. */
static bool enter(struct naive *naive, const struct slu_value *schema, size_t *resource)
{
    struct naive_dialect dialect = naive->resources[*resource].dialect;
    const char *base = naive->resources[*resource].uri;
    const bool is_root = naive->resources[*resource].root == schema;
    const struct slu_value *named = naive_member(schema, "$schema");
    const bool has_id = naive_is(naive_member(schema, "$id"), SLU_VALUE_STRING) ||
                        naive_is(naive_member(schema, "id"), SLU_VALUE_STRING);

    if (naive_is(named, SLU_VALUE_STRING) && (is_root || has_id)) {
        if (!dialect_named(naive, slu_value_text(named), 8, &dialect))
            return false;
        if (is_root)
            naive->resources[*resource].dialect = dialect;
    }
    const struct slu_value *id = naive_member(schema, dialect.draft == NAIVE_4 ? "id" : "$id");
    if (dialect.draft <= NAIVE_7 && naive_member(schema, "$ref") != NULL)
        id = NULL; /* what stands beside $ref is not looked at */
    if (naive_is(id, SLU_VALUE_STRING)) {
        const struct slu_slice text = slu_value_text(id);
        char *uri = naive_uri_resolve(naive->arena, base, text);
        char *hash = strchr(uri, '#');
        if (hash != NULL)
            *hash++ = '\0';
        if (text.len == 0 || text.data[0] != '#')
            *resource = add_resource(naive, uri, schema, &dialect);
        if (hash != NULL && *hash != '\0' && dialect.draft <= NAIVE_7)
            add_anchor(naive, *resource, slu_slice_of(hash), schema, false);
    }
    return true;
}

static bool scan_all(struct naive *naive, const struct slu_value *container, size_t resource)
{
    const bool map = slu_value_kind(container) == SLU_VALUE_OBJECT;
    const struct slu_value *at = slu_value_first(container);
    for (size_t i = 0; i < slu_value_len(container); i++, at = slu_value_next(at + map)) {
        if (!scan(naive, at + map, resource))
            return false;
    }
    return true;
}

static bool scan(struct naive *naive, const struct slu_value *schema, size_t resource)
{
    if (!naive_is(schema, SLU_VALUE_OBJECT))
        return true;
    if (!enter(naive, schema, &resource))
        return false;
    const enum naive_draft draft = naive->resources[resource].dialect.draft;
    const struct slu_value *anchor = naive_member(schema, "$anchor");
    if (draft >= NAIVE_2019 && naive_is(anchor, SLU_VALUE_STRING))
        add_anchor(naive, resource, slu_value_text(anchor), schema, false);
    anchor = naive_member(schema, "$dynamicAnchor");
    if (draft >= NAIVE_2020 && naive_is(anchor, SLU_VALUE_STRING))
        add_anchor(naive, resource, slu_value_text(anchor), schema, true);

    for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++) {
        const struct slu_value *value = naive_member(schema, holders[i].keyword);
        if (value == NULL || draft < holders[i].first || draft > holders[i].last)
            continue;
        const bool one = holders[i].holds == ONE ||
                         (holders[i].holds == ONE_OR_LIST && !naive_is(value, SLU_VALUE_ARRAY));
        if (!one && !slu_value_is_container(value))
            continue;
        if (one ? !scan(naive, value, resource) : !scan_all(naive, value, resource))
            return false;
    }
    return true;
}

static bool load(struct naive *naive, const char *uri, const struct slu_value *root)
{
    const size_t n_resources = naive->n_resources, n_anchors = naive->n_anchors;
    const struct naive_dialect dialect = {naive->draft, true, true, true};
    const size_t resource =
        add_resource(naive, slu_arena_copy(naive->arena, slu_slice_of(*uri != '\0' ? uri : NO_URI)),
                     root, &dialect);
    if (scan(naive, root, resource))
        return true;
    naive->n_resources = n_resources;
    naive->n_anchors = n_anchors;
    return false;
}

struct naive *naive_new(enum naive_draft draft)
{
    struct naive *naive = calloc(1, sizeof(*naive));
    if (naive == NULL)
        abort();
    naive->draft = draft;
    slu_arena_init(&naive->kept, 64u << 20);
    slu_arena_init(&naive->opened, 64u << 20);
    return naive;
}

void naive_free(struct naive *naive)
{
    slu_arena_fini(&naive->kept);
    slu_arena_fini(&naive->opened);
    free(naive);
}

bool naive_add(struct naive *naive, const char *uri, const struct slu_value *root)
{
    naive->arena = &naive->kept;
    const bool known = load(naive, uri, root);
    naive->kept_resources = naive->n_resources;
    naive->kept_anchors = naive->n_anchors;
    return known;
}

bool naive_open(struct naive *naive, const struct slu_value *schema)
{
    slu_arena_fini(&naive->opened);
    slu_arena_init(&naive->opened, 64u << 20);
    naive->arena = &naive->opened;
    naive->n_resources = naive->kept_resources;
    naive->n_anchors = naive->kept_anchors;
    naive->schema = schema;
    return load(naive, "", schema);
}

/* "a~1b" as "a/b", in place. */
static void unescape(char *token)
{
    char *out = token;
    for (const char *in = token; *in != '\0'; in++) {
        const bool escaped = *in == '~' && (in[1] == '0' || in[1] == '1');
        *out++ = escaped ? (*++in == '0' ? '~' : '/') : *in;
    }
    *out = '\0';
}

static const struct slu_value *item_at(const struct slu_value *array, const char *index)
{
    char *end;
    const unsigned long n = strtoul(index, &end, 10);
    if (*end != '\0' || end == index || n >= slu_value_len(array))
        return NULL;
    const struct slu_value *item = slu_value_first(array);
    for (unsigned long i = 0; i < n; i++)
        item = slu_value_next(item);
    return item;
}

/* Along a JSON Pointer; the resource changes where a schema with its own URI is passed. */
static void follow(const struct naive *naive, char *pointer, struct naive_target *target)
{
    while (target->schema != NULL && *pointer == '/') {
        char *token = pointer + 1, *end = strchr(token, '/');
        char saved = end != NULL ? *end : '\0';
        pointer = end != NULL ? end : token + strlen(token);
        *pointer = '\0';
        char *next = pointer;
        unescape(token);
        target->schema =
            naive_is(target->schema, SLU_VALUE_OBJECT)  ? naive_member(target->schema, token)
            : naive_is(target->schema, SLU_VALUE_ARRAY) ? item_at(target->schema, token)
                                                        : NULL;
        *next = saved;
        const size_t own =
            target->schema != NULL ? naive_resource_at(naive, target->schema) : NAIVE_NONE;
        target->resource = own != NAIVE_NONE ? own : target->resource;
    }
}

struct naive_target naive_resolve(struct naive *naive, struct slu_arena *arena, size_t from,
                                  struct slu_slice reference)
{
    struct naive_target target = {NULL, 0, NULL};
    char *uri = naive_uri_resolve(arena, naive->resources[from].uri, reference);
    char *fragment = strchr(uri, '#');
    if (fragment != NULL)
        *fragment++ = '\0';
    target.resource = naive_resource_named(naive, uri);
    if (target.resource == NAIVE_NONE)
        return target;
    target.schema = naive->resources[target.resource].root;
    if (fragment == NULL || *fragment == '\0')
        return target;
    fragment = naive_percent_decode(arena, fragment);
    if (*fragment == '/') {
        follow(naive, fragment, &target);
    } else {
        target.anchor = naive_anchor_find(naive, target.resource, slu_slice_of(fragment));
        target.schema = target.anchor != NULL ? target.anchor->target : NULL;
    }
    return target;
}
