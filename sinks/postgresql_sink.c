/* postgresql_sink.c -- the sink; see postgresql.h for its promise and postgresql_inside.h for its stages.
 *
 * settle() takes turns until there is something to answer, the server has to be waited for beyond the
 * deadline, or it has been silent for `timeout`: then the socket is closed, whatever the server does
 * with its end of it.
 */
#include "sinks/postgresql_inside.h"

#include "base/clock.h"
#include "base/random.h"
#include "sinks/postgresql_ddl.h"
#include "sinks/postgresql_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES (8u << 20)
#define TEXT_BYTES  (1u << 20) /* SQL with 1,600 names */
#define FEED_EVERY  64u        /* records, while they are pushed */

static const struct {
    enum slu_pg_turn (*turn)(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                             struct slu_err *err);
    const char *doing; /* for "… while …" */
} stages[SLU_PG_STAGES] = {
    [SLU_PG_STAGE_DOWN] = {slu_pg_turn_down, "connecting"},
    [SLU_PG_STAGE_CONNECTING] = {slu_pg_turn_connecting, "connecting"},
    [SLU_PG_STAGE_LOOKING] = {slu_pg_turn_looking, "looking for the tables"},
    [SLU_PG_STAGE_CREATING] = {slu_pg_turn_creating, "creating tables"},
    [SLU_PG_STAGE_COMPARING] = {slu_pg_turn_comparing, "comparing columns"},
    [SLU_PG_STAGE_TAKING] = {slu_pg_turn_taking, "reading sluice.progress"},
    [SLU_PG_STAGE_IDLE] = {slu_pg_turn_idle, "idle"},
    [SLU_PG_STAGE_FLYING] = {slu_pg_turn_flying, "copying rows"},
    [SLU_PG_STAGE_COMMITTING] = {slu_pg_turn_committing, "committing"},
    [SLU_PG_STAGE_ROLLING] = {slu_pg_turn_rolling, "rolling back"},
};

/* ---- options ----------------------------------------------------------------------------------------- */

/* A source whose kind is known at load, into a type that never takes it. */
static bool can_convert(const struct slu_pg_column *column)
{
    static const struct {
        enum slu_pg_from from;
        struct slu_pg_value sample;
    } samples[] = {
        {SLU_PG_FROM_ID, {.kind = SLU_PG_ID}},
        {SLU_PG_FROM_RECEIVED_AT, {.kind = SLU_PG_TIME}},
        {SLU_PG_FROM_EVENT_AT, {.kind = SLU_PG_TIME}},
        {SLU_PG_FROM_QOS, {.kind = SLU_PG_NUMBER, .number = 1}},
        {SLU_PG_FROM_QUALITY, {.kind = SLU_PG_NUMBER, .number = 1}},
        {SLU_PG_FROM_RETAIN, {.kind = SLU_PG_TRUTH}},
    };
    struct slu_buf out;
    const char *why = NULL;

    if (column->type == SLU_PG_REAL || column->type == SLU_PG_FLOAT8)
        return column->from != SLU_PG_FROM_ID; /* these need a locale */
    slu_buf_init(&out, 256);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (samples[i].from == column->from)
            why =
                slu_pg_field_add(&out, &samples[i].sample, column->type, column->unit, (locale_t)0);
    }
    slu_buf_fini(&out);
    return why == NULL;
}

static void check_columns(const struct slu_node *section, const struct slu_pg_plan *plan,
                          struct slu_problems *problems)
{
    const struct slu_node *map = slu_node_get(section, "columns");

    for (size_t i = 0; plan->layout == SLU_PG_COLUMNS && i < plan->n_columns; i++) {
        const struct slu_pg_column *column = &plan->columns[i];
        if (can_convert(column))
            continue;
        const struct slu_node *node = slu_node_get(map, column->name);
        node = node != NULL ? node : section;
        slu_problems_error(problems, node->file, node->line, node->column, NULL,
                           "column %s: what comes from there is never a %s", column->name,
                           slu_pg_type_names[column->type]);
    }
}

static void check_conninfo(const struct slu_node *section, const struct slu_pg_plan *plan,
                           struct slu_problems *problems)
{
    static const char *const weak[] = {"disable", "allow", "prefer", "require", "verify-ca"};
    const struct slu_node *node = slu_node_get(section, "conninfo");
    struct slu_pg_conninfo look;

