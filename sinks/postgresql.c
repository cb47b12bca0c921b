/* postgresql.c -- the only file that knows libpq; see postgresql_client.h for what it makes of it.
 *
 * Which sslmode? libpq merges conninfo, the service file and the environment, but tells the result only
 * of a connection. So there is a probe first: a connection that fails before it begins, because of a
 * channel_binding that does not exist, and can be asked what it would have used.
 *
 *   conninfo ──probe──▶ host, sslmode, keepalives … as merged ──▶ our defaults for what nobody set
 *
 * SIGPIPE: libpq asks the kernel not to send it. Notices would go to stderr: they are dropped.
 */
#include "sinks/postgresql_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FEED_BYTES \
    (128u << 10) /* handed to libpq at once: it buffers what the socket does not take */
#define PASSWORD_BYTES 4096u
#define MAX_KEYWORDS   16

struct slu_pg_client {
    PGconn *connection;
    PGresult *result; /* that listen told of last */
    const struct slu_pg_plan *plan;
    struct slu_pg_error error;
    PostgresPollingStatusType polling; /* while connecting */
    bool wants_write;                  /* libpq holds bytes that the socket did not take */
    bool is_copying;                   /* COPY was told and not ended */
};

/* ---- conninfo ---------------------------------------------------------------------------------------- */

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++) {
        if (strcmp(at->keyword, keyword) == 0)
            return at->val != NULL && at->val[0] != '\0' ? at->val : NULL;
    }
    return NULL;
}

static bool is_local_name(const char *name, size_t n)
{
    static const char *const names[] = {"localhost", "::1"};
    if (n == 0 || name[0] == '/' || name[0] == '@')
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (n == strlen(names[i]) && memcmp(name, names[i], n) == 0)
            return true;
    }
    /* 127.0.0.1, not 127.example.org */
    return n >= 4 && memcmp(name, "127.", 4) == 0 && strspn(name, "0123456789.") >= n;
}

/* A list of hosts, joined with commas: are all of them this machine? Absent: a Unix socket. */
static bool are_local(const char *hosts)
{
    for (const char *at = hosts; at != NULL;) {
        const size_t n = strcspn(at, ",");
        if (!is_local_name(at, n))
            return false;
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    return true;
}

/* An address of this machine under another's name is a tunnel: what answers there is to be verified. */
static bool is_local(const PQconninfoOption *options)
{
    return are_local(option(options, "hostaddr")) && are_local(option(options, "host"));
}

static void one_line(char *out, size_t out_size, const char *text)
{
    const size_t n = strcspn(text, "\n");
    snprintf(out, out_size, "%.*s", (int)(n < out_size ? n : out_size - 1), text);
}

/* libpq repeats what it does not understand, which may be the rest of a password. */
static bool may_show(const char *conninfo)
{
    return strcasestr(conninfo, "password") == NULL && strchr(conninfo, '@') == NULL;
}

void slu_pg_conninfo_look(const char *conninfo, struct slu_pg_conninfo *look)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &error);
    const char *mode = option(options, "sslmode");

    *look = (struct slu_pg_conninfo){.is_sound = options != NULL, .is_local = true};
    if (options != NULL) {
        look->is_local = is_local(options) && option(options, "service") == NULL;
        snprintf(look->sslmode, sizeof(look->sslmode), "%s", mode != NULL ? mode : "");
    }
    if (options == NULL && may_show(conninfo))
        one_line(look->why, sizeof(look->why), error != NULL ? error : "no memory");
    PQconninfoFree(options);
    PQfreemem(error);
}

/* ---- keywords of a connection ------------------------------------------------------------------------- */

struct keywords {
    const char *names[MAX_KEYWORDS + 1], *values[MAX_KEYWORDS + 1];
    size_t n;
};

static void add_keyword(struct keywords *keywords, const char *name, const char *value)
{
    if (keywords->n == MAX_KEYWORDS)
        return;
    keywords->names[keywords->n] = name;
    keywords->values[keywords->n++] = value;
}

static PGconn *start(const struct keywords *keywords)
{
    return PQconnectStartParams(keywords->names, keywords->values, 1);
}

