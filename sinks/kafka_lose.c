/* kafka_lose.c -- what a producer tells, and how one is lost; see kafka_inside.h.
 *
 * The first report that says more than "and so did I" is the reason. What follows from it:
 *
 *   REFUSED  one record was: it is set aside. Several were: one record a batch until past them
 *   ACT      PAUSED, and one of the records is kept and tried alone
 *   else     a new producer
 */
#include "sinks/kafka_inside.h"

#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOSING_NS       SLU_NS_PER_S /* for answers to what a lost producer has sent */
#define BATCH_BYTES_MIN 1024u
#define BATCH_BYTES_MAX 1000000u /* librdkafka's own default */

/* ---- what the producer tells ---------------------------------------------------------------------------- */

static void lose(struct slu_kafka *kafka)
{
    if (kafka->is_lost)
        return;
    kafka->is_lost = true;
    kafka->lost_until_ns = slu_clock_mono_ns() + LOSING_NS;
    if (kafka->stage == SLU_KAFKA_RUNNING)
        kafka->stage = SLU_KAFKA_LOSING;
    slu_kafka_client_purge(kafka->client, false);
}

void slu_kafka_keep_trial(struct slu_kafka *kafka, struct slu_kafka_message *copy, uint64_t seq)
{
    free(kafka->trial);
    kafka->trial = copy;
    kafka->trial_seq = seq;
    kafka->trial_is_safe = false;
}

/* The first record of a topic that is not safe: nothing of its key comes before it. Reports do not come
 * in that order. */
static void consider_trial(struct slu_kafka *kafka, const struct slu_kafka_report *report)
{
    const uint64_t seq = slu_kafka_queue_at(&kafka->queue, report->token)->seq;
    const char *topic = kafka->failure.topic;

    if (topic[0] != '\0' && strcmp(report->topic, topic) != 0)
        return;
    if (kafka->trial != NULL && kafka->trial_seq <= seq)
        return;
    struct slu_kafka_message *copy = slu_kafka_report_copy(report);
    if (copy != NULL)
        slu_kafka_keep_trial(kafka, copy, seq);
}

static void describe(struct slu_kafka_failure *failure, const struct slu_kafka_verdict *verdict,
                     const char *error, const char *text, const char *topic)
{
    failure->is_known = true;
    failure->fate = verdict->fate;
    failure->is_vanished = verdict->is_vanished;
    failure->is_access = strstr(error, "_AUTHORIZATION_FAILED") != NULL;
    if (strncmp(error, "CLUSTER_", 8) == 0)
        topic = ""; /* it is not the topic's */
    snprintf(failure->topic, sizeof(failure->topic), "%s", topic);
    snprintf(failure->text, sizeof(failure->text), "%s%.120s%s%.150s (%.60s)%s%.140s",
             topic[0] != '\0' ? "topic " : "", topic, topic[0] != '\0' ? ": " : "", text, error,
             verdict->advice != NULL ? ": " : "", verdict->advice != NULL ? verdict->advice : "");
    if (verdict->code != NULL)
        snprintf(failure->reject.code, sizeof(failure->reject.code), "%s", verdict->code);
    else
        snprintf(failure->reject.code, sizeof(failure->reject.code), "kafka.%.40s", error);
    snprintf(failure->reject.message, sizeof(failure->reject.message),
             "Kafka's topic %.120s refuses it: %.100s", topic, text);
}

/* A record was refused, with all of its batch. */
static void note_refused(struct slu_kafka *kafka, size_t token)
{
    struct slu_kafka_failure *failure = &kafka->failure;
    const struct slu_kafka_entry *entry = slu_kafka_queue_at(&kafka->queue, token);

    failure->n_refused++;
    failure->refused_bytes += entry->wire;
    failure->token = token;
    if (entry->seq > failure->last_seq)
        failure->last_seq = entry->seq;
    if (kafka->single_until != 0 && slu_kafka_queue_reject(&kafka->queue, token, &failure->reject))
        kafka->single_rejects++; /* it was alone in its batch */
}

static void on_trial(struct slu_kafka *kafka, const struct slu_kafka_report *report)
{
    if (report->error == NULL) {
        kafka->trial_is_safe = true;
        return;
    }
    const struct slu_kafka_verdict *verdict = slu_kafka_fate(report->error);
    if (verdict->fate != SLU_KAFKA_ECHO)
        describe(&kafka->failure, verdict, report->error, report->text, report->topic);
    lose(kafka);
}

