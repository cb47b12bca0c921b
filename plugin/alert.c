/* alert.c -- see alert.h. Written piece by piece, not through a JSON library: what was judged must
 * leave with every digit it came with, and a flood of bad messages must stay cheap. The fields and
 * their order are those of schemas/alert.schema.json. */
#include "plugin/alert.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8.h"

#define SLU_ALERT_VERSION 1

/* ,"name": -- names are ours and need no escaping. */
static void add_name(struct slu_buf *out, const char *name)
{
    slu_buf_add(out, ",\"", 2);
    slu_buf_add_text(out, name);
    slu_buf_add(out, "\":", 2);
}

static void add_string(struct slu_buf *out, const char *name, struct slu_slice text)
{
    add_name(out, name);
    slu_json_text_string(out, text);
}

/* What is absent is left out. */
static void add_present(struct slu_buf *out, const char *name, struct slu_slice text)
{
    if (text.len != 0)
        add_string(out, name, text);
}

static void add_number(struct slu_buf *out, const char *name, uint64_t number)
{
    add_name(out, name);
    slu_json_text_int(out, (int64_t)number);
}

static void add_bool(struct slu_buf *out, const char *name, bool value)
{
    add_name(out, name);
    slu_buf_add_text(out, value ? "true" : "false");
}

/* {"v":1,"id":…,"kind":…,"time":…,"instance":… */
static void begin_alert(struct slu_buf *out, struct slu_uuid uuid,
                        const struct slu_snapshot *snapshot, const char *kind, int64_t time_ns)
{
    char id[SLU_UUID_TEXT_SIZE];
    char time[SLU_CLOCK_TEXT_SIZE];

    slu_uuid_format(uuid, id);
    slu_clock_format(time_ns, time);
    slu_buf_add_text(out, "{\"v\":");
    slu_json_text_int(out, SLU_ALERT_VERSION);
    add_string(out, "id", slu_slice_of(id));
    add_string(out, "kind", slu_slice_of(kind));
    add_string(out, "time", slu_slice_of(time));
    add_string(out, "instance", slu_slice_of(snapshot->instance));
}

static void add_source(struct slu_buf *out, const struct slu_message *message)
{
    add_name(out, "source");
    slu_buf_add_text(out, "{\"topic\":");
    slu_json_text_string(out, message->topic);
    add_present(out, "client_id", message->client_id);
    add_present(out, "username", message->username);
    add_present(out, "address", slu_slice_of(message->address));
    add_number(out, "qos", message->qos);
    add_bool(out, "retain", message->retain);
    slu_buf_add_char(out, '}');
}

static void add_json(struct slu_buf *out, const char *name, struct slu_slice json)
{
    if (json.len == 0)
        return;
    add_name(out, name);
    slu_buf_add_slice(out, json);
}

static void add_violation(struct slu_buf *out, const struct slu_verdict *verdict,
                          const struct slu_violation *violation)
{
    slu_buf_add_text(out, "{\"code\":");
    slu_json_text_string(out, slu_slice_of(violation->code));
    add_string(out, "pointer", slu_verdict_text(verdict, violation->pointer));
    add_json(out, "expected", slu_verdict_text(verdict, violation->expected));
    add_json(out, "actual", slu_verdict_text(verdict, violation->actual));
    add_present(out, "schema", slu_slice_of(violation->schema));
    add_present(out, "message", slu_verdict_text(verdict, violation->message));
    slu_buf_add_char(out, '}');
}

static void add_violations(struct slu_buf *out, const struct slu_verdict *verdict)
{
    add_name(out, "violations");
    slu_buf_add_char(out, '[');
    for (size_t i = 0; i < verdict->n; i++) {
        if (i != 0)
            slu_buf_add_char(out, ',');
        add_violation(out, verdict, &verdict->violations[i]);
    }
    slu_buf_add_char(out, ']');
    add_number(out, "violations_total", verdict->total);
}

/* What an Avro payload means, as JSON; left out when it is not readable, or larger than an original that
 * is shown may be. */
static void add_decoded(struct slu_buf *out, const struct slu_payload *read)
{
    struct slu_buf json;

    if (read == NULL || read->format != SLU_FORMAT_AVRO || read->root == NULL)
        return;
    slu_buf_init(&json, SLU_ALERT_ORIGINAL_MAX);
    if (slu_value_json(read->root, &json))
        add_json(out, "decoded", slu_buf_slice(&json));
    slu_buf_fini(&json);
}

static void add_original(struct slu_buf *out, struct slu_slice payload,
                         const struct slu_payload *read, size_t max)
{
    const bool is_avro = read != NULL && read->format == SLU_FORMAT_AVRO;
    bool is_text = !is_avro && slu_utf8_valid(payload.data, payload.len);
    struct slu_slice kept = payload;

    if (kept.len > max)
        kept.len = is_text ? slu_utf8_cut(payload.data, payload.len, max) : max;
    add_name(out, "original");
    slu_buf_add_text(out, is_text ? "{\"encoding\":\"utf-8\",\"payload\":"
                                  : "{\"encoding\":\"base64\",\"payload\":");
    if (is_text) {
        slu_json_text_string(out, kept);
    } else {
        slu_buf_add_char(out, '"');
        slu_base64_encode(out, kept);
        slu_buf_add_char(out, '"');
    }
    add_number(out, "bytes", payload.len);
    add_bool(out, "truncated", kept.len < payload.len);
    add_decoded(out, read);
    slu_buf_add_char(out, '}');
}

bool slu_alert_violation(struct slu_buf *out, struct slu_uuid id,
                         const struct slu_snapshot *snapshot, const struct slu_finding *finding,
                         const struct slu_message *message, bool enforced, size_t original_max)
{
    begin_alert(out, id, snapshot, "violation", message->received_ns);
    add_string(out, "policy", slu_slice_of(finding->policy->id));
    add_number(out, "generation", snapshot->generation);
    add_bool(out, "enforced", enforced);
    add_string(out, "action", slu_slice_of(slu_action_names[finding->policy->action]));
    add_source(out, message);
    add_violations(out, finding->verdict);
    add_original(out, message->payload, finding->payload, original_max);
    return slu_buf_add_char(out, '}');
}

bool slu_alert_summary(struct slu_buf *out, const struct slu_snapshot *snapshot, const char *policy,
                       uint64_t suppressed, int64_t now_ns)
{
    begin_alert(out, slu_uuid_random(), snapshot, "summary", now_ns);
    add_string(out, "policy", slu_slice_of(policy));
    add_number(out, "generation", snapshot->generation);
    add_number(out, "suppressed", suppressed);
    return slu_buf_add_char(out, '}');
}

bool slu_alert_system(struct slu_buf *out, const struct slu_snapshot *snapshot, const char *code,
                      const char *message, int64_t now_ns)
{
    begin_alert(out, slu_uuid_random(), snapshot, "system", now_ns);
    add_number(out, "generation", snapshot->generation);
    slu_buf_add_text(out, ",\"violations\":[{\"code\":");
    slu_json_text_string(out, slu_slice_of(code));
    add_string(out, "pointer", slu_slice_of(""));
    add_string(out, "message", slu_slice_of(message));
    slu_buf_add_text(out, "}]");
    add_number(out, "violations_total", 1);
    return slu_buf_add_char(out, '}');
}
