/* policy.c -- see policy.h. Compiling goes through the whole configuration and tells everything that
 * is wrong with it, not just the first thing:
 *
 *   schemas ──▶ each policy: id, topics, formats, schema, limits, templates ──▶ matcher ──▶ the laws
 *                                                                              over all (policy_topics.c)
 *
 * A policy that is off is checked like the others, but owns no topic.
 */
#include "validation/policy.h"

#include "base/nearest.h"
#include "validation/json_schema/schema.h"
#include "validation/policy_topics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX_BYTES ((size_t)1 << 30)
#define DEFAULT_REROUTE SLU_SLICE("sluice/violations/${policy}/${topic}")

/* What a reroute or publish topic may ask for; tag and limit are an alarm's. */
#define TOPIC_VARIABLES                                                                \
    (SLU_VARIABLE_BIT(SLU_VARIABLE_TOPIC) | SLU_VARIABLE_BIT(SLU_VARIABLE_CLIENT_ID) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_USERNAME) | SLU_VARIABLE_BIT(SLU_VARIABLE_POLICY) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_CODE) | SLU_VARIABLE_BIT(SLU_VARIABLE_INSTANCE) |   \
     SLU_VARIABLE_BIT(SLU_VARIABLE_PAYLOAD))

const char *const slu_mode_names[3] = {"enforce", "monitor", "off"};
const char *const slu_action_names[4] = {"reroute", "drop", "disconnect", "pass"};

struct compiler {
    const struct slu_snapshot_options *options;
    struct slu_problems *problems;
    struct slu_snapshot *snapshot;
    struct slu_policy *policies;                 /* snapshot->policies while they are made */
    struct slu_policy_topics *topics;            /* by policy */
    char **schema_names;                         /* "oven:1", by place in options->schemas */
    const struct slu_schema **schemas;           /* likewise; NULL: broken, or Avro */
    const struct slu_avro_schema **avro_schemas; /* likewise; NULL: broken, or JSON Schema */
    struct slu_avro_choice *readings;            /* snapshot->readings while they are made */
    bool has_broken;                             /* some schema's errors were told before */
    struct slu_arena scratch;                    /* gone when compile returns */
};

/* One policy while it is compiled. */
struct work {
    struct compiler *compiler;
    const struct slu_policy_options *options;
    struct slu_policy *policy;
    struct slu_policy_topics *topics;
    char pointer[128]; /* "/policies/3" */
};

/* ---- problems and their places ------------------------------------------------------------------- */

static void tell_at(struct slu_problems *problems, bool is_warning, const struct slu_node *place,
                    const char *pointer, const char *below, const char *text)
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

__attribute__((format(printf, 3, 4))) static void tell(struct work *work, const char *below,
                                                       const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    tell_at(work->compiler->problems, false, work->options->place, work->pointer, below, text);
}

static void no_memory(struct compiler *compiler)
{
    slu_problems_error(compiler->problems, NULL, 0, 0, NULL, "no memory for the configuration");
}

/* ---- schemas --------------------------------------------------------------------------------------- */

static void schema_pointer(const struct slu_schema_source *source, size_t i, char *out, size_t size)
{
    if (source->pointer != NULL)
        snprintf(out, size, "%s", source->pointer);
    else
        snprintf(out, size, "/schemas/%zu", i);
}

/* qsort has no context: the names travel with the places. */
struct named {
    const char *name;
    size_t i;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

/* Tells of each of `n` names that an earlier one has too. */
static void check_unique(struct compiler *compiler, struct named *names, size_t n,
                         void (*found)(struct compiler *compiler, size_t first, size_t again))
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

static void schema_twice(struct compiler *compiler, size_t first, size_t again)
{
    const struct slu_schema_source *sources = compiler->options->schemas;
    char pointer[128], text[256];

    schema_pointer(&sources[again], again, pointer, sizeof(pointer));
    snprintf(text, sizeof(text), "schema \"%s\" is here twice; the first is in line %u",
             compiler->schema_names[again],
             sources[first].place != NULL ? sources[first].place->line : 0);
    tell_at(compiler->problems, false, sources[again].place, pointer, "/id", text);
}

static bool compile_avro_schema(struct compiler *compiler, size_t i)
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

/* One schema; its own errors have their places in its own file. */
static bool compile_schema(struct compiler *compiler, size_t i)
{
    const struct slu_schema_source *source = &compiler->options->schemas[i];
    struct slu_snapshot *snapshot = compiler->snapshot;

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

static bool compile_schemas(struct compiler *compiler)
{
    size_t n = compiler->options->n_schemas;
    struct named *names = slu_arena_array(&compiler->scratch, n + 1, sizeof(*names));

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
        names[i] = (struct named){compiler->schema_names[i], i};
    }
    check_unique(compiler, names, n, schema_twice);
    return true;
}

/* ---- topics ---------------------------------------------------------------------------------------- */

static bool compile_filters(struct work *work, const struct slu_slice *texts, size_t n,
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
        tell(work, below, "%s", err.text);
    }
    return true;
}

