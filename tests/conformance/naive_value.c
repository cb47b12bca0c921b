/* naive_value.c -- numbers as rationals, equality, patterns. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tests/conformance/naive_inside.h"

#include <pcre2.h>
#include <stdlib.h>

#define MAX_DIGITS   5000 /* of a number's text */
#define MAX_EXPONENT 5000

/* "-12.50e3": all digits as one integer, over or times a power of ten. */
bool naive_number(mpq_t number, const struct slu_value *value)
{
    char digits[MAX_DIGITS + 1];
    const struct slu_slice text = slu_value_text(value);
    size_t n = 0, at = 0;
    long scale = 0;
    bool fraction = false;

    mpq_init(number);
    if (text.len > MAX_DIGITS)
        return false;
    for (; at < text.len && text.data[at] != 'e' && text.data[at] != 'E'; at++) {
        fraction = fraction || text.data[at] == '.';
        if (text.data[at] == '.')
            continue;
        digits[n++] = text.data[at];
        scale -= fraction;
    }
    digits[n] = '\0';
    if (at < text.len) {
        char exponent[24];
        if (text.len - at - 1 >= sizeof(exponent))
            return false;
        memcpy(exponent, text.data + at + 1, text.len - at - 1);
        exponent[text.len - at - 1] = '\0';
        scale += strtol(exponent, NULL, 10);
    }
    if (scale > MAX_EXPONENT || scale < -MAX_EXPONENT)
        return false;

    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(scale));
    mpz_set_str(mpq_numref(number), digits, 10);
    if (scale < 0)
        mpz_set(mpq_denref(number), power);
    else
        mpz_mul(mpq_numref(number), mpq_numref(number), power);
    mpz_clear(power);
    mpq_canonicalize(number);
    return true;
}

static bool equal_numbers(const struct slu_value *a, const struct slu_value *b, bool *gave_up)
{
    mpq_t left, right;
    const bool sound = naive_number(left, a), both = naive_number(right, b) && sound;
    const bool equal = both && mpq_equal(left, right) != 0;
    mpq_clear(left);
    mpq_clear(right);
    *gave_up = *gave_up || !both;
    return equal;
}

static bool equal_objects(const struct slu_value *a, const struct slu_value *b, bool *gave_up)
{
    const struct slu_value *key = slu_value_first(a);
    for (size_t i = 0; i < slu_value_len(a); i++, key = slu_value_next(key + 1)) {
        const struct slu_value *other = slu_value_get(b, slu_value_text(key));
        if (other == NULL || !naive_equal(key + 1, other, gave_up))
            return false;
    }
    return true;
}

bool naive_equal(const struct slu_value *a, const struct slu_value *b, bool *gave_up)
{
    if (slu_value_is_number(a) || slu_value_is_number(b))
        return slu_value_is_number(a) && slu_value_is_number(b) && equal_numbers(a, b, gave_up);
    if (slu_value_kind(a) != slu_value_kind(b))
        return false;

    switch (slu_value_kind(a)) {
    case SLU_VALUE_BOOL:
        return naive_is_true(a) == naive_is_true(b);
    case SLU_VALUE_STRING:
        return slu_slice_equal(slu_value_text(a), slu_value_text(b));
    case SLU_VALUE_OBJECT:
        return slu_value_len(a) == slu_value_len(b) && equal_objects(a, b, gave_up);
    case SLU_VALUE_ARRAY:
        break;
    default:
        return true;
    }
    if (slu_value_len(a) != slu_value_len(b))
        return false;
    const struct slu_value *left = slu_value_first(a), *right = slu_value_first(b);
    for (size_t i = 0; i < slu_value_len(a); i++) {
        if (!naive_equal(left, right, gave_up))
            return false;
        left = slu_value_next(left);
        right = slu_value_next(right);
    }
    return true;
}

/* PCRE2 as near to ECMA-262 as its options bring it. */
bool naive_matches(struct slu_slice pattern, struct slu_slice text, bool *gave_up)
{
    int error;
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.len ? pattern.data : ""), pattern.len,
                                     PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
                                         PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     &error, &offset, NULL);
    if (code == NULL) {
        *gave_up = true;
        return false;
    }
    pcre2_match_data *found = pcre2_match_data_create_from_pattern(code, NULL);
    const int answer =
        pcre2_match(code, (PCRE2_SPTR)(text.len ? text.data : ""), text.len, 0, 0, found, NULL);
    *gave_up = *gave_up || answer < PCRE2_ERROR_NOMATCH;
    pcre2_match_data_free(found);
    pcre2_code_free(code);
    return answer >= 0;
}
