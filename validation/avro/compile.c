/* compile.c -- the document of an Avro schema becomes a plan (plan.h), type by type:
 *
 *   "string"          a primitive, or a type defined before; looked up in the namespace around
 *   ["null", …]       a union: its branches can be told apart, none is a union
 *   {"type": …}       what the word says; a whole type in its place is taken for that type
 *
 * A type's node is given before its parts are read, so a record may speak of itself. Problems are told
 * with their place and reading goes on, so that a schema's faults are told at once; a node of a type
 * that is wrong stays NULL, which nothing after it minds.
 */
#include "validation/avro/compile.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>

const char *const slu_avro_type_names[SLU_AVRO_TYPES] = {
    [SLU_AVRO_NULL] = "null",     [SLU_AVRO_BOOLEAN] = "boolean", [SLU_AVRO_INT] = "int",
    [SLU_AVRO_LONG] = "long",     [SLU_AVRO_FLOAT] = "float",     [SLU_AVRO_DOUBLE] = "double",
    [SLU_AVRO_BYTES] = "bytes",   [SLU_AVRO_STRING] = "string",   [SLU_AVRO_FIXED] = "fixed",
    [SLU_AVRO_ENUM] = "enum",     [SLU_AVRO_ARRAY] = "array",     [SLU_AVRO_MAP] = "map",
    [SLU_AVRO_RECORD] = "record", [SLU_AVRO_UNION] = "union",
};

static uint32_t compile_type(struct slu_avro_compile *compile, const struct slu_value *value,
                             struct slu_avro_around around);

/* ---- telling ----------------------------------------------------------------------------------------- */

static void add_problem(struct slu_avro_compile *compile, bool is_warning,
                        const struct slu_value *at, const char *text)
{
    const struct slu_document *document = compile->schema->document;
    struct slu_err err = {0};
    struct slu_buf pointer;
    unsigned line, column;

    slu_document_place(document, at, &line, &column);
    slu_buf_init(&pointer, 4096);
    slu_value_pointer(document->root, at, &pointer);
    slu_err_set(&err, SLU_EINVAL, "%s", text);
    slu_err_place(&err, compile->schema->source, line, column, slu_buf_text(&pointer));
    slu_problems_add(compile->problems, is_warning, &err);
    slu_buf_fini(&pointer);
}

bool slu_avro_tell(struct slu_avro_compile *compile, const struct slu_value *at, const char *format,
                   ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    add_problem(compile, false, at, text);
    compile->wrong = true;
    return false;
}

void slu_avro_warn(struct slu_avro_compile *compile, const struct slu_value *at, const char *format,
                   ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    add_problem(compile, true, at, text);
}

/* ---- nodes ------------------------------------------------------------------------------------------- */

static uint32_t add_node(struct slu_avro_compile *compile, enum slu_avro_type type,
                         const struct slu_value *place)
{
    struct slu_avro_schema *schema = compile->schema;
    schema->nodes[schema->n_nodes] = (struct slu_avro_node){.type = (uint8_t)type, .place = place};
    return schema->n_nodes++;
}

/* ---- a type by its name ------------------------------------------------------------------------------ */

static uint32_t primitive(struct slu_avro_compile *compile, int type, const struct slu_value *place)
{
    if (compile->primitives[type] == 0)
        compile->primitives[type] = add_node(compile, (enum slu_avro_type)type, place) + 1;
    return compile->primitives[type] - 1;
}

