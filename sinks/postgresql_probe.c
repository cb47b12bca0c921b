/* postgresql_probe.c -- what connecting meets, for `sluice check --connect`: who answers and how safely, are
 * the tables there, do they fit, may they be written. Only SELECTs are sent; no place is taken.
 *
 *   connect ─▶ who ─▶ look ─▶ compare          as in postgresql_stage.c, but every fault is told
 */
#include "sinks/postgresql_inside.h"

#include "base/clock.h"
#include "sinks/postgresql_catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (8u << 20)
#define MIN_VERSION 120000

/* One row: version · its number · role · database · the server's address, NULL a Unix socket · TLS, NULL
 * none · is there `sluice.progress` and may it be used · may a schema be made here */
static const char who_sql[] =
    "SELECT current_setting('server_version'), current_setting('server_version_num'), current_user,"
    " current_database(), host(inet_server_addr()),"
    " (SELECT version || ', ' || cipher FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()"
    " AND ssl), to_regclass('sluice.progress') IS NULL OR"
    " (has_table_privilege('sluice.progress', 'SELECT')"
    " AND has_table_privilege('sluice.progress', 'INSERT')"
    " AND has_table_privilege('sluice.progress', 'UPDATE')),"
    " has_database_privilege(current_database(), 'CREATE'), $1::text IS NULL";

/* A probe under way. */
struct probe {
    const struct slu_pg_plan *plan;
    struct slu_pg_client *client;
    struct slu_sink_report *report;
    int64_t deadline_mono_ns;
};

static bool is_true(const char *cell)
{
    return cell != NULL && cell[0] == 't';
}

static void tell_error(struct probe *probe, const char *what)
{
    char sentence[400];
    const struct slu_pg_error *error = slu_pg_client_error(probe->client);
    slu_report_add(probe->report, what, false, "%s",
                   slu_pg_fate_tell(error, sentence, sizeof(sentence)));
}

static bool wait_on(struct probe *probe, const char *what)
{
    if (slu_pg_client_wait(probe->client, probe->deadline_mono_ns))
        return true;
    slu_report_add(probe->report, what, false, "no answer within the time");
    return false;
}

static bool connect_to(struct probe *probe, const char *application)
{
    struct slu_err err = {0};

    probe->client = slu_pg_client_open(probe->plan, application, &err);
    if (probe->client == NULL) {
        slu_report_add(probe->report, "connection", false, "%s", err.text);
        return false;
    }
    for (;;) {
        const enum slu_pg_said said = slu_pg_client_connect(probe->client);
        if (said == SLU_PG_READY)
            return true;
        if (said == SLU_PG_LOST) {
            slu_report_add(probe->report, "connection", false, "%s",
                           slu_pg_client_error(probe->client)->message);
            return false;
        }
        if (!wait_on(probe, "connection"))
            return false;
    }
}

/* Ask, and read the rows while they are there. False: a bad point was added. */
static bool ask(struct probe *probe, const char *what, const char *sql, const char *parameter,
                void (*read)(struct probe *probe, void *context), void *context)
{
    bool is_good = slu_pg_client_ask(probe->client, sql, parameter);

    if (!is_good)
        slu_report_add(probe->report, what, false, "the connection was lost");
    for (bool has_ended = !is_good; !has_ended;) {
        switch (slu_pg_client_listen(probe->client)) {
        case SLU_PG_ROWS:
            read(probe, context);
            break;
        case SLU_PG_ERROR:
            tell_error(probe, what);
            is_good = false;
            break;
        case SLU_PG_LOST:
            tell_error(probe, what);
            return false;
        case SLU_PG_READY:
            has_ended = true;
            break;
        case SLU_PG_NOTHING:
            if (!wait_on(probe, what))
                return false;
            break;
        default:
            break;
        }
    }
    return is_good;
}

/* ---- who answers --------------------------------------------------------------------------------------- */

struct who {
    bool may_use_progress, may_make_schema;
};

static void read_who(struct probe *probe, void *context)
{
    const struct slu_pg_client *client = probe->client;
    const char *cells[8];
    struct who *who = context;

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        cells[i] = slu_pg_client_cell(client, 0, i);
    const long version = cells[1] != NULL ? strtol(cells[1], NULL, 10) : 0;
    slu_report_add(probe->report, "connection", true, "database %s at %s as role %s",
                   cells[3] != NULL ? cells[3] : "?", cells[4] != NULL ? cells[4] : "a Unix socket",
                   cells[2] != NULL ? cells[2] : "?");
    slu_report_add(probe->report, "version", version >= MIN_VERSION, "PostgreSQL %s%s",
                   cells[0] != NULL ? cells[0] : "?",
                   version >= MIN_VERSION ? "" : ": 12 is the oldest that will do");
    slu_report_add(probe->report, "tls", true, "%s",
                   cells[5] != NULL   ? cells[5]
                   : cells[4] == NULL ? "none: a Unix socket"
                                      : "none: what is sent can be read on the way");
    who->may_use_progress = is_true(cells[6]);
    who->may_make_schema = is_true(cells[7]);
}

/* ---- what is there ------------------------------------------------------------------------------------- */

struct found {
    bool has_schema, has_progress, is_read_only, may_insert;
    char table_oid[16];
    char relkind;
};

