/* config_sink.c -- the `sinks` of a configuration. What belongs to every sink is read here; the rest
 * of its section is the sink's own, with paths made absolute. */
#include "plugin/config_draft.h"

#include "base/hash.h"
#include "plugin/config_say.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MS            INT64_C(1000000)
#define ADDED_MEMBERS 3 /* of a section: policies, schema_document, registry */

static const struct {
    const char *name;
    enum slu_when_full when_full;
} when_full_names[] = {{"drop_oldest", SLU_FULL_DROP_OLDEST},
                       {"drop_newest", SLU_FULL_DROP_NEWEST},
                       {"refuse", SLU_FULL_REFUSE}};

static enum slu_when_full read_when_full(const struct slu_node *section)
{
    const struct slu_slice name =
        slu_slice_of(slu_node_text(slu_node_get(section, "when_full"), "drop_oldest"));

    for (size_t i = 0; i < sizeof(when_full_names) / sizeof(when_full_names[0]); i++)
        if (slu_slice_equal(name, slu_slice_of(when_full_names[i].name)))
            return when_full_names[i].when_full;
    return SLU_FULL_DROP_OLDEST;
}

/* Does the section say the same as before? The seed is fixed: both are this process's. */
static uint64_t fingerprint(const struct slu_node *section)
{
    struct slu_buf json;

    slu_buf_init(&json, (size_t)64 << 20);
    slu_node_json(section, &json);
    const uint64_t hash = slu_hash_bytes(SLU_HASH_A, slu_buf_text(&json), json.len);
    slu_buf_fini(&json);
    return hash;
}

static bool is_path(struct slu_slice key)
{
    static const char *const keys[] = {"path", "password_file"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (slu_slice_equal(key, slu_slice_of(keys[i])))
            return true;
    return false;
}

/* A property of librdkafka that names a file: ssl.ca.location and the like. */
static bool is_path_property(struct slu_slice key, const struct slu_node *value)
{
    static const char *const ends[] = {".location", ".keytab"};

    if (slu_slice_equal(slu_slice_of(slu_node_text(value, "")), SLU_SLICE("probe")))
        return false; /* ssl.ca.location: look where the system keeps them */
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const size_t n = strlen(ends[i]);
        if (key.len > n && memcmp(key.data + key.len - n, ends[i], n) == 0)
            return true;
    }
    return false;
}

static const struct slu_node *absolute(struct slu_draft *draft, const struct slu_node *node)
{
    struct slu_node *value = slu_arena_alloc(&draft->config->arena, sizeof(*value));
    const char *path = slu_draft_path(draft, draft->absolute, slu_node_text(node, ""));

    if (value == NULL || path == NULL)
        return NULL;
    *value = *node;
    value->text = slu_slice_of(path);
    return value;
}

static const struct slu_node *with_absolute_properties(struct slu_draft *draft,
                                                       const struct slu_node *map)
{
    struct slu_arena *arena = &draft->config->arena;
    struct slu_node_pair *pairs = slu_arena_array(arena, map->n + 1, sizeof(*pairs));
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));

    if (pairs == NULL || copy == NULL)
        return NULL;
    *copy = *map;
    copy->pairs = pairs;
    for (size_t i = 0; i < map->n; i++) {
        pairs[i] = map->pairs[i];
        if (is_path_property(pairs[i].key, pairs[i].value))
            pairs[i].value = absolute(draft, pairs[i].value);
        if (pairs[i].value == NULL)
            return NULL;
    }
    return copy;
}

/* The section with absolute paths, so that a sink need not know the configuration's folder. */
static struct slu_node *with_absolute_paths(struct slu_draft *draft, const struct slu_node *section,
                                            struct slu_node_pair **last)
{
    struct slu_arena *arena = &draft->config->arena;
    struct slu_node_pair *pairs =
        slu_arena_array(arena, section->n + ADDED_MEMBERS, sizeof(*pairs));
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));

    if (pairs == NULL || copy == NULL)
        return NULL;
    *copy = *section;
    copy->pairs = pairs;
    for (size_t i = 0; i < section->n; i++) {
        pairs[i] = section->pairs[i];
        if (is_path(pairs[i].key))
            pairs[i].value = absolute(draft, pairs[i].value);
        else if (slu_slice_equal(pairs[i].key, SLU_SLICE("properties")) &&
                 pairs[i].value->kind == SLU_NODE_MAP)
            pairs[i].value = with_absolute_properties(draft, pairs[i].value);
        if (pairs[i].value == NULL)
            return NULL;
    }
    *last = &pairs[section->n];
    return copy;
}

