/* kafka_probe.c -- what connecting meets, for `sluice check --connect`: who answers and how safely, is the topic
 * there. Metadata is asked for and nothing else: whether a record may be written shows only when one is.
 */
#include "sinks/kafka_inside.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ARENA_BYTES (4u << 20)
#define TURN_MS     500

/* The last that the producer complained of. */
struct complaint {
    char text[400];
};

static void on_report(void *context, const struct slu_kafka_report *report)
{
    (void)context;
    (void)report;
}

static void on_trouble(void *context, const char *error, const char *text, bool is_final)
{
    struct complaint *complaint = context;
    const struct slu_kafka_verdict *verdict = slu_kafka_fate(error);

    (void)is_final;
    if (verdict->fate == SLU_KAFKA_AWAY && complaint->text[0] != '\0')
        return; /* "all brokers are down" comes behind the reason */
    snprintf(complaint->text, sizeof(complaint->text), "%.250s%s%.120s", text,
             verdict->advice != NULL ? ": " : "", verdict->advice != NULL ? verdict->advice : "");
}

static void on_statistics(void *context, struct slu_slice json)
{
    (void)context;
    (void)json;
}

/* One sentence, one line. */
static void add_complaint(struct slu_sink_report *report, struct complaint *complaint,
                          const char *otherwise)
{
    for (char *c = complaint->text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    slu_report_add(report, "connection", false, "%s",
                   complaint->text[0] != '\0' ? complaint->text : otherwise);
}

/* Look until somebody answers. */
static bool look(struct slu_kafka_client *client, const char *topic, int64_t deadline_ns,
                 struct complaint *complaint, struct slu_kafka_sight *sight,
                 struct slu_sink_report *report)
{
    struct slu_err err = {0};
    int left_ms;

    do {
        left_ms = slu_kafka_ms_until(deadline_ns);
        if (slu_kafka_client_look(client, topic, left_ms < TURN_MS ? left_ms : TURN_MS, sight,
                                  &err) == 0)
            return true;
        slu_kafka_client_poll(client, 0);
    } while (left_ms > 0);
    add_complaint(report, complaint, err.text);
    return false;
}

static void tell_safety(const struct slu_kafka_options *options, struct slu_sink_report *report)
{
    const char *protocol = slu_kafka_options_property(options, "security.protocol");
    const char *user = slu_kafka_options_property(options, "sasl.username");
    const bool is_sasl = protocol != NULL && strncasecmp(protocol, "sasl", 4) == 0;
    const bool is_tls = protocol != NULL && strstr(protocol, "plaintext") == NULL &&
                        strstr(protocol, "PLAINTEXT") == NULL;

    slu_report_add(report, "tls", true, "%s",
                   is_tls ? "encrypted" : "none: what is sent can be read on the way");
    if (is_sasl)
        slu_report_add(report, "login", true, "as %s", user != NULL ? user : "configured");
}

static void tell_topic(const char *topic, const struct slu_kafka_sight *sight,
                       struct slu_sink_report *report)
{
    if (!sight->has_topic)
        slu_report_add(
            report, "topic", false,
            "topic %s is not there: create it, or allow this user the operation Describe "
            "on it (a cluster that makes topics by itself makes it with the first record)",
            topic);
    else if (sight->n_leaderless > 0)
        slu_report_add(report, "topic", false,
                       "topic %s: %d of its %d partitions have no leader: see the brokers", topic,
                       sight->n_leaderless, sight->n_partitions);
    else
        slu_report_add(report, "topic", true, "topic %s has %d partition%s", topic,
                       sight->n_partitions, sight->n_partitions == 1 ? "" : "s");
}

/* The topic when every record has the same; NULL: they have not. */
static const char *fixed_topic(const struct slu_kafka_options *options, struct slu_buf *named)
{
    const struct slu_template_values none = {.filter = NULL};

    slu_buf_init(named, 1 << 16);
    if (!slu_template_is_fixed(options->topic) ||
        slu_template_fill(options->topic, SLU_TEMPLATE_KAFKA_TOPIC, &none, named) != 0)
        return NULL;
    return slu_buf_text(named);
}

static void probe(const struct slu_sink_env *env, const struct slu_kafka_options *options,
                  int64_t deadline_ns, struct slu_sink_report *report)
{
    struct complaint complaint = {""};
    const struct slu_kafka_events events = {&complaint, env->name, on_report, on_trouble,
                                            on_statistics};
    struct slu_buf named;
    const char *topic = fixed_topic(options, &named);
    struct slu_kafka_sight sight;
    struct slu_err err = {0};
    struct slu_kafka_client *client =
        slu_kafka_client_new(options, (struct slu_kafka_limits){0}, &events, &err);

    if (client == NULL) {
        slu_report_add(report, "connection", false, "%s", err.text);
        slu_buf_fini(&named);
        return;
    }
    if (look(client, topic, deadline_ns, &complaint, &sight, report)) {
        slu_report_add(report, "connection", true, "%s answers, one of %d", sight.broker,
                       sight.n_brokers);
        tell_safety(options, report);
        if (topic != NULL)
            tell_topic(topic, &sight, report);
        else
            slu_report_add(report, "topic", true,
                           "named by each record: not looked for (the sink pauses at one that is "
                           "missing)");
    }
    slu_kafka_client_free(client);
    slu_buf_fini(&named);
}

void slu_kafka_probe(const struct slu_sink_env *env, const struct slu_node *section,
                     int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    struct slu_kafka_options options;
    struct slu_problems problems;
    struct slu_arena arena;

    slu_arena_init(&arena, ARENA_BYTES);
    slu_problems_init(&problems);
    if (slu_kafka_options_read(section, &arena, &options, &problems) == 0)
        probe(env, &options, deadline_mono_ns, report);
    else
        slu_report_add(report, "connection", false, "the section cannot be read");
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
}
