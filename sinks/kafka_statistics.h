/* kafka_statistics.h -- the few numbers of librdkafka's statistics that an operator asks for.
 *
 * Threads: one writes, any may read: each number by itself is whole.
 */
#ifndef SLU_SINKS_KAFKA_STATISTICS_H
#define SLU_SINKS_KAFKA_STATISTICS_H

#include "base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_kafka_numbers {
    uint64_t queued;       /* messages in the producer's queues and under way */
    uint64_t queued_bytes; /* their size */
    uint64_t sent;         /* messages sent by this producer */
    uint64_t sent_bytes;   /* their size */
    uint64_t requests;     /* sent to all brokers */
    uint64_t retries;      /* requests sent again, all brokers */
    uint64_t errors;       /* requests that failed, all brokers */
    uint64_t rtt_us;       /* mean round trip of the slowest broker */
};
#define SLU_KAFKA_NUMBERS 8u

struct slu_kafka_statistics {
    _Atomic uint64_t numbers[SLU_KAFKA_NUMBERS]; /* in the order of the struct above */
};

/* Read librdkafka's statistics (JSON). False, and nothing changes, when they make no sense or are
 * larger than SLU_KAFKA_STATISTICS_MAX_BYTES. */
#define SLU_KAFKA_STATISTICS_MAX_BYTES (8u << 20)
bool slu_kafka_statistics_read(struct slu_kafka_statistics *statistics, struct slu_slice json);

void slu_kafka_statistics_get(const struct slu_kafka_statistics *statistics,
                              struct slu_kafka_numbers *numbers);

#endif
