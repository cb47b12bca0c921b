/* config_registry.c -- the `registry` of a configuration, and the schemas that come from it.
 *
 * Only the cache is looked into; see registrar.h for who fills it. What it does not hold is an error here,
 * and counted in wants->n_missing, so that the plugin can tell "not yet" from "wrong".
 *
 * A subject's version is a schema like one from a file. Of an Avro subject every other version that is kept
 * comes along as a variant: a message framed by id may have been written with it.
 */
#include "plugin/config_draft.h"

#include "sinks/registry_whole.h"
#include "validation/json_schema/library.h"
#include "validation/json_schema/uri.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CACHE_FOLDER       "registry"
#define DOCUMENT_MAX_DEPTH 128

/* ---- the section ------------------------------------------------------------------------------------------ */

static const char *keep_text(struct slu_draft *draft, const struct slu_node *section,
                             const char *key)
{
    const char *text = slu_node_text(slu_node_get(section, key), NULL);
    const char *kept =
        text != NULL ? slu_arena_copy(&draft->wants->arena, slu_slice_of(text)) : NULL;

    if (text != NULL && kept == NULL)
        slu_draft_no_memory(draft);
    return kept;
}

static const char *keep_path(struct slu_draft *draft, const char *path)
{
    const char *kept =
        path != NULL ? slu_arena_copy(&draft->wants->arena, slu_slice_of(path)) : NULL;

    if (kept == NULL)
        slu_draft_no_memory(draft);
    return kept;
}

void slu_draft_read_registry(struct slu_draft *draft)
{
    const struct slu_config *config = draft->config;
    const struct slu_node *section = slu_node_get(config->root, "registry");
    const char *ca_file = slu_node_text(slu_node_get(section, "ca_file"), NULL);
    struct slu_registry_options *options = &draft->wants->options;
    struct slu_err err = {0};
    const char *option = "";
    char below[64];

    if (section == NULL || config->data_dir == NULL)
        return;
    options->url = keep_text(draft, section, "url");
    options->username = keep_text(draft, section, "username");
    options->password = keep_text(draft, section, "password");
    options->token = keep_text(draft, section, "token");
    if (ca_file != NULL)
        options->ca_file = keep_path(draft, slu_draft_path(draft, draft->absolute, ca_file));
    options->cache =
        draft->wants->cache != NULL
            ? draft->wants->cache
            : slu_arena_printf(&draft->wants->arena, "%s/" CACHE_FOLDER, config->data_dir);
    options->may_register = slu_node_bool(slu_node_get(section, "register"), false);
    if (options->cache == NULL || options->url == NULL)
        slu_draft_no_memory(draft);
    else if (slu_registry_check(options, &option, &err) != 0) {
        snprintf(below, sizeof(below), "/registry/%s", option);
        slu_draft_tell(draft, false, config->root, "", below, "%s", err.text);
    }
}

static bool add_member(struct slu_draft *draft, struct slu_node *map, struct slu_node_pair *pairs,
                       const char *key, const char *text)
{
    struct slu_node *node = slu_arena_alloc(&draft->config->arena, sizeof(*node));
    const char *kept = slu_arena_copy(&draft->config->arena, slu_slice_of(text));

    if (node == NULL || kept == NULL)
        return false;
    *node = (struct slu_node){
        .kind = SLU_NODE_STRING, .file = draft->config->file, .text = slu_slice_of(kept)};
    pairs[map->n++] = (struct slu_node_pair){.key = slu_slice_of(key), .value = node};
    return true;
}

const struct slu_node *slu_draft_registry_for_sinks(struct slu_draft *draft)
{
    const struct slu_node *section = slu_node_get(draft->config->root, "registry");
    const struct slu_registry_options *options = &draft->wants->options;
    struct slu_arena *arena = &draft->config->arena;

    if (options->url == NULL || section == NULL)
        return NULL;
    struct slu_node *map = slu_arena_alloc(arena, sizeof(*map));
    struct slu_node_pair *pairs = slu_arena_array(arena, section->n + 2, sizeof(*pairs));
    bool good = map != NULL && pairs != NULL;
    if (good) {
        *map = *section;
        map->pairs = pairs;
        map->n = 0;
    }
    for (size_t i = 0; good && i < section->n; i++)
        if (!slu_slice_equal(section->pairs[i].key, SLU_SLICE("ca_file")))
            pairs[map->n++] = section->pairs[i];
    good = good &&
           (options->ca_file == NULL || add_member(draft, map, pairs, "ca_file", options->ca_file));
    good = good && options->cache != NULL && add_member(draft, map, pairs, "cache", options->cache);
    if (!good)
        slu_draft_no_memory(draft);
    return good ? map : NULL;
}

