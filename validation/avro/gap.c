/* gap.c -- see gap.h. The JSON Schema is walked together with the plan:
 *
 *   place of the JSON Schema ─┬─ its types, one by one ─▶ can the node hold all values of it? a branch of it?
 *                             ├─ enum, const: each value is encoded
 *                             └─ properties, items ─▶ fields, members
 */
#include "validation/avro/gap_inside.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH  32   /* of places within places; a recursive schema ends here */
#define MAX_STEPS  4096 /* places looked at */
#define MAX_VALUE  (1u << 20)
#define REFERENCES 16 /* from one place to the next */

static const struct {
    const char *name;
    unsigned kinds;      /* that the name stands for */
    unsigned kind;       /* its own */
    const char *allowed; /* for people */
} type_names[] = {
    {"null", GAP_NULL, GAP_NULL, "null"},
    {"boolean", GAP_BOOL, GAP_BOOL, "true and false"},
    {"integer", GAP_WHOLE, GAP_WHOLE, "whole numbers"},
    {"number", GAP_WHOLE | GAP_NUMBER, GAP_NUMBER, "numbers with a fraction"},
    {"string", GAP_STRING, GAP_STRING, "any text"},
    {"array", GAP_ARRAY, GAP_ARRAY, "arrays"},
    {"object", GAP_OBJECT, GAP_OBJECT, "objects"},
};

struct search {
    const struct slu_avro_schema *schema;
    const struct slu_avro_gap_options *options;
    const struct slu_document *document;
    slu_avro_gap_tell *tell;
    void *context;
    size_t n_told, steps;
    struct slu_buf instance; /* JSON Pointer of the value that a place judges */
    struct slu_buf value;
};

static void look(struct search *search, const struct slu_value *place, uint32_t node,
                 unsigned depth);

/* ---- small things ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
tell(struct search *search, const struct slu_value *place, const char *format, ...)
{
    struct slu_buf pointer;
    char what[200];
    va_list arguments;

    if (search->n_told >= SLU_AVRO_GAPS)
        return;
    search->n_told++;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    slu_buf_init(&pointer, 4096);
    slu_value_pointer(search->document->root, place, &pointer);
    search->tell(search->context, slu_buf_text(&pointer), what);
    slu_buf_fini(&pointer);
}

static bool is_false(const struct slu_value *place)
{
    return place != NULL && slu_value_variant(place) == SLU_VALUE_FALSE;
}

/* These may forbid anything: what they leave is not known here. */
static bool is_beyond_us(const struct slu_value *place)
{
    return HAS_ANY(place, "allOf", "anyOf", "oneOf", "not", "if", "$dynamicRef", "$recursiveRef",
                   "extends", "disallow", "dependentSchemas", "dependencies");
}

static bool is_looked_at_by_others(const struct search *search)
{
    for (size_t i = 0; i < search->options->n_others; i++)
        if (slu_slice_equal(search->options->others[i], slu_buf_slice(&search->instance)))
            return true;
    return false;
}

/* … or at something below it? */
static bool is_above_others(const struct search *search)
{
    const size_t len = search->instance.len;

    for (size_t i = 0; i < search->options->n_others; i++) {
        const struct slu_slice other = search->options->others[i];
        if (other.len > len && other.data[len] == '/' &&
            (len == 0 || memcmp(other.data, search->instance.data, len) == 0))
            return true;
    }
    return false;
}

/* ---- where a place is ------------------------------------------------------------------------------------ */

/* Where a $ref of the document leads; NULL: elsewhere, or in circles. */
static const struct slu_value *follow(const struct search *search, const struct slu_value *place)
{
    for (int i = 0; i < REFERENCES && place != NULL; i++) {
        const struct slu_value *ref = slu_avro_gap_get(place, "$ref");
        struct slu_arena arena;
        struct slu_pointer pointer;
        struct slu_slice text;
        if (ref == NULL)
            return place;
        text = slu_value_kind(ref) == SLU_VALUE_STRING ? slu_value_text(ref) : SLU_SLICE("");
        if (text.len == 0 || text.data[0] != '#' || slu_value_len(place) != 1 ||
            memchr(text.data, '%', text.len) != NULL)
            return NULL;
        slu_arena_init(&arena, 1 << 16);
        place =
            slu_pointer_compile(slu_slice(text.data + 1, text.len - 1), &arena, &pointer, NULL) == 0
                ? slu_pointer_find(&pointer, search->document->root)
                : NULL;
        slu_arena_fini(&arena);
    }
    return NULL;
}

