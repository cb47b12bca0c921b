/* report.h -- the books of a run: of each kind how many were sent, acknowledged and denied, how long
 * acknowledgements took, and what was lost.
 *
 *   sent = acknowledged + denied + lost + under way       at every moment
 *
 * `lost` can only be messages of QoS 0 that were not on the wire when a connection broke; at QoS 1 and 2
 * the library keeps them and sends them again. At QoS 0 "acknowledged" means: on the wire.
 *
 * Threads: none.
 */
#ifndef FACTORY_REPORT_H
#define FACTORY_REPORT_H

#include "examples/factory/machines.h"

#include <stdint.h>

struct factory_latency;

struct factory_tally {
    uint64_t sent, acknowledged, denied;
};

struct factory_report {
    struct factory_tally kinds[FACTORY_KINDS]; /* at QoS 0 only `sent` is known by kind */
    struct factory_tally all;
    uint64_t lost;
    uint64_t reconnects;             /* wanted by the play or not */
    struct factory_latency *latency; /* publish → PUBACK, or PUBCOMP at QoS 2; empty at QoS 0 */
    int64_t last_settled_ns;         /* monotonic */
    unsigned qos;
};

uint64_t factory_report_under_way(const struct factory_report *report);

/* The tables and the last line `factory sent=… acknowledged=… …` on stdout. */
void factory_report_print(const struct factory_report *report, double seconds);

#endif
