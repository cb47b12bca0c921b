/* equal.c -- see equal.h. */
#include "validation/json_schema/equal.h"

#include "base/hash.h"

#define SEED UINT64_C(0x736c75) /* fixed: the same message always costs the same */

static double double_of(const struct slu_value *number)
{
    switch (slu_value_variant(number)) {
    case SLU_VALUE_UINT:
        return (double)number->u64;
    case SLU_VALUE_SINT:
        return (double)number->i64;
    default:
        return number->f64;
    }
}

static bool is_whole(const struct slu_value *number)
{
    const uint8_t variant = slu_value_variant(number);
    return variant == SLU_VALUE_UINT || variant == SLU_VALUE_SINT;
}

/* Doubles settle what differs; when they tie, or there is none, the digits decide. */
static bool numbers_equal(struct slu_run *run, const struct slu_value *value,
                          const struct slu_value *other, ptrdiff_t to_raw)
{
    if (is_whole(value) && is_whole(other))
        return value->u64 == other->u64 &&
               (slu_value_variant(value) == slu_value_variant(other) || value->u64 == 0);
    const bool doubles =
        slu_value_kind(value) == SLU_VALUE_NUMBER && slu_value_kind(other) == SLU_VALUE_NUMBER;
    if (doubles && double_of(value) != double_of(other))
        return false;
    char digits[32], other_digits[32];
    const struct slu_decimal a = slu_run_digits(run, value, digits);
    const struct slu_decimal b = to_raw != 0 ? slu_decimal_of(slu_value_text(other + to_raw))
                                             : slu_run_digits(run, other, other_digits);
    return slu_run_draw(run, 40 + a.n_read + b.n_read + (a.n_text + b.n_text) / 2) &&
           slu_decimal_compare(&a, &b) == 0;
}

static bool strings_equal(struct slu_run *run, const struct slu_value *a, const struct slu_value *b)
{
    const size_t len = slu_value_len(a);
    return len == slu_value_len(b) && slu_run_draw(run, len / 64) &&
           slu_bytes_equal(a->text, b->text, len);
}

static bool arrays_equal(struct slu_run *run, const struct slu_value *value,
                         const struct slu_value *other, ptrdiff_t to_raw)
{
    const size_t n = slu_value_len(value);
    if (n != slu_value_len(other))
        return false;
    const struct slu_value *a = slu_value_first(value);
    const struct slu_value *b = slu_value_first(other);
    for (size_t i = 0; i < n; i++, a = slu_value_next(a), b = slu_value_next(b))
        if (!slu_value_equal(run, a, b, to_raw))
            return false;
    return true;
}

/* The member `key` of `object`: where the last one was found, or anywhere. NULL: none, or stopped. */
static const struct slu_value *find_key(struct slu_run *run, const struct slu_value *object,
                                        const struct slu_value *guess, const struct slu_value *key)
{
    const struct slu_value *end = slu_value_next(object);
    if (guess < end && strings_equal(run, guess, key))
        return guess;
    for (const struct slu_value *at = object + 1; at < end; at = slu_value_next(at + 1)) {
        if (!slu_run_draw(run, 4))
            return NULL;
        if (strings_equal(run, at, key))
            return at;
    }
    return NULL;
}

static bool objects_equal(struct slu_run *run, const struct slu_value *value,
                          const struct slu_value *other, ptrdiff_t to_raw)
{
    const size_t n = slu_value_len(value);
    if (n != slu_value_len(other))
        return false;
    const struct slu_value *key = slu_value_first(value);
    const struct slu_value *guess = slu_value_first(other);
    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        const struct slu_value *found = find_key(run, other, guess, key);
        if (found == NULL || !slu_value_equal(run, key + 1, found + 1, to_raw))
            return false;
        guess = slu_value_next(found + 1);
    }
    return true;
}

/* Recursive as deep as the shallower of the two is nested. */
bool slu_value_equal(struct slu_run *run, const struct slu_value *value,
                     const struct slu_value *other, ptrdiff_t to_raw)
{
    if (!slu_run_draw(run, 2))
        return false;
    if (slu_value_is_number(value) && slu_value_is_number(other))
        return numbers_equal(run, value, other, to_raw);
    if (slu_value_kind(value) != slu_value_kind(other))
        return false;
    switch (slu_value_kind(value)) {
    case SLU_VALUE_STRING:
        return strings_equal(run, value, other);
    case SLU_VALUE_ARRAY:
        return arrays_equal(run, value, other, to_raw);
    case SLU_VALUE_OBJECT:
        return objects_equal(run, value, other, to_raw);
    default:
        return slu_value_variant(value) == slu_value_variant(other);
    }
}

/* Equal numbers have the same nearest double. A big number has none: its digits decide. */
static uint64_t hash_number(const struct slu_value *number, size_t *work)
{
    if (slu_value_kind(number) == SLU_VALUE_NUMBER) {
        double nearest = double_of(number);
        uint64_t bits;
        if (nearest == 0)
            nearest = 0; /* not minus zero */
        memcpy(&bits, &nearest, sizeof(bits));
        return slu_hash_mix(bits ^ SEED, SLU_HASH_B);
    }
    const struct slu_decimal decimal = slu_decimal_of(slu_value_text(number));
    uint64_t hash = slu_hash_mix((uint64_t)decimal.exponent ^ SEED, SLU_HASH_C);
    for (size_t i = 0; i < decimal.n_text; i++)
        if (decimal.digits[i] != '.')
            hash = (hash ^ (uint8_t)decimal.digits[i]) * SLU_HASH_A;
    *work += 2 + slu_value_len(number) / 2;
    return slu_hash_mix(hash ^ decimal.negative, SLU_HASH_B);
}

static uint64_t hash_string(const struct slu_value *string, size_t *work)
{
    *work += slu_value_len(string) / 16;
    return slu_hash_bytes(SEED, string->text, slu_value_len(string));
}

/* Recursive as deep as the value is nested. */
uint64_t slu_value_hash(const struct slu_value *value, size_t *work)
{
    const size_t n = slu_value_len(value);
    uint64_t hash = slu_value_kind(value) + n * SLU_HASH_A;

    *work += 2;
    switch (slu_value_kind(value)) {
    case SLU_VALUE_BIG:
    case SLU_VALUE_NUMBER:
        return hash_number(value, work);
    case SLU_VALUE_STRING:
        return hash_string(value, work);
    case SLU_VALUE_ARRAY: {
        const struct slu_value *item = slu_value_first(value);
        for (size_t i = 0; i < n; i++, item = slu_value_next(item))
            hash = slu_hash_mix(hash ^ SLU_HASH_B, slu_value_hash(item, work) ^ SLU_HASH_C);
        return hash;
    }
    case SLU_VALUE_OBJECT: {
        /* A sum: the members' order must not matter. */
        const struct slu_value *key = slu_value_first(value);
        for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1))
            hash += slu_hash_mix(hash_string(key, work) ^ SLU_HASH_A,
                                 slu_value_hash(key + 1, work) ^ SLU_HASH_C);
        return hash;
    }
    default:
        return slu_hash_mix((uint64_t)slu_value_variant(value) ^ SEED, SLU_HASH_A);
    }
}
