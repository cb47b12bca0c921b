/* kafka.h -- the `kafka` sink: each record at least once, in order per key.
 *
 *   push    record ──template──▶ topic, key, headers ──▶ producer (idempotent, acks=all, pipelined)
 *   settle  delivery reports ──▶ up to which seq without a gap? = safe_seq
 *
 *   seq     617  618  619  620  621
 *           ✓    ✓    …    ✓    …           ✓ reported as safe, … under way
 *                ▲ safe_seq = 618
 *
 * Order. A producer lives until its first failed report; then nothing more is sent by it
 * (`enable.gapless.guarantee` makes librdkafka stop in the same moment), and a new one takes over
 * behind safe_seq. What is known to be safe beyond safe_seq is not sent again, so a record is doubled
 * only when a producer was lost before it could tell; both have the same `sluice.id`.
 *
 * A refused record. The broker refuses a batch as a whole and does not say which record it was. Then
 * what was in it is sent again, one record a batch: one that is refused alone becomes a dead letter.
 * When none is, the batch itself was too large, and batches are made smaller from then on.
 *
 * Somebody has to act (topic missing, no permission, quota): the data stays where it is. One record that
 * was refused is kept and tried alone after each backoff, until it is taken; then everything goes on.
 *
 * Options: see kafka_options.h. What librdkafka's errors mean: kafka_fate.c.
 */
#ifndef SLU_SINKS_KAFKA_H
#define SLU_SINKS_KAFKA_H

#include "sinks/sink.h"

extern const struct slu_sink_ops slu_sink_kafka;

#endif
