/* naive_assert.c -- keywords that look at a value and nothing below it, or compare values. */
#include "base/utf8.h"
#include "tests/conformance/naive_inside.h"

static bool is_integer(struct here *here, const struct slu_value *value)
{
    const struct slu_slice text = slu_value_text(value);
    if (here->dialect.draft == NAIVE_4) { /* "a JSON number without a fraction or exponent part" */
        for (size_t i = 0; i < text.len; i++) {
            if (strchr(".eE", text.data[i]) != NULL)
                return false;
        }
        return true;
    }
    mpq_t number;
    here->run->gave_up = !naive_number(number, value) || here->run->gave_up;
    const bool whole = mpz_cmp_ui(mpq_denref(number), 1) == 0;
    mpq_clear(number);
    return whole;
}

static bool is_of_type(struct here *here, const struct slu_value *name)
{
    const struct slu_slice text = slu_value_text(name);
    if (slu_value_is_number(here->value)) {
        return slu_slice_equal(text, SLU_SLICE("number")) ||
               (slu_slice_equal(text, SLU_SLICE("integer")) && is_integer(here, here->value));
    }
    return slu_slice_equal(text, slu_slice_of(slu_value_kind_name(here->value)));
}

bool naive_type(struct here *here, const struct slu_value *value)
{
    if (!naive_is(value, SLU_VALUE_ARRAY))
        return is_of_type(here, value);
    const struct slu_value *name = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, name = slu_value_next(name)) {
        if (is_of_type(here, name))
            return true;
    }
    return false;
}

bool naive_one_of_these(struct here *here, const struct slu_value *value)
{
    const struct slu_value *item = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, item = slu_value_next(item)) {
        if (naive_equal(item, here->value, &here->run->gave_up))
            return true;
    }
    return false;
}

bool naive_constant(struct here *here, const struct slu_value *value)
{
    return naive_equal(value, here->value, &here->run->gave_up);
}

/* Below zero, zero, above: the first against the second. */
static int compare(struct here *here, const struct slu_value *a, const struct slu_value *b)
{
    mpq_t left, right;
    const bool sound = naive_number(left, a), both = naive_number(right, b) && sound;
    const int order = both ? mpq_cmp(left, right) : 0;
    mpq_clear(left);
    mpq_clear(right);
    here->run->gave_up = here->run->gave_up || !both;
    return order;
}

bool naive_minimum(struct here *here, const struct slu_value *value)
{
    if (!slu_value_is_number(here->value))
        return true;
    const int order = compare(here, here->value, value);
    const bool exclusive =
        here->dialect.draft == NAIVE_4 && naive_is_true(naive_sibling(here, "exclusiveMinimum"));
    return exclusive ? order > 0 : order >= 0;
}

bool naive_maximum(struct here *here, const struct slu_value *value)
{
    if (!slu_value_is_number(here->value))
        return true;
    const int order = compare(here, here->value, value);
    const bool exclusive =
        here->dialect.draft == NAIVE_4 && naive_is_true(naive_sibling(here, "exclusiveMaximum"));
    return exclusive ? order < 0 : order <= 0;
}

bool naive_exclusive_minimum(struct here *here, const struct slu_value *value)
{
    return !slu_value_is_number(here->value) || compare(here, here->value, value) > 0;
}

bool naive_exclusive_maximum(struct here *here, const struct slu_value *value)
{
    return !slu_value_is_number(here->value) || compare(here, here->value, value) < 0;
}

bool naive_multiple_of(struct here *here, const struct slu_value *value)
{
    if (!slu_value_is_number(here->value))
        return true;
    mpq_t number, step;
    const bool sound = naive_number(number, here->value), both = naive_number(step, value) && sound;
    bool whole = true;
    if (both && mpq_sgn(step) != 0) {
        mpq_div(number, number, step);
        whole = mpz_cmp_ui(mpq_denref(number), 1) == 0;
    }
    mpq_clear(number);
    mpq_clear(step);
    here->run->gave_up = here->run->gave_up || !both;
    return whole;
}

/* `count` against a keyword's number. */
int naive_compare_count(struct here *here, size_t count, const struct slu_value *value)
{
    mpq_t number;
    here->run->gave_up = !naive_number(number, value) || here->run->gave_up;
    const int order = -mpq_cmp_ui(number, count, 1);
    mpq_clear(number);
    return order;
}

static size_t length(const struct here *here)
{
    return slu_utf8_length(here->value->text, slu_value_len(here->value));
}

bool naive_min_length(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_STRING) ||
           naive_compare_count(here, length(here), value) >= 0;
}

bool naive_max_length(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_STRING) ||
           naive_compare_count(here, length(here), value) <= 0;
}

bool naive_min_items(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_ARRAY) ||
           naive_compare_count(here, slu_value_len(here->value), value) >= 0;
}

bool naive_max_items(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_ARRAY) ||
           naive_compare_count(here, slu_value_len(here->value), value) <= 0;
}

bool naive_min_properties(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_OBJECT) ||
           naive_compare_count(here, slu_value_len(here->value), value) >= 0;
}

bool naive_max_properties(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_OBJECT) ||
           naive_compare_count(here, slu_value_len(here->value), value) <= 0;
}

bool naive_pattern(struct here *here, const struct slu_value *value)
{
    return !naive_is(here->value, SLU_VALUE_STRING) ||
           naive_matches(slu_value_text(value), slu_value_text(here->value), &here->run->gave_up);
}

bool naive_unique_items(struct here *here, const struct slu_value *value)
{
    if (!naive_is(here->value, SLU_VALUE_ARRAY) || !naive_is_true(value))
        return true;
    const struct slu_value *a = slu_value_first(here->value);
    for (size_t i = 0; i < slu_value_len(here->value); i++, a = slu_value_next(a)) {
        const struct slu_value *b = slu_value_next(a);
        for (size_t j = i + 1; j < slu_value_len(here->value); j++, b = slu_value_next(b)) {
            if (naive_equal(a, b, &here->run->gave_up))
                return false;
        }
    }
    return true;
}
