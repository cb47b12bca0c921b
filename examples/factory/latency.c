/* latency.c -- see latency.h. Two tables of counts, the second takes up where the first ends. */
#include "examples/factory/latency.h"

#include <math.h>
#include <stdlib.h>

#define FINE_US   1000000u /* cells of 1 µs */
#define COARSE_MS 60001u   /* cells of 1 ms, by whole time; the last one takes all that is longer */

struct factory_latency {
    uint64_t n;
    uint32_t fine[FINE_US];
    uint32_t coarse[COARSE_MS];
};

struct factory_latency *factory_latency_new(void)
{
    return calloc(1, sizeof(struct factory_latency));
}

void factory_latency_free(struct factory_latency *latency)
{
    free(latency);
}

void factory_latency_add(struct factory_latency *latency, int64_t ns)
{
    uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 1000;

    latency->n++;
    if (us < FINE_US)
        latency->fine[us]++;
    else
        latency->coarse[us / 1000 < COARSE_MS ? us / 1000 : COARSE_MS - 1]++;
}

uint64_t factory_latency_count(const struct factory_latency *latency)
{
    return latency->n;
}

uint64_t factory_latency_at(const struct factory_latency *latency, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)latency->n), seen = 0;

    if (latency->n == 0)
        return 0;
    if (rank == 0)
        rank = 1;
    for (uint64_t us = 0; us < FINE_US; us++) {
        seen += latency->fine[us];
        if (seen >= rank)
            return us;
    }
    for (uint64_t ms = 0; ms < COARSE_MS; ms++) {
        seen += latency->coarse[ms];
        if (seen >= rank)
            return ms * 1000;
    }
    return (COARSE_MS - 1) * 1000u;
}
