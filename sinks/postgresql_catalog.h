/* postgresql_catalog.h -- does the table take what the plan sends? Column by column, in one line:
 *
 *   table public.oven does not fit: value is integer, not float8; site is missing; line must be given
 *
 * In binary COPY a wrong type is not noticed by the server when its width happens to fit, so this is
 * where it is noticed.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_CATALOG_H
#define SLU_SINKS_POSTGRESQL_CATALOG_H

#include "base/buf.h"
#include "sinks/postgresql_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A column as the server has it. Borrowed. */
struct slu_pg_attribute {
    const char *name;
    const char *type;  /* for people: "character varying(5)" */
    uint32_t type_oid; /* beneath a domain */
    bool is_enum;
    bool is_required; /* NOT NULL without a default */
    bool is_generated;
};

/* The comparison, fed one column of the table after the other. Zero it. */
struct slu_pg_comparison {
    size_t n_faults;
    bool *seen; /* owned; of the plan's columns */
};

/* False: no memory. */
bool slu_pg_catalog_begin(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan);
void slu_pg_catalog_see(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan,
                        const struct slu_pg_attribute *attribute, struct slu_buf *faults);

/* Name the columns that were not seen; free. Returns true when everything fits. */
bool slu_pg_catalog_end(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan,
                        struct slu_buf *faults);

#endif
