/* problems.h -- everything that is wrong with a file, told at once and in the order of its lines.
 *
 * Loading collects errors and warnings here instead of stopping at the first; `sluice check` prints
 * them all, the plugin logs them all (the first 20) before it refuses to start.
 */
#ifndef SLU_BASE_PROBLEMS_H
#define SLU_BASE_PROBLEMS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define SLU_PROBLEMS_MAX 100 /* kept; beyond this they are only counted */

struct slu_problem {
    bool is_warning;
    struct slu_err err;
};

struct slu_problems {
    struct slu_problem *items; /* owned; at most SLU_PROBLEMS_MAX */
    size_t n;                  /* items kept */
    size_t n_errors;           /* all errors, kept or not */
    size_t n_warnings;
};

void slu_problems_init(struct slu_problems *problems);
void slu_problems_fini(struct slu_problems *problems);

/* Copy `err` in. */
void slu_problems_add(struct slu_problems *problems, bool is_warning, const struct slu_err *err);

/* The common case in one line. `source` and `pointer` may be NULL. */
void slu_problems_error(struct slu_problems *problems, const char *source, unsigned line,
                        unsigned column, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void slu_problems_warn(struct slu_problems *problems, const char *source, unsigned line,
                       unsigned column, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* By source, line, column; stable. */
void slu_problems_sort(struct slu_problems *problems);

/* Sort, and keep one of those that say the same of the same place: two schemas may have met the fault of
 * a third. The counts follow. */
void slu_problems_sort_and_merge(struct slu_problems *problems);

#endif
