/* postgresql_ddl.c -- see postgresql_ddl.h. */
#include "sinks/postgresql_ddl.h"

#include "base/utf8.h"

#include <string.h>

static const char schema_sql[] = "CREATE SCHEMA IF NOT EXISTS sluice;\n";

static const char progress_sql[] = "CREATE TABLE IF NOT EXISTS sluice.progress (\n"
                                   "  spool_id uuid,\n"
                                   "  sink text,\n"
                                   "  seq bigint NOT NULL,\n"
                                   "  owner uuid NOT NULL,\n"
                                   "  updated_at timestamptz NOT NULL DEFAULT now(),\n"
                                   "  PRIMARY KEY (spool_id, sink)\n"
                                   ");\n";

static void add_table(struct slu_buf *out, const struct slu_pg_plan *plan)
{
    slu_buf_add_text(out, "CREATE TABLE IF NOT EXISTS ");
    slu_buf_add_text(out, plan->quoted);
    slu_buf_add_text(out, " (\n");
    for (size_t i = 0; i < plan->n_columns; i++) {
        const struct slu_pg_column *column = &plan->columns[i];
        slu_buf_add_text(out, "  ");
        slu_pg_quote(out, column->name);
        slu_buf_add_char(out, ' ');
        slu_buf_add_text(out, slu_pg_type_sql[column->type]);
        slu_buf_add_text(out, column->not_null ? " NOT NULL" : "");
        slu_buf_add_text(out, i + 1 < plan->n_columns ? ",\n" : "\n");
    }
    slu_buf_add_text(out, ");\n");
}

/* The column that rows come in the order of; NULL: none. */
static const struct slu_pg_column *time_column(const struct slu_pg_plan *plan)
{
    for (size_t i = 0; i < plan->n_columns; i++) {
        if (plan->columns[i].type == SLU_PG_TIMESTAMPTZ)
            return &plan->columns[i];
    }
    return NULL;
}

/* Named, so that the statement can be repeated. */
static void add_index(struct slu_buf *out, const struct slu_pg_plan *plan)
{
    static const char ending[] = "_brin";
    const struct slu_pg_column *column = time_column(plan);
    char name[SLU_PG_MAX_NAME + 1];
    struct slu_buf full;

    if (column == NULL)
        return;
    slu_buf_init(&full, sizeof(name) * 4);
    slu_buf_printf(&full, "%s_%s", plan->table, column->name);
    const size_t n =
        slu_utf8_cut(slu_buf_text(&full), full.len, SLU_PG_MAX_NAME - (sizeof(ending) - 1));
    memcpy(name, slu_buf_text(&full), n);
    memcpy(name + n, ending, sizeof(ending));
    slu_buf_fini(&full);

    slu_buf_add_text(out, "CREATE INDEX IF NOT EXISTS ");
    slu_pg_quote(out, name);
    slu_buf_add_text(out, " ON ");
    slu_buf_add_text(out, plan->quoted);
    slu_buf_add_text(out, " USING brin (");
    slu_pg_quote(out, column->name);
    slu_buf_add_text(out, ");\n");
}

bool slu_pg_ddl_write(struct slu_buf *out, const struct slu_pg_plan *plan, struct slu_pg_ddl what)
{
    if (what.schema)
        slu_buf_add_text(out, schema_sql);
    if (what.progress)
        slu_buf_add_text(out, progress_sql);
    if (what.table) {
        add_table(out, plan);
        add_index(out, plan);
    }
    return !out->failed;
}