/* ---- schemas ---------------------------------------------------------------------------------------------- */

#define GROW_BY 16

static bool add_want(struct slu_draft *draft, const char *subject, int64_t version, bool all)
{
    struct slu_registry_wants *wants = draft->wants;

    if (wants->n % GROW_BY == 0) {
        struct slu_registry_want *items =
            slu_arena_array(&wants->arena, wants->n + GROW_BY, sizeof(*items));
        if (items == NULL)
            return false;
        if (wants->n > 0)
            memcpy(items, wants->items, wants->n * sizeof(*items));
        wants->items = items;
    }
    const char *kept = slu_arena_copy(&wants->arena, slu_slice_of(subject));
    wants->items[wants->n] = (struct slu_registry_want){kept, version, all};
    wants->n += kept != NULL;
    return kept != NULL;
}

/* "latest" or the number. */
static int64_t wanted_version(const struct slu_node *from)
{
    const struct slu_node *version = slu_node_get(from, "version");

    return version != NULL && version->kind == SLU_NODE_INT ? slu_node_int(version, 1)
                                                            : SLU_REGISTRY_LATEST;
}

static void tell_missing(struct slu_draft *draft, const struct slu_schema_source *source,
                         const char *subject, const char *version)
{
    draft->wants->n_missing++;
    slu_draft_tell(draft, false, source->place, source->pointer, "/registry",
                   "subject \"%s\", version %s is not in the cache %s: start where %s can be "
                   "reached, or run `sluice check --connect` there first",
                   subject, version, draft->wants->options.cache, draft->wants->options.url);
}

/* Everything of `schema` that outlives it. False: told. */
static bool take(struct slu_draft *draft, const struct slu_registry_schema *schema,
                 struct slu_schema_source *source)
{
    struct slu_arena *arena = &draft->config->arena;
    struct slu_err err = {0};

    source->registry_id = schema->id;
    source->file =
        slu_arena_printf(arena, "registry: %s version %" PRId64, schema->subject, schema->version);
    if (source->is_avro)
        source->text = slu_registry_whole(schema, arena, &err);
    else
        source->text = slu_slice(slu_arena_copy(arena, schema->text), schema->text.len);
    if (source->file != NULL && source->text.data != NULL)
        return true;
    if (err.kind == SLU_EINVAL)
        slu_draft_tell(draft, false, source->place, source->pointer, "/registry", "%s", err.text);
    else
        slu_draft_no_memory(draft);
    return false;
}

/* What $ref says of a reference: seen from the schema's own $id. NULL: told. */
static const char *uri_of(struct slu_draft *draft, struct slu_slice text, const char *name)
{
    struct slu_arena *arena = &draft->config->arena;
    struct slu_document *document = slu_document_parse(text, DOCUMENT_MAX_DEPTH, NULL);
    const struct slu_value *id =
        document != NULL ? slu_value_get(document->root, SLU_SLICE("$id")) : NULL;
    struct slu_slice base = {0}, fragment, uri;

    if (id != NULL && slu_value_kind(id) == SLU_VALUE_STRING)
        slu_uri_split(slu_value_text(id), &base, &fragment);
    uri = slu_uri_resolve(arena, base, slu_slice_of(name));
    const char *kept = uri.data != NULL ? slu_arena_copy(arena, uri) : NULL;
    slu_document_free(document);
    if (kept == NULL)
        slu_draft_no_memory(draft);
    return kept;
}