static bool compile_topics(struct work *work)
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

/* ---- schema and limits ----------------------------------------------------------------------------- */

static bool reads(const struct slu_policy_options *options, enum slu_format format)
{
    for (size_t i = 0; i < options->n_formats; i++)
        if (options->formats[i] == format)
            return true;
    return false;
}

static bool reads_bytes(const struct slu_policy_options *options)
{
    return reads(options, SLU_FORMAT_BYTES);
}

/* The place of a schema's name, -1: unknown. */
static ptrdiff_t find_schema(const struct compiler *compiler, struct slu_slice name)
{
    for (size_t i = 0; i < compiler->options->n_schemas; i++)
        if (slu_slice_equal(slu_slice_of(compiler->schema_names[i]), name))
            return (ptrdiff_t)i;
    return -1;
}

static void unknown_schema(struct work *work, const char *below, struct slu_slice name)
{
    const struct compiler *compiler = work->compiler;
    const char *nearest = slu_nearest(name, (const char *const *)compiler->schema_names,
                                      compiler->options->n_schemas);

    if (nearest != NULL)
        tell(work, below, "there is no schema \"%.*s\", did you mean \"%s\"?", SLU_SLICE_ARG(name),
             nearest);
    else if (compiler->options->n_schemas == 0)
        tell(work, below, "there is no schema \"%.*s\": the configuration has no schemas",
             SLU_SLICE_ARG(name));
    else
        tell(work, below, "there is no schema \"%.*s\"", SLU_SLICE_ARG(name));
}

static bool is_same_choice(const struct slu_avro_choice *a, const struct slu_avro_choice *b)
{
    return a->framing == b->framing && a->n == b->n &&
           memcmp(a->schemas, b->schemas, a->n * sizeof(a->schemas[0])) == 0;
}

/* Policies that read in the same way share the reading, so that a message is read once for them. */
static void add_reading(struct work *work, const struct slu_avro_choice *choice)
{
    struct compiler *compiler = work->compiler;
    struct slu_snapshot *snapshot = compiler->snapshot;
    uint32_t at = 0;

    while (at < snapshot->n_readings && !is_same_choice(&compiler->readings[at], choice))
        at++;
    if (at == snapshot->n_readings)
        compiler->readings[snapshot->n_readings++] = *choice;
    work->policy->reading = at;
}

/* Avro among the formats needs Avro among the schemas, and the other way round. */
static void compile_reading(struct work *work, const struct slu_avro_choice *choice, size_t n_json,
                            bool some_broken)
{
    const struct slu_policy_options *options = work->options;
    const bool wants = reads(options, SLU_FORMAT_AVRO);

    if (!wants && slu_node_get(options->place, "framing") != NULL)
        tell(work, "/framing", "is how Avro is framed, and the payload is not avro");
    if (!wants && choice->n != 0)
        tell(work, "/schema", "\"%s\" is an Avro schema: it needs `payload: avro`",
             slu_avro_schema_name(choice->schemas[0]));
    else if (wants && choice->n == 0 && !some_broken)
        tell(work, "/payload",
             "an Avro payload is read with its schema: `schema` names none of type avro");
    else if (wants && choice->n > 1 && !options->any_schema)
        tell(work, "/schema", "a message is written with one Avro schema: use any_of for several");
    else if (wants && choice->n != 0 && options->any_schema && n_json != 0)
        tell(work, "/schema",
             "any_of cannot have both Avro and JSON Schemas: one says how to "
             "read, the other what must hold");
    else if (wants && choice->n != 0)
        add_reading(work, choice);
}

static bool compile_choice(struct work *work)
{
    const struct slu_policy_options *options = work->options;
    const struct slu_schema **schemas =
        slu_arena_array(&work->compiler->snapshot->arena, options->n_schemas + 1, sizeof(*schemas));
    const struct slu_node *place = slu_node_get(options->place, "schema");
    bool is_name = place == NULL || place->kind == SLU_NODE_STRING, some_broken = false;
    const struct slu_avro_schema **avro =
        slu_arena_array(&work->compiler->snapshot->arena, options->n_schemas + 1, sizeof(*avro));
    size_t n = 0, n_avro = 0;

    if (schemas == NULL || avro == NULL)
        return false;
    for (size_t i = 0; i < options->n_schemas; i++) {
        ptrdiff_t at = find_schema(work->compiler, options->schemas[i]);
        char below[64];
        snprintf(below, sizeof(below), "/schema/%s/%zu", options->any_schema ? "any_of" : "all_of",
                 i);
        if (at < 0)
            unknown_schema(work, is_name ? "/schema" : below, options->schemas[i]);
        else if (work->compiler->avro_schemas[at] != NULL)
            avro[n_avro++] = work->compiler->avro_schemas[at];
        else
            schemas[n++] = work->compiler->schemas[at];
        some_broken |= at < 0 || (work->compiler->schemas[at] == NULL &&
                                  work->compiler->avro_schemas[at] == NULL);
    }
    compile_reading(
        work, &(struct slu_avro_choice){.schemas = avro, .n = n_avro, .framing = options->framing},
        n, some_broken);
    work->policy->schema = (struct slu_schema_choice){options->any_schema, n, schemas};
    if (options->n_schemas != 0 && reads_bytes(options))
        tell(work, "/schema",
             "a payload read as bytes is not looked into, so no schema can judge it");
    return true;
}

