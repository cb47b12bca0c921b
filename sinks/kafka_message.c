/* kafka_message.c -- see kafka_message.h. */
#include "sinks/kafka_message.h"

#include "base/clock.h"
#include "base/properties.h"
#include "base/uuid.h"
#include "sinks/envelope.h"
#include "validation/payload/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES     (1u << 20) /* of a topic or a key before it is measured */
#define KEEP_BYTES     (1u << 20) /* scratch for values that is kept */
#define POINTERS_BYTES (1u << 20)
#define HEADERS_FIXED  10u
#define HEADER_MEMORY  96u  /* bytes that librdkafka spends on one */
#define MESSAGE_MEMORY 320u /* … and on a message */

static const char user_prefix[] = "mqtt.user.";
#define USER_PREFIX (sizeof(user_prefix) - 1)

/* ---- ${payload:/pointer} --------------------------------------------------------------------------------- */

/* A pointer of a template, compiled once. */
struct slu_kafka_pointer {
    struct slu_kafka_pointer *next;
    struct slu_slice text; /* in the template */
    struct slu_pointer pointer;
};

/* The payload of one record while its templates are filled. */
struct looking {
    struct slu_kafka_maker *maker;
    const struct slu_record *record;
    struct slu_payload payload;
    bool has_read, has_no_memory;
    char scratch[32];
};

static const struct slu_pointer *compiled(struct looking *looking, struct slu_slice text)
{
    struct slu_kafka_maker *maker = looking->maker;
    struct slu_kafka_pointer *pointer = maker->first_pointer;

    while (pointer != NULL && !slu_slice_equal(pointer->text, text))
        pointer = pointer->next;
    if (pointer != NULL)
        return &pointer->pointer;
    pointer = slu_arena_alloc(&maker->pointers, sizeof(*pointer));
    struct slu_err err = {0};
    if (pointer == NULL ||
        slu_pointer_compile(text, &maker->pointers, &pointer->pointer, &err) != 0) {
        looking->has_no_memory = err.kind != SLU_EINVAL; /* deeper than any payload: absent */
        return NULL;
    }
    pointer->text = text;
    pointer->next = maker->first_pointer;
    maker->first_pointer = pointer;
    return &pointer->pointer;
}

static const struct slu_value *payload_root(struct looking *looking)
{
    static const enum slu_format formats[] = {
        [SLU_RECORD_JSON] = SLU_FORMAT_JSON,       [SLU_RECORD_NUMBER] = SLU_FORMAT_NUMBER,
        [SLU_RECORD_BOOLEAN] = SLU_FORMAT_BOOLEAN, [SLU_RECORD_STRING] = SLU_FORMAT_STRING,
        [SLU_RECORD_BYTES] = SLU_FORMAT_BYTES,
    };
    struct slu_kafka_maker *maker = looking->maker;
    const uint8_t format = looking->record->format;

    if (looking->has_read)
        return looking->payload.root;
    looking->has_read = true;
    if (format < SLU_RECORD_JSON || format > SLU_RECORD_BYTES)
        return NULL;
    if (maker->reader == NULL)
        maker->reader = slu_payload_reader_new(SLU_RECORD_MAX_BYTES);
    if (maker->reader == NULL) {
        looking->has_no_memory = true;
        return NULL;
    }
    if (!slu_payload_read(maker->reader, formats[format], looking->record->payload,
                          &looking->payload))
        looking->payload.root = NULL;
    return looking->payload.root;
}

static bool look(void *context, struct slu_slice text, struct slu_slice *value)
{
    struct looking *looking = context;
    const struct slu_value *root = payload_root(looking);
    const struct slu_pointer *pointer = root != NULL ? compiled(looking, text) : NULL;
    const struct slu_value *found = pointer != NULL ? slu_pointer_find(pointer, root) : NULL;

    if (found == NULL)
        return false;
    switch (slu_value_kind(found)) {
    case SLU_VALUE_STRING:
        *value = slu_value_text(found);
        return true;
    case SLU_VALUE_NUMBER:
    case SLU_VALUE_BIG:
        *value = slu_payload_number_text(&looking->payload, found, looking->scratch);
        return true;
    case SLU_VALUE_BOOL:
        *value =
            slu_value_variant(found) == SLU_VALUE_TRUE ? SLU_SLICE("true") : SLU_SLICE("false");
        return true;
    default:
        return false;
    }
}

/* ---- topic and key ------------------------------------------------------------------------------------- */

static enum slu_kafka_made unfit(struct slu_sink_reject *reject, const char *code,
                                 const char *message)
{
    snprintf(reject->code, sizeof(reject->code), "%s", code);
    snprintf(reject->message, sizeof(reject->message), "%s", message);
    return SLU_KAFKA_UNFIT;
}

