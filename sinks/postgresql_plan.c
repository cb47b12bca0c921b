/* postgresql_plan.c -- see postgresql_plan.h; reads a sink's section.
 *
 * config.schema.json has looked at kinds and words before; what it cannot say is said here, and a
 * section that came another way does no harm either.
 */
#include "sinks/postgresql_plan.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_NS     (10 * SLU_NS_PER_S)
#define TIMEOUT_MIN_NS (1 * SLU_NS_PER_S)
#define TIMEOUT_MAX_NS (600 * SLU_NS_PER_S)

const char *const slu_pg_type_names[SLU_PG_TYPES] = {
    [SLU_PG_TEXT] = "text",
    [SLU_PG_BOOLEAN] = "boolean",
    [SLU_PG_SMALLINT] = "smallint",
    [SLU_PG_INTEGER] = "integer",
    [SLU_PG_BIGINT] = "bigint",
    [SLU_PG_REAL] = "real",
    [SLU_PG_FLOAT8] = "float8",
    [SLU_PG_NUMERIC] = "numeric",
    [SLU_PG_TIMESTAMPTZ] = "timestamptz",
    [SLU_PG_JSONB] = "jsonb",
    [SLU_PG_BYTEA] = "bytea",
    [SLU_PG_UUID] = "uuid",
};

const char *const slu_pg_type_sql[SLU_PG_TYPES] = {
    [SLU_PG_TEXT] = "text",
    [SLU_PG_BOOLEAN] = "boolean",
    [SLU_PG_SMALLINT] = "smallint",
    [SLU_PG_INTEGER] = "integer",
    [SLU_PG_BIGINT] = "bigint",
    [SLU_PG_REAL] = "real",
    [SLU_PG_FLOAT8] = "double precision",
    [SLU_PG_NUMERIC] = "numeric",
    [SLU_PG_TIMESTAMPTZ] = "timestamptz",
    [SLU_PG_JSONB] = "jsonb",
    [SLU_PG_BYTEA] = "bytea",
    [SLU_PG_UUID] = "uuid",
};

/* The table of layout `messages`, column by column; sluice ddl prints it. */
static const struct slu_pg_column messages[] = {
    {.name = "id", .type = SLU_PG_UUID, .from = SLU_PG_FROM_ID, .not_null = true},
    {.name = "received_at",
     .type = SLU_PG_TIMESTAMPTZ,
     .from = SLU_PG_FROM_RECEIVED_AT,
     .not_null = true},
    {.name = "event_at",
     .type = SLU_PG_TIMESTAMPTZ,
     .from = SLU_PG_FROM_EVENT_AT,
     .not_null = true},
    {.name = "instance", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_INSTANCE, .not_null = true},
    {.name = "kind", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_KIND, .not_null = true},
    {.name = "topic", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_TOPIC, .not_null = true},
    {.name = "client_id", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_CLIENT_ID},
    {.name = "username", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_USERNAME},
    {.name = "qos", .type = SLU_PG_SMALLINT, .from = SLU_PG_FROM_QOS, .not_null = true},
    {.name = "retain", .type = SLU_PG_BOOLEAN, .from = SLU_PG_FROM_RETAIN, .not_null = true},
    {.name = "policy", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_POLICY, .not_null = true},
    {.name = "schema", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_SCHEMA},
    {.name = "quality", .type = SLU_PG_SMALLINT, .from = SLU_PG_FROM_QUALITY, .not_null = true},
    {.name = "user_properties", .type = SLU_PG_JSONB, .from = SLU_PG_FROM_PROPERTIES},
    {.name = "payload", .type = SLU_PG_JSONB, .from = SLU_PG_FROM_PAYLOAD_JSON},
    {.name = "payload_raw", .type = SLU_PG_BYTEA, .from = SLU_PG_FROM_PAYLOAD_RAW},
};
static const struct slu_pg_column samples[] = {
    {.name = "ts", .type = SLU_PG_TIMESTAMPTZ, .from = SLU_PG_FROM_EVENT_AT, .not_null = true},
    {.name = "tag", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_TAG, .not_null = true},
    {.name = "value", .type = SLU_PG_FLOAT8, .from = SLU_PG_FROM_SAMPLE_VALUE},
    {.name = "text", .type = SLU_PG_TEXT, .from = SLU_PG_FROM_SAMPLE_TEXT},
    {.name = "quality", .type = SLU_PG_SMALLINT, .from = SLU_PG_FROM_QUALITY, .not_null = true},
    {.name = "id", .type = SLU_PG_UUID, .from = SLU_PG_FROM_ID, .not_null = true},
};

