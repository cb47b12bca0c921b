/* automaton.c -- see automaton.h. The subset construction.
 *
 *   tree ──nfa.c──▶ states that read a byte range, split, or assert ──here──▶ table
 *
 * A row of the table stands for a set of NFA states. A search may begin anywhere, so every set but
 * the first also holds what a match that begins here could read. Work and size have ceilings: a
 * pattern that would need more is left to PCRE2.
 */
#include "validation/json_schema/automaton.h"

#include "base/hash.h"
#include "validation/json_schema/nfa.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORK   400000 /* steps: bounds the time of compiling, some milliseconds */
#define MAX_TABLE  65536  /* cells: rows are named by uint16_t */
#define MAX_STATES 4096
#define POOL       (1u << 20) /* members of all sets together */

struct set {
    uint32_t at, n; /* in the pool */
    bool matches;   /* has read all that is needed */
    bool at_end;    /* matches if the text ends here */
};

struct building {
    const struct slu_nfa *nfa;
    uint8_t classes[256];
    unsigned char samples[256]; /* a byte of each class */
    uint32_t n_classes;
    struct set *sets;
    uint32_t n_sets;
    uint32_t *pool;
    uint32_t n_pool;
    uint32_t *index; /* open hash: set + 1 */
    uint16_t *table; /* sets × (n_classes + 1), by set number */
    uint32_t *marks; /* by NFA state: generation of the last visit */
    uint32_t generation;
    uint32_t *stack;
    uint64_t work;
};

#define INDEX_SLOTS (4u * MAX_STATES)

static void find_classes(struct building *building)
{
    bool edge[257] = {false};
    for (uint32_t i = 0; i < building->nfa->n; i++) {
        const struct slu_nfa_state *state = &building->nfa->states[i];
        if (state->kind != SLU_NFA_BYTES)
            continue;
        edge[state->first] = true;
        edge[state->last + 1] = true;
    }
    uint32_t class = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        class += byte != 0 && edge[byte];
        building->classes[byte] = (uint8_t)class;
        building->samples[class] = (unsigned char)byte;
    }
    building->n_classes = class + 1;
}

