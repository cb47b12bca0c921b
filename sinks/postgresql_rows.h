/* postgresql_rows.h -- a record as rows of COPY BINARY.
 *
 *   record ──plan──▶ 0, 1 or (layout narrow) many rows        appended to a buffer
 *                └─▶ a reject: column.type, template.unresolved, record.too_large
 *
 * A record's rows go in together or not at all.
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_POSTGRESQL_ROWS_H
#define SLU_SINKS_POSTGRESQL_ROWS_H

#include "base/buf.h"
#include "base/err.h"
#include "sinks/policies.h"
#include "sinks/postgresql_plan.h"
#include "sinks/sink.h"
#include "validation/payload/payload.h"

#include <locale.h>

/* All rows of one record. A record of 4 MiB that maps to more than this (many small values under a
 * long topic) is too large. */
#define SLU_PG_ROWS_MAX_BYTES (16u << 20)

struct slu_pg_rows {
    const struct slu_pg_plan *plan;
    const struct slu_sink_policies *policies;
    const struct slu_sink_env *env;
    struct slu_payload_reader *reader; /* owned */
    struct slu_buf scratch;            /* JSON and tags in the making */
    locale_t c_locale;                 /* owned */
    const char *policy_name;           /* of the last record */
    const struct slu_sink_policy *policy;
};

/* Returns 0, or -1 and err: no memory. plan, policies and env must outlive it. */
int slu_pg_rows_init(struct slu_pg_rows *rows, const struct slu_pg_plan *plan,
                     const struct slu_sink_policies *policies, const struct slu_sink_env *env,
                     struct slu_err *err);
void slu_pg_rows_fini(struct slu_pg_rows *rows); /* a zeroed one is fine */

enum slu_pg_made {
    SLU_PG_MADE,      /* `*n_rows` rows were appended */
    SLU_PG_REJECTED,  /* `reject` says why; nothing was appended */
    SLU_PG_NO_MEMORY, /* nothing was appended; try again later */
};

/* `out` must be able to grow by SLU_PG_ROWS_MAX_BYTES. */
enum slu_pg_made slu_pg_rows_add(struct slu_pg_rows *rows, const struct slu_record *record,
                                 struct slu_buf *out, uint32_t *n_rows,
                                 struct slu_sink_reject *reject);

/* What stands around the rows of one COPY. */
extern const char slu_pg_copy_head[19];
extern const char slu_pg_copy_tail[2];

#endif