/* All options as libpq would use them; NULL and err when it could not even begin. */
static PQconninfoOption *probe(const char *conninfo, bool is_secret, struct slu_err *err)
{
    struct keywords keywords = {0};
    add_keyword(&keywords, "dbname", conninfo);
    add_keyword(&keywords, "channel_binding", "none of them");

    PGconn *connection = start(&keywords);
    const char *message = connection != NULL ? PQerrorMessage(connection) : "no memory";
    PQconninfoOption *options = NULL;
    if (connection != NULL && strstr(message, "channel_binding") != NULL)
        options = PQconninfo(connection);
    if (options == NULL) {
        const bool shows = !is_secret && may_show(conninfo);
        char line[300];
        one_line(line, sizeof(line), message);
        slu_err_set(err, SLU_EINVAL, "conninfo cannot be used%s%s", shows ? ": " : "",
                    shows ? line : "");
    }
    PQfinish(connection);
    return options;
}

static bool sets_sslmode(const char *conninfo, const PQconninfoOption *merged)
{
    const char *mode = option(merged, "sslmode");
    struct slu_pg_conninfo look;
    slu_pg_conninfo_look(conninfo, &look);
    return look.sslmode[0] != '\0' || getenv("PGSSLMODE") != NULL ||
           (mode != NULL && strcmp(mode, "prefer") != 0);
}

/* Texts of numbers that the keywords point to. */
struct numbers {
    char user_timeout_ms[24];
};

/* Our defaults go in front of conninfo, but only those that nothing else sets: in front they also go
 * before the service file. */
static void add_defaults(struct keywords *keywords, const struct slu_pg_plan *plan,
                         const PQconninfoOption *merged, const struct numbers *numbers)
{
    const struct {
        const char *name, *value;
    } defaults[] = {
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", numbers->user_timeout_ms},
    };
    const char *hosts = option(merged, "host"), *target = option(merged, "target_session_attrs");

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        if (option(merged, defaults[i].name) == NULL)
            add_keyword(keywords, defaults[i].name, defaults[i].value);
    }
    if (!is_local(merged) && !sets_sslmode(plan->conninfo, merged))
        add_keyword(keywords, "sslmode", "verify-full");
    /* Of several servers the one that can be written to. */
    if (hosts != NULL && strchr(hosts, ',') != NULL &&
        (target == NULL || strcmp(target, "any") == 0))
        add_keyword(keywords, "target_session_attrs", "read-write");
}

static int read_password(const char *path, struct slu_buf *out, struct slu_err *err)
{
    if (slu_file_read(path, out, err) != 0)
        return -1;
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL)
        slu_buf_cut(out, out->len - 1);
    if (memchr(slu_buf_text(out), '\0', out->len) != NULL)
        return slu_err_set(err, SLU_EINVAL, "%s: a password holds no NUL", path);
    return 0;
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static PGconn *begin(const struct slu_pg_plan *plan, const char *application, const char *password,
                     struct slu_err *err)
{
    struct keywords keywords = {0};
    struct numbers numbers;

    PQconninfoOption *merged = probe(plan->conninfo, plan->conninfo_secret, err);
    if (merged == NULL)
        return NULL;
    /* Less than our own deadline, so that libpq comes to the next host before that. */
    snprintf(numbers.user_timeout_ms, sizeof(numbers.user_timeout_ms), "%lld",
             (long long)(plan->timeout_ns / 10 * 7 / SLU_NS_PER_MS));
    add_defaults(&keywords, plan, merged, &numbers);
    add_keyword(&keywords, "fallback_application_name", application);
    add_keyword(&keywords, "dbname", plan->conninfo);
    add_keyword(&keywords, "client_encoding", "UTF8");
    if (password != NULL)
        add_keyword(&keywords, "password", password);
    PGconn *connection = start(&keywords);
    PQconninfoFree(merged);
    if (connection == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for a connection");
    return connection;
}

struct slu_pg_client *slu_pg_client_open(const struct slu_pg_plan *plan, const char *application,
                                         struct slu_err *err)
{
    struct slu_pg_client *client = calloc(1, sizeof(*client));
    struct slu_buf password;