/* `buf` has failed: beyond its ceiling, or no memory? */
static bool is_ceiling(struct slu_buf *buf)
{
    slu_buf_reset(buf);
    const bool has_memory = slu_buf_room(buf, TEXT_BYTES) != NULL;
    slu_buf_reset(buf);
    return has_memory;
}

static enum slu_kafka_made fill(const struct slu_template *template, enum slu_template_use use,
                                const struct slu_template_values *values, struct slu_buf *out,
                                struct slu_sink_reject *reject)
{
    const struct looking *looking = values->context;
    slu_buf_reset(out);
    const int result = slu_template_fill(template, use, values, out);

    if (looking->has_no_memory)
        return SLU_KAFKA_NO_MEMORY;
    if (result < 0)
        return is_ceiling(out) ? unfit(reject, "record.too_large",
                                       "its topic or key would have more than a million bytes")
                               : SLU_KAFKA_NO_MEMORY;
    if (result > 0) {
        const struct slu_slice text = slu_template_text(template);
        char message[200];
        snprintf(message, sizeof(message), "%.*s names a level that the topic does not have",
                 (int)(text.len < 120 ? text.len : 120), text.data);
        return unfit(reject, "template.unresolved", message);
    }
    return SLU_KAFKA_MADE;
}

/* A key as it is most often: nothing to escape, nothing to look up. */
static bool is_whole_topic(const struct slu_template *template)
{
    return slu_slice_equal(slu_template_text(template), SLU_SLICE("${topic}"));
}

/* The filter of the record's policy that says which part of its topic a {level} is. */
static const struct slu_topic_filter *filter_of(struct slu_kafka_maker *maker,
                                                const struct slu_record *record)
{
    if (!maker->has_levels)
        return NULL;
    if (!maker->has_policy || maker->policy_number != record->policy) {
        maker->policy = slu_sink_policies_find(
            maker->policies, maker->env->policy_name(maker->env->names, record->policy));
        maker->policy_number = record->policy;
        maker->has_policy = true;
    }
    return slu_sink_policy_filter(maker->policy, record->topic);
}

static enum slu_kafka_made make_texts(struct slu_kafka_maker *maker,
                                      const struct slu_record *record,
                                      struct slu_kafka_message *message,
                                      struct slu_sink_reject *reject)
{
    const struct slu_kafka_options *options = maker->options;
    struct looking looking = {.maker = maker, .record = record};
    struct slu_template_values values = {
        .variables[SLU_VARIABLE_TOPIC] = record->topic,
        .variables[SLU_VARIABLE_CLIENT_ID] = record->client_id,
        .variables[SLU_VARIABLE_USERNAME] = record->username,
        .variables[SLU_VARIABLE_POLICY] =
            slu_slice_of(maker->env->policy_name(maker->env->names, record->policy)),
        .variables[SLU_VARIABLE_INSTANCE] = slu_slice_of(maker->env->instance),
        .filter = filter_of(maker, record),
        .topic = record->topic,
        .payload = look,
        .context = &looking,
    };

    enum slu_kafka_made made =
        fill(options->topic, SLU_TEMPLATE_KAFKA_TOPIC, &values, &maker->topic, reject);
    if (made != SLU_KAFKA_MADE)
        return made;
    message->topic = slu_buf_text(&maker->topic);
    if (maker->topic.len > SLU_KAFKA_TOPIC_MAX)
        return unfit(reject, "kafka.TOPIC_EXCEPTION",
                     "its topic would have more than the 249 characters that Kafka takes");
    if (strcmp(message->topic, ".") == 0 || strcmp(message->topic, "..") == 0)
        return unfit(reject, "kafka.TOPIC_EXCEPTION", "its topic would be only dots");
    if (options->key == NULL)
        return SLU_KAFKA_MADE;
    if (is_whole_topic(options->key)) {
        message->key = record->topic;
        return SLU_KAFKA_MADE;
    }
    made = fill(options->key, SLU_TEMPLATE_TEXT, &values, &maker->key, reject);
    message->key = slu_slice(slu_buf_text(&maker->key), maker->key.len);
    return made;
}

/* ---- headers -------------------------------------------------------------------------------------------- */

static bool grow_headers(struct slu_kafka_maker *maker, size_t n)
{
    if (n <= maker->headers_cap)
        return true;
    size_t cap = maker->headers_cap > 0 ? maker->headers_cap : 32;
    while (cap < n)
        cap *= 2;
    struct slu_kafka_header *headers = realloc(maker->headers, cap * sizeof(*headers));
    if (headers == NULL)
        return false;
    maker->headers = headers;
    maker->headers_cap = cap;
    return true;
}

