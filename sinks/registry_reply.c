/* registry_reply.c -- see registry_reply.h. */
#include "sinks/registry_reply.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VERSION_MAX    INT64_C(2147483647)
#define NAME_MAX_BYTES 1024

static int say_nonsense(struct slu_err *err, const char *what)
{
    return slu_err_set(err, SLU_ECORRUPT, "the registry's reply is not a schema registry's: %s",
                       what);
}

static json_t *parse(struct slu_slice json)
{
    return json_loadb(json.data != NULL ? json.data : "", json.len, JSON_REJECT_DUPLICATES, NULL);
}

/* ---- members ------------------------------------------------------------------------------------------- */

/* A text member into the arena. False: it is there and no text, has a NUL, is too long, or no memory. */
static bool read_text(const json_t *object, const char *key, size_t max, struct slu_arena *arena,
                      struct slu_slice *out)
{
    const json_t *member = json_object_get(object, key);

    *out = slu_slice(NULL, 0);
    if (member == NULL || json_is_null(member))
        return true;
    if (!json_is_string(member) || json_string_length(member) > max ||
        strlen(json_string_value(member)) != json_string_length(member))
        return false;
    *out = slu_slice(
        slu_arena_copy(arena, slu_slice(json_string_value(member), json_string_length(member))),
        json_string_length(member));
    return out->data != NULL;
}

/* A number member; `fallback` when it is not there. False: there, and not within its range. */
static bool read_number(const json_t *object, const char *key, int64_t min, int64_t max,
                        int64_t fallback, int64_t *out)
{
    const json_t *member = json_object_get(object, key);

    *out = fallback;
    if (member == NULL || json_is_null(member))
        return true;
    if (!json_is_integer(member) || json_integer_value(member) < min ||
        json_integer_value(member) > max)
        return false;
    *out = json_integer_value(member);
    return true;
}

const char *const slu_registry_type_names[SLU_REGISTRY_TYPES] = {
    [SLU_REGISTRY_AVRO] = "AVRO",
    [SLU_REGISTRY_JSON] = "JSON",
};

/* Absent means AVRO. */
static int read_type(const json_t *object, enum slu_registry_type *type, struct slu_err *err)
{
    const json_t *member = json_object_get(object, "schemaType");

    *type = SLU_REGISTRY_AVRO;
    if (member == NULL || json_is_null(member))
        return 0;
    if (!json_is_string(member))
        return say_nonsense(err, "its schemaType is no text");
    for (size_t i = 0; i < SLU_REGISTRY_TYPES; i++) {
        if (strcmp(json_string_value(member), slu_registry_type_names[i]) != 0)
            continue;
        *type = (enum slu_registry_type)i;
        return 0;
    }
    return slu_err_set(err, SLU_EINVAL,
                       "the schema is of type %.40s; only AVRO and JSON can be used",
                       json_string_value(member));
}

/* ---- references ----------------------------------------------------------------------------------------- */

static bool read_reference(const json_t *item, struct slu_arena *arena,
                           struct slu_registry_reference *reference)
{
    struct slu_slice name, subject;

    if (!json_is_object(item) || !read_text(item, "name", NAME_MAX_BYTES, arena, &name) ||
        !read_text(item, "subject", NAME_MAX_BYTES, arena, &subject) ||
        !read_text(item, "schema", SLU_REGISTRY_TEXT_MAX, arena, &reference->text) ||
        !read_number(item, "version", 1, VERSION_MAX, 0, &reference->version))
        return false;
    reference->name = name.data;
    reference->subject = subject.data;
    return name.len > 0 && subject.len > 0 && reference->version > 0;
}

static int read_references(const json_t *object, struct slu_arena *arena,
                           struct slu_registry_said *said, struct slu_err *err)
{
    const json_t *list = json_object_get(object, "references");

    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return say_nonsense(err, "its references are no list");
    if (json_array_size(list) > SLU_REGISTRY_REFERENCE_MAX)
        return slu_err_set(err, SLU_EINVAL, "the schema has more than %d references",
                           SLU_REGISTRY_REFERENCE_MAX);
    said->references =
        slu_arena_array(arena, json_array_size(list) + 1, sizeof(said->references[0]));
    if (said->references == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a schema's references");
    for (size_t i = 0; i < json_array_size(list); i++, said->n_references++)
        if (!read_reference(json_array_get(list, i), arena, &said->references[i]))
            return say_nonsense(err, "one of its references has no name, subject or version");
    return 0;
}

/* ---- replies ---------------------------------------------------------------------------------------------- */

static int read_said(const json_t *object, struct slu_arena *arena, struct slu_registry_said *said,
                     struct slu_err *err)
{
    struct slu_slice subject;

    if (!json_is_object(object))
        return say_nonsense(err, "it is no JSON object");
    if (!read_number(object, "id", 0, SLU_REGISTRY_ID_MAX, -1, &said->id))
        return say_nonsense(err, "its id is no number of 0 to 4294967295");
    if (!read_number(object, "version", 1, VERSION_MAX, 0, &said->version))
        return say_nonsense(err, "its version is no number from 1 on");
    if (read_type(object, &said->type, err) != 0)
        return -1;
    if (!read_text(object, "subject", NAME_MAX_BYTES, arena, &subject) ||
        !read_text(object, "schema", SLU_REGISTRY_TEXT_MAX, arena, &said->text))
        return say_nonsense(err, "its subject or schema is no text, or too long");
    if (said->text.len == 0)
        return say_nonsense(err, "it has no schema");
    said->subject = subject.data;
    return read_references(object, arena, said, err);
}

int slu_registry_read_schema(struct slu_slice json, struct slu_arena *arena,
                             struct slu_registry_said *said, struct slu_err *err)
{
    json_t *root = parse(json);