static unsigned kinds_named(const struct slu_value *name)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
        if (slu_value_kind(name) == SLU_VALUE_STRING &&
            slu_slice_equal(slu_value_text(name), slu_slice_of(type_names[i].name)))
            return type_names[i].kinds;
    return GAP_NONE;
}

static unsigned kinds_of(const struct slu_value *place)
{
    const struct slu_value *type = slu_avro_gap_get(place, "type");
    unsigned kinds = GAP_NONE;

    if (type == NULL)
        return is_false(place) ? GAP_NONE : GAP_ANY;
    if (slu_value_kind(type) != SLU_VALUE_ARRAY)
        return kinds_named(type);
    const struct slu_value *name = slu_value_first(type);
    for (size_t i = 0; i < slu_value_len(type); i++, name = slu_value_next(name))
        kinds |= kinds_named(name);
    return kinds;
}

/* ---- a node ---------------------------------------------------------------------------------------------- */

/* The same for any node: one branch that may is enough. */
static enum slu_avro_gap_answer some_holds(const struct search *search,
                                           const struct slu_value *place,
                                           const struct slu_avro_node *node, unsigned kind)
{
    enum slu_avro_gap_answer best = GAP;

    if (node->type != SLU_AVRO_UNION)
        return slu_avro_gap_holds(place, node, kind);
    for (uint32_t i = 0; i < node->n; i++) {
        const enum slu_avro_gap_answer answer = slu_avro_gap_holds(
            place, &search->schema->nodes[search->schema->links[node->first + i]], kind);
        if (answer < best)
            best = answer;
    }
    return best;
}

/* ---- enum, const ----------------------------------------------------------------------------------------- */

static struct slu_slice document_number(const void *context, const struct slu_value *value,
                                        char scratch[32])
{
    const struct slu_document *document = context;
    (void)scratch;
    return slu_value_text(document->raw_root + (value - document->root));
}

static bool encodes(struct search *search, uint32_t node, const struct slu_value *value)
{
    struct slu_avro_complaint complaint;
    const struct slu_avro_source source = {value, document_number, search->document};
    struct slu_avro_encoder encoder = {
        .schema = search->schema,
        .source = &source,
        .options = &search->options->encoding,
        .out = &search->value,
        .complaint = &complaint,
        .steps = MAX_VALUE,
    };

    slu_buf_reset(&search->value);
    return slu_avro_encode_value(&encoder, node, value) || search->value.failed;
}

static void look_at_value(struct search *search, uint32_t node, const struct slu_value *value)
{
    struct slu_buf json;

    if (encodes(search, node, value))
        return;
    slu_buf_init(&json, 100);
    if (slu_value_json(value, &json))
        tell(search, value, "%s", slu_buf_text(&json));
    else
        tell(search, value, "a value");
    slu_buf_fini(&json);
}

/* True: the place lists its values. With other keywords beside the list some may be none of them. */
static bool look_at_list(struct search *search, const struct slu_value *place, uint32_t node)
{
    const struct slu_value *list = slu_avro_gap_get(place, "enum"),
                           *one = slu_avro_gap_get(place, "const");

    if (list == NULL && one == NULL)
        return false;
    if ((list != NULL && one != NULL) ||
        HAS_ANY(place, "type", "minimum", "maximum", "pattern", "format", "minLength", "maxLength",
                "properties", "required", "items", "multipleOf", "exclusiveMinimum",
                "exclusiveMaximum")) {
        /* A type that all of them have takes none away. */
        if (list == NULL || one != NULL || slu_value_kind(list) != SLU_VALUE_ARRAY ||
            kinds_of(place) != GAP_STRING ||
            HAS_ANY(place, "pattern", "format", "minLength", "maxLength"))
            return true;
        const struct slu_value *value = slu_value_first(list);
        for (size_t i = 0; i < slu_value_len(list); i++, value = slu_value_next(value))
            if (slu_value_kind(value) == SLU_VALUE_STRING)
                look_at_value(search, node, value);
        return true;
    }
    if (one != NULL) {
        look_at_value(search, node, one);
    } else if (slu_value_kind(list) == SLU_VALUE_ARRAY) {
        const struct slu_value *value = slu_value_first(list);
        for (size_t i = 0; i < slu_value_len(list); i++, value = slu_value_next(value))
            look_at_value(search, node, value);
    }
    return true;
}

/* ---- containers ------------------------------------------------------------------------------------------- */

