/* build.c -- one schema object on its way to a node: its keywords by their rows, the checks that most of
 * them need, and the ops in their order. Declared in compile.h.
 */
#include "validation/json_schema/compile.h"

#include "base/nearest.h"
#include "validation/json_schema/regex.h"

const struct slu_node *slu_build_in_place(struct slu_build *build, const struct slu_value *cell)
{
    struct slu_compile *compile = build->compile;
    const struct slu_node *node = slu_compile_node(compile, cell);
    if (node == NULL)
        return NULL;
    struct slu_edge *edge = slu_list_add(compile, &compile->edges, sizeof(*edge));
    if (edge != NULL)
        *edge = (struct slu_edge){build->node->index, node->index, build->schema};
    return node;
}

struct slu_op *slu_build_op(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value)
{
    struct slu_op *op = &build->ops[build->n_ops++];
    *op = (struct slu_op){
        .judge = row->judge, .keyword = row, .raw = slu_compile_raw(build->compile, value)};
    return op;
}

bool slu_build_expect(struct slu_build *build, const struct slu_keyword *row,
                      const struct slu_value *value, enum slu_value_kind kind)
{
    static const char *const names[SLU_KINDS] = {
        [SLU_VALUE_BIG] = "a number",    [SLU_VALUE_BOOL] = "a boolean",
        [SLU_VALUE_NUMBER] = "a number", [SLU_VALUE_STRING] = "a string",
        [SLU_VALUE_ARRAY] = "an array",  [SLU_VALUE_OBJECT] = "an object",
    };
    const bool number = kind == SLU_VALUE_NUMBER && slu_value_is_number(value);
    if (number || slu_value_kind(value) == kind)
        return true;
    return slu_compile_error(build->compile, value, "%s takes %s, not %s %s", row->name,
                             names[kind], slu_value_kind(value) >= SLU_VALUE_ARRAY ? "an" : "a",
                             slu_value_kind_name(value));
}

/* 3, 3.0 and 3e0 are all three; what is beyond 64 bits can never be reached. */
bool slu_build_count(struct slu_build *build, const struct slu_keyword *row,
                     const struct slu_value *value, uint64_t *count)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_NUMBER))
        return false;
    const struct slu_decimal decimal =
        slu_decimal_of(slu_value_text(slu_compile_raw(build->compile, value)));
    if (!slu_decimal_is_integer(&decimal) || (decimal.negative && decimal.n_digits != 0))
        return slu_compile_error(build->compile, value, "%s takes a whole number from 0 on",
                                 row->name);
    *count = 0;
    if (decimal.n_digits == 0)
        return true;
    if (decimal.exponent > 19) {
        *count = UINT64_MAX;
        return true;
    }
    /* 0.d1d2… × 10^exponent: as many digits as the exponent says, zeros behind the last one. */
    size_t taken = 0;
    for (size_t i = 0; i < decimal.n_text; i++) {
        if (decimal.digits[i] == '.')
            continue;
        *count = *count * 10 + (uint64_t)(decimal.digits[i] - '0');
        taken++;
    }
    for (; taken < (size_t)decimal.exponent; taken++)
        *count *= 10;
    return true;
}

bool slu_build_expect_names(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_ARRAY))
        return false;
    const struct slu_value *name = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, name = slu_value_next(name))
        if (slu_value_kind(name) != SLU_VALUE_STRING)
            return slu_compile_error(build->compile, name, "%s takes names of properties",
                                     row->name);
    return true;
}

const struct slu_regex *slu_build_regex(struct slu_build *build, const struct slu_value *cell)
{
    struct slu_compile *compile = build->compile;
    struct slu_err err = {0};
    struct slu_regex_list *entry = slu_compile_alloc(compile, 1, sizeof(*entry));
    if (entry == NULL)
        return NULL;
    entry->regex = slu_regex_compile(slu_value_text(cell), &err);
    if (entry->regex == NULL) {
        slu_compile_error(compile, cell, "the pattern %s", err.text);
        return NULL;
    }
    entry->next = compile->schema->regexes;
    compile->schema->regexes = entry;
    return entry->regex;
}

/* Rows by cost; ops of one cost stay in the order of the rows. */
static void sort_ops(struct slu_build *build)
{
    for (size_t i = 1; i < build->n_ops; i++) {
        const struct slu_op op = build->ops[i];
        size_t at = i;
        for (; at > 0 && build->ops[at - 1].keyword->cost > op.keyword->cost; at--)
            build->ops[at] = build->ops[at - 1];
        build->ops[at] = op;
    }
}

static bool op_is_for(const struct slu_op *op, unsigned kind)
{
    return (op->keyword->kinds >> kind & 1) != 0;
}

