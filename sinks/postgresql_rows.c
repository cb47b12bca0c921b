/* postgresql_rows.c -- see postgresql_rows.h. A row of COPY BINARY:
 *
 *   i16 fields │ i32 length, bytes │ i32 length, bytes │ i32 -1 (NULL) │ …
 *
 * The payload is read into a tree only when a column looks inside it.
 */
#include "sinks/postgresql_rows.h"

#include "base/json_text.h"
#include "base/properties.h"
#include "base/uuid.h"
#include "sinks/decoder.h"
#include "sinks/postgresql_field.h"
#include "sinks/postgresql_json.h"
#include "sinks/postgresql_numeric.h"

#include <stdio.h>
#include <string.h>

const char slu_pg_copy_head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
const char slu_pg_copy_tail[2] = {'\xFF', '\xFF'};

#define SCRATCH_MAX \
    ((size_t)8 * SLU_RECORD_MAX_BYTES) /* every byte of a record escaped, and some more */

int slu_pg_rows_init(struct slu_pg_rows *rows, const struct slu_pg_plan *plan,
                     const struct slu_sink_policies *policies, const struct slu_sink_env *env,
                     struct slu_err *err)
{
    *rows = (struct slu_pg_rows){.plan = plan, .policies = policies, .env = env};
    slu_buf_init(&rows->scratch, SCRATCH_MAX);
    rows->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (rows->c_locale == (locale_t)0)
        return slu_err_set(err, SLU_ENOMEM, "no memory to read payloads");
    return 0;
}

void slu_pg_rows_fini(struct slu_pg_rows *rows)
{
    slu_buf_fini(&rows->scratch);
    if (rows->c_locale != (locale_t)0)
        freelocale(rows->c_locale);
    *rows = (struct slu_pg_rows){0};
}

/* One record on its way. */
struct making {
    struct slu_pg_rows *rows;
    const struct slu_record *record;
    struct slu_buf *out;
    size_t first; /* out->len before it */
    uint32_t n_rows;
    bool has_read; /* payload was read, well or not */
    bool has_no_memory;
    bool is_raw; /* layout messages: jsonb cannot hold the payload */
    struct slu_payload payload;
    struct slu_sink_reject *reject;
    /* layout narrow: the sample at hand */
    struct slu_slice pointer; /* behind the topic in the tag; empty: the topic alone */
    const struct slu_value *sample;
};

/* ---- refusing ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static bool refuse(struct making *making, const char *code,
                                                         const char *format, ...)
{
    va_list args;
    snprintf(making->reject->code, sizeof(making->reject->code), "%s", code);
    va_start(args, format);
    vsnprintf(making->reject->message, sizeof(making->reject->message), format, args);
    va_end(args);
    making->reject->seq = making->record->seq;
    return false;
}

/* ---- the payload --------------------------------------------------------------------------------------- */

static bool is_json_format(const struct slu_record *record)
{
    return record->format == SLU_RECORD_JSON;
}

/* Its tree; NULL when it has none: bytes, or a damaged record. */
static const struct slu_value *payload_root(struct making *making)
{
    const struct slu_sink_env *env = making->rows->env;

    if (making->has_read || env->decoder == NULL)
        return making->payload.root;
    making->has_read = true;
    if (!slu_decoder_read(env->decoder, making->record, slu_sink_schema_text(env, making->record),
                          &making->payload)) {
        making->has_no_memory = making->payload.fault == SLU_PAYLOAD_TOO_LARGE;
        making->payload.root = NULL;
    }
    return making->payload.root;
}

static struct slu_pg_value value_of_cell(const struct making *making, const struct slu_value *cell)
{
    if (cell == NULL || slu_value_kind(cell) == SLU_VALUE_NULL)
        return (struct slu_pg_value){.kind = SLU_PG_NULL};
    if (slu_value_kind(cell) == SLU_VALUE_BOOL)
        return (struct slu_pg_value){.kind = SLU_PG_TRUTH,
                                     .truth = slu_value_variant(cell) == SLU_VALUE_TRUE};
    if (slu_value_kind(cell) == SLU_VALUE_STRING)
        return (struct slu_pg_value){.kind = SLU_PG_STRING, .text = slu_value_text(cell)};
    return (struct slu_pg_value){.kind = SLU_PG_CELL, .cell = cell, .payload = &making->payload};
}

static struct slu_pg_value raw(const struct slu_record *record, bool is_json)
{
    return (struct slu_pg_value){.kind = SLU_PG_RAW, .text = record->payload, .is_json = is_json};
}

/* Avro as JSON, in scratch: what it means. */
static struct slu_pg_value decoded(struct making *making)
{
    struct slu_buf *scratch = &making->rows->scratch;
    const struct slu_value *root = payload_root(making);