static void tell_unknown(struct slu_avro_compile *compile, const struct slu_value *value)
{
    static const char *const words[] = {"null",   "boolean", "int",    "long",   "float",
                                        "double", "bytes",   "string", "record", "enum",
                                        "array",  "map",     "fixed",  NULL};
    const struct slu_slice name = slu_value_text(value);
    const char *nearest = slu_nearest(name, words, sizeof(words) / sizeof(words[0]) - 1);

    if (nearest != NULL && !slu_slice_equal(name, slu_slice_of(nearest)))
        slu_avro_tell(compile, value, "there is no type \"%.*s\", did you mean \"%s\"?",
                      slu_avro_shown(name), name.data, nearest);
    else if (nearest != NULL)
        slu_avro_tell(compile, value, "\"%.*s\" needs an object around it: {\"type\": \"%.*s\", …}",
                      slu_avro_shown(name), name.data, slu_avro_shown(name), name.data);
    else
        slu_avro_tell(compile, value, "there is no type \"%.*s\" before this line",
                      slu_avro_shown(name), name.data);
}

static uint32_t compile_name(struct slu_avro_compile *compile, const struct slu_value *value,
                             struct slu_avro_around around)
{
    const struct slu_slice name = slu_value_text(value);
    const int type = slu_avro_name_primitive(name);

    if (type >= 0)
        return primitive(compile, type, value);
    if (slu_avro_name_is_dotted(name, false)) {
        const struct slu_slice full = slu_avro_full_name(compile, name, around.space);
        int64_t found = slu_avro_names_find(&compile->names, SLU_AVRO_TYPES_OWN, full);
        if (found < 0) /* as others do: a simple name may also mean one without namespace */
            found = slu_avro_names_find(&compile->names, SLU_AVRO_TYPES_OWN, name);
        if (found >= 0)
            return (uint32_t)found;
    }
    tell_unknown(compile, value);
    return primitive(compile, SLU_AVRO_NULL, value);
}

/* ---- unions ------------------------------------------------------------------------------------------ */

/* A union while its branches are read: which types without a name it has; names are the union's own. */
struct branches {
    uint32_t owner;
    uint32_t *items;
    uint32_t n;
    uint32_t types_seen; /* bit t: has an unnamed branch of type t */
};

/* Unnamed types may be there once, named ones once a name. */
static void add_branch(struct slu_avro_compile *compile, const struct slu_value *value,
                       uint32_t branch, struct branches *branches)
{
    const struct slu_avro_node *node = slu_avro_node_at(compile, branch);
    const bool named = node->name != NULL;

    if (node->type == SLU_AVRO_UNION) {
        slu_avro_tell(compile, value, "a union may not have a union in it");
        return;
    }
    if (named ? !slu_avro_names_take(&compile->names, branches->owner, slu_slice_of(node->name), 0)
              : (branches->types_seen >> node->type & 1) != 0) {
        slu_avro_tell(compile, value, "a second %.80s in a union: nobody could tell them apart",
                      named ? node->name : slu_avro_type_names[node->type]);
        return;
    }
    branches->types_seen |= named ? 0 : 1u << node->type;
    branches->items[branches->n++] = branch;
}

static uint32_t compile_union(struct slu_avro_compile *compile, const struct slu_value *list,
                              struct slu_avro_around around)
{
    const size_t count = slu_value_len(list);
    struct slu_avro_schema *schema = compile->schema;
    struct branches branches = {
        .owner = add_node(compile, SLU_AVRO_UNION, list),
        .items = slu_arena_array(&compile->scratch, count + 1, sizeof(uint32_t)),
    };
    struct slu_avro_node *node = slu_avro_node_at(compile, branches.owner);

    if (branches.items == NULL) {
        compile->no_memory = true;
        return branches.owner;
    }
    const struct slu_value *value = slu_value_first(list);
    for (size_t i = 0; i < count; i++, value = slu_value_next(value))
        add_branch(compile, value, compile_type(compile, value, around), &branches);
    if (count == 0)
        slu_avro_warn(compile, list, "a union without branches: nothing can ever be one");
    node->first = schema->n_links;
    node->n = branches.n;
    memcpy(schema->links + schema->n_links, branches.items, branches.n * sizeof(uint32_t));
    schema->n_links += branches.n;
    return branches.owner;
}

/* ---- enums, fixed, arrays and maps ------------------------------------------------------------------- */

