/* kafka_options.h -- the section of a kafka sink, read.
 *
 * Options: brokers, topic, key, value, headers, properties. Those of `value: avro` are typed.h's.
 *
 * Threads: never change once they are read.
 */
#ifndef SLU_SINKS_KAFKA_OPTIONS_H
#define SLU_SINKS_KAFKA_OPTIONS_H

#include "base/arena.h"
#include "base/node.h"
#include "base/problems.h"
#include "base/template.h"

#include <stdbool.h>
#include <stddef.h>

enum slu_kafka_value { SLU_KAFKA_PAYLOAD, SLU_KAFKA_ENVELOPE, SLU_KAFKA_AVRO };

/* none: no headers. ids: sluice.id, sluice.policy, sluice.schema. all: those and where the message came from. */
enum slu_kafka_headers { SLU_KAFKA_HEADERS_NONE, SLU_KAFKA_HEADERS_IDS, SLU_KAFKA_HEADERS_ALL };

struct slu_kafka_property {
    const char *name, *value;
    bool is_secret;              /* never show the value */
    const struct slu_node *node; /* its place; borrowed from the section */
};

struct slu_kafka_options {
    const char *brokers; /* "host:port,…" */
    const struct slu_template *topic;
    const struct slu_template *key; /* NULL: records have no key */
    enum slu_kafka_value value;
    enum slu_kafka_headers headers;
    const struct slu_kafka_property *properties;
    size_t n_properties;
    bool is_sound; /* the section had no errors */
};

/* Read a section; texts live in `arena`. What is wrong goes to `problems`. Returns 0, or -1 when there
 * were errors. Whether librdkafka knows a property is for kafka.c to say. */
int slu_kafka_options_read(const struct slu_node *section, struct slu_arena *arena,
                           struct slu_kafka_options *options, struct slu_problems *problems);

/* The value of a property; NULL: not set. Values may be secret. */
const char *slu_kafka_options_property(const struct slu_kafka_options *options, const char *name);

/* Why a property of librdkafka may not be set; NULL: it may. */
const char *slu_kafka_options_refusal(const char *name, const char *value);

/* What we set ourselves; the last row has no name. */
struct slu_kafka_own {
    const char *name, *value;
};
extern const struct slu_kafka_own
    slu_kafka_defaults[];                            /* the section's properties may change them */
extern const struct slu_kafka_own slu_kafka_fixed[]; /* may not be set otherwise */

#define SLU_KAFKA_TOPIC_MAX 249u /* bytes of a topic's name; Kafka's own limit */

#endif
