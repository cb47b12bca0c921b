/* report.c -- what a keyword tells about a value that failed. Declared in run.h.
 *
 * Nothing here runs for a message that holds. The texts are bounded by the verdict; what would be
 * long is not even written: containers are shown when they are small, long strings are left out.
 */
#include "validation/json_schema/run.h"

#include "base/json_text.h"
#include "base/utf8.h"
#include "validation/json_schema/schema.h"
#include "validation/verdict.h"

#define SHOWN_CONTAINER 128 /* bytes of JSON, as `actual` */
#define SHOWN_IN_TEXT   80  /* bytes of JSON inside the sentence */

/* May its JSON be short, a container's within `limit`? Looks at so many cells only. */
static bool may_be_short(const struct slu_value *value, size_t limit)
{
    if (!slu_value_is_container(value))
        return slu_value_kind(value) != SLU_VALUE_STRING ||
               slu_value_len(value) <= SLU_VERDICT_TEXT_MAX;
    if (value->size > limit * sizeof(*value))
        return false;
    const struct slu_value *end = slu_value_next(value);
    size_t bytes = 0;
    for (const struct slu_value *cell = value; cell < end; cell++) {
        const enum slu_value_kind kind = slu_value_kind(cell);
        bytes += kind == SLU_VALUE_STRING || kind == SLU_VALUE_BIG ? slu_value_len(cell) : 1;
    }
    return bytes <= limit;
}

/* A number as it came, every digit. */
static struct slu_text_ref write_actual(struct slu_run *run, const struct slu_value *value)
{
    struct slu_verdict *verdict = run->verdict;
    const uint32_t begin = slu_verdict_begin(verdict);
    char digits[32];
    if (slu_value_is_number(value))
        slu_buf_add_slice(&verdict->scratch, slu_payload_number_text(run->payload, value, digits));
    else if (may_be_short(value, SHOWN_CONTAINER))
        slu_value_json(value, &verdict->scratch);
    if (slu_value_is_container(value) && verdict->scratch.len - begin > SHOWN_CONTAINER)
        slu_buf_cut(&verdict->scratch, begin);
    return slu_verdict_end_json(verdict, begin);
}

/* What was expected may be long (an enum): then it would be left out. */
static struct slu_text_ref write_expected(struct slu_verdict *verdict,
                                          const struct slu_value *expected)
{
    const uint32_t begin = slu_verdict_begin(verdict);
    if (expected != NULL && may_be_short(expected, SLU_VERDICT_TEXT_MAX))
        slu_value_json(expected, &verdict->scratch);
    return slu_verdict_end_json(verdict, begin);
}

static struct slu_text_ref write_pointer(struct slu_run *run, const struct slu_value *value)
{
    const uint32_t begin = slu_verdict_begin(run->verdict);
    if (value != NULL)
        slu_value_pointer(run->payload->root, value, &run->verdict->scratch);
    return slu_verdict_end_text(run->verdict, begin);
}

/* Append an earlier text of the scratch, which may move while it grows. */
static void repeat(struct slu_buf *out, struct slu_text_ref ref)
{
    if (ref.len == 0 || ref.len > SHOWN_IN_TEXT)
        return;
    char *room = slu_buf_room(out, ref.len);
    if (room == NULL)
        return;
    memcpy(room, out->data + ref.at, ref.len);
    slu_buf_grew(out, ref.len);
}

/* `500 is above the maximum of 400`, `the array has fewer items than 2`. */
static struct slu_text_ref write_message(struct slu_run *run, const char *sentence,
                                         const struct slu_violation *violation,
                                         const struct slu_value *value)
{
    struct slu_buf *out = &run->verdict->scratch;
    const uint32_t begin = slu_verdict_begin(run->verdict);
    if (violation->actual.len != 0 && violation->actual.len <= SHOWN_IN_TEXT)
        repeat(out, violation->actual);
    else
        slu_buf_printf(out, "the %s", slu_value_kind_name(value));
    slu_buf_add_char(out, ' ');
    slu_buf_add_text(out, sentence);
    if (violation->expected.len != 0 && violation->expected.len <= SHOWN_IN_TEXT) {
        slu_buf_add_char(out, ' ');
        repeat(out, violation->expected);
    } else {
        slu_buf_add_text(out, " …");
    }
    return slu_verdict_end_text(run->verdict, begin);
}

