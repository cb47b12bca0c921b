/* postgresql_inside.h -- what the files of the postgresql sink share; postgresql.h is for everyone else.
 *
 *   postgresql_sink.c      the sink: options, push, settle
 *   postgresql_stage.c     from a connection to the place: connect, look, create, compare, take
 *   postgresql_flight.c    a batch: rows, place, commit; and the hunt for a row that is refused
 *   postgresql.c           the only file that knows libpq (postgresql_client.h)
 *   postgresql_sql.c       statements            postgresql_ddl.c       tables
 *   postgresql_plan.c      options, columns      policies.c  levels of topics
 *   postgresql_rows.c      record to rows        postgresql_queue.c     rows that wait
 *   postgresql_field.c     value to field        postgresql_numeric.c, _text.c, _json.c
 *   postgresql_probe.c     what connecting meets
 *   postgresql_catalog.c   does the table fit?   postgresql_fate.c      what an error means
 *
 * Stages of a connection; every error leads to DOWN, from where the next settle begins anew:
 *
 *   DOWN ▶ CONNECTING ▶ LOOKING ▶ COMPARING ▶ TAKING ▶ IDLE ▶ FLYING ▶ COMMITTING ▶ IDLE …
 *                        ▲   ▼                          ▲       ▼
 *                       CREATING                        └── ROLLING (a row was refused)
 */
#ifndef SLU_SINKS_POSTGRESQL_INSIDE_H
#define SLU_SINKS_POSTGRESQL_INSIDE_H

#include "base/log.h"
#include "base/uuid.h"
#include "sinks/postgresql.h"
#include "sinks/postgresql_client.h"
#include "sinks/postgresql_queue.h"
#include "sinks/postgresql_sql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slu_pg_stage {
    SLU_PG_STAGE_DOWN,
    SLU_PG_STAGE_CONNECTING,
    SLU_PG_STAGE_LOOKING,
    SLU_PG_STAGE_CREATING,
    SLU_PG_STAGE_COMPARING,
    SLU_PG_STAGE_TAKING,
    SLU_PG_STAGE_IDLE, /* from here on the place is ours */
    SLU_PG_STAGE_FLYING,
    SLU_PG_STAGE_COMMITTING,
    SLU_PG_STAGE_ROLLING,
    SLU_PG_STAGES,
};

/* What a turn came to. */
enum slu_pg_turn {
    SLU_PG_TURN_ON,     /* go on at once: the stage may be another */
    SLU_PG_TURN_WAIT,   /* for the server */
    SLU_PG_TURN_NEWS,   /* answer LIVE */
    SLU_PG_TURN_RESET,  /* answer RESET */
    SLU_PG_TURN_AWAY,   /* answer AWAY; err is set, the connection closed */
    SLU_PG_TURN_PAUSED, /* answer PAUSED, likewise */
};

/* A batch on its way: the first `n` entries of the queue. */
struct slu_pg_flight {
    size_t n;
    uint64_t last_seq; /* of them */
    size_t fed;        /* bytes of head, rows and tail */
    bool is_feeding;   /* the server wants them */
    bool is_placed;    /* the progress row was where we left it */
    bool is_updated;   /* "UPDATE 1" was read */
    bool is_committed; /* "COMMIT" was read */
    bool has_yielded;  /* settle returned once, so that the next batch is made meanwhile */
};

/* A row that the server refuses is somewhere among the entries up to `last`. */
struct slu_pg_hunt {
    bool is_on;
    uint64_t last;
    uint64_t named; /* the server says it is this one; 0: it does not say */
};

struct slu_pg_sink {
    /* fixed after open */
    const struct slu_sink_env *env;
    struct slu_arena arena; /* plan and policies */
    struct slu_pg_plan plan;
    struct slu_sink_policies policies;
    struct slu_pg_rows rows;
    char spool_id[SLU_UUID_TEXT_SIZE], owner[SLU_UUID_TEXT_SIZE];
    char application[80];

    /* the connection */
    struct slu_pg_client *client; /* NULL: DOWN */
    enum slu_pg_stage stage;
    int64_t stall_mono_ns; /* something must have come by then */
    int64_t left_mono_ns;  /* when settle returned: the time between calls does not count */
    struct slu_buf text;   /* SQL and sentences in the making */
    bool has_error;        /* of the statements under way */
    struct slu_pg_error error;

    /* what looking and taking found */
    bool has_schema, has_progress, is_read_only, may_insert, forces_sync, has_created, has_place;
    char table_oid[16]; /* "" none */
    char relkind;
    char fingerprint[24];
    uint64_t place; /* the progress row's seq, as last read or committed */

    struct slu_pg_queue queue;
    struct slu_pg_flight flight;
    struct slu_pg_hunt hunt;
    size_t take_max;  /* entries of a flight: halved when one takes the server too long */
    bool was_changed; /* a fate of CHANGED was met, and the table looked at again, since a commit */
    struct slu_log_rate place_rate;
};

/* The plan of a section, or its first problem as an error. */
int slu_pg_read_plan(const struct slu_node *section, struct slu_arena *arena,
                     struct slu_pg_plan *plan, struct slu_err *err);

/* sink.h's probe (postgresql_probe.c). */
void slu_pg_probe(const struct slu_sink_env *env, const struct slu_node *section,
                  int64_t deadline_mono_ns, struct slu_sink_report *report);

/* ---- postgresql_stage.c -------------------------------------------------------------------------------- */

/* Close the connection and forget what was under way: after this only RESET, AWAY or PAUSED are true. */
void slu_pg_disconnect(struct slu_pg_sink *sink);

/* Disconnect and answer AWAY or PAUSED with a sentence. */
__attribute__((format(printf, 3, 4))) enum slu_pg_turn
slu_pg_away(struct slu_pg_sink *sink, struct slu_err *err, const char *format, ...);
__attribute__((format(printf, 3, 4))) enum slu_pg_turn
slu_pg_pause(struct slu_pg_sink *sink, struct slu_err *err, const char *format, ...);

/* The statement failed with sink->error, or the connection is gone. */
enum slu_pg_turn slu_pg_fail(struct slu_pg_sink *sink, struct slu_err *err);
enum slu_pg_turn slu_pg_lost(struct slu_pg_sink *sink, struct slu_err *err);

/* Note the error that listen has told of; the first one counts. */
void slu_pg_note_error(struct slu_pg_sink *sink);

struct slu_pg_sql slu_pg_sql_of(const struct slu_pg_sink *sink);

/* A turn of each stage up to TAKING. */
enum slu_pg_turn slu_pg_turn_down(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                  struct slu_err *err);
enum slu_pg_turn slu_pg_turn_connecting(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                        struct slu_err *err);
enum slu_pg_turn slu_pg_turn_looking(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                     struct slu_err *err);
enum slu_pg_turn slu_pg_turn_creating(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                      struct slu_err *err);
enum slu_pg_turn slu_pg_turn_comparing(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                       struct slu_err *err);
enum slu_pg_turn slu_pg_turn_taking(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                    struct slu_err *err);

/* ---- postgresql_flight.c ------------------------------------------------------------------------------- */

enum slu_pg_turn slu_pg_turn_idle(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                  struct slu_err *err);
enum slu_pg_turn slu_pg_turn_flying(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                    struct slu_err *err);
enum slu_pg_turn slu_pg_turn_committing(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                        struct slu_err *err);
enum slu_pg_turn slu_pg_turn_rolling(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                     struct slu_err *err);

/* Hand the server what it takes now of the flight's rows. */
void slu_pg_flight_feed(struct slu_pg_sink *sink);

#endif
