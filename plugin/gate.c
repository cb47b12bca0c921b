/* gate.c -- see gate.h. Reads top down as a message goes: admit, then what becomes of one that held,
 * then what becomes of one that broke. */
#include "plugin/gate.h"

#include "base/clock.h"
#include "base/properties.h"
#include "base/utf8.h"
#include "plugin/alert.h"
#include "sinks/spool/spool.h"

#define ALERT_MAX     (16u << 20) /* an original of 64 KiB is far below; a spooled one is cut to fit */
#define STORED_MAX    (SLU_RECORD_MAX_BYTES - 4 * 65536u - 64u) /* leaves room for all else */
#define ORIGINAL_SAFE (512u << 10) /* escaped at worst six times over, it still fits STORED_MAX */
#define KEPT_BYTES    (1u << 20)   /* a buffer that grew beyond this is given back */

static const enum slu_fate fate_of[SLU_ADMISSIONS] = {
    [SLU_PASS] = SLU_FATE_passed,      [SLU_ACCEPT] = SLU_FATE_accepted,
    [SLU_REROUTE] = SLU_FATE_rerouted, [SLU_DROP] = SLU_FATE_dropped,
    [SLU_REFUSE] = SLU_FATE_refused,   [SLU_DISCONNECT] = SLU_FATE_disconnected,
};

static const enum slu_admission admission_of[] = {
    [SLU_ACTION_REROUTE] = SLU_REROUTE,
    [SLU_ACTION_DROP] = SLU_DROP,
    [SLU_ACTION_DISCONNECT] = SLU_DISCONNECT,
    [SLU_ACTION_PASS] = SLU_PASS,
};

/* The numbers are on disk (record.h), the names are validation's. */
static const uint8_t record_format_of[SLU_FORMATS] = {
    [SLU_FORMAT_JSON] = SLU_RECORD_JSON,       [SLU_FORMAT_NUMBER] = SLU_RECORD_NUMBER,
    [SLU_FORMAT_BOOLEAN] = SLU_RECORD_BOOLEAN, [SLU_FORMAT_STRING] = SLU_RECORD_STRING,
    [SLU_FORMAT_BYTES] = SLU_RECORD_BYTES,     [SLU_FORMAT_AVRO] = SLU_RECORD_AVRO,
};

/* What the policies that held want done with the message. */
struct route {
    uint64_t sinks;
    const struct slu_policy_binding
        *bound; /* of the first policy with a sink, else the first: names
                                               the record */
    const struct slu_schema *schema;
    struct slu_avro_origin avro;
    enum slu_format format;
    uint8_t quality;
    int64_t event_ns;
};

void slu_gate_init(struct slu_gate *gate)
{
    slu_buf_init(&gate->alert, ALERT_MAX);
    slu_buf_init(&gate->stored, STORED_MAX);
    slu_buf_init(&gate->topic, 4 * SLU_TOPIC_MAX_BYTES);
    slu_buf_init(&gate->properties, SLU_PROPERTIES_MAX_BYTES);
}

void slu_gate_fini(struct slu_gate *gate)
{
    slu_judge_free(gate->judge);
    gate->judge = NULL;
    slu_buf_fini(&gate->alert);
    slu_buf_fini(&gate->stored);
    slu_buf_fini(&gate->topic);
    slu_buf_fini(&gate->properties);
}

int slu_gate_use(struct slu_gate *gate, const struct slu_snapshot *snapshot,
                 const struct slu_binding *binding, struct slu_err *err)
{
    if (gate->judge == NULL) {
        gate->judge = slu_judge_new(snapshot);
        if (gate->judge == NULL)
            return slu_err_set(err, SLU_ENOMEM, "no memory to judge with");
    } else if (!slu_judge_use(gate->judge, snapshot)) {
        return slu_err_set(err, SLU_ENOMEM, "no memory to judge with");
    }
    gate->snapshot = snapshot;
    gate->binding = binding;
    return 0;
}

/* ---- alerts ---------------------------------------------------------------------------------------- */

static void reset(struct slu_buf *buf)
{
    size_t max = buf->max;

    if (buf->cap > KEPT_BYTES) {
        slu_buf_fini(buf);
        slu_buf_init(buf, max);
    }
    slu_buf_reset(buf);
}

