/* delivery.h -- the loop that takes one sink's records from the spool to the far shore.
 *
 *   read ──▶ push ──▶ settle ──┬ LIVE    rejects to the dead letters (synced), then commit the cursor
 *     ▲                        ├ RESET   push again from safe_seq + 1
 *     └────────────────────────┴ AWAY / PAUSED   back off 100 ms … 30 s, full jitter
 *
 * Every record ends in one of two ways: the far shore has it, or a dead letter has it (dead_letter.h).
 * The cursor passes a record only after that. Where the far side's own place and the cursor differ
 * after a crash, the higher one is right: each moves only when a record has its fate.
 *
 * When too many records are refused the circuit breaker (circuit.h) opens: what was refused up to
 * there is set aside, everything behind waits. It closes by slu_delivery_resume() (a reload), by a new start, or
 * when a single record, tried after 5 min, 10 min … 1 h, is taken.
 *
 * A stop delivers what is spooled at that moment, as long as the far shore answers LIVE; a sink that
 * is away, paused or broken open is not waited for.
 *
 * Threads: one thread a delivery, made by start, joined by join.
 */
#ifndef SLU_SINKS_DELIVERY_H
#define SLU_SINKS_DELIVERY_H

#include "base/err.h"
#include "base/node.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_delivery;
struct slu_spool;

struct slu_delivery_options {
    const char *name; /* of the sink; already known to the spool */
    const char *instance;
    const char *data_dir; /* dead letters go to <data_dir>/dead/<name>/ */
    const struct slu_sink_ops *ops;
    const struct slu_node *section; /* borrowed during start, which copies it */
    size_t batch_records;           /* read and pushed at once; 0: 5,000 */
    int64_t batch_time_ns;          /* wait at most this long for a batch to fill; 0: 200 ms */
    size_t breaker_run;             /* rejects in a row that trip the breaker; 0: 100 */
    int64_t backoff_min_ns, backoff_max_ns; /* 0: 100 ms, 30 s */
    int64_t probe_min_ns, probe_max_ns;     /* waits of an open circuit breaker; 0: 5 min, 1 h */
};

/* The words of status.json. */
enum slu_delivery_state {
    SLU_DELIVERY_CONNECTING,
    SLU_DELIVERY_CONNECTED,
    SLU_DELIVERY_BUFFERING, /* connected and taking, but more than a minute behind */
    SLU_DELIVERY_PAUSED,
    SLU_DELIVERY_DISCONNECTED,
    SLU_DELIVERY_STOPPED,
};
extern const char *const slu_delivery_state_names[6];

/* Open the sink and start its thread. NULL and err when the section is wrong or no thread can be
 * made; a far shore that is down is no error. */
struct slu_delivery *slu_delivery_start(struct slu_spool *spool,
                                        const struct slu_delivery_options *options,
                                        struct slu_err *err);

/* Ask it to stop: deliver what is spooled now, by the deadline, then end. Any thread; returns at once. */
void slu_delivery_stop(struct slu_delivery *delivery, int64_t deadline_mono_ns);

struct slu_delivery_stats {
    enum slu_delivery_state state;
    bool breaker_open;    /* paused by the circuit breaker */
    char last_error[256]; /* "" none since it was last connected */
    size_t n_numbers;     /* of the sink's own, see sink.h; 0 while it is not open */
    struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX];
};

/* Wait for its end until the deadline. True: ended, freed. False: it hangs in the kernel; it is left
 * behind with its memory, and the caller logs that. It may yet wake up in the middle of a call, so
 * the spool must be left behind as well: neither closed nor freed. `last`: how it was at the end; may be
 * NULL. */
bool slu_delivery_join(struct slu_delivery *delivery, int64_t deadline_mono_ns,
                       struct slu_delivery_stats *last);

/* Any thread. */
void slu_delivery_stats(const struct slu_delivery *delivery, struct slu_delivery_stats *stats);

/* A reload leaves this sink as it is: it ends what a stop would end (sink.h: rotate). Any thread; returns at
 * once. */
void slu_delivery_rotate(struct slu_delivery *delivery);

/* A paused delivery tries again now, with a closed circuit breaker. Any thread. */
void slu_delivery_resume(struct slu_delivery *delivery);

#endif
