/* kafka_registry.c -- the registry's id before the values of a topic, one a topic.
 *
 *   push    the topic's id is in memory ──▶ value          not: push ends there
 *   settle  then asks for it: LIVE, or AWAY (no registry) or PAUSED (it refuses: somebody has to act)
 *
 * So nothing of that topic is sent before its id is known, what comes behind it waits with it (order), and
 * nothing is lost. A schema that has an id already, and may not be registered, goes with that id.
 */
#include "sinks/kafka_inside.h"

#include "base/clock.h"

#include <string.h>

#define PATIENCE_NS (2 * SLU_NS_PER_S) /* a sink that is stopped must not wait longer */

int slu_kafka_registry_open(const struct slu_node *section, const struct slu_typed *typed,
                            struct slu_registry_ids **ids, struct slu_err *err)
{
    const struct slu_node *registry = slu_node_get(section, "registry");
    struct slu_registry_options options;

    *ids = NULL;
    if (typed == NULL || registry == NULL || !slu_typed_wants_id(typed))
        return 0;
    slu_registry_options_of(registry, &options);
    if (!options.may_register && slu_typed_id(typed) >= 0)
        return 0;
    *ids = slu_registry_ids_new(&options, SLU_REGISTRY_AVRO, slu_typed_text(typed), err);
    return *ids != NULL ? 0 : -1;
}

enum slu_sink_answer slu_kafka_registry_ask(struct slu_kafka *kafka, struct slu_err *err)
{
    struct slu_err why = {.kind = SLU_OK};
    int64_t id;

    if (slu_registry_ids_find(kafka->ids, kafka->id_topic, slu_clock_mono_ns() + PATIENCE_NS, &id,
                              &why) == 0) {
        kafka->id_topic[0] = '\0';
        return SLU_SINK_LIVE;
    }
    slu_err_set(err, why.kind, "the id of the schema for topic %s: %s", kafka->id_topic, why.text);
    return slu_registry_wants_action(why.kind) ? SLU_SINK_PAUSED : SLU_SINK_AWAY;
}

/* Not registered yet: would it be taken? */
static void look_at_compatibility(struct slu_registry_ids *ids, const char *topic,
                                  int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    struct slu_err err = {.kind = SLU_OK};
    bool compatible;
    char why[300];

    if (slu_registry_ids_compatible(ids, topic, deadline_mono_ns, &compatible, why, sizeof(why),
                                    &err) != 0)
        slu_report_add(report, "schema", false, "%s", err.text);
    else if (compatible)
        slu_report_add(
            report, "schema", true,
            "subject %s-value does not have it yet: it is registered with the first value", topic);
    else
        slu_report_add(report, "schema", false,
                       "subject %s-value does not take it: it is not compatible with the version "
                       "before%s%s",
                       topic, why[0] != '\0' ? ": " : "", why);
}

static void look(struct slu_registry_ids *ids, const char *topic, bool may_register,
                 int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    struct slu_err err = {.kind = SLU_OK};
    int64_t id;

    slu_registry_ids_only_look(ids);
    if (slu_registry_ids_find(ids, topic, deadline_mono_ns, &id, &err) == 0)
        slu_report_add(report, "schema", true, "subject %s-value has it with id %lld", topic,
                       (long long)id);
    else if (err.kind == SLU_ENOENT && may_register)
        look_at_compatibility(ids, topic, deadline_mono_ns, report);
    else if (err.kind == SLU_ENOENT)
        slu_report_add(report, "schema", false,
                       "subject %s-value does not have it: register it, or set `register: true`",
                       topic);
    else
        slu_report_add(report, "schema", false, "%s", err.text);
}

void slu_kafka_registry_probe(const struct slu_node *section, const char *topic,
                              int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    struct slu_err err = {.kind = SLU_OK};
    struct slu_registry_options options;
    struct slu_registry_ids *ids = NULL;

    if (strcmp(slu_node_text(slu_node_get(section, "value"), ""), "avro") != 0)
        return;
    struct slu_typed *typed = slu_typed_new(section, &err);
    if (typed == NULL || slu_kafka_registry_open(section, typed, &ids, &err) != 0) {
        slu_report_add(report, "schema", false, "%s", err.text);
    } else if (ids != NULL && topic != NULL) {
        slu_registry_options_of(slu_node_get(section, "registry"), &options);
        look(ids, topic, options.may_register, deadline_mono_ns, report);
    } else if (ids != NULL) {
        slu_report_add(report, "schema", true,
                       "topics are named by each record: their subjects are not looked at");
    }
    slu_registry_ids_free(ids);
    slu_typed_free(typed);
}