/* Fill `pattern`; what cannot be a topic (too long, too deep) becomes sluice/violations/<policy>. The
 * result is terminated. */
static struct slu_slice alert_topic(struct slu_gate *gate, const struct slu_finding *finding,
                                    const struct slu_template *pattern)
{
    struct slu_template_values values;

    slu_judge_template_values(gate->judge, finding, &values);
    slu_buf_reset(&gate->topic);
    if (slu_template_fill(pattern, SLU_TEMPLATE_TOPIC, &values, &gate->topic) < 0 ||
        !slu_topic_is_publishable(slu_buf_slice(&gate->topic), NULL)) {
        slu_buf_reset(&gate->topic);
        slu_buf_printf(&gate->topic, "sluice/violations/%s", finding->policy->id);
    }
    return slu_buf_slice(&gate->topic);
}

/* Publish the alert in gate->alert, unless this policy has published enough lately. */
static void publish_alert(struct slu_gate *gate, const struct slu_finding *finding,
                          const struct slu_template *pattern)
{
    struct slu_policy_counts *counts = gate->binding->policies[finding->policy->index].counts;

    if (!slu_rate_allows(&counts->rate, slu_clock_mono_ns()))
        return;
    gate->publish(gate->context, alert_topic(gate, finding, pattern), slu_buf_slice(&gate->alert));
}

/* Put the alert, its original whole, into the spool of on_violation.to. False: refused. */
static bool spool_alert(struct slu_gate *gate, const struct slu_finding *finding,
                        const struct slu_message *message, struct slu_uuid id, bool enforced)
{
    const struct slu_policy_binding *bound = &gate->binding->policies[finding->policy->index];
    struct slu_buf *stored = &gate->alert;

    if (bound->violation_sinks == 0)
        return true;
    if (message->payload.len > SLU_ALERT_ORIGINAL_MAX) {
        stored = &gate->stored;
        reset(stored);
        /* A giant that cannot fit a record is cut to what surely does. */
        if (!slu_alert_violation(stored, id, gate->snapshot, finding, message, enforced,
                                 SIZE_MAX)) {
            reset(stored);
            if (!slu_alert_violation(stored, id, gate->snapshot, finding, message, enforced,
                                     ORIGINAL_SAFE))
                return false;
        }
    }
    struct slu_record record = {
        .time_ns = message->received_ns,
        .event_ns = finding->event_ns,
        .sinks = bound->violation_sinks,
        .policy = bound->number,
        .schema = bound->schema,
        .kind = SLU_RECORD_VIOLATION,
        .format = SLU_RECORD_JSON,
        .quality = SLU_QUALITY_BAD,
        .qos = message->qos,
        .retain = message->retain,
        .topic = message->topic,
        .client_id = message->client_id,
        .username = message->username,
        .properties = message->properties,
        .payload = slu_buf_slice(stored),
    };
    return slu_spool_append(gate->spool, &record) != SLU_APPEND_REFUSED;
}

/* A user property may hold no control characters, and ours may quote what came in: a receiver would
 * close its connection over one. They become blanks. */
static void add_property(struct slu_buf *out, const char *name, struct slu_slice value)
{
    char text[SLU_VERDICT_TEXT_MAX];
    size_t len = value.len < sizeof(text) ? value.len : sizeof(text);

    for (size_t i = 0; i < len;) {
        size_t step = slu_utf8_step(value.data + i, len - i);
        if (step != 0 && slu_utf8_allowed_in_mqtt(value.data + i, step))
            memcpy(text + i, value.data + i, step);
        else
            memset(text + i, ' ', step != 0 ? step : 1);
        i += step != 0 ? step : 1;
    }
    slu_properties_add(out, SLU_PROPERTY_USER, slu_slice_of(name), slu_slice(text, len));
}

