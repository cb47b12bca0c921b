/* postgresql.h -- the `postgresql` sink: rows in a table, each record exactly once.
 *
 * Rows and place go in together, in one transaction:
 *
 *   BEGIN
 *   SELECT seq, owner FROM sluice.progress … FOR UPDATE      is it where we left it, and ours?
 *   COPY table FROM STDIN (FORMAT binary)                    the rows of a batch
 *   UPDATE sluice.progress SET seq = new WHERE seq = old …   ──▶ "UPDATE 1" is read, and only then:
 *   COMMIT
 *
 * A backend that froze in the middle and wakes up later finds that the row is elsewhere, or never gets
 * its COMMIT. After a lost connection the row says what is safe. A row that the server refuses is found
 * by the line it names, else by halving, and becomes a dead letter with its SQLSTATE; what stands
 * before it is committed first, and what stands behind it only after it was set aside.
 *
 * Options: see postgresql_plan.h. PostgreSQL 12 or later.
 */
#ifndef SLU_SINKS_POSTGRESQL_H
#define SLU_SINKS_POSTGRESQL_H

#include "sinks/sink.h"

extern const struct slu_sink_ops slu_sink_postgresql;

#endif
