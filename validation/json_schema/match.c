/* match.c -- type, const, enum: is it one of these?
 *
 * A set of values lies where the schema's document has it. Up to LINEAR values are compared one after
 * the other; more go through an open hash table of twice as many slots, made at load. The usual ones,
 * a few short strings or whole numbers, are kept as words as well and compared without a branch: which
 * of them comes is nothing that a processor can foresee.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/equal.h"
#include "validation/json_schema/run.h"

#define LINEAR 8

struct value_set {
    size_t n;
    const struct slu_value **values;
    ptrdiff_t to_raw;
    struct slu_slice *strings; /* their texts when all are strings, else NULL */
    struct word {
        uint64_t bits;  /* slu_bytes_word(), or the number */
        uint64_t shape; /* kind and length, or the number's variant */
    } * words;          /* at most LINEAR short strings or whole numbers, else NULL */
    uint32_t *slots;    /* value's number + 1; 0: free. NULL: linear */
    size_t mask;
};

static const struct {
    const char *name;
    uint32_t variants;
} types[] = {
    {"null", SLU_VARIANTS(SLU_VALUE_NULL)},
    {"boolean", SLU_VARIANTS(SLU_VALUE_BOOL)},
    {"integer", SLU_VARIANTS_INTEGER},
    {"number", SLU_VARIANTS(SLU_VALUE_NUMBER) | SLU_VARIANTS(SLU_VALUE_BIG)},
    {"string", SLU_VARIANTS(SLU_VALUE_STRING)},
    {"array", SLU_VARIANTS(SLU_VALUE_ARRAY)},
    {"object", SLU_VARIANTS(SLU_VALUE_OBJECT)},
};

static uint32_t type_variants(struct slu_build *build, const struct slu_value *name)
{
    if (slu_value_kind(name) == SLU_VALUE_STRING) {
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            if (slu_slice_equal(slu_value_text(name), slu_slice_of(types[i].name)))
                return types[i].variants;
    }
    slu_compile_error(build->compile, name,
                      "type takes null, boolean, integer, number, string, array or object");
    return 0;
}

void slu_keyword_type_compile(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value)
{
    uint32_t variants = 0;
    (void)row;
    if (slu_value_kind(value) != SLU_VALUE_ARRAY) {
        variants = type_variants(build, value);
    } else {
        const struct slu_value *name = slu_value_first(value);
        for (size_t i = 0; i < slu_value_len(value); i++, name = slu_value_next(name)) {
            const uint32_t more = type_variants(build, name);
            if (more != 0 && (variants & more) == more && more != SLU_VARIANTS_INTEGER)
                slu_compile_error(build->compile, name, "type names this one twice");
            variants |= more;
        }
        if (slu_value_len(value) == 0)
            slu_compile_error(build->compile, value, "type takes at least one name");
    }
    build->node->types = variants;
    build->node->integer = (variants & SLU_VARIANTS_INTEGER) != 0;
    build->node->as_written = build->dialect.draft == SLU_DRAFT_4;
    build->node->raw_type = slu_compile_raw(build->compile, value);
}

static bool fill_slots(struct slu_compile *compile, struct value_set *set)
{
    size_t slots = 16;
    while (slots < 2 * set->n)
        slots *= 2;
    set->slots = slu_compile_alloc(compile, slots, sizeof(*set->slots));
    if (set->slots == NULL)
        return false;
    set->mask = slots - 1;
    for (size_t i = 0; i < set->n; i++) {
        size_t work = 0;
        size_t at = slu_value_hash(set->values[i], &work) & set->mask;
        while (set->slots[at] != 0)
            at = (at + 1) & set->mask;
        set->slots[at] = (uint32_t)i + 1;
    }
    return true;
}

/* Can the value be a word? Minus zero is left out: it equals zero. */
static bool is_word(const struct slu_value *value)
{
    if (slu_value_kind(value) == SLU_VALUE_STRING)
        return slu_value_len(value) <= 8;
    return slu_value_variant(value) == SLU_VALUE_UINT ||
           (slu_value_variant(value) == SLU_VALUE_SINT && value->u64 != 0);
}

static inline struct word word_of(const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_STRING)
        return (struct word){value->u64, slu_value_variant(value)};
    const size_t len = slu_value_len(value);
    return (struct word){slu_bytes_word(value->text, len), (uint64_t)len << 8 | SLU_VALUE_STRING};
}

