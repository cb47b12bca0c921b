/* policy.c -- see policy.h. Compiling goes through the whole configuration and tells everything that
 * is wrong with it, not just the first thing:
 *
 *   schemas ──▶ each policy: id, topics, formats, schema, limits, templates ──▶ matcher ──▶ the laws
 *                                                                              over all (policy_topics.c)
 *
 * A policy that is off is checked like the others, but owns no topic.
 */
#include "validation/policy.h"

#include "validation/policy_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX_BYTES ((size_t)1 << 30)

const char *const slu_mode_names[3] = {"enforce", "monitor", "off"};
const char *const slu_action_names[4] = {"reroute", "drop", "disconnect", "pass"};

/* ---- problems and their places ------------------------------------------------------------------- */

void slu_policy_tell_at(struct slu_problems *problems, bool is_warning,
                        const struct slu_node *place, const char *pointer, const char *below,
                        const char *text)
{
    struct slu_err err = {0};
    char full[sizeof(err.pointer)];

    if (place != NULL && below[0] != '\0')
        place = slu_node_at(place, below, NULL, NULL);
    slu_err_set(&err, SLU_EINVAL, "%s", text);
    snprintf(full, sizeof(full), "%s%s", pointer, below);
    if (place != NULL)
        slu_err_place(&err, place->file, place->line, place->column, full);
    else
        slu_err_place(&err, NULL, 0, 0, full);
    slu_problems_add(problems, is_warning, &err);
}

__attribute__((format(printf, 3, 4))) void
slu_policy_tell(struct slu_policy_work *work, const char *below, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    slu_policy_tell_at(work->compiler->problems, false, work->options->place, work->pointer, below,
                       text);
}

static int compare_named(const void *a, const void *b)
{
    const struct slu_policy_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

void slu_policy_check_unique(struct slu_policy_compiler *compiler, struct slu_policy_name *names,
                             size_t n,
                             void (*found)(struct slu_policy_compiler *compiler, size_t first,
                                           size_t again))
{
    if (n > 1)
        qsort(names, n, sizeof(names[0]), compare_named);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (strcmp(names[first].name, names[i].name) == 0)
            found(compiler, names[first].i, names[i].i);
        else
            first = i;
    }
}

/* ---- topics ---------------------------------------------------------------------------------------- */

static bool compile_filters(struct slu_policy_work *work, const struct slu_slice *texts, size_t n,
                            const char *list, struct slu_topic_filter **filters, size_t *n_filters)
{
    struct slu_arena *arena = &work->compiler->snapshot->arena;

    *filters = slu_arena_array(arena, n + 1, sizeof(**filters));
    if (*filters == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct slu_err err = {0};
        char below[64];
        if (slu_topic_filter_parse(texts[i], arena, &(*filters)[*n_filters], &err) == 0) {
            ++*n_filters;
            continue;
        }
        if (err.kind == SLU_ENOMEM)
            return false;
        snprintf(below, sizeof(below), "/%s/%zu", list, i);
        slu_policy_tell(work, below, "%s", err.text);
    }
    return true;
}

static bool compile_topics(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_topic_filter *filters, *excludes;

    if (!compile_filters(work, options->topics, options->n_topics, "topics", &filters,
                         &work->topics->n_filters) ||
        !compile_filters(work, options->excludes, options->n_excludes, "exclude", &excludes,
                         &work->topics->n_excludes))
        return false;
    work->topics->filters = filters;
    work->topics->excludes = excludes;
    return true;
}

/* ---- limits and timestamp -------------------------------------------------------------------------- */

/* Where row `row` is wrong: at its field when that is no JSON Pointer, else as a whole. */
static void tell_row(struct slu_policy_work *work, size_t row, const struct slu_err *err)
{
    struct slu_pointer field;
    char below[64];
    const bool is_field = slu_pointer_compile(work->options->limits[row].field,
                                              &work->compiler->snapshot->arena, &field, NULL) != 0;

    snprintf(below, sizeof(below), "/limits/%zu%s", row, is_field ? "/field" : "");
    slu_policy_tell(work, below, "%s", err->text);
}

