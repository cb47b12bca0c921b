/* nfa.c -- see nfa.h. Built from the end: each part is made in front of what follows it.
 *
 * A range of code points is cut where the number of bytes changes and where the bytes behind the
 * first stop running through all their values, so that each piece is a sequence of byte ranges. The
 * text is known to be UTF-8, so what cannot occur (overlong forms, surrogates, beyond U+10FFFF) is let
 * in wherever that makes fewer pieces: U+0080–U+FFFF is C0–DF 80–BF and E0–EF 80–BF 80–BF.
 */
#include "validation/json_schema/nfa.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STATES 16384
#define MAX_WORK   65536 /* tree nodes looked at, copies included */

static uint32_t add(struct slu_nfa *nfa, struct slu_nfa_state state)
{
    if (nfa->n == nfa->cap) {
        const uint32_t cap = nfa->cap != 0 ? nfa->cap * 2 : 64;
        struct slu_nfa_state *states =
            cap <= MAX_STATES ? realloc(nfa->states, cap * sizeof(*states)) : NULL;
        if (states == NULL) {
            nfa->failed = true;
            return 0;
        }
        nfa->states = states;
        nfa->cap = cap;
    }
    nfa->states[nfa->n] = state;
    return nfa->n++;
}

static uint32_t add_bytes(struct slu_nfa *nfa, unsigned first, unsigned last, uint32_t next)
{
    /* The same tail was often made just before: 80–BF in front of the same state. */
    for (uint32_t i = nfa->n; i > 0 && i + 4 > nfa->n; i--) {
        const struct slu_nfa_state *known = &nfa->states[i - 1];
        if (known->kind == SLU_NFA_BYTES && known->first == first && known->last == last &&
            known->next == next)
            return i - 1;
    }
    return add(nfa, (struct slu_nfa_state){SLU_NFA_BYTES, (uint8_t)first, (uint8_t)last, next, 0});
}

static uint32_t add_split(struct slu_nfa *nfa, uint32_t next, uint32_t other)
{
    return add(nfa, (struct slu_nfa_state){SLU_NFA_SPLIT, 0, 0, next, other});
}

/* The `n` bytes of `bits`, which may be more or less than a character of n bytes has. */
static void encode(uint32_t bits, unsigned n, unsigned char out[4])
{
    static const unsigned char leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (unsigned i = n - 1; i > 0; i--, bits >>= 6)
        out[i] = (unsigned char)(0x80 | (bits & 0x3F));
    out[0] = (unsigned char)(leads[n] | bits);
}

/* States for first … last, all of `n` bytes, in front of `next`, beside those of `beside`
 * (UINT32_MAX: none). */
static uint32_t add_sequences(struct slu_nfa *nfa, unsigned n, uint32_t first, uint32_t last,
                              uint32_t next, uint32_t beside)
{
    for (unsigned i = 1; i < n; i++) {
        const uint32_t tail = (UINT32_C(1) << 6 * i) - 1;
        if ((first & ~tail) == (last & ~tail))
            break;
        if ((first & tail) != 0) {
            beside = add_sequences(nfa, n, first, first | tail, next, beside);
            return add_sequences(nfa, n, (first | tail) + 1, last, next, beside);
        }
        if ((last & tail) != tail) {
            beside = add_sequences(nfa, n, first, (last & ~tail) - 1, next, beside);
            return add_sequences(nfa, n, last & ~tail, last, next, beside);
        }
    }
    unsigned char low[4], high[4];
    encode(first, n, low);
    encode(last, n, high);
    uint32_t state = next;
    for (unsigned i = n; i-- > 0;)
        state = add_bytes(nfa, low[i], high[i], state);
    return beside != UINT32_MAX ? add_split(nfa, state, beside) : state;
}

static uint32_t add_range(struct slu_nfa *nfa, uint32_t first, uint32_t last, uint32_t next,
                          uint32_t beside)
{
    static const struct {
        uint32_t first, last; /* code points of so many bytes */
        uint32_t most;        /* bits that so many bytes can hold */
    } lengths[] = {
        {0, 0, 0},
        {0, 0x7F, 0x7F},
        {0x80, 0x7FF, 0x7FF},
        {0x800, 0xFFFF, 0xFFFF},
        {0x10000, SLU_PATTERN_LAST, 0x1FFFFF},
    };
    for (unsigned n = 1; n <= 4; n++) {
        if (last < lengths[n].first || first > lengths[n].last)
            continue;
        const uint32_t low = first <= lengths[n].first ? 0 : first;
        const uint32_t high = last >= lengths[n].last ? lengths[n].most : last;
        beside = add_sequences(nfa, n, low, high, next, beside);
    }
    return beside;
}

