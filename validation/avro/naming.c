/* naming.c -- what a definition is called: name, namespace and aliases, and the full name they make.
 */
#include "validation/avro/compile.h"

struct slu_slice slu_avro_full_name(struct slu_avro_compile *compile, struct slu_slice name,
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
    const struct slu_value *value = slu_avro_member(object, "namespace");

    if (value == NULL || slu_value_kind(value) == SLU_VALUE_NULL)
        return true;
    if (slu_value_kind(value) != SLU_VALUE_STRING)
        return slu_avro_tell(compile, value, "namespace must be a string");
    if (!slu_avro_name_is_dotted(slu_value_text(value), true))
        return slu_avro_tell(compile, value, "\"%.*s\" is no namespace: names joined by dots",
                             slu_avro_shown(slu_value_text(value)), value->text);
    *space = slu_value_text(value);
    return true;
}

void slu_avro_check_aliases(struct slu_avro_compile *compile, const struct slu_value *object,
                            bool dotted)
{
    const struct slu_value *list = slu_avro_member(object, "aliases");

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
            slu_avro_tell(compile, alias, "\"%.*s\" is no name",
                          slu_avro_shown(slu_value_text(alias)), alias->text);
    }
}

void slu_avro_name_node(struct slu_avro_compile *compile, const struct slu_value *object,
                        uint32_t index, struct slu_avro_around *around)
{
    const struct slu_value *value = slu_avro_member(object, "name");
    struct slu_slice space = around->space;

    slu_avro_check_aliases(compile, object, true);
    if (!slu_avro_is_kind(value, SLU_VALUE_STRING)) {
        slu_avro_tell(compile, value != NULL ? value : object, "a %s needs a name",
                      slu_avro_type_names[slu_avro_node_at(compile, index)->type]);
        return;
    }
    const struct slu_slice name = slu_value_text(value);
    if (!slu_avro_name_is_dotted(name, false)) {
        slu_avro_tell(compile, value, "\"%.*s\" is no name: letters, digits and _, no digit first",
                      slu_avro_shown(name), name.data);
        return;
    }
    if (!read_space(compile, object, &space))
        return;
    const struct slu_slice full = slu_avro_full_name(compile, name, space);
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
        slu_document_place(compile->schema->document,
                           slu_avro_node_at(compile, (uint32_t)first)->place, &line, &column);
        slu_avro_tell(compile, value, "\"%.*s\" is defined twice; the first is in line %u",
                      slu_avro_shown(full), full.data, line);
        return;
    }
    slu_avro_names_take(&compile->names, SLU_AVRO_TYPES_OWN, full, index);
    slu_avro_node_at(compile, index)->name = full.data;
}
