/* string.c -- minLength, maxLength (code points), pattern, format. Strings were checked to be UTF-8 when the
 * payload was read.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/format.h"
#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"

#include "base/utf8.h"

void slu_keyword_min_length_compile(struct slu_build *build, const struct slu_keyword *row,
                                    const struct slu_value *value)
{
    uint64_t count;
    if (!slu_build_count(build, row, value, &count) || count == 0)
        return;
    /* A code point has at most four bytes: so many hold in any case. */
    build->node->min_bytes = count <= SIZE_MAX / 4 ? 4 * (size_t)(count - 1) + 1 : SIZE_MAX;
    slu_build_op(build, row, value)->count = count;
}

void slu_keyword_max_length_compile(struct slu_build *build, const struct slu_keyword *row,
                                    const struct slu_value *value)
{
    uint64_t count;
    if (!slu_build_count(build, row, value, &count))
        return;
    build->node->max_bytes = count <= SIZE_MAX ? (size_t)count : SIZE_MAX;
    slu_build_op(build, row, value)->count = count;
}

bool slu_keyword_min_length_judge(struct slu_run *run, const struct slu_op *op,
                                  const struct slu_value *value, struct slu_seen *seen)
{
    const size_t bytes = slu_value_len(value);
    (void)seen;
    if (bytes >= op->count) {
        if (bytes / 4 >= op->count)
            return true;
        if (!slu_run_draw(run, bytes / 8))
            return false;
        if (slu_utf8_length(value->text, bytes) >= op->count)
            return true;
    }
    return slu_run_report(run, op, value);
}

bool slu_keyword_max_length_judge(struct slu_run *run, const struct slu_op *op,
                                  const struct slu_value *value, struct slu_seen *seen)
{
    const size_t bytes = slu_value_len(value);
    (void)seen;
    if (bytes <= op->count)
        return true;
    if (bytes / 4 <= op->count) {
        if (!slu_run_draw(run, bytes / 8))
            return false;
        if (slu_utf8_length(value->text, bytes) <= op->count)
            return true;
    }
    return slu_run_report(run, op, value);
}

void slu_keyword_pattern_compile(struct slu_build *build, const struct slu_keyword *row,
                                 const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    const struct slu_regex *regex = slu_build_regex(build, value);
    if (regex != NULL)
        slu_build_op(build, row, value)->data = regex;
}

bool slu_keyword_pattern_judge(struct slu_run *run, const struct slu_op *op,
                               const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return slu_regex_matches(op->data, run, value) || slu_run_report(run, op, value);
}

/* A name that the draft does not know asks for nothing, and neither does one that is an annotation. */
void slu_keyword_format_compile(struct slu_build *build, const struct slu_keyword *row,
                                const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING) || !build->dialect.asserts)
        return;
    const struct slu_slice name = slu_value_text(value);
    const int format = slu_string_format_find(name.data, name.len, build->dialect.draft);
    if (format >= 0)
        slu_build_op(build, row, value)->count = (uint64_t)format;
}

bool slu_keyword_format_judge(struct slu_run *run, const struct slu_op *op,
                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct slu_slice text = slu_value_text(value);
    const int format = (int)op->count;
    (void)seen;
    if (!slu_run_draw(run, slu_string_format_cost(format, text.data, text.len)))
        return false;
    return slu_string_format_holds(format, text.data, text.len) || slu_run_report(run, op, value);
}