static void explain_in_properties(struct slu_gate *gate, const struct slu_finding *finding)
{
    const struct slu_verdict *verdict = finding->verdict;
    const struct slu_violation *first = &verdict->violations[0];

    slu_buf_reset(&gate->properties);
    add_property(&gate->properties, "sluice-code", slu_slice_of(first->code));
    add_property(&gate->properties, "sluice-pointer", slu_verdict_text(verdict, first->pointer));
    add_property(&gate->properties, "sluice-policy", slu_slice_of(finding->policy->id));
    add_property(&gate->properties, "sluice-message", slu_verdict_text(verdict, first->message));
}

/* ---- a message that broke a policy ------------------------------------------------------------------- */

static void prepare_reroute(struct slu_gate *gate, const struct slu_finding *finding,
                            struct slu_answer *answer)
{
    answer->topic = alert_topic(gate, finding, finding->policy->reroute);
    answer->keep_payload = finding->policy->payload_original;
    if (answer->keep_payload) {
        explain_in_properties(gate, finding);
        answer->properties = slu_buf_slice(&gate->properties);
    } else {
        answer->payload = slu_buf_slice(&gate->alert);
    }
}

static void write_alert(struct slu_gate *gate, const struct slu_finding *finding,
                        const struct slu_message *message, struct slu_uuid id, bool enforced)
{
    reset(&gate->alert);
    slu_alert_violation(&gate->alert, id, gate->snapshot, finding, message, enforced,
                        SLU_ALERT_ORIGINAL_MAX);
}

/* The first enforcing violation acts and ends the matter. */
static enum slu_admission act(struct slu_gate *gate, const struct slu_finding *finding,
                              const struct slu_message *message, struct slu_answer *answer)
{
    const struct slu_policy *policy = finding->policy;
    struct slu_uuid id = slu_uuid_random();

    write_alert(gate, finding, message, id, true);
    if (gate->alert.failed || !spool_alert(gate, finding, message, id, true))
        return SLU_REFUSE;
    slu_counts_violation(gate->binding->policies[policy->index].counts,
                         finding->verdict->violations[0].code);
    if (policy->publish != NULL)
        publish_alert(gate, finding, policy->publish);
    if (policy->action == SLU_ACTION_REROUTE)
        prepare_reroute(gate, finding, answer);
    /* A bridge that is answered with an error drops its connection, sends the same again, for ever. */
    if (policy->action == SLU_ACTION_DISCONNECT && message->from_bridge)
        return SLU_DROP;
    return admission_of[policy->action];
}

/* Mode monitor: tell and count, then go on as if it held. False: refused. */
static bool monitor(struct slu_gate *gate, const struct slu_finding *finding,
                    const struct slu_message *message)
{
    const struct slu_policy *policy = finding->policy;
    struct slu_policy_counts *counts = gate->binding->policies[policy->index].counts;
    struct slu_uuid id = slu_uuid_random();

    write_alert(gate, finding, message, id, false);
    if (gate->alert.failed || !spool_alert(gate, finding, message, id, false))
        return false;
    slu_counts_bump(&counts->would_reroute);
    slu_counts_violation(counts, finding->verdict->violations[0].code);
    if (policy->publish != NULL)
        publish_alert(gate, finding, policy->publish);
    else if (policy->reroute != NULL)
        publish_alert(gate, finding, policy->reroute);
    return true;
}

/* ---- a message that held ------------------------------------------------------------------------------ */

static void add_route(const struct slu_finding *finding, const struct slu_policy_binding *bound,
                      struct route *route)
{
    if (route->bound == NULL || (route->sinks == 0 && bound->sinks != 0)) {
        route->bound = bound;
        route->schema = finding->schema;
        route->avro = finding->avro;
        /* A monitored message that could not be read is bytes, whatever it should have been. */
        route->format =
            finding->payload->fault == SLU_PAYLOAD_OK ? finding->payload->format : SLU_FORMAT_BYTES;
    }
    route->sinks |= bound->sinks;
    route->event_ns = finding->event_ns;
}

/* A policy with one schema has its number at hand. An Avro record names the schema it was written with,
 * whatever else it had to hold to: it is read with it again. */
static uint16_t schema_number(const struct slu_gate *gate, const struct route *route)
{
    if (route->format == SLU_FORMAT_AVRO)
        return slu_binding_avro(gate->binding, gate->snapshot, route->avro.schema);
    if (route->bound->schema != 0)
        return route->bound->schema;
    return slu_binding_schema(gate->binding, gate->snapshot, route->schema);
}

