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

/* What stands around a type. */
struct around {
    struct slu_slice space; /* the namespace; empty: none */
};

static uint32_t compile_type(struct slu_avro_compile *compile, const struct slu_value *value,
                             struct around around);

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

/* ---- the document's members -------------------------------------------------------------------------- */

static const struct slu_value *member(const struct slu_value *object, const char *key)
{
    return slu_value_get(object, slu_slice_of(key));
}

static bool is_kind(const struct slu_value *value, enum slu_value_kind kind)
{
    return value != NULL && slu_value_kind(value) == kind;
}

/* Text of a problem is cut: a schema may name anything. */
static int shown(struct slu_slice text)
{
    return (int)(text.len < 80 ? text.len : 80);
}

/* ---- nodes ------------------------------------------------------------------------------------------- */

static uint32_t add_node(struct slu_avro_compile *compile, enum slu_avro_type type,
                         const struct slu_value *place)
{
    struct slu_avro_schema *schema = compile->schema;
    schema->nodes[schema->n_nodes] = (struct slu_avro_node){.type = (uint8_t)type, .place = place};
    return schema->n_nodes++;
}

static struct slu_avro_node *node_at(const struct slu_avro_compile *compile, uint32_t index)
{
    return &compile->schema->nodes[index];
}

/* ---- names ------------------------------------------------------------------------------------------- */

/* The full name of `name` in a namespace, in the schema's arena; empty: no memory. */
static struct slu_slice full_name(struct slu_avro_compile *compile, struct slu_slice name,
                                  struct slu_slice space)
{
    const bool bare = space.len == 0 || memchr(name.data, '.', name.len) != NULL;
    const size_t len = bare ? name.len : space.len + 1 + name.len;
    char *full = slu_arena_alloc(&compile->schema->arena, len + 1);

    if (full == NULL) {
        compile->no_memory = true;
        return slu_slice("", 0);
    }
    if (!bare) {
        memcpy(full, space.data, space.len);
        full[space.len] = '.';
    }
    memcpy(full + (len - name.len), name.data, name.len);
    return slu_slice(full, len);
}

/* What a full name has before its last dot. */
static struct slu_slice space_of(struct slu_slice full)
{
    size_t len = full.len;
    while (len > 0 && full.data[len - 1] != '.')
        len--;
    return slu_slice(full.data, len > 0 ? len - 1 : 0);
}

/* The namespace that a definition's `name` and `namespace` put it into. */
static bool read_space(struct slu_avro_compile *compile, const struct slu_value *object,
                       struct slu_slice *space)
{
    const struct slu_value *value = member(object, "namespace");

    if (value == NULL || slu_value_kind(value) == SLU_VALUE_NULL)
        return true;
    if (slu_value_kind(value) != SLU_VALUE_STRING)
        return slu_avro_tell(compile, value, "namespace must be a string");
    if (!slu_avro_name_is_dotted(slu_value_text(value), true))
        return slu_avro_tell(compile, value, "\"%.*s\" is no namespace: names joined by dots",
                             shown(slu_value_text(value)), value->text);
    *space = slu_value_text(value);
    return true;
}

/* Aliases only matter to who reads with another schema; here they must be names. */
static void check_aliases(struct slu_avro_compile *compile, const struct slu_value *object,
                          bool dotted)
{
    const struct slu_value *list = member(object, "aliases");

    if (list == NULL)
        return;
    if (slu_value_kind(list) != SLU_VALUE_ARRAY) {
        slu_avro_tell(compile, list, "aliases must be an array of names");
        return;
    }
    const struct slu_value *alias = slu_value_first(list);
    for (size_t n = slu_value_len(list); n > 0; n--, alias = slu_value_next(alias)) {
        if (slu_value_kind(alias) != SLU_VALUE_STRING)
            slu_avro_tell(compile, alias, "an alias must be a name");
        else if (dotted ? !slu_avro_name_is_dotted(slu_value_text(alias), false)
                        : !slu_avro_name_is_valid(slu_value_text(alias)))
            slu_avro_tell(compile, alias, "\"%.*s\" is no name", shown(slu_value_text(alias)),
                          alias->text);
    }
}

