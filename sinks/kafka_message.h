/* kafka_message.h -- a record as a message for Kafka: topic, key, value, headers, timestamp.
 *
 *   sluice.id sluice.policy sluice.schema            headers: ids
 *   sluice.quality sluice.kind mqtt.topic mqtt.client_id mqtt.qos mqtt.retain mqtt.content_type
 *   mqtt.user.<name> traceparent tracestate          headers: all
 *
 * All of them are text; what a record does not have is left out. The user properties traceparent and
 * tracestate (W3C Trace Context) keep their names. The timestamp is the event time in milliseconds;
 * Kafka cannot say "before 1970": those become 1.
 *
 * Threads: a maker belongs to one thread.
 */
#ifndef SLU_SINKS_KAFKA_MESSAGE_H
#define SLU_SINKS_KAFKA_MESSAGE_H

#include "base/buf.h"
#include "sinks/kafka_options.h"
#include "sinks/policies.h"
#include "sinks/sink.h"

#include <stddef.h>
#include <stdint.h>

struct slu_kafka_header {
    struct slu_slice name, value;
};

struct slu_kafka_message {
    const char *topic;
    struct slu_slice key; /* data NULL: none */
    struct slu_slice value;
    const struct slu_kafka_header *headers;
    size_t n_headers;
    int64_t timestamp_ms;
};

struct slu_payload_reader;

struct slu_kafka_maker {
    const struct slu_kafka_options *options;
    const struct slu_sink_env *env;
    const struct slu_sink_policies *policies;
    bool has_levels; /* a template names a {level} */

    /* scratch */
    uint16_t policy_number; /* of the record before; `policy` is its */
    bool has_policy;
    const struct slu_sink_policy *policy;
    struct slu_buf topic, key, value, names;
    struct slu_kafka_header *headers; /* owned */
    size_t headers_cap;
    char id[40], quality[4], qos[4];
    struct slu_payload_reader *reader; /* NULL until a template looks into a payload */
    struct slu_arena pointers;
    struct slu_kafka_pointer *first_pointer;
};

enum slu_kafka_made { SLU_KAFKA_MADE, SLU_KAFKA_UNFIT, SLU_KAFKA_NO_MEMORY };

/* `options`, `policies` and `env` must outlive it. */
void slu_kafka_maker_init(struct slu_kafka_maker *maker, const struct slu_kafka_options *options,
                          const struct slu_sink_policies *policies, const struct slu_sink_env *env);
void slu_kafka_maker_fini(struct slu_kafka_maker *maker);

/* Make the message of a record. It borrows from record and maker, until the next call. UNFIT: the
 * record can never become one; `reject` says why. */
enum slu_kafka_made slu_kafka_message_make(struct slu_kafka_maker *maker,
                                           const struct slu_record *record,
                                           struct slu_kafka_message *message,
                                           struct slu_sink_reject *reject);

/* Its own bytes: key, value, headers; and what it costs a producer's memory, about. */
size_t slu_kafka_message_bytes(const struct slu_kafka_message *message);
size_t slu_kafka_message_memory(const struct slu_kafka_message *message);

/* A copy in one piece of memory, for free(); NULL: none. */
struct slu_kafka_message *slu_kafka_message_copy(const struct slu_kafka_message *message);

#endif
