/* number.c -- see number.h. printf() knows the shortest precision only by trying, and speaks the
 * locale's decimal comma: both are mended here. */
#include "validation/payload/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH 32

static size_t print_real(double number, char *scratch)
{
    int n = 0;
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(scratch, SCRATCH, "%.*g", precision, number);
        if (strtod(scratch, NULL) == number)
            break;
    }
    for (int i = 0; i < n; i++) {
        const char c = scratch[i];
        if ((c < '0' || c > '9') && c != '-' && c != '+' && c != 'e')
            scratch[i] = '.';
    }
    return (size_t)n;
}

static size_t print_whole(uint64_t magnitude, bool negative, char *scratch)
{
    char digits[SCRATCH];
    size_t n = 0, at = 0;
    do
        digits[n++] = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) != 0);
    if (negative)
        scratch[at++] = '-';
    while (n > 0)
        scratch[at++] = digits[--n];
    scratch[at] = '\0';
    return at;
}

struct slu_slice slu_number_text(const struct slu_value *value, char scratch[32])
{
    switch (slu_value_variant(value)) {
    case SLU_VALUE_UINT:
        return slu_slice(scratch, print_whole(value->u64, false, scratch));
    case SLU_VALUE_SINT: /* zero is one that was written -0 */
        return slu_slice(scratch, print_whole(UINT64_C(0) - value->u64, true, scratch));
    default:
        return slu_slice(scratch, print_real(value->f64, scratch));
    }
}

static bool is_of_a_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

/* Every run of LONG such bytes lies over one of the places looked at. */
#define LONG 16

static bool has_long_run(struct slu_slice text)
{
    for (size_t at = LONG - 1; at < text.len; at += LONG) {
        size_t first = at, end = at;
        while (end < text.len && end - at < LONG && is_of_a_number(text.data[end]))
            end++;
        while (end != at && first > 0 && at - first < LONG && is_of_a_number(text.data[first - 1]))
            first--;
        if (end - first >= LONG)
            return true;
    }
    return false;
}

bool slu_number_all_short(struct slu_slice json)
{
    const char *at = json.data;
    const char *end = at + json.len;
    if (has_long_run(json))
        return false;
    while (at < end && (at = memchr(at, '-', (size_t)(end - at))) != NULL) {
        if (at > json.data && (at[-1] == 'e' || at[-1] == 'E'))
            return false;
        at++;
    }
    return true;
}