/* An earlier kind whose list is the same, or `kind` itself. */
static unsigned kind_alike(const struct slu_build *build, unsigned kind)
{
    for (unsigned other = SLU_VALUE_BIG; other < kind; other++) {
        size_t i = 0;
        while (i < build->n_ops &&
               op_is_for(&build->ops[i], other) == op_is_for(&build->ops[i], kind))
            i++;
        if (i == build->n_ops)
            return other;
    }
    return kind;
}

static void fill_kind(struct slu_build *build, unsigned kind)
{
    struct slu_node *node = build->node;
    const unsigned alike = kind_alike(build, kind);
    size_t n = 0, n_guards = 0;

    for (size_t i = 0; i < build->n_ops; i++) {
        if (!op_is_for(&build->ops[i], kind))
            continue;
        n++;
        n_guards += build->ops[i].keyword->cost == SLU_COST_GUARD;
    }
    /* A big number is beyond what the guards can tell. */
    if (n == 0)
        node->free |= SLU_VARIANTS(kind);
    else if (n == n_guards && kind != SLU_VALUE_BIG)
        node->quiet |= SLU_VARIANTS(kind);
    if (alike != kind || n == 0) {
        node->ops[kind] = node->ops[alike];
        return;
    }
    struct slu_op *list = slu_compile_alloc(build->compile, n, sizeof(*list));
    if (list == NULL)
        return;
    node->ops[kind] = (struct slu_ops){list, n};
    for (size_t i = 0; i < build->n_ops; i++)
        if (op_is_for(&build->ops[i], kind))
            *list++ = build->ops[i];
}

static void finish(struct slu_build *build)
{
    sort_ops(build);
    for (unsigned kind = SLU_VALUE_BIG; kind < SLU_KINDS; kind++)
        fill_kind(build, kind);
    /* The output tells of what holds as well: nothing does at sight. */
    const uint32_t mask = build->compile->options->for_output ? 0 : build->node->types;
    build->node->quiet &= mask;
    build->node->free &= mask;
}

/* A word that means nothing here. In an older or newer draft it may. */
static void tell_unknown(struct slu_build *build, const struct slu_value *key)
{
    const struct slu_dialect every = {SLU_DRAFTS_ALL, SLU_VOCABULARIES, false};
    const struct slu_dialect whole = {build->dialect.draft, SLU_VOCABULARIES, false};
    const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), every);
    if (row == NULL) {
        const char *nearest = slu_nearest(slu_value_text(key), slu_keyword_names, SLU_KEYWORDS);
        if (nearest != NULL)
            slu_compile_warn(build->compile, key,
                             "an unknown keyword asks for nothing; did you mean \"%s\"?", nearest);
    } else if (row->vocabulary != SLU_VOCABULARY_META_DATA &&
               slu_keyword_find(slu_value_text(key), whole) == NULL) {
        slu_compile_warn(build->compile, key, "%s asks for nothing: draft %s does not have it",
                         row->name, slu_schema_draft_name(build->dialect.draft));
    }
}

/* Up to draft 7 a reference stands alone: what is beside it is there to be referred to at most. */
static void keep_reference_only(struct slu_build *build)
{
    for (size_t i = 0; i < SLU_KEYWORDS; i++) {
        if (build->values[i] == NULL || i == SLU_KEYWORD_REF || i == SLU_KEYWORD_DEFINITIONS)
            continue;
        if (slu_keywords[i].kinds != SLU_KINDS_NONE)
            slu_compile_warn(build->compile, build->values[i] - 1,
                             "%s asks for nothing: up to draft 7 what is beside $ref is ignored",
                             slu_keywords[i].name);
        build->values[i] = NULL;
    }
}

static void sort_out(struct slu_build *build)
{
    const struct slu_value *key = slu_value_first(build->schema);
    for (size_t i = 0; i < slu_value_len(build->schema); i++, key = slu_value_next(key + 1)) {
        const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), build->dialect);
        if (row != NULL)
            build->values[row - slu_keywords] = key + 1;
        else
            tell_unknown(build, key);
    }
    const struct slu_value *ref = build->values[SLU_KEYWORD_REF];
    if ((build->dialect.draft & SLU_DRAFTS_TO_7) != 0 && ref != NULL &&
        slu_value_kind(ref) == SLU_VALUE_STRING)
        keep_reference_only(build);
}

void slu_build_node(struct slu_compile *compile, struct slu_node *node,
                    const struct slu_value *cell)
{
    struct slu_build build = {.compile = compile,
                              .node = node,
                              .dialect = slu_compile_dialect(compile, cell),
                              .schema = cell};

    if (slu_value_kind(cell) == SLU_VALUE_BOOL) {
        node->never = slu_value_variant(cell) == SLU_VALUE_FALSE;
        node->types = node->never ? 0 : SLU_VARIANTS_ALL;
        finish(&build);
        return;
    }
    sort_out(&build);
    for (size_t i = 0; i < SLU_KEYWORDS; i++)
        if (build.values[i] != NULL)
            slu_keywords[i].compile(&build, &slu_keywords[i], build.values[i]);
    finish(&build);
}
