/* postgresql_stage.c -- from nothing to a place that is ours; see postgresql_inside.h for the stages.
 *
 * Everything is looked at anew on each connection: a table may have been changed, a standby promoted,
 * a password replaced. What a person has to mend is told in one line, and is PAUSED.
 */
#include "sinks/postgresql_inside.h"

#include "base/clock.h"
#include "sinks/postgresql_catalog.h"
#include "sinks/postgresql_ddl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void slu_pg_disconnect(struct slu_pg_sink *sink)
{
    slu_pg_client_close(sink->client);
    sink->client = NULL;
    sink->stage = SLU_PG_STAGE_DOWN;
    sink->has_error = sink->has_created = sink->has_place = false;
    sink->flight = (struct slu_pg_flight){0};
    sink->hunt = (struct slu_pg_hunt){0};
    slu_pg_queue_clear(&sink->queue);
}

enum slu_pg_turn slu_pg_away(struct slu_pg_sink *sink, struct slu_err *err, const char *format, ...)
{
    char text[480];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    slu_err_set(err, SLU_EIO, "%s", text);
    slu_pg_disconnect(sink);
    return SLU_PG_TURN_AWAY;
}

enum slu_pg_turn slu_pg_pause(struct slu_pg_sink *sink, struct slu_err *err, const char *format,
                              ...)
{
    char text[480];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    slu_err_set(err, SLU_EDENIED, "%s", text);
    slu_pg_disconnect(sink);
    return SLU_PG_TURN_PAUSED;
}

struct slu_pg_sql slu_pg_sql_of(const struct slu_pg_sink *sink)
{
    return (struct slu_pg_sql){
        .plan = &sink->plan,
        .spool_id = sink->spool_id,
        .owner = sink->owner,
        .sink = sink->env->name,
        .forces_sync = sink->forces_sync,
    };
}

/* ---- errors ------------------------------------------------------------------------------------------ */

void slu_pg_note_error(struct slu_pg_sink *sink)
{
    if (!sink->has_error)
        sink->error = *slu_pg_client_error(sink->client);
    sink->has_error = true;
}

/* What helps against an SQLSTATE; the first row whose prefix fits. */
static const char *remedy(const char *sqlstate)
{
    static const struct {
        const char *prefix, *text;
    } remedies[] = {
        {"42P01", ": `sluice ddl` prints the SQL that makes it"},
        {"3F000", ": `sluice ddl` prints the SQL that makes it"},
        {"42501", ": the role needs SELECT, INSERT and UPDATE on sluice.progress and INSERT on the "
                  "table; `sluice ddl` prints the SQL of both"},
        {"25006", ": the server is read-only (a standby?)"},
        {"23514", ": make the partition"},
        {"57014", ": a smaller batch is tried next"},
    };
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (strncmp(sqlstate, remedies[i].prefix, strlen(remedies[i].prefix)) == 0)
            return remedies[i].text;
    }
    return "";
}

enum slu_pg_turn slu_pg_fail(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_error error = sink->error;
    char sentence[380];

    slu_pg_fate_tell(&error, sentence, sizeof(sentence));
    if (slu_pg_fate(&error) == SLU_PG_AGAIN)
        return slu_pg_away(sink, err, "%s%s", sentence, remedy(error.sqlstate));
    return slu_pg_pause(sink, err, "%s%s", sentence, remedy(error.sqlstate));
}

enum slu_pg_turn slu_pg_lost(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_error error = *slu_pg_client_error(sink->client);
    if (sink->has_error && slu_pg_fate(&sink->error) != SLU_PG_POISON)
        return slu_pg_fail(sink, err);
    return slu_pg_away(sink, err, "the connection was lost: %s", error.message);
}

/* Without an SQLSTATE there are only libpq's own words. */
static bool is_for_people(const struct slu_pg_error *error)
{
    static const char *const words[] = {"certificate", "SSL", "no password supplied", "service"};
    if (error->sqlstate[0] != '\0')
        return slu_pg_fate(error) == SLU_PG_ACT;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(error->message, words[i]) != NULL)
            return true;
    }
    return false;
}

static enum slu_pg_turn refused(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_error error = *slu_pg_client_error(sink->client);
    const char *remedy_text = strstr(error.message, "root certificate file") != NULL
                                  ? ": set sslrootcert in conninfo (sslmode is verify-full unless "
                                    "conninfo says otherwise)"
                                  : "";
    if (is_for_people(&error))
        return slu_pg_pause(sink, err, "%s%s", error.message, remedy_text);
    return slu_pg_away(sink, err, "%s", error.message);
}

/* ---- connect ------------------------------------------------------------------------------------------- */

