/* postgresql_flight.c -- a batch on its way; see postgresql.h for the transaction.
 *
 *   IDLE       what stands first in the queue and needs no row is told; else a flight begins
 *   FLYING     place is checked, rows are fed, "UPDATE 1" is awaited
 *   COMMITTING COMMIT was sent after that, and nothing else is sent before its answer
 *
 * A flight ends before the first entry that is rejected: the place may not pass that before it is a
 * dead letter, which is when settle is called again.
 *
 * The hunt. The server refused a row of a flight:
 *
 *   names line 618, and it was that row             that entry is rejected           no more trips
 *   names line 618 of rows that went in together    1 … 617, then 618 alone          one trip more
 *   names none (foreign key, deferred constraint)   the first half, then half of the rest …
 *
 * Whatever goes in meanwhile is committed, so nothing is sent twice for nothing.
 */
#include "sinks/postgresql_inside.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YIELD_ENTRIES 2500u /* a flight this long: more is waiting, surely */
#define TELL_NS       (60 * SLU_NS_PER_S)

/* ---- what needs no row ------------------------------------------------------------------------------- */

static bool needs_nothing(const struct slu_pg_entry *entry)
{
    return entry->reject != NULL || entry->n_rows == 0;
}

/* Tell of the first entries that are rejected or have no rows; nothing before them is open. */
static bool tell_settled(struct slu_pg_sink *sink, struct slu_settlement *settlement)
{
    size_t n = 0;

    for (; n < sink->queue.n && settlement->n_rejects < SLU_SINK_REJECTS_MAX; n++) {
        const struct slu_pg_entry *entry = slu_pg_queue_at(&sink->queue, n);
        if (!needs_nothing(entry))
            break;
        if (entry->reject != NULL)
            settlement->rejects[settlement->n_rejects++] = *entry->reject;
        settlement->safe_seq = entry->seq;
    }
    slu_pg_queue_drop(&sink->queue, n);
    return n > 0;
}

/* ---- begin ------------------------------------------------------------------------------------------- */

/* How many of the first entries the hunt lets go. */
static size_t hunt_quota(struct slu_pg_sink *sink, size_t n)
{
    const struct slu_pg_hunt *hunt = &sink->hunt;
    size_t in = 0, before = 0;

    for (; in < n && slu_pg_queue_at(&sink->queue, in)->seq <= hunt->last; in++)
        before += slu_pg_queue_at(&sink->queue, in)->seq < hunt->named;
    if (in == 0) {
        sink->hunt = (struct slu_pg_hunt){0};
        return n;
    }
    if (hunt->named != 0)
        return before > 0 ? before : 1;
    return in > 1 ? in / 2 : 1;
}

static size_t choose(struct slu_pg_sink *sink)
{
    size_t n = 0;
    while (n < sink->queue.n && n < sink->take_max &&
           slu_pg_queue_at(&sink->queue, n)->reject == NULL)
        n++;
    return sink->hunt.is_on ? hunt_quota(sink, n) : n;
}

static enum slu_pg_turn begin(struct slu_pg_sink *sink, struct slu_err *err)
{
    const struct slu_pg_sql sql = slu_pg_sql_of(sink);
    const size_t n = choose(sink);
    const uint64_t last_seq = slu_pg_queue_at(&sink->queue, n - 1)->seq;

    sink->has_error = false;
    sink->flight = (struct slu_pg_flight){.n = n, .last_seq = last_seq};
    slu_buf_reset(&sink->text);
    if (!slu_pg_sql_flight(&sink->text, &sql, sink->place, last_seq, sink->fingerprint,
                           slu_pg_client_in_transaction(sink->client)))
        return slu_pg_away(sink, err, "no memory for SQL");
    if (!slu_pg_client_send(sink->client, slu_buf_text(&sink->text)))
        return slu_pg_lost(sink, err);
    sink->stage = SLU_PG_STAGE_FLYING;
    return SLU_PG_TURN_ON;
}

enum slu_pg_turn slu_pg_turn_idle(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                  struct slu_err *err)
{
    if (slu_pg_client_listen(sink->client) == SLU_PG_LOST)
        return slu_pg_lost(sink, err);
    if (sink->queue.n > 0 && !needs_nothing(slu_pg_queue_at(&sink->queue, 0)))
        return begin(sink, err);
    /* No transaction stays open while nothing is under way, not even a failed one. */
    if (slu_pg_client_in_transaction(sink->client)) {
        if (!slu_pg_client_send(sink->client, "ROLLBACK"))
            return slu_pg_lost(sink, err);
        sink->stage = SLU_PG_STAGE_ROLLING;
        return SLU_PG_TURN_ON;
    }
    tell_settled(sink, settlement);
    return SLU_PG_TURN_NEWS;
}

