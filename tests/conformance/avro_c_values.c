/* avro_c_values.c -- see avro_c_values.h. Avro C's value is made anew for each body: kept, it would keep
 * memory by pointers that do not lie as LeakSanitizer expects, and a fuzz target would seem to leak.
 */
#include "tests/conformance/avro_c_inside.h"

#include "base/err.h"
#include "validation/payload/payload.h"

#include <stdlib.h>
#include <string.h>

const char *const avro_c_excuses[AVRO_C_EXCUSES] = {
    [AVRO_C_VALUE_OF_NO_BYTES] =
        "a fixed of no bytes, or an array of such or of records without fields: refused, as its "
        "malloc(0) is NULL and taken for no memory",
    [AVRO_C_KEY_WITH_ZERO] =
        "a map's key with U+0000: it ends there, as avro_value_add() takes no length",
};

struct avro_c_schema {
    struct slu_arena arena;
    struct slu_document *document;
    const struct meaning *meaning, *made; /* of the whole; and the latest of all */
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_reader_t reader;
};

/* ---- any value --------------------------------------------------------------------------------------- */

static bool same(const struct meaning *meaning, const struct slu_value *value, avro_value_t *theirs,
                 struct avro_c_answer *answer);

/* Are there as many members as Avro C has? */
static bool same_size(const struct slu_value *value, enum slu_value_kind kind, avro_value_t *theirs,
                      struct avro_c_answer *answer)
{
    size_t size = 0;
    avro_value_get_size(theirs, &size);
    if (slu_value_kind(value) == kind && slu_value_len(value) == size)
        return true;
    return avro_c_differ(answer, "Avro C has %zu members, Sluice %s of %zu", size,
                         slu_value_kind_name(value), slu_value_len(value));
}

static bool same_array(const struct meaning *meaning, const struct slu_value *value,
                       avro_value_t *theirs, struct avro_c_answer *answer)
{
    const struct slu_value *item = slu_value_first(value);
    if (!same_size(value, SLU_VALUE_ARRAY, theirs, answer))
        return false;
    for (size_t i = 0; i < slu_value_len(value); i++, item = slu_value_next(item)) {
        avro_value_t child;
        if (avro_value_get_by_index(theirs, i, &child, NULL) != 0)
            return avro_c_differ(answer, "Avro C has no item %zu", i);
        if (!same(meaning->parts[0], item, &child, answer))
            return avro_c_step_out(answer, slu_slice(NULL, 0), i);
    }
    return true;
}

static bool has_zero_in_key(const struct slu_value *object)
{
    const struct slu_value *key = slu_value_first(object);
    for (size_t i = 0; i < slu_value_len(object); i++, key = slu_value_next(key + 1))
        if (memchr(key->text, 0, slu_value_len(key)) != NULL)
            return true;
    return false;
}

/* Of records and maps the members are alike; only the keys' names come from elsewhere. */
static bool same_members(const struct meaning *meaning, const struct slu_value *value,
                         avro_value_t *theirs, struct avro_c_answer *answer)
{
    const bool record = meaning->type == MEANS_RECORD;
    const struct slu_value *key = slu_value_first(value);
    if (!record && slu_value_kind(value) == SLU_VALUE_OBJECT && has_zero_in_key(value)) {
        answer->excused[AVRO_C_KEY_WITH_ZERO] = true; /* of this map, all else is compared */
        return true;
    }
    if (!same_size(value, SLU_VALUE_OBJECT, theirs, answer))
        return false;
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        avro_value_t child;
        const char *name = NULL;
        if (avro_value_get_by_index(theirs, i, &child, &name) != 0)
            return avro_c_differ(answer, "Avro C has no member %zu", i);
        if (!avro_c_same_text(key, name, name != NULL ? strlen(name) : 0, answer) ||
            !same(meaning->parts[record ? i : 0], key + 1, &child, answer))
            return avro_c_step_out(answer, slu_value_text(key), 0);
    }
    return true;
}

/* What Avro C calls the types; of a reference it says what it refers to. */
static const avro_type_t their_types[MEANS_TYPES] = {
    [MEANS_NULL] = AVRO_NULL,     [MEANS_BOOLEAN] = AVRO_BOOLEAN, [MEANS_INT] = AVRO_INT32,
    [MEANS_LONG] = AVRO_INT64,    [MEANS_FLOAT] = AVRO_FLOAT,     [MEANS_DOUBLE] = AVRO_DOUBLE,
    [MEANS_BYTES] = AVRO_BYTES,   [MEANS_STRING] = AVRO_STRING,   [MEANS_FIXED] = AVRO_FIXED,
    [MEANS_ENUM] = AVRO_ENUM,     [MEANS_ARRAY] = AVRO_ARRAY,     [MEANS_MAP] = AVRO_MAP,
    [MEANS_RECORD] = AVRO_RECORD, [MEANS_UNION] = AVRO_UNION,
};

static bool same(const struct meaning *meaning, const struct slu_value *value, avro_value_t *theirs,
                 struct avro_c_answer *answer)
{
    avro_value_t branch;
    int number = -1;