enum slu_pg_turn slu_pg_turn_down(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                  struct slu_err *err)
{
    (void)settlement;
    struct slu_err why = {0};
    sink->client = slu_pg_client_open(&sink->plan, sink->application, &why);
    if (sink->client == NULL)
        return slu_pg_pause(sink, err, "%s", why.text);
    sink->stage = SLU_PG_STAGE_CONNECTING;
    return SLU_PG_TURN_ON;
}

static enum slu_pg_turn look(struct slu_pg_sink *sink, struct slu_err *err)
{
    sink->has_error = false;
    sink->table_oid[0] = '\0';
    if (!slu_pg_client_ask(sink->client, slu_pg_sql_look, sink->plan.quoted))
        return slu_pg_lost(sink, err);
    sink->stage = SLU_PG_STAGE_LOOKING;
    return SLU_PG_TURN_ON;
}

enum slu_pg_turn slu_pg_turn_connecting(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                        struct slu_err *err)
{
    (void)settlement;
    switch (slu_pg_client_connect(sink->client)) {
    case SLU_PG_READY:
        return look(sink, err);
    case SLU_PG_LOST:
        return refused(sink, err);
    default:
        return SLU_PG_TURN_WAIT;
    }
}

/* ---- look ---------------------------------------------------------------------------------------------- */

static bool is_true(const char *cell)
{
    return cell != NULL && cell[0] == 't';
}

static void read_look(struct slu_pg_sink *sink)
{
    const struct slu_pg_client *client = sink->client;
    const char *oid = slu_pg_client_cell(client, 0, 2), *kind = slu_pg_client_cell(client, 0, 3);
    const char *sync = slu_pg_client_cell(client, 0, 6);

    sink->has_schema = is_true(slu_pg_client_cell(client, 0, 0));
    sink->has_progress = is_true(slu_pg_client_cell(client, 0, 1));
    snprintf(sink->table_oid, sizeof(sink->table_oid), "%s", oid != NULL ? oid : "");
    sink->relkind = kind != NULL ? kind[0] : '\0';
    sink->is_read_only = is_true(slu_pg_client_cell(client, 0, 4));
    sink->may_insert = is_true(slu_pg_client_cell(client, 0, 5));
    sink->forces_sync = sync != NULL && strcmp(sync, "off") == 0;
}

static enum slu_pg_turn create(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_ddl what = {.schema = !sink->has_schema,
                                    .progress = !sink->has_progress,
                                    .table = sink->table_oid[0] == '\0'};
    const struct slu_pg_sql sql = slu_pg_sql_of(sink);
    struct slu_buf ddl;

    slu_buf_init(&ddl, sink->text.max);
    slu_buf_reset(&sink->text);
    const bool is_made = slu_pg_ddl_write(&ddl, &sink->plan, what) &&
                         slu_pg_sql_create(&sink->text, &sql, slu_buf_text(&ddl));
    slu_buf_fini(&ddl);
    if (!is_made)
        return slu_pg_away(sink, err, "no memory for SQL");
    if (!slu_pg_client_send(sink->client, slu_buf_text(&sink->text)))
        return slu_pg_lost(sink, err);
    sink->has_created = true;
    sink->stage = SLU_PG_STAGE_CREATING;
    return SLU_PG_TURN_ON;
}

static enum slu_pg_turn tell_missing(struct slu_pg_sink *sink, struct slu_err *err)
{
    const bool has_table = sink->table_oid[0] != '\0';
    const bool neither = !sink->has_progress && !has_table;
    return slu_pg_pause(
        sink, err, "%s%s%s%s %s missing: `sluice ddl` prints the SQL, create: true carries it out",
        sink->has_progress ? "" : "table sluice.progress", neither ? " and " : "",
        has_table ? "" : "table ", has_table ? "" : sink->plan.plain, neither ? "are" : "is");
}

static enum slu_pg_turn judge_look(struct slu_pg_sink *sink, struct slu_err *err)
{
    if (sink->has_error)
        return slu_pg_fail(sink, err);
    if (sink->is_read_only)
        return slu_pg_pause(sink, err, "the server is read-only (25006): a standby?");
    if (!sink->has_progress || sink->table_oid[0] == '\0')
        return sink->plan.create && !sink->has_created ? create(sink, err)
                                                       : tell_missing(sink, err);
    if (strchr("rpfv", sink->relkind) == NULL)
        return slu_pg_pause(sink, err, "%s is no table", sink->plan.plain);
    if (!sink->may_insert)
        return slu_pg_pause(sink, err,
                            "permission denied for table %s (42501): the role needs INSERT on it",
                            sink->plan.plain);
    if (!slu_pg_client_ask(sink->client, slu_pg_sql_compare, sink->table_oid))
        return slu_pg_lost(sink, err);
    sink->fingerprint[0] = '\0';
    sink->stage = SLU_PG_STAGE_COMPARING;
    return SLU_PG_TURN_ON;
}

