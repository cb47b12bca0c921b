/* number.c -- minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf. Exact: integers are
 * compared as integers, doubles settle what differs, the digits decide when doubles tie.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

#define UNITS_A_DIGIT_STEP 4 /* of a long division: decimal.h */

struct bound {
    struct slu_slice text; /* as it was written */
    double nearest;        /* of the exact value; ±infinity beyond a double's range */
    int64_t whole;         /* when is_whole */
    bool is_whole;         /* fits int64_t */
    struct slu_decimal exact;
    bool is_short;  /* at most 15 digits: among such, doubles tie for equal ones only */
    int64_t digits; /* short and 10^-15 or more: the number is digits / scale … */
    double scale;   /* … a power of ten; 0: it is not */
};

#define SHORT_DIGITS 15 /* of a decimal that a double can hold: DBL_DIG */

/* Mostly a short one, or the very same text. When the budget ends here, the answer does not matter. */
static __attribute__((noinline)) int
compare_digits(struct slu_run *run, const struct slu_value *value, const struct bound *bound)
{
    char digits[32];
    if (slu_value_variant(value) == SLU_VALUE_REAL) {
        if (bound->is_short && slu_payload_numbers_short(run->payload))
            return (void)slu_run_draw(run, 8), 0;
        const struct slu_decimal exact = slu_run_digits(run, value, digits);
        return slu_run_draw(run, 25 + exact.n_text * 3) ? slu_decimal_compare(&exact, &bound->exact)
                                                        : 0;
    }
    const struct slu_slice text = slu_payload_number_text(run->payload, value, digits);
    if (!slu_run_draw(run, 8) || slu_slice_equal(text, bound->text))
        return 0;
    if (!slu_run_draw(run, 25 + text.len * 3))
        return 0;
    const struct slu_decimal exact = slu_decimal_of(text);
    return slu_decimal_compare(&exact, &bound->exact);
}

/* <0, 0, >0: the payload's number against the bound. */
static int compare(struct slu_run *run, const struct slu_value *value, const struct bound *bound)
{
    const uint8_t variant = slu_value_variant(value);
    double number = 0;

    if (variant == SLU_VALUE_UINT) {
        if (bound->is_whole) {
            const bool above = bound->whole < 0 || value->u64 > (uint64_t)bound->whole;
            return above ? 1 : -(value->u64 < (uint64_t)bound->whole);
        }
        number = (double)value->u64;
    } else if (variant == SLU_VALUE_SINT) {
        if (bound->is_whole)
            return (value->i64 > bound->whole) - (value->i64 < bound->whole);
        number = (double)value->i64;
    } else if (variant == SLU_VALUE_REAL) {
        number = value->f64;
    }
    if (slu_value_kind(value) == SLU_VALUE_NUMBER && number != bound->nearest)
        return number < bound->nearest ? -1 : 1;
    return compare_digits(run, value, bound);
}

bool slu_keyword_minimum_judge(struct slu_run *run, const struct slu_op *op,
                               const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return compare(run, value, op->data) >= 0 || slu_run_report(run, op, value);
}

bool slu_keyword_maximum_judge(struct slu_run *run, const struct slu_op *op,
                               const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return compare(run, value, op->data) <= 0 || slu_run_report(run, op, value);
}

bool slu_keyword_exclusive_minimum_judge(struct slu_run *run, const struct slu_op *op,
                                         const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return compare(run, value, op->data) > 0 || slu_run_report(run, op, value);
}

bool slu_keyword_exclusive_maximum_judge(struct slu_run *run, const struct slu_op *op,
                                         const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return compare(run, value, op->data) < 0 || slu_run_report(run, op, value);
}

static void compile_short(struct bound *bound)
{
    const struct slu_decimal *exact = &bound->exact;
    const int64_t places = (int64_t)exact->n_digits - exact->exponent;
    /* One that is not zero and whose nearest double is would tie with zero. */
    bound->is_short = exact->n_digits <= SHORT_DIGITS && bound->nearest != 0;
    if (!bound->is_short || places < 0 || places > SHORT_DIGITS)
        return;
    for (size_t i = 0; i < exact->n_text; i++)
        if (exact->digits[i] != '.')
            bound->digits = bound->digits * 10 + (exact->digits[i] - '0');
    bound->scale = 1;
    for (int64_t i = 0; i < places; i++)
        bound->scale *= 10;
}

static struct bound *compile_bound(struct slu_build *build, const struct slu_value *value)
{
    struct bound *bound = slu_compile_alloc(build->compile, 1, sizeof(*bound));
    if (bound == NULL)
        return NULL;
    bound->text = slu_value_text(slu_compile_raw(build->compile, value));
    bound->exact = slu_decimal_of(bound->text);
    switch (slu_value_variant(value)) {
    case SLU_VALUE_UINT:
        bound->is_whole = value->u64 <= INT64_MAX;
        bound->whole = bound->is_whole ? (int64_t)value->u64 : 0;
        bound->nearest = (double)value->u64;
        break;
    case SLU_VALUE_SINT:
        bound->is_whole = true;
        bound->whole = value->i64;
        bound->nearest = (double)value->i64;
        break;
    case SLU_VALUE_REAL:
        bound->nearest = value->f64;
        break;
    default:
        bound->nearest = slu_document_nearest(bound->text);
        break;
    }
    compile_short(bound);
    return bound;
}

