/* envelope.c -- see envelope.h for who wants a record as JSON.
 *
 *   {"v":1,"id":"…36…","seq":"…","time":…, … ,"payload":…}
 *   └────── the head: of known lengths, so that readers of a crashed file find the place ──────┘
 *
 * The payload goes from record to line without passing through numbers: JSON as it came (on one
 * line), a number as its digits, so nothing is rounded. The order of the fields is fixed.
 *
 * Threads: none of its own; no state.
 */
#include "sinks/envelope.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/properties.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "sinks/decoder.h"
#include "validation/payload/payload.h"

#include <strings.h>

#define ADD(out, literal) slu_buf_add((out), (literal), sizeof(literal) - 1)

static const char head_start[] = "{\"v\":1,\"id\":\"";
static const char head_middle[] = "\",\"seq\":\"";

/* ---- payload ----------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slu_slice trim(struct slu_slice text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = slu_slice(text.data + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Bytes that mean something between tokens, and within a string. All others are stepped over. */
enum { OUTSIDE = 1, INSIDE = 2, BOTH = OUTSIDE | INSIDE };
#define EIGHT BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH
static const uint8_t meaning[256] = {
    EIGHT,           EIGHT,           EIGHT,           EIGHT, /* control bytes */
    ['"'] = BOTH,    ['\\'] = INSIDE, ['{'] = OUTSIDE, ['['] = OUTSIDE,
    ['}'] = OUTSIDE, [']'] = OUTSIDE,
};

static size_t step_over(struct slu_slice json, size_t at, uint8_t where)
{
    while (at < json.len && (meaning[(unsigned char)json.data[at]] & where) == 0)
        at++;
    return at;
}

/* The end of the string that begins behind the quote at `at`; json.len when it has none. */
static size_t end_of_string(struct slu_slice json, size_t at)
{
    while ((at = step_over(json, at + 1, INSIDE)) < json.len) {
        if (json.data[at] == '"')
            return at;
        if (json.data[at++] != '\\')
            break;
    }
    return json.len;
}

/* Does a JSON text hold together: strings closed, brackets paired in number, no bytes that may not
 * stand in a line? It was parsed when it was accepted; this keeps a damaged record from damaging the
 * lines around it, and is no second parser. */
static bool holds_together(struct slu_slice json)
{
    size_t depth = 0;

    for (size_t at = 0; (at = step_over(json, at, OUTSIDE)) < json.len; at++) {
        const char c = json.data[at];
        if (c == '"') {
            at = end_of_string(json, at);
            if (at == json.len)
                return false;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth-- == 0)
                return false;
        } else if (!is_blank(c)) {
            return false;
        }
    }
    return depth == 0 && trim(json).len > 0 && slu_utf8_valid(json.data, json.len);
}

static size_t digits(struct slu_slice text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.data[at + n] >= '0' && text.data[at + n] <= '9')
        n++;
    return n;
}

/* RFC 8259 §6. */
static bool is_json_number(struct slu_slice text)
{
    size_t at = text.len > 0 && text.data[0] == '-';
    const size_t whole = digits(text, at);
    if (whole == 0 || (whole > 1 && text.data[at] == '0'))
        return false;
    at += whole;
    if (at < text.len && text.data[at] == '.') {
        const size_t fraction = digits(text, ++at);
        if (fraction == 0)
            return false;
        at += fraction;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
            at++;
        const size_t exponent = digits(text, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == text.len;
}

static bool number_json(struct slu_slice payload, struct slu_slice *json)
{
    *json = trim(payload);
    if (json->len > 0 && json->data[0] == '+') {
        *json = slu_slice(json->data + 1, json->len - 1);
        if (json->len > 0 && json->data[0] == '-')
            return false;
    }
    return is_json_number(*json);
}

static bool boolean_json(struct slu_slice payload, struct slu_slice *json)
{
    static const struct {
        const char *word;
        bool is_true;
    } words[] = {{"true", true}, {"false", false}, {"on", true},
                 {"off", false}, {"1", true},      {"0", false}};
    const struct slu_slice text = trim(payload);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text.len == strlen(words[i].word) &&
            strncasecmp(text.data, words[i].word, text.len) == 0) {
            *json = words[i].is_true ? SLU_SLICE("true") : SLU_SLICE("false");
            return true;
        }
    }
    return false;
}

static bool add_bytes_payload(struct slu_buf *out, struct slu_slice payload)
{
    ADD(out, ",\"payload_base64\":\"");
    slu_base64_encode(out, payload);
    return ADD(out, "\"");
}