/* What a sink may know of the policies: a list of {id, topics, timestamp}, their own nodes. */
static const struct slu_node *policies_for_sinks(struct slu_draft *draft)
{
    static const char *const keys[] = {"id", "topics", "timestamp"};
    const struct slu_node *list = slu_node_get(draft->config->root, "policies");
    const size_t n = list != NULL && list->kind == SLU_NODE_LIST ? list->n : 0;
    struct slu_arena *arena = &draft->config->arena;
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));
    struct slu_node *maps = slu_arena_array(arena, n + 1, sizeof(*maps));
    const struct slu_node **items = slu_arena_array(arena, n + 1, sizeof(*items));
    struct slu_node_pair *pairs =
        slu_arena_array(arena, n * (sizeof(keys) / sizeof(keys[0])) + 1, sizeof(*pairs));

    if (copy == NULL || maps == NULL || items == NULL || pairs == NULL)
        return NULL;
    *copy = (struct slu_node){.kind = SLU_NODE_LIST, .file = draft->config->file, .items = items};
    for (size_t i = 0; i < n; i++) {
        struct slu_node *map = &maps[copy->n];
        if (!slu_draft_is_sound(draft, list->items[i]))
            continue;
        *map = *list->items[i];
        map->pairs = pairs;
        map->n = 0;
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            const struct slu_node *value = slu_node_get(list->items[i], keys[k]);
            if (value == NULL)
                continue;
            *pairs++ = (struct slu_node_pair){.key = slu_slice_of(keys[k]), .value = value};
            map->n++;
        }
        items[copy->n++] = map;
    }
    return copy;
}

static void read_batch(struct slu_draft *draft, const struct slu_node *section, const char *pointer,
                       struct slu_config_sink *sink)
{
    const struct slu_node *batch = slu_node_get(section, "batch");
    char below[160];

    if (batch == NULL)
        return;
    snprintf(below, sizeof(below), "%s/batch", pointer);
    sink->batch_records = (size_t)slu_node_int(slu_node_get(batch, "rows"), 0);
    if (slu_node_get(batch, "time") != NULL)
        sink->batch_time_ns = slu_draft_duration(draft, batch, below, "time", MS, 60000 * MS, 0);
}

/* The pointer of the node that stands at a place, appended to `pointer`. */
static bool find_pointer(const struct slu_node *node, unsigned line, unsigned column, char *pointer,
                         size_t size)
{
    const size_t at = strlen(pointer);

    if (node->line == line && node->column == column)
        return true;
    for (size_t i = 0; i < node->n; i++) {
        char above[256];
        snprintf(above, sizeof(above), "%.*s", (int)(at < 255 ? at : 255), pointer);
        if (node->kind == SLU_NODE_MAP)
            slu_draft_pointer(pointer, size, above, node->pairs[i].key);
        else
            snprintf(pointer, size, "%s/%zu", above, i);
        const struct slu_node *member =
            node->kind == SLU_NODE_MAP ? node->pairs[i].value : node->items[i];
        if (find_pointer(member, line, column, pointer, size))
            return true;
        pointer[at] = '\0';
    }
    return false;
}

/* A sink knows the places of its options, but not where its section hangs: pointers are added here. */
static void check_by_sink(struct slu_draft *draft, const struct slu_config_sink *sink,
                          const char *pointer)
{
    struct slu_problems *problems = draft->problems;
    const size_t before = problems->n;

    if (sink->ops->check != NULL)
        sink->ops->check(sink->section, problems);
    for (size_t i = before; i < problems->n; i++) {
        struct slu_err *err = &problems->items[i].err;
        if (err->pointer[0] != '\0')
            continue;
        snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
        find_pointer(sink->section, err->line, err->column, err->pointer, sizeof(err->pointer));
    }
}

/* ---- the schema of a typed topic ------------------------------------------------------------------------ */

static void tell_no_schema(struct slu_draft *draft, const struct slu_node *section,
                           const char *pointer, struct slu_slice name)
{
    const struct slu_config *config = draft->config;
    const char **names =
        slu_arena_array(&draft->config->arena, config->n_schemas + 1, sizeof(*names));
    struct slu_buf sentence;

    slu_buf_init(&sentence, SLU_SAY_MAX_BYTES);
    slu_buf_printf(&sentence, "there is no schema \"%.*s\"", SLU_SLICE_ARG(name));
    if (config->n_schemas == 0)
        slu_buf_add_text(&sentence, ": the configuration has no schemas");
    for (size_t i = 0; names != NULL && i < config->n_schemas; i++)
        names[i] = config->schemas[i].name;
    if (names != NULL)
        slu_say_nearest(&sentence, name, names, config->n_schemas);
    slu_draft_tell(draft, false, section, pointer, "/schema", "%s", slu_buf_text(&sentence));
    slu_buf_fini(&sentence);
}

