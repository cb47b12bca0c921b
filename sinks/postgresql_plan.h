/* postgresql_plan.h -- what goes into which column: the compiled mapping of one sink.
 *
 *   layout messages   sixteen fixed columns, everything there is
 *   layout columns    as the section says:   value: {from: /value, type: float8}
 *   layout narrow     ts, tag, value, text, quality, id; a row for each value
 *
 * All three are a list of columns, so that DDL, catalog check and rows know only one thing.
 *
 * Options: conninfo, password_file, table, layout, columns, values, id_column, create, timeout.
 *
 * Threads: a plan never changes once it is read.
 */
#ifndef SLU_SINKS_POSTGRESQL_PLAN_H
#define SLU_SINKS_POSTGRESQL_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/node.h"
#include "base/problems.h"
#include "validation/payload/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slu_pg_layout { SLU_PG_MESSAGES, SLU_PG_COLUMNS, SLU_PG_NARROW };

enum slu_pg_type {
    SLU_PG_TEXT,
    SLU_PG_BOOLEAN,
    SLU_PG_SMALLINT,
    SLU_PG_INTEGER,
    SLU_PG_BIGINT,
    SLU_PG_REAL,
    SLU_PG_FLOAT8,
    SLU_PG_NUMERIC,
    SLU_PG_TIMESTAMPTZ,
    SLU_PG_JSONB,
    SLU_PG_BYTEA,
    SLU_PG_UUID,
    SLU_PG_TYPES,
};

/* The names of the configuration ("float8"), and what SQL calls them ("double precision"). */
extern const char *const slu_pg_type_names[SLU_PG_TYPES];
extern const char *const slu_pg_type_sql[SLU_PG_TYPES];

/* What a number counts when it is a time. */
enum slu_pg_unit { SLU_PG_MILLISECONDS, SLU_PG_SECONDS, SLU_PG_MICROSECONDS, SLU_PG_NANOSECONDS };

/* Where a column's value comes from. */
enum slu_pg_from {
    /* `from` of layout columns */
    SLU_PG_FROM_POINTER, /* /pointer */
    SLU_PG_FROM_LEVEL,   /* {level} */
    SLU_PG_FROM_TOPIC,   /* ${topic} and so on */
    SLU_PG_FROM_CLIENT_ID,
    SLU_PG_FROM_USERNAME,
    SLU_PG_FROM_POLICY,
    SLU_PG_FROM_INSTANCE,
    SLU_PG_FROM_ID,
    SLU_PG_FROM_RECEIVED_AT,
    SLU_PG_FROM_EVENT_AT,
    SLU_PG_FROM_QOS,
    SLU_PG_FROM_RETAIN,
    SLU_PG_FROM_QUALITY,
    SLU_PG_FROM_PAYLOAD,
    /* layout messages alone */
    SLU_PG_FROM_KIND,
    SLU_PG_FROM_SCHEMA,
    SLU_PG_FROM_PROPERTIES,
    SLU_PG_FROM_PAYLOAD_JSON, /* absent when jsonb cannot hold it */
    SLU_PG_FROM_PAYLOAD_RAW,  /* then it is here */
    /* layout narrow alone */
    SLU_PG_FROM_TAG,
    SLU_PG_FROM_SAMPLE_VALUE,
    SLU_PG_FROM_SAMPLE_TEXT,
};

struct slu_pg_column {
    const char *name;
    enum slu_pg_type type;
    enum slu_pg_from from;
    struct slu_pointer pointer; /* FROM_POINTER */
    struct slu_slice level;     /* FROM_LEVEL */
    enum slu_pg_unit unit;
    bool null_on_error;
    bool not_null; /* in the DDL */
};

#define SLU_PG_MAX_COLUMNS 1600 /* PostgreSQL's own limit of a table */
#define SLU_PG_MAX_NAME    63   /* bytes of an identifier; it cuts longer ones */

struct slu_pg_plan {
    enum slu_pg_layout layout;
    const char *schema; /* NULL: search_path finds the table */
    const char *table;
    const char *quoted; /* "schema"."table", ready for SQL */
    const char *plain;  /* schema.table, for people */
    const struct slu_pg_column *columns;
    size_t n_columns;
    const struct slu_pointer *values; /* narrow; n_values 0: every top-level scalar */
    size_t n_values;
    const char *conninfo;
    bool conninfo_secret;      /* never show it */
    const char *password_file; /* NULL: none */
    bool create;
    int64_t timeout_ns; /* of each wait */
};

/* Read a section into `plan`; everything of it lives in `arena`. What is wrong goes to `problems`.
 * Returns 0, or -1 when there were errors. */
int slu_pg_plan_read(const struct slu_node *section, struct slu_arena *arena,
                     struct slu_pg_plan *plan, struct slu_problems *problems);

/* `name` as an SQL identifier: in quotes, those inside doubled. */
bool slu_pg_quote(struct slu_buf *out, const char *name);

/* `text` as an SQL literal; independent of standard_conforming_strings. */
bool slu_pg_quote_literal(struct slu_buf *out, const char *text);

/* Append the columns' quoted names, joined with ", ". */
bool slu_pg_plan_column_list(const struct slu_pg_plan *plan, struct slu_buf *out);

#endif