static void add_symbol(struct slu_avro_compile *compile, uint32_t index,
                       const struct slu_value *value)
{
    struct slu_avro_schema *schema = compile->schema;

    if (slu_value_kind(value) != SLU_VALUE_STRING || !slu_avro_name_is_valid(slu_value_text(value)))
        slu_avro_tell(compile, value, "a symbol must be a name: letters, digits and _");
    else if (!slu_avro_names_take(&compile->names, index, slu_value_text(value), 0))
        slu_avro_tell(compile, value, "the symbol \"%.*s\" is here twice",
                      slu_avro_shown(slu_value_text(value)), value->text);
    else
        schema->symbols[schema->n_symbols++] = slu_value_text(value);
}

static uint32_t compile_enum(struct slu_avro_compile *compile, const struct slu_value *object,
                             struct slu_avro_around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_ENUM, object);
    const struct slu_value *symbols = slu_avro_member(object, "symbols");
    const struct slu_value *fallback = slu_avro_member(object, "default");
    struct slu_avro_schema *schema = compile->schema;

    slu_avro_name_node(compile, object, index, &around);
    schema->nodes[index].first = schema->n_symbols;
    if (!slu_avro_is_kind(symbols, SLU_VALUE_ARRAY)) {
        slu_avro_tell(compile, symbols != NULL ? symbols : object,
                      "an enum needs symbols: [\"A\"]");
        return index;
    }
    const struct slu_value *value = slu_value_first(symbols);
    for (size_t n = slu_value_len(symbols); n > 0; n--, value = slu_value_next(value))
        add_symbol(compile, index, value);
    schema->nodes[index].n = schema->n_symbols - schema->nodes[index].first;
    if (fallback != NULL &&
        (slu_value_kind(fallback) != SLU_VALUE_STRING ||
         slu_avro_names_find(&compile->names, index, slu_value_text(fallback)) < 0))
        slu_avro_tell(compile, fallback, "the default is none of the symbols");
    return index;
}

static uint32_t compile_fixed(struct slu_avro_compile *compile, const struct slu_value *object,
                              struct slu_avro_around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_FIXED, object);
    const struct slu_value *size = slu_avro_member(object, "size");

    slu_avro_name_node(compile, object, index, &around);
    if (size == NULL || slu_value_variant(size) != SLU_VALUE_UINT || size->u64 > SLU_AVRO_MAX_FIXED)
        slu_avro_tell(compile, size != NULL ? size : object,
                      "a fixed needs its size in bytes, 0 to %u", SLU_AVRO_MAX_FIXED);
    else
        slu_avro_node_at(compile, index)->n = (uint32_t)size->u64;
    slu_avro_compile_logical(compile, object, slu_avro_node_at(compile, index));
    return index;
}

static uint32_t compile_members(struct slu_avro_compile *compile, const struct slu_value *object,
                                enum slu_avro_type type, struct slu_avro_around around)
{
    const char *key = type == SLU_AVRO_ARRAY ? "items" : "values";
    const uint32_t index = add_node(compile, type, object);
    const struct slu_value *members = slu_avro_member(object, key);

    if (members == NULL)
        slu_avro_tell(compile, object, "%s needs `%s`: the type of its members",
                      type == SLU_AVRO_ARRAY ? "an array" : "a map", key);
    const uint32_t of = members != NULL ? compile_type(compile, members, around)
                                        : primitive(compile, SLU_AVRO_NULL, object);
    slu_avro_node_at(compile, index)->first = of;
    return index;
}

/* ---- records ----------------------------------------------------------------------------------------- */

/* A copy from whose beginning eight bytes may be read. */
static struct slu_slice padded(struct slu_avro_compile *compile, struct slu_slice name)
{
    char *copy = slu_arena_alloc(&compile->schema->arena, name.len + 9);

