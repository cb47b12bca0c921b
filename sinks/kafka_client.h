/* kafka_client.h -- one producer, without librdkafka's types: what kafka.c makes of it.
 *
 * It is idempotent, waits for all replicas, never gives a message up by itself and stops for good at
 * its first error that is final (`enable.gapless.guarantee`). What happens is told in slu_kafka_poll(),
 * in the caller's thread.
 *
 * Threads: one at a time. librdkafka's own threads are not seen outside.
 */
#ifndef SLU_SINKS_KAFKA_CLIENT_H
#define SLU_SINKS_KAFKA_CLIENT_H

#include "base/err.h"
#include "base/slice.h"
#include "sinks/kafka_message.h"
#include "sinks/kafka_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fate of a message. Borrowed for the call. */
struct slu_kafka_report {
    size_t token;
    const char *error; /* librdkafka's name of it; NULL: the message is safe over there */
    const char *text;  /* the error for people */
    const char *topic;
    const void *handle; /* for slu_kafka_report_copy() */
};

/* Called from slu_kafka_poll() only. Errors are named as in kafka_fate.h. */
struct slu_kafka_events {
    void *context;
    const char *sink; /* for log lines */
    void (*report)(void *context, const struct slu_kafka_report *report);
    /* Something is wrong, not with one message. `is_final`: this producer sends nothing any more. */
    void (*trouble)(void *context, const char *error, const char *text, bool is_final);
    void (*statistics)(void *context, struct slu_slice json);
};

/* Narrower than the properties say; 0: no narrower. */
struct slu_kafka_limits {
    size_t batch_bytes, batch_records;
};

struct slu_kafka_client;

/* Make a producer; does not wait for the network. `events` is copied, `options` is borrowed for the
 * call. NULL and err when librdkafka does not take the options. */
struct slu_kafka_client *slu_kafka_client_new(const struct slu_kafka_options *options,
                                              struct slu_kafka_limits limits,
                                              const struct slu_kafka_events *events,
                                              struct slu_err *err);

/* Hold the properties against librdkafka, certificates and keys included; no network. What is wrong goes to
 * `problems`. Options that were read with errors are looked at as far as that makes sense. */
void slu_kafka_client_check(const struct slu_kafka_options *options, struct slu_problems *problems);

/* Hand a message over; its bytes are copied. Returns NULL, or the name of the error ("_QUEUE_FULL":
 * later) with `*text` for people. */
const char *slu_kafka_client_send(struct slu_kafka_client *client,
                                  const struct slu_kafka_message *message, size_t token,
                                  const char **text);

/* Serve events; wait up to `timeout_ms` for the first. */
void slu_kafka_client_poll(struct slu_kafka_client *client, int timeout_ms);

/* Wait for what is under way, without lingering for more to send along. */
void slu_kafka_client_flush(struct slu_kafka_client *client, int timeout_ms);

/* Messages whose report has not been served. */
size_t slu_kafka_client_waiting(const struct slu_kafka_client *client);

/* Give up what is not sent yet, with `under_way` also what is. The reports come by poll. */
void slu_kafka_client_purge(struct slu_kafka_client *client, bool under_way);

/* What a look at the cluster shows. */
struct slu_kafka_sight {
    char broker[256]; /* that answered */
    int n_brokers;
    bool has_topic; /* there, and to be seen by this user */
    int n_partitions, n_leaderless;
};

/* Look at the cluster and a topic (NULL: none), without making it. Returns 0, or -1 and err. */
int slu_kafka_client_look(struct slu_kafka_client *client, const char *topic, int timeout_ms,
                          struct slu_kafka_sight *sight, struct slu_err *err);

/* End it; serves the last reports. False: some messages got none. Waits at most about a second; librdkafka's threads that
 * hang longer (in a name server's silence) are left to end by themselves. NULL is fine (true). */
bool slu_kafka_client_free(struct slu_kafka_client *client);

/* The message of a report, copied; for free(). NULL: no memory. */
struct slu_kafka_message *slu_kafka_report_copy(const struct slu_kafka_report *report);

/* NULL, or a sentence about the librdkafka in use that the operator should read. */
const char *slu_kafka_client_caution(void);

#endif
