/* schema.c -- see schema.h. A schema's life, and the two passes of a judgement (run.h).
 */
#include "validation/json_schema/schema.h"

#include "validation/json_schema/compile.h"
#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"
#include "validation/verdict.h"

#include <stdlib.h>

/* Ceiling of one compiled schema, without its documents. */
#define ARENA_MAX ((size_t)256 << 20)

static struct slu_schema *schema_new(const struct slu_schema_options *options)
{
    struct slu_schema *schema = calloc(1, sizeof(*schema));
    if (schema == NULL)
        return NULL;
    slu_arena_init(&schema->arena, ARENA_MAX);
    schema->name =
        slu_arena_copy(&schema->arena, slu_slice_of(options->name != NULL ? options->name : ""));
    if (schema->name != NULL)
        return schema;
    slu_schema_free(schema);
    return NULL;
}

struct slu_schema *slu_schema_compile(struct slu_slice text,
                                      const struct slu_schema_options *options,
                                      struct slu_problems *problems)
{
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(text, SLU_COMPILE_MAX_DEPTH, &err);
    if (document == NULL) {
        slu_problems_error(problems, options->source, err.line, err.column, err.pointer, "%s",
                           err.text);
        return NULL;
    }
    struct slu_schema *schema = schema_new(options);
    if (schema == NULL) {
        slu_document_free(document);
        slu_problems_error(problems, options->source, 0, 0, NULL,
                           "no memory to compile the schema");
        return NULL;
    }
    struct slu_compile compile = {
        .schema = schema, .options = options, .text = text.data, .problems = problems};
    const bool sound = slu_compile_run(&compile, document);
    slu_compile_fini(&compile);
    if (sound)
        return schema;
    slu_problems_sort(problems);
    slu_schema_free(schema);
    return NULL;
}

void slu_schema_free(struct slu_schema *schema)
{
    if (schema == NULL)
        return;
    for (struct slu_regex_list *entry = schema->regexes; entry != NULL; entry = entry->next)
        slu_regex_free(entry->regex);
    for (size_t i = 0; i < schema->n_documents; i++)
        slu_document_free(schema->documents[i].document);
    slu_arena_fini(&schema->arena);
    free(schema);
}

const char *slu_schema_name(const struct slu_schema *schema)
{
    return schema->name;
}

struct slu_schema_scratch *slu_schema_scratch_new(void)
{
    struct slu_schema_scratch *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL)
        return NULL;
    /* Not touched before it is used, so it costs address space only. */
    scratch->words = calloc(SLU_RUN_SCRATCH_WORDS, sizeof(*scratch->words));
    scratch->regex = slu_regex_scratch_new();
    if (scratch->words != NULL && scratch->regex != NULL)
        return scratch;
    slu_schema_scratch_free(scratch);
    return NULL;
}

void slu_schema_scratch_free(struct slu_schema_scratch *scratch)
{
    if (scratch == NULL)
        return;
    slu_regex_scratch_free(scratch->regex);
    free(scratch->words);
    free(scratch);
}

int64_t slu_run_budget_of(const struct slu_payload *payload)
{
    return SLU_RUN_BUDGET + SLU_RUN_BUDGET_PER_BYTE * (int64_t)payload->bytes.len;
}

bool slu_run_judge(struct slu_run *run, int64_t budget)
{
    const struct slu_node *root = run->schema->root;
    const struct slu_scope scope = {NULL, root->resource};

    run->budget = budget;
    run->scope = &scope;
    run->scratch->used = 0;
    return slu_run_node(run, root, run->payload->root, NULL) && run->stop == SLU_RUN_GOES;
}

/* Tell all that is wrong; `used`: what the first pass needed to find the first of it. */
static __attribute__((noinline)) void collect(struct slu_run *run, int64_t used,
                                              struct slu_verdict *verdict)
{
    const uint64_t told = verdict->total;
    run->verdict = verdict;
    run->collect = true;
    if (run->stop == SLU_RUN_GOES) {
        const int64_t budget = slu_run_budget_of(run->payload);
        const int64_t wanted = used + budget / 4, left = budget + budget / 8 - used;
        slu_run_judge(run, wanted < left ? wanted : left);
        if (verdict->total != told)
            return;
        /* It did not come so far: say so rather than nothing. */
        slu_run_stop(run, SLU_RUN_BUDGET_GONE, NULL);
    }
    slu_run_report_stop(run);
}

bool slu_schema_judge(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                      const struct slu_payload *payload, struct slu_verdict *verdict)
{
    struct slu_run run = {.schema = schema, .payload = payload, .scratch = scratch};
    scratch->held = false;
    if (payload->root == NULL)
        return false;
    const int64_t budget = slu_run_budget_of(payload);
    scratch->keys_differ = false;
    scratch->held = slu_run_judge(&run, budget);
    if (scratch->held)
        return true;
    scratch->stop = run.stop;
    scratch->stopped_at = run.stopped_at;
    scratch->units = budget - run.budget;
    if (verdict != NULL)
        collect(&run, scratch->units, verdict);
    return false;
}

bool slu_schema_tell(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                     const struct slu_payload *payload, struct slu_verdict *verdict)
{
    struct slu_run run = {.schema = schema,
                          .payload = payload,
                          .scratch = scratch,
                          .stop = scratch->stop,
                          .stopped_at = scratch->stopped_at};
    if (scratch->held)
        return true;
    if (payload->root != NULL)
        collect(&run, scratch->units, verdict);
    return false;
}

bool slu_schema_keys_differ(const struct slu_schema_scratch *scratch)
{
    return scratch->keys_differ;
}
