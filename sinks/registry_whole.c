/* registry_whole.c -- see registry_whole.h. The schema is walked in the order in which an Avro reader meets
 * names; the first time it meets the name of a reference, that one's definition takes its place. */
#include "sinks/registry_whole.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX     128
#define FULL_NAME_MAX 1024
#define WHOLE_MAX     ((size_t)4 << 20)

struct whole {
    const struct slu_registry_schema *schema;
    bool written[SLU_REGISTRY_REFERENCE_MAX]; /* that reference has its place */
    struct slu_err *err;
};

/* The type at `place` may be replaced: what it becomes is returned, a new reference; NULL and err. */
static json_t *walk(struct whole *whole, json_t *type, const char *space, unsigned depth);

static void *fail(struct whole *whole, const char *what)
{
    slu_err_set(whole->err, SLU_EINVAL, "the schema's references cannot be put together: %s", what);
    return NULL;
}

/* "Unit" in namespace plant: "plant.Unit". A name with a dot is whole already. */
static void full_name(const char *name, const char *space, char out[FULL_NAME_MAX])
{
    if (strchr(name, '.') != NULL || space[0] == '\0')
        snprintf(out, FULL_NAME_MAX, "%s", name);
    else
        snprintf(out, FULL_NAME_MAX, "%s.%s", space, name);
}

/* The namespace that a named type's members live in. */
static void space_of(const json_t *type, const char *space, char out[FULL_NAME_MAX])
{
    const char *name = json_string_value(json_object_get(type, "name"));
    const char *own = json_string_value(json_object_get(type, "namespace"));
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;

    if (dot != NULL)
        snprintf(out, FULL_NAME_MAX, "%.*s", (int)(dot - name), name);
    else
        snprintf(out, FULL_NAME_MAX, "%s", own != NULL ? own : space);
}

/* The place of the reference that `name` means; -1: none. A name without a dot may also mean the type
 * without a namespace. */
static int reference_named(const struct whole *whole, const char *name, const char *space)
{
    char full[FULL_NAME_MAX];

    full_name(name, space, full);
    for (size_t i = 0; i < whole->schema->n_references; i++)
        if (strcmp(whole->schema->references[i].name, full) == 0)
            return (int)i;
    return -1;
}

/* The definition of a reference, so that its name does not depend on where it stands. */
static json_t *write_out(struct whole *whole, size_t i, unsigned depth)
{
    const struct slu_slice text = whole->schema->references[i].text;
    json_t *type = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);

    whole->written[i] = true;
    if (!json_is_object(type)) {
        json_decref(type);
        return fail(whole, "a reference is no named type");
    }
    const char *name = json_string_value(json_object_get(type, "name"));
    if (name != NULL && strchr(name, '.') == NULL && json_object_get(type, "namespace") == NULL)
        json_object_set_new(type, "namespace", json_string(""));
    json_t *made = walk(whole, type, "", depth);
    json_decref(type);
    return made;
}

/* Walk the type that is member `key` of `object`. */
static bool walk_member(struct whole *whole, json_t *object, const char *key, const char *space,
                        unsigned depth)
{
    json_t *member = json_object_get(object, key);
    json_t *made = member != NULL ? walk(whole, member, space, depth) : NULL;

    if (made == NULL)
        return member == NULL; /* the compiler tells what is missing */
    return json_object_set_new(object, key, made) == 0;
}

static bool walk_fields(struct whole *whole, json_t *type, const char *space, unsigned depth)
{
    json_t *fields = json_object_get(type, "fields");

    for (size_t i = 0; i < json_array_size(fields); i++)
        if (!walk_member(whole, json_array_get(fields, i), "type", space, depth))
            return false;
    return true;
}

static bool walk_object(struct whole *whole, json_t *type, const char *space, unsigned depth)
{
    const char *kind = json_string_value(json_object_get(type, "type"));
    char inner[FULL_NAME_MAX];

    if (kind == NULL) /* {"type": {…}} */
        return walk_member(whole, type, "type", space, depth);
    if (strcmp(kind, "array") == 0)
        return walk_member(whole, type, "items", space, depth);
    if (strcmp(kind, "map") == 0)
        return walk_member(whole, type, "values", space, depth);
    if (strcmp(kind, "enum") == 0 || strcmp(kind, "fixed") == 0)
        return true;
    if (strcmp(kind, "record") != 0 && strcmp(kind, "error") != 0)
        return walk_member(whole, type, "type", space, depth);
    space_of(type, space, inner);
    return walk_fields(whole, type, inner, depth);
}

static bool walk_union(struct whole *whole, json_t *type, const char *space, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(type); i++) {
        json_t *made = walk(whole, json_array_get(type, i), space, depth);
        if (made == NULL || json_array_set_new(type, i, made) != 0)
            return false;
    }
    return true;
}

static json_t *walk(struct whole *whole, json_t *type, const char *space, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return fail(whole, "it is nested too deep");
    if (json_is_string(type)) {
        const int i = reference_named(whole, json_string_value(type), space);
        if (i >= 0 && !whole->written[i])
            return write_out(whole, (size_t)i, depth + 1);
    }
    if ((json_is_object(type) && !walk_object(whole, type, space, depth + 1)) ||
        (json_is_array(type) && !walk_union(whole, type, space, depth + 1)))
        return NULL;
    return json_incref(type);
}

static struct slu_slice keep(struct whole *whole, const json_t *root, struct slu_arena *arena)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    const size_t len = text != NULL ? strlen(text) : 0;
    char *kept =
        text != NULL && len <= WHOLE_MAX ? slu_arena_copy(arena, slu_slice(text, len)) : NULL;

    free(text);
    if (kept == NULL)
        slu_err_set(whole->err, SLU_ENOMEM, "no memory for a schema with its references");
    return slu_slice(kept, kept != NULL ? len : 0);
}

struct slu_slice slu_registry_whole(const struct slu_registry_schema *schema,
                                    struct slu_arena *arena, struct slu_err *err)
{
    struct whole whole = {.schema = schema, .err = err};
    struct slu_slice text = schema->text;

    if (schema->n_references == 0) {
        text.data = slu_arena_copy(arena, text);
        if (text.data == NULL)
            slu_err_set(err, SLU_ENOMEM, "no memory for a schema");
        return text.data != NULL ? text : slu_slice(NULL, 0);
    }
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_t *made = root != NULL ? walk(&whole, root, "", 0) : fail(&whole, "it is no JSON");
    text = made != NULL ? keep(&whole, made, arena) : slu_slice(NULL, 0);
    if (made == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for a schema with its references");
    json_decref(made);
    json_decref(root);
    return text;
}
