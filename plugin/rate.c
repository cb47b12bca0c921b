/* rate.c -- see rate.h. The bucket is kept as one time (a "virtual schedule"): each alert moves it on by
 * the spacing of one token; an alert is refused when that would lie more than a burst ahead of now. */
#include "plugin/rate.h"

#include "base/clock.h"

#define SPACING_NS (SLU_NS_PER_S / SLU_RATE_PER_SECOND)

bool slu_rate_allows(struct slu_rate *rate, int64_t mono_ns)
{
    int64_t start = rate->empty_at_ns > mono_ns ? rate->empty_at_ns : mono_ns;

    if (start + SPACING_NS > mono_ns + SLU_RATE_BURST * SPACING_NS) {
        if (rate->suppressed++ == 0)
            rate->summary_ns = mono_ns + SLU_RATE_SUMMARY_NS;
        return false;
    }
    rate->empty_at_ns = start + SPACING_NS;
    return true;
}

uint64_t slu_rate_summary(struct slu_rate *rate, int64_t mono_ns)
{
    if (rate->suppressed == 0 || mono_ns < rate->summary_ns)
        return 0;
    uint64_t suppressed = rate->suppressed;
    rate->suppressed = 0;
    return suppressed;
}