/* The branch for containers of that kind, or the node itself; false: none, or one of several. */
static bool only_branch(const struct search *search, uint32_t node, unsigned kind, uint32_t *found)
{
    const struct slu_avro_node *at = &search->schema->nodes[node];
    size_t n = 0;

    *found = node;
    if (at->type != SLU_AVRO_UNION)
        return slu_avro_gap_holds(NULL, at, kind) == HOLDS;
    for (uint32_t i = 0; i < at->n; i++) {
        const uint32_t branch = search->schema->links[at->first + i];
        if (slu_avro_gap_holds(NULL, &search->schema->nodes[branch], kind) == GAP)
            continue;
        *found = branch;
        n++;
    }
    return n == 1;
}

/* Go on with a member of the value: `name` is a step of its pointer, NULL: any item. */
static void look_at_member(struct search *search, const struct slu_value *place,
                           const struct slu_slice *name, uint32_t node, unsigned depth)
{
    const size_t len = search->instance.len;

    slu_buf_add_char(&search->instance, '/');
    for (size_t i = 0; name != NULL && i < name->len; i++) { /* RFC 6901 §3 */
        if (name->data[i] == '~' || name->data[i] == '/')
            slu_buf_add_text(&search->instance, name->data[i] == '~' ? "~0" : "~1");
        else
            slu_buf_add_char(&search->instance, name->data[i]);
    }
    if (name == NULL)
        slu_buf_add_char(&search->instance, '*');
    look(search, place, node, depth + 1);
    slu_buf_cut(&search->instance, len);
}

/* May something else say that the member is there, or which it is? */
static bool is_member_of_others(struct search *search, struct slu_slice name)
{
    const size_t len = search->instance.len;

    slu_buf_add_char(&search->instance, '/');
    slu_buf_add_slice(&search->instance, name);
    const bool is_other = is_looked_at_by_others(search);
    slu_buf_cut(&search->instance, len);
    return is_other;
}

static bool is_required(const struct slu_value *place, struct slu_slice name)
{
    const struct slu_value *list = slu_avro_gap_get(place, "required");

    if (list == NULL || slu_value_kind(list) != SLU_VALUE_ARRAY)
        return false;
    const struct slu_value *item = slu_value_first(list);
    for (size_t i = 0; i < slu_value_len(list); i++, item = slu_value_next(item))
        if (slu_value_kind(item) == SLU_VALUE_STRING && slu_slice_equal(slu_value_text(item), name))
            return true;
    return false;
}

static void look_at_field(struct search *search, const struct slu_value *place,
                          const struct slu_avro_field *field, unsigned depth)
{
    const struct slu_value *properties = slu_avro_gap_get(place, "properties");
    const struct slu_value *property =
        properties != NULL ? slu_value_get(properties, field->name) : NULL;
    const struct slu_value *more = slu_avro_gap_get(place, "additionalProperties");
    const int shown = (int)(field->name.len < 80 ? field->name.len : 80);

    if (property != NULL)
        look_at_member(search, property, &field->name, field->node, depth);
    if (is_member_of_others(search, field->name))
        return;
    if (!field->has_default && !is_required(place, field->name) &&
        !HAS_ANY(place, "minProperties", "dependentRequired"))
        tell(search, place, "objects without \"%.*s\", which has no default", shown,
             field->name.data);
    if (property == NULL && !is_false(more) &&
        (more == NULL || slu_value_kind(more) == SLU_VALUE_BOOL) &&
        !HAS_ANY(place, "patternProperties", "propertyNames", "unevaluatedProperties"))
        tell(search, place, "anything as \"%.*s\": it is none of its properties", shown,
             field->name.data);
}

static bool is_field(const struct search *search, const struct slu_avro_node *record,
                     struct slu_slice name)
{
    for (uint32_t i = 0; i < record->n; i++)
        if (slu_slice_equal(search->schema->fields[record->first + i].name, name))
            return true;
    return false;
}

static void look_at_others(struct search *search, const struct slu_value *place,
                           const struct slu_avro_node *record)
{
    const struct slu_value *properties = slu_avro_gap_get(place, "properties");
    const struct slu_value *more = slu_avro_gap_get(place, "additionalProperties");

    if (search->options->encoding.drop_unknown)
        return;
    if (!is_false(more) && (more == NULL || !is_beyond_us(more)) &&
        !HAS_ANY(place, "unevaluatedProperties", "propertyNames", "maxProperties"))
        tell(search, place, "other members than the fields of %.80s", record->name);
    if (properties == NULL || slu_value_kind(properties) != SLU_VALUE_OBJECT)
        return;
    const struct slu_value *key = slu_value_first(properties);
    for (size_t i = 0; i < slu_value_len(properties); i++, key = slu_value_next(key + 1))
        if (!is_field(search, record, slu_value_text(key)) && !is_false(key + 1))
            tell(search, key + 1, "a member that %.80s has not", record->name);
}

