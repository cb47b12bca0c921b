/* sink.h -- the contract between the delivery loop and one far shore.
 *
 *   spool ──delivery.c──▶ push() ──▶ file, Kafka, PostgreSQL
 *                ▲                        │
 *                └──── settle(): up to where is it safe over there?
 *
 * delivery.c owns thread, order, batching, backoff, dead letters, cursor and circuit breaker. A sink
 * owns a connection. It never retries on its own, never reads the spool, never drops a record in
 * silence. A record that was pushed is not pushed again until the sink has answered RESET.
 *
 * Rejects. A record that settle() rejects is on disk as a dead letter when the next push() or settle()
 * is called, not before. A far shore that holds the place itself (a progress row, a transaction) must
 * not let it pass a reject until then: after a crash in between the record would be in neither place.
 *
 *   settle: commits 1 … 617, rejects 618 ──▶ dead letter synced ──▶ settle: commits 619 … 5000
 *
 * Threads: all calls for one sink come from that sink's own thread, one at a time; open and check
 * may come from another thread before the first of them.
 */
#ifndef SLU_SINKS_SINK_H
#define SLU_SINKS_SINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/node.h"
#include "base/problems.h"
#include "sinks/report.h"
#include "sinks/spool/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_decoder;

/* What every sink may know of its surroundings. Outlives the sink. */
struct slu_sink_env {
    const char *name; /* of the sink in the configuration */
    const char *instance;
    const uint8_t
        *spool_id; /* 16 bytes; when it has to change the sink is closed and opened again */
    /* Texts of the numbers in a record; NULL when unknown. */
    const char *(*policy_name)(const void *context, uint16_t number);
    const char *(*schema_name)(const void *context, uint16_t number);
    /* The document of a schema; empty when unknown. NULL: none is known. */
    struct slu_slice (*schema_text)(const void *context, uint16_t number);
    const void *names;           /* context of all three */
    struct slu_decoder *decoder; /* of the sink's thread; NULL: payloads are not looked into */
};

enum slu_sink_answer {
    SLU_SINK_LIVE, /* all pushed records up to safe_seq are safe over there; the rest is under way */
    SLU_SINK_RESET, /* connection or producer was lost (or just made): push again from safe_seq + 1 */
    SLU_SINK_AWAY,   /* not reachable: err says why; nothing is lost, asked again after a backoff */
    SLU_SINK_PAUSED, /* reachable but somebody has to act (disk full, table missing): err says what */
};

/* A record the far shore will never take. */
struct slu_sink_reject {
    uint64_t seq;
    char code[48];     /* "pg.23514", "kafka.MSG_SIZE_TOO_LARGE", "record.too_large" */
    char message[256]; /* one sentence */
};

#define SLU_SINK_REJECTS_MAX 64 /* of one settle */

/* Zeroed by the caller. */
struct slu_settlement {
    uint64_t safe_seq; /* every record pushed with seq ≤ this is safe or among the rejects so far;
                           with RESET: what is known to be safe over there (0: nothing known); with
                           AWAY and PAUSED it counts as with LIVE (0: nothing new) */
    size_t n_rejects;
    struct slu_sink_reject rejects[SLU_SINK_REJECTS_MAX]; /* ascending seq; all ≤ safe_seq */
};

/* A number of the sink's own, for status.json. */
struct slu_sink_number {
    const char *name; /* static text */
    uint64_t value;
};

#define SLU_SINK_NUMBERS_MAX 12

struct slu_sink_ops {
    const char *type;  /* the configuration's `type` and the word in status: "file" */
    size_t self_bytes; /* private state; the caller gives it zeroed */

    /* The section gets one more member, `policies`: of each policy its id, topics and timestamp, in the
     * configuration's own words, so that the sink can find named levels without a look at the
     * snapshot. The sink is opened anew when they change. */
    bool wants_policies;

    /* It sends in batches that it makes of whatever is under way: while a whole batch can be pushed, settle
     * is only looked at, not waited in, so that its own batches are full ones. */
    bool is_pipelined;

