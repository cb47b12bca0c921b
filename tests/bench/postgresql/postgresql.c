/* postgresql.c -- the same rows into PostgreSQL two ways, and how long each took.
 *
 *   postgresql ddl SECTION.yaml                           the SQL that makes the tables
 *   postgresql bare|spool SECTION.yaml RECORDS FOLDER
 *
 *   bare    libpq alone: BEGIN, COPY … (FORMAT binary), COMMIT, a batch of 5,000 records each; the rows lie
 *           ready in memory before the clock starts
 *   spool   the whole way: records lie in a spool in FOLDER, delivery.c reads them, the sink makes rows of
 *           them and commits them together with their place
 *
 * The rows are the same but for their ids, whose first half is the spool's. The clock starts when the server
 * was met and stops when all are committed. Prints "SECONDS CPU-SECONDS".
 */
#include "sinks/postgresql_inside.h"

#include "base/arena.h"
#include "load.h"
#include "sinks/decoder.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH     5000u
#define BATCH_MAX (64u << 20)
#define FEED      (64u << 10)

static const struct slu_node *section;
static uint64_t n_records;

static void print_ddl(void)
{
    struct slu_buf ddl;
    struct slu_err err = {0};

    slu_buf_init(&ddl, 1 << 20);
    if (slu_sink_postgresql.ddl(section, &ddl, &err) != 0)
        load_fail(err.text);
    fputs(slu_buf_text(&ddl), stdout);
    slu_buf_fini(&ddl);
}

/* ---- bare -------------------------------------------------------------------------------------------- */

struct batches {
    struct slu_buf *items;
    size_t n;
};

/* Head, rows and tail of each batch. */
static struct batches make_batches(struct slu_pg_rows *rows)
{
    struct batches batches = {.n = (n_records + BATCH - 1) / BATCH};
    uint64_t seq = 1;

    batches.items = calloc(batches.n, sizeof(batches.items[0]));
    for (size_t i = 0; batches.items != NULL && i < batches.n; i++) {
        struct slu_buf *out = &batches.items[i];
        slu_buf_init(out, BATCH_MAX);
        slu_buf_add(out, slu_pg_copy_head, sizeof(slu_pg_copy_head));
        for (uint64_t end = seq + BATCH; seq < end && seq <= n_records; seq++) {
            const struct slu_record record = load_record(seq);
            struct slu_sink_reject reject;
            uint32_t n;
            if (slu_pg_rows_add(rows, &record, out, &n, &reject) != SLU_PG_MADE)
                load_fail("a record makes no rows");
        }
        if (!slu_buf_add(out, slu_pg_copy_tail, sizeof(slu_pg_copy_tail)))
            load_fail("no memory for rows");
    }
    if (batches.items == NULL)
        load_fail("no memory for rows");
    return batches;
}

/* One statement that ends as `wanted`. */
static void say(PGconn *connection, const char *sql, ExecStatusType wanted)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != wanted)
        load_fail(PQerrorMessage(connection));
    PQclear(result);
}

static void copy(PGconn *connection, const char *sql, struct slu_slice bytes)
{
    say(connection, "BEGIN", PGRES_COMMAND_OK);
    say(connection, sql, PGRES_COPY_IN);
    for (size_t at = 0; at < bytes.len;) {
        const size_t n = bytes.len - at < FEED ? bytes.len - at : FEED;
        if (PQputCopyData(connection, bytes.data + at, (int)n) != 1)
            load_fail(PQerrorMessage(connection));
        at += n;
    }
    if (PQputCopyEnd(connection, NULL) != 1)
        load_fail(PQerrorMessage(connection));
    for (PGresult *result; (result = PQgetResult(connection)) != NULL; PQclear(result)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            load_fail(PQerrorMessage(connection));
    }
    say(connection, "COMMIT", PGRES_COMMAND_OK);
}

static void pour(const struct slu_pg_plan *plan, const struct batches *batches)
{
    PGconn *connection = PQconnectdb(plan->conninfo);
    struct slu_buf sql;

    if (PQstatus(connection) != CONNECTION_OK)
        load_fail(PQerrorMessage(connection));
    slu_buf_init(&sql, 1 << 20);
    slu_buf_printf(&sql, "COPY %s (", plan->quoted);
    slu_pg_plan_column_list(plan, &sql);
    slu_buf_add_text(&sql, ") FROM STDIN (FORMAT binary)");
    const struct load_time begun = load_now();
    for (size_t i = 0; i < batches->n; i++)
        copy(connection, slu_buf_text(&sql), slu_buf_slice(&batches->items[i]));
    load_print(begun, load_now());
    slu_buf_fini(&sql);
    PQfinish(connection);
}

static void run_bare(struct slu_arena *arena)
{
    const struct slu_sink_env env = load_env("historian");
    struct slu_sink_policies policies;
    struct slu_pg_plan plan;
    struct slu_pg_rows rows;
    struct slu_err err = {0};

    if (slu_pg_read_plan(section, arena, &plan, &err) != 0 ||
        slu_sink_policies_read(section, arena, &policies, &err) != 0 ||
        slu_pg_rows_init(&rows, &plan, &policies, &env, &err) != 0)
        load_fail(err.text);
    struct batches batches = make_batches(&rows);
    pour(&plan, &batches);
    for (size_t i = 0; i < batches.n; i++)
        slu_buf_fini(&batches.items[i]);
    free(batches.items);
    slu_pg_rows_fini(&rows);
    slu_decoder_free(env.decoder);
}

int main(int argc, char **argv)
{
    struct slu_arena arena;

    if (argc < 3)
        load_fail("usage: bench_postgresql ddl SECTION | bare|spool SECTION RECORDS FOLDER");
    slu_arena_init(&arena, 4 << 20);
    load_begin();
    section = load_section(argv[2], &arena);
    n_records = argc > 4 ? strtoull(argv[3], NULL, 10) : 0;
    if (strcmp(argv[1], "ddl") == 0)
        print_ddl();
    else if (strcmp(argv[1], "bare") == 0 && n_records > 0)
        run_bare(&arena);
    else if (strcmp(argv[1], "spool") == 0 && n_records > 0)
        load_deliver(argv[4], "historian", &slu_sink_postgresql, section, n_records);
    else
        load_fail("there are ddl, and bare and spool with RECORDS and FOLDER");
    slu_arena_fini(&arena);
    slu_log_close();
    return 0;
}
