/* config_typed.c -- do policies let through what a sink's Avro schema cannot hold? Those payloads would
 * be dead letters; a warning at the policy's `to` says which, where it can be said for sure:
 *
 *   policy ── JSON Schema, limits, timestamp ──┐
 *                                              ├─ validation/avro/gap.h ──▶ warnings
 *   sink ──── value: avro, schema ─────────────┘
 *
 * With all_of one schema may forbid what another one allows, and a policy that reads several formats
 * may get what JSON would not say: those are not judged.
 */
#include "plugin/config_draft.h"

#include "validation/avro/gap.h"

#include <stdio.h>
#include <string.h>

/* A policy that sends to a typed sink. */
struct pair {
    struct slu_draft *draft;
    const struct slu_config_sink *sink;
    const struct slu_policy_options *policy;
    const struct slu_avro_schema *avro;
    const char *schema; /* of the policy, at hand */
};

static void tell_gap(void *context, const char *pointer, const char *what)
{
    const struct pair *pair = context;

    slu_draft_tell(pair->draft, true, pair->policy->place, pair->policy->pointer, "/to",
                   "\"%s\" allows %s (at \"%s\"): no value of %s, a dead letter of sink \"%s\"",
                   pair->schema, what, pointer, slu_avro_schema_name(pair->avro), pair->sink->name);
}

/* What looks at the payload besides its schema. */
static bool collect_others(const struct pair *pair, struct slu_avro_gap_options *options)
{
    const struct slu_policy_options *policy = pair->policy;
    struct slu_slice *others =
        slu_arena_array(&pair->draft->config->arena, policy->n_limits + 1, sizeof(*others));

    if (others == NULL)
        return false;
    for (size_t i = 0; i < policy->n_limits; i++)
        others[options->n_others++] = policy->limits[i].field;
    if (policy->has_timestamp)
        others[options->n_others++] = policy->timestamp_field;
    options->others = others;
    return true;
}

static const struct slu_schema_source *source_named(const struct slu_draft *draft,
                                                    struct slu_slice name)
{
    for (size_t i = 0; i < draft->config->n_schemas; i++)
        if (slu_slice_equal(slu_slice_of(draft->config->schemas[i].name), name))
            return &draft->sources[i];
    return NULL;
}

static bool is_said(const struct slu_node *section, const char *key, const char *word)
{
    return strcmp(slu_node_text(slu_node_get(section, key), ""), word) == 0;
}

static void check_pair(struct pair *pair)
{
    const struct slu_policy_options *policy = pair->policy;
    const struct slu_node *section = pair->sink->section;
    struct slu_avro_gap_options options = {
        .encoding = {
            .dialect = is_said(section, "unions", "avro_json") ? SLU_AVRO_JSON : SLU_AVRO_NATURAL,
            .drop_unknown = is_said(section, "unknown_fields", "drop"),
        }};

    if (policy->n_schemas == 0 && policy->n_limits == 0 && !policy->has_timestamp)
        slu_draft_tell(
            pair->draft, true, policy->place, policy->pointer, "/to",
            "nothing says what the payload is, and sink \"%s\" takes values of %s alone: "
            "what is none is a dead letter; give the policy a schema",
            pair->sink->name, slu_avro_schema_name(pair->avro));
    if (policy->n_schemas > 1 && !policy->any_schema)
        return;
    if (!collect_others(pair, &options)) {
        slu_draft_no_memory(pair->draft);
        return;
    }
    for (size_t i = 0; i < policy->n_schemas; i++) {
        const struct slu_schema_source *source = source_named(pair->draft, policy->schemas[i]);
        if (source == NULL || source->is_avro || source->broken)
            continue;
        pair->schema = slu_arena_copy(&pair->draft->config->arena, policy->schemas[i]);
        if (pair->schema != NULL)
            slu_avro_gaps(pair->avro, source->text, &options, tell_gap, pair);
    }
}

static bool is_json_alone(const struct slu_policy_options *policy)
{
    return policy->n_formats == 0 ||
           (policy->n_formats == 1 && policy->formats[0] == SLU_FORMAT_JSON);
}

static void check_sink(struct slu_draft *draft, size_t sink, const struct slu_avro_schema *avro,
                       const struct slu_policy_options *policies, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct pair pair = {.draft = draft,
                            .sink = &draft->config->sinks[sink],
                            .policy = &policies[i],
                            .avro = avro};
        if ((policies[i].sinks >> pair.sink->bit & 1) != 0 && policies[i].mode != SLU_MODE_OFF &&
            is_json_alone(&policies[i]))
            check_pair(&pair);
    }
}

void slu_draft_check_typed(struct slu_draft *draft, const struct slu_policy_options *policies,
                           size_t n)
{
    for (size_t i = 0; i < draft->config->n_sinks && draft->problems->n_errors == 0; i++) {
        const struct slu_node *document =
            slu_node_get(draft->config->sinks[i].section, "schema_document");
        const struct slu_avro_schema_options options = {
            .name = slu_node_text(slu_node_get(document, "name"), ""),
            .source = slu_node_text(slu_node_get(document, "file"), ""),
            .registry_id = -1,
            .no_second_opinion = true,
        };
        struct slu_problems quiet; /* they were told when the sink was checked */
        if (document == NULL)
            continue;
        slu_problems_init(&quiet);
        struct slu_avro_schema *avro = slu_avro_schema_compile(
            slu_slice_of(slu_node_text(slu_node_get(document, "text"), "")), &options, &quiet);
        slu_problems_fini(&quiet);
        if (avro != NULL)
            check_sink(draft, i, avro, policies, n);
        slu_avro_schema_free(avro);
    }
}
