/* circuit.h -- the circuit breaker: when so many records are refused in a row that it is no longer
 * the records' fault, stop setting them aside and ask somebody to look.
 *
 *            100 rejects in a row, or more than 500 among the last 10,000
 *   CLOSED ────────────────────────────────────────────────────────────────▶ OPEN
 *     ▲  ▲                                                       a while later │ ▲ refused: twice
 *     │  └────────────────── it passed ────────────────────── PROBING ◀────────┘ │ as long a while
 *     └── slu_circuit_close(): a person says "try again"         └───────────────┘
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_CIRCUIT_H
#define SLU_SINKS_CIRCUIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_CIRCUIT_RUN         100u   /* rejects in a row that trip it */
#define SLU_CIRCUIT_WINDOW      10000u /* outcomes remembered */
#define SLU_CIRCUIT_MAX_REJECTS 500u   /* of them; one more trips it: 5 % */

enum slu_circuit_state { SLU_CIRCUIT_CLOSED, SLU_CIRCUIT_OPEN, SLU_CIRCUIT_PROBING };

struct slu_circuit {
    enum slu_circuit_state state;
    size_t max_run;                            /* rejects in a row that trip it */
    int64_t wait_min_ns, wait_max_ns, wait_ns; /* until the next probe */
    int64_t probe_mono_ns;                     /* when open: a record may be tried from here on */
    size_t run;                                /* rejects in a row up to now */
    size_t next, n_rejects;                    /* the window's place and sum */
    uint64_t window[(SLU_CIRCUIT_WINDOW + 63) / 64]; /* one bit an outcome; 1: rejected */
};

/* `max_run` 0: SLU_CIRCUIT_RUN. The first probe is made `wait_min_ns` after the circuit tripped. */
void slu_circuit_init(struct slu_circuit *circuit, size_t max_run, int64_t wait_min_ns,
                      int64_t wait_max_ns);

/* One record has its fate. True when it opened the circuit: tripped it, or failed as the probe. */
bool slu_circuit_note(struct slu_circuit *circuit, bool rejected, int64_t now_mono_ns);

/* How many records may be under way now: SIZE_MAX closed, 0 open, 1 probing (an open circuit whose
 * time has come starts probing). */
size_t slu_circuit_allows(struct slu_circuit *circuit, int64_t now_mono_ns);

/* Close it and forget all outcomes. */
void slu_circuit_close(struct slu_circuit *circuit);

#endif
