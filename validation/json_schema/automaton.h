/* automaton.h -- a pattern as a deterministic automaton over the bytes of UTF-8: one step a byte,
 * whatever the pattern and the text, and no memory but its table.
 *
 *   ^[0-9]+$    classes  0-9 → 1, every other byte → 0
 *               table    state   class 0   class 1   at the end
 *                        dead    dead      dead      no
 *                        match   match     match     yes
 *                        first   dead      second    no
 *                        second  dead      second    yes
 *
 * It answers "does it match anywhere", which is all that JSON Schema asks; so a search is one pass,
 * and it ends early in `dead` (it never will) and `match` (it has).
 *
 * Threads: never changes once built.
 */
#ifndef SLU_JSON_SCHEMA_AUTOMATON_H
#define SLU_JSON_SCHEMA_AUTOMATON_H

#include "base/slice.h"
#include "validation/json_schema/pattern.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_automaton {
    uint8_t classes[256];  /* of bytes that no state tells apart */
    uint32_t n_columns;    /* classes, and one more: does it match if the text ends here? */
    uint32_t first;        /* state: index of its row in the table */
    const uint16_t *table; /* rows 0 (dead) and n_columns (match), then the others */
};

/* NULL: this pattern needs more than an automaton, or too large a one, or memory. Owned by the
 * caller, one block: free(). */
struct slu_automaton *slu_automaton_build(const struct slu_pattern *pattern);

static inline bool slu_automaton_matches(const struct slu_automaton *automaton,
                                         struct slu_slice text)
{
    const uint16_t *table = automaton->table;
    const uint8_t *classes = automaton->classes;
    const size_t match = automaton->n_columns;
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.len;
    size_t state = automaton->first;
    for (; end - at >= 4 && state > match; at += 4) { /* dead and match lead to themselves */
        state = table[state + classes[at[0]]];
        state = table[state + classes[at[1]]];
        state = table[state + classes[at[2]]];
        state = table[state + classes[at[3]]];
    }
    while (at < end && state > match)
        state = table[state + classes[*at++]];
    return table[state + match - 1] != 0;
}

#endif
