/* nfa.h -- a pattern's tree as a non-deterministic automaton over bytes; the way to automaton.c. */
#ifndef SLU_JSON_SCHEMA_NFA_H
#define SLU_JSON_SCHEMA_NFA_H

#include "validation/json_schema/pattern.h"

enum slu_nfa_kind {
    SLU_NFA_BYTES, /* reads one byte, first … last */
    SLU_NFA_SPLIT, /* goes on at next and at other */
    SLU_NFA_START, /* goes on where the text begins */
    SLU_NFA_END,   /* goes on where it ends */
    SLU_NFA_MATCH,
};

struct slu_nfa_state {
    uint8_t kind; /* enum slu_nfa_kind */
    uint8_t first, last;
    uint32_t next, other;
};

struct slu_nfa {
    struct slu_nfa_state *states; /* owned */
    uint32_t n, cap;
    uint32_t first;
    uint32_t work;
    bool failed; /* needs more than this, or too many states, or memory */
};

/* False: it cannot be. Call slu_nfa_fini() in any case. */
bool slu_nfa_build(struct slu_nfa *nfa, const struct slu_pattern *pattern);
void slu_nfa_fini(struct slu_nfa *nfa);

#endif