enum slu_pg_turn slu_pg_turn_looking(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                     struct slu_err *err)
{
    (void)settlement;
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_ROWS:
        read_look(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        return judge_look(sink, err);
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    case SLU_PG_DONE:
        return SLU_PG_TURN_ON;
    default:
        return SLU_PG_TURN_WAIT;
    }
}

enum slu_pg_turn slu_pg_turn_creating(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                      struct slu_err *err)
{
    (void)settlement;
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_ROWS:
    case SLU_PG_DONE:
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        return sink->has_error ? slu_pg_fail(sink, err) : look(sink, err);
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    default:
        return SLU_PG_TURN_WAIT;
    }
}

/* ---- compare ------------------------------------------------------------------------------------------- */

/* The faults stay in sink->text. */
static enum slu_pg_turn read_columns(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_client *client = sink->client;
    struct slu_pg_comparison comparison = {0};
    const size_t n = slu_pg_client_n_rows(client);

    slu_buf_reset(&sink->text);
    if (!slu_pg_catalog_begin(&comparison, &sink->plan))
        return slu_pg_away(sink, err, "no memory to compare columns");
    for (size_t i = 0; i < n; i++) {
        const char *oid = slu_pg_client_cell(client, i, 2);
        const struct slu_pg_attribute attribute = {
            .name = slu_pg_client_cell(client, i, 0),
            .type = slu_pg_client_cell(client, i, 1),
            .type_oid = (uint32_t)strtoul(oid != NULL ? oid : "0", NULL, 10),
            .is_enum = is_true(slu_pg_client_cell(client, i, 3)),
            .is_required = is_true(slu_pg_client_cell(client, i, 4)),
            .is_generated = is_true(slu_pg_client_cell(client, i, 5)),
        };
        if (attribute.name != NULL && attribute.type != NULL)
            slu_pg_catalog_see(&comparison, &sink->plan, &attribute, &sink->text);
    }
    const char *fingerprint = n > 0 ? slu_pg_client_cell(client, 0, 6) : NULL;
    snprintf(sink->fingerprint, sizeof(sink->fingerprint), "%s",
             fingerprint != NULL ? fingerprint : "");
    if (slu_pg_catalog_end(&comparison, &sink->plan, &sink->text))
        return SLU_PG_TURN_ON;
    char faults[400];
    snprintf(faults, sizeof(faults), "%s", slu_buf_text(&sink->text));
    return slu_pg_pause(sink, err, "table %s does not fit: %s", sink->plan.plain, faults);
}

static enum slu_pg_turn take(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_sql sql = slu_pg_sql_of(sink);

    if (sink->has_error)
        return slu_pg_fail(sink, err);
    if (sink->fingerprint[0] == '\0')
        return slu_pg_away(sink, err, "table %s went away", sink->plan.plain);
    slu_buf_reset(&sink->text);
    if (!slu_pg_sql_take(&sink->text, &sql))
        return slu_pg_away(sink, err, "no memory for SQL");
    if (!slu_pg_client_send(sink->client, slu_buf_text(&sink->text)))
        return slu_pg_lost(sink, err);
    sink->stage = SLU_PG_STAGE_TAKING;
    return SLU_PG_TURN_ON;
}

enum slu_pg_turn slu_pg_turn_comparing(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                       struct slu_err *err)
{
    (void)settlement;
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_ROWS:
        return read_columns(sink, err);
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        return take(sink, err);
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    case SLU_PG_DONE:
        return SLU_PG_TURN_ON;
    default:
        return SLU_PG_TURN_WAIT;
    }
}

/* ---- take ---------------------------------------------------------------------------------------------- */

enum slu_pg_turn slu_pg_turn_taking(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                    struct slu_err *err)
{
    const char *cell;

    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_ROWS:
        cell = slu_pg_client_cell(sink->client, 0, 0);
        sink->has_place = cell != NULL;
        sink->place = cell != NULL ? strtoull(cell, NULL, 10) : 0;
        return SLU_PG_TURN_ON;
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_DONE:
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        if (sink->has_error)
            return slu_pg_fail(sink, err);
        if (!sink->has_place)
            return slu_pg_away(sink, err, "sluice.progress gave no row");
        sink->stage = SLU_PG_STAGE_IDLE;
        settlement->safe_seq = sink->place;
        return SLU_PG_TURN_RESET;
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    default:
        return SLU_PG_TURN_WAIT;
    }
}