static const struct {
    const char *word;
    const struct slu_pg_column *columns; /* NULL: the section's */
    size_t n_columns;
    const char *table; /* by default */
} layouts[] = {
    [SLU_PG_MESSAGES] = {"messages", messages, sizeof(messages) / sizeof(messages[0]),
                         "sluice.messages"},
    [SLU_PG_COLUMNS] = {"columns", NULL, 0, NULL},
    [SLU_PG_NARROW] = {"narrow", samples, sizeof(samples) / sizeof(samples[0]), "sluice.samples"},
};

/* What `${…}` may say in `from`. */
static const struct {
    const char *word;
    enum slu_pg_from from;
} variables[] = {
    {"${topic}", SLU_PG_FROM_TOPIC},
    {"${client_id}", SLU_PG_FROM_CLIENT_ID},
    {"${username}", SLU_PG_FROM_USERNAME},
    {"${policy}", SLU_PG_FROM_POLICY},
    {"${instance}", SLU_PG_FROM_INSTANCE},
    {"${id}", SLU_PG_FROM_ID},
    {"${received_at}", SLU_PG_FROM_RECEIVED_AT},
    {"${event_at}", SLU_PG_FROM_EVENT_AT},
    {"${qos}", SLU_PG_FROM_QOS},
    {"${retain}", SLU_PG_FROM_RETAIN},
    {"${quality}", SLU_PG_FROM_QUALITY},
    {"${payload}", SLU_PG_FROM_PAYLOAD},
};

static const char *const unit_words[] = {
    [SLU_PG_MILLISECONDS] = "ms",
    [SLU_PG_SECONDS] = "s",
    [SLU_PG_MICROSECONDS] = "us",
    [SLU_PG_NANOSECONDS] = "ns",
};

struct reading {
    struct slu_arena *arena;
    struct slu_pg_plan *plan;
    struct slu_problems *problems;
    const struct slu_node *section;
    bool has_failed;
};

__attribute__((format(printf, 3, 4))) static void
tell(struct reading *reading, const struct slu_node *node, const char *format, ...)
{
    char text[400];
    va_list args;
    if (node == NULL)
        node = reading->section;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    slu_problems_error(reading->problems, node != NULL ? node->file : NULL,
                       node != NULL ? node->line : 0, node != NULL ? node->column : 0, NULL, "%s",
                       text);
    reading->has_failed = true;
}

/* The index of a word in a list; -1: none of them. */
static int word_index(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, words[i]) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_identifier(struct slu_slice name)
{
    return name.len > 0 && name.len <= SLU_PG_MAX_NAME && memchr(name.data, '\0', name.len) == NULL;
}

/* ---- the table --------------------------------------------------------------------------------------- */

/* One part of "schema.table" or "\"My.Schema\".table": a name as it is, or in quotes. */
static bool take_name(struct slu_slice *rest, struct slu_arena *arena, const char **name)
{
    char part[SLU_PG_MAX_NAME + 1];
    size_t n = 0, at = 0;
    const bool is_quoted = rest->len > 0 && rest->data[0] == '"';

    for (at = is_quoted; at < rest->len; at++) {
        const char c = rest->data[at];
        if (is_quoted && c == '"') {
            if (at + 1 == rest->len || rest->data[at + 1] != '"')
                break;
            at++;
        } else if (!is_quoted && c == '.') {
            break;
        }
        if (n == sizeof(part) - 1)
            return false;
        part[n++] = c;
    }
    if (is_quoted && at++ >= rest->len)
        return false;
    *rest = slu_slice(rest->data + at, rest->len - at);
    *name = slu_arena_copy(arena, slu_slice(part, n));
    return *name != NULL && is_identifier(slu_slice(part, n));
}

