/* postgresql_fate.h -- what an error of the server means for the records, and how it is told.
 *
 * An error is told by its SQLSTATE, the primary message and the names of table, column and constraint.
 * DETAIL, CONTEXT and HINT are never told: they repeat what is in the row. So does the primary message
 * of some errors, behind a colon; that part is cut off.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_FATE_H
#define SLU_SINKS_POSTGRESQL_FATE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slu_pg_fate {
    SLU_PG_AGAIN,   /* passes by itself: lock, deadlock, shutdown, no room */
    SLU_PG_ACT,     /* somebody has to act: table, permission, password, partition */
    SLU_PG_CHANGED, /* the table is not what we took it for: look again, then it is poison */
    SLU_PG_POISON,  /* a row will never be taken */
};

/* Filled from the fields of an error; everything "" when it is absent. */
struct slu_pg_error {
    char sqlstate[6];
    char message[256]; /* primary, shortened; no data of the row */
    char table[130];   /* schema.table */
    char column[64];
    char constraint[64];
    uint64_t line;      /* of COPY, from 1; 0: not named */
    bool is_line_exact; /* the row itself was at fault, not one of those that went in with it */
};

enum slu_pg_fate slu_pg_fate(const struct slu_pg_error *error);

/* Set message, line and is_line_exact from what the server sent; sqlstate is set already. `table` is
 * the bare name that COPY went to. NULLs are fine. */
void slu_pg_fate_read(struct slu_pg_error *error, const char *primary, const char *context,
                      const char *table);

/* One sentence: "value too long for type character varying(5) (22001, table public.oven, column
 * name)". Returns `out`. */
const char *slu_pg_fate_tell(const struct slu_pg_error *error, char *out, size_t out_size);

#endif