/* Add to the set in the pool's tail what can be reached from `state` without reading. */
static bool close_over(struct building *building, struct set *set, uint32_t state, bool at_start,
                       bool at_end)
{
    uint32_t depth = 0;
    building->stack[depth++] = state;
    while (depth > 0) {
        const uint32_t number = building->stack[--depth];
        const struct slu_nfa_state *at = &building->nfa->states[number];
        if (building->marks[number] == building->generation)
            continue;
        building->marks[number] = building->generation;
        if (++building->work > MAX_WORK || building->n_pool == POOL)
            return false;
        switch (at->kind) {
        case SLU_NFA_SPLIT:
            building->stack[depth++] = at->next;
            building->stack[depth++] = at->other;
            break;
        case SLU_NFA_START:
            if (at_start)
                building->stack[depth++] = at->next;
            break;
        case SLU_NFA_END:
            building->pool[building->n_pool++] = number;
            if (at_end)
                building->stack[depth++] = at->next;
            break;
        case SLU_NFA_MATCH:
            set->matches = true;
            break;
        case SLU_NFA_BYTES:
            building->pool[building->n_pool++] = number;
            break;
        }
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Would it match if the text ended here? Follows the `$` among its members. */
static bool find_at_end(struct building *building, struct set *set, bool at_start)
{
    struct set ended = *set;
    const uint32_t n_pool = building->n_pool;
    bool good = true;
    building->generation++;
    for (uint32_t i = 0; i < set->n && good; i++) {
        const struct slu_nfa_state *state = &building->nfa->states[building->pool[set->at + i]];
        if (state->kind == SLU_NFA_END)
            good = close_over(building, &ended, state->next, at_start, true);
    }
    building->n_pool = n_pool;
    set->at_end = ended.matches;
    return good;
}

/* The number of the set in the pool's tail, known or new; UINT32_MAX: too many. */
static uint32_t intern(struct building *building, struct set *set, bool at_start)
{
    uint32_t *members = building->pool + set->at;
    set->n = building->n_pool - set->at;
    qsort(members, set->n, sizeof(*members), by_number);
    if (set->matches)
        building->n_pool = set->at; /* all alike: nothing can change it any more */
    if (set->matches)
        set->n = 0;

    const uint64_t hash = slu_hash_bytes(set->matches, members, set->n * sizeof(*members));
    uint32_t slot = (uint32_t)hash & (INDEX_SLOTS - 1);
    for (; building->index[slot] != 0; slot = (slot + 1) & (INDEX_SLOTS - 1)) {
        const struct set *known = &building->sets[building->index[slot] - 1];
        if (at_start || known->n != set->n || known->matches != set->matches ||
            memcmp(building->pool + known->at, members, set->n * sizeof(*members)) != 0)
            continue;
        building->n_pool = set->at;
        return building->index[slot] - 1;
    }
    const uint32_t columns = building->n_classes + 1;
    if (building->n_sets == MAX_STATES || (building->n_sets + 1) * columns > MAX_TABLE ||
        !find_at_end(building, set, at_start))
        return UINT32_MAX;
    set->at_end = set->at_end || set->matches;
    building->sets[building->n_sets] = *set;
    /* The first set asked "where the text begins"; no later one may be taken for it. */
    if (!at_start)
        building->index[slot] = building->n_sets + 1;
    return building->n_sets++;
}

/* Where the set goes on a byte of that class. */
static uint32_t step(struct building *building, uint32_t from, unsigned char byte)
{
    struct set next = {.at = building->n_pool};
    const struct set set = building->sets[from];
    if (set.matches)
        return from;
    building->generation++;
    for (uint32_t i = 0; i < set.n; i++) {
        const struct slu_nfa_state *state = &building->nfa->states[building->pool[set.at + i]];
        building->work++;
        if (state->kind == SLU_NFA_BYTES && byte >= state->first && byte <= state->last &&
            !close_over(building, &next, state->next, false, false))
            return UINT32_MAX;
    }
    if (!close_over(building, &next, building->nfa->first, false, false))
        return UINT32_MAX;
    return intern(building, &next, false);
}

/* Sets 0 and 1 are `dead` and `match`, set 2 the first. */
static bool build_sets(struct building *building)
{
    struct set dead = {.at = 0};
    struct set match = {.at = 0, .matches = true};
    struct set first = {.at = 0};
    if (intern(building, &dead, false) != 0 || intern(building, &match, false) != 1)
        return false;
    building->generation++;
    if (!close_over(building, &first, building->nfa->first, true, false) ||
        intern(building, &first, true) != 2)
        return false;

    const uint32_t columns = building->n_classes + 1;
    for (uint32_t from = 0; from < building->n_sets; from++) {
        uint16_t *row = building->table + (size_t)from * columns;
        for (uint32_t class = 0; class < building->n_classes; class++) {
            const uint32_t to =
                from == 0 ? 0 : step(building, from, building->samples[class]);
            if (to == UINT32_MAX)
                return false;
            row[class] = (uint16_t)(to * columns);
        }
        row[building->n_classes] = building->sets[from].at_end;
    }
    return true;
}

static bool building_init(struct building *building, const struct slu_nfa *nfa)
{
    building->nfa = nfa;
    building->sets = calloc(MAX_STATES, sizeof(*building->sets));
    building->pool = malloc(POOL * sizeof(*building->pool));
    building->index = calloc(INDEX_SLOTS, sizeof(*building->index));
    building->table = malloc(MAX_TABLE * sizeof(*building->table));
    building->marks = calloc(nfa->n, sizeof(*building->marks));
    building->stack = malloc((2 * (size_t)nfa->n + 2) * sizeof(*building->stack));
    return building->sets != NULL && building->pool != NULL && building->index != NULL &&
           building->table != NULL && building->marks != NULL && building->stack != NULL;
}

static void building_fini(struct building *building)
{
    free(building->sets);
    free(building->pool);
    free(building->index);
    free(building->table);
    free(building->marks);
    free(building->stack);
}

static struct slu_automaton *take_over(const struct building *building)
{
    const uint32_t columns = building->n_classes + 1;
    const size_t cells = (size_t)building->n_sets * columns;
    struct slu_automaton *automaton = malloc(sizeof(*automaton) + cells * sizeof(uint16_t));
    if (automaton == NULL)
        return NULL;
    uint16_t *table = (uint16_t *)(automaton + 1);
    memcpy(table, building->table, cells * sizeof(*table));
    memcpy(automaton->classes, building->classes, sizeof(automaton->classes));
    automaton->n_columns = columns;
    automaton->first = 2 * columns;
    automaton->table = table;
    return automaton;
}

struct slu_automaton *slu_automaton_build(const struct slu_pattern *pattern)
{
    struct slu_nfa nfa;
    struct slu_automaton *automaton = NULL;
    if (slu_nfa_build(&nfa, pattern)) {
        struct building building = {0};
        if (building_init(&building, &nfa)) {
            find_classes(&building);
            if (build_sets(&building))
                automaton = take_over(&building);
        }
        building_fini(&building);
    }
    slu_nfa_fini(&nfa);
    return automaton;
}
