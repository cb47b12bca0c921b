/* ending.h -- end what may take for ever to end, and wait only so long for it.
 *
 * Threads: makes one, detached and with all signals blocked; when the wait is over before it is, it is
 * left to end by itself.
 */
#ifndef SLU_SINKS_ENDING_H
#define SLU_SINKS_ENDING_H

#include <stdbool.h>
#include <stdint.h>

/* Call end(context) in a thread of its own, or in ours when none can be made. True: it has returned.
 * False: it has not within `patience_ns`; `context` is its own until it does. */
bool slu_end_within(void (*end)(void *context), void *context, int64_t patience_ns);

#endif