enum slu_pg_turn slu_pg_turn_rolling(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                     struct slu_err *err)
{
    (void)settlement;
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_READY:
        if (slu_pg_client_in_transaction(sink->client))
            return slu_pg_away(sink, err, "ROLLBACK was not carried out");
        sink->stage = SLU_PG_STAGE_IDLE;
        return SLU_PG_TURN_ON;
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    case SLU_PG_NOTHING:
        return SLU_PG_TURN_WAIT;
    default:
        return SLU_PG_TURN_ON;
    }
}

/* ---- feed -------------------------------------------------------------------------------------------- */

/* The i-th of the three parts of a COPY. */
static struct slu_slice part(const struct slu_pg_sink *sink, size_t i)
{
    if (i == 0)
        return slu_slice(slu_pg_copy_head, sizeof(slu_pg_copy_head));
    if (i == 1)
        return slu_pg_queue_rows(&sink->queue, sink->flight.n);
    return slu_slice(slu_pg_copy_tail, sizeof(slu_pg_copy_tail));
}

void slu_pg_flight_feed(struct slu_pg_sink *sink)
{
    struct slu_pg_flight *flight = &sink->flight;
    size_t begins_at = 0;

    if (!flight->is_feeding)
        return;
    for (size_t i = 0; i < 3; i++) {
        const struct slu_slice bytes = part(sink, i);
        const size_t done = flight->fed - begins_at;
        begins_at += bytes.len;
        if (flight->fed >= begins_at)
            continue;
        flight->fed += slu_pg_client_feed(sink->client, bytes.data + done, bytes.len - done);
        if (flight->fed < begins_at)
            return;
    }
    flight->is_feeding = !slu_pg_client_feed_end(sink->client);
}

/* ---- a row that is refused ----------------------------------------------------------------------------- */

/* The entry whose rows hold that line of the flight's COPY; flight.n when none does. */
static size_t entry_of_line(const struct slu_pg_sink *sink, uint64_t line)
{
    uint64_t rows = 0;
    size_t i = 0;

    if (line == 0)
        return sink->flight.n;
    for (; i < sink->flight.n; i++) {
        rows += slu_pg_queue_at(&sink->queue, i)->n_rows;
        if (line <= rows)
            break;
    }
    return i;
}

static enum slu_pg_turn reject(struct slu_pg_sink *sink, size_t i, struct slu_err *err)
{
    struct slu_sink_reject reject = {0};

    snprintf(reject.code, sizeof(reject.code), "pg.%s", sink->error.sqlstate);
    slu_pg_fate_tell(&sink->error, reject.message, sizeof(reject.message));
    sink->hunt = (struct slu_pg_hunt){0};
    sink->stage = SLU_PG_STAGE_IDLE;
    if (!slu_pg_queue_reject(&sink->queue, i, &reject))
        return slu_pg_away(sink, err, "no memory for a reject");
    return SLU_PG_TURN_ON;
}

static enum slu_pg_turn hunt(struct slu_pg_sink *sink, struct slu_err *err)
{
    const size_t n = sink->flight.n;
    const size_t suspect = entry_of_line(sink, sink->error.line);

    if (n == 1)
        return reject(sink, 0, err);
    if (suspect < n && sink->error.is_line_exact)
        return reject(sink, suspect, err);
    sink->hunt = (struct slu_pg_hunt){
        .is_on = true,
        .last = sink->flight.last_seq,
        .named = suspect < n ? slu_pg_queue_at(&sink->queue, suspect)->seq : 0,
    };
    sink->stage = SLU_PG_STAGE_IDLE;
    return SLU_PG_TURN_ON;
}

static enum slu_pg_turn failed(struct slu_pg_sink *sink, struct slu_err *err)
{
    switch (slu_pg_fate(&sink->error)) {
    case SLU_PG_POISON:
        return hunt(sink, err);
    case SLU_PG_CHANGED:
        if (sink->was_changed)
            return hunt(sink, err);
        sink->was_changed = true;
        return slu_pg_away(sink, err, "%s (%s): the table is looked at again", sink->error.message,
                           sink->error.sqlstate);
    default:
        if (strcmp(sink->error.sqlstate, "57014") == 0 && sink->flight.n > 1)
            sink->take_max = sink->flight.n / 2;
        return slu_pg_fail(sink, err);
    }
}

/* ---- fly --------------------------------------------------------------------------------------------- */