/* NULL: not all of them can be. */
static struct word *words_of(struct slu_compile *compile, const struct value_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (!is_word(set->values[i]))
            return NULL;
    struct word *words = slu_compile_alloc(compile, set->n, sizeof(*words));
    for (size_t i = 0; words != NULL && i < set->n; i++)
        words[i] = word_of(set->values[i]);
    return words;
}

static struct value_set *set_new(struct slu_build *build, const struct slu_value *first, size_t n)
{
    struct slu_compile *compile = build->compile;
    struct value_set *set = slu_compile_alloc(compile, 1, sizeof(*set));
    if (set == NULL)
        return NULL;
    set->values = slu_compile_alloc(compile, n, sizeof(*set->values));
    if (set->values == NULL)
        return NULL;
    set->n = n;
    set->to_raw = slu_compile_raw(compile, first) - first;
    set->strings = slu_compile_alloc(compile, n, sizeof(*set->strings));
    for (size_t i = 0; i < n; i++, first = slu_value_next(first)) {
        set->values[i] = first;
        if (slu_value_kind(first) != SLU_VALUE_STRING)
            set->strings = NULL;
        if (set->strings != NULL)
            set->strings[i] = slu_value_text(first);
    }
    if (n <= LINEAR)
        set->words = words_of(compile, set);
    return n <= LINEAR || fill_slots(compile, set) ? set : NULL;
}

void slu_keyword_enum_compile(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_ARRAY))
        return;
    if (slu_value_len(value) == 0)
        slu_compile_warn(build->compile, value, "an empty enum allows nothing");
    const struct value_set *set = set_new(build, slu_value_first(value), slu_value_len(value));
    if (set != NULL)
        slu_build_op(build, row, value)->data = set;
}

void slu_keyword_const_compile(struct slu_build *build, const struct slu_keyword *row,
                               const struct slu_value *value)
{
    const struct value_set *set = set_new(build, value, 1);
    if (set != NULL)
        slu_build_op(build, row, value)->data = set;
}

/* What is beyond words keeps out of the usual way: those need no frame. */
static __attribute__((noinline)) bool is_among(struct slu_run *run, const struct value_set *set,
                                               const struct slu_value *value)
{
    for (size_t i = 0; i < set->n; i++)
        if (slu_value_equal(run, value, set->values[i], set->to_raw))
            return true;
    return false;
}

static __attribute__((noinline)) bool is_string_among(const struct value_set *set,
                                                      const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_STRING)
        return false;
    const size_t len = slu_value_len(value);
    for (const struct slu_slice *at = set->strings, *end = at + set->n; at != end; at++)
        if (at->len == len && slu_bytes_equal(at->data, value->text, len))
            return true;
    return false;
}

static bool is_a_word_of(const struct value_set *set, const struct slu_value *value)
{
    const struct word word = word_of(value);
    bool found = false;
    for (size_t i = 0; i < set->n; i++)
        found |= ((set->words[i].bits ^ word.bits) | (set->words[i].shape ^ word.shape)) == 0;
    return found;
}

static __attribute__((noinline)) bool is_in_slots(struct slu_run *run, const struct value_set *set,
                                                  const struct slu_value *value)
{
    size_t work = 0;
    size_t at = slu_value_hash(value, &work) & set->mask;
    if (!slu_run_draw(run, work))
        return false;
    for (; set->slots[at] != 0; at = (at + 1) & set->mask)
        if (slu_value_equal(run, value, set->values[set->slots[at] - 1], set->to_raw))
            return true;
    return false;
}

bool slu_keyword_enum_judge(struct slu_run *run, const struct slu_op *op,
                            const struct slu_value *value, struct slu_seen *seen)
{
    const struct value_set *set = op->data;
    bool found;
    (void)seen;

    if (set->words != NULL && is_word(value))
        found = is_a_word_of(set, value);
    else if (set->slots != NULL)
        found = is_in_slots(run, set, value);
    else if (set->strings != NULL)
        found = is_string_among(set, value);
    else
        found = is_among(run, set, value);
    return found || slu_run_report(run, op, value);
}

bool slu_keyword_const_judge(struct slu_run *run, const struct slu_op *op,
                             const struct slu_value *value, struct slu_seen *seen)
{
    return slu_keyword_enum_judge(run, op, value, seen);
}
