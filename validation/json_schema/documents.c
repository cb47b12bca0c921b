/* documents.c -- the documents that a schema is made of, and what is known at a cell of one: where it
 * stands, whose resource it is, what is wrong with it. Declared in compile.h.
 */
#include "validation/json_schema/compile.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

/* Room in the schema for one more document. */
static struct slu_program_document *grow(struct slu_compile *compile)
{
    struct slu_schema *schema = compile->schema;
    if (schema->n_documents == schema->room_documents) {
        const size_t room = schema->room_documents != 0 ? 2 * schema->room_documents : 4;
        struct slu_program_document *more = slu_compile_alloc(compile, room, sizeof(*more));
        if (more == NULL)
            return NULL;
        if (schema->n_documents != 0)
            memcpy(more, schema->documents, schema->n_documents * sizeof(*more));
        schema->documents = more;
        schema->room_documents = room;
    }
    return &schema->documents[schema->n_documents];
}

bool slu_documents_add(struct slu_compile *compile, struct slu_document *document,
                       const char *source, struct slu_slice uri, enum slu_schema_draft draft)
{
    const size_t n = (size_t)(slu_value_next(document->root) - document->root);
    struct slu_arena *passing = &compile->passing;
    struct slu_cell_notes notes = {slu_arena_array(passing, n, sizeof(*notes.nodes)),
                                   slu_arena_array(passing, n, sizeof(*notes.resources))};
    const char *kept = slu_arena_copy(&compile->schema->arena, slu_slice_of(source));
    struct slu_program_document *entry = grow(compile);
    struct slu_cell_notes *noted =
        entry != NULL ? slu_list_add(compile, &compile->notes, sizeof(*noted)) : NULL;

    if (noted == NULL || notes.nodes == NULL || notes.resources == NULL || kept == NULL) {
        slu_document_free(document);
        compile->no_memory = true;
        return false;
    }
    *noted = notes;
    *entry = (struct slu_program_document){document, kept, n};
    compile->schema->n_documents++;
    slu_scan_root(compile, document->root, uri, draft);
    return true;
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

struct slu_cell_notes *slu_compile_notes(const struct slu_compile *compile,
                                         const struct slu_value *cell, size_t *index)
{
    const size_t document = slu_compile_document(compile, cell, index);
    return (struct slu_cell_notes *)compile->notes.items + document;
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
    const uint32_t resource = slu_compile_notes(compile, cell, &index)->resources[index];
    return resource != 0 ? resource - 1 : 0;
}

const struct slu_resource *slu_compile_resource_at(const struct slu_compile *compile,
                                                   uint32_t resource)
{
    return (const struct slu_resource *)compile->resources.items + resource;
}

struct slu_dialect slu_compile_dialect(const struct slu_compile *compile,
                                       const struct slu_value *cell)
{
    return slu_compile_resource_at(compile, slu_compile_resource(compile, cell))->dialect;
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
    size_t index;
    if (compile->problems->n_warnings > SLU_PROBLEMS_MAX ||
        slu_compile_document(compile, cell, &index) != 0)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tell(compile, true, cell, text);
}