/* SELECT … FOR UPDATE: is the row where we left it? */
static void check_place(struct slu_pg_sink *sink)
{
    if (slu_pg_client_n_rows(sink->client) != 1)
        return;
    const char *seq = slu_pg_client_cell(sink->client, 0, 0);
    const char *owner = slu_pg_client_cell(sink->client, 0, 1);
    sink->flight.is_placed = seq != NULL && owner != NULL &&
                             strtoull(seq, NULL, 10) == sink->place &&
                             strcmp(owner, sink->owner) == 0;
}

/* Somebody moved the place or took it over, or the table was changed: nothing is committed, and the
 * place is read anew. */
static enum slu_pg_turn lose_place(struct slu_pg_sink *sink)
{
    slu_log_sometimes(
        &sink->place_rate, TELL_NS, SLU_LOG_NOTICE,
        "sink %s: its row in sluice.progress, or its table, is not as it was (another "
        "session, DDL); nothing was committed, both are read again",
        sink->env->name);
    slu_pg_disconnect(sink);
    return SLU_PG_TURN_ON;
}

static enum slu_pg_turn landed(struct slu_pg_sink *sink, struct slu_err *err)
{
    if (sink->has_error)
        return failed(sink, err);
    if (!sink->flight.is_placed || !sink->flight.is_updated)
        return lose_place(sink);
    if (!slu_pg_client_send(sink->client, "COMMIT"))
        return slu_pg_lost(sink, err);
    sink->stage = SLU_PG_STAGE_COMMITTING;
    return SLU_PG_TURN_ON;
}

/* Once a long flight, when the server has begun to take its rows: return, so that the next batch is made
 * while the server works on this one. push() goes on feeding. */
static bool yields(struct slu_pg_sink *sink)
{
    struct slu_pg_flight *flight = &sink->flight;
    if (flight->has_yielded || flight->fed == 0 || flight->n < YIELD_ENTRIES ||
        flight->n < sink->queue.n)
        return false;
    flight->has_yielded = true;
    return true;
}

enum slu_pg_turn slu_pg_turn_flying(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                    struct slu_err *err)
{
    (void)settlement;
    slu_pg_flight_feed(sink);
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_ROWS:
        check_place(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_COPY:
        if (!sink->flight.is_placed)
            return lose_place(sink);
        sink->flight.is_feeding = true;
        return SLU_PG_TURN_ON;
    case SLU_PG_DONE:
        if (strncmp(slu_pg_client_tag(sink->client), "UPDATE ", 7) == 0)
            sink->flight.is_updated = strcmp(slu_pg_client_tag(sink->client), "UPDATE 1") == 0;
        return SLU_PG_TURN_ON;
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        return landed(sink, err);
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    default:
        return yields(sink) ? SLU_PG_TURN_NEWS : SLU_PG_TURN_WAIT;
    }
}

/* ---- commit ------------------------------------------------------------------------------------------ */

static void note_success(struct slu_pg_sink *sink)
{
    struct slu_pg_hunt *hunt = &sink->hunt;

    sink->place = sink->flight.last_seq;
    sink->was_changed = false;
    if (sink->take_max <= SIZE_MAX / 2)
        sink->take_max *= 2;
    /* All of them went in after all, or the one that was named did. */
    if (hunt->is_on &&
        (sink->place >= hunt->last || (hunt->named != 0 && sink->place >= hunt->named)))
        *hunt = (struct slu_pg_hunt){0};
}

static enum slu_pg_turn committed(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                  struct slu_err *err)
{
    if (sink->has_error) /* a deferred constraint, a serialization failure: rolled back */
        return failed(sink, err);
    if (!sink->flight.is_committed)
        return slu_pg_away(sink, err, "COMMIT was not carried out");
    note_success(sink);
    settlement->safe_seq = sink->flight.last_seq;
    slu_pg_queue_drop(&sink->queue, sink->flight.n);
    sink->flight = (struct slu_pg_flight){0};
    sink->stage = SLU_PG_STAGE_IDLE;
    tell_settled(sink, settlement);
    return SLU_PG_TURN_NEWS;
}

enum slu_pg_turn slu_pg_turn_committing(struct slu_pg_sink *sink, struct slu_settlement *settlement,
                                        struct slu_err *err)
{
    switch (slu_pg_client_listen(sink->client)) {
    case SLU_PG_DONE:
        sink->flight.is_committed = strcmp(slu_pg_client_tag(sink->client), "COMMIT") == 0;
        return SLU_PG_TURN_ON;
    case SLU_PG_ERROR:
        slu_pg_note_error(sink);
        return SLU_PG_TURN_ON;
    case SLU_PG_ROWS:
        return SLU_PG_TURN_ON;
    case SLU_PG_READY:
        return committed(sink, settlement, err);
    case SLU_PG_LOST:
        return slu_pg_lost(sink, err);
    default:
        return SLU_PG_TURN_WAIT;
    }
}