/* The place of the Avro schema that the section names; n_schemas: none, or one that is broken. Told. */
static size_t find_avro_schema(struct slu_draft *draft, const struct slu_node *section,
                               const char *pointer)
{
    const struct slu_config *config = draft->config;
    const struct slu_slice name = slu_slice_of(slu_node_text(slu_node_get(section, "schema"), ""));
    size_t i = 0;

    while (i < config->n_schemas && !slu_slice_equal(slu_slice_of(config->schemas[i].name), name))
        i++;
    if (i == config->n_schemas)
        tell_no_schema(draft, section, pointer, name);
    else if (!draft->sources[i].is_avro)
        slu_draft_tell(draft, false, section, pointer, "/schema",
                       "\"%.*s\" is a JSON Schema, and values are encoded with an Avro schema",
                       SLU_SLICE_ARG(name));
    else if (!draft->sources[i].broken)
        return i;
    return config->n_schemas;
}

static struct slu_node *text_node(struct slu_draft *draft, struct slu_slice text)
{
    struct slu_node *node = slu_arena_alloc(&draft->config->arena, sizeof(*node));

    if (node != NULL)
        *node =
            (struct slu_node){.kind = SLU_NODE_STRING, .file = draft->config->file, .text = text};
    return node;
}

/* The schema for sinks: {name, file, text, registry_id}. NULL: no memory. */
static const struct slu_node *schema_document(struct slu_draft *draft, size_t i)
{
    const struct slu_schema_source *source = &draft->sources[i];
    struct slu_arena *arena = &draft->config->arena;
    struct slu_node *map = slu_arena_alloc(arena, sizeof(*map));
    struct slu_node_pair *pairs = slu_arena_array(arena, 4, sizeof(*pairs));
    const char *id = slu_arena_printf(arena, "%lld", (long long)source->registry_id);

    if (map == NULL || pairs == NULL || id == NULL)
        return NULL;
    pairs[0] = (struct slu_node_pair){
        .key = SLU_SLICE("name"),
        .value = text_node(draft, slu_slice_of(draft->config->schemas[i].name))};
    pairs[1] = (struct slu_node_pair){.key = SLU_SLICE("file"),
                                      .value = text_node(draft, slu_slice_of(source->file))};
    pairs[2] =
        (struct slu_node_pair){.key = SLU_SLICE("text"), .value = text_node(draft, source->text)};
    struct slu_node *number = text_node(draft, slu_slice_of(id));
    if (pairs[0].value == NULL || pairs[1].value == NULL || pairs[2].value == NULL ||
        number == NULL)
        return NULL;
    number->kind = SLU_NODE_INT;
    pairs[3] = (struct slu_node_pair){.key = SLU_SLICE("registry_id"), .value = number};
    *map = (struct slu_node){.kind = SLU_NODE_MAP,
                             .file = draft->config->file,
                             .pairs = pairs,
                             .n = source->registry_id >= 0 ? 4 : 3};
    return map;
}

/* False: no memory. Without a document the section says nothing of it; told. */
static bool add_schema_document(struct slu_draft *draft, struct slu_node *copy,
                                struct slu_node_pair *last, const char *pointer)
{
    const size_t i = find_avro_schema(draft, copy, pointer);

    if (i == draft->config->n_schemas)
        return true;
    *last = (struct slu_node_pair){.key = SLU_SLICE("schema_document"),
                                   .value = schema_document(draft, i)};
    copy->n++;
    if (last->value == NULL)
        return false;
    const struct slu_node *registry = slu_draft_registry_for_sinks(draft);
    if (registry != NULL) {
        last[1] = (struct slu_node_pair){.key = SLU_SLICE("registry"), .value = registry};
        copy->n++;
    }
    return true;
}

/* The section as the sink gets it; NULL: no memory. */
static const struct slu_node *section_for(struct slu_draft *draft, const struct slu_node *section,
                                          const char *pointer, const struct slu_sink_ops *ops,
                                          const struct slu_node *policies)
{
    struct slu_node_pair *last;
    struct slu_node *copy = with_absolute_paths(draft, section, &last);

    if (copy == NULL || ops == NULL)
        return copy;
    if (ops->wants_policies) {
        *last++ = (struct slu_node_pair){.key = SLU_SLICE("policies"), .value = policies};
        copy->n++;
    }
    if (ops->wants_schema && slu_node_get(section, "schema") != NULL &&
        !add_schema_document(draft, copy, last, pointer))
        return NULL;
    return copy;
}