static enum slu_admission accept_message(struct slu_gate *gate, const struct slu_message *message,
                                         const struct route *route)
{
    if (route->sinks == 0)
        return SLU_ACCEPT;

    struct slu_record record = {
        .time_ns = message->received_ns,
        .event_ns = route->event_ns,
        .sinks = route->sinks,
        .policy = route->bound->number,
        .schema = schema_number(gate, route),
        .kind = SLU_RECORD_MESSAGE,
        .format = record_format_of[route->format],
        .framing = route->format == SLU_FORMAT_AVRO ? (uint8_t)route->avro.framing : 0,
        .quality = route->quality,
        .qos = message->qos,
        .retain = message->retain,
        .topic = message->topic,
        .client_id = message->client_id,
        .username = message->username,
        .properties = message->properties,
        .payload = message->payload,
    };
    return slu_spool_append(gate->spool, &record) == SLU_APPEND_REFUSED ? SLU_REFUSE : SLU_ACCEPT;
}

/* ---- the message's way -------------------------------------------------------------------------------- */

static enum slu_admission admit(struct slu_gate *gate, const struct slu_message *message,
                                struct slu_answer *answer)
{
    struct route route = {.quality = SLU_QUALITY_GOOD};
    const struct slu_finding *finding;

    if (message->retain && message->payload.len == 0)
        return SLU_PASS; /* MQTT's "delete the retained message" (5.0 §3.3.1.3): nothing to judge */
    if (slu_judge_begin(gate->judge, message) == 0)
        return SLU_PASS;

    while ((finding = slu_judge_next(gate->judge)) != NULL) {
        const struct slu_policy_binding *bound = &gate->binding->policies[finding->policy->index];
        if (finding->holds) {
            slu_counts_bump(&bound->counts->held);
        } else if (finding->policy->mode == SLU_MODE_MONITOR) {
            if (!monitor(gate, finding, message))
                return SLU_REFUSE;
            route.quality = SLU_QUALITY_UNCERTAIN;
        } else {
            return act(gate, finding, message, answer);
        }
        add_route(finding, bound, &route);
    }
    return accept_message(gate, message, &route);
}

enum slu_admission slu_gate_admit(struct slu_gate *gate, const struct slu_message *message,
                                  struct slu_answer *answer)
{
    slu_counts_begin(gate->counts);
    *answer = (struct slu_answer){.keep_payload = false};
    enum slu_admission admission = admit(gate, message, answer);
    slu_counts_end(gate->counts, fate_of[admission]);
    return admission;
}

/* The pattern's variables of a single message are absent in a summary: it goes where they become `_`. */
static void publish_summary(struct slu_gate *gate, const struct slu_policy *policy,
                            uint64_t suppressed, int64_t wall_ns)
{
    const struct slu_template *pattern =
        policy->publish != NULL ? policy->publish : policy->reroute;
    struct slu_template_values values = {.filter = NULL};

    values.variables[SLU_VARIABLE_POLICY] = slu_slice_of(policy->id);
    values.variables[SLU_VARIABLE_INSTANCE] = slu_slice_of(gate->snapshot->instance);
    slu_buf_reset(&gate->topic);
    reset(&gate->alert);
    if (pattern == NULL ||
        slu_template_fill(pattern, SLU_TEMPLATE_TOPIC, &values, &gate->topic) < 0 ||
        !slu_alert_summary(&gate->alert, gate->snapshot, policy->id, suppressed, wall_ns))
        return;
    gate->publish(gate->context, slu_buf_slice(&gate->topic), slu_buf_slice(&gate->alert));
}

void slu_gate_summaries(struct slu_gate *gate, int64_t wall_ns, int64_t mono_ns)
{
    for (size_t i = 0; i < gate->snapshot->n_policies; i++) {
        uint64_t suppressed = slu_rate_summary(&gate->binding->policies[i].counts->rate, mono_ns);
        if (suppressed != 0)
            publish_summary(gate, &gate->snapshot->policies[i], suppressed, wall_ns);
    }
}
