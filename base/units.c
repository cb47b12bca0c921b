/* units.c -- see units.h. */
#include "base/units.h"

#include "base/clock.h"

struct unit {
    struct slu_slice name;
    int64_t factor;
};

/* Digits, then one of the units: exactly, nothing before, between or behind. */
static int read_amount(struct slu_slice text, const struct unit *units, size_t n_units,
                       int64_t *amount)
{
    int64_t number = 0;
    size_t at = 0;
    for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.data[at] - '0', &number))
            return -1;
    }
    if (at == 0)
        return -1;

    const struct slu_slice name = {text.data + at, text.len - at};
    for (size_t i = 0; i < n_units; i++) {
        if (slu_slice_equal(name, units[i].name)) {
            if (__builtin_mul_overflow(number, units[i].factor, &number))
                return -1;
            *amount = number;
            return 0;
        }
    }
    return -1;
}

int slu_units_duration_ns(struct slu_slice text, int64_t *ns)
{
    static const struct unit units[] = {
        {{"ms", 2}, SLU_NS_PER_MS},       {{"s", 1}, SLU_NS_PER_S},
        {{"m", 1}, 60 * SLU_NS_PER_S},    {{"h", 1}, 3600 * SLU_NS_PER_S},
        {{"d", 1}, 86400 * SLU_NS_PER_S},
    };
    return read_amount(text, units, sizeof(units) / sizeof(units[0]), ns);
}

int slu_units_size_bytes(struct slu_slice text, int64_t *bytes)
{
    static const struct unit units[] = {
        {{"B", 1}, 1},
        {{"KiB", 3}, INT64_C(1) << 10},
        {{"MiB", 3}, INT64_C(1) << 20},
        {{"GiB", 3}, INT64_C(1) << 30},
    };
    return read_amount(text, units, sizeof(units) / sizeof(units[0]), bytes);
}