/* False: it cannot be read, or is too large; `out` is as before. */
static bool add_avro_payload(struct slu_buf *out, const struct slu_envelope *envelope,
                             const struct slu_record *record)
{
    const size_t len = out->len, max = out->max;
    struct slu_payload payload;

    if (out->failed || envelope->decoder == NULL ||
        !slu_decoder_read(envelope->decoder, record, envelope->schema_text, &payload))
        return false;
    /* A lower ceiling for the while: what is beyond it is no failure of the line. */
    if (max - len > SLU_ENVELOPE_DECODED_MAX)
        out->max = len + SLU_ENVELOPE_DECODED_MAX;
    const bool whole = slu_value_json(payload.root, out);
    out->max = max;
    if (!whole) {
        slu_buf_cut(out, len);
        out->failed = false;
    }
    return whole;
}

/* JSON as it came, on one line. */
static void add_json(struct slu_buf *out, struct slu_slice json)
{
    if (memchr(json.data, '\n', json.len) != NULL || memchr(json.data, '\r', json.len) != NULL)
        slu_json_text_one_line(out, json);
    else
        slu_buf_add_slice(out, json);
}

/* False: it is not what its format says, or has no form in JSON; nothing was added then. */
static bool add_payload_json(struct slu_buf *out, const struct slu_envelope *envelope,
                             const struct slu_record *record)
{
    const struct slu_slice payload = record->payload;
    struct slu_slice json = payload;
    bool is_json = false;

    switch (record->format) {
    case SLU_RECORD_JSON:
        is_json = holds_together(payload);
        break;
    case SLU_RECORD_NUMBER:
        is_json = number_json(payload, &json);
        break;
    case SLU_RECORD_BOOLEAN:
        is_json = boolean_json(payload, &json);
        break;
    case SLU_RECORD_STRING:
        if (!slu_utf8_valid(payload.data, payload.len))
            return false;
        slu_json_text_string(out, payload);
        return true;
    case SLU_RECORD_AVRO:
        return add_avro_payload(out, envelope, record);
    default:
        break;
    }
    if (is_json)
        add_json(out, json);
    return is_json;
}

static bool add_payload(struct slu_buf *out, const struct slu_envelope *envelope,
                        const struct slu_record *record)
{
    const size_t len = out->len;

    ADD(out, ",\"payload\":");
    if (out->failed || add_payload_json(out, envelope, record))
        return !out->failed;
    slu_buf_cut(out, len);
    return add_bytes_payload(out, record->payload);
}

bool slu_envelope_payload_json(struct slu_buf *out, const struct slu_envelope *envelope,
                               const struct slu_record *record)
{
    return add_payload_json(out, envelope, record) && !out->failed;
}

/* ---- the other fields -------------------------------------------------------------------------------- */

static void add_time(struct slu_buf *out, int64_t wall_ns)
{
    char text[SLU_CLOCK_TEXT_SIZE];
    slu_buf_add(out, text, slu_clock_format(wall_ns, text));
}

/* `key` with its comma and colon; nothing at all when the text is absent. */
static void add_text(struct slu_buf *out, const char *key, struct slu_slice text)
{
    if (text.len == 0)
        return;
    slu_buf_add_text(out, key);
    slu_json_text_string(out, text);
}

static void add_user_properties(struct slu_buf *out, struct slu_slice packed)
{
    struct slu_property property;
    size_t n = 0;

    for (size_t at = 0; slu_properties_next(packed, &at, &property);) {
        if (property.kind != SLU_PROPERTY_USER)
            continue;
        slu_buf_add_text(out, n++ == 0 ? ",\"user_properties\":[[" : ",[");
        slu_json_text_string(out, property.name);
        slu_buf_add_char(out, ',');
        slu_json_text_string(out, property.value);
        slu_buf_add_char(out, ']');
    }
    if (n > 0)
        slu_buf_add_char(out, ']');
}

static const char *kind_name(uint8_t kind)
{
    switch (kind) {
    case SLU_RECORD_VIOLATION:
        return "violation";
    case SLU_RECORD_ALARM:
        return "alarm";
    default:
        return "message";
    }
}

/* Decimal digits of a seq: a string in JSON, because many readers hold numbers as doubles. */
static void add_seq(struct slu_buf *out, uint64_t seq)
{
    char text[20];
    size_t first = sizeof(text);
    do {
        text[--first] = (char)('0' + seq % 10);
        seq /= 10;
    } while (seq > 0);
    slu_buf_add(out, text + first, sizeof(text) - first);
}