static void add(struct slu_kafka_maker *maker, size_t *n, struct slu_slice name,
                struct slu_slice value)
{
    maker->headers[(*n)++] = (struct slu_kafka_header){name, value};
}

static void add_if_any(struct slu_kafka_maker *maker, size_t *n, struct slu_slice name,
                       struct slu_slice value)
{
    if (value.len > 0)
        add(maker, n, name, value);
}

static struct slu_slice kind_name(uint8_t kind)
{
    switch (kind) {
    case SLU_RECORD_VIOLATION:
        return SLU_SLICE("violation");
    case SLU_RECORD_ALARM:
        return SLU_SLICE("alarm");
    default:
        return SLU_SLICE("message");
    }
}

/* A number of up to three digits; `text` has room. */
static struct slu_slice small_number(uint8_t number, char text[4])
{
    size_t n = 0;
    if (number >= 100)
        text[n++] = (char)('0' + number / 100);
    if (number >= 10)
        text[n++] = (char)('0' + number / 10 % 10);
    text[n++] = (char)('0' + number % 10);
    return slu_slice(text, n);
}

/* A user property's header name: as it is for trace context, else with our prefix. The room for all
 * of them is there already. */
static struct slu_slice user_name(struct slu_kafka_maker *maker, struct slu_slice name)
{
    if (slu_slice_equal(name, SLU_SLICE("traceparent")) ||
        slu_slice_equal(name, SLU_SLICE("tracestate")))
        return name;
    char *at = maker->names.data + maker->names.len;
    memcpy(at, user_prefix, USER_PREFIX);
    if (name.len > 0)
        memcpy(at + USER_PREFIX, name.data, name.len);
    slu_buf_grew(&maker->names, USER_PREFIX + name.len);
    return slu_slice(at, USER_PREFIX + name.len);
}

static bool add_properties(struct slu_kafka_maker *maker, struct slu_slice packed, size_t *n)
{
    struct slu_property property;
    size_t n_properties = 0, name_bytes = 0;

    for (size_t at = 0; slu_properties_next(packed, &at, &property); n_properties++)
        name_bytes += USER_PREFIX + property.name.len;
    slu_buf_reset(&maker->names);
    if (!grow_headers(maker, *n + n_properties) ||
        slu_buf_room(&maker->names, name_bytes + 1) == NULL)
        return false;
    for (size_t at = 0; slu_properties_next(packed, &at, &property);) {
        if (property.kind == SLU_PROPERTY_CONTENT_TYPE)
            add(maker, n, SLU_SLICE("mqtt.content_type"), property.value);
        else if (property.kind == SLU_PROPERTY_USER)
            add(maker, n, user_name(maker, property.name), property.value);
    }
    return true;
}

static bool make_headers(struct slu_kafka_maker *maker, const struct slu_record *record,
                         struct slu_kafka_message *message)
{
    const struct slu_sink_env *env = maker->env;
    size_t n = 0;

    if (maker->options->headers == SLU_KAFKA_HEADERS_NONE)
        return true;
    if (!grow_headers(maker, HEADERS_FIXED))
        return false;
    slu_uuid_format(slu_uuid_of_record(env->spool_id, record->seq), maker->id);
    add(maker, &n, SLU_SLICE("sluice.id"), slu_slice(maker->id, SLU_UUID_TEXT_SIZE - 1));
    add_if_any(maker, &n, SLU_SLICE("sluice.policy"),
               slu_slice_of(env->policy_name(env->names, record->policy)));
    if (record->schema != 0)
        add_if_any(maker, &n, SLU_SLICE("sluice.schema"),
                   slu_slice_of(env->schema_name(env->names, record->schema)));
    if (maker->options->headers == SLU_KAFKA_HEADERS_ALL) {
        add(maker, &n, SLU_SLICE("sluice.quality"), small_number(record->quality, maker->quality));
        add(maker, &n, SLU_SLICE("sluice.kind"), kind_name(record->kind));
        add(maker, &n, SLU_SLICE("mqtt.topic"), record->topic);
        add_if_any(maker, &n, SLU_SLICE("mqtt.client_id"), record->client_id);
        add(maker, &n, SLU_SLICE("mqtt.qos"), small_number(record->qos, maker->qos));
        add(maker, &n, SLU_SLICE("mqtt.retain"),
            record->retain ? SLU_SLICE("true") : SLU_SLICE("false"));
        if (record->properties.len > 0 && !add_properties(maker, record->properties, &n))
            return false;
    }
    message->headers = maker->headers;
    message->n_headers = n;
    return true;
}

/* ---- value ---------------------------------------------------------------------------------------------- */