    if (client == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for a connection");
        return NULL;
    }
    slu_buf_init(&password, PASSWORD_BYTES);
    client->plan = plan;
    if (plan->password_file == NULL || read_password(plan->password_file, &password, err) == 0)
        client->connection = begin(
            plan, application, plan->password_file != NULL ? slu_buf_text(&password) : NULL, err);
    if (password.data != NULL)
        explicit_bzero(password.data, password.cap);
    slu_buf_fini(&password);
    if (client->connection == NULL) {
        free(client);
        return NULL;
    }
    PQsetNoticeReceiver(client->connection, ignore_notice, NULL);
    /* A refused connection has no result to ask for its SQLSTATE; a verbose message has it inside. */
    PQsetErrorVerbosity(client->connection, PQERRORS_VERBOSE);
    client->polling = PGRES_POLLING_WRITING; /* as libpq's manual wants it */
    return client;
}

void slu_pg_client_close(struct slu_pg_client *client)
{
    if (client == NULL)
        return;
    /* Unless it is idle: whatever is buffered shall not go out any more. */
    if (PQsocket(client->connection) >= 0 &&
        PQtransactionStatus(client->connection) != PQTRANS_IDLE)
        shutdown(PQsocket(client->connection), SHUT_RDWR);
    PQclear(client->result);
    PQfinish(client->connection);
    free(client);
}

/* ---- errors ------------------------------------------------------------------------------------------- */

/* "…FATAL:  28P01: password authentication failed…": where the SQLSTATE is, or NULL. */
static const char *find_sqlstate(const char *message)
{
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        if (strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[8] == ':')
            return at + 3;
    }
    return NULL;
}

/* libpq's own words, which may be several lines: the first that has an SQLSTATE, else the first. */
static void note_message(struct slu_pg_client *client)
{
    const char *message = PQerrorMessage(client->connection);
    const char *sqlstate = find_sqlstate(message), *line = message;

    client->error = (struct slu_pg_error){0};
    if (sqlstate != NULL) {
        memcpy(client->error.sqlstate, sqlstate, 5);
        for (const char *at = message; at < sqlstate; at++)
            line = *at == '\n' ? at + 1 : line;
    }
    one_line(client->error.message, sizeof(client->error.message),
             line[0] != '\0' ? line : "the server closed the connection");
}

static void copy_field(char *out, size_t out_size, const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);
    snprintf(out, out_size, "%s", text != NULL ? text : "");
}

static void note_error(struct slu_pg_client *client, const PGresult *result)
{
    struct slu_pg_error *error = &client->error;
    const char *schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
    const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);

    *error = (struct slu_pg_error){0};
    copy_field(error->sqlstate, sizeof(error->sqlstate), result, PG_DIAG_SQLSTATE);
    copy_field(error->column, sizeof(error->column), result, PG_DIAG_COLUMN_NAME);
    copy_field(error->constraint, sizeof(error->constraint), result, PG_DIAG_CONSTRAINT_NAME);
    if (table != NULL)
        snprintf(error->table, sizeof(error->table), "%s.%s", schema != NULL ? schema : "", table);
    slu_pg_fate_read(error, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
                     PQresultErrorField(result, PG_DIAG_CONTEXT), client->plan->table);
}

static enum slu_pg_said lost(struct slu_pg_client *client)
{
    note_message(client);
    return SLU_PG_LOST;
}

const struct slu_pg_error *slu_pg_client_error(const struct slu_pg_client *client)
{
    return &client->error;
}

/* ---- talking ------------------------------------------------------------------------------------------ */

enum slu_pg_said slu_pg_client_connect(struct slu_pg_client *client)
{
    if (PQstatus(client->connection) == CONNECTION_BAD)
        return lost(client);
    struct pollfd fd = {.fd = PQsocket(client->connection)};
    fd.events = client->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (poll(&fd, 1, 0) == 0)
        return SLU_PG_NOTHING;
    client->polling = PQconnectPoll(client->connection);
    if (client->polling == PGRES_POLLING_FAILED)
        return lost(client);
    if (client->polling != PGRES_POLLING_OK)
        return SLU_PG_NOTHING;
    PQsetErrorVerbosity(client->connection, PQERRORS_DEFAULT);
    return PQsetnonblocking(client->connection, 1) == 0 ? SLU_PG_READY : lost(client);
}