static bool read_sink(struct slu_draft *draft, const struct slu_node_pair *pair,
                      const struct slu_node *policies, struct slu_config_sink *sink)
{
    char pointer[128];

    slu_draft_pointer(pointer, sizeof(pointer), "/sinks", pair->key);
    sink->name = slu_arena_copy(&draft->config->arena, pair->key);
    sink->ops = slu_sink_find(slu_node_text(slu_node_get(pair->value, "type"), ""));
    sink->section = section_for(draft, pair->value, pointer, sink->ops, policies);
    if (sink->name == NULL || sink->section == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    sink->when_full = read_when_full(pair->value);
    sink->fingerprint = fingerprint(sink->section);
    read_batch(draft, pair->value, pointer, sink);
    if (sink->ops == NULL)
        slu_draft_tell(draft, false, pair->value, pointer, "/type",
                       "this build has no such sink; it has %s", slu_sink_types());
    else
        check_by_sink(draft, sink, pointer);
    return true;
}

/* Two sinks of one path would write each other's files; names keep them apart, so it is no error. */
bool slu_draft_read_sinks(struct slu_draft *draft, slu_config_bit *bit, void *context)
{
    struct slu_config *config = draft->config;
    const struct slu_node *map = slu_node_get(config->root, "sinks");
    const size_t n = map != NULL && map->kind == SLU_NODE_MAP ? map->n : 0;

    config->sinks = slu_arena_array(&config->arena, n + 1, sizeof(config->sinks[0]));
    const struct slu_node *policies = policies_for_sinks(draft);
    if (config->sinks == NULL || policies == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    config->n_sinks = n;
    for (size_t i = 0; i < n; i++) {
        struct slu_config_sink *sink = &config->sinks[i];
        sink->bit = (int)i;
        if (slu_draft_is_sound(draft, map->pairs[i].value) &&
            !read_sink(draft, &map->pairs[i], policies, sink))
            return false;
    }
    if (bit == NULL || draft->problems->n_errors != 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        struct slu_err err = {0};
        config->sinks[i].bit = bit(context, &config->sinks[i], &err);
        if (config->sinks[i].bit >= 0 && config->sinks[i].bit < 64)
            continue;
        config->sinks[i].bit = 0;
        slu_draft_tell(draft, false, map->pairs[i].value, "/sinks", "", "%s", err.text);
    }
    return true;
}

/* ---- lists of sinks -------------------------------------------------------------------------------------- */

static void tell_unknown(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *below, struct slu_slice name)
{
    const struct slu_node *map = slu_node_get(draft->config->root, "sinks");
    const char *names[SLU_SINKS_MAX];
    struct slu_buf sentence;
    size_t n = 0;

    for (size_t i = 0; map != NULL && map->kind == SLU_NODE_MAP && i < map->n && n < SLU_SINKS_MAX;
         i++)
        names[n++] = slu_arena_copy(&draft->config->arena, map->pairs[i].key);
    slu_buf_init(&sentence, SLU_SAY_MAX_BYTES);
    slu_buf_printf(&sentence, "there is no sink \"%.*s\"", SLU_SLICE_ARG(name));
    if (n == 0)
        slu_buf_add_text(&sentence, ": the configuration has no sinks");
    slu_say_nearest(&sentence, name, names, n);
    slu_draft_tell(draft, false, section, pointer, below, "%s", slu_buf_text(&sentence));
    slu_buf_fini(&sentence);
}

uint64_t slu_draft_sinks(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *below)
{
    const struct slu_node *map = slu_node_get(draft->config->root, "sinks");
    bool exact;
    const struct slu_node *list = slu_node_at(section, below, &exact, NULL);
    const size_t n_sinks = map != NULL && map->kind == SLU_NODE_MAP ? map->n : 0;
    uint64_t bits = 0;

    if (!exact || list->kind != SLU_NODE_LIST)
        return 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct slu_slice name = list->items[i]->text;
        size_t s = 0;
        char item[160];
        while (s < n_sinks && !slu_slice_equal(map->pairs[s].key, name))
            s++;
        if (s < n_sinks) {
            bits |= UINT64_C(1) << (draft->config->sinks[s].bit & 63);
            continue;
        }
        snprintf(item, sizeof(item), "%s/%zu", below, i);
        tell_unknown(draft, section, pointer, item, name);
    }
    return bits;
}

void slu_draft_check_violation_sinks(struct slu_draft *draft, const struct slu_node *policy,
                                     const char *pointer)
{
    const struct slu_config *config = draft->config;
    const struct slu_node *list = slu_node_get(slu_node_get(policy, "on_violation"), "to");

    for (size_t i = 0; list != NULL && list->kind == SLU_NODE_LIST && i < list->n; i++) {
        char below[64];
        for (size_t s = 0; s < config->n_sinks; s++) {
            const struct slu_config_sink *sink = &config->sinks[s];
            if (sink->name == NULL || sink->ops == NULL || sink->ops->takes_messages_only == NULL ||
                !slu_slice_equal(list->items[i]->text, slu_slice_of(sink->name)) ||
                !sink->ops->takes_messages_only(sink->section))
                continue;
            snprintf(below, sizeof(below), "/on_violation/to/%zu", i);
            slu_draft_tell(draft, false, policy, pointer, below,
                           "sink \"%s\" takes messages only, no violations: name one that "
                           "takes both",
                           sink->name);
        }
    }
}