    slu_pg_conninfo_look(plan->conninfo, &look);
    node = node != NULL ? node : section;
    if (!look.is_sound) {
        const bool shows = !plan->conninfo_secret && look.why[0] != '\0';
        slu_problems_error(problems, node->file, node->line, node->column, NULL,
                           "conninfo is no connection string of libpq%s%s", shows ? ": " : "",
                           shows ? look.why : "");
        return;
    }
    for (size_t i = 0; !look.is_local && i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (strcmp(look.sslmode, weak[i]) == 0)
            slu_problems_warn(problems, node->file, node->line, node->column, NULL,
                              "conninfo: sslmode=%s does not make sure who the server is; "
                              "verify-full does",
                              weak[i]);
    }
}

static void check(const struct slu_node *section, struct slu_problems *problems)
{
    struct slu_pg_plan plan;
    struct slu_arena arena;

    slu_arena_init(&arena, ARENA_BYTES);
    if (slu_pg_plan_read(section, &arena, &plan, problems) == 0) {
        check_conninfo(section, &plan, problems);
        check_columns(section, &plan, problems);
    }
    slu_arena_fini(&arena);
}

int slu_pg_read_plan(const struct slu_node *section, struct slu_arena *arena,
                     struct slu_pg_plan *plan, struct slu_err *err)
{
    struct slu_problems problems;
    slu_problems_init(&problems);
    const int result = slu_pg_plan_read(section, arena, plan, &problems);
    if (result != 0)
        slu_err_set(err, SLU_EINVAL, "%s",
                    problems.n > 0 ? problems.items[0].err.text : "the section is wrong");
    slu_problems_fini(&problems);
    return result;
}

static int ddl(const struct slu_node *section, struct slu_buf *out, struct slu_err *err)
{
    static const struct slu_pg_ddl everything = {.schema = true, .progress = true, .table = true};
    struct slu_pg_plan plan;
    struct slu_arena arena;

    slu_arena_init(&arena, ARENA_BYTES);
    int result = slu_pg_read_plan(section, &arena, &plan, err);
    if (result == 0 && !slu_pg_ddl_write(out, &plan, everything))
        result = slu_err_set(err, SLU_ENOMEM, "no memory for SQL");
    slu_arena_fini(&arena);
    return result;
}

/* Rows of columns and samples are made of a message's values; an alert has none of them. */
static bool takes_messages_only(const struct slu_node *section)
{
    return strcmp(slu_node_text(slu_node_get(section, "layout"), "messages"), "messages") != 0;
}

/* ---- open and close ------------------------------------------------------------------------------------ */

static int open_sink(void *self, const struct slu_sink_env *env, const struct slu_node *section,
                     struct slu_err *err)
{
    struct slu_pg_sink *sink = self;
    struct slu_uuid spool_id;

    sink->env = env;
    sink->take_max = SIZE_MAX;
    slu_arena_init(&sink->arena, ARENA_BYTES);
    slu_buf_init(&sink->text, TEXT_BYTES);
    slu_pg_queue_init(&sink->queue);
    memcpy(spool_id.bytes, env->spool_id, sizeof(spool_id.bytes));
    slu_uuid_format(spool_id, sink->spool_id);
    slu_uuid_format(slu_uuid_random(), sink->owner);
    snprintf(sink->application, sizeof(sink->application), "sluice/%s", env->name);
    if (slu_pg_read_plan(section, &sink->arena, &sink->plan, err) != 0 ||
        slu_sink_policies_read(section, &sink->arena, &sink->policies, err) != 0)
        return -1;
    return slu_pg_rows_init(&sink->rows, &sink->plan, &sink->policies, env, err);
}

static void close_sink(void *self)
{
    struct slu_pg_sink *sink = self;
    slu_pg_disconnect(sink);
    slu_pg_queue_fini(&sink->queue);
    slu_pg_rows_fini(&sink->rows);
    slu_buf_fini(&sink->text);
    slu_arena_fini(&sink->arena);
}

static void reset(void *self)
{
    slu_pg_disconnect(self);
}

/* ---- push -------------------------------------------------------------------------------------------- */