static bool compile_limits(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_arena *arena = &work->compiler->snapshot->arena;
    size_t bad_row;

    if (options->n_limits == 0)
        return true;
    if (slu_policy_reads_bytes(options))
        slu_policy_tell(work, "/limits",
                        "a payload read as bytes is not looked into, so it has no limits");
    for (size_t start = 0; start < options->n_limits; start += bad_row + 1) {
        struct slu_err err = {0};
        const struct slu_limits *limits = slu_limits_compile(
            options->limits + start, options->n_limits - start, arena, &bad_row, &err);
        if (limits != NULL) {
            work->policy->limits = limits;
            return true;
        }
        if (err.kind == SLU_ENOMEM)
            return false;
        tell_row(work, start + bad_row, &err);
    }
    return true;
}

static bool compile_timestamp(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_arena *arena = &work->compiler->snapshot->arena;
    struct slu_timestamp *timestamp = slu_arena_alloc(arena, sizeof(*timestamp));
    struct slu_err err = {0};

    if (!options->has_timestamp || timestamp == NULL)
        return timestamp != NULL;
    if (slu_policy_reads_bytes(options))
        slu_policy_tell(work, "/timestamp",
                        "a payload read as bytes is not looked into, so it has no timestamp");
    timestamp->unit = options->timestamp_unit;
    if (slu_pointer_compile(options->timestamp_field, arena, &timestamp->field, &err) == 0)
        work->policy->timestamp = timestamp;
    else if (err.kind == SLU_ENOMEM)
        return false;
    else
        slu_policy_tell(work, "/timestamp/field", "%s", err.text);
    return true;
}

/* ---- policies -------------------------------------------------------------------------------------- */

static bool compile_formats(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    size_t n = options->n_formats != 0 ? options->n_formats : 1;
    enum slu_format *formats =
        slu_arena_array(&work->compiler->snapshot->arena, n, sizeof(*formats));

    if (formats == NULL)
        return false;
    formats[0] = SLU_FORMAT_JSON;
    for (size_t i = 0; i < options->n_formats; i++)
        formats[i] = options->formats[i];
    work->policy->formats = formats;
    work->policy->n_formats = n;
    for (size_t i = 0; i + 1 < n; i++) {
        char below[64];
        snprintf(below, sizeof(below), "/payload/%zu", i + 1);
        if (formats[i] == SLU_FORMAT_BYTES)
            slu_policy_tell(work, below,
                            "is never reached: bytes reads everything, so it must be the last");
    }
    return true;
}

static bool compile_policy(struct slu_policy_compiler *compiler, size_t i)
{
    struct slu_policy_work work = {compiler, &compiler->options->policies[i],
                                   &compiler->policies[i], &compiler->topics[i], ""};
    struct slu_policy *policy = work.policy;

    if (work.options->pointer != NULL)
        snprintf(work.pointer, sizeof(work.pointer), "%s", work.options->pointer);
    else
        snprintf(work.pointer, sizeof(work.pointer), "/policies/%zu", i);
    policy->id = slu_arena_copy(&compiler->snapshot->arena, work.options->id);
    policy->index = (uint32_t)i;
    policy->mode = work.options->mode;
    policy->sinks = work.options->sinks;
    work.topics->options = work.options;
    work.topics->policy = policy;
    work.topics->pointer = slu_arena_copy(&compiler->scratch, slu_slice_of(work.pointer));
    if (policy->id == NULL || work.topics->pointer == NULL || !compile_topics(&work) ||
        !compile_formats(&work) || !slu_policy_compile_choice(&work) || !compile_limits(&work) ||
        !compile_timestamp(&work) || !slu_policy_compile_action(&work))
        return false;
    slu_policy_warn_of_loss(&work);
    return true;
}

static void policy_twice(struct slu_policy_compiler *compiler, size_t first, size_t again)
{
    const struct slu_policy_options *policies = compiler->options->policies;
    char text[256];

    snprintf(text, sizeof(text), "policy \"%s\" is here twice; the first is in line %u",
             compiler->policies[again].id,
             policies[first].place != NULL ? policies[first].place->line : 0);
    slu_policy_tell_at(compiler->problems, false, policies[again].place,
                       compiler->topics[again].pointer, "/id", text);
}

