/* kafka_fate.c -- see kafka_fate.h.
 *
 * Not here, because librdkafka retries them by itself and for ever: a moved leader, missing replicas,
 * a full log folder, request timeouts, lost connections.
 */
#include "sinks/kafka_fate.h"

#include <stddef.h>
#include <string.h>

#define CREATE \
    "create the topic (a topic that is there but not to be seen needs the right Describe)"

static const struct {
    const char *error;
    struct slu_kafka_verdict verdict;
} verdicts[] = {
    /* The record itself. */
    {"MSG_SIZE_TOO_LARGE", {SLU_KAFKA_REFUSED, "record.too_large", NULL, false}},
    {"RECORD_LIST_TOO_LARGE", {SLU_KAFKA_REFUSED, "record.too_large", NULL, false}},
    {"INVALID_MSG", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"INVALID_MSG_SIZE", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"INVALID_RECORD", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"INVALID_TIMESTAMP", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"UNSUPPORTED_FOR_MESSAGE_FORMAT", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"POLICY_VIOLATION", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    {"TOPIC_EXCEPTION", {SLU_KAFKA_REFUSED, NULL, NULL, false}},
    /* Somebody has to act. */
    {"UNKNOWN_TOPIC_OR_PART", {SLU_KAFKA_ACT, NULL, CREATE, true}},
    {"_UNKNOWN_TOPIC", {SLU_KAFKA_ACT, NULL, CREATE, true}},
    {"TOPIC_AUTHORIZATION_FAILED",
     {SLU_KAFKA_ACT, NULL, "allow this user the operation Write on the topic", false}},
    {"CLUSTER_AUTHORIZATION_FAILED",
     {SLU_KAFKA_ACT, NULL,
      "allow this user the operation Write on the topic (before Kafka 2.8 also IdempotentWrite "
      "on the cluster)",
      false}},
    {"THROTTLING_QUOTA_EXCEEDED", {SLU_KAFKA_ACT, NULL, "raise this client's quota", false}},
    {"UNSUPPORTED_COMPRESSION_TYPE",
     {SLU_KAFKA_ACT, NULL, "choose another compression.type", false}},
    {"UNSUPPORTED_VERSION",
     {SLU_KAFKA_ACT, NULL, "the brokers are too old for this client", false}},
    {"_UNSUPPORTED_FEATURE",
     {SLU_KAFKA_ACT, NULL, "the brokers are too old for this client", false}},
    {"_AUTHENTICATION", {SLU_KAFKA_ACT, NULL, "check the sasl.* properties", false}},
    {"_SSL",
     {SLU_KAFKA_ACT, NULL, "check the ssl.* properties and the brokers' certificates", false}},
    {"UNKNOWN", {SLU_KAFKA_ACT, NULL, "see the broker's log", false}},
    /* A new producer will do. */
    {"_UNKNOWN_PARTITION", {SLU_KAFKA_AGAIN, NULL, NULL, true}},
    {"OUT_OF_ORDER_SEQUENCE_NUMBER", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"UNKNOWN_PRODUCER_ID", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"INVALID_PRODUCER_EPOCH", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"INVALID_PRODUCER_ID_MAPPING", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"PRODUCER_FENCED", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"_FENCED", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"_INCONSISTENT", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"_MSG_TIMED_OUT", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    {"_STATE", {SLU_KAFKA_AGAIN, NULL, NULL, false}},
    /* Nobody answers. */
    {"_TRANSPORT", {SLU_KAFKA_AWAY, NULL, NULL, false}},
    {"_ALL_BROKERS_DOWN", {SLU_KAFKA_AWAY, NULL, NULL, false}},
    {"_RESOLVE", {SLU_KAFKA_AWAY, NULL, NULL, false}},
    {"_TIMED_OUT", {SLU_KAFKA_AWAY, NULL, NULL, false}},
    /* Follow from something else. */
    {"_GAPLESS_GUARANTEE", {SLU_KAFKA_ECHO, NULL, NULL, false}},
    {"_FATAL", {SLU_KAFKA_ECHO, NULL, NULL, false}},
    {"_PURGE_QUEUE", {SLU_KAFKA_ECHO, NULL, NULL, false}},
    {"_PURGE_INFLIGHT", {SLU_KAFKA_ECHO, NULL, NULL, false}},
    {"_DESTROY", {SLU_KAFKA_ECHO, NULL, NULL, false}},
};

static const struct slu_kafka_verdict unknown = {SLU_KAFKA_ACT, NULL, NULL, false};

const struct slu_kafka_verdict *slu_kafka_fate(const char *error)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(error, verdicts[i].error) == 0)
            return &verdicts[i].verdict;
    }
    return &unknown;
}