    *said = (struct slu_registry_said){.id = -1};
    const int result = read_said(root, arena, said, err);
    json_decref(root);
    return result;
}

int slu_registry_read_id(struct slu_slice json, int64_t *id, struct slu_err *err)
{
    json_t *root = parse(json);
    const bool good = read_number(root, "id", 0, SLU_REGISTRY_ID_MAX, -1, id) && *id >= 0;

    json_decref(root);
    return good ? 0 : say_nonsense(err, "it has no id of 0 to 4294967295");
}

/* Keep `version` among the highest `max`, ascending. */
static void keep_version(int64_t *versions, size_t max, size_t *n, int64_t version)
{
    size_t at = *n;

    while (at > 0 && versions[at - 1] > version)
        at--;
    if (max == 0 || (at > 0 && versions[at - 1] == version) || (*n == max && at == 0))
        return;
    if (*n == max) { /* the lowest goes */
        at--;
        memmove(versions, versions + 1, at * sizeof(versions[0]));
    } else {
        memmove(versions + at + 1, versions + at, (*n - at) * sizeof(versions[0]));
        (*n)++;
    }
    versions[at] = version;
}

int slu_registry_read_versions(struct slu_slice json, int64_t *versions, size_t max, size_t *n,
                               struct slu_err *err)
{
    json_t *root = parse(json);
    bool good = json_is_array(root);

    *n = 0;
    for (size_t i = 0; good && i < json_array_size(root); i++) {
        const json_t *item = json_array_get(root, i);
        good = json_is_integer(item) && json_integer_value(item) >= 1 &&
               json_integer_value(item) <= VERSION_MAX;
        if (good)
            keep_version(versions, max, n, json_integer_value(item));
    }
    json_decref(root);
    return good ? 0 : say_nonsense(err, "it is no list of versions");
}

int slu_registry_read_compatible(struct slu_slice json, bool *compatible, char *why,
                                 size_t why_size, struct slu_err *err)
{
    json_t *root = parse(json);
    const json_t *verdict = json_object_get(root, "is_compatible");
    const json_t *messages = json_object_get(root, "messages");
    const bool good = json_is_boolean(verdict);
    size_t at = 0;

    why[0] = '\0';
    *compatible = json_is_true(verdict);
    for (size_t i = 0; i < json_array_size(messages) && at + 1 < why_size; i++) {
        const char *message = json_string_value(json_array_get(messages, i));
        const int n = message == NULL
                          ? 0
                          : snprintf(why + at, why_size - at, "%s%s", at > 0 ? "; " : "", message);
        at += n > 0 ? (size_t)n : 0;
    }
    json_decref(root);
    return good ? 0 : say_nonsense(err, "it does not say is_compatible");
}

int slu_registry_read_error(struct slu_slice json, char *message, size_t message_size)
{
    json_t *root = parse(json);
    const char *text = json_string_value(json_object_get(root, "message"));
    int64_t code;

    if (!read_number(root, "error_code", 1, 99999, 0, &code))
        code = 0;
    snprintf(message, message_size, "%s", text != NULL && code != 0 ? text : "");
    json_decref(root);
    return (int)code;
}

bool slu_registry_is_list(struct slu_slice json)
{
    json_t *root = parse(json);
    const bool is_list = json_is_array(root);

    json_decref(root);
    return is_list;
}

/* ---- what the registry and the cache are told ------------------------------------------------------------- */

static char *dump(json_t *root)
{
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;

    json_decref(root);
    return text;
}

static json_t *text_value(struct slu_slice text)
{
    return json_stringn(text.data != NULL ? text.data : "", text.len);
}

char *slu_registry_write_schema(enum slu_registry_type type, struct slu_slice text)
{
    json_t *root = json_object();

    json_object_set_new(root, "schema", text_value(text));
    if (type != SLU_REGISTRY_AVRO)
        json_object_set_new(root, "schemaType", json_string(slu_registry_type_names[type]));
    if (json_object_get(root, "schema") == NULL) {
        json_decref(root);
        return NULL;
    }
    return dump(root);
}

static json_t *reference_value(const struct slu_registry_reference *reference)
{
    json_t *item = json_object();

    json_object_set_new(item, "name", json_string(reference->name));
    json_object_set_new(item, "subject", json_string(reference->subject));
    json_object_set_new(item, "version", json_integer(reference->version));
    json_object_set_new(item, "schema", text_value(reference->text));
    return item;
}

char *slu_registry_write_entry(const char *key, const struct slu_registry_schema *schema)
{
    json_t *root = json_object(), *references = json_array();

    json_object_set_new(root, "key", json_string(key));
    json_object_set_new(root, "id", json_integer(schema->id));
    if (schema->subject[0] != '\0')
        json_object_set_new(root, "subject", json_string(schema->subject));
    if (schema->version > 0)
        json_object_set_new(root, "version", json_integer(schema->version));
    json_object_set_new(root, "schemaType", json_string(slu_registry_type_names[schema->type]));
    json_object_set_new(root, "schema", text_value(schema->text));
    for (size_t i = 0; i < schema->n_references; i++)
        json_array_append_new(references, reference_value(&schema->references[i]));
    json_object_set_new(root, "references", references);
    return dump(root);
}

const char *slu_registry_read_key(struct slu_slice json, struct slu_arena *arena)
{
    json_t *root = parse(json);
    struct slu_slice key = {0};

    if (!read_text(root, "key", 2 * NAME_MAX_BYTES + SLU_REGISTRY_TEXT_MAX, arena, &key))
        key.data = NULL;
    json_decref(root);
    return key.data;
}
