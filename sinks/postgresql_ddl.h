/* postgresql_ddl.h -- the SQL that makes what a sink needs: printed by `sluice ddl`, carried out by
 * `create: true`. Plain tables with a BRIN index on time; partitions and hypertables are the DBA's
 * choice and need nothing from us.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_DDL_H
#define SLU_SINKS_POSTGRESQL_DDL_H

#include "base/buf.h"
#include "sinks/postgresql_plan.h"

#include <stdbool.h>

/* What to make. */
struct slu_pg_ddl {
    bool schema;   /* sluice */
    bool progress; /* sluice.progress */
    bool table;    /* the plan's, with its index */
};

/* Append the statements, each ending in ";\n". False when `out` failed. */
bool slu_pg_ddl_write(struct slu_buf *out, const struct slu_pg_plan *plan, struct slu_pg_ddl what);

#endif
