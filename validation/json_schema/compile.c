/* compile.c -- see compile.h. The worklist, and from a schema object to its node. */
#include "validation/json_schema/compile.h"

#include "base/nearest.h"
#include "validation/json_schema/regex.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *slu_list_add(struct slu_compile *compile, struct slu_list *list, size_t item_size)
{
    if (list->n == list->cap) {
        const size_t cap = list->cap != 0 ? list->cap * 2 : 64;
        void *items = cap <= UINT32_MAX ? reallocarray(list->items, cap, item_size) : NULL;
        if (items == NULL) {
            compile->no_memory = true;
            return NULL;
        }
        list->items = items;
        list->cap = cap;
    }
    return memset((char *)list->items + list->n++ * item_size, 0, item_size);
}

void *slu_compile_alloc(struct slu_compile *compile, size_t count, size_t size)
{
    void *memory = slu_arena_array(&compile->schema->arena, count, size);
    if (memory == NULL)
        compile->no_memory = true;
    return memory;
}

size_t slu_compile_document(const struct slu_compile *compile, const struct slu_value *cell,
                            size_t *index)
{
    const struct slu_schema *schema = compile->schema;
    for (size_t i = 0; i < schema->n_documents; i++) {
        const uintptr_t root = (uintptr_t)schema->documents[i].document->root;
        *index = ((uintptr_t)cell - root) / sizeof(*cell);
        if ((uintptr_t)cell >= root && *index < schema->documents[i].n_cells)
            return i;
    }
    *index = 0;
    return 0;
}

const struct slu_value *slu_compile_raw(const struct slu_compile *compile,
                                        const struct slu_value *cell)
{
    size_t index;
    const size_t document = slu_compile_document(compile, cell, &index);
    return compile->schema->documents[document].document->raw_root + index;
}

uint32_t slu_compile_resource(const struct slu_compile *compile, const struct slu_value *cell)
{
    size_t index;
    const size_t document = slu_compile_document(compile, cell, &index);
    const uint32_t resource = compile->notes[document].resources[index];
    return resource != 0 ? resource - 1 : 0;
}

static void tell(struct slu_compile *compile, bool is_warning, const struct slu_value *cell,
                 const char *text)
{
    size_t index;
    const struct slu_program_document *document =
        &compile->schema->documents[slu_compile_document(compile, cell, &index)];
    unsigned line = 0, column = 0;
    slu_document_place(document->document, cell, &line, &column);

    struct slu_buf pointer;
    slu_buf_init(&pointer, 4096);
    slu_value_pointer(document->document->root, cell, &pointer);
    if (is_warning)
        slu_problems_warn(compile->problems, document->source, line, column, slu_buf_text(&pointer),
                          "%s", text);
    else
        slu_problems_error(compile->problems, document->source, line, column,
                           slu_buf_text(&pointer), "%s", text);
    slu_buf_fini(&pointer);
}

bool slu_compile_error(struct slu_compile *compile, const struct slu_value *cell,
                       const char *format, ...)
{
    /* Places cost a walk through the text: beyond what is kept, count only. */
    if (compile->n_errors++ > SLU_PROBLEMS_MAX)
        return false;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tell(compile, false, cell, text);
    return false;
}

void slu_compile_warn(struct slu_compile *compile, const struct slu_value *cell, const char *format,
                      ...)
{
    if (compile->problems->n_warnings > SLU_PROBLEMS_MAX)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tell(compile, true, cell, text);
}