/* A new violation, or NULL: not collecting, or only counted. */
static struct slu_violation *begin_violation(struct slu_run *run, const char *code,
                                             const struct slu_value *at)
{
    if (!run->collect || run->stop != SLU_RUN_GOES || !slu_run_draw(run, 6))
        return NULL;
    if (run->output != NULL) /* told one by one: room for the next */
        slu_verdict_reset(run->verdict);
    struct slu_violation *violation = slu_verdict_add(run->verdict, code);
    if (violation == NULL)
        return NULL;
    violation->schema = slu_schema_name(run->schema);
    violation->pointer = write_pointer(run, at);
    return violation;
}

/* It is complete. Always false. */
static bool end_violation(struct slu_run *run, const struct slu_violation *violation,
                          const struct slu_keyword *row, const struct slu_value *value)
{
    if (run->output != NULL)
        slu_output_error(run, row, value, slu_verdict_text(run->verdict, violation->message));
    return false;
}

bool slu_run_tell(struct slu_run *run, const struct slu_keyword *row,
                  const struct slu_value *expected, const struct slu_value *value)
{
    struct slu_violation *violation = begin_violation(run, row->code, value);
    if (violation == NULL)
        return false;
    violation->expected = write_expected(run->verdict, expected);
    violation->actual = write_actual(run, value);
    violation->message = write_message(run, row->sentence, violation, value);
    return end_violation(run, violation, row, value);
}

bool slu_run_report_missing(struct slu_run *run, const struct slu_keyword *row,
                            struct slu_slice name, const struct slu_value *object)
{
    struct slu_violation *violation = begin_violation(run, row->code, object);
    if (violation == NULL)
        return false;
    const uint32_t begin = slu_verdict_begin(run->verdict);
    slu_json_text_string(&run->verdict->scratch, name);
    violation->expected = slu_verdict_end_json(run->verdict, begin);

    struct slu_buf *out = &run->verdict->scratch;
    const uint32_t message = slu_verdict_begin(run->verdict);
    slu_buf_printf(out, "the object %s ", row->sentence);
    repeat(out, violation->expected);
    violation->message = slu_verdict_end_text(run->verdict, message);
    return end_violation(run, violation, row, object);
}

bool slu_run_report_property(struct slu_run *run, const struct slu_keyword *row,
                             const struct slu_value *expected, const struct slu_value *key)
{
    const struct slu_value *value = key + 1;
    struct slu_violation *violation = begin_violation(run, row->code, key);
    if (violation == NULL)
        return false;
    violation->expected = write_expected(run->verdict, expected);
    violation->actual = write_actual(run, value);

    struct slu_buf *out = &run->verdict->scratch;
    const uint32_t message = slu_verdict_begin(run->verdict);
    const struct slu_slice name = slu_value_text(key);
    slu_json_text_string(out, slu_slice(name.data, slu_utf8_cut(name.data, name.len, 200)));
    slu_buf_printf(out, " %s", row->sentence);
    violation->message = slu_verdict_end_text(run->verdict, message);
    return end_violation(run, violation, row, key);
}

bool slu_run_report_false(struct slu_run *run, const struct slu_value *value)
{
    struct slu_violation *violation = begin_violation(run, "schema.false", value);
    if (violation == NULL)
        return false;
    violation->actual = write_actual(run, value);
    struct slu_buf *out = &run->verdict->scratch;
    const uint32_t message = slu_verdict_begin(run->verdict);
    slu_buf_add_text(out, "nothing is allowed here");
    violation->message = slu_verdict_end_text(run->verdict, message);
    return end_violation(run, violation, NULL, value);
}

void slu_run_report_stop(struct slu_run *run)
{
    static const struct {
        const char *code, *text;
    } stops[] = {
        [SLU_RUN_BUDGET_GONE] = {"schema.budget",
                                 "judging this message takes more steps than its size allows"},
        [SLU_RUN_PATTERN_TOO_DEAR] = {"schema.pattern_budget",
                                      "matching a pattern takes more steps than are allowed"},
    };
    const enum slu_run_stop why = run->stop;
    run->stop = SLU_RUN_GOES;
    run->collect = true;
    run->budget = INT32_MAX;
    struct slu_violation *violation = begin_violation(run, stops[why].code, run->stopped_at);
    run->stop = why;
    if (violation == NULL)
        return;
    const uint32_t message = slu_verdict_begin(run->verdict);
    slu_buf_add_text(&run->verdict->scratch, stops[why].text);
    violation->message = slu_verdict_end_text(run->verdict, message);
}
