/* scan.c -- which subschemas have a name, before anything is compiled. Declared in compile.h.
 *
 *   {"$id": "https://plant/oven",             resource 0  https://plant/oven    2020-12
 *    "$defs": {"temp": {"$anchor": "t"},        anchor 0#t
 *              "unit": {"$id": "unit",        resource 1  https://plant/unit    draft 7
 *                       "$schema": "http://json-schema.org/draft-07/schema#"}}}
 *
 * The scan goes through every place where a subschema can stand (the rows' shapes). A resource may be
 * of another draft than the one around it, and then its words mean what they mean there. Up to draft 7
 * an $id that is a fragment only is an anchor, and one beside a $ref is nothing.
 */
#include "validation/json_schema/compile.h"

#include "base/hash.h"
#include "validation/json_schema/uri.h"

static uint64_t hash_of(struct slu_slice text)
{
    return slu_hash_bytes(0, text.data, text.len);
}

static struct slu_resource *resource_at(const struct slu_compile *compile, uint32_t index)
{
    return (struct slu_resource *)compile->resources.items + index;
}

uint32_t slu_scan_find(const struct slu_compile *compile, struct slu_slice uri)
{
    const struct slu_name *names = compile->names.items;
    const uint64_t hash = hash_of(uri);
    for (size_t i = 0; i < compile->names.n; i++)
        if (names[i].hash == hash && slu_slice_equal(names[i].uri, uri))
            return names[i].resource;
    return UINT32_MAX;
}

const struct slu_anchor *slu_scan_anchor(const struct slu_compile *compile, uint32_t resource,
                                         struct slu_slice name)
{
    const struct slu_anchor *anchors = compile->anchors.items;
    const uint64_t hash = hash_of(name);
    for (size_t i = 0; i < compile->anchors.n; i++)
        if (anchors[i].hash == hash && anchors[i].resource == resource &&
            slu_slice_equal(anchors[i].name, name))
            return &anchors[i];
    return NULL;
}

static uint32_t add_resource(struct slu_compile *compile, struct slu_slice uri,
                             const struct slu_value *root, struct slu_dialect dialect)
{
    struct slu_resource *resource = slu_list_add(compile, &compile->resources, sizeof(*resource));
    if (resource == NULL)
        return 0;
    *resource = (struct slu_resource){uri, root, dialect};
    return (uint32_t)(compile->resources.n - 1);
}

static void add_name(struct slu_compile *compile, struct slu_slice uri, uint32_t resource)
{
    struct slu_name *name = slu_list_add(compile, &compile->names, sizeof(*name));
    if (name != NULL)
        *name = (struct slu_name){uri, hash_of(uri), resource};
}

static void add_anchor(struct slu_compile *compile, const struct slu_value *schema,
                       const struct slu_value *at, struct slu_slice name, uint32_t resource,
                       bool dynamic)
{
    const struct slu_anchor *known = slu_scan_anchor(compile, resource, name);
    if (known != NULL && known->target != schema) {
        slu_compile_error(compile, at, "another subschema of this schema has the anchor \"%.*s\"",
                          (int)(name.len < 100 ? name.len : 100), name.data);
        return;
    }
    struct slu_anchor *anchor = slu_list_add(compile, &compile->anchors, sizeof(*anchor));
    if (anchor != NULL)
        *anchor = (struct slu_anchor){resource, name, hash_of(name), schema, dynamic};
}

static const struct slu_value *string_of(const struct slu_value *schema, const char *keyword)
{
    const struct slu_value *value = slu_value_get(schema, slu_slice_of(keyword));
    return value != NULL && slu_value_kind(value) == SLU_VALUE_STRING ? value : NULL;
}

/* The schema object's own URI: `resource` becomes what its inside belongs to. A root has a resource
 * already, which gets the URI. */
static void scan_id(struct slu_compile *compile, const struct slu_value *schema,
                    struct slu_dialect dialect, bool is_root, uint32_t *resource)
{
    const bool old = (dialect.draft & SLU_DRAFTS_TO_7) != 0;
    const struct slu_value *id = string_of(schema, dialect.draft == SLU_DRAFT_4 ? "id" : "$id");
    struct slu_slice rest, fragment;
    if (id == NULL || (old && string_of(schema, "$ref") != NULL))
        return;
    slu_uri_split(slu_value_text(id), &rest, &fragment);
    if (rest.len != 0) {
        const struct slu_slice base = resource_at(compile, *resource)->uri;
        const struct slu_slice uri = slu_uri_resolve(&compile->passing, base, rest);
        if (uri.data == NULL) {
            compile->no_memory = true;
            return;
        }
        const uint32_t known = slu_scan_find(compile, uri);
        if (known != UINT32_MAX && !(is_root && known == *resource)) {
            slu_compile_error(compile, id, "another schema has this $id already");
            return;
        }
        if (is_root)
            resource_at(compile, *resource)->uri = uri;
        else
            *resource = add_resource(compile, uri, schema, dialect);
        if (known == UINT32_MAX)
            add_name(compile, uri, *resource);
    }
    if (fragment.len != 0 && old)
        add_anchor(compile, schema, id, fragment, *resource, false);
    else if (fragment.len != 0)
        slu_compile_error(compile, id, "$id has a fragment; a name inside a schema is an $anchor");
}

