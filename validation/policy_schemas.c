/* policy_schemas.c -- the schemas of a configuration, and which of them a policy is judged and read with.
 *
 *   schemas: of the configuration ──▶ compiled, by name "oven:1"
 *   schema:  of a policy ──▶ JSON Schemas: what must hold     Avro schemas: how the payload is read
 */
#include "validation/policy_inside.h"

#include "base/nearest.h"
#include "validation/json_schema/schema.h"

#include <stdio.h>
#include <string.h>

/* ---- of the configuration -------------------------------------------------------------------------- */

static void schema_pointer(const struct slu_schema_source *source, size_t i, char *out, size_t size)
{
    if (source->pointer != NULL)
        snprintf(out, size, "%s", source->pointer);
    else
        snprintf(out, size, "/schemas/%zu", i);
}

static void schema_twice(struct slu_policy_compiler *compiler, size_t first, size_t again)
{
    const struct slu_schema_source *sources = compiler->options->schemas;
    char pointer[128], text[256];

    schema_pointer(&sources[again], again, pointer, sizeof(pointer));
    snprintf(text, sizeof(text), "schema \"%s\" is here twice; the first is in line %u",
             compiler->schema_names[again],
             sources[first].place != NULL ? sources[first].place->line : 0);
    slu_policy_tell_at(compiler->problems, false, sources[again].place, pointer, "/id", text);
}

static bool compile_avro_schema(struct slu_policy_compiler *compiler, size_t i)
{
    const struct slu_schema_source *source = &compiler->options->schemas[i];
    struct slu_snapshot *snapshot = compiler->snapshot;
    const struct slu_avro_schema_options options = {.name = compiler->schema_names[i],
                                                    .source = source->file,
                                                    .registry_id = source->registry_id};
    struct slu_avro_schema *schema =
        slu_avro_schema_compile(source->text, &options, compiler->problems);

    compiler->avro_schemas[i] = schema;
    if (schema != NULL)
        snapshot->avro_schemas[snapshot->n_avro_schemas++] = schema;
    return true;
}

/* A version that does not compile is left out: the messages that name it stay unknown. */
static bool compile_variant(struct slu_policy_compiler *compiler, size_t i)
{
    const struct slu_schema_source *source = &compiler->options->schemas[i];
    struct slu_snapshot *snapshot = compiler->snapshot;
    const struct slu_avro_schema_options options = {
        .name = compiler->schema_names[source->variant_of - 1],
        .source = source->file,
        .registry_id = source->registry_id};
    struct slu_problems ignored;

    slu_problems_init(&ignored);
    struct slu_avro_schema *schema = slu_avro_schema_compile(source->text, &options, &ignored);
    slu_problems_fini(&ignored);
    compiler->schema_names[i] = compiler->schema_names[source->variant_of - 1];
    compiler->avro_schemas[i] = schema;
    if (schema != NULL)
        snapshot->avro_schemas[snapshot->n_avro_schemas++] = schema;
    return true;
}

/* One schema; its own errors have their places in its own file. */
static bool compile_schema(struct slu_policy_compiler *compiler, size_t i)
{
    const struct slu_schema_source *source = &compiler->options->schemas[i];
    struct slu_snapshot *snapshot = compiler->snapshot;

    if (source->variant_of != 0)
        return compile_variant(compiler, i);
    compiler->schema_names[i] =
        slu_arena_printf(&snapshot->arena, "%.*s:%lld", SLU_SLICE_ARG(source->id), source->version);
    if (compiler->schema_names[i] == NULL)
        return false;
    compiler->has_broken |= source->broken;
    if (source->broken)
        return true;
    if (source->is_avro)
        return compile_avro_schema(compiler, i);
    const struct slu_schema_options options = {.name = compiler->schema_names[i],
                                               .source = source->file,
                                               .default_draft = source->default_draft,
                                               .formats = source->formats,
                                               .library = compiler->options->library};
    size_t errors = compiler->problems->n_errors;
    struct slu_schema *schema = slu_schema_compile(source->text, &options, compiler->problems);
    if (schema == NULL && compiler->problems->n_errors == errors)
        return false;
    compiler->schemas[i] = schema;
    if (schema != NULL)
        snapshot->schemas[snapshot->n_schemas++] = schema;
    return true;
}

