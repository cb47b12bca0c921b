/* timestamp.c -- see timestamp.h. */
#include "validation/timestamp.h"

#include "base/clock.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

const char *const slu_time_unit_names[SLU_TIME_UNITS] = {
    [SLU_TIME_MILLISECONDS] = "ms", [SLU_TIME_SECONDS] = "s",       [SLU_TIME_MICROSECONDS] = "us",
    [SLU_TIME_NANOSECONDS] = "ns",  [SLU_TIME_RFC3339] = "rfc3339",
};

static const struct {
    int64_t ns; /* of one */
    int shift;  /* 10^shift is ns */
} units[] = {
    [SLU_TIME_MILLISECONDS] = {1000000, 6},
    [SLU_TIME_SECONDS] = {1000000000, 9},
    [SLU_TIME_MICROSECONDS] = {1000, 3},
    [SLU_TIME_NANOSECONDS] = {1, 0},
};

/* The value × 10^shift, rounded down; false: more than 64 bits. The decimal is 0.d1d2d3… × 10^exponent. */
static bool scaled(const struct slu_decimal *decimal, int shift, int64_t *result)
{
    const int64_t wanted = decimal->exponent + shift; /* digits before the point */
    uint64_t magnitude = 0;
    int64_t n = 0;
    size_t at = 0;

    if (decimal->n_digits == 0) {
        *result = 0;
        return true;
    }
    if (wanted > 19)
        return false;
    for (; n < wanted; n++) {
        while (at < decimal->n_text && decimal->digits[at] == '.')
            at++;
        const unsigned digit = at < decimal->n_text ? (unsigned)(decimal->digits[at++] - '0') : 0;
        if (magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    const bool has_more = (int64_t)decimal->n_digits > (wanted > 0 ? wanted : 0);
    magnitude += decimal->negative && has_more; /* down is away from zero there */
    if (magnitude > (uint64_t)INT64_MAX + decimal->negative)
        return false;
    *result = decimal->negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool read_number(const struct slu_timestamp *timestamp, const struct slu_payload *payload,
                        const struct slu_value *value, int64_t *event_ns)
{
    const uint8_t variant = slu_value_variant(value);
    char scratch[32];
    int64_t ns;

    /* What machines send: a whole number. */
    if (variant == SLU_VALUE_UINT) {
        if (value->u64 > INT64_MAX ||
            __builtin_mul_overflow((int64_t)value->u64, units[timestamp->unit].ns, &ns))
            return false;
    } else {
        const struct slu_decimal decimal = slu_payload_digits(payload, value, scratch);
        if (!scaled(&decimal, units[timestamp->unit].shift, &ns))
            return false;
    }
    *event_ns = ns;
    return true;
}

static bool read_value(const struct slu_timestamp *timestamp, const struct slu_payload *payload,
                       const struct slu_value *value, int64_t *event_ns)
{
    if (timestamp->unit != SLU_TIME_RFC3339)
        return slu_value_is_number(value) && read_number(timestamp, payload, value, event_ns);
    const struct slu_slice text =
        slu_value_kind(value) == SLU_VALUE_STRING ? slu_value_text(value) : slu_slice(NULL, 0);
    return text.len != 0 && slu_clock_parse(text.data, text.len, event_ns) == 0;
}

/* ---- violations ------------------------------------------------------------------------------------ */

static struct slu_violation *add(struct slu_verdict *verdict, const char *code,
                                 const struct slu_timestamp *timestamp)
{
    struct slu_violation *violation = slu_verdict_add(verdict, code);

    if (violation == NULL)
        return NULL;
    uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_slice(&verdict->scratch, timestamp->field.text);
    violation->pointer = slu_verdict_end_text(verdict, begin);
    begin = slu_verdict_begin(verdict);
    slu_buf_printf(&verdict->scratch, "\"%s\"", slu_time_unit_names[timestamp->unit]);
    violation->expected = slu_verdict_end_json(verdict, begin);
    return violation;
}

static void report_missing(struct slu_verdict *verdict, const struct slu_timestamp *timestamp)
{
    struct slu_violation *violation = add(verdict, "timestamp.missing", timestamp);

    if (violation == NULL)
        return;
    const uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_text(&verdict->scratch, "the timestamp ");
    slu_buf_add_slice(&verdict->scratch, timestamp->field.text);
    slu_buf_add_text(&verdict->scratch, " is missing");
    violation->message = slu_verdict_end_text(verdict, begin);
}

static void report_malformed(struct slu_verdict *verdict, const struct slu_timestamp *timestamp,
                             const struct slu_payload *payload, const struct slu_value *value)
{
    struct slu_violation *violation = add(verdict, "timestamp.malformed", timestamp);
    char scratch[32];

    if (violation == NULL)
        return;
    uint32_t begin = slu_verdict_begin(verdict);
    if (slu_value_is_number(value))
        slu_buf_add_slice(&verdict->scratch, slu_payload_number_text(payload, value, scratch));
    else
        slu_value_json(value, &verdict->scratch);
    violation->actual = slu_verdict_end_json(verdict, begin);
    begin = slu_verdict_begin(verdict);
    if (timestamp->unit == SLU_TIME_RFC3339)
        slu_buf_add_text(&verdict->scratch,
                         "is no RFC 3339 time between 1677-09-21 and 2262-04-11");
    else
        slu_buf_printf(&verdict->scratch, "is no time in %s between 1677-09-21 and 2262-04-11",
                       slu_time_unit_names[timestamp->unit]);
    violation->message = slu_verdict_end_text(verdict, begin);
}

bool slu_timestamp_judge(const struct slu_timestamp *timestamp, const struct slu_payload *payload,
                         int64_t *event_ns, struct slu_verdict *verdict)
{
    const struct slu_value *value =
        payload->root != NULL ? slu_pointer_find(&timestamp->field, payload->root) : NULL;

    if (value != NULL && read_value(timestamp, payload, value, event_ns))
        return true;
    if (verdict != NULL && value == NULL)
        report_missing(verdict, timestamp);
    else if (verdict != NULL)
        report_malformed(verdict, timestamp, payload, value);
    return false;
}