/* What the words of `schema` mean: what its $schema says, at the root of a resource. */
static struct slu_dialect scan_dialect(struct slu_compile *compile, const struct slu_value *schema,
                                       bool is_root, struct slu_dialect outer)
{
    const struct slu_value *named = string_of(schema, "$schema");
    struct slu_dialect dialect = outer;
    if (named == NULL)
        return outer;
    if (is_root || string_of(schema, "$id") != NULL || string_of(schema, "id") != NULL)
        slu_dialect_read(compile, named, &dialect);
    else
        slu_compile_warn(
            compile, named - 1,
            "$schema asks for nothing: it goes to the root of a schema, or beside an $id");
    return dialect;
}

static void scan_anchors(struct slu_compile *compile, const struct slu_value *schema,
                         uint32_t resource)
{
    const struct slu_resource *own = resource_at(compile, resource);
    const unsigned draft = own->dialect.draft;
    const bool is_root = own->root == schema;
    const struct slu_value *anchor;

    anchor = draft == SLU_DRAFT_2020 ? string_of(schema, "$dynamicAnchor") : NULL;
    if (anchor != NULL)
        add_anchor(compile, schema, anchor, slu_value_text(anchor), resource, true);
    anchor = (draft & SLU_DRAFTS_FROM_2019) != 0 ? string_of(schema, "$anchor") : NULL;
    if (anchor != NULL)
        add_anchor(compile, schema, anchor, slu_value_text(anchor), resource, false);
    anchor = draft == SLU_DRAFT_2019 && is_root
                 ? slu_value_get(schema, SLU_SLICE("$recursiveAnchor"))
                 : NULL;
    if (anchor != NULL && slu_value_variant(anchor) == SLU_VALUE_TRUE)
        add_anchor(compile, schema, anchor, slu_slice("", 0), resource, true);
}

static void scan_inside(struct slu_compile *compile, const struct slu_value *value,
                        enum slu_shape_of shape, uint32_t resource)
{
    const enum slu_value_kind kind = slu_value_kind(value);
    const bool map = shape == SLU_SHAPE_SCHEMA_MAP || shape == SLU_SHAPE_SOME_MAP;
    if (shape == SLU_SHAPE_SCHEMA || (shape == SLU_SHAPE_EITHER && kind != SLU_VALUE_ARRAY)) {
        slu_scan(compile, value, resource);
        return;
    }
    if (kind != (map ? SLU_VALUE_OBJECT : SLU_VALUE_ARRAY))
        return;
    const struct slu_value *cell = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, cell = slu_value_next(cell)) {
        cell += map;
        if (shape != SLU_SHAPE_SOME_MAP || slu_value_kind(cell) != SLU_VALUE_ARRAY)
            slu_scan(compile, cell, resource);
    }
}

/* The dialect of a schema object, its URI, and what belongs to it: `resource`, or a new one. */
static uint32_t scan_identity(struct slu_compile *compile, const struct slu_value *cell,
                              uint32_t resource)
{
    const bool is_root = resource_at(compile, resource)->root == cell;
    const struct slu_dialect dialect =
        scan_dialect(compile, cell, is_root, resource_at(compile, resource)->dialect);
    if (is_root)
        resource_at(compile, resource)->dialect = dialect;
    scan_id(compile, cell, dialect, is_root, &resource);
    return resource;
}

/* Recursive as deep as the document is nested (SLU_COMPILE_MAX_DEPTH). */
void slu_scan(struct slu_compile *compile, const struct slu_value *cell, uint32_t resource)
{
    size_t index;
    const bool object = slu_value_kind(cell) == SLU_VALUE_OBJECT;
    if (slu_compile_notes(compile, cell, &index)->resources[index] != 0 || compile->no_memory)
        return;
    if (object)
        resource = scan_identity(compile, cell, resource);
    /* Asked for anew: a metaschema that was read has moved the notes. */
    slu_compile_notes(compile, cell, &index)->resources[index] = resource + 1;
    if (!object || compile->no_memory)
        return;
    scan_anchors(compile, cell, resource);
    const struct slu_dialect dialect = resource_at(compile, resource)->dialect;
    const struct slu_value *key = slu_value_first(cell);
    for (size_t i = 0; i < slu_value_len(cell); i++, key = slu_value_next(key + 1)) {
        const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), dialect);
        if (row != NULL && row->shape != SLU_SHAPE_NONE)
            scan_inside(compile, key + 1, (enum slu_shape_of)row->shape, resource);
    }
}

void slu_scan_root(struct slu_compile *compile, const struct slu_value *root, struct slu_slice uri,
                   enum slu_schema_draft draft)
{
    const uint32_t resource = add_resource(compile, uri, root, slu_dialect_of(compile, draft));
    if (uri.len != 0)
        add_name(compile, uri, resource);
    if (!compile->no_memory)
        slu_scan(compile, root, resource);
}