static void read_look(struct probe *probe, void *context)
{
    const struct slu_pg_client *client = probe->client;
    const char *oid = slu_pg_client_cell(client, 0, 2), *kind = slu_pg_client_cell(client, 0, 3);
    struct found *found = context;

    found->has_schema = is_true(slu_pg_client_cell(client, 0, 0));
    found->has_progress = is_true(slu_pg_client_cell(client, 0, 1));
    snprintf(found->table_oid, sizeof(found->table_oid), "%s", oid != NULL ? oid : "");
    found->relkind = kind != NULL ? kind[0] : '\0';
    found->is_read_only = is_true(slu_pg_client_cell(client, 0, 4));
    found->may_insert = is_true(slu_pg_client_cell(client, 0, 5));
}

static void tell_missing(struct probe *probe, const char *what, const char *name, bool may_make)
{
    if (!probe->plan->create)
        slu_report_add(probe->report, what, false,
                       "table %s is missing: `sluice ddl` prints the SQL, create: true carries it "
                       "out",
                       name);
    else if (!may_make)
        slu_report_add(
            probe->report, what, false,
            "table %s is missing, and the role may not make schema sluice (CREATE on the "
            "database)",
            name);
    else
        slu_report_add(probe->report, what, true, "table %s is missing: create: true makes it",
                       name);
}

static void tell_progress(struct probe *probe, const struct who *who, const struct found *found)
{
    if (!found->has_progress)
        tell_missing(probe, "progress", "sluice.progress",
                     found->has_schema || who->may_make_schema);
    else if (!who->may_use_progress)
        slu_report_add(probe->report, "progress", false,
                       "the role needs SELECT, INSERT and UPDATE on sluice.progress");
    else
        slu_report_add(probe->report, "progress", true, "sluice.progress can be used");
}

/* Each column that does not fit is a point of its own; those that are missing share one. */
static void read_columns(struct probe *probe, void *context)
{
    struct slu_pg_comparison comparison = {0};
    size_t *n_faults = context;
    struct slu_buf fault;

    if (!slu_pg_catalog_begin(&comparison, probe->plan))
        return;
    slu_buf_init(&fault, 1u << 17);
    for (size_t i = 0; i < slu_pg_client_n_rows(probe->client); i++) {
        const char *oid = slu_pg_client_cell(probe->client, i, 2);
        const struct slu_pg_attribute attribute = {
            .name = slu_pg_client_cell(probe->client, i, 0),
            .type = slu_pg_client_cell(probe->client, i, 1),
            .type_oid = (uint32_t)strtoul(oid != NULL ? oid : "0", NULL, 10),
            .is_enum = is_true(slu_pg_client_cell(probe->client, i, 3)),
            .is_required = is_true(slu_pg_client_cell(probe->client, i, 4)),
            .is_generated = is_true(slu_pg_client_cell(probe->client, i, 5)),
        };
        comparison.n_faults = 0;
        slu_buf_reset(&fault);
        if (attribute.name != NULL && attribute.type != NULL)
            slu_pg_catalog_see(&comparison, probe->plan, &attribute, &fault);
        if (fault.len != 0 && ++*n_faults != 0)
            slu_report_add(probe->report, "column", false, "%s", slu_buf_text(&fault));
    }
    comparison.n_faults = 0;
    slu_buf_reset(&fault);
    if (!slu_pg_catalog_end(&comparison, probe->plan, &fault) && ++*n_faults != 0)
        slu_report_add(probe->report, "column", false, "%s", slu_buf_text(&fault));
    slu_buf_fini(&fault);
}

static void tell_table(struct probe *probe, const struct who *who, const struct found *found)
{
    const struct slu_pg_plan *plan = probe->plan;
    size_t n_faults = 0;

    if (found->table_oid[0] == '\0') {
        tell_missing(probe, "table", plan->plain, found->has_schema || who->may_make_schema);
        return;
    }
    if (strchr("rpfv", found->relkind) == NULL) {
        slu_report_add(probe->report, "table", false, "%s is no table", plan->plain);
        return;
    }
    if (!found->may_insert)
        slu_report_add(probe->report, "table", false, "the role needs INSERT on %s", plan->plain);
    if (ask(probe, "table", slu_pg_sql_compare, found->table_oid, read_columns, &n_faults) &&
        n_faults == 0 && found->may_insert)
        slu_report_add(probe->report, "table", true, "%s fits and may be written", plan->plain);
}

static void look_around(struct probe *probe)
{
    struct found found = {0};
    struct who who = {0};

    if (!ask(probe, "connection", who_sql, NULL, read_who, &who) ||
        !ask(probe, "table", slu_pg_sql_look, probe->plan->quoted, read_look, &found))
        return;
    slu_report_add(probe->report, "writable", !found.is_read_only, "%s",
                   found.is_read_only ? "the server is read-only: a standby?"
                                      : "the server takes writes");
    tell_progress(probe, &who, &found);
    tell_table(probe, &who, &found);
}

void slu_pg_probe(const struct slu_sink_env *env, const struct slu_node *section,
                  int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    struct probe probe = {.report = report, .deadline_mono_ns = deadline_mono_ns};
    struct slu_pg_plan plan;
    struct slu_arena arena;
    struct slu_err err = {0};
    char application[80];

    slu_arena_init(&arena, ARENA_BYTES);
    snprintf(application, sizeof(application), "sluice/%s", env->name);
    probe.plan = &plan;
    if (slu_pg_read_plan(section, &arena, &plan, &err) != 0)
        slu_report_add(report, "section", false, "%s", err.text);
    else if (connect_to(&probe, application))
        look_around(&probe);
    slu_pg_client_close(probe.client);
    slu_arena_fini(&arena);
}
