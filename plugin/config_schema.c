/* config_schema.c -- the `schemas` and `schema_documents` of a configuration: where their documents
 * are, and their text; all of them make the library that references lead to.
 *
 * A schema that is not well formed, or whose file cannot be read, still counts as known, so that the
 * policies that name it are not told of too.
 */
#include "plugin/config_draft.h"

#include "base/file.h"
#include "validation/json_schema/library.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_MAX_BYTES ((size_t)16 << 20)

static void tell_err(struct slu_draft *draft, const struct slu_node *section, const char *pointer,
                     const char *below, const struct slu_err *err)
{
    if (err->kind == SLU_ENOMEM)
        slu_draft_no_memory(draft);
    else
        slu_draft_tell(draft, false, section, pointer, below, "%s", err->text);
}

/* The text of the file that `section` names at `below`, kept in the configuration's arena, and its
 * path. */
static bool read_document(struct slu_draft *draft, const struct slu_node *section,
                          const char *pointer, const char **file, struct slu_slice *kept)
{
    const char *path =
        slu_draft_path(draft, draft->folder, slu_node_text(slu_node_get(section, "file"), ""));
    struct slu_err err = {0};
    struct slu_buf text;
    const char *copy = NULL;

    if (path == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    slu_buf_init(&text, SCHEMA_MAX_BYTES);
    if (slu_file_read(path, &text, &err) != 0) {
        tell_err(draft, section, pointer, "/file", &err);
    } else {
        copy = slu_arena_copy(&draft->config->arena, slu_buf_slice(&text));
        if (copy == NULL)
            slu_draft_no_memory(draft);
    }
    *file = path;
    *kept = slu_slice(copy, text.len);
    slu_buf_fini(&text);
    return copy != NULL;
}

static enum slu_schema_formats read_formats(const struct slu_node *node)
{
    const char *word = slu_node_text(node, "");

    if (strcmp(word, "assert") == 0)
        return SLU_FORMATS_ASSERT;
    return strcmp(word, "annotate") == 0 ? SLU_FORMATS_ANNOTATE : SLU_FORMATS_BY_DRAFT;
}

/* `id` and `version` as far as they can be read; both are needed to be known by a policy. */
static void read_schema(struct slu_draft *draft, size_t i, const struct slu_node *section)
{
    struct slu_schema_source *source = &draft->sources[i];

    source->place = section;
    source->pointer = slu_arena_printf(&draft->config->arena, "/schemas/%zu", i);
    source->id = slu_slice_of(slu_node_text(slu_node_get(section, "id"), ""));
    source->is_avro =
        strcmp(slu_node_text(slu_node_get(section, "type"), "json-schema"), "avro") == 0;
    source->registry_id = slu_node_int(slu_node_get(section, "registry_id"), -1);
    if (!source->is_avro && slu_node_get(section, "registry_id") != NULL &&
        slu_draft_is_sound(draft, section))
        slu_draft_tell_key(draft, section,
                           slu_arena_printf(&draft->config->arena, "/schemas/%zu", i),
                           "/registry_id", "only says something of a schema of type avro");
    source->version = slu_node_int(slu_node_get(section, "version"), (long long)i);
    if (source->pointer == NULL) {
        slu_draft_no_memory(draft);
        source->broken = true;
        return;
    }
    source->default_draft = slu_schema_draft_named(
        slu_slice_of(slu_node_text(slu_node_get(section, "default_draft"), "")));
    source->formats = read_formats(slu_node_get(section, "format"));
    source->broken = !slu_draft_is_sound(draft, section) ||
                     !read_document(draft, section, source->pointer, &source->file, &source->text);
}

/* The schemas by their $id. What is no JSON is told when it is compiled. */
static void add_schemas(struct slu_draft *draft, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct slu_schema_source *source = &draft->sources[i];
        const struct slu_library_document document = {
            .source = source->file, .text = source->text, .default_draft = source->default_draft};
        struct slu_err err = {0};
        if (!source->broken && slu_library_add(draft->library, &document, &err) != 0 &&
            err.kind == SLU_ENOMEM)
            slu_draft_no_memory(draft);
    }
}

/* False: told. */
static bool add_document(struct slu_draft *draft, size_t i, const struct slu_node *section)
{
    struct slu_library_document document = {.uri = slu_node_text(slu_node_get(section, "uri"), "")};
    struct slu_err err = {0};
    char pointer[64];

    snprintf(pointer, sizeof(pointer), "/schema_documents/%zu", i);
    if (!read_document(draft, section, pointer, &document.source, &document.text))
        return false;
    if (slu_library_find(draft->library, slu_slice_of(document.uri)) != SIZE_MAX) {
        slu_draft_tell(draft, false, section, pointer, "/uri",
                       "another document, or a schema, has this URI already");
        return false;
    }
    if (slu_library_add(draft->library, &document, &err) == 0)
        return true;
    if (err.kind == SLU_ENOMEM) {
        slu_draft_no_memory(draft);
    } else {
        slu_problems_error(draft->problems, document.source, err.line, err.column, err.pointer,
                           "%s", err.text);
    }
    return false;
}

/* When one of the documents is not good, nothing is said of the schemas: they may need it. */
static void read_documents(struct slu_draft *draft, size_t n_schemas)
{
    const struct slu_node *root = draft->config->root;
    const struct slu_node *list = slu_node_get(root, "schema_documents");
    bool sound = slu_draft_is_sound(draft, root) || list == NULL;

    for (size_t i = 0; list != NULL && sound && i < list->n; i++)
        sound = add_document(draft, i, list->items[i]);
    for (size_t i = 0; i < n_schemas && !sound; i++)
        draft->sources[i].broken = true;
}

bool slu_draft_read_schemas(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const struct slu_node *list = slu_node_get(config->root, "schemas");
    const size_t n = list != NULL && list->kind == SLU_NODE_LIST ? list->n : 0;
    struct slu_config_schema *schemas = slu_arena_array(&config->arena, n + 1, sizeof(*schemas));

    draft->sources = slu_arena_array(&config->arena, n + 1, sizeof(draft->sources[0]));
    draft->library = slu_library_new();
    if (schemas == NULL || draft->sources == NULL || draft->library == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct slu_schema_source *source = &draft->sources[i];
        read_schema(draft, i, list->items[i]);
        schemas[i].name = slu_arena_printf(&config->arena, "%.*s:%lld", SLU_SLICE_ARG(source->id),
                                           source->version);
        schemas[i].type = source->is_avro ? "avro" : "json-schema";
        schemas[i].text = source->text;
        if (schemas[i].name == NULL) {
            slu_draft_no_memory(draft);
            return false;
        }
    }
    add_schemas(draft, n);
    read_documents(draft, n);
    config->schemas = schemas;
    config->n_schemas = n;
    return true;
}