static void on_failed(struct slu_kafka *kafka, const struct slu_kafka_report *report)
{
    const struct slu_kafka_verdict *verdict = slu_kafka_fate(report->error);
    struct slu_kafka_failure *failure = &kafka->failure;

    if (verdict->fate != SLU_KAFKA_ECHO && !failure->is_known)
        describe(failure, verdict, report->error, report->text, report->topic);
    lose(kafka);
    if (!failure->is_known) {
        failure->is_partial = true;
        return;
    }
    if (failure->fate == SLU_KAFKA_ACT)
        consider_trial(kafka, report);
    if (failure->fate == SLU_KAFKA_REFUSED && verdict->fate == SLU_KAFKA_REFUSED)
        note_refused(kafka, report->token);
}

static void on_report(void *context, const struct slu_kafka_report *report)
{
    struct slu_kafka *kafka = context;

    if (report->token == SLU_KAFKA_TRIAL_TOKEN) {
        on_trial(kafka, report);
    } else if (report->error != NULL) {
        on_failed(kafka, report);
    } else {
        slu_kafka_queue_safe(&kafka->queue, report->token);
        kafka->progress_ns = slu_clock_mono_ns();
        kafka->is_troubled = kafka->reason_is_access = false;
    }
}

static void on_trouble(void *context, const char *error, const char *text, bool is_final)
{
    struct slu_kafka *kafka = context;
    const struct slu_kafka_verdict *verdict = slu_kafka_fate(error);

    if (is_final) {
        if (verdict->fate != SLU_KAFKA_ECHO && !kafka->failure.is_known)
            describe(&kafka->failure, verdict, error, text, "");
        lose(kafka);
        return;
    }
    if (verdict->fate != SLU_KAFKA_AWAY && verdict->fate != SLU_KAFKA_ACT)
        return;
    if (!kafka->is_troubled)
        kafka->trouble_ns = slu_clock_mono_ns();
    /* "all brokers are down" follows the reason and must not cover it. */
    if (!kafka->is_troubled || strcmp(error, "_ALL_BROKERS_DOWN") != 0) {
        kafka->is_act = verdict->fate == SLU_KAFKA_ACT;
        snprintf(kafka->trouble, sizeof(kafka->trouble), "%.180s%s%.100s", text,
                 verdict->advice != NULL ? ": " : "",
                 verdict->advice != NULL ? verdict->advice : "");
    }
    kafka->is_troubled = true;
}

static void on_statistics(void *context, struct slu_slice json)
{
    struct slu_kafka *kafka = context;
    slu_kafka_statistics_read(&kafka->statistics, json);
}

struct slu_kafka_events slu_kafka_events(struct slu_kafka *kafka)
{
    return (struct slu_kafka_events){
        .context = kafka,
        .sink = kafka->env->name,
        .report = on_report,
        .trouble = on_trouble,
        .statistics = on_statistics,
    };
}

/* Something but the record is wrong in the moment of sending it. */
void slu_kafka_fail_sending(struct slu_kafka *kafka, const struct slu_kafka_message *message,
                            uint64_t seq, const char *error, const char *text)
{
    const struct slu_kafka_verdict *verdict = slu_kafka_fate(error);
    if (verdict->fate != SLU_KAFKA_ECHO && !kafka->failure.is_known) {
        describe(&kafka->failure, verdict, error, text, message->topic);
        if (verdict->fate == SLU_KAFKA_ACT && kafka->trial == NULL)
            slu_kafka_keep_trial(kafka, slu_kafka_message_copy(message), seq);
    }
    lose(kafka);
}

/* ---- settle: losing a producer ------------------------------------------------------------------------------ */

int slu_kafka_ms_until(int64_t mono_ns)
{
    const int64_t left = mono_ns - slu_clock_mono_ns();
    if (left <= 0)
        return 0;
    return left / SLU_NS_PER_MS < INT_MAX ? (int)(left / SLU_NS_PER_MS) : INT_MAX;
}

void slu_kafka_drop_client(struct slu_kafka *kafka)
{
    if (!slu_kafka_client_free(kafka->client))
        kafka->failure.is_partial = true;
    kafka->client = NULL;
}