    if (avro_value_get_type(theirs) != their_types[meaning->type])
        return avro_c_differ(answer, "Avro C has type %d where %s is meant",
                             avro_value_get_type(theirs), meaning_names[meaning->type]);
    switch (meaning->type) {
    case MEANS_ARRAY:
        return same_array(meaning, value, theirs, answer);
    case MEANS_RECORD:
    case MEANS_MAP:
        return same_members(meaning, value, theirs, answer);
    case MEANS_UNION:
        avro_value_get_discriminant(theirs, &number);
        if (number < 0 || (size_t)number >= meaning->n ||
            avro_value_get_current_branch(theirs, &branch) != 0)
            return avro_c_differ(answer, "Avro C has no branch: %d", number);
        return same(meaning->parts[number], value, &branch, answer);
    default:
        return avro_c_same_scalar(meaning, value, theirs, answer);
    }
}

/* ---- schemas and bodies ------------------------------------------------------------------------------ */

/* A value that Avro C keeps in no bytes of memory: a fixed of none, a record without fields, or of such. */
static bool is_nothing(const struct meaning *meaning, unsigned depth)
{
    bool nothing = meaning->type == MEANS_RECORD && depth > 0;
    for (size_t i = 0; i < meaning->n && nothing; i++)
        nothing = is_nothing(meaning->parts[i], depth - 1);
    return nothing || (meaning->type == MEANS_FIXED && meaning->size == 0);
}

/* What it says when it has asked for no bytes and takes the NULL for no memory. */
static bool is_about_nothing(const struct avro_c_schema *schema)
{
    const char *const says = avro_strerror();
    for (const struct meaning *at = schema->made; at != NULL; at = at->made)
        if ((at->type == MEANS_FIXED && at->size == 0 &&
             strcmp(says, "Cannot allocate new fixed value") == 0) ||
            (at->type == MEANS_ARRAY && is_nothing(at->parts[0], 64) &&
             strcmp(says, "Couldn't expand array") == 0))
            return true;
    return false;
}

static bool open_theirs(struct avro_c_schema *schema, struct slu_slice text)
{
    avro_set_error("%s", "");
    if (avro_schema_from_json_length(text.data, text.len, &schema->schema) != 0)
        return false;
    schema->class = avro_generic_class_from_schema(schema->schema);
    schema->reader = avro_reader_memory("", 0);
    return schema->class != NULL && schema->reader != NULL;
}

struct avro_c_schema *avro_c_open(struct slu_slice text, struct avro_c_answer *answer)
{
    struct avro_c_schema *schema = calloc(1, sizeof(*schema));
    struct slu_err err = {0};

    *answer = (struct avro_c_answer){.where = ""};
    if (schema == NULL)
        abort();
    slu_arena_init(&schema->arena, 64u << 20);
    schema->document = slu_document_parse(text, 256, &err);
    if (schema->document != NULL)
        schema->meaning = meaning_of(schema->document->root, &schema->arena, &schema->made);
    if (schema->meaning == NULL)
        avro_c_differ(answer, "the schema cannot be read naively");
    else if (open_theirs(schema, text))
        return schema;
    else
        avro_c_differ(answer, "Avro C does not take the schema: %s", avro_strerror());
    avro_c_close(schema);
    return NULL;
}

void avro_c_close(struct avro_c_schema *schema)
{
    if (schema == NULL)
        return;
    if (schema->reader != NULL)
        avro_reader_free(schema->reader);
    if (schema->class != NULL)
        avro_value_iface_decref(schema->class);
    if (schema->schema != NULL)
        avro_schema_decref(schema->schema);
    slu_document_free(schema->document);
    slu_arena_fini(&schema->arena);
    free(schema);
}

const struct meaning *avro_c_meaning(const struct avro_c_schema *schema)
{
    return schema->meaning;
}

static bool agrees(struct avro_c_schema *schema, const struct slu_value *root, avro_value_t *theirs,
                   struct avro_c_answer *answer)
{
    char behind;

    if (avro_value_read(schema->reader, theirs) != 0) {
        answer->excused[AVRO_C_VALUE_OF_NO_BYTES] = is_about_nothing(schema);
        return answer->excused[AVRO_C_VALUE_OF_NO_BYTES] ||
               avro_c_differ(answer, "Avro C does not take the body: %s", avro_strerror());
    }
    if (avro_read(schema->reader, &behind, 1) == 0)
        return avro_c_differ(answer, "Avro C has read less than the whole body");
    return same(schema->meaning, root, theirs, answer);
}

/* Texts of messages are anything: only what a terminal shows goes into an answer. */
static void make_readable(char *text)
{
    for (; *text != 0; text++)
        if (*text < 0x20 || *text > 0x7E)
            *text = '?';
}

bool avro_c_agrees(struct avro_c_schema *schema, struct slu_slice body,
                   const struct slu_value *root, struct avro_c_answer *answer)
{
    avro_value_t theirs;

    *answer = (struct avro_c_answer){.where = ""};
    avro_reader_memory_set_source(schema->reader, body.len > 0 ? body.data : "", (int64_t)body.len);
    avro_set_error("%s", "");
    if (avro_generic_value_new(schema->class, &theirs) != 0)
        return avro_c_differ(answer, "Avro C makes no value: %s", avro_strerror());
    const bool sound = agrees(schema, root, &theirs, answer);
    avro_value_decref(&theirs);
    make_readable(answer->where);
    make_readable(answer->text);
    return sound;
}
