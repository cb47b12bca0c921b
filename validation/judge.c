/* judge.c -- see judge.h. One message at a time:
 *
 *   begin ── matcher ──▶ set of policies ── next ──┬ read (once a format)   payload.*
 *                                                 ├ timestamp              timestamp.*
 *                                                 ├ schema                 schema.*
 *                                                 └ limits                 limits.*
 *
 * The order of codes is theirs in schemas/alert.schema.json; a payload that cannot be read is not judged further, but
 * timestamp, schema and limits all speak, so that one alert tells everything.
 */
#include "validation/judge.h"

#include "validation/json_schema/schema.h"

#include <stdlib.h>

/* One way to read Avro, and this message read in it. */
struct avro_slot {
    struct slu_avro_reader *reader;
    struct slu_payload payload;
    struct slu_avro_origin origin;
    uint64_t message; /* the number of the message; another: not read yet */
};

struct slu_judge {
    const struct slu_snapshot *snapshot;
    struct slu_match_cache *cache;
    struct slu_schema_scratch *scratch;
    struct slu_payload_reader *readers[SLU_FORMATS]; /* those that the snapshot uses */
    struct slu_payload payloads[SLU_FORMATS];
    uint32_t formats_read;  /* bit f: payloads[f] is this message's */
    struct avro_slot *avro; /* by reading of the snapshot; owned */
    size_t n_avro;
    uint64_t message_number;

    const struct slu_message *message;
    const struct slu_match_set *set;
    size_t at;
    bool has_event; /* finding.event_ns is a policy's timestamp */
    struct slu_finding finding;
    struct slu_verdict verdict;
    struct slu_verdict spare;   /* any_of: the alternatives' */
    struct slu_buf scalar_text; /* ${payload:…} */
    char number_text[32];       /* the same, a number whose digits are a double's */
};

struct slu_judge *slu_judge_new(const struct slu_snapshot *snapshot)
{
    struct slu_judge *judge = calloc(1, sizeof(*judge));

    if (judge == NULL)
        return NULL;
    slu_verdict_init(&judge->verdict);
    slu_verdict_init(&judge->spare);
    slu_buf_init(&judge->scalar_text, SLU_TOPIC_MAX_BYTES);
    judge->scratch = slu_schema_scratch_new();
    if (judge->scratch == NULL || !slu_judge_use(judge, snapshot)) {
        slu_judge_free(judge);
        return NULL;
    }
    return judge;
}

static void free_readers(struct slu_payload_reader *readers[SLU_FORMATS])
{
    for (size_t f = 0; f < SLU_FORMATS; f++)
        slu_payload_reader_free(readers[f]);
}

static void free_avro(struct avro_slot *slots, size_t n)
{
    for (size_t i = 0; slots != NULL && i < n; i++)
        slu_avro_reader_free(slots[i].reader);
    free(slots);
}

static struct avro_slot *make_avro(const struct slu_snapshot *snapshot)
{
    struct avro_slot *slots = calloc(snapshot->n_readings + 1, sizeof(*slots));

    for (size_t i = 0; slots != NULL && i < snapshot->n_readings; i++) {
        slots[i].reader = slu_avro_reader_new(snapshot->max_payload);
        if (slots[i].reader == NULL) {
            free_avro(slots, i);
            return NULL;
        }
    }
    return slots;
}

void slu_judge_free(struct slu_judge *judge)
{
    if (judge == NULL)
        return;
    free_readers(judge->readers);
    free_avro(judge->avro, judge->n_avro);
    slu_match_cache_free(judge->cache);
    slu_schema_scratch_free(judge->scratch);
    slu_verdict_fini(&judge->verdict);
    slu_verdict_fini(&judge->spare);
    slu_buf_fini(&judge->scalar_text);
    free(judge);
}

static uint32_t formats_used(const struct slu_snapshot *snapshot)
{
    uint32_t used = 0;

    for (size_t p = 0; p < snapshot->n_policies; p++)
        for (size_t f = 0; f < snapshot->policies[p].n_formats; f++)
            used |= 1u << snapshot->policies[p].formats[f];
    return used;
}