static size_t push(void *self, const struct slu_record *records, size_t n, int64_t deadline_mono_ns)
{
    struct slu_pg_sink *sink = self;
    size_t taken = 0;

    (void)deadline_mono_ns; /* nothing here waits */
    if (sink->stage < SLU_PG_STAGE_IDLE)
        return 0;
    for (; taken < n && slu_pg_queue_has_room(&sink->queue); taken++) {
        const struct slu_record *record = &records[taken];
        const bool is_added = record->seq <= sink->place
                                  ? slu_pg_queue_add_done(&sink->queue, record->seq)
                                  : slu_pg_queue_add(&sink->queue, &sink->rows, record);
        if (!is_added)
            break;
        if (taken % FEED_EVERY == 0)
            slu_pg_flight_feed(sink);
    }
    return taken;
}

/* ---- settle ------------------------------------------------------------------------------------------ */

static enum slu_sink_answer away(enum slu_pg_turn turn)
{
    return turn == SLU_PG_TURN_PAUSED ? SLU_SINK_PAUSED : SLU_SINK_AWAY;
}

static void expect_answer(struct slu_pg_sink *sink)
{
    sink->stall_mono_ns = slu_clock_mono_ns() + sink->plan.timeout_ns;
}

/* The server said nothing for too long. */
static enum slu_pg_turn give_up(struct slu_pg_sink *sink, struct slu_err *err)
{
    if (sink->stage == SLU_PG_STAGE_FLYING && sink->flight.n > 1)
        sink->take_max = sink->flight.n / 2;
    return slu_pg_away(sink, err, "no answer for %" PRId64 " s while %s: the connection was closed",
                       sink->plan.timeout_ns / SLU_NS_PER_S, stages[sink->stage].doing);
}

/* Wait for the server, by the deadline. ON: it has something; WAIT: the deadline came first. */
static enum slu_pg_turn await(struct slu_pg_sink *sink, int64_t deadline_mono_ns,
                              struct slu_err *err)
{
    const int64_t until =
        deadline_mono_ns < sink->stall_mono_ns ? deadline_mono_ns : sink->stall_mono_ns;
    if (slu_pg_client_wait(sink->client, until)) {
        expect_answer(sink);
        return slu_clock_mono_ns() < deadline_mono_ns ? SLU_PG_TURN_ON : SLU_PG_TURN_WAIT;
    }
    return until < deadline_mono_ns ? give_up(sink, err) : SLU_PG_TURN_WAIT;
}

/* Turns until one of them, or the clock, ends it. */
static enum slu_pg_turn take_turns(struct slu_pg_sink *sink, int64_t deadline_mono_ns,
                                   struct slu_settlement *settlement, struct slu_err *err)
{
    for (;;) {
        const enum slu_pg_stage stage = sink->stage;
        enum slu_pg_turn turn = stages[stage].turn(sink, settlement, err);
        if (sink->stage != stage)
            expect_answer(sink);
        if (turn == SLU_PG_TURN_WAIT)
            turn = await(sink, deadline_mono_ns, err);
        if (turn != SLU_PG_TURN_ON)
            return turn;
    }
}

static enum slu_sink_answer settle(void *self, int64_t deadline_mono_ns,
                                   struct slu_settlement *settlement, struct slu_err *err)
{
    struct slu_pg_sink *sink = self;

    /* The server cannot be blamed for the time in which nobody listened. */
    sink->stall_mono_ns += slu_clock_mono_ns() - sink->left_mono_ns;
    const enum slu_pg_turn turn = take_turns(sink, deadline_mono_ns, settlement, err);
    sink->left_mono_ns = slu_clock_mono_ns();
    switch (turn) {
    case SLU_PG_TURN_RESET:
        return SLU_SINK_RESET;
    case SLU_PG_TURN_NEWS:
        return SLU_SINK_LIVE;
    case SLU_PG_TURN_WAIT:
        if (sink->stage >= SLU_PG_STAGE_IDLE)
            return SLU_SINK_LIVE;
        slu_err_set(err, SLU_EBUSY, "still %s", stages[sink->stage].doing);
        return SLU_SINK_AWAY;
    default:
        return away(turn);
    }
}

const struct slu_sink_ops slu_sink_postgresql = {
    .type = "postgresql",
    .self_bytes = sizeof(struct slu_pg_sink),
    .wants_policies = true,
    .takes_messages_only = takes_messages_only,
    .check = check,
    .open = open_sink,
    .push = push,
    .settle = settle,
    .reset = reset,
    .close = close_sink,
    .ddl = ddl,
    .probe = slu_pg_probe,
};
