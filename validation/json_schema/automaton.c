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

#define MAX_WORK   1000000 /* steps: bounds the time of compiling, some milliseconds */
#define MAX_TABLE  65536   /* cells: rows are named by uint16_t */
#define MAX_STATES 4096
#define MAX_POOL   (1u << 20) /* members of all sets together */

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
    uint32_t n_sets, sets_cap;
    uint32_t *pool;
    uint32_t n_pool, pool_cap;
    uint32_t *index; /* open hash: set + 1; 4 × sets_cap slots */
    uint16_t *table; /* sets × (n_classes + 1), by set number */
    uint32_t *marks; /* by NFA state: generation of the last visit */
    uint32_t generation;
    uint32_t *stack;
    uint64_t work;
};

#define ROOM_FIRST 32u

/* The sets that are always there. */
enum { DEAD_SET, MATCH_SET, FIRST_SET };

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
        building->classes[byte] = (uint8_t) class;
        building->samples[class] = (unsigned char)byte;
    }
    building->n_classes = class + 1;
}

static bool pool_add(struct building *building, uint32_t member)
{
    if (building->n_pool == building->pool_cap) {
        const uint32_t cap = 2 * building->pool_cap;
        uint32_t *pool = cap <= MAX_POOL ? reallocarray(building->pool, cap, sizeof(*pool)) : NULL;
        if (pool == NULL)
            return false;
        building->pool = pool;
        building->pool_cap = cap;
    }
    building->pool[building->n_pool++] = member;
    return true;
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
        if (++building->work > MAX_WORK)
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
            if (!pool_add(building, number))
                return false;
            if (at_end)
                building->stack[depth++] = at->next;
            break;
        case SLU_NFA_MATCH:
            set->matches = true;
            break;
        case SLU_NFA_BYTES:
            if (!pool_add(building, number))
                return false;
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

static uint64_t set_hash(const struct building *building, const struct set *set)
{
    return slu_hash_bytes(set->matches, building->pool + set->at, set->n * sizeof(uint32_t));
}

/* Where the set is in the index, or where it would be. */
static uint32_t *find_slot(const struct building *building, const struct set *set)
{
    const uint32_t mask = 4 * building->sets_cap - 1;
    uint32_t slot = (uint32_t)set_hash(building, set) & mask;
    for (; building->index[slot] != 0; slot = (slot + 1) & mask) {
        const struct set *known = &building->sets[building->index[slot] - 1];
        if (known->n == set->n && known->matches == set->matches &&
            (set->n == 0 || memcmp(building->pool + known->at, building->pool + set->at,
                                   set->n * sizeof(uint32_t)) == 0))
            break;
    }
    return &building->index[slot];
}

/* Room for twice as many sets. */
static bool grow_sets(struct building *building)
{
    const uint32_t cap = building->sets_cap != 0 ? 2 * building->sets_cap : ROOM_FIRST;
    const size_t columns = building->n_classes + 1;
    struct set *sets = reallocarray(building->sets, cap, sizeof(*sets));
    if (sets != NULL)
        building->sets = sets;
    uint16_t *table = reallocarray(building->table, cap * columns, sizeof(*table));
    if (table != NULL)
        building->table = table;
    uint32_t *slots = calloc(4 * (size_t)cap, sizeof(*slots));
    if (sets == NULL || table == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    free(building->index);
    building->index = slots;
    building->sets_cap = cap;
    for (uint32_t i = 0; i < building->n_sets; i++)
        if (i != FIRST_SET)
            *find_slot(building, &building->sets[i]) = i + 1;
    return true;
}

/* The number of the set in the pool's tail, known or new; UINT32_MAX: too many. The first set asked
 * "where the text begins", so no later one may be taken for it: it is not in the index. */
static uint32_t intern(struct building *building, struct set *set, bool at_start)
{
    if (set->matches)
        building->n_pool = set->at; /* all alike: nothing can change it any more */
    set->n = building->n_pool - set->at;
    if (set->n != 0)
        qsort(building->pool + set->at, set->n, sizeof(*building->pool), by_number);

    if (building->n_sets == building->sets_cap && !grow_sets(building))
        return UINT32_MAX;
    uint32_t *slot = at_start ? NULL : find_slot(building, set);
    if (slot != NULL && *slot != 0) {
        building->n_pool = set->at;
        return *slot - 1;
    }
    if (building->n_sets == MAX_STATES ||
        (building->n_sets + 1) * (building->n_classes + 1) > MAX_TABLE ||
        !find_at_end(building, set, at_start))
        return UINT32_MAX;
    set->at_end = set->at_end || set->matches;
    building->sets[building->n_sets++] = *set;
    if (slot != NULL)
        *slot = building->n_sets;
    return building->n_sets - 1;
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

static bool build_sets(struct building *building)
{
    struct set dead = {.at = 0};
    struct set match = {.at = 0, .matches = true};
    struct set first = {.at = 0};
    if (intern(building, &dead, false) != DEAD_SET || intern(building, &match, false) != MATCH_SET)
        return false;
    building->generation++;
    if (!close_over(building, &first, building->nfa->first, true, false) ||
        intern(building, &first, true) != FIRST_SET)
        return false;

    const uint32_t columns = building->n_classes + 1;
    for (uint32_t from = 0; from < building->n_sets; from++) {
        const size_t row = (size_t)from * columns;
        for (uint32_t class = 0; class < building->n_classes; class ++) {
            const uint32_t to =
                from == DEAD_SET ? DEAD_SET : step(building, from, building->samples[class]);
            if (to == UINT32_MAX)
                return false;
            building->table[row + class] = (uint16_t)(to * columns);
        }
        building->table[row + building->n_classes] = building->sets[from].at_end;
    }
    return true;
}

static bool building_init(struct building *building, const struct slu_nfa *nfa)
{
    building->nfa = nfa;
    building->pool_cap = ROOM_FIRST;
    building->pool = calloc(ROOM_FIRST, sizeof(*building->pool));
    building->marks = calloc(nfa->n, sizeof(*building->marks));
    building->stack = malloc((2 * (size_t)nfa->n + 2) * sizeof(*building->stack));
    return building->pool != NULL && building->marks != NULL && building->stack != NULL;
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
    automaton->first = FIRST_SET * columns;
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