/* One reader a format, so that a message read as JSON by one policy and as a number by the next keeps
 * both trees. Made here, so that judging allocates nothing. */
static bool make_readers(const struct slu_snapshot *snapshot,
                         struct slu_payload_reader *readers[SLU_FORMATS])
{
    uint32_t used = formats_used(snapshot);

    for (size_t f = 0; f < SLU_FORMATS; f++) {
        if ((used & 1u << f) == 0 || f == SLU_FORMAT_AVRO)
            continue;
        readers[f] = slu_payload_reader_new(snapshot->max_payload);
        if (readers[f] == NULL)
            return false;
    }
    return true;
}

bool slu_judge_use(struct slu_judge *judge, const struct slu_snapshot *snapshot)
{
    struct slu_payload_reader *readers[SLU_FORMATS] = {NULL};
    struct slu_match_cache *cache = slu_match_cache_new(snapshot->matcher);
    struct avro_slot *avro = make_avro(snapshot);

    if (cache == NULL || avro == NULL || !make_readers(snapshot, readers)) {
        slu_match_cache_free(cache);
        free_avro(avro, snapshot->n_readings);
        free_readers(readers);
        return false;
    }
    free_readers(judge->readers);
    free_avro(judge->avro, judge->n_avro);
    judge->avro = avro;
    judge->n_avro = snapshot->n_readings;
    slu_match_cache_free(judge->cache);
    judge->cache = cache;
    for (size_t f = 0; f < SLU_FORMATS; f++)
        judge->readers[f] = readers[f];
    judge->snapshot = snapshot;
    judge->message = NULL;
    judge->set = NULL;
    return true;
}

size_t slu_judge_begin(struct slu_judge *judge, const struct slu_message *message)
{
    judge->message = message;
    judge->formats_read = 0;
    judge->message_number++;
    judge->at = 0;
    judge->has_event = false;
    judge->finding.event_ns = message->received_ns;
    judge->set = slu_match(judge->cache, message->topic);
    return judge->set->n;
}

/* Whether a root object has a key twice may still be open (payload.h): see policy_holds(). */
static struct slu_payload *read_as(struct slu_judge *judge, enum slu_format format)
{
    struct slu_payload *payload = &judge->payloads[format];

    if ((judge->formats_read & 1u << format) == 0) {
        slu_payload_read_quickly(judge->readers[format], format, judge->message->payload, payload);
        judge->formats_read |= 1u << format;
    }
    return payload;
}

static struct slu_payload *read_avro(struct slu_judge *judge, uint32_t reading)
{
    struct avro_slot *slot = &judge->avro[reading];

    if (slot->message != judge->message_number) {
        slu_avro_read(slot->reader, &judge->snapshot->readings[reading], judge->message->payload,
                      &slot->payload, &slot->origin);
        slot->message = judge->message_number;
    }
    judge->finding.avro = slot->origin;
    return &slot->payload;
}

static struct slu_payload *read_in(struct slu_judge *judge, const struct slu_policy *policy,
                                   enum slu_format format)
{
    return format == SLU_FORMAT_AVRO ? read_avro(judge, policy->reading) : read_as(judge, format);
}

/* The first format that reads; when none does, the first one's complaint. A choice of formats is a
 * choice between whole answers, so nothing stays open then. */
static struct slu_payload *read_for(struct slu_judge *judge, const struct slu_policy *policy)
{
    if (policy->n_formats == 1)
        return read_in(judge, policy, policy->formats[0]);
    for (size_t f = 0; f < policy->n_formats; f++) {
        struct slu_payload *payload = read_in(judge, policy, policy->formats[f]);
        if (slu_payload_prove(payload))
            return payload;
    }
    return read_in(judge, policy, policy->formats[0]);
}

