/* unique.c -- uniqueItems: no item equal to one before it.
 *
 * A few items are compared pair by pair. More go through a hash table in the scratch, at most half
 * full, of item offsets in cells (+ 1): so 10^5 items cost 10^5 hashes, not 10^10 comparisons.
 *
 *   slot   0    1    2    3 …
 *          0  | 17 |  0 |  1       cell 16 behind the first item, and the first item
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/equal.h"
#include "validation/json_schema/run.h"

#define PAIRWISE 6

void slu_keyword_unique_items_compile(struct slu_build *build, const struct slu_keyword *row,
                                      const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_BOOL))
        return;
    if (slu_value_variant(value) == SLU_VALUE_TRUE)
        slu_build_op(build, row, value);
}

/* The first item that is equal to an earlier one; NULL: none, or stopped. */
static const struct slu_value *find_pairwise(struct slu_run *run, const struct slu_value *array)
{
    const struct slu_value *first = slu_value_first(array);
    const struct slu_value *end = slu_value_next(array);
    for (const struct slu_value *item = first; item < end; item = slu_value_next(item))
        for (const struct slu_value *other = first; other < item; other = slu_value_next(other))
            if (slu_value_equal(run, item, other, 0))
                return item;
    return NULL;
}

static const struct slu_value *find_hashed(struct slu_run *run, const struct slu_value *array,
                                           uint32_t *slots, size_t mask)
{
    const struct slu_value *first = slu_value_first(array);
    const struct slu_value *end = slu_value_next(array);
    for (const struct slu_value *item = first; item < end; item = slu_value_next(item)) {
        size_t work = 5;
        size_t at = slu_value_hash(item, &work) & mask;
        if (!slu_run_draw(run, work))
            return NULL;
        for (; slots[at] != 0; at = (at + 1) & mask)
            if (slu_value_equal(run, item, first + (slots[at] - 1), 0))
                return item;
        if (run->stop != SLU_RUN_GOES)
            return NULL;
        slots[at] = (uint32_t)(item - first) + 1;
    }
    return NULL;
}

bool slu_keyword_unique_items_judge(struct slu_run *run, const struct slu_op *op,
                                    const struct slu_value *value, struct slu_seen *seen)
{
    const size_t n = slu_value_len(value);
    const struct slu_value *twice;
    (void)seen;

    if (n <= PAIRWISE) {
        twice = find_pairwise(run, value);
    } else {
        if (value->size / sizeof(*value) >= UINT32_MAX)
            return slu_run_stop(run, SLU_RUN_BUDGET_GONE, value);
        size_t slots = 16;
        while (slots < 2 * n)
            slots *= 2;
        uint64_t *words = slu_run_take(run, slots / 2);
        if (words == NULL)
            return false;
        twice = find_hashed(run, value, (uint32_t *)(void *)words, slots - 1);
        slu_run_give(run, slots / 2, slots / 2);
    }
    if (run->stop != SLU_RUN_GOES)
        return false;
    return twice == NULL || slu_run_report(run, op, twice);
}