bool slu_policy_compile_schemas(struct slu_policy_compiler *compiler)
{
    size_t n = compiler->options->n_schemas, n_names = 0;
    struct slu_policy_name *names = slu_arena_array(&compiler->scratch, n + 1, sizeof(*names));

    compiler->snapshot->schemas =
        slu_arena_array(&compiler->snapshot->arena, n + 1, sizeof(compiler->snapshot->schemas[0]));
    compiler->schema_names = slu_arena_array(&compiler->scratch, n + 1, sizeof(char *));
    compiler->schemas = slu_arena_array(&compiler->scratch, n + 1, sizeof(compiler->schemas[0]));
    compiler->snapshot->avro_schemas = slu_arena_array(&compiler->snapshot->arena, n + 1,
                                                       sizeof(compiler->snapshot->avro_schemas[0]));
    compiler->avro_schemas =
        slu_arena_array(&compiler->scratch, n + 1, sizeof(compiler->avro_schemas[0]));
    if (names == NULL || compiler->snapshot->schemas == NULL || compiler->schema_names == NULL ||
        compiler->schemas == NULL || compiler->snapshot->avro_schemas == NULL ||
        compiler->avro_schemas == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!compile_schema(compiler, i))
            return false;
        if (compiler->options->schemas[i].variant_of == 0)
            names[n_names++] = (struct slu_policy_name){compiler->schema_names[i], i};
    }
    slu_policy_check_unique(compiler, names, n_names, schema_twice);
    return true;
}

/* ---- of one policy --------------------------------------------------------------------------------- */

static bool reads(const struct slu_policy_options *options, enum slu_format format)
{
    for (size_t i = 0; i < options->n_formats; i++)
        if (options->formats[i] == format)
            return true;
    return false;
}

bool slu_policy_reads_bytes(const struct slu_policy_options *options)
{
    return reads(options, SLU_FORMAT_BYTES);
}

/* The place of a schema's name, -1: unknown. */
static ptrdiff_t find_schema(const struct slu_policy_compiler *compiler, struct slu_slice name)
{
    for (size_t i = 0; i < compiler->options->n_schemas; i++)
        if (slu_slice_equal(slu_slice_of(compiler->schema_names[i]), name))
            return (ptrdiff_t)i;
    return -1;
}

static void unknown_schema(struct slu_policy_work *work, const char *below, struct slu_slice name)
{
    const struct slu_policy_compiler *compiler = work->compiler;
    const char *nearest = slu_nearest(name, (const char *const *)compiler->schema_names,
                                      compiler->options->n_schemas);

    if (nearest != NULL)
        slu_policy_tell(work, below, "there is no schema \"%.*s\", did you mean \"%s\"?",
                        SLU_SLICE_ARG(name), nearest);
    else if (compiler->options->n_schemas == 0)
        slu_policy_tell(work, below,
                        "there is no schema \"%.*s\": the configuration has no schemas",
                        SLU_SLICE_ARG(name));
    else
        slu_policy_tell(work, below, "there is no schema \"%.*s\"", SLU_SLICE_ARG(name));
}

static bool is_same_choice(const struct slu_avro_choice *a, const struct slu_avro_choice *b)
{
    return a->framing == b->framing && a->n == b->n && a->n_named == b->n_named &&
           memcmp(a->schemas, b->schemas, (a->n + a->n_named) * sizeof(a->schemas[0])) == 0;
}

/* Policies that read in the same way share the reading, so that a message is read once for them. */
static void add_reading(struct slu_policy_work *work, const struct slu_avro_choice *choice)
{
    struct slu_policy_compiler *compiler = work->compiler;
    struct slu_snapshot *snapshot = compiler->snapshot;
    uint32_t at = 0;

    while (at < snapshot->n_readings && !is_same_choice(&compiler->readings[at], choice))
        at++;
    if (at == snapshot->n_readings)
        compiler->readings[snapshot->n_readings++] = *choice;
    work->policy->reading = at;
}