static bool compile_limits(struct work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_arena *arena = &work->compiler->snapshot->arena;
    size_t bad_row;

    if (options->n_limits == 0)
        return true;
    if (reads_bytes(options))
        tell(work, "/limits", "a payload read as bytes is not looked into, so it has no limits");
    for (size_t start = 0; start < options->n_limits; start += bad_row + 1) {
        struct slu_err err = {0};
        char below[64];
        const struct slu_limits *limits = slu_limits_compile(
            options->limits + start, options->n_limits - start, arena, &bad_row, &err);
        if (limits != NULL) {
            work->policy->limits = limits;
            return true;
        }
        if (err.kind == SLU_ENOMEM)
            return false;
        snprintf(below, sizeof(below), "/limits/%zu", start + bad_row);
        tell(work, below, "%s", err.text);
    }
    return true;
}

static bool compile_timestamp(struct work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_arena *arena = &work->compiler->snapshot->arena;
    struct slu_timestamp *timestamp = slu_arena_alloc(arena, sizeof(*timestamp));
    struct slu_err err = {0};

    if (!options->has_timestamp || timestamp == NULL)
        return timestamp != NULL;
    if (reads_bytes(options))
        tell(work, "/timestamp",
             "a payload read as bytes is not looked into, so it has no timestamp");
    timestamp->unit = options->timestamp_unit;
    if (slu_pointer_compile(options->timestamp_field, arena, &timestamp->field, &err) == 0)
        work->policy->timestamp = timestamp;
    else if (err.kind == SLU_ENOMEM)
        return false;
    else
        tell(work, "/timestamp/field", "%s", err.text);
    return true;
}

/* ---- reroute and publish --------------------------------------------------------------------------- */

/* Every level a template names must exist in every filter: which one matched is known too late. */
static void check_levels(struct work *work, const struct slu_template *pattern, const char *below)
{
    struct slu_slice name;

    for (size_t i = 0; slu_template_level(pattern, i, &name); i++) {
        for (size_t f = 0; f < work->topics->n_filters; f++) {
            const struct slu_topic_filter *filter = &work->topics->filters[f];
            bool found = false;
            for (size_t l = 0; l < filter->n_levels && !found; l++)
                found = filter->levels[l].kind != SLU_LEVEL_LITERAL &&
                        slu_slice_equal(filter->levels[l].text, name);
            if (found)
                continue;
            tell(work, below, "there is no level {%.*s} in \"%.*s\"", SLU_SLICE_ARG(name),
                 SLU_SLICE_ARG(filter->text));
            break;
        }
    }
}

/* Filled with something harmless: may the broker publish to what comes out? */
static bool check_literals(struct work *work, const struct slu_template *pattern, const char *below)
{
    const struct slu_template_values values = {.topic = SLU_SLICE("x")};
    struct slu_err err = {0};
    struct slu_buf topic, filter;
    bool good = false;

    slu_buf_init(&topic, SLU_TOPIC_MAX_BYTES);
    slu_buf_init(&filter, SLU_TOPIC_MAX_BYTES);
    if (slu_template_fill(pattern, SLU_TEMPLATE_TOPIC, &values, &topic) < 0)
        tell(work, below, "is longer than a topic may be");
    else if (!slu_topic_is_publishable(slu_buf_slice(&topic), &err))
        tell(work, below, "%s", err.text);
    else if (!slu_template_filter(pattern, &filter))
        tell(work, below, "a first level that begins with $ can have no value in it");
    else
        good = true;
    slu_buf_fini(&topic);
    slu_buf_fini(&filter);
    return good;
}

