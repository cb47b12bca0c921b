/* resolve.c -- which subschema a reference means. Declared in compile.h.
 *
 *   {"$id": "https://plant/oven",             resource 0  https://plant/oven
 *    "$defs": {"temp": {"$anchor": "t"},        anchor 0#t
 *              "unit": {"$id": "unit"}}}      resource 1  https://plant/unit
 *
 * The scan goes through every place where a subschema can stand (the rows' shapes), before anything
 * is compiled. A reference is resolved against its resource's URI; what remains behind '#' is a JSON
 * Pointer from that resource's root, or an anchor. A pointer may lead to a place that is no subschema
 * by the table (under an unknown keyword): then it is scanned when it is first referred to.
 */
#include "validation/json_schema/compile.h"

#include "base/hash.h"
#include "validation/json_schema/uri.h"

static uint64_t hash_of(struct slu_slice text)
{
    return slu_hash_bytes(0, text.data, text.len);
}

static const struct slu_resource *resource_at(const struct slu_compile *compile, uint32_t index)
{
    return (const struct slu_resource *)compile->resources.items + index;
}

static uint32_t find_resource(const struct slu_compile *compile, struct slu_slice uri)
{
    const uint64_t hash = hash_of(uri);
    for (uint32_t i = 0; i < compile->resources.n; i++) {
        const struct slu_resource *resource = resource_at(compile, i);
        if (resource->hash == hash && slu_slice_equal(resource->uri, uri))
            return i;
    }
    return UINT32_MAX;
}

static const struct slu_anchor *find_anchor(const struct slu_compile *compile, uint32_t resource,
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
                             const struct slu_value *root)
{
    struct slu_resource *resource =
        slu_list_add(compile, &compile->resources, sizeof(struct slu_resource));
    if (resource == NULL)
        return 0;
    *resource = (struct slu_resource){uri, hash_of(uri), root};
    return (uint32_t)(compile->resources.n - 1);
}

/* The resource that `id` (a string) begins; `outer` when it begins none. */
static uint32_t scan_id(struct slu_compile *compile, const struct slu_value *schema,
                        const struct slu_value *id, uint32_t outer)
{
    struct slu_slice rest, fragment;
    slu_uri_split(slu_value_text(id), &rest, &fragment);
    if (fragment.len != 0) {
        slu_compile_error(compile, id, "$id has a fragment; a name inside a schema is an $anchor");
        return outer;
    }
    if (rest.len == 0)
        return outer;
    const struct slu_slice base =
        outer != UINT32_MAX ? resource_at(compile, outer)->uri : slu_slice("", 0);
    const struct slu_slice uri = slu_uri_resolve(&compile->passing, base, rest);
    if (uri.data == NULL) {
        compile->no_memory = true;
        return outer;
    }
    if (find_resource(compile, uri) != UINT32_MAX) {
        slu_compile_error(compile, id, "another schema has this $id already");
        return outer;
    }
    return add_resource(compile, uri, schema);
}

static void scan_anchor(struct slu_compile *compile, const struct slu_value *schema,
                        const struct slu_value *name, uint32_t resource, bool dynamic)
{
    const struct slu_slice text = slu_value_text(name);
    const struct slu_anchor *known = find_anchor(compile, resource, text);
    if (known != NULL && known->target != schema) {
        slu_compile_error(compile, name, "another subschema of this schema has the anchor \"%.*s\"",
                          (int)(text.len < 100 ? text.len : 100), text.data);
        return;
    }
    struct slu_anchor *anchor = slu_list_add(compile, &compile->anchors, sizeof(*anchor));
    if (anchor != NULL)
        *anchor = (struct slu_anchor){resource, text, hash_of(text), schema, dynamic};
}

static const struct slu_value *string_of(const struct slu_value *schema, const char *keyword)
{
    const struct slu_value *value = slu_value_get(schema, slu_slice_of(keyword));
    return value != NULL && slu_value_kind(value) == SLU_VALUE_STRING ? value : NULL;
}

