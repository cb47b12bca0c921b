/* number.c -- see number.h. printf() knows the shortest precision only by trying, and speaks the
 * locale's decimal comma: both are mended here. */
#include "validation/payload/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

struct slu_slice slu_number_text(const struct slu_value *value, char scratch[32])
{
    int n;
    switch (slu_value_variant(value)) {
    case SLU_VALUE_UINT:
        n = snprintf(scratch, SCRATCH, "%" PRIu64, value->u64);
        break;
    case SLU_VALUE_SINT:
        n = snprintf(scratch, SCRATCH, value->i64 == 0 ? "-%" PRId64 : "%" PRId64, value->i64);
        break;
    default:
        return slu_slice(scratch, print_real(value->f64, scratch));
    }
    return slu_slice(scratch, (size_t)n);
}
