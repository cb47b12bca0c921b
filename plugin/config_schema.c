/* config_schema.c -- the `schemas` of a configuration: where their documents are, and their text.
 *
 * A schema that is not well formed, or whose file cannot be read, still counts as known, so that the
 * policies that name it are not told of too.
 */
#include "plugin/config_draft.h"

#include "base/file.h"

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

/* The text of the document, kept in the configuration's arena. */
static bool read_document(struct slu_draft *draft, const struct slu_node *section,
                          struct slu_schema_source *source)
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
        tell_err(draft, section, source->pointer, "/file", &err);
    } else {
        copy = slu_arena_copy(&draft->config->arena, slu_buf_slice(&text));
        if (copy == NULL)
            slu_draft_no_memory(draft);
    }
    source->file = path;
    source->text = slu_slice(copy, text.len);
    slu_buf_fini(&text);
    return copy != NULL;
}

/* From its file, or from the registry's cache. */
static bool read_text(struct slu_draft *draft, size_t i, const struct slu_node *section)
{
    struct slu_schema_source *source = &draft->sources[i];
    const bool file = slu_node_get(section, "file") != NULL;
    const bool registry = slu_node_get(section, "registry") != NULL;

    if (file == registry) {
        slu_draft_tell(draft, false, section, source->pointer, "",
                       file ? "has \"file\" and \"registry\": it comes from one of them"
                            : "lacks \"file\" or \"registry\": where it comes from");
        return false;
    }
    if (registry && slu_node_get(section, "registry_id") != NULL) {
        slu_draft_tell_key(draft, section, source->pointer, "/registry_id",
                           "is what the registry says itself");
        return false;
    }
    return registry ? slu_draft_read_from_registry(draft, i)
                    : read_document(draft, section, source);
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
    source->broken = !slu_draft_is_sound(draft, section) || !read_text(draft, i, section);
}

static size_t count_from_registry(const struct slu_node *list, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += slu_node_get(list->items[i], "registry") != NULL;
    return found;
}

bool slu_draft_read_schemas(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const struct slu_node *list = slu_node_get(config->root, "schemas");
    const size_t n = list != NULL && list->kind == SLU_NODE_LIST ? list->n : 0;
    struct slu_config_schema *schemas = slu_arena_array(&config->arena, n + 1, sizeof(*schemas));

    draft->room_sources = n + SLU_REGISTRAR_VERSIONS * count_from_registry(list, n);
    draft->n_sources = n;
    draft->sources =
        slu_arena_array(&config->arena, draft->room_sources + 1, sizeof(draft->sources[0]));
    if (schemas == NULL || draft->sources == NULL) {
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
    config->schemas = schemas;
    config->n_schemas = n;
    return true;
}