static void add_payload_violation(struct slu_verdict *verdict, const struct slu_finding *finding)
{
    const struct slu_payload *payload = finding->payload;
    struct slu_violation *violation = slu_verdict_add(verdict, slu_payload_codes[payload->fault]);
    if (violation == NULL)
        return;

    if (payload->format == SLU_FORMAT_AVRO && finding->avro.schema != NULL)
        violation->schema = slu_avro_schema_name(finding->avro.schema);
    uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_slice(&verdict->scratch, payload->fault_pointer);
    violation->pointer = slu_verdict_end_text(verdict, begin);

    begin = slu_verdict_begin(verdict);
    slu_buf_printf(&verdict->scratch, "\"%s\"", slu_format_names[payload->format]);
    violation->expected = slu_verdict_end_json(verdict, begin);

    begin = slu_verdict_begin(verdict);
    slu_buf_printf(&verdict->scratch, "not readable as %s: %s", slu_format_names[payload->format],
                   payload->fault_text != NULL ? payload->fault_text : "wrong form");
    if (payload->fault_key.len != 0)
        slu_buf_printf(&verdict->scratch, " \"%.*s\"",
                       (int)(payload->fault_key.len < 64 ? payload->fault_key.len : 64),
                       payload->fault_key.data);
    if (payload->fault != SLU_PAYLOAD_EMPTY && payload->fault != SLU_PAYLOAD_TOO_LARGE)
        slu_buf_printf(&verdict->scratch, " at byte %zu", payload->fault_at);
    violation->message = slu_verdict_end_text(verdict, begin);
}

/* any_of: the first that holds; when none does, the complaints of the one with the fewest. */
static bool any_schema_holds(struct slu_judge *judge, const struct slu_schema_choice *choice,
                             const struct slu_payload *payload)
{
    const struct slu_schema *closest = NULL;
    uint64_t fewest = UINT64_MAX;

    for (size_t i = 0; i < choice->n; i++) {
        if (slu_schema_judge(choice->schemas[i], judge->scratch, payload, NULL)) {
            judge->finding.schema = choice->schemas[i];
            return true;
        }
    }
    for (size_t i = 0; i < choice->n; i++) {
        slu_verdict_reset(&judge->spare);
        slu_schema_judge(choice->schemas[i], judge->scratch, payload, &judge->spare);
        if (judge->spare.total < fewest) {
            fewest = judge->spare.total;
            closest = choice->schemas[i];
        }
    }
    slu_schema_judge(closest, judge->scratch, payload, &judge->verdict);
    return false;
}

/* all_of: a record has room for one name, and the first in the list is what the message is. */
static bool all_schemas_hold(struct slu_judge *judge, const struct slu_schema_choice *choice,
                             const struct slu_payload *payload)
{
    bool holds = true;

    for (size_t i = 0; i < choice->n; i++)
        holds =
            slu_schema_judge(choice->schemas[i], judge->scratch, payload, &judge->verdict) && holds;
    if (choice->n != 0)
        judge->finding.schema = choice->schemas[0];
    return holds;
}

static bool timestamp_holds(struct slu_judge *judge, const struct slu_policy *policy,
                            const struct slu_payload *payload, struct slu_verdict *verdict)
{
    int64_t event_ns;

    if (!slu_timestamp_judge(policy->timestamp, payload, &event_ns, verdict))
        return false;
    if (!judge->has_event)
        judge->finding.event_ns = event_ns;
    judge->has_event = true;
    return true;
}

/* The usual message: its one schema holds and met every key as another declared property. */
static bool holds_at_once(struct slu_judge *judge, const struct slu_policy *policy,
                          struct slu_payload *payload)
{
    if (policy->schema.n != 1 ||
        !slu_schema_judge(policy->schema.schemas[0], judge->scratch, payload, NULL))
        return false;
    judge->finding.schema = policy->schema.schemas[0];
    if (payload->unproved != NULL) {
        if (!slu_schema_keys_differ(judge->scratch))
            return false;
        payload->unproved = NULL;
    }
    if (policy->limits != NULL && !slu_limits_judge(policy->limits, payload, NULL))
        return false;
    return policy->timestamp == NULL || timestamp_holds(judge, policy, payload, NULL);
}

/* Its only schema, which holds_at_once() has judged by. */
static bool only_schema_holds(struct slu_judge *judge, const struct slu_schema_choice *choice,
                              const struct slu_payload *payload)
{
    const bool holds =
        slu_schema_tell(choice->schemas[0], judge->scratch, payload, &judge->verdict);
    if (holds || !choice->any)
        judge->finding.schema = choice->schemas[0];
    return holds;
}