    if (copy == NULL) {
        compile->no_memory = true;
        return slu_slice("\0\0\0\0\0\0\0", 0);
    }
    memcpy(copy, name.data, name.len);
    return slu_slice(copy, name.len);
}

static void check_order(struct slu_avro_compile *compile, const struct slu_value *object)
{
    const struct slu_value *order = slu_avro_member(object, "order");

    if (order == NULL)
        return;
    if (!slu_avro_is_kind(order, SLU_VALUE_STRING) ||
        (!slu_slice_equal(slu_value_text(order), SLU_SLICE("ascending")) &&
         !slu_slice_equal(slu_value_text(order), SLU_SLICE("descending")) &&
         !slu_slice_equal(slu_value_text(order), SLU_SLICE("ignore"))))
        slu_avro_tell(compile, order, "order is ascending, descending or ignore");
}

/* Name and default; the type comes later, when all fields of the record have their places. */
static bool read_field(struct slu_avro_compile *compile, uint32_t record,
                       const struct slu_value *value, struct slu_avro_field *field)
{
    const struct slu_value *name = slu_avro_member(value, "name");

    if (slu_value_kind(value) != SLU_VALUE_OBJECT)
        return slu_avro_tell(compile, value, "a field is an object with name and type");
    if (!slu_avro_is_kind(name, SLU_VALUE_STRING))
        return slu_avro_tell(compile, name != NULL ? name : value, "a field needs a name");
    if (!slu_avro_name_is_valid(slu_value_text(name)))
        return slu_avro_tell(compile, name,
                             "\"%.*s\" is no name: letters, digits and _, no digit first",
                             slu_avro_shown(slu_value_text(name)), name->text);
    if (!slu_avro_names_take(&compile->names, record, slu_value_text(name), 0))
        return slu_avro_tell(compile, name, "the field \"%.*s\" is here twice",
                             slu_avro_shown(slu_value_text(name)), name->text);
    slu_avro_check_aliases(compile, value, false);
    check_order(compile, value);
    field->name = padded(compile, slu_value_text(name));
    field->default_value = slu_avro_member(value, "default");
    field->place = value;
    return true;
}

static uint32_t compile_record(struct slu_avro_compile *compile, const struct slu_value *object,
                               struct slu_avro_around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_RECORD, object);
    const struct slu_value *list = slu_avro_member(object, "fields");
    struct slu_avro_schema *schema = compile->schema;
    const uint32_t first = schema->n_fields;

    slu_avro_name_node(compile, object, index, &around);
    schema->nodes[index].first = first;
    if (!slu_avro_is_kind(list, SLU_VALUE_ARRAY)) {
        slu_avro_tell(compile, list != NULL ? list : object, "a record needs fields: […]");
        return index;
    }
    const struct slu_value *value = slu_value_first(list);
    for (size_t n = slu_value_len(list); n > 0; n--, value = slu_value_next(value))
        if (read_field(compile, index, value, &schema->fields[schema->n_fields]))
            schema->n_fields++;
    const uint32_t n = schema->n_fields - first;
    schema->nodes[index].n = n;
    for (uint32_t i = first; i < first + n; i++) {
        const struct slu_value *type = slu_avro_member(schema->fields[i].place, "type");
        if (type == NULL)
            slu_avro_tell(compile, schema->fields[i].place, "the field \"%.*s\" needs a type",
                          slu_avro_shown(schema->fields[i].name), schema->fields[i].name.data);
        const uint32_t node = type != NULL ? compile_type(compile, type, around)
                                           : primitive(compile, SLU_AVRO_NULL, object);
        schema->fields[i].node = node;
    }
    return index;
}

/* ---- any type ---------------------------------------------------------------------------------------- */