static bool compile_topic(struct work *work, struct slu_slice text, const char *below,
                          const struct slu_template **pattern)
{
    struct slu_err err = {0};

    *pattern = slu_template_parse(text, TOPIC_VARIABLES, &work->compiler->snapshot->arena, &err);
    if (*pattern == NULL && err.kind == SLU_ENOMEM)
        return false;
    if (*pattern == NULL) {
        tell(work, below, "%s", err.text);
        return true;
    }
    check_levels(work, *pattern, below);
    if (!check_literals(work, *pattern, below))
        *pattern = NULL;
    if (slu_slice_starts_with(text, SLU_SLICE("{")) ||
        slu_slice_starts_with(text, SLU_SLICE("${"))) {
        tell(work, below, "must begin with text of its own, not with a value");
        *pattern = NULL;
    }
    return true;
}

static bool compile_action(struct work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_policy *policy = work->policy;

    policy->action = options->action;
    policy->payload_original = options->payload_original;
    policy->violation_sinks = options->violation_sinks;
    if (options->payload_original && options->action != SLU_ACTION_REROUTE)
        tell(work, "/on_violation/payload", "only a rerouted message can keep its payload");
    if (options->action == SLU_ACTION_REROUTE &&
        !compile_topic(work, options->reroute.len != 0 ? options->reroute : DEFAULT_REROUTE,
                       "/on_violation/reroute", &policy->reroute))
        return false;
    return options->publish.len == 0 ||
           compile_topic(work, options->publish, "/on_violation/publish", &policy->publish);
}

/* Nothing is stored of a message that is taken away: that may be meant, but should be said. */
static void warn_of_loss(const struct work *work)
{
    const struct slu_policy *policy = work->policy;
    const struct slu_node *told = slu_node_get(work->options->place, "on_violation");
    const struct slu_node *to = slu_node_get(told, "to");
    char text[256];

    if (to != NULL && to->n != 0) /* of a name that is unknown was told already */
        return;
    if (policy->mode == SLU_MODE_OFF || policy->violation_sinks != 0 ||
        policy->action == SLU_ACTION_PASS)
        return;
    snprintf(text, sizeof(text),
             "violations of policy \"%s\" are %s and stored nowhere: on_violation has no `to`",
             policy->id, policy->action == SLU_ACTION_REROUTE ? "rerouted" : "taken away");
    tell_at(work->compiler->problems, true, work->options->place, work->pointer, "/on_violation",
            text);
}

/* ---- policies -------------------------------------------------------------------------------------- */

static bool compile_formats(struct work *work)
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
            tell(work, below, "is never reached: bytes reads everything, so it must be the last");
    }
    return true;
}

static bool compile_policy(struct compiler *compiler, size_t i)
{
    struct work work = {compiler, &compiler->options->policies[i], &compiler->policies[i],
                        &compiler->topics[i], ""};
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
        !compile_formats(&work) || !compile_choice(&work) || !compile_limits(&work) ||
        !compile_timestamp(&work) || !compile_action(&work))
        return false;
    warn_of_loss(&work);
    return true;
}

static void policy_twice(struct compiler *compiler, size_t first, size_t again)
{
    const struct slu_policy_options *policies = compiler->options->policies;
    char text[256];

    snprintf(text, sizeof(text), "policy \"%s\" is here twice; the first is in line %u",
             compiler->policies[again].id,
             policies[first].place != NULL ? policies[first].place->line : 0);
    tell_at(compiler->problems, false, policies[again].place, compiler->topics[again].pointer,
            "/id", text);
}

static bool compile_policies(struct compiler *compiler)
{
    size_t n = compiler->options->n_policies;
    struct slu_snapshot *snapshot = compiler->snapshot;
    struct named *names = slu_arena_array(&compiler->scratch, n + 1, sizeof(*names));

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
        names[i] = (struct named){compiler->policies[i].id, i};
    }
    check_unique(compiler, names, n, policy_twice);
    return true;
}

/* ---- all of it together ---------------------------------------------------------------------------- */

static bool compile_matcher(struct compiler *compiler)
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

static void check_together(struct compiler *compiler)
{
    size_t n = 0;

    for (size_t i = 0; i < compiler->snapshot->n_policies; i++)
        if (compiler->policies[i].mode != SLU_MODE_OFF)
            compiler->topics[n++] = compiler->topics[i];
    slu_policy_topics_check(compiler->topics, n, &compiler->scratch, compiler->problems);
}

static bool compile(struct compiler *compiler)
{
    struct slu_snapshot *snapshot = compiler->snapshot;

    snapshot->instance = slu_arena_copy(&snapshot->arena, compiler->options->instance);
    snapshot->max_payload = compiler->options->max_payload;
    if (snapshot->instance == NULL || !compile_schemas(compiler) || !compile_policies(compiler) ||
        !compile_matcher(compiler))
        return false;
    check_together(compiler);
    return true;
}

struct slu_snapshot *slu_snapshot_compile(const struct slu_snapshot_options *options,
                                          struct slu_problems *problems)
{
    struct compiler compiler = {.options = options, .problems = problems};
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