/* Give the node its full name, which must be free. `around` gets the namespace for what is inside. */
static void name_node(struct slu_avro_compile *compile, const struct slu_value *object,
                      uint32_t index, struct around *around)
{
    const struct slu_value *value = member(object, "name");
    struct slu_slice space = around->space;

    check_aliases(compile, object, true);
    if (!is_kind(value, SLU_VALUE_STRING)) {
        slu_avro_tell(compile, value != NULL ? value : object, "a %s needs a name",
                      slu_avro_type_names[node_at(compile, index)->type]);
        return;
    }
    const struct slu_slice name = slu_value_text(value);
    if (!slu_avro_name_is_dotted(name, false)) {
        slu_avro_tell(compile, value, "\"%.*s\" is no name: letters, digits and _, no digit first",
                      shown(name), name.data);
        return;
    }
    if (!read_space(compile, object, &space))
        return;
    const struct slu_slice full = full_name(compile, name, space);
    if (full.len == 0)
        return;
    around->space = space_of(full);
    if (around->space.len == 0 && slu_avro_name_primitive(full) >= 0) {
        slu_avro_tell(compile, value, "\"%s\" is the name of a primitive type", full.data);
        return;
    }
    const int64_t first = slu_avro_names_find(&compile->names, SLU_AVRO_TYPES_OWN, full);
    if (first >= 0) {
        unsigned line, column;
        slu_document_place(compile->schema->document, node_at(compile, (uint32_t)first)->place,
                           &line, &column);
        slu_avro_tell(compile, value, "\"%.*s\" is defined twice; the first is in line %u",
                      shown(full), full.data, line);
        return;
    }
    slu_avro_names_take(&compile->names, SLU_AVRO_TYPES_OWN, full, index);
    node_at(compile, index)->name = full.data;
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
                      shown(name), name.data, nearest);
    else if (nearest != NULL)
        slu_avro_tell(compile, value, "\"%.*s\" needs an object around it: {\"type\": \"%.*s\", …}",
                      shown(name), name.data, shown(name), name.data);
    else
        slu_avro_tell(compile, value, "there is no type \"%.*s\" before this line", shown(name),
                      name.data);
}

static uint32_t compile_name(struct slu_avro_compile *compile, const struct slu_value *value,
                             struct around around)
{
    const struct slu_slice name = slu_value_text(value);
    const int type = slu_avro_name_primitive(name);

    if (type >= 0)
        return primitive(compile, type, value);
    if (slu_avro_name_is_dotted(name, false)) {
        const struct slu_slice full = full_name(compile, name, around.space);
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
    const struct slu_avro_node *node = node_at(compile, branch);
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
                              struct around around)
{
    const size_t count = slu_value_len(list);
    struct slu_avro_schema *schema = compile->schema;
    struct branches branches = {
        .owner = add_node(compile, SLU_AVRO_UNION, list),
        .items = slu_arena_array(&compile->scratch, count + 1, sizeof(uint32_t)),
    };
    struct slu_avro_node *node = node_at(compile, branches.owner);

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
                      shown(slu_value_text(value)), value->text);
    else
        schema->symbols[schema->n_symbols++] = slu_value_text(value);
}

static uint32_t compile_enum(struct slu_avro_compile *compile, const struct slu_value *object,
                             struct around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_ENUM, object);
    const struct slu_value *symbols = member(object, "symbols");
    const struct slu_value *fallback = member(object, "default");
    struct slu_avro_schema *schema = compile->schema;

    name_node(compile, object, index, &around);
    schema->nodes[index].first = schema->n_symbols;
    if (!is_kind(symbols, SLU_VALUE_ARRAY)) {
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
                              struct around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_FIXED, object);
    const struct slu_value *size = member(object, "size");

    name_node(compile, object, index, &around);
    if (size == NULL || slu_value_variant(size) != SLU_VALUE_UINT || size->u64 > SLU_AVRO_MAX_FIXED)
        slu_avro_tell(compile, size != NULL ? size : object,
                      "a fixed needs its size in bytes, 0 to %u", SLU_AVRO_MAX_FIXED);
    else
        node_at(compile, index)->n = (uint32_t)size->u64;
    slu_avro_compile_logical(compile, object, node_at(compile, index));
    return index;
}

static uint32_t compile_members(struct slu_avro_compile *compile, const struct slu_value *object,
                                enum slu_avro_type type, struct around around)
{
    const char *key = type == SLU_AVRO_ARRAY ? "items" : "values";
    const uint32_t index = add_node(compile, type, object);
    const struct slu_value *members = member(object, key);

    if (members == NULL)
        slu_avro_tell(compile, object, "%s needs `%s`: the type of its members",
                      type == SLU_AVRO_ARRAY ? "an array" : "a map", key);
    const uint32_t of = members != NULL ? compile_type(compile, members, around)
                                        : primitive(compile, SLU_AVRO_NULL, object);
    node_at(compile, index)->first = of;
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
    const struct slu_value *order = member(object, "order");

    if (order == NULL)
        return;
    if (!is_kind(order, SLU_VALUE_STRING) ||
        (!slu_slice_equal(slu_value_text(order), SLU_SLICE("ascending")) &&
         !slu_slice_equal(slu_value_text(order), SLU_SLICE("descending")) &&
         !slu_slice_equal(slu_value_text(order), SLU_SLICE("ignore"))))
        slu_avro_tell(compile, order, "order is ascending, descending or ignore");
}