/* Avro among the formats needs Avro among the schemas, and the other way round. */
static void compile_reading(struct slu_policy_work *work, const struct slu_avro_choice *choice,
                            size_t n_json, bool some_broken)
{
    const struct slu_policy_options *options = work->options;
    const bool wants = reads(options, SLU_FORMAT_AVRO);

    if (!wants && slu_node_get(options->place, "framing") != NULL)
        slu_policy_tell(work, "/framing", "is how Avro is framed, and the payload is not avro");
    if (!wants && choice->n != 0)
        slu_policy_tell(work, "/schema", "\"%s\" is an Avro schema: it needs `payload: avro`",
                        slu_avro_schema_name(choice->schemas[0]));
    else if (wants && choice->n == 0 && !some_broken)
        slu_policy_tell(
            work, "/payload",
            "an Avro payload is read with its schema: `schema` names none of type avro");
    else if (wants && choice->n > 1 && !options->any_schema)
        slu_policy_tell(work, "/schema",
                        "a message is written with one Avro schema: use any_of for several");
    else if (wants && choice->n != 0 && options->any_schema && n_json != 0)
        slu_policy_tell(work, "/schema",
                        "any_of cannot have both Avro and JSON Schemas: one says how to "
                        "read, the other what must hold");
    else if (wants && choice->n != 0)
        add_reading(work, choice);
}

/* Behind `n` schemas, the other versions of each that come from a registry. Returns how many. */
static size_t add_variants(const struct slu_policy_work *work, const ptrdiff_t *places, size_t n,
                           const struct slu_avro_schema **schemas)
{
    const struct slu_policy_compiler *compiler = work->compiler;
    size_t n_named = 0;

    for (size_t i = 0; i < compiler->options->n_schemas; i++) {
        const size_t of = compiler->options->schemas[i].variant_of;
        for (size_t p = 0; of != 0 && p < n; p++)
            if (places[p] == (ptrdiff_t)of - 1 && compiler->avro_schemas[i] != NULL)
                schemas[n + n_named++] = compiler->avro_schemas[i];
    }
    return n_named;
}

bool slu_policy_compile_choice(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    const struct slu_schema **schemas =
        slu_arena_array(&work->compiler->snapshot->arena, options->n_schemas + 1, sizeof(*schemas));
    const struct slu_node *place = slu_node_get(options->place, "schema");
    bool is_name = place == NULL || place->kind == SLU_NODE_STRING, some_broken = false;
    const struct slu_avro_schema **avro =
        slu_arena_array(&work->compiler->snapshot->arena,
                        options->n_schemas + work->compiler->options->n_schemas + 1, sizeof(*avro));
    ptrdiff_t *places =
        slu_arena_array(&work->compiler->scratch, options->n_schemas + 1, sizeof(*places));
    size_t n = 0, n_avro = 0;

    if (schemas == NULL || avro == NULL || places == NULL)
        return false;
    for (size_t i = 0; i < options->n_schemas; i++) {
        ptrdiff_t at = find_schema(work->compiler, options->schemas[i]);
        char below[64];
        snprintf(below, sizeof(below), "/schema/%s/%zu", options->any_schema ? "any_of" : "all_of",
                 i);
        if (at < 0)
            unknown_schema(work, is_name ? "/schema" : below, options->schemas[i]);
        else if (work->compiler->avro_schemas[at] != NULL) {
            places[n_avro] = at;
            avro[n_avro++] = work->compiler->avro_schemas[at];
        } else
            schemas[n++] = work->compiler->schemas[at];
        some_broken |= at < 0 || (work->compiler->schemas[at] == NULL &&
                                  work->compiler->avro_schemas[at] == NULL);
    }
    const struct slu_avro_choice choice = {.schemas = avro,
                                           .n = n_avro,
                                           .n_named = add_variants(work, places, n_avro, avro),
                                           .framing = options->framing};
    compile_reading(work, &choice, n, some_broken);
    work->policy->schema = (struct slu_schema_choice){options->any_schema, n, schemas};
    if (options->n_schemas != 0 && slu_policy_reads_bytes(options))
        slu_policy_tell(work, "/schema",
                        "a payload read as bytes is not looked into, so no schema can judge it");
    return true;
}
