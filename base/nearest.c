/* nearest.c -- see nearest.h.
 *
 * The distance is the "optimal string alignment": a table of the distances between all beginnings
 * of both words, filled row by row, of which the last three rows are enough.
 *
 *            ""  k  a  f  k  a
 *        ""   0  1  2  3  4  5
 *        k    1  0  1  2  3  4
 *        f    2  1  1  1  2  3
 *        a    3  2  1  1  2  2     "kfa" to "kafka": 2
 */
#include "base/nearest.h"

#include <stdint.h>

#define MAX_BYTES 64u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both at most MAX_BYTES long. */
static size_t distance(struct slu_slice a, struct slu_slice b)
{
    size_t rows[3][MAX_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;

    for (size_t i = 1; i <= a.len; i++) {
        size_t *const row = rows[i % 3];
        const size_t *const above = rows[(i - 1) % 3];
        const size_t *const two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t replaced = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            const bool swapped =
                i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
            if (swapped)
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *slu_nearest(struct slu_slice word, const char *const *names, size_t n_names)
{
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    if (word.len > MAX_BYTES)
        return NULL;

    for (size_t i = 0; i < n_names; i++) {
        const struct slu_slice name = slu_slice_of(names[i]);
        if (names[i] == NULL || name.len > MAX_BYTES)
            continue;
        const size_t longer = word.len > name.len ? word.len : name.len;
        const size_t apart = distance(word, name);
        if (apart < nearest_distance && apart <= (longer + 2) / 3) {
            nearest = names[i];
            nearest_distance = apart;
        }
    }
    return nearest;
}
