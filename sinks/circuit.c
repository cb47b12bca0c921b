/* circuit.c -- see circuit.h for its states.
 *
 * A probe that is refused costs one record (it becomes a dead letter like any other, so that one
 * record nobody can take does not hold the sink for ever); the waits double, so a day costs few.
 */
#include "sinks/circuit.h"

#include <string.h>

static void forget(struct slu_circuit *circuit)
{
    circuit->run = 0;
    circuit->next = 0;
    circuit->n_rejects = 0;
    memset(circuit->window, 0, sizeof(circuit->window));
}

void slu_circuit_init(struct slu_circuit *circuit, size_t max_run, int64_t wait_min_ns,
                      int64_t wait_max_ns)
{
    *circuit = (struct slu_circuit){
        .max_run = max_run > 0 ? max_run : SLU_CIRCUIT_RUN,
        .wait_min_ns = wait_min_ns,
        .wait_max_ns = wait_max_ns,
        .wait_ns = wait_min_ns,
    };
}

static void open_until(struct slu_circuit *circuit, int64_t now_mono_ns)
{
    circuit->state = SLU_CIRCUIT_OPEN;
    circuit->probe_mono_ns = now_mono_ns + circuit->wait_ns;
    circuit->wait_ns =
        circuit->wait_ns > circuit->wait_max_ns / 2 ? circuit->wait_max_ns : circuit->wait_ns * 2;
}

/* Put one outcome into the window in place of the oldest. */
static void remember(struct slu_circuit *circuit, bool rejected)
{
    uint64_t *word = &circuit->window[circuit->next / 64];
    const uint64_t bit = UINT64_C(1) << (circuit->next % 64);

    circuit->n_rejects -= (*word & bit) != 0;
    circuit->n_rejects += rejected;
    *word = rejected ? *word | bit : *word & ~bit;
    circuit->next = (circuit->next + 1) % SLU_CIRCUIT_WINDOW;
    circuit->run = rejected ? circuit->run + 1 : 0;
}

bool slu_circuit_note(struct slu_circuit *circuit, bool rejected, int64_t now_mono_ns)
{
    if (circuit->state == SLU_CIRCUIT_OPEN)
        return false; /* left over from before: it changes nothing */
    if (circuit->state == SLU_CIRCUIT_PROBING) {
        if (rejected)
            open_until(circuit, now_mono_ns);
        else
            slu_circuit_close(circuit);
        return rejected;
    }
    remember(circuit, rejected);
    if (circuit->run < circuit->max_run && circuit->n_rejects <= SLU_CIRCUIT_MAX_REJECTS)
        return false;
    open_until(circuit, now_mono_ns);
    return true;
}

size_t slu_circuit_allows(struct slu_circuit *circuit, int64_t now_mono_ns)
{
    if (circuit->state == SLU_CIRCUIT_OPEN && now_mono_ns >= circuit->probe_mono_ns)
        circuit->state = SLU_CIRCUIT_PROBING;
    switch (circuit->state) {
    case SLU_CIRCUIT_OPEN:
        return 0;
    case SLU_CIRCUIT_PROBING:
        return 1;
    default:
        return SIZE_MAX;
    }
}

void slu_circuit_close(struct slu_circuit *circuit)
{
    circuit->state = SLU_CIRCUIT_CLOSED;
    circuit->wait_ns = circuit->wait_min_ns;
    forget(circuit);
}