static void scan_children(struct slu_compile *compile, const struct slu_value *value,
                          enum slu_shape_of shape, uint32_t resource)
{
    if (shape == SLU_SHAPE_SCHEMA) {
        slu_resolve_scan(compile, value, resource);
        return;
    }
    const bool map = shape == SLU_SHAPE_SCHEMA_MAP;
    if (slu_value_kind(value) != (map ? SLU_VALUE_OBJECT : SLU_VALUE_ARRAY))
        return;
    const struct slu_value *cell = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, cell = slu_value_next(cell)) {
        cell += map;
        slu_resolve_scan(compile, cell, resource);
    }
}

/* Recursive as deep as the document is nested (SLU_COMPILE_MAX_DEPTH). */
void slu_resolve_scan(struct slu_compile *compile, const struct slu_value *cell, uint32_t resource)
{
    size_t index;
    const size_t document = slu_compile_document(compile, cell, &index);
    uint32_t *note = &compile->notes[document].resources[index];
    if (*note != 0 || compile->no_memory)
        return;

    const bool object = slu_value_kind(cell) == SLU_VALUE_OBJECT;
    const struct slu_value *id = object ? string_of(cell, "$id") : NULL;
    if (id != NULL)
        resource = scan_id(compile, cell, id, resource);
    if (resource == UINT32_MAX)
        resource = add_resource(compile, slu_slice("", 0), cell);
    *note = resource + 1;
    if (!object)
        return;

    const struct slu_value *anchor = string_of(cell, "$dynamicAnchor");
    if (anchor != NULL)
        scan_anchor(compile, cell, anchor, resource, true);
    anchor = string_of(cell, "$anchor");
    if (anchor != NULL)
        scan_anchor(compile, cell, anchor, resource, false);

    const struct slu_value *key = slu_value_first(cell);
    for (size_t i = 0; i < slu_value_len(cell); i++, key = slu_value_next(key + 1)) {
        const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), SLU_DRAFT_2020);
        if (row != NULL && row->shape != SLU_SHAPE_NONE)
            scan_children(compile, key + 1, (enum slu_shape_of)row->shape, resource);
    }
}

static const struct slu_value *follow_pointer(struct slu_compile *compile,
                                              const struct slu_value *ref, uint32_t resource,
                                              struct slu_slice text)
{
    struct slu_pointer pointer;
    struct slu_err err = {0};
    if (slu_pointer_compile(text, &compile->passing, &pointer, &err) != 0) {
        slu_compile_error(compile, ref, "the reference's JSON Pointer: %s", err.text);
        return NULL;
    }
    const struct slu_value *found =
        slu_pointer_find(&pointer, resource_at(compile, resource)->root);
    if (found == NULL) {
        slu_compile_error(compile, ref, "the reference leads nowhere: there is no %.*s",
                          (int)(text.len < 200 ? text.len : 200), text.data);
        return NULL;
    }
    slu_resolve_scan(compile, found, resource);
    return found;
}

const struct slu_value *slu_resolve(struct slu_compile *compile, const struct slu_value *ref,
                                    uint32_t resource, const struct slu_anchor **anchor)
{
    struct slu_slice rest, fragment;
    slu_uri_split(slu_value_text(ref), &rest, &fragment);
    *anchor = NULL;

    if (rest.len != 0) {
        const struct slu_slice uri =
            slu_uri_resolve(&compile->passing, resource_at(compile, resource)->uri, rest);
        resource = uri.data != NULL ? find_resource(compile, uri) : UINT32_MAX;
        if (resource == UINT32_MAX) {
            slu_compile_error(compile, ref,
                              "the reference leads to a schema that is not here: %.*s",
                              (int)(uri.len < 200 ? uri.len : 200), uri.data);
            return NULL;
        }
    }
    const struct slu_slice decoded = slu_uri_decode(&compile->passing, fragment);
    if (decoded.data == NULL) {
        slu_compile_error(compile, ref, "the reference has a malformed %% in its fragment");
        return NULL;
    }
    if (decoded.len == 0)
        return resource_at(compile, resource)->root;
    if (decoded.data[0] == '/')
        return follow_pointer(compile, ref, resource, decoded);
    *anchor = find_anchor(compile, resource, decoded);
    if (*anchor != NULL)
        return (*anchor)->target;
    slu_compile_error(compile, ref, "the reference leads nowhere: there is no anchor \"%.*s\"",
                      (int)(decoded.len < 200 ? decoded.len : 200), decoded.data);
    return NULL;
}