static bool make_value(struct slu_kafka_maker *maker, const struct slu_record *record,
                       struct slu_kafka_message *message)
{
    if (maker->options->value == SLU_KAFKA_PAYLOAD) {
        message->value = record->payload;
        return true;
    }
    const struct slu_envelope envelope = slu_sink_envelope(maker->env, record);
    if (maker->value.cap > KEEP_BYTES) {
        slu_buf_fini(&maker->value);
        slu_buf_init(&maker->value, SLU_ENVELOPE_MAX_BYTES);
    }
    slu_buf_reset(&maker->value);
    if (!slu_envelope_write(&maker->value, &envelope, record))
        return false;
    message->value = slu_buf_slice(&maker->value);
    return true;
}

static int64_t timestamp_ms(int64_t event_ns)
{
    return event_ns >= SLU_NS_PER_MS ? event_ns / SLU_NS_PER_MS : 1;
}

/* ---- whole ---------------------------------------------------------------------------------------------- */

void slu_kafka_maker_init(struct slu_kafka_maker *maker, const struct slu_kafka_options *options,
                          const struct slu_sink_policies *policies, const struct slu_sink_env *env)
{
    struct slu_slice name;
    *maker = (struct slu_kafka_maker){.options = options, .policies = policies, .env = env};
    maker->has_levels = slu_template_level(options->topic, 0, &name) ||
                        (options->key != NULL && slu_template_level(options->key, 0, &name));
    slu_buf_init(&maker->topic, TEXT_BYTES);
    slu_buf_init(&maker->key, TEXT_BYTES);
    slu_buf_init(&maker->value, SLU_ENVELOPE_MAX_BYTES);
    slu_buf_init(&maker->names, (size_t)4 * SLU_RECORD_MAX_BYTES);
    slu_arena_init(&maker->pointers, POINTERS_BYTES);
}

void slu_kafka_maker_fini(struct slu_kafka_maker *maker)
{
    if (maker->options == NULL)
        return;
    slu_buf_fini(&maker->topic);
    slu_buf_fini(&maker->key);
    slu_buf_fini(&maker->value);
    slu_buf_fini(&maker->names);
    slu_arena_fini(&maker->pointers);
    slu_payload_reader_free(maker->reader);
    free(maker->headers);
    *maker = (struct slu_kafka_maker){0};
}

enum slu_kafka_made slu_kafka_message_make(struct slu_kafka_maker *maker,
                                           const struct slu_record *record,
                                           struct slu_kafka_message *message,
                                           struct slu_sink_reject *reject)
{
    *message = (struct slu_kafka_message){.timestamp_ms = timestamp_ms(record->event_ns)};
    const enum slu_kafka_made made = make_texts(maker, record, message, reject);
    if (made != SLU_KAFKA_MADE)
        return made;
    if (!make_headers(maker, record, message) || !make_value(maker, record, message))
        return SLU_KAFKA_NO_MEMORY;
    return SLU_KAFKA_MADE;
}

size_t slu_kafka_message_bytes(const struct slu_kafka_message *message)
{
    size_t bytes = message->key.len + message->value.len;
    for (size_t i = 0; i < message->n_headers; i++)
        bytes += message->headers[i].name.len + message->headers[i].value.len;
    return bytes;
}

size_t slu_kafka_message_memory(const struct slu_kafka_message *message)
{
    return slu_kafka_message_bytes(message) + MESSAGE_MEMORY + message->n_headers * HEADER_MEMORY;
}

/* Append bytes at `*at`; returns where they are now. Absent stays absent. */
static struct slu_slice put(char **at, struct slu_slice bytes)
{
    if (bytes.data == NULL)
        return bytes;
    char *start = *at;
    if (bytes.len > 0)
        memcpy(start, bytes.data, bytes.len);
    start[bytes.len] = '\0';
    *at += bytes.len + 1;
    return slu_slice(start, bytes.len);
}

struct slu_kafka_message *slu_kafka_message_copy(const struct slu_kafka_message *message)
{
    struct slu_kafka_header *headers;
    const size_t table = message->n_headers * sizeof(*headers);
    size_t bytes = sizeof(*message) + table + strlen(message->topic) + message->key.len +
                   message->value.len + 3;
    for (size_t i = 0; i < message->n_headers; i++)
        bytes += message->headers[i].name.len + message->headers[i].value.len + 2;

    struct slu_kafka_message *copy = malloc(bytes);
    if (copy == NULL)
        return NULL;
    headers = (struct slu_kafka_header *)(copy + 1);
    char *at = (char *)(copy + 1) + table;
    *copy = *message;
    copy->headers = headers;
    copy->topic = put(&at, slu_slice_of(message->topic)).data;
    copy->key = put(&at, message->key);
    copy->value = put(&at, message->value);
    for (size_t i = 0; i < message->n_headers; i++)
        headers[i] = (struct slu_kafka_header){put(&at, message->headers[i].name),
                                               put(&at, message->headers[i].value)};
    return copy;
}
