/* rate.h -- how many alerts a policy may publish: a token bucket, and what it held back.
 *
 * 100 alerts a second, bursts of 200; what is suppressed is counted and told in one summary alert
 * each 10 s. Time is handed in, so tests own it.
 */
#ifndef SLU_PLUGIN_RATE_H
#define SLU_PLUGIN_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define SLU_RATE_PER_SECOND 100
#define SLU_RATE_BURST      200
#define SLU_RATE_SUMMARY_NS INT64_C(10000000000)

/* Zero-initialised: full. */
struct slu_rate {
    int64_t
        empty_at_ns; /* monotonic: the bucket would be full again SLU_RATE_BURST tokens after it */
    uint64_t suppressed; /* since the last summary */
    int64_t summary_ns;  /* not before this */
};

/* May one more alert go? Counts it as suppressed otherwise. */
bool slu_rate_allows(struct slu_rate *rate, int64_t mono_ns);

/* Is a summary due? Then returns how many were suppressed and starts counting anew; else 0. */
uint64_t slu_rate_summary(struct slu_rate *rate, int64_t mono_ns);

#endif