static bool split_table(struct slu_slice text, struct slu_arena *arena, struct slu_pg_plan *plan)
{
    plan->schema = NULL;
    if (!take_name(&text, arena, &plan->table))
        return false;
    if (text.len == 0)
        return true;
    if (text.data[0] != '.')
        return false;
    text = slu_slice(text.data + 1, text.len - 1);
    plan->schema = plan->table;
    return take_name(&text, arena, &plan->table) && text.len == 0;
}

static void read_table(struct reading *reading)
{
    struct slu_pg_plan *plan = reading->plan;
    const struct slu_node *node = slu_node_get(reading->section, "table");
    const char *text = slu_node_text(node, layouts[plan->layout].table);
    struct slu_buf quoted;

    if (text == NULL) {
        tell(reading, NULL, "layout columns needs a table");
        return;
    }
    if (!split_table(slu_slice_of(text), reading->arena, plan)) {
        tell(reading, node, "table: write table or schema.table; names have at most %d bytes",
             SLU_PG_MAX_NAME);
        return;
    }
    slu_buf_init(&quoted, 1024);
    if (plan->schema != NULL) {
        slu_pg_quote(&quoted, plan->schema);
        slu_buf_add_char(&quoted, '.');
    }
    slu_pg_quote(&quoted, plan->table);
    plan->quoted = slu_arena_copy(reading->arena, slu_buf_slice(&quoted));
    plan->plain =
        slu_arena_printf(reading->arena, "%s%s%s", plan->schema != NULL ? plan->schema : "",
                         plan->schema != NULL ? "." : "", plan->table);
    slu_buf_fini(&quoted);
    if (plan->quoted == NULL || plan->plain == NULL)
        tell(reading, node, "no memory for the table's name");
}

/* ---- columns ----------------------------------------------------------------------------------------- */

static bool is_level_name(struct slu_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.data[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

static bool read_variable(struct slu_slice text, struct slu_pg_column *column)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (!slu_slice_equal(text, slu_slice_of(variables[i].word)))
            continue;
        column->from = variables[i].from;
        return true;
    }
    return false;
}

static void read_from(struct reading *reading, const struct slu_node *map,
                      struct slu_pg_column *column)
{
    const struct slu_node *node = slu_node_get(map, "from");
    const struct slu_slice text = slu_slice_of(slu_node_text(node, ""));
    struct slu_err err = {0};

    if (text.len > 0 && text.data[0] == '/') {
        column->from = SLU_PG_FROM_POINTER;
        if (slu_pointer_compile(text, reading->arena, &column->pointer, &err) != 0)
            tell(reading, node, "from: %s", err.text);
        return;
    }
    if (text.len > 2 && text.data[0] == '{' && text.data[text.len - 1] == '}') {
        size_t n = text.len - 2;
        n -= text.data[1 + n - 1] == '#'; /* {rest#} is the level {rest} */
        column->from = SLU_PG_FROM_LEVEL;
        column->level = slu_slice_of(slu_arena_copy(reading->arena, slu_slice(text.data + 1, n)));
        if (is_level_name(column->level))
            return;
    }
    if (!read_variable(text, column))
        tell(reading, node != NULL ? node : map,
             "column %s: from must be a /pointer, a {level}, or one of ${topic}, ${client_id}, "
             "${username}, ${policy}, ${instance}, ${id}, ${received_at}, ${event_at}, ${qos}, "
             "${retain}, ${quality}, ${payload}",
             column->name);
}

static void read_column(struct reading *reading, const struct slu_node_pair *pair,
                        struct slu_pg_column *column)
{
    const struct slu_node *map = pair->value;
    const struct slu_node *type = slu_node_get(map, "type");
    const struct slu_node *unit = slu_node_get(map, "unit");
    const struct slu_node *on_error = slu_node_get(map, "on_error");

