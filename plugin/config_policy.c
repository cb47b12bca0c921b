/* config_policy.c -- the `policies` of a configuration, as options for slu_snapshot_compile(), which
 * knows what makes sense (validation/policy.h). Here it is only said what was written. */
#include "plugin/config_draft.h"

#include <stdio.h>
#include <string.h>

#define MIB               (INT64_C(1) << 20)
#define MAX_PAYLOAD_LIMIT (3 * MIB) /* a record of it, envelope included, fits the spool's ring */

/* The actions that exclude each other, in the order of enum slu_action. */
static const char *const action_keys[] = {"reroute", "drop", "disconnect", "pass"};

/* The texts of a list (or of a single string) as slices in the arena. */
static bool read_texts(struct slu_arena *arena, const struct slu_node *node,
                       const struct slu_slice **texts, size_t *n)
{
    const bool is_list = node != NULL && node->kind == SLU_NODE_LIST;
    const size_t count = node == NULL ? 0 : is_list ? node->n : 1;
    struct slu_slice *slices = slu_arena_array(arena, count + 1, sizeof(*slices));

    if (slices == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        slices[i] = is_list ? node->items[i]->text : node->text;
    *texts = slices;
    *n = count;
    return true;
}

static bool read_formats(struct slu_arena *arena, const struct slu_node *node,
                         struct slu_policy_options *options)
{
    const struct slu_slice *names;
    enum slu_format *formats;

    if (!read_texts(arena, node, &names, &options->n_formats))
        return false;
    formats = slu_arena_array(arena, options->n_formats + 1, sizeof(*formats));
    if (formats == NULL)
        return false;
    for (size_t i = 0; i < options->n_formats; i++)
        for (size_t f = 0; f < SLU_FORMATS; f++)
            if (slu_slice_equal(names[i], slu_slice_of(slu_format_names[f])))
                formats[i] = (enum slu_format)f;
    options->formats = formats;
    return true;
}

static enum slu_avro_framing read_framing(const struct slu_node *node)
{
    const char *name = slu_node_text(node, slu_avro_framing_names[SLU_AVRO_AUTO]);

    for (int i = 0; i < SLU_AVRO_FRAMINGS; i++)
        if (strcmp(name, slu_avro_framing_names[i]) == 0)
            return (enum slu_avro_framing)i;
    return SLU_AVRO_AUTO;
}

static bool read_schema(struct slu_draft *draft, const struct slu_node *policy,
                        struct slu_policy_options *options)
{
    const struct slu_node *node = slu_node_get(policy, "schema");
    const struct slu_node *all = slu_node_get(node, "all_of"), *any = slu_node_get(node, "any_of");

    if (node != NULL && node->kind == SLU_NODE_MAP) {
        if ((all == NULL) == (any == NULL))
            slu_draft_tell(draft, false, policy, options->pointer, "/schema",
                           "must have either all_of or any_of");
        options->any_schema = any != NULL;
        node = any != NULL ? any : all;
    }
    return read_texts(&draft->config->arena, node, &options->schemas, &options->n_schemas);
}

/* A bound's JSON number text; the empty slice when it is absent. */
static struct slu_slice number_text(const struct slu_node *row, const char *key)
{
    const struct slu_node *node = slu_node_get(row, key);
    return node != NULL ? node->text : slu_slice(NULL, 0);
}

static bool read_limits(struct slu_arena *arena, const struct slu_node *list,
                        struct slu_policy_options *options)
{
    const size_t n = list != NULL ? list->n : 0;
    struct slu_limit *limits = slu_arena_array(arena, n + 1, sizeof(*limits));

    if (limits == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct slu_node *row = list->items[i];
        limits[i] = (struct slu_limit){
            .field = slu_slice_of(slu_node_text(slu_node_get(row, "field"), "")),
            .min = number_text(row, "min"),
            .max = number_text(row, "max"),
            .exclusive_min = number_text(row, "exclusive_min"),
            .exclusive_max = number_text(row, "exclusive_max"),
            .required = slu_node_bool(slu_node_get(row, "required"), false),
        };
    }
    options->limits = limits;
    options->n_limits = n;
    return true;
}

static void read_timestamp(const struct slu_node *node, struct slu_policy_options *options)
{
    const struct slu_slice unit = slu_slice_of(
        slu_node_text(slu_node_get(node, "unit"), slu_time_unit_names[SLU_TIME_MILLISECONDS]));

    options->has_timestamp = node != NULL;
    options->timestamp_field = slu_slice_of(slu_node_text(slu_node_get(node, "field"), ""));
    for (size_t i = 0; i < SLU_TIME_UNITS; i++)
        if (slu_slice_equal(unit, slu_slice_of(slu_time_unit_names[i])))
            options->timestamp_unit = (enum slu_time_unit)i;
}

/* Exactly one action; none is a reroute. */
static void read_action(struct slu_draft *draft, const struct slu_node *policy,
                        struct slu_policy_options *options)
{
    const struct slu_node *map = slu_node_get(policy, "on_violation");
    const char *first = NULL;

    options->action = SLU_ACTION_REROUTE;
    for (size_t p = 0; map != NULL && p < map->n; p++) {
        for (size_t a = 0; a < sizeof(action_keys) / sizeof(action_keys[0]); a++) {
            char below[64];
            if (!slu_slice_equal(map->pairs[p].key, slu_slice_of(action_keys[a])))
                continue;
            if (first == NULL) {
                first = action_keys[a];
                options->action = (enum slu_action)a;
                continue;
            }
            snprintf(below, sizeof(below), "/on_violation/%s", action_keys[a]);
            slu_draft_tell_key(
                draft, policy, options->pointer, below,
                "\"%s\" and \"%s\" exclude each other: a violation does one of reroute, "
                "drop, disconnect and pass",
                first, action_keys[a]);
        }
    }
    options->payload_original =
        strcmp(slu_node_text(slu_node_get(map, "payload"), "alert"), "original") == 0;
    options->reroute = slu_slice_of(slu_node_text(slu_node_get(map, "reroute"), NULL));
    options->publish = slu_slice_of(slu_node_text(slu_node_get(map, "publish"), NULL));
}

static enum slu_mode read_mode(const struct slu_node *node)
{
    const char *name = slu_node_text(node, slu_mode_names[SLU_MODE_ENFORCE]);

    for (size_t i = 0; i < sizeof(slu_mode_names) / sizeof(slu_mode_names[0]); i++)
        if (strcmp(name, slu_mode_names[i]) == 0)
            return (enum slu_mode)i;
    return SLU_MODE_ENFORCE;
}

static bool read_policy(struct slu_draft *draft, size_t i, const struct slu_node *policy,
                        struct slu_policy_options *options)
{
    struct slu_arena *arena = &draft->config->arena;

    options->place = policy;
    options->pointer = slu_arena_printf(arena, "/policies/%zu", i);
    if (options->pointer == NULL)
        return false;
    options->id = slu_slice_of(slu_node_text(slu_node_get(policy, "id"), ""));
    options->mode = read_mode(slu_node_get(policy, "mode"));
    options->framing = read_framing(slu_node_get(policy, "framing"));
    options->allow_alert_topics = slu_node_bool(slu_node_get(policy, "allow_alert_topics"), false);
    options->sinks = slu_draft_sinks(draft, policy, options->pointer, "/to");
    options->violation_sinks = slu_draft_sinks(draft, policy, options->pointer, "/on_violation/to");
    slu_draft_check_violation_sinks(draft, policy, options->pointer);
    read_action(draft, policy, options);
    read_timestamp(slu_node_get(policy, "timestamp"), options);
    return read_texts(arena, slu_node_get(policy, "topics"), &options->topics,
                      &options->n_topics) &&
           read_texts(arena, slu_node_get(policy, "exclude"), &options->excludes,
                      &options->n_excludes) &&
           read_formats(arena, slu_node_get(policy, "payload"), options) &&
           read_schema(draft, policy, options) &&
           read_limits(arena, slu_node_get(policy, "limits"), options);
}

static void compile(struct slu_draft *draft, const struct slu_policy_options *policies, size_t n)
{
    struct slu_config *config = draft->config;
    const struct slu_snapshot_options options = {
        .instance = slu_slice_of(config->instance),
        .max_payload = (size_t)slu_draft_size(draft, config->root, "", "max_payload", 1,
                                              MAX_PAYLOAD_LIMIT, MIB),
        .schemas = draft->sources,
        .n_schemas = config->n_schemas,
        .library = draft->library,
        .policies = policies,
        .n_policies = n,
    };

    config->snapshot = slu_snapshot_compile(&options, draft->problems);
}

bool slu_draft_read_policies(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const struct slu_node *list = slu_node_get(config->root, "policies");
    const size_t n = list != NULL && list->kind == SLU_NODE_LIST ? list->n : 0;
    struct slu_policy_options *policies = slu_arena_array(&config->arena, n + 1, sizeof(*policies));
    size_t n_sound = 0;

    if (policies == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!slu_draft_is_sound(draft, list->items[i]))
            continue;
        if (!read_policy(draft, i, list->items[i], &policies[n_sound++])) {
            slu_draft_no_memory(draft);
            return false;
        }
    }
    compile(draft, policies, n_sound);
    return true;
}
