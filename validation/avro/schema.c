/* schema.c -- see schema.h. A schema's life, and the order of its checks:
 *
 *   document ─ types ─ measures ─ canonical form ─ defaults ─ second opinion
 */
#include "validation/avro/schema.h"

#include "validation/avro/compile.h"

#include <stdlib.h>

/* Ceiling of one compiled schema, without its document; and of what compiling needs besides. */
#define ARENA_MAX ((size_t)512 << 20)

static struct slu_avro_schema *schema_new(struct slu_slice text,
                                          const struct slu_avro_schema_options *options,
                                          struct slu_problems *problems)
{
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(text, SLU_AVRO_COMPILE_MAX_DEPTH, &err);
    struct slu_avro_schema *schema;

    if (document == NULL) {
        slu_problems_error(problems, options->source, err.line, err.column, err.pointer, "%s",
                           err.text);
        return NULL;
    }
    schema = calloc(1, sizeof(*schema));
    if (schema == NULL) {
        slu_document_free(document);
        return NULL;
    }
    slu_arena_init(&schema->arena, ARENA_MAX);
    schema->document = document;
    schema->registry_id = options->registry_id;
    schema->name =
        slu_arena_copy(&schema->arena, slu_slice_of(options->name != NULL ? options->name : ""));
    schema->source = slu_arena_copy(&schema->arena,
                                    slu_slice_of(options->source != NULL ? options->source : ""));
    if (schema->name != NULL && schema->source != NULL)
        return schema;
    slu_avro_schema_free(schema);
    return NULL;
}

static void ask_second(struct slu_avro_compile *compile)
{
    char why[256];

    if (!slu_avro_second_opinion(compile->schema->document->text, why, sizeof(why)))
        slu_avro_warn(compile, compile->schema->document->root,
                      "Avro C does not take this schema: %s", why);
}

/* False with problems told, or without memory. */
static bool compile_all(struct slu_avro_compile *compile,
                        const struct slu_avro_schema_options *options)
{
    if (!slu_avro_compile_types(compile))
        return false;
    if (!slu_avro_compile_canonical(compile->schema)) {
        compile->no_memory = true;
        return false;
    }
    if (!slu_avro_compile_defaults(compile))
        return false;
    if (!options->no_second_opinion)
        ask_second(compile);
    return true;
}

struct slu_avro_schema *slu_avro_schema_compile(struct slu_slice text,
                                                const struct slu_avro_schema_options *options,
                                                struct slu_problems *problems)
{
    const size_t errors = problems->n_errors;
    struct slu_avro_schema *schema = schema_new(text, options, problems);
    bool sound = false;

    if (schema != NULL) {
        struct slu_avro_compile compile = {.schema = schema, .problems = problems};
        slu_arena_init(&compile.scratch, ARENA_MAX);
        sound = compile_all(&compile, options);
        slu_arena_fini(&compile.scratch);
    }
    if (sound)
        return schema;
    if (problems->n_errors == errors)
        slu_problems_error(problems, options->source, 0, 0, NULL,
                           "no memory to compile the schema");
    slu_problems_sort(problems);
    slu_avro_schema_free(schema);
    return NULL;
}

void slu_avro_schema_free(struct slu_avro_schema *schema)
{
    if (schema == NULL)
        return;
    slu_document_free(schema->document);
    slu_arena_fini(&schema->arena);
    free(schema);
}

const char *slu_avro_schema_name(const struct slu_avro_schema *schema)
{
    return schema->name;
}

struct slu_slice slu_avro_schema_text(const struct slu_avro_schema *schema)
{
    return schema->document->text;
}

struct slu_slice slu_avro_schema_canonical(const struct slu_avro_schema *schema)
{
    return schema->canonical;
}

uint64_t slu_avro_schema_fingerprint(const struct slu_avro_schema *schema)
{
    return schema->fingerprint;
}