    column->name = slu_arena_copy(reading->arena, pair->key);
    if (column->name == NULL || !is_identifier(pair->key)) {
        column->name = "?";
        tell(reading, map, "columns: a name has 1 to %d bytes", SLU_PG_MAX_NAME);
    }
    read_from(reading, map, column);
    const int type_index = word_index(slu_node_text(type, ""), slu_pg_type_names, SLU_PG_TYPES);
    if (type_index < 0)
        tell(reading, type != NULL ? type : map,
             "column %s: type must be one of text, boolean, smallint, integer, bigint, real, "
             "float8, numeric, timestamptz, jsonb, bytea, uuid",
             column->name);
    column->type = (enum slu_pg_type)(type_index < 0 ? 0 : type_index);
    const int unit_index = word_index(slu_node_text(unit, "ms"), unit_words,
                                      sizeof(unit_words) / sizeof(unit_words[0]));
    if (unit_index < 0)
        tell(reading, unit, "column %s: unit must be s, ms, us or ns", column->name);
    column->unit = (enum slu_pg_unit)(unit_index < 0 ? 0 : unit_index);
    column->null_on_error = /* YAML reads the word null as no value at all */
        on_error != NULL &&
        (on_error->kind == SLU_NODE_NULL || strcmp(slu_node_text(on_error, ""), "null") == 0);
}

/* YAML's keys are unique, but sluice_id may have been taken. */
static void read_columns(struct reading *reading)
{
    struct slu_pg_plan *plan = reading->plan;
    const struct slu_node *map = slu_node_get(reading->section, "columns");
    const bool has_id = slu_node_bool(slu_node_get(reading->section, "id_column"), true);
    const size_t n = map != NULL && map->kind == SLU_NODE_MAP ? map->n : 0;

    if (n == 0 || n + has_id > SLU_PG_MAX_COLUMNS) {
        tell(reading, map, "layout columns needs columns, 1 to %d of them",
             SLU_PG_MAX_COLUMNS - has_id);
        return;
    }
    struct slu_pg_column *columns = slu_arena_array(reading->arena, n + has_id, sizeof(columns[0]));
    if (columns == NULL) {
        tell(reading, map, "no memory for %zu columns", n);
        return;
    }
    if (has_id)
        columns[0] = (struct slu_pg_column){
            .name = "sluice_id", .type = SLU_PG_UUID, .from = SLU_PG_FROM_ID, .not_null = true};
    for (size_t i = 0; i < n; i++) {
        read_column(reading, &map->pairs[i], &columns[i + has_id]);
        if (has_id && strcmp(columns[i + has_id].name, "sluice_id") == 0)
            tell(reading, map->pairs[i].value,
                 "columns: sluice_id is added by itself; write id_column: false to map it");
    }
    plan->columns = columns;
    plan->n_columns = n + has_id;
}

static void read_values(struct reading *reading)
{
    const struct slu_node *list = slu_node_get(reading->section, "values");
    if (list == NULL || list->kind != SLU_NODE_LIST)
        return;
    struct slu_pointer *values = slu_arena_array(reading->arena, list->n + 1, sizeof(values[0]));
    for (size_t i = 0; values != NULL && i < list->n; i++) {
        struct slu_err err = {0};
        if (slu_pointer_compile(slu_slice_of(slu_node_text(list->items[i], "")), reading->arena,
                                &values[i], &err) != 0)
            tell(reading, list->items[i], "values: %s", err.text);
    }
    if (values == NULL)
        tell(reading, list, "no memory for values");
    reading->plan->values = values;
    reading->plan->n_values = list->n;
}

/* ---- all of it --------------------------------------------------------------------------------------- */