/* The row that draft 4's flag beside minimum or maximum makes of it; NULL: none. */
static const struct slu_keyword *exclusive_by_flag(const struct slu_build *build,
                                                   enum slu_keyword_id id)
{
    const enum slu_keyword_id flag = id == SLU_KEYWORD_MINIMUM ? SLU_KEYWORD_EXCLUSIVE_MINIMUM_4
                                                               : SLU_KEYWORD_EXCLUSIVE_MAXIMUM_4;
    const struct slu_value *value = build->values[flag];
    return value != NULL && slu_value_variant(value) == SLU_VALUE_TRUE ? &slu_keywords[flag] : NULL;
}

void slu_keyword_bound_compile(struct slu_build *build, const struct slu_keyword *row,
                               const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_NUMBER))
        return;
    const struct bound *bound = compile_bound(build, value);
    if (bound == NULL)
        return;
    struct slu_node *node = build->node;
    const enum slu_keyword_id id = (enum slu_keyword_id)(row - slu_keywords);
    const bool lower = id == SLU_KEYWORD_MINIMUM || id == SLU_KEYWORD_EXCLUSIVE_MINIMUM;
    if (lower && bound->nearest > node->above)
        node->above = bound->nearest;
    if (!lower && bound->nearest < node->below)
        node->below = bound->nearest;
    const struct slu_keyword *exclusive = exclusive_by_flag(build, id);
    slu_build_op(build, exclusive != NULL ? exclusive : row, value)->data = bound;
}

/* Draft 4: a boolean that changes what its neighbour means. */
void slu_keyword_exclusive_flag_compile(struct slu_build *build, const struct slu_keyword *row,
                                        const struct slu_value *value)
{
    const bool lower = row == &slu_keywords[SLU_KEYWORD_EXCLUSIVE_MINIMUM_4];
    const struct slu_value *bound =
        build->values[lower ? SLU_KEYWORD_MINIMUM : SLU_KEYWORD_MAXIMUM];
    if (slu_build_expect(build, row, value, SLU_VALUE_BOOL) && bound == NULL)
        slu_compile_warn(build->compile, value, "%s asks for nothing without %s in draft 4",
                         row->name, lower ? "minimum" : "maximum");
}

void slu_keyword_multiple_of_compile(struct slu_build *build, const struct slu_keyword *row,
                                     const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_NUMBER))
        return;
    struct bound *step = compile_bound(build, value);
    if (step == NULL)
        return;
    if (step->exact.n_digits == 0 || step->exact.negative)
        slu_compile_error(build->compile, value, "multipleOf takes a number above 0");
    else if (step->exact.n_digits > SLU_DECIMAL_MAX_STEP)
        slu_compile_error(build->compile, value, "multipleOf takes at most %d digits",
                          SLU_DECIMAL_MAX_STEP);
    else
        slu_build_op(build, row, value)->data = step;
}

/* A short double by a short step: 1, 0; -1: not one of those. The double is n / scale exactly when it is
 * the nearest to that, for both have at most 15 digits; when it is not, it is no multiple of 1 / scale, so
 * of nothing that is one. */
static int short_multiple(const struct slu_run *run, const struct slu_value *value,
                          const struct bound *step)
{
    const double scaled = value->f64 * step->scale;
    if (step->scale == 0 || !(scaled > -1e15 && scaled < 1e15) ||
        !slu_payload_numbers_short(run->payload))
        return -1;
    const int64_t nearest = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return (double)nearest / step->scale == value->f64 && nearest % step->digits == 0;
}

bool slu_keyword_multiple_of_judge(struct slu_run *run, const struct slu_op *op,
                                   const struct slu_value *value, struct slu_seen *seen)
{
    const struct bound *step = op->data;
    const uint8_t variant = slu_value_variant(value);
    (void)seen;

    if (step->is_whole && variant == SLU_VALUE_UINT)
        return value->u64 % (uint64_t)step->whole == 0 || slu_run_report(run, op, value);
    if (step->is_whole && variant == SLU_VALUE_SINT)
        return value->i64 % step->whole == 0 || slu_run_report(run, op, value);

    if (variant == SLU_VALUE_REAL) {
        if (!slu_run_draw(run, 8))
            return false;
        const int quickly = short_multiple(run, value, step);
        if (quickly >= 0)
            return quickly != 0 || slu_run_report(run, op, value);
    }
    char digits[32];
    uint64_t work = 0;
    const struct slu_decimal exact = slu_run_digits(run, value, digits);
    if (!slu_run_draw(run, 56 + exact.n_text / 2))
        return false;
    const int multiple = slu_decimal_is_multiple(&exact, &step->exact,
                                                 (uint64_t)run->budget / UNITS_A_DIGIT_STEP, &work);
    if (multiple < 0)
        return slu_run_stop(run, SLU_RUN_BUDGET_GONE, value);
    if (!slu_run_draw(run, UNITS_A_DIGIT_STEP * work))
        return false;
    return multiple != 0 || slu_run_report(run, op, value);
}
