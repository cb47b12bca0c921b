/* kafka_statistics.h -- the few numbers of librdkafka's statistics that an operator asks for; the object
 * `kafka` of the sink in status.json. A few seconds old at most; those of a producer begin anew with each.
 *
 * Threads: the sink's own.
 */
#ifndef SLU_SINKS_KAFKA_STATISTICS_H
#define SLU_SINKS_KAFKA_STATISTICS_H

#include "base/slice.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All there is: name, what it says. */
#define SLU_KAFKA_NUMBERS(X)                                            \
    X(producers, "made so far; a new one takes over when one was lost") \
    X(queued, "messages in the producer's queues and under way")        \
    X(queued_bytes, "their size")                                       \
    X(sent, "messages sent by this producer")                           \
    X(sent_bytes, "their size")                                         \
    X(requests, "sent to all brokers")                                  \
    X(retries, "requests sent again")                                   \
    X(errors, "requests that failed")                                   \
    X(rtt_us, "mean round trip of the slowest broker")                  \
    X(throttle_ms, "mean time that the strictest broker holds answers back, because of a quota")

struct slu_kafka_statistics {
#define SLU_KAFKA_NUMBER(name, says) uint64_t name;
    SLU_KAFKA_NUMBERS(SLU_KAFKA_NUMBER)
#undef SLU_KAFKA_NUMBER
};

/* Read librdkafka's statistics (JSON); `producers` stays. False, and nothing changes, when they make no sense
 * or are larger than SLU_KAFKA_STATISTICS_MAX_BYTES. */
#define SLU_KAFKA_STATISTICS_MAX_BYTES (8u << 20)
bool slu_kafka_statistics_read(struct slu_kafka_statistics *statistics, struct slu_slice json);

/* All of them, by name. */
size_t slu_kafka_statistics_show(const struct slu_kafka_statistics *statistics,
                                 struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX]);

#endif