/* A batch was refused. Which of its records is to blame? */
static void begin_singles(struct slu_kafka *kafka)
{
    const struct slu_kafka_failure *failure = &kafka->failure;
    slu_log_sometimes(&kafka->split_rate, SLU_KAFKA_RATE_NS, SLU_LOG_NOTICE,
                      "sink %s: %s: up to %zu records were refused together; they are sent again "
                      "one by one, to find which of them is to blame",
                      kafka->env->name, failure->text, failure->n_refused);
    kafka->single_until = failure->last_seq;
    kafka->single_rejects = 0;
    kafka->single_bytes = failure->refused_bytes;
    kafka->single_is_over = false;
}

/* All that were refused together have a fate. When none was to blame, they were too many. */
void slu_kafka_end_singles(struct slu_kafka *kafka)
{
    if (kafka->single_rejects == 0) {
        size_t bytes = kafka->limits.batch_bytes;
        if (bytes == 0)
            bytes = BATCH_BYTES_MAX;
        if (bytes > kafka->single_bytes)
            bytes = kafka->single_bytes;
        bytes = bytes / 2 > BATCH_BYTES_MIN ? bytes / 2 : BATCH_BYTES_MIN;
        kafka->limits.batch_bytes = bytes;
        slu_log_sometimes(&kafka->shrink_rate, SLU_KAFKA_RATE_NS, SLU_LOG_NOTICE,
                          "sink %s: no record was too large, but their batch was: batches have at "
                          "most %zu bytes from now on (batch.size should be less than the topic's "
                          "max.message.bytes)",
                          kafka->env->name, bytes);
    }
    kafka->single_until = 0;
    kafka->single_is_over = false;
}

/* The producer is gone; what follows from the reason? */
enum slu_sink_answer slu_kafka_conclude(struct slu_kafka *kafka, struct slu_err *err)
{
    struct slu_kafka_failure *failure = &kafka->failure;

    if (failure->is_known && failure->fate == SLU_KAFKA_REFUSED && kafka->single_until == 0) {
        if (failure->n_refused == 1)
            slu_kafka_queue_reject(&kafka->queue, failure->token, &failure->reject);
        else if (failure->n_refused > 1)
            begin_singles(kafka);
    }
    slu_kafka_queue_lose(&kafka->queue);
    if (failure->is_vanished)
        slu_kafka_queue_forget(&kafka->queue);
    kafka->stage = SLU_KAFKA_STARTING;
    if (failure->is_known && failure->fate == SLU_KAFKA_AGAIN)
        slu_log_sometimes(&kafka->again_rate, SLU_KAFKA_RATE_NS, SLU_LOG_NOTICE,
                          "sink %s: %s; a new producer takes over", kafka->env->name,
                          failure->text);
    if (!failure->is_known || failure->fate != SLU_KAFKA_ACT)
        return SLU_SINK_LIVE;
    if (failure->is_partial) /* there may be an earlier one: let them all come again */
        slu_kafka_keep_trial(kafka, NULL, 0);
    if (!failure->is_access || !kafka->reason_is_access)
        snprintf(kafka->reason, sizeof(kafka->reason), "%s", failure->text);
    kafka->reason_is_access = failure->is_access;
    slu_err_set(err, SLU_EDENIED, "%s", kafka->reason);
    return SLU_SINK_PAUSED;
}

/* Wait for the answers that may still come, then end the producer. */
enum slu_sink_answer slu_kafka_lose_step(struct slu_kafka *kafka, int64_t deadline_ns,
                                         struct slu_settlement *settlement, struct slu_err *err)
{
    const int64_t until = deadline_ns < kafka->lost_until_ns ? deadline_ns : kafka->lost_until_ns;
    slu_kafka_client_purge(kafka->client, false);
    do
        slu_kafka_client_poll(kafka->client,
                              slu_kafka_ms_until(until) < 20 ? slu_kafka_ms_until(until) : 20);
    while (slu_kafka_client_waiting(kafka->client) > 0 && slu_clock_mono_ns() < until);
    if (slu_kafka_client_waiting(kafka->client) > 0 && slu_clock_mono_ns() < kafka->lost_until_ns)
        return SLU_SINK_LIVE;
    slu_kafka_drop_client(kafka);
    slu_kafka_queue_settle(&kafka->queue, settlement);
    return slu_kafka_conclude(kafka, err);
}