static uint32_t build(struct slu_nfa *nfa, const struct slu_pattern *pattern, uint32_t next);

static uint32_t build_set(struct slu_nfa *nfa, const struct slu_pattern *set, uint32_t next)
{
    if (set->properties != NULL) {
        nfa->failed = true;
        return 0;
    }
    if (set->n_ranges == 0) /* reads no byte: first is behind last */
        return add(nfa, (struct slu_nfa_state){SLU_NFA_BYTES, 1, 0, next, 0});
    uint32_t state = UINT32_MAX;
    for (size_t i = 0; i < set->n_ranges && !nfa->failed; i++) {
        const uint32_t first = set->ranges[i].first;
        /* Over the gap of the surrogates, which the text does not have. */
        if (set->ranges[i].last == 0xD7FF && i + 1 < set->n_ranges &&
            set->ranges[i + 1].first == 0xE000)
            i++;
        state = add_range(nfa, first, set->ranges[i].last, next, state);
    }
    return state;
}

static uint32_t build_sequence(struct slu_nfa *nfa, const struct slu_pattern *sequence,
                               uint32_t next)
{
    size_t n = 0;
    for (const struct slu_pattern *child = sequence->child; child != NULL; child = child->next)
        n++;
    if (n == 0)
        return next;
    const struct slu_pattern **children = malloc(n * sizeof(*children));
    if (children == NULL) {
        nfa->failed = true;
        return 0;
    }
    n = 0;
    for (const struct slu_pattern *child = sequence->child; child != NULL; child = child->next)
        children[n++] = child;
    while (n-- > 0 && !nfa->failed)
        next = build(nfa, children[n], next);
    free(children);
    return next;
}

static uint32_t build_choice(struct slu_nfa *nfa, const struct slu_pattern *choice, uint32_t next)
{
    uint32_t state = UINT32_MAX;
    for (const struct slu_pattern *child = choice->child; child != NULL && !nfa->failed;
         child = child->next) {
        const uint32_t branch = build(nfa, child, next);
        state = state == UINT32_MAX ? branch : add_split(nfa, branch, state);
    }
    return state;
}

static uint32_t build_repeat(struct slu_nfa *nfa, const struct slu_pattern *repeat, uint32_t next)
{
    const bool infinite = repeat->max == SLU_PATTERN_INFINITE;
    uint32_t state = next;
    if (infinite) {
        state = add_split(nfa, next, next);
        if (nfa->failed)
            return 0;
        const uint32_t body = build(nfa, repeat->child, state);
        if (nfa->failed)
            return 0;
        nfa->states[state].next = body;
    }
    for (uint32_t i = repeat->min; !infinite && i < repeat->max && !nfa->failed; i++) {
        const uint32_t body = build(nfa, repeat->child, state);
        state = add_split(nfa, body, next);
    }
    for (uint32_t i = 0; i < repeat->min && !nfa->failed; i++)
        state = build(nfa, repeat->child, state);
    return state;
}

/* The states of `pattern` in front of `next`; recursive as deep as its parentheses. */
static uint32_t build(struct slu_nfa *nfa, const struct slu_pattern *pattern, uint32_t next)
{
    if (++nfa->work > MAX_WORK)
        nfa->failed = true;
    if (nfa->failed)
        return 0;
    switch (pattern->kind) {
    case SLU_PATTERN_SET:
        return build_set(nfa, pattern, next);
    case SLU_PATTERN_SEQUENCE:
        return build_sequence(nfa, pattern, next);
    case SLU_PATTERN_CHOICE:
        return build_choice(nfa, pattern, next);
    case SLU_PATTERN_REPEAT:
        return build_repeat(nfa, pattern, next);
    case SLU_PATTERN_GROUP:
        return build(nfa, pattern->child, next);
    case SLU_PATTERN_START:
        return add(nfa, (struct slu_nfa_state){SLU_NFA_START, 0, 0, next, 0});
    case SLU_PATTERN_END:
        return add(nfa, (struct slu_nfa_state){SLU_NFA_END, 0, 0, next, 0});
    case SLU_PATTERN_BOUNDARY:
    case SLU_PATTERN_BACKREF:
    case SLU_PATTERN_LOOK:
        break;
    }
    nfa->failed = true;
    return 0;
}

bool slu_nfa_build(struct slu_nfa *nfa, const struct slu_pattern *pattern)
{
    *nfa = (struct slu_nfa){0};
    const uint32_t match = add(nfa, (struct slu_nfa_state){SLU_NFA_MATCH, 0, 0, 0, 0});
    nfa->first = build(nfa, pattern, match);
    return !nfa->failed;
}

void slu_nfa_fini(struct slu_nfa *nfa)
{
    free(nfa->states);
}