    slu_buf_reset(scratch);
    if (root != NULL)
        slu_value_json(root, scratch);
    return (struct slu_pg_value){
        .kind = SLU_PG_RAW, .text = slu_buf_slice(scratch), .is_json = true};
}

/* ${payload}: its bytes for bytea and for what is JSON as a whole, else the scalar that it is. */
static struct slu_pg_value whole_payload(struct making *making, enum slu_pg_type type)
{
    if (type == SLU_PG_BYTEA)
        return raw(making->record, false);
    const struct slu_value *root = payload_root(making);
    if (root == NULL)
        return raw(making->record, false);
    if (making->record->format == SLU_RECORD_AVRO)
        return decoded(making);
    if (slu_value_is_container(root))
        return raw(making->record, is_json_format(making->record));
    return value_of_cell(making, root);
}

/* Column `payload` of layout messages, and whether it is used at all. */
static bool fits_jsonb(struct making *making)
{
    const struct slu_slice payload = making->record->payload;
    if (is_json_format(making->record))
        return slu_pg_json_refused(payload) == NULL;
    if (making->record->format == SLU_RECORD_AVRO)
        return payload_root(making) != NULL && slu_pg_json_refused(decoded(making).text) == NULL;
    return making->record->format >= SLU_RECORD_NUMBER &&
           making->record->format <= SLU_RECORD_STRING &&
           (payload.len == 0 || memchr(payload.data, '\0', payload.len) == NULL);
}

static struct slu_pg_value payload_json(struct making *making)
{
    if (!fits_jsonb(making))
        return (struct slu_pg_value){.kind = SLU_PG_NULL};
    if (is_json_format(making->record) || making->record->format == SLU_RECORD_AVRO) {
        struct slu_pg_value value =
            is_json_format(making->record) ? raw(making->record, true) : decoded(making);
        value.is_jsonb = true;
        return value;
    }
    const struct slu_value *root = payload_root(making);
    if (root != NULL && slu_value_is_number(root)) {
        char scratch[32];
        if (!slu_pg_numeric_holds(slu_payload_number_text(&making->payload, root, scratch)))
            return (struct slu_pg_value){.kind = SLU_PG_NULL};
    }
    return value_of_cell(making, root);
}

/* ---- the other sources ----------------------------------------------------------------------------------- */

static struct slu_pg_value text_or_null(struct slu_slice text)
{
    return (struct slu_pg_value){.kind = text.len > 0 ? SLU_PG_STRING : SLU_PG_NULL, .text = text};
}

static struct slu_pg_value small_number(int64_t number)
{
    return (struct slu_pg_value){.kind = SLU_PG_NUMBER, .number = number};
}

static struct slu_pg_value moment(int64_t ns)
{
    return (struct slu_pg_value){.kind = SLU_PG_TIME, .time_ns = ns};
}

static const char *kind_name(uint8_t kind)
{
    return kind == SLU_RECORD_VIOLATION ? "violation"
           : kind == SLU_RECORD_ALARM   ? "alarm"
                                        : "message";
}

/* The user properties as [["k","v"], …] in scratch. */
static struct slu_pg_value user_properties(struct making *making)
{
    struct slu_buf *scratch = &making->rows->scratch;
    struct slu_property property;

    slu_buf_reset(scratch);
    for (size_t at = 0; slu_properties_next(making->record->properties, &at, &property);) {
        if (property.kind != SLU_PROPERTY_USER)
            continue;
        slu_buf_add_text(scratch, scratch->len == 0 ? "[[" : ",[");
        slu_json_text_string(scratch, property.name);
        slu_buf_add_char(scratch, ',');
        slu_json_text_string(scratch, property.value);
        slu_buf_add_char(scratch, ']');
    }
    if (scratch->len == 0)
        return (struct slu_pg_value){.kind = SLU_PG_NULL};
    slu_buf_add_char(scratch, ']');
    return (struct slu_pg_value){
        .kind = SLU_PG_RAW, .text = slu_buf_slice(scratch), .is_json = true};
}

static struct slu_pg_value tag(struct making *making)
{
    struct slu_buf *scratch = &making->rows->scratch;
    if (making->pointer.len == 0)
        return (struct slu_pg_value){.kind = SLU_PG_STRING, .text = making->record->topic};
    slu_buf_reset(scratch);
    slu_buf_add_slice(scratch, making->record->topic);
    slu_buf_add_slice(scratch, making->pointer);
    return (struct slu_pg_value){.kind = SLU_PG_STRING, .text = slu_buf_slice(scratch)};
}

/* One of value and text of a sample is NULL. */
static struct slu_pg_value sample(const struct making *making, bool wants_text)
{
    const struct slu_value *cell = making->sample;
    const bool is_text = cell != NULL && slu_value_kind(cell) == SLU_VALUE_STRING;
    return value_of_cell(making, is_text == wants_text ? cell : NULL);
}