const struct slu_node *slu_compile_node(struct slu_compile *compile, const struct slu_value *cell)
{
    size_t index;
    const size_t document = slu_compile_document(compile, cell, &index);
    struct slu_node **known = &compile->notes[document].nodes[index];
    if (*known != NULL)
        return *known;

    const enum slu_value_kind kind = slu_value_kind(cell);
    if (kind != SLU_VALUE_OBJECT && kind != SLU_VALUE_BOOL) {
        slu_compile_error(compile, cell, "a schema is an object or a boolean, not %s %s",
                          kind == SLU_VALUE_ARRAY ? "an" : "a", slu_value_kind_name(cell));
        return NULL;
    }
    struct slu_node *node = slu_compile_alloc(compile, 1, sizeof(*node));
    struct slu_work *work =
        node != NULL ? slu_list_add(compile, &compile->work, sizeof(*work)) : NULL;
    if (work == NULL)
        return NULL;

    *node = (struct slu_node){
        .types = SLU_VARIANTS_ALL,
        .above = -INFINITY,
        .below = INFINITY,
        .max_bytes = SIZE_MAX,
        .resource = slu_compile_resource(compile, cell),
        .index = (uint32_t)(compile->work.n - 1),
        .raw = slu_compile_raw(compile, cell),
    };
    *work = (struct slu_work){node, cell};
    *known = node;
    return node;
}

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
    build->node->quiet &= build->node->types;
    build->node->free &= build->node->types;
}

static void sort_out(struct slu_build *build)
{
    const struct slu_value *key = slu_value_first(build->schema);
    for (size_t i = 0; i < slu_value_len(build->schema); i++, key = slu_value_next(key + 1)) {
        const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), SLU_DRAFT_2020);
        if (row != NULL) {
            build->values[row - slu_keywords] = key + 1;
            continue;
        }
        const char *nearest = slu_nearest(slu_value_text(key), slu_keyword_names, SLU_KEYWORDS);
        if (nearest != NULL)
            slu_compile_warn(build->compile, key,
                             "an unknown keyword asks for nothing; did you mean \"%s\"?", nearest);
    }
}

static void fill_node(struct slu_compile *compile, struct slu_node *node,
                      const struct slu_value *cell)
{
    struct slu_build build = {.compile = compile, .node = node, .schema = cell};

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

static bool prepare(struct slu_compile *compile)
{
    const struct slu_schema *schema = compile->schema;
    slu_arena_init(&compile->passing, 64u << 20);
    compile->notes =
        slu_arena_array(&compile->passing, schema->n_documents, sizeof(*compile->notes));
    for (size_t i = 0; compile->notes != NULL && i < schema->n_documents; i++) {
        const size_t n = schema->documents[i].n_cells;
        compile->notes[i].nodes = slu_arena_array(&compile->passing, n, sizeof(struct slu_node *));
        compile->notes[i].resources = slu_arena_array(&compile->passing, n, sizeof(uint32_t));
        if (compile->notes[i].nodes == NULL || compile->notes[i].resources == NULL)
            return false;
    }
    return compile->notes != NULL;
}

bool slu_compile_run(struct slu_compile *compile)
{
    struct slu_schema *schema = compile->schema;
    const struct slu_value *root = schema->documents[0].document->root;

    if (!prepare(compile)) {
        compile->no_memory = true;
    } else {
        slu_resolve_scan(compile, root, UINT32_MAX);
        schema->root = slu_compile_node(compile, root);
        for (size_t i = 0; i < compile->work.n && !compile->no_memory; i++) {
            const struct slu_work work = ((const struct slu_work *)compile->work.items)[i];
            fill_node(compile, work.node, work.cell);
        }
        for (size_t i = 0; i < compile->work.n; i++) {
            struct slu_node *node = ((const struct slu_work *)compile->work.items)[i].node;
            node->careful = node->wants_seen || compile->has_dynamic;
        }
        if (!compile->no_memory && compile->n_errors == 0)
            slu_compile_check_acyclic(compile);
    }
    if (compile->no_memory) {
        compile->n_errors++;
        slu_problems_error(compile->problems, schema->documents[0].source, 0, 0, NULL,
                           "no memory to compile the schema");
    }
    return compile->n_errors == 0;
}

void slu_compile_fini(struct slu_compile *compile)
{
    free(compile->resources.items);
    free(compile->anchors.items);
    free(compile->edges.items);
    free(compile->work.items);
    slu_arena_fini(&compile->passing);
}