/* The JSON Schemas that `schema` refers to, as if they stood in schema_documents. False: told. */
static bool add_references(struct slu_draft *draft, const struct slu_registry_schema *schema,
                           const struct slu_schema_source *source)
{
    struct slu_arena *arena = &draft->config->arena;

    for (size_t i = 0; i < schema->n_references; i++) {
        const struct slu_registry_reference *reference = &schema->references[i];
        struct slu_err err = {0};
        struct slu_library_document document = {
            .uri = uri_of(draft, schema->text, reference->name),
            .source = slu_arena_printf(arena, "registry: %s version %" PRId64, reference->subject,
                                       reference->version),
            .text = slu_slice(slu_arena_copy(arena, reference->text), reference->text.len)};
        if (document.uri == NULL || document.source == NULL || document.text.data == NULL) {
            slu_draft_no_memory(draft);
            return false;
        }
        const size_t there = slu_library_find(draft->library, slu_slice_of(document.uri));
        if (there != SIZE_MAX &&
            !slu_slice_equal(slu_library_at(draft->library, there)->text, document.text)) {
            slu_draft_tell(draft, false, source->place, source->pointer, "/registry",
                           "refers to \"%s\", and %s is another document of that name",
                           document.uri, slu_library_at(draft->library, there)->source);
            return false;
        }
        if (there != SIZE_MAX || slu_library_add(draft->library, &document, &err) == 0)
            continue;
        if (err.kind == SLU_ENOMEM)
            slu_draft_no_memory(draft);
        else
            slu_draft_tell(draft, false, source->place, source->pointer, "/registry", "%s: %s",
                           document.source, err.text);
        return false;
    }
    return true;
}

/* The subject's other versions that are kept, behind the sources of the file. One that is not Avro, or
 * cannot be put together, is left out: only its own messages miss it. */
static void add_variants(struct slu_draft *draft, size_t i, const char *subject, int64_t version)
{
    int64_t versions[SLU_REGISTRAR_VERSIONS];
    const size_t n = slu_registry_cached_versions(&draft->wants->options, subject, version,
                                                  versions, SLU_REGISTRAR_VERSIONS);

    for (size_t v = 0; v < n && draft->n_sources < draft->room_sources; v++) {
        struct slu_registry_schema *schema =
            versions[v] == version
                ? NULL
                : slu_registry_cached(&draft->wants->options, -1, subject, versions[v]);
        struct slu_schema_source *variant = &draft->sources[draft->n_sources];
        struct slu_err err = {0};
        if (schema == NULL)
            continue;
        *variant = draft->sources[i];
        variant->variant_of = i + 1;
        variant->registry_id = schema->id;
        variant->file = slu_arena_printf(&draft->config->arena, "registry: %s version %" PRId64,
                                         subject, versions[v]);
        variant->text = schema->type == SLU_REGISTRY_AVRO
                            ? slu_registry_whole(schema, &draft->config->arena, &err)
                            : slu_slice(NULL, 0);
        draft->n_sources += variant->file != NULL && variant->text.len > 0;
        slu_registry_schema_free(schema);
    }
}

bool slu_draft_read_from_registry(struct slu_draft *draft, size_t i)
{
    struct slu_schema_source *source = &draft->sources[i];
    const struct slu_node *from = slu_node_get(source->place, "registry");
    const char *subject = slu_node_text(slu_node_get(from, "subject"), "");
    const int64_t version = wanted_version(from);
    char number[32];

    if (draft->wants->options.url == NULL) {
        if (slu_node_get(draft->config->root, "registry") == NULL)
            slu_draft_tell_key(draft, source->place, source->pointer, "/registry",
                               "needs the `registry` that it comes from: there is none at the top "
                               "of the configuration");
        return false;
    }
    if (!add_want(draft, subject, version, source->is_avro)) {
        slu_draft_no_memory(draft);
        return false;
    }
    struct slu_registry_schema *schema =
        slu_registry_cached(&draft->wants->options, -1, subject, version);
    if (schema == NULL) {
        snprintf(number, sizeof(number), "%" PRId64, version);
        tell_missing(draft, source, subject, version == SLU_REGISTRY_LATEST ? "latest" : number);
        return false;
    }
    const bool is_avro = schema->type == SLU_REGISTRY_AVRO;
    const int64_t found = schema->version;
    bool good = is_avro == source->is_avro;
    if (!good)
        slu_draft_tell(draft, false, source->place, source->pointer, "/registry",
                       "subject \"%s\" is of type %s: write `type: %s`", subject,
                       slu_registry_type_names[schema->type], is_avro ? "avro" : "json-schema");
    good =
        good && take(draft, schema, source) && (is_avro || add_references(draft, schema, source));
    slu_registry_schema_free(schema);
    if (good && is_avro)
        add_variants(draft, i, subject, found);
    return good;
}