static bool schemas_hold(struct slu_judge *judge, const struct slu_schema_choice *choice,
                         const struct slu_payload *payload)
{
    if (choice->n == 1 && payload->root != NULL)
        return only_schema_holds(judge, choice, payload);
    return choice->any ? any_schema_holds(judge, choice, payload)
                       : all_schemas_hold(judge, choice, payload);
}

static bool policy_holds(struct slu_judge *judge, const struct slu_policy *policy,
                         struct slu_payload *payload)
{
    bool holds = true;

    if (payload->fault == SLU_PAYLOAD_OK && payload->root != NULL &&
        holds_at_once(judge, policy, payload))
        return true;
    if (!slu_payload_prove(payload)) {
        add_payload_violation(&judge->verdict, &judge->finding);
        return false;
    }
    if (policy->timestamp != NULL)
        holds = timestamp_holds(judge, policy, payload, &judge->verdict);
    if (policy->schema.n != 0)
        holds = schemas_hold(judge, &policy->schema, payload) && holds;
    if (policy->limits != NULL)
        holds = slu_limits_judge(policy->limits, payload, &judge->verdict) && holds;
    return holds;
}

const struct slu_finding *slu_judge_next(struct slu_judge *judge)
{
    if (judge->set == NULL || judge->at == judge->set->n)
        return NULL;
    const struct slu_match *match = &judge->set->matches[judge->at++];
    const struct slu_policy *policy = &judge->snapshot->policies[match->policy];

    slu_verdict_reset(&judge->verdict);
    judge->finding.policy = policy;
    judge->finding.filter = match->filter;
    judge->finding.schema = NULL;
    judge->finding.verdict = &judge->verdict;
    struct slu_payload *payload = read_for(judge, policy);
    judge->finding.payload = payload;
    judge->finding.holds = policy_holds(judge, policy, payload);
    return &judge->finding;
}

/* ${payload:/pointer}: strings as they are, numbers with the digits they came with, other scalars as JSON. Only messages that failed come
 * here, so the pointer is compiled each time. */
static bool payload_scalar(void *context, struct slu_slice pointer_text, struct slu_slice *text)
{
    struct slu_judge *judge = context;
    const struct slu_payload *payload = judge->finding.payload;
    struct slu_pointer pointer;
    struct slu_arena arena;

    if (payload == NULL || payload->root == NULL)
        return false;
    slu_arena_init(&arena, 1u << 20);
    const struct slu_value *value = NULL;
    if (slu_pointer_compile(pointer_text, &arena, &pointer, NULL) == 0)
        value = slu_pointer_find(&pointer, payload->root);
    slu_arena_fini(&arena);
    if (value == NULL || slu_value_is_container(value) || slu_value_kind(value) == SLU_VALUE_NULL)
        return false;
    if (slu_value_kind(value) == SLU_VALUE_STRING) {
        *text = slu_value_text(value);
        return true;
    }
    if (slu_value_is_number(value)) {
        *text = slu_payload_number_text(payload, value, judge->number_text);
        return true;
    }
    slu_buf_reset(&judge->scalar_text);
    if (!slu_value_json(value, &judge->scalar_text))
        return false;
    *text = slu_buf_slice(&judge->scalar_text);
    return true;
}

void slu_judge_template_values(struct slu_judge *judge, const struct slu_finding *finding,
                               struct slu_template_values *values)
{
    const struct slu_message *message = judge->message;

    *values = (struct slu_template_values){
        .filter = finding->filter,
        .topic = message->topic,
        .payload = payload_scalar,
        .context = judge,
    };
    values->variables[SLU_VARIABLE_TOPIC] = message->topic;
    values->variables[SLU_VARIABLE_CLIENT_ID] = message->client_id;
    values->variables[SLU_VARIABLE_USERNAME] = message->username;
    values->variables[SLU_VARIABLE_POLICY] = slu_slice_of(finding->policy->id);
    values->variables[SLU_VARIABLE_INSTANCE] = slu_slice_of(judge->snapshot->instance);
    if (finding->verdict->n != 0)
        values->variables[SLU_VARIABLE_CODE] = slu_slice_of(finding->verdict->violations[0].code);
}