bool slu_pg_client_wait(struct slu_pg_client *client, int64_t until_mono_ns)
{
    struct pollfd fd = {.fd = PQsocket(client->connection), .events = POLLIN};
    if (client->polling == PGRES_POLLING_WRITING)
        fd.events = POLLOUT;
    else if (client->wants_write)
        fd.events = POLLIN | POLLOUT;

    for (;;) {
        const int64_t left_ns = until_mono_ns - slu_clock_mono_ns();
        const int64_t left_ms = left_ns > 0 ? left_ns / SLU_NS_PER_MS + 1 : 0;
        const int n = poll(&fd, 1, left_ms < 60000 ? (int)left_ms : 60000);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
        if (n == 0 && slu_clock_mono_ns() >= until_mono_ns)
            return false;
    }
}

static bool flush(struct slu_pg_client *client)
{
    const int left = PQflush(client->connection);
    client->wants_write = left == 1;
    return left >= 0;
}

bool slu_pg_client_send(struct slu_pg_client *client, const char *sql)
{
    return PQsendQuery(client->connection, sql) == 1 && flush(client);
}

bool slu_pg_client_ask(struct slu_pg_client *client, const char *sql, const char *parameter)
{
    return PQsendQueryParams(client->connection, sql, 1, NULL, &parameter, NULL, NULL, 0) == 1 &&
           flush(client);
}

static enum slu_pg_said tell_result(struct slu_pg_client *client)
{
    switch (PQresultStatus(client->result)) {
    case PGRES_TUPLES_OK:
        return SLU_PG_ROWS;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return SLU_PG_DONE;
    case PGRES_COPY_IN:
        client->is_copying = true;
        return SLU_PG_COPY;
    default:
        if (PQstatus(client->connection) == CONNECTION_BAD &&
            PQresultErrorField(client->result, PG_DIAG_SQLSTATE) == NULL)
            return lost(client);
        note_error(client, client->result);
        return SLU_PG_ERROR;
    }
}

enum slu_pg_said slu_pg_client_listen(struct slu_pg_client *client)
{
    PQclear(client->result);
    client->result = NULL;
    if (!flush(client))
        return lost(client);
    if (client->is_copying) /* an error that comes early is told when COPY has ended */
        return PQconsumeInput(client->connection) == 1 ? SLU_PG_NOTHING : lost(client);
    if (PQisBusy(client->connection) == 1 ||
        PQtransactionStatus(client->connection) == PQTRANS_IDLE) {
        if (PQconsumeInput(client->connection) == 0)
            return lost(client);
        if (PQisBusy(client->connection) == 1)
            return SLU_PG_NOTHING;
    }
    client->result = PQgetResult(client->connection);
    if (client->result != NULL)
        return tell_result(client);
    return PQstatus(client->connection) == CONNECTION_BAD ? lost(client) : SLU_PG_READY;
}

size_t slu_pg_client_n_rows(const struct slu_pg_client *client)
{
    return (size_t)PQntuples(client->result);
}

const char *slu_pg_client_cell(const struct slu_pg_client *client, size_t row, size_t column)
{
    if (PQgetisnull(client->result, (int)row, (int)column) == 1)
        return NULL;
    return PQgetvalue(client->result, (int)row, (int)column);
}

const char *slu_pg_client_tag(const struct slu_pg_client *client)
{
    return client->result != NULL ? PQcmdStatus(client->result) : "";
}

size_t slu_pg_client_feed(struct slu_pg_client *client, const char *bytes, size_t n)
{
    size_t taken = 0;

    while (taken < n) {
        if (!flush(client) || client->wants_write)
            break; /* a lost connection is told by the next listen */
        const size_t part = n - taken < FEED_BYTES ? n - taken : FEED_BYTES;
        if (PQputCopyData(client->connection, bytes + taken, (int)part) != 1)
            break;
        taken += part;
    }
    return taken;
}

bool slu_pg_client_feed_end(struct slu_pg_client *client)
{
    if (PQputCopyEnd(client->connection, NULL) != 1)
        return false;
    client->is_copying = false;
    flush(client);
    return true;
}

bool slu_pg_client_in_transaction(const struct slu_pg_client *client)
{
    const PGTransactionStatusType status = PQtransactionStatus(client->connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}
