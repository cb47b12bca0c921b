/* scalar.c -- see scalar.h for the types.
 *
 * A number is cut into its parts first, then written the JSON way:
 *
 *     -  007  .  5  e+3        sign, whole, fraction, exponent
 *     -    7  .  5  e+3
 *
 * Threads: nothing is shared.
 */
#include "base/scalar.h"

#include <inttypes.h>
#include <stdint.h>

struct word {
    const char *text;
    enum slu_node_kind kind;
    const char *canonical;
};

static const struct word words[] = {
    {"", SLU_NODE_NULL, "null"},       {"~", SLU_NODE_NULL, "null"},
    {"null", SLU_NODE_NULL, "null"},   {"Null", SLU_NODE_NULL, "null"},
    {"NULL", SLU_NODE_NULL, "null"},   {"true", SLU_NODE_BOOL, "true"},
    {"True", SLU_NODE_BOOL, "true"},   {"TRUE", SLU_NODE_BOOL, "true"},
    {"false", SLU_NODE_BOOL, "false"}, {"False", SLU_NODE_BOOL, "false"},
    {"FALSE", SLU_NODE_BOOL, "false"},
};

static const char *const not_numbers[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};

struct number {
    bool negative;
    struct slu_slice whole, fraction, exponent; /* exponent: sign and digits */
    bool is_float;
};

/* The digits from `at` on; moves `at` behind them. */
static struct slu_slice take_digits(struct slu_slice text, size_t *at)
{
    const size_t begin = *at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9')
        ++*at;
    return slu_slice(text.data + begin, *at - begin);
}

static bool take_sign(struct slu_slice text, size_t *at, char sign)
{
    if (*at == text.len || text.data[*at] != sign)
        return false;
    ++*at;
    return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool cut_number(struct slu_slice text, struct number *number)
{
    size_t at = 0;
    *number = (struct number){.negative = take_sign(text, &at, '-')};
    if (!number->negative)
        (void)take_sign(text, &at, '+');
    number->whole = take_digits(text, &at);
    if (take_sign(text, &at, '.')) {
        number->is_float = true;
        number->fraction = take_digits(text, &at);
    }
    if (number->whole.len + number->fraction.len == 0)
        return false;
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        const size_t begin = ++at;
        number->is_float = true;
        if (!take_sign(text, &at, '-'))
            (void)take_sign(text, &at, '+');
        if (take_digits(text, &at).len == 0)
            return false;
        number->exponent = slu_slice(text.data + begin, at - begin);
    }
    return at == text.len;
}

/* RFC 8259 §6 wants a digit on both sides of the point and no leading zeros. */
static char *write_number(const struct number *number, struct slu_arena *arena, size_t *len)
{
    struct slu_slice whole = number->whole;
    while (whole.len > 1 && whole.data[0] == '0') {
        whole.data++;
        whole.len--;
    }
    if (whole.len == 0)
        whole = SLU_SLICE("0");

    char *text =
        slu_arena_alloc(arena, whole.len + number->fraction.len + number->exponent.len + 5);
    if (text == NULL)
        return NULL;
    size_t n = 0;
    if (number->negative)
        text[n++] = '-';
    memcpy(text + n, whole.data, whole.len);
    n += whole.len;
    if (number->fraction.len > 0) {
        text[n++] = '.';
        memcpy(text + n, number->fraction.data, number->fraction.len);
        n += number->fraction.len;
    }
    if (number->exponent.len > 0) {
        text[n++] = 'e';
        memcpy(text + n, number->exponent.data, number->exponent.len);
        n += number->exponent.len;
    }
    *len = n;
    return text;
}

/* 0o17, 0x1F: 1 when it is one, 0 when it is not, -1 when it does not fit. */
static int read_based(struct slu_slice text, uint64_t *value)
{
    if (text.len < 3 || text.data[0] != '0' || (text.data[1] != 'o' && text.data[1] != 'x'))
        return 0;
    const unsigned base = text.data[1] == 'o' ? 8 : 16;
    bool fits = true;
    *value = 0;
    for (size_t i = 2; i < text.len; i++) {
        const char c = text.data[i];
        unsigned digit = base;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        if (digit >= base)
            return 0;
        fits = fits && *value <= (UINT64_MAX - digit) / base;
        *value = *value * base + digit;
    }
    return fits ? 1 : -1;
}

static int set_text(struct slu_node *node, enum slu_node_kind kind, const char *text, size_t len,
                    struct slu_err *err)
{
    if (text == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a scalar");
    node->kind = kind;
    node->text = slu_slice(text, len);
    return 0;
}

int slu_scalar_read(struct slu_slice plain, struct slu_arena *arena, struct slu_node *node,
                    struct slu_err *err)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slu_slice_equal(plain, slu_slice_of(words[i].text)))
            return set_text(node, words[i].kind, words[i].canonical, strlen(words[i].canonical),
                            err);
    }

    struct slu_slice unsigned_text = plain;
    if (plain.len > 0 && (plain.data[0] == '-' || plain.data[0] == '+'))
        unsigned_text = slu_slice(plain.data + 1, plain.len - 1);
    for (size_t i = 0; i < sizeof(not_numbers) / sizeof(not_numbers[0]); i++) {
        /* ".nan" has no sign */
        const struct slu_slice text = i < 3 ? unsigned_text : plain;
        if (slu_slice_equal(text, slu_slice_of(not_numbers[i])))
            return slu_err_set(err, SLU_EINVAL, "%.*s is not a number here; quote it if it is text",
                               SLU_SLICE_ARG(plain));
    }

    struct number number;
    uint64_t value = 0;
    const int based = read_based(plain, &value);
    if (based < 0)
        return slu_err_set(err, SLU_EINVAL, "the number does not fit 64 bits");
    if (based > 0) {
        const char *text = slu_arena_printf(arena, "%" PRIu64, value);
        return set_text(node, SLU_NODE_INT, text, text != NULL ? strlen(text) : 0, err);
    }
    if (cut_number(plain, &number)) {
        size_t len = 0;
        const char *text = write_number(&number, arena, &len);
        return set_text(node, number.is_float ? SLU_NODE_FLOAT : SLU_NODE_INT, text, len, err);
    }
    return set_text(node, SLU_NODE_STRING, slu_arena_copy(arena, plain), plain.len, err);
}