/* {"type": "long", "logicalType": …}: a node of its own when it means something of its own. */
static uint32_t compile_annotated(struct slu_avro_compile *compile, const struct slu_value *object,
                                  int type)
{
    struct slu_avro_node node = {.type = (uint8_t)type, .place = object};

    slu_avro_compile_logical(compile, object, &node);
    if (node.logical == SLU_AVRO_PLAIN)
        return primitive(compile, type, object);
    const uint32_t index = add_node(compile, (enum slu_avro_type)type, object);
    *slu_avro_node_at(compile, index) = node;
    return index;
}

static uint32_t compile_object(struct slu_avro_compile *compile, const struct slu_value *object,
                               struct slu_avro_around around)
{
    const struct slu_value *type = slu_avro_member(object, "type");

    if (type == NULL) {
        slu_avro_tell(compile, object, "there is no `type`");
        return primitive(compile, SLU_AVRO_NULL, object);
    }
    if (slu_value_kind(type) != SLU_VALUE_STRING)
        return compile_type(compile, type, around);
    const struct slu_slice word = slu_value_text(type);
    const int known = slu_avro_name_primitive(word);
    if (known >= 0)
        return compile_annotated(compile, object, known);
    if (slu_slice_equal(word, SLU_SLICE("record")) || slu_slice_equal(word, SLU_SLICE("error")))
        return compile_record(compile, object, around);
    if (slu_slice_equal(word, SLU_SLICE("enum")))
        return compile_enum(compile, object, around);
    if (slu_slice_equal(word, SLU_SLICE("fixed")))
        return compile_fixed(compile, object, around);
    if (slu_slice_equal(word, SLU_SLICE("array")))
        return compile_members(compile, object, SLU_AVRO_ARRAY, around);
    if (slu_slice_equal(word, SLU_SLICE("map")))
        return compile_members(compile, object, SLU_AVRO_MAP, around);
    return compile_name(compile, type, around);
}

static uint32_t compile_type(struct slu_avro_compile *compile, const struct slu_value *value,
                             struct slu_avro_around around)
{
    switch (slu_value_kind(value)) {
    case SLU_VALUE_STRING:
        return compile_name(compile, value, around);
    case SLU_VALUE_ARRAY:
        return compile_union(compile, value, around);
    case SLU_VALUE_OBJECT:
        return compile_object(compile, value, around);
    default:
        slu_avro_tell(compile, value, "a type is a name, an object with `type`, or an array");
        return primitive(compile, SLU_AVRO_NULL, value);
    }
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static bool make_arrays(struct slu_avro_compile *compile)
{
    struct slu_avro_schema *schema = compile->schema;
    const struct slu_value *root = schema->document->root;
    const size_t cells = (size_t)(slu_value_next(root) - root);

    if (cells > SLU_AVRO_MAX_CELLS)
        return slu_avro_tell(compile, root, "the schema is too large: more than %u values",
                             SLU_AVRO_MAX_CELLS);
    /* Every type, field, branch and symbol is a cell of its own at least; and the primitives. */
    const size_t most = cells + SLU_AVRO_PRIMITIVES;
    schema->nodes = slu_arena_array(&schema->arena, most, sizeof(*schema->nodes));
    schema->fields = slu_arena_array(&schema->arena, most, sizeof(*schema->fields));
    schema->links = slu_arena_array(&schema->arena, most, sizeof(*schema->links));
    schema->symbols = slu_arena_array(&schema->arena, most, sizeof(*schema->symbols));
    compile->no_memory = schema->nodes == NULL || schema->fields == NULL || schema->links == NULL ||
                         schema->symbols == NULL ||
                         !slu_avro_names_init(&compile->names, most, &compile->scratch);
    return !compile->no_memory;
}

bool slu_avro_compile_types(struct slu_avro_compile *compile)
{
    if (!make_arrays(compile))
        return false;
    compile->schema->root =
        compile_type(compile, compile->schema->document->root, (struct slu_avro_around){{"", 0}});
    return !compile->wrong && !compile->no_memory && slu_avro_compile_measure(compile) &&
           slu_avro_compile_quick(compile);
}