/* Name and default; the type comes later, when all fields of the record have their places. */
static bool read_field(struct slu_avro_compile *compile, uint32_t record,
                       const struct slu_value *value, struct slu_avro_field *field)
{
    const struct slu_value *name = member(value, "name");

    if (slu_value_kind(value) != SLU_VALUE_OBJECT)
        return slu_avro_tell(compile, value, "a field is an object with name and type");
    if (!is_kind(name, SLU_VALUE_STRING))
        return slu_avro_tell(compile, name != NULL ? name : value, "a field needs a name");
    if (!slu_avro_name_is_valid(slu_value_text(name)))
        return slu_avro_tell(compile, name,
                             "\"%.*s\" is no name: letters, digits and _, no digit first",
                             shown(slu_value_text(name)), name->text);
    if (!slu_avro_names_take(&compile->names, record, slu_value_text(name), 0))
        return slu_avro_tell(compile, name, "the field \"%.*s\" is here twice",
                             shown(slu_value_text(name)), name->text);
    check_aliases(compile, value, false);
    check_order(compile, value);
    field->name = padded(compile, slu_value_text(name));
    field->default_value = member(value, "default");
    field->place = value;
    return true;
}

static uint32_t compile_record(struct slu_avro_compile *compile, const struct slu_value *object,
                               struct around around)
{
    const uint32_t index = add_node(compile, SLU_AVRO_RECORD, object);
    const struct slu_value *list = member(object, "fields");
    struct slu_avro_schema *schema = compile->schema;
    const uint32_t first = schema->n_fields;

    name_node(compile, object, index, &around);
    schema->nodes[index].first = first;
    if (!is_kind(list, SLU_VALUE_ARRAY)) {
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
        const struct slu_value *type = member(schema->fields[i].place, "type");
        if (type == NULL)
            slu_avro_tell(compile, schema->fields[i].place, "the field \"%.*s\" needs a type",
                          shown(schema->fields[i].name), schema->fields[i].name.data);
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
    *node_at(compile, index) = node;
    return index;
}

static uint32_t compile_object(struct slu_avro_compile *compile, const struct slu_value *object,
                               struct around around)
{
    const struct slu_value *type = member(object, "type");

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
                             struct around around)
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

/* ---- what only the whole can tell -------------------------------------------------------------------- */

enum { UNSEEN, OPEN, DONE };

static uint32_t add_least(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* The least bytes of a value, and whether a record contains itself with nothing in between that could
 * be empty. Only records are walked into, so the way is no longer than there are records in records. */
static bool measure(struct slu_avro_compile *compile, uint32_t index, uint8_t *state,
                    unsigned depth)
{
    static const uint8_t least[SLU_AVRO_TYPES] = {
        [SLU_AVRO_BOOLEAN] = 1, [SLU_AVRO_INT] = 1,   [SLU_AVRO_LONG] = 1,   [SLU_AVRO_FLOAT] = 4,
        [SLU_AVRO_DOUBLE] = 8,  [SLU_AVRO_BYTES] = 1, [SLU_AVRO_STRING] = 1, [SLU_AVRO_ENUM] = 1,
        [SLU_AVRO_ARRAY] = 1,   [SLU_AVRO_MAP] = 1,   [SLU_AVRO_UNION] = 1,
    };
    struct slu_avro_node *node = node_at(compile, index);

    if (state[index] == DONE)
        return true;
    state[index] = OPEN;
    node->least = node->type == SLU_AVRO_FIXED ? node->n : least[node->type];
    for (uint32_t i = 0; node->type == SLU_AVRO_RECORD && i < node->n; i++) {
        const struct slu_avro_field *field = &compile->schema->fields[node->first + i];
        if (state[field->node] == OPEN)
            return slu_avro_tell(compile, field->place,
                                 "the record %.80s contains itself: without a union, array or map "
                                 "in between it never ends",
                                 node_at(compile, field->node)->name);
        if (depth == SLU_AVRO_COMPILE_MAX_DEPTH)
            return slu_avro_tell(compile, field->place, "records in records deeper than %u",
                                 SLU_AVRO_COMPILE_MAX_DEPTH);
        if (!measure(compile, field->node, state, depth + 1))
            return false;
        node->least = add_least(node->least, node_at(compile, field->node)->least);
    }
    state[index] = DONE;
    return true;
}

static bool measure_all(struct slu_avro_compile *compile)
{
    uint8_t *state = slu_arena_array(&compile->scratch, compile->schema->n_nodes, sizeof(*state));
    bool sound = true;

    if (state == NULL) {
        compile->no_memory = true;
        return false;
    }
    for (uint32_t i = 0; i < compile->schema->n_nodes && sound; i++)
        sound = measure(compile, i, state, 0);
    return sound;
}

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
        compile_type(compile, compile->schema->document->root, (struct around){{"", 0}});
    return !compile->wrong && !compile->no_memory && measure_all(compile) &&
           slu_avro_compile_quick(compile);
}