static void look_at_object(struct search *search, const struct slu_value *place, uint32_t node,
                           unsigned depth)
{
    const struct slu_avro_node *at = &search->schema->nodes[node];
    const struct slu_value *properties = slu_avro_gap_get(place, "properties");
    const struct slu_value *more = slu_avro_gap_get(place, "additionalProperties");

    if (at->type == SLU_AVRO_RECORD) {
        for (uint32_t i = 0; i < at->n; i++)
            look_at_field(search, place, &search->schema->fields[at->first + i], depth);
        look_at_others(search, place, at);
        return;
    }
    if (more != NULL && !is_above_others(search))
        look_at_member(search, more, NULL, at->first, depth);
    if (properties == NULL || slu_value_kind(properties) != SLU_VALUE_OBJECT)
        return;
    const struct slu_value *key = slu_value_first(properties);
    for (size_t i = 0; i < slu_value_len(properties); i++, key = slu_value_next(key + 1)) {
        const struct slu_slice name = slu_value_text(key);
        look_at_member(search, key + 1, &name, at->first, depth);
    }
}

static void look_inside(struct search *search, const struct slu_value *place, uint32_t node,
                        unsigned kinds, unsigned depth)
{
    uint32_t inner;

    if ((kinds & GAP_OBJECT) != 0 && only_branch(search, node, GAP_OBJECT, &inner))
        look_at_object(search, place, inner, depth);
    const struct slu_value *items = slu_avro_gap_get(place, "items");
    if ((kinds & GAP_ARRAY) != 0 && items != NULL && slu_value_kind(items) != SLU_VALUE_ARRAY &&
        !HAS_ANY(place, "prefixItems", "maxItems") && !is_above_others(search) &&
        only_branch(search, node, GAP_ARRAY, &inner) &&
        search->schema->nodes[inner].type == SLU_AVRO_ARRAY)
        look_at_member(search, items, NULL, search->schema->nodes[inner].first, depth);
}

/* ---- a place ---------------------------------------------------------------------------------------------- */

/* An int, or a branch that is one. */
static bool is_int(const struct search *search, const struct slu_avro_node *node)
{
    if (node->type != SLU_AVRO_UNION)
        return node->type == SLU_AVRO_INT;
    for (uint32_t i = 0; i < node->n; i++)
        if (search->schema->nodes[search->schema->links[node->first + i]].type == SLU_AVRO_INT)
            return true;
    return false;
}

static void look_at_kinds(struct search *search, const struct slu_value *place,
                          const struct slu_avro_node *node, unsigned kinds)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        const unsigned kind = type_names[i].kind;
        if ((kinds & kind) == 0 || some_holds(search, place, node, kind) != GAP)
            continue;
        if (kind == GAP_WHOLE && (kinds & GAP_NUMBER) != 0 &&
            some_holds(search, place, node, GAP_NUMBER) == GAP)
            continue; /* told with the numbers */
        tell(search, place, "%s",
             kind == GAP_WHOLE && is_int(search, node) ? "whole numbers beyond 32 bits"
                                                       : type_names[i].allowed);
    }
}

static void look(struct search *search, const struct slu_value *place, uint32_t node,
                 unsigned depth)
{
    const struct slu_avro_node *at = &search->schema->nodes[node];

    place = follow(search, place);
    if (place == NULL || is_beyond_us(place) ||
        (place != search->document->root && slu_avro_gap_get(place, "$id") != NULL) ||
        depth > MAX_DEPTH || search->steps++ >= MAX_STEPS || search->n_told >= SLU_AVRO_GAPS ||
        is_looked_at_by_others(search))
        return;
    if (at->type == SLU_AVRO_UNION && search->options->encoding.dialect == SLU_AVRO_JSON)
        return; /* its values are wrapped: another shape */
    if (look_at_list(search, place, node))
        return;
    const unsigned kinds = kinds_of(place);
    if (kinds == GAP_ANY)
        tell(search, place, "values of any type");
    else
        look_at_kinds(search, place, at, kinds);
    look_inside(search, place, node, kinds, depth);
}

void slu_avro_gaps(const struct slu_avro_schema *schema, struct slu_slice json_schema,
                   const struct slu_avro_gap_options *options, slu_avro_gap_tell *told,
                   void *context)
{
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(json_schema, 256, &err);
    struct search search = {.schema = schema,
                            .options = options,
                            .document = document,
                            .tell = told,
                            .context = context};

    if (document == NULL)
        return;
    slu_buf_init(&search.instance, 1 << 16);
    slu_buf_init(&search.value, MAX_VALUE);
    look(&search, document->root, schema->root, 0);
    slu_buf_fini(&search.instance);
    slu_buf_fini(&search.value);
    slu_document_free(document);
}