static bool compile_policies(struct slu_policy_compiler *compiler)
{
    size_t n = compiler->options->n_policies;
    struct slu_snapshot *snapshot = compiler->snapshot;
    struct slu_policy_name *names = slu_arena_array(&compiler->scratch, n + 1, sizeof(*names));

    compiler->policies = slu_arena_array(&snapshot->arena, n + 1, sizeof(struct slu_policy));
    compiler->readings = slu_arena_array(&snapshot->arena, n + 1, sizeof(*compiler->readings));
    snapshot->readings = compiler->readings;
    compiler->topics = slu_arena_array(&compiler->scratch, n + 1, sizeof(struct slu_policy_topics));
    if (names == NULL || compiler->policies == NULL || compiler->topics == NULL ||
        compiler->readings == NULL)
        return false;
    snapshot->policies = compiler->policies;
    snapshot->n_policies = n;
    for (size_t i = 0; i < n; i++) {
        if (!compile_policy(compiler, i))
            return false;
        names[i] = (struct slu_policy_name){compiler->policies[i].id, i};
    }
    slu_policy_check_unique(compiler, names, n, policy_twice);
    return true;
}

/* ---- all of it together ---------------------------------------------------------------------------- */

static bool compile_matcher(struct slu_policy_compiler *compiler)
{
    struct slu_snapshot *snapshot = compiler->snapshot;
    size_t n_rows = 0, row = 0;

    for (size_t i = 0; i < snapshot->n_policies; i++)
        n_rows += compiler->topics[i].n_filters + compiler->topics[i].n_excludes;
    struct slu_matcher_row *rows = slu_arena_array(&compiler->scratch, n_rows + 1, sizeof(*rows));
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < snapshot->n_policies; i++) {
        const struct slu_policy_topics *topics = &compiler->topics[i];
        if (topics->policy->mode == SLU_MODE_OFF)
            continue;
        for (size_t f = 0; f < topics->n_filters; f++)
            rows[row++] = (struct slu_matcher_row){topics->filters[f], (uint32_t)i, false};
        for (size_t e = 0; e < topics->n_excludes; e++)
            rows[row++] = (struct slu_matcher_row){topics->excludes[e], (uint32_t)i, true};
    }
    snapshot->matcher = slu_matcher_compile(rows, row, &snapshot->arena);
    return snapshot->matcher != NULL;
}

static void check_together(struct slu_policy_compiler *compiler)
{
    size_t n = 0;

    for (size_t i = 0; i < compiler->snapshot->n_policies; i++)
        if (compiler->policies[i].mode != SLU_MODE_OFF)
            compiler->topics[n++] = compiler->topics[i];
    slu_policy_topics_check(compiler->topics, n, &compiler->scratch, compiler->problems);
}

static bool compile(struct slu_policy_compiler *compiler)
{
    struct slu_snapshot *snapshot = compiler->snapshot;

    snapshot->instance = slu_arena_copy(&snapshot->arena, compiler->options->instance);
    snapshot->max_payload = compiler->options->max_payload;
    if (snapshot->instance == NULL || !slu_policy_compile_schemas(compiler) ||
        !compile_policies(compiler) || !compile_matcher(compiler))
        return false;
    check_together(compiler);
    return true;
}

static void no_memory(struct slu_policy_compiler *compiler)
{
    slu_problems_error(compiler->problems, NULL, 0, 0, NULL, "no memory for the configuration");
}

struct slu_snapshot *slu_snapshot_compile(const struct slu_snapshot_options *options,
                                          struct slu_problems *problems)
{
    struct slu_policy_compiler compiler = {.options = options, .problems = problems};
    size_t errors = problems->n_errors;

    compiler.snapshot = calloc(1, sizeof(*compiler.snapshot));
    if (compiler.snapshot == NULL) {
        no_memory(&compiler);
        return NULL;
    }
    slu_arena_init(&compiler.snapshot->arena, ARENA_MAX_BYTES);
    slu_arena_init(&compiler.scratch, ARENA_MAX_BYTES);
    if (!compile(&compiler))
        no_memory(&compiler);
    slu_arena_fini(&compiler.scratch);
    if (problems->n_errors == errors && !compiler.has_broken)
        return compiler.snapshot;
    slu_snapshot_free(compiler.snapshot);
    return NULL;
}

void slu_snapshot_free(struct slu_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->n_schemas; i++)
        slu_schema_free(snapshot->schemas[i]);
    for (size_t i = 0; i < snapshot->n_avro_schemas; i++)
        slu_avro_schema_free(snapshot->avro_schemas[i]);
    slu_arena_fini(&snapshot->arena);
    free(snapshot);
}
