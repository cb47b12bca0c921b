/* nearest.h -- "did you mean …?": the closest of some names to a misspelt one. */
#ifndef SLU_BASE_NEAREST_H
#define SLU_BASE_NEAREST_H

#include "base/slice.h"

/* The name with the smallest edit distance (insert, delete, replace, swap of neighbours), if that
 * is at most a third of the longer name's length, rounded up; else NULL. Of equals the first.
 * Only words and names of up to 64 bytes are compared. Borrowed from `names`. */
const char *slu_nearest(struct slu_slice word, const char *const *names, size_t n_names);

#endif
