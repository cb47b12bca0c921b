/* postgresql_sql.c -- see postgresql_sql.h. */
#include "sinks/postgresql_sql.h"

#include "base/clock.h"

#include <inttypes.h>

/* Of the columns' names and types; NULL when the table is gone. */
#define FINGERPRINT_OF                                                                    \
    "(SELECT hashtextextended(string_agg(f.attname::text || ' ' || f.atttypid::text, ','" \
    " ORDER BY f.attnum), 0) FROM pg_catalog.pg_attribute f WHERE f.attnum > 0"           \
    " AND NOT f.attisdropped AND f.attrelid = "

const char slu_pg_sql_look[] =
    "SELECT to_regnamespace('sluice') IS NOT NULL, to_regclass('sluice.progress') IS NOT NULL,"
    " to_regclass($1::text)::oid,"
    " (SELECT relkind FROM pg_catalog.pg_class WHERE oid = to_regclass($1::text)),"
    " current_setting('transaction_read_only') = 'on',"
    " to_regclass($1::text) IS NULL OR has_table_privilege(to_regclass($1::text)::oid, 'INSERT')"
    " OR has_any_column_privilege(to_regclass($1::text)::oid, 'INSERT'),"
    " current_setting('synchronous_commit')";

const char slu_pg_sql_compare[] =
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod),"
    " CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, t.typtype = 'e',"
    " a.attnotnull AND NOT a.atthasdef AND a.attidentity = '', a.attgenerated <> '',"
    " " FINGERPRINT_OF "$1::oid) FROM pg_catalog.pg_attribute a"
    " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT "
    "a.attisdropped ORDER BY a.attnum";

static void add_begin(struct slu_buf *out, const struct slu_pg_sql *sql)
{
    /* The server gives up before we do, so that it is not left behind with a lock. */
    const int64_t ms = sql->plan->timeout_ns / SLU_NS_PER_MS;
    slu_buf_printf(out,
                   "BEGIN; SET LOCAL lock_timeout = %" PRId64
                   "; SET LOCAL statement_timeout = %" PRId64
                   "; SET LOCAL idle_in_transaction_session_timeout = %" PRId64 "; ",
                   ms / 2, ms / 10 * 9, ms);
    if (sql->forces_sync)
        slu_buf_add_text(out, "SET LOCAL synchronous_commit = on; ");
}

static void add_place(struct slu_buf *out, const struct slu_pg_sql *sql)
{
    slu_buf_printf(out, " WHERE spool_id = '%s' AND sink = ", sql->spool_id);
    slu_pg_quote_literal(out, sql->sink);
}

bool slu_pg_sql_take(struct slu_buf *out, const struct slu_pg_sql *sql)
{
    add_begin(out, sql);
    slu_buf_printf(out, "INSERT INTO sluice.progress (spool_id, sink, seq, owner) VALUES ('%s', ",
                   sql->spool_id);
    slu_pg_quote_literal(out, sql->sink);
    slu_buf_printf(out,
                   ", 0, '%s') ON CONFLICT (spool_id, sink) DO UPDATE SET owner = EXCLUDED.owner,"
                   " updated_at = now() RETURNING seq; COMMIT",
                   sql->owner);
    return !out->failed;
}

/* Two sinks that create at once would trip over each other: the lock's number is "sluice" in ASCII. */
bool slu_pg_sql_create(struct slu_buf *out, const struct slu_pg_sql *sql, const char *ddl)
{
    add_begin(out, sql);
    slu_buf_add_text(out, "SELECT pg_advisory_xact_lock(126909663503205); ");
    slu_buf_add_text(out, ddl);
    slu_buf_add_text(out, "COMMIT");
    return !out->failed;
}

bool slu_pg_sql_flight(struct slu_buf *out, const struct slu_pg_sql *sql, uint64_t old_seq,
                       uint64_t new_seq, const char *fingerprint, bool rolls_back_first)
{
    if (rolls_back_first)
        slu_buf_add_text(out, "ROLLBACK; ");
    add_begin(out, sql);
    slu_buf_add_text(out, "SELECT seq, owner FROM sluice.progress");
    add_place(out, sql);
    slu_buf_printf(out, " FOR UPDATE; COPY %s (", sql->plan->quoted);
    slu_pg_plan_column_list(sql->plan, out);
    slu_buf_printf(out,
                   ") FROM STDIN (FORMAT binary); "
                   "UPDATE sluice.progress SET seq = %" PRIu64 ", updated_at = now()",
                   new_seq);
    add_place(out, sql);
    slu_buf_printf(out,
                   " AND seq = %" PRIu64 " AND owner = '%s' AND " FINGERPRINT_OF "to_regclass(",
                   old_seq, sql->owner);
    slu_pg_quote_literal(out, sql->plan->quoted);
    slu_buf_printf(out, ")) = %s", fingerprint);
    return !out->failed;
}