static const struct slu_sink_policy *policy_of(struct making *making)
{
    struct slu_pg_rows *rows = making->rows;
    const char *name = rows->env->policy_name(rows->env->names, making->record->policy);
    if (name != rows->policy_name || name == NULL) {
        rows->policy_name = name;
        rows->policy = slu_sink_policies_find(rows->policies, name);
    }
    return rows->policy;
}

static bool find_level(struct making *making, const struct slu_pg_column *column,
                       struct slu_pg_value *value)
{
    struct slu_slice text;
    *value = (struct slu_pg_value){.kind = SLU_PG_NULL};
    if (slu_sink_policy_level(policy_of(making), making->record->topic, column->level, &text)) {
        *value = (struct slu_pg_value){.kind = SLU_PG_STRING, .text = text};
        return true;
    }
    return column->null_on_error ||
           refuse(making, "template.unresolved",
                  "column %s: the topic has no level {%.*s} under the current policies",
                  column->name, SLU_SLICE_ARG(column->level));
}

/* False: the record is refused. */
static bool find_value(struct making *making, const struct slu_pg_column *column,
                       struct slu_pg_value *value)
{
    const struct slu_record *record = making->record;
    const struct slu_sink_env *env = making->rows->env;

    switch (column->from) {
    case SLU_PG_FROM_POINTER: {
        const struct slu_value *root = payload_root(making);
        *value =
            value_of_cell(making, root != NULL ? slu_pointer_find(&column->pointer, root) : NULL);
        return true;
    }
    case SLU_PG_FROM_LEVEL:
        return find_level(making, column, value);
    case SLU_PG_FROM_TOPIC:
        *value = text_or_null(record->topic);
        return true;
    case SLU_PG_FROM_CLIENT_ID:
        *value = text_or_null(record->client_id);
        return true;
    case SLU_PG_FROM_USERNAME:
        *value = text_or_null(record->username);
        return true;
    case SLU_PG_FROM_POLICY: {
        const char *name = env->policy_name(env->names, record->policy);
        *value = (struct slu_pg_value){.kind = SLU_PG_STRING, .text = slu_slice_of(name)};
        return true;
    }
    case SLU_PG_FROM_SCHEMA:
        *value = text_or_null(slu_slice_of(
            record->schema != 0 ? env->schema_name(env->names, record->schema) : NULL));
        return true;
    case SLU_PG_FROM_INSTANCE:
        *value = (struct slu_pg_value){.kind = SLU_PG_STRING, .text = slu_slice_of(env->instance)};
        return true;
    case SLU_PG_FROM_ID:
        *value = (struct slu_pg_value){.kind = SLU_PG_ID,
                                       .id = slu_uuid_of_record(env->spool_id, record->seq)};
        return true;
    case SLU_PG_FROM_RECEIVED_AT:
        *value = moment(record->time_ns);
        return true;
    case SLU_PG_FROM_EVENT_AT:
        *value = moment(record->event_ns);
        return true;
    case SLU_PG_FROM_QOS:
        *value = small_number(record->qos);
        return true;
    case SLU_PG_FROM_QUALITY:
        *value = small_number(record->quality);
        return true;
    case SLU_PG_FROM_RETAIN:
        *value = (struct slu_pg_value){.kind = SLU_PG_TRUTH, .truth = record->retain};
        return true;
    case SLU_PG_FROM_KIND:
        *value = text_or_null(slu_slice_of(kind_name(record->kind)));
        return true;
    case SLU_PG_FROM_PAYLOAD:
        *value = whole_payload(making, column->type);
        return true;
    case SLU_PG_FROM_PROPERTIES:
        *value = user_properties(making);
        return true;
    case SLU_PG_FROM_PAYLOAD_JSON:
        *value = payload_json(making);
        making->is_raw = value->kind == SLU_PG_NULL;
        return true;
    case SLU_PG_FROM_PAYLOAD_RAW:
        /* the column in front of it has said whether */
        *value = making->is_raw ? raw(record, false) : (struct slu_pg_value){0};
        return true;
    case SLU_PG_FROM_TAG:
        *value = tag(making);
        return true;
    case SLU_PG_FROM_SAMPLE_VALUE:
        *value = sample(making, false);
        return true;
    default:
        *value = sample(making, true);
        return true;
    }
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static bool add_field(struct making *making, const struct slu_pg_column *column)
{
    static const struct slu_pg_value null = {.kind = SLU_PG_NULL};
    const locale_t c_locale = making->rows->c_locale;
    struct slu_pg_value value;

    if (!find_value(making, column, &value))
        return false;
    const char *why = slu_pg_field_add(making->out, &value, column->type, column->unit, c_locale);
    if (why == NULL)
        return true;
    if (!column->null_on_error)
        return refuse(making, "column.type", "column %s (%s): the value %s", column->name,
                      slu_pg_type_names[column->type], why);
    slu_pg_field_add(making->out, &null, column->type, column->unit, c_locale);
    return true;
}

static bool add_row(struct making *making)
{
    const struct slu_pg_plan *plan = making->rows->plan;

    slu_pg_add16(making->out, (uint16_t)plan->n_columns);
    for (size_t i = 0; i < plan->n_columns; i++) {
        if (!add_field(making, &plan->columns[i]))
            return false;
        if (making->out->len - making->first > SLU_PG_ROWS_MAX_BYTES)
            return refuse(making, "record.too_large", "the record's rows are over %u bytes",
                          SLU_PG_ROWS_MAX_BYTES);
    }
    making->n_rows++;
    return true;
}

/* A null is no sample. */
static bool add_sample(struct making *making, const struct slu_value *cell,
                       struct slu_slice pointer)
{
    if (cell == NULL || slu_value_kind(cell) == SLU_VALUE_NULL)
        return true;
    if (slu_value_is_container(cell))
        return refuse(making, "column.type", "values: %.*s is no scalar",
                      (int)(making->pointer.len < 100 ? making->pointer.len : 100),
                      making->pointer.data);
    making->sample = cell;
    making->pointer = pointer;
    return add_row(making);
}

/* RFC 6901 §3 and §4: the pointer of a top-level member. */
static struct slu_slice member_pointer(struct slu_buf *out, const struct slu_value *key,
                                       size_t index)
{
    slu_buf_reset(out);
    slu_buf_add_char(out, '/');
    if (key == NULL)
        slu_buf_printf(out, "%zu", index);
    for (size_t i = 0; key != NULL && i < slu_value_len(key); i++) {
        if (key->text[i] == '~')
            slu_buf_add_text(out, "~0");
        else if (key->text[i] == '/')
            slu_buf_add_text(out, "~1");
        else
            slu_buf_add_char(out, key->text[i]);
    }
    return slu_buf_slice(out);
}

static bool add_members(struct making *making, const struct slu_value *root, struct slu_buf *name)
{
    const struct slu_sink_policy *policy = policy_of(making);
    const struct slu_slice timestamp = policy != NULL ? policy->timestamp : (struct slu_slice){0};
    const bool is_object = slu_value_kind(root) == SLU_VALUE_OBJECT;
    const struct slu_value *cell = slu_value_first(root);

    for (size_t i = 0; i < slu_value_len(root); i++) {
        const struct slu_value *key = is_object ? cell : NULL;
        cell = is_object ? slu_value_next(cell) : cell;
        if (!slu_value_is_container(cell)) {
            const struct slu_slice pointer = member_pointer(name, key, i);
            if (!slu_slice_equal(pointer, timestamp) && !add_sample(making, cell, pointer))
                return false;
            if (making->out->failed || name->failed)
                return true;
        }
        cell = slu_value_next(cell);
    }
    return true;
}

static bool add_samples(struct making *making)
{
    const struct slu_pg_plan *plan = making->rows->plan;
    const struct slu_value *root = payload_root(making);

    if (root == NULL)
        return refuse(making, "column.type", "the payload holds no values: it is bytes");
    if (!slu_value_is_container(root))
        return add_sample(making, root, (struct slu_slice){0});
    for (size_t i = 0; i < plan->n_values; i++) {
        const struct slu_pointer *pointer = &plan->values[i];
        const bool is_alone = plan->n_values == 1;
        making->pointer = pointer->text;
        if (!add_sample(making, slu_pointer_find(pointer, root),
                        is_alone ? (struct slu_slice){0} : pointer->text))
            return false;
    }
    if (plan->n_values > 0)
        return true;

    struct slu_buf name;
    slu_buf_init(&name, SCRATCH_MAX);
    const bool done = add_members(making, root, &name);
    making->out->failed = making->out->failed || name.failed;
    slu_buf_fini(&name);
    return done;
}

enum slu_pg_made slu_pg_rows_add(struct slu_pg_rows *rows, const struct slu_record *record,
                                 struct slu_buf *out, uint32_t *n_rows,
                                 struct slu_sink_reject *reject)
{
    struct making making = {
        .rows = rows, .record = record, .out = out, .first = out->len, .reject = reject};

    const bool is_made =
        rows->plan->layout == SLU_PG_NARROW ? add_samples(&making) : add_row(&making);
    *n_rows = making.n_rows;
    if (making.has_no_memory) {
        slu_buf_cut(out, making.first);
        return SLU_PG_NO_MEMORY;
    }
    if (is_made && !out->failed && !rows->scratch.failed)
        return SLU_PG_MADE;
    slu_buf_cut(out, making.first);
    if (!is_made)
        return SLU_PG_REJECTED;
    out->failed = false;
    slu_buf_reset(&rows->scratch);
    return SLU_PG_NO_MEMORY;
}
