/* latency.h -- every waiting time, counted: to the microsecond below one second, to the millisecond
 * below one minute, longer ones as one minute. So a percentile is one of the times that were measured,
 * not an estimate, and memory does not grow with the messages.
 *
 * Threads: none.
 */
#ifndef FACTORY_LATENCY_H
#define FACTORY_LATENCY_H

#include <stdint.h>

struct factory_latency;

/* NULL: no memory. */
struct factory_latency *factory_latency_new(void);
void factory_latency_free(struct factory_latency *latency);

void factory_latency_add(struct factory_latency *latency, int64_t ns);
uint64_t factory_latency_count(const struct factory_latency *latency);

/* The time (µs) that `share` of all (0 … 1) did not exceed; 0 when there are none. */
uint64_t factory_latency_at(const struct factory_latency *latency, double share);

#endif