    /* A section with `schema` gets one more member, `schema_document`: that Avro schema's name, file, text and,
     * when it has one, registry_id; and where the configuration has a registry, `registry`, as
     * slu_registry_options_of() reads it. The sink is opened anew when they change. */
    bool wants_schema;

    /* Does a sink of this section take messages only, neither violations nor alarms? May be NULL. */
    bool (*takes_messages_only)(const struct slu_node *section);

    /* Does the section make sense beyond what config.schema.json says? Adds problems. May be NULL. */
    void (*check)(const struct slu_node *section, struct slu_problems *problems);

    /* Read the section (borrowed for the call), make clients. `self` is zeroed. Must not wait for the network: a far
     * shore that is down is settle's business. Returns 0, or -1 and err. */
    int (*open)(void *self, const struct slu_sink_env *env, const struct slu_node *section,
                struct slu_err *err);

    /* Take up to `n` records, in order; copy what is needed later. Returns how many were taken; 0
     * when nothing can be taken now (settle says why). */
    size_t (*push)(void *self, const struct slu_record *records, size_t n,
                   int64_t deadline_mono_ns);

    /* Make progress and say what is safe. Returns as soon as something new is safe, rejected or wrong,
     * at the latest by the deadline (which is now when nothing is under way); work that is not
     * finished then goes on in the next call. The first answer after open is RESET (with what the
     * far shore says is safe), AWAY or PAUSED. Also called when idle, at least once a second, for
     * rotations and keep-alives; not while a reject waits for its dead letter. */
    enum slu_sink_answer (*settle)(void *self, int64_t deadline_mono_ns,
                                   struct slu_settlement *settlement, struct slu_err *err);

    /* Give up what is under way and not safe yet, rejects of the last settle included: all of it will be
     * pushed again. The next answer is RESET, AWAY or PAUSED. For the circuit breaker: somebody
     * repairs a table, and then the records that were refused shall be tried once more. */
    void (*reset)(void *self);

    /* The configuration was read anew and the sink goes on as it is: the next settle ends what a stop would
     * end (the open file). At once, nothing is waited for. May be NULL. */
    void (*rotate)(void *self);

    /* Finish what can be finished by the deadline (a clean stop, or a reload that changes the sink), so
     * that a last settle finds it safe. May be NULL. */
    void (*finish)(void *self, int64_t deadline_mono_ns);

    /* Release everything, even after a failed open(). Cannot fail. */
    void (*close)(void *self);

    /* For `sluice ddl`: append the SQL that makes what a sink of this section needs, each statement
     * ended with ";\n". Returns 0, or -1 and err. NULL: it has no tables. */
    int (*ddl)(const struct slu_node *section, struct slu_buf *out, struct slu_err *err);

    /* Numbers of the sink's own, which status.json shows under its type ("kafka": {…}); documented where the
     * sink declares them. The sink is open. Returns how many, at most SLU_SINK_NUMBERS_MAX. May be NULL. */
    size_t (*numbers)(const void *self, struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX]);

    /* For `sluice check --connect`: go to the far shore as push would, and add to the report what was
     * met, good and bad: can it be reached, as whom and how safely, is there what the sink needs, may
     * it be written. Changes nothing over there: no row, no file, no topic, no place is taken. Waits
     * for the network until the deadline at most (that is a bad point then). Independent of open: no
     * `self`; of `env` only name and instance are set. The section has passed check(). May be
     * NULL: there is nothing to look at. */
    void (*probe)(const struct slu_sink_env *env, const struct slu_node *section,
                  int64_t deadline_mono_ns, struct slu_sink_report *report);
};

/* The document of the record's schema; empty: it has none, or none is known. */
struct slu_slice slu_sink_schema_text(const struct slu_sink_env *env,
                                      const struct slu_record *record);

/* What the envelope of `record` needs, from the names of `env`; borrowed like these. */
struct slu_envelope;
struct slu_envelope slu_sink_envelope(const struct slu_sink_env *env,
                                      const struct slu_record *record);

/* The sink of that type, NULL when this build has none. */
const struct slu_sink_ops *slu_sink_find(const char *type);

/* All types compiled in, joined with ", ", for messages. */
const char *slu_sink_types(void);

#endif
