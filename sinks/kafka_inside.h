/* kafka_inside.h -- what the files of the kafka sink share; kafka.h is for everyone else.
 *
 *   kafka_sink.c        the sink: open, push, settle
 *   kafka_lose.c        what the producer tells, and how one is lost
 *   kafka_queue.c       what is under way, and how far it is safe
 *   kafka_message.c     record to message
 *   kafka_registry.c    the id that stands before a value
 *   kafka_options.c     the section
 *   kafka_fate.c        what an error means
 *   kafka_statistics.c  librdkafka's numbers
 *   kafka_probe.c       a look at the cluster for `sluice check --connect`
 *   kafka.c             librdkafka
 *
 *              ┌──────────── a broker answers ────────────▶ RUNNING ◀─ RESET
 *   STARTING ──┤                                    ▲          │ first failed report
 *      ▲       └── … and a record was refused ──▶ TRYING       ▼
 *      │                                            │       LOSING   in-flight reports are awaited
 *      └────────────── new producer ◀───────────────┴──────────┘
 *
 * STARTING  a producer is there or will be made; no broker has answered it yet
 * TRYING    the one record that somebody has to act for is under way, alone (PAUSED meanwhile)
 * RUNNING   records are taken
 * LOSING    nothing is sent any more; a second for the answers that are still to come
 *
 * Threads: all of it runs in the sink's own thread.
 */
#ifndef SLU_SINKS_KAFKA_INSIDE_H
#define SLU_SINKS_KAFKA_INSIDE_H

#include "base/log.h"
#include "sinks/kafka_client.h"
#include "sinks/kafka_fate.h"
#include "sinks/kafka_queue.h"
#include "sinks/kafka_statistics.h"

#include <stdbool.h>
#include <stdint.h>

#define SLU_KAFKA_RATE_NS     (60 * SLU_NS_PER_S) /* between two lines of a kind */
#define SLU_KAFKA_TRIAL_TOKEN SIZE_MAX            /* of the record that is tried alone */

enum slu_kafka_stage {
    SLU_KAFKA_STARTING,
    SLU_KAFKA_TRYING,
    SLU_KAFKA_RUNNING,
    SLU_KAFKA_LOSING,
};

/* Why a producer is lost: its first report that says more than "and so did I". */
struct slu_kafka_failure {
    bool is_known;
    bool is_partial;  /* not every record that was under way was seen */
    bool is_vanished; /* see kafka_fate.h */
    bool is_access;   /* somebody may not do something: Kafka has several words for that */
    enum slu_kafka_fate fate;
    char text[500];
    char topic[SLU_KAFKA_TOPIC_MAX + 1]; /* "": of no topic alone */
    struct slu_sink_reject reject;       /* REFUSED: for the record when it was alone */
    size_t n_refused, refused_bytes, token;
    uint64_t last_seq; /* the highest that was refused */
};

struct slu_kafka {
    const struct slu_sink_env *env;
    struct slu_arena arena;
    struct slu_kafka_options options;
    struct slu_sink_policies policies;
    struct slu_kafka_maker maker;
    struct slu_registry_ids
        *ids; /* owned; of values that the registry's id stands before, else NULL */
    char id_topic[SLU_KAFKA_TOPIC_MAX + 1]; /* whose id must be asked for; "" none */
    struct slu_kafka_queue queue;
    struct slu_kafka_statistics statistics;

    enum slu_kafka_stage stage;
    struct slu_kafka_client *client; /* NULL: to be made */
    struct slu_kafka_limits limits;
    bool needs_reset;

    bool is_lost; /* this producer sends nothing any more */
    int64_t lost_until_ns;
    struct slu_kafka_failure failure;

    /* One record a batch up to here; 0: as many as may be. */
    uint64_t single_until, last_pushed;
    bool single_is_over;
    size_t single_rejects, single_bytes;

    /* The record that is tried alone. */
    struct slu_kafka_message *trial; /* owned; NULL: none */
    uint64_t trial_seq;
    bool trial_is_sent, trial_is_safe;
    int64_t trial_ns;      /* when it was sent */
    char reason[500];      /* why it is tried alone */
    bool reason_is_access; /* and nothing was safe since */

    /* How the connection is. */
    bool is_troubled;
    bool is_act; /* somebody has to act for it */
    int64_t trouble_ns;
    int64_t progress_ns; /* of the last answer; STARTING: when the producer was made */
    char trouble[300];
    struct slu_log_rate split_rate, shrink_rate, again_rate;
};

/* ---- kafka_lose.c ------------------------------------------------------------------------------------ */

/* What a producer's events do to the sink. */
struct slu_kafka_events slu_kafka_events(struct slu_kafka *kafka);

/* Something but the record is wrong in the moment of sending it. */
void slu_kafka_fail_sending(struct slu_kafka *kafka, const struct slu_kafka_message *message,
                            uint64_t seq, const char *error, const char *text);

/* The record that is to be tried alone: takes `copy`; NULL: none. */
void slu_kafka_keep_trial(struct slu_kafka *kafka, struct slu_kafka_message *copy, uint64_t seq);

/* End the producer; serves its last reports. */
void slu_kafka_drop_client(struct slu_kafka *kafka);

/* All that were refused together have a fate. When none was to blame, they were too many. */
void slu_kafka_end_singles(struct slu_kafka *kafka);

/* LOSING: wait for the answers that may still come, then end the producer and conclude. LIVE (still
 * at it, or STARTING now), or PAUSED and err. */
enum slu_sink_answer slu_kafka_lose_step(struct slu_kafka *kafka, int64_t deadline_mono_ns,
                                         struct slu_settlement *settlement, struct slu_err *err);

/* The producer is gone; what follows from the reason? LIVE, or PAUSED and err; STARTING. */
enum slu_sink_answer slu_kafka_conclude(struct slu_kafka *kafka, struct slu_err *err);

/* ---- kafka_registry.c -------------------------------------------------------------------------------- */

/* What a section's values need of the registry: *ids is NULL when they need nothing. 0, or -1 and err. */
int slu_kafka_registry_open(const struct slu_node *section, const struct slu_typed *typed,
                            struct slu_registry_ids **ids, struct slu_err *err);

/* Ask for the id of kafka->id_topic. LIVE, or AWAY or PAUSED and err. */
enum slu_sink_answer slu_kafka_registry_ask(struct slu_kafka *kafka, struct slu_err *err);

/* What the registry says to values of that topic (NULL: named by each record). */
void slu_kafka_registry_probe(const struct slu_node *section, const char *topic,
                              int64_t deadline_mono_ns, struct slu_sink_report *report);

/* ---- kafka_probe.c ----------------------------------------------------------------------------------- */

/* See probe of sink.h. */
void slu_kafka_probe(const struct slu_sink_env *env, const struct slu_node *section,
                     int64_t deadline_mono_ns, struct slu_sink_report *report);

/* Milliseconds until then; 0: it has come. */
int slu_kafka_ms_until(int64_t mono_ns);

#endif
