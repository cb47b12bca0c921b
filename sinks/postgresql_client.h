/* postgresql_client.h -- one connection to a PostgreSQL server that never waits, without a word of libpq.
 *
 *   open ─▶ connect … connect ─▶ READY
 *   send("BEGIN; … COPY … FROM STDIN; …")
 *   listen ─▶ DONE · ROWS · COPY      feed … feed_end
 *   listen ─▶ DONE · … · READY        or ERROR · READY, or LOST at any time
 *
 * Each call does what can be done now and returns; slu_pg_client_wait() is the only one that waits, and
 * it has a deadline. (But names of hosts are looked up by the C library, which waits as it likes.)
 *
 * TLS. Unless conninfo, service file or environment choose another sslmode it is verify-full, except to
 * this machine itself. Keep-alives and tcp_user_timeout are set unless they are given. Passwords and
 * certificates are read from their files at each open.
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_POSTGRESQL_CLIENT_H
#define SLU_SINKS_POSTGRESQL_CLIENT_H

#include "base/err.h"
#include "sinks/postgresql_fate.h"
#include "sinks/postgresql_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_pg_client;

enum slu_pg_said {
    SLU_PG_NOTHING, /* nothing yet: wait */
    SLU_PG_READY,   /* nothing is under way: send */
    SLU_PG_ROWS,    /* a result with rows, until the next listen: slu_pg_client_cell() */
    SLU_PG_DONE,    /* a command is done: slu_pg_client_tag() */
    SLU_PG_COPY,    /* rows may be fed */
    SLU_PG_ERROR,   /* slu_pg_client_error(); READY follows */
    SLU_PG_LOST,    /* the connection is gone (or was refused): slu_pg_client_error() */
};

/* What can be said of conninfo without connecting. */
struct slu_pg_conninfo {
    bool is_sound;    /* libpq can read it */
    bool is_local;    /* this machine alone: Unix sockets, loopback */
    char sslmode[16]; /* as conninfo sets it; "" not */
    char why[200];    /* not sound: what libpq says; "" when that might repeat a secret */
};
void slu_pg_conninfo_look(const char *conninfo, struct slu_pg_conninfo *look);

/* Begin to connect. `application` is for pg_stat_activity. NULL and err: the password file cannot be
 * read, a service is not known, no memory. The plan must outlive the client. */
struct slu_pg_client *slu_pg_client_open(const struct slu_pg_plan *plan, const char *application,
                                         struct slu_err *err);

/* Close the socket at once; the server may not have noticed yet. NULL is fine. */
void slu_pg_client_close(struct slu_pg_client *client);

/* Go on connecting: NOTHING, READY or LOST. */
enum slu_pg_said slu_pg_client_connect(struct slu_pg_client *client);

/* Wait until something can be read or written, or the moment has come. True: something can. */
bool slu_pg_client_wait(struct slu_pg_client *client, int64_t until_mono_ns);

/* One or more statements, in one go. Only when READY. False: lost. */
bool slu_pg_client_send(struct slu_pg_client *client, const char *sql);

/* One statement with a text for $1. */
bool slu_pg_client_ask(struct slu_pg_client *client, const char *sql, const char *parameter);

enum slu_pg_said slu_pg_client_listen(struct slu_pg_client *client);

/* How many rows; a cell, NULL for SQL's NULL. */
size_t slu_pg_client_n_rows(const struct slu_pg_client *client);
const char *slu_pg_client_cell(const struct slu_pg_client *client, size_t row, size_t column);

/* "UPDATE 1" */
const char *slu_pg_client_tag(const struct slu_pg_client *client);

/* Feed COPY: returns how many of the bytes were taken, 0 when none can be now. */
size_t slu_pg_client_feed(struct slu_pg_client *client, const char *bytes, size_t n);

/* No more rows will come. False: not now, try again. */
bool slu_pg_client_feed_end(struct slu_pg_client *client);

/* Is a transaction open (failed ones included)? */
bool slu_pg_client_in_transaction(const struct slu_pg_client *client);

const struct slu_pg_error *slu_pg_client_error(const struct slu_pg_client *client);

#endif