/* Options that belong to one layout. */
static void refuse_foreign(struct reading *reading)
{
    static const struct {
        const char *key;
        enum slu_pg_layout layout;
    } owned[] = {
        {"columns", SLU_PG_COLUMNS}, {"id_column", SLU_PG_COLUMNS}, {"values", SLU_PG_NARROW}};

    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
        const struct slu_node *node = slu_node_get(reading->section, owned[i].key);
        if (node != NULL && owned[i].layout != reading->plan->layout)
            tell(reading, node, "%s belongs to layout %s; this sink's is %s", owned[i].key,
                 layouts[owned[i].layout].word, layouts[reading->plan->layout].word);
    }
}

static void read_layout(struct reading *reading)
{
    const struct slu_node *node = slu_node_get(reading->section, "layout");
    const char *word = slu_node_text(node, "messages");
    size_t layout = 0;

    while (layout < sizeof(layouts) / sizeof(layouts[0]) && strcmp(word, layouts[layout].word) != 0)
        layout++;
    if (layout == sizeof(layouts) / sizeof(layouts[0])) {
        tell(reading, node, "layout must be messages, columns or narrow");
        layout = SLU_PG_MESSAGES;
    }
    reading->plan->layout = (enum slu_pg_layout)layout;
    reading->plan->columns = layouts[layout].columns;
    reading->plan->n_columns = layouts[layout].n_columns;
}

static void read_connection(struct reading *reading)
{
    struct slu_pg_plan *plan = reading->plan;
    const struct slu_node *conninfo = slu_node_get(reading->section, "conninfo");
    const struct slu_node *password = slu_node_get(reading->section, "password_file");
    const struct slu_node *timeout = slu_node_get(reading->section, "timeout");

    plan->conninfo = slu_arena_copy(reading->arena, slu_slice_of(slu_node_text(conninfo, "")));
    plan->conninfo_secret = conninfo != NULL && conninfo->secret;
    if (password != NULL)
        plan->password_file =
            slu_arena_copy(reading->arena, slu_slice_of(slu_node_text(password, "")));
    if (plan->conninfo == NULL || (password != NULL && plan->password_file == NULL))
        tell(reading, conninfo, "no memory for conninfo");
    plan->create = slu_node_bool(slu_node_get(reading->section, "create"), false);
    plan->timeout_ns = slu_node_duration_ns(timeout, TIMEOUT_NS);
    if (plan->timeout_ns < TIMEOUT_MIN_NS || plan->timeout_ns > TIMEOUT_MAX_NS)
        tell(reading, timeout, "timeout must be 1s to 10m");
}

int slu_pg_plan_read(const struct slu_node *section, struct slu_arena *arena,
                     struct slu_pg_plan *plan, struct slu_problems *problems)
{
    struct reading reading = {
        .arena = arena, .plan = plan, .problems = problems, .section = section};

    *plan = (struct slu_pg_plan){0};
    read_connection(&reading);
    read_layout(&reading);
    refuse_foreign(&reading);
    read_table(&reading);
    if (plan->layout == SLU_PG_COLUMNS)
        read_columns(&reading);
    if (plan->layout == SLU_PG_NARROW)
        read_values(&reading);
    return reading.has_failed ? -1 : 0;
}

/* ---- SQL text ----------------------------------------------------------------------------------------- */

bool slu_pg_quote(struct slu_buf *out, const char *name)
{
    slu_buf_add_char(out, '"');
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '"')
            slu_buf_add_char(out, '"');
        slu_buf_add_char(out, *at);
    }
    return slu_buf_add_char(out, '"');
}

/* With a backslash inside only the E'' form means the same under every setting. */
bool slu_pg_quote_literal(struct slu_buf *out, const char *text)
{
    slu_buf_add_text(out, strchr(text, '\\') != NULL ? " E'" : "'");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            slu_buf_add_char(out, *at);
        slu_buf_add_char(out, *at);
    }
    return slu_buf_add_char(out, '\'');
}

bool slu_pg_plan_column_list(const struct slu_pg_plan *plan, struct slu_buf *out)
{
    for (size_t i = 0; i < plan->n_columns; i++) {
        if (i > 0)
            slu_buf_add_text(out, ", ");
        slu_pg_quote(out, plan->columns[i].name);
    }
    return !out->failed;
}
