/* postgresql_sql.h -- the statements of the sink, as text.
 *
 *   look ─▶ compare ─▶ take                    once a connection
 *   flight, then COMMIT                        once a batch: two round trips
 *
 * Whatever a transaction waits for ends by itself on the server: a lock, a statement or a silent client
 * must not hold the progress row for longer than we hold out ourselves (`timeout`).
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_SQL_H
#define SLU_SINKS_POSTGRESQL_SQL_H

#include "base/buf.h"
#include "sinks/postgresql_plan.h"

#include <stdbool.h>
#include <stdint.h>

/* What the statements are filled with; texts are borrowed. */
struct slu_pg_sql {
    const struct slu_pg_plan *plan;
    const char *spool_id; /* UUIDs as text */
    const char *owner;
    const char *sink;
    bool forces_sync; /* synchronous_commit is off over there */
};

/* $1: the table as quoted text. One row: does sluice exist · sluice.progress · oid of the table or
 * NULL · its relkind · is the session read-only · may rows be inserted · synchronous_commit */
extern const char slu_pg_sql_look[];

/* $1: the oid. A row for each column: name · type for people · oid of the type beneath domains · is it
 * an enum · must it be given · is it generated · fingerprint of all columns */
extern const char slu_pg_sql_compare[];

/* Make the progress row ours; a result with one row: its seq. */
bool slu_pg_sql_take(struct slu_buf *out, const struct slu_pg_sql *sql);

/* Make what `ddl` says, one sink at a time. */
bool slu_pg_sql_create(struct slu_buf *out, const struct slu_pg_sql *sql, const char *ddl);

/* Everything of a batch but COMMIT: a result with the row (seq, owner), COPY, "UPDATE 1". The update
 * finds its row only when it stands at `old_seq`, is ours, and the table of that name still has the
 * columns it had (COPY's lock keeps them from changing by then). */
bool slu_pg_sql_flight(struct slu_buf *out, const struct slu_pg_sql *sql, uint64_t old_seq,
                       uint64_t new_seq, const char *fingerprint, bool rolls_back_first);

#endif
