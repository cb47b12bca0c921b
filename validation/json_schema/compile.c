/* compile.c -- see compile.h. The worklist, and the memory of what is made on it. */
#include "validation/json_schema/compile.h"

#include "validation/json_schema/library.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Ceiling of what is only needed while compiling. */
#define PASSING_MAX ((size_t)256 << 20)

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

static const struct slu_node *node_at(struct slu_compile *compile, const struct slu_value *cell,
                                      bool may_be_flag)
{
    size_t index;
    struct slu_node **known = &slu_compile_notes(compile, cell, &index)->nodes[index];
    if (*known != NULL)
        return *known;

    const enum slu_value_kind kind = slu_value_kind(cell);
    const bool booleans = may_be_flag || slu_compile_dialect(compile, cell).draft != SLU_DRAFT_4;
    if (kind != SLU_VALUE_OBJECT && (kind != SLU_VALUE_BOOL || !booleans)) {
        slu_compile_error(compile, cell, "a schema is an object%s, not %s %s",
                          booleans ? " or a boolean" : " in draft 4",
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

const struct slu_node *slu_compile_node(struct slu_compile *compile, const struct slu_value *cell)
{
    return node_at(compile, cell, false);
}

const struct slu_node *slu_compile_node_or_flag(struct slu_compile *compile,
                                                const struct slu_value *cell)
{
    return node_at(compile, cell, true);
}

/* Every node that is asked for, until nobody asks for more. */
static void work_off(struct slu_compile *compile)
{
    size_t done = 0;
    do {
        for (; done < compile->work.n && !compile->no_memory; done++) {
            const struct slu_work work = ((const struct slu_work *)compile->work.items)[done];
            slu_build_node(compile, work.node, work.cell);
        }
    } while (!compile->no_memory && slu_dynamic_settle(compile));
    for (size_t i = 0; i < compile->work.n; i++) {
        struct slu_node *node = ((const struct slu_work *)compile->work.items)[i].node;
        node->careful = node->wants_seen || compile->dynamics.n != 0;
    }
}

/* What report.c and output.c have to know of the resources. */
static void keep_uris(struct slu_compile *compile)
{
    struct slu_schema *schema = compile->schema;
    if (!compile->options->for_output)
        return;
    schema->resources =
        slu_compile_alloc(compile, compile->resources.n, sizeof(*schema->resources));
    for (uint32_t i = 0; schema->resources != NULL && i < compile->resources.n; i++) {
        const struct slu_resource *resource = slu_compile_resource_at(compile, i);
        const char *uri = slu_arena_copy(&schema->arena, resource->uri);
        schema->resources[i] = (struct slu_program_resource){
            slu_slice(uri, resource->uri.len), slu_compile_raw(compile, resource->root),
            resource->dialect};
        compile->no_memory |= uri == NULL;
    }
}

bool slu_compile_run(struct slu_compile *compile, struct slu_document *document)
{
    struct slu_schema *schema = compile->schema;
    const char *source = compile->options->source != NULL ? compile->options->source : "";
    const size_t n_library = slu_library_size(compile->options->library);

    slu_arena_init(&compile->passing, PASSING_MAX);
    compile->loaded = slu_arena_array(&compile->passing, n_library + 1, sizeof(bool));
    compile->no_memory = compile->loaded == NULL;
    for (size_t i = 0; i < n_library && !compile->no_memory; i++)
        compile->loaded[i] =
            slu_library_at(compile->options->library, i)->text.data == compile->text;
    if (slu_documents_add(compile, document, source, slu_slice("", 0), 0) && !compile->no_memory) {
        schema->root = slu_compile_node(compile, document->root);
        work_off(compile);
        if (!compile->no_memory && compile->n_errors == 0)
            slu_compile_check_acyclic(compile);
        keep_uris(compile);
    }
    if (compile->no_memory) {
        compile->n_errors++;
        slu_problems_error(compile->problems, source, 0, 0, NULL,
                           "no memory to compile the schema");
    }
    return compile->n_errors == 0;
}

void slu_compile_fini(struct slu_compile *compile)
{
    free(compile->notes.items);
    free(compile->resources.items);
    free(compile->names.items);
    free(compile->anchors.items);
    free(compile->dynamics.items);
    free(compile->edges.items);
    free(compile->work.items);
    slu_arena_fini(&compile->passing);
}