static void add_origin(struct slu_buf *out, const struct slu_envelope *envelope,
                       const struct slu_record *record)
{
    char id[SLU_UUID_TEXT_SIZE];

    ADD(out, head_start);
    slu_uuid_format(slu_uuid_of_record(envelope->spool_id, record->seq), id);
    slu_buf_add(out, id, SLU_UUID_TEXT_SIZE - 1);
    ADD(out, head_middle);
    add_seq(out, record->seq);
    ADD(out, "\",\"time\":\"");
    add_time(out, record->time_ns);
    ADD(out, "\",\"event_time\":\"");
    add_time(out, record->event_ns);
    ADD(out, "\",\"instance\":");
    slu_json_text_string(out, slu_slice_of(envelope->instance));
}

/* Everything but the closing brace. */
static void add_fields(struct slu_buf *out, const struct slu_envelope *envelope,
                       const struct slu_record *record)
{
    add_origin(out, envelope, record);
    ADD(out, ",\"kind\":\"");
    slu_buf_add_text(out, kind_name(record->kind));
    ADD(out, "\",\"topic\":");
    slu_json_text_string(out, record->topic);
    add_text(out, ",\"client_id\":", record->client_id);
    add_text(out, ",\"username\":", record->username);
    ADD(out, ",\"qos\":");
    slu_json_text_int(out, record->qos);
    slu_buf_add_text(out, record->retain ? ",\"retain\":true" : ",\"retain\":false");
    add_text(out, ",\"policy\":", slu_slice_of(envelope->policy));
    add_text(out, ",\"schema\":", slu_slice_of(envelope->schema));
    ADD(out, ",\"quality\":");
    slu_json_text_int(out, record->quality);
    add_user_properties(out, record->properties);
    add_payload(out, envelope, record);
}

bool slu_envelope_write(struct slu_buf *out, const struct slu_envelope *envelope,
                        const struct slu_record *record)
{
    add_fields(out, envelope, record);
    return slu_buf_add_char(out, '}');
}

bool slu_envelope_write_dead(struct slu_buf *out, const struct slu_envelope *envelope,
                             const struct slu_record *record, const char *sink, const char *code,
                             const char *message, int64_t time_ns)
{
    add_fields(out, envelope, record);
    ADD(out, ",\"dead\":{\"sink\":");
    slu_json_text_string(out, slu_slice_of(sink));
    ADD(out, ",\"code\":");
    slu_json_text_string(out, slu_slice_of(code));
    ADD(out, ",\"message\":");
    slu_json_text_string(out, slu_slice_of(message));
    ADD(out, ",\"time\":\"");
    add_time(out, time_ns);
    return ADD(out, "\"}}");
}

/* ---- back ---------------------------------------------------------------------------------------------- */

/* Step over `text` at the front of `line`. */
static bool take(struct slu_slice *line, struct slu_slice text)
{
    if (!slu_slice_starts_with(*line, text))
        return false;
    *line = slu_slice(line->data + text.len, line->len - text.len);
    return true;
}

static bool take_seq(struct slu_slice *line, uint64_t *seq)
{
    const size_t n = digits(*line, 0);
    uint64_t number = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t digit = (uint64_t)(line->data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *line = slu_slice(line->data + n, line->len - n);
    *seq = number;
    return n > 0;
}

bool slu_envelope_place(struct slu_slice line, const uint8_t spool_id[16], uint64_t *seq,
                        bool *ours)
{
    if (!take(&line, slu_slice(head_start, sizeof(head_start) - 1)) ||
        line.len < SLU_UUID_TEXT_SIZE - 1)
        return false;
    const char *id = line.data;
    line = slu_slice(line.data + SLU_UUID_TEXT_SIZE - 1, line.len - (SLU_UUID_TEXT_SIZE - 1));
    if (!take(&line, slu_slice(head_middle, sizeof(head_middle) - 1)) || !take_seq(&line, seq) ||
        !take(&line, SLU_SLICE("\"")))
        return false;

    char expected[SLU_UUID_TEXT_SIZE];
    slu_uuid_format(slu_uuid_of_record(spool_id, *seq), expected);
    *ours = memcmp(id, expected, SLU_UUID_TEXT_SIZE - 1) == 0;
    return true;
}
