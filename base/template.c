/* template.c -- see template.h for what a pattern means and how values are escaped.
 *
 * Compiled form: a row of parts; filling walks them once and allocates nothing but `out`.
 *
 *     alerts/{site}/${payload:/id}
 *     ├ literal  "alerts/"
 *     ├ level    "site"
 *     ├ literal  "/"
 *     └ payload  "/id"
 *
 * Threads: a compiled pattern never changes; any thread may fill from it.
 */
#include "base/template.h"

#include <stdint.h>

#define TEXT_MAX SLU_TOPIC_MAX_BYTES /* no pattern needs to be longer than what it makes */

enum part_kind { PART_LITERAL, PART_LEVEL, PART_VARIABLE };

struct part {
    enum part_kind kind;
    enum slu_variable variable;
    bool keeps_slashes;    /* ${topic}, {name#}: may write several levels */
    struct slu_slice text; /* literal: its bytes; level: its name; ${payload:…}: the pointer */
};

struct slu_template {
    struct slu_slice text; /* as written */
    const struct part *parts;
    size_t n_parts;
};

static const char *const variable_names[SLU_VARIABLES] = {
    [SLU_VARIABLE_TOPIC] = "topic",       [SLU_VARIABLE_CLIENT_ID] = "client_id",
    [SLU_VARIABLE_USERNAME] = "username", [SLU_VARIABLE_POLICY] = "policy",
    [SLU_VARIABLE_CODE] = "code",         [SLU_VARIABLE_INSTANCE] = "instance",
    [SLU_VARIABLE_TAG] = "tag",           [SLU_VARIABLE_LIMIT] = "limit",
    [SLU_VARIABLE_PAYLOAD] = "payload",
};

/* ---- parse ---- */

struct parser {
    struct slu_slice text;
    size_t at;
    unsigned allowed;
    struct slu_err *err;
};

/* "${topic}, ${policy}, ${payload:/pointer}" */
static void list_allowed(unsigned allowed, struct slu_buf *out)
{
    for (unsigned i = 0; i < SLU_VARIABLES; i++) {
        if ((allowed & SLU_VARIABLE_BIT(i)) == 0)
            continue;
        slu_buf_printf(out, "%s${%s%s}", out->len > 0 ? ", " : "", variable_names[i],
                       i == SLU_VARIABLE_PAYLOAD ? ":/pointer" : "");
    }
}

static int refuse_variable(const struct parser *parser, size_t column, struct slu_slice name,
                           bool exists)
{
    struct slu_buf allowed;
    slu_buf_init(&allowed, 512);
    list_allowed(parser->allowed, &allowed);
    slu_err_set(parser->err, SLU_EINVAL, "column %zu: ${%.*s} %s; %s%s", column,
                (int)(name.len < 64 ? name.len : 64), name.data,
                exists ? "has no value here" : "is not a variable",
                allowed.len > 0 ? "there are {level} and " : "there is only {level}",
                slu_buf_text(&allowed));
    slu_buf_fini(&allowed);
    return -1;
}

/* RFC 6901 §3: empty, or "/…" where "~" comes only as "~0" and "~1". */
static bool is_pointer(struct slu_slice text)
{
    if (text.len > 0 && text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '~')
            continue;
        if (i + 1 == text.len || (text.data[i + 1] != '0' && text.data[i + 1] != '1'))
            return false;
    }
    return true;
}

/* What stands between the braces of "${…}". */
static int parse_variable(const struct parser *parser, size_t column, struct slu_slice inside,
                          struct part *part)
{
    const char *colon = inside.len > 0 ? memchr(inside.data, ':', inside.len) : NULL;
    struct slu_slice name = inside;
    if (colon != NULL)
        name.len = (size_t)(colon - inside.data);

    unsigned variable = 0;
    while (variable < SLU_VARIABLES &&
           !slu_slice_equal(name, slu_slice_of(variable_names[variable])))
        variable++;
    if (variable == SLU_VARIABLES || (colon != NULL && variable != SLU_VARIABLE_PAYLOAD))
        return refuse_variable(parser, column, inside, false);
    if ((parser->allowed & SLU_VARIABLE_BIT(variable)) == 0)
        return refuse_variable(parser, column, inside, true);

    part->kind = PART_VARIABLE;
    part->variable = (enum slu_variable)variable;
    part->keeps_slashes = variable == SLU_VARIABLE_TOPIC;
    if (variable != SLU_VARIABLE_PAYLOAD)
        return 0;
    if (colon == NULL)
        return slu_err_set(parser->err, SLU_EINVAL,
                           "column %zu: say which part of the payload, as in ${payload:/id}",
                           column);
    part->text = slu_slice(colon + 1, inside.len - name.len - 1);
    if (!is_pointer(part->text))
        return slu_err_set(
            parser->err, SLU_EINVAL,
            "column %zu: \"%.*s\" is not a JSON Pointer: it begins with / or is empty, "
            "and ~ is written ~0",
            column, SLU_SLICE_ARG(part->text));
    return 0;
}

/* What stands between the braces of "{…}". */
static int parse_level(const struct parser *parser, size_t column, struct slu_slice inside,
                       struct part *part)
{
    struct slu_slice name = inside;
    part->kind = PART_LEVEL;
    if (name.len > 0 && name.data[name.len - 1] == '#') {
        part->keeps_slashes = true;
        name.len--;
    }
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            name.len = 0; /* not a name; ends the loop */
    }
    if (name.len == 0)
        return slu_err_set(
            parser->err, SLU_EINVAL,
            "column %zu: {%.*s} does not name a level; names are letters, digits and _ "
            "and do not begin with a digit",
            column, SLU_SLICE_ARG(inside));
    part->text = name;
    return 0;
}

/* The bytes up to the next substitution. */
static int parse_literal(struct parser *parser, struct part *part)
{
    const size_t begin = parser->at;
    const char *data = parser->text.data;
    for (; parser->at < parser->text.len; parser->at++) {
        const char c = data[parser->at];
        if (c == '}')
            return slu_err_set(parser->err, SLU_EINVAL, "column %zu: } without a { before it",
                               parser->at + 1);
        if (c == '{')
            break;
        if (c == '$' && parser->at + 1 < parser->text.len && data[parser->at + 1] == '{')
            break;
    }
    part->kind = PART_LITERAL;
    part->text = slu_slice(data + begin, parser->at - begin);
    return 0;
}

static int parse_substitution(struct parser *parser, struct part *part)
{
    const size_t column = parser->at + 1;
    const bool variable = parser->text.data[parser->at] == '$';
    const char *begin = parser->text.data + parser->at + (variable ? 2 : 1);
    const size_t left = parser->text.len - (size_t)(begin - parser->text.data);
    const char *end = left > 0 ? memchr(begin, '}', left) : NULL;
    if (end == NULL)
        return slu_err_set(parser->err, SLU_EINVAL, "column %zu: { without a } behind it", column);

    const struct slu_slice inside = slu_slice(begin, (size_t)(end - begin));
    parser->at = (size_t)(end + 1 - parser->text.data);
    return variable ? parse_variable(parser, column, inside, part)
                    : parse_level(parser, column, inside, part);
}

static int parse_parts(struct parser *parser, struct part *parts, size_t *n_parts)
{
    while (parser->at < parser->text.len) {
        if (parse_literal(parser, &parts[*n_parts]) != 0)
            return -1;
        if (parts[*n_parts].text.len > 0)
            ++*n_parts;
        if (parser->at == parser->text.len)
            break;
        parts[*n_parts] = (struct part){0};
        if (parse_substitution(parser, &parts[*n_parts]) != 0)
            return -1;
        ++*n_parts;
    }
    return 0;
}

const struct slu_template *slu_template_parse(struct slu_slice text, unsigned allowed,
                                              struct slu_arena *arena, struct slu_err *err)
{
    if (text.len > TEXT_MAX) {
        slu_err_set(err, SLU_EINVAL, "the text has %zu bytes, more than %u", text.len, TEXT_MAX);
        return NULL;
    }
    /* Each brace ends one literal and makes one substitution; one literal may come last. */
    size_t max_parts = 2;
    for (size_t i = 0; i < text.len; i++)
        max_parts += text.data[i] == '{' ? 2 : 0;

    struct slu_template *pattern = slu_arena_alloc(arena, sizeof(*pattern));
    struct part *parts = slu_arena_array(arena, max_parts, sizeof(*parts));
    const char *copy = slu_arena_copy(arena, text);
    if (pattern == NULL || parts == NULL || copy == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for a template");
        return NULL;
    }
    struct parser parser = {slu_slice(copy, text.len), 0, allowed, err};
    if (parse_parts(&parser, parts, &pattern->n_parts) != 0)
        return NULL;
    pattern->text = parser.text;
    pattern->parts = parts;
    return pattern;
}

/* ---- fill ---- */

static bool is_unsafe(unsigned char c)
{
    return c < 0x20 || c == 0x7f || c == '%' || c == '+' || c == '#' || c == '/' || c == '$';
}

static void add_percent(struct slu_buf *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
    slu_buf_add(out, escape, sizeof(escape));
}

static bool is_dots(struct slu_slice text)
{
    size_t i = 0;
    while (i < text.len && text.data[i] == '.')
        i++;
    return i == text.len;
}

/* One level of a topic or one component of a path. */
static void add_level(struct slu_buf *out, enum slu_template_use use, struct slu_slice text)
{
    const bool escape_dots = use == SLU_TEMPLATE_NAME && is_dots(text);
    size_t begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_unsafe((unsigned char)text.data[i]) && !escape_dots)
            continue;
        slu_buf_add(out, text.data + begin, i - begin);
        add_percent(out, (unsigned char)text.data[i]);
        begin = i + 1;
    }
    slu_buf_add(out, text.data + begin, text.len - begin);
}

static void add_levels(struct slu_buf *out, enum slu_template_use use, struct slu_slice text)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != '/')
            continue;
        if (i == begin && use == SLU_TEMPLATE_NAME)
            slu_buf_add_char(out, '_');
        else
            add_level(out, use, slu_slice(text.data + begin, i - begin));
        if (i < text.len)
            slu_buf_add_char(out, '/');
        begin = i + 1;
    }
}

static void add_kafka(struct slu_buf *out, struct slu_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        slu_buf_add_char(out, legal ? c : '_');
    }
}

static void add_value(struct slu_buf *out, enum slu_template_use use, struct slu_slice value,
                      bool keeps_slashes)
{
    if (use == SLU_TEMPLATE_TEXT)
        slu_buf_add_slice(out, value);
    else if (value.len == 0)
        slu_buf_add_char(out, '_');
    else if (use == SLU_TEMPLATE_KAFKA_TOPIC)
        add_kafka(out, value);
    else if (keeps_slashes)
        add_levels(out, use, value);
    else
        add_level(out, use, value);
}

/* The value of a substitution, empty when absent. False: the filter has no such level. */
static bool find_value(const struct part *part, const struct slu_template_values *values,
                       struct slu_slice *value)
{
    *value = slu_slice(NULL, 0);
    if (part->kind == PART_LEVEL)
        return values->filter != NULL &&
               slu_topic_filter_level(values->filter, values->topic, part->text, value);
    if (part->variable != SLU_VARIABLE_PAYLOAD)
        *value = values->variables[part->variable];
    else if (values->payload == NULL || !values->payload(values->context, part->text, value))
        *value = slu_slice(NULL, 0);
    return true;
}

int slu_template_fill(const struct slu_template *pattern, enum slu_template_use use,
                      const struct slu_template_values *values, struct slu_buf *out)
{
    bool resolved = true;
    for (size_t i = 0; i < pattern->n_parts; i++) {
        const struct part *part = &pattern->parts[i];
        struct slu_slice value;
        if (part->kind == PART_LITERAL) {
            if (use == SLU_TEMPLATE_KAFKA_TOPIC)
                add_kafka(out, part->text);
            else
                slu_buf_add_slice(out, part->text);
        } else if (find_value(part, values, &value)) {
            add_value(out, use, value, part->keeps_slashes);
        } else {
            slu_buf_add_char(out, '_');
            resolved = false;
        }
    }
    if (out->failed)
        return -1;
    return resolved ? 0 : 1;
}

/* ---- what it says about itself ---- */

bool slu_template_level(const struct slu_template *pattern, size_t i, struct slu_slice *name)
{
    for (size_t p = 0; p < pattern->n_parts; p++) {
        if (pattern->parts[p].kind != PART_LEVEL || i-- > 0)
            continue;
        *name = pattern->parts[p].text;
        return true;
    }
    return false;
}

bool slu_template_is_fixed(const struct slu_template *pattern)
{
    for (size_t p = 0; p < pattern->n_parts; p++) {
        if (pattern->parts[p].kind == PART_LEVEL || pattern->parts[p].kind == PART_VARIABLE)
            return false;
    }
    return true;
}

/* A level of the filter being written. */
struct written {
    size_t begin;    /* where it begins in `out` */
    bool is_first;   /* of the topic */
    bool has_value;  /* a substitution stands in it */
    bool has_dollar; /* it is the first and the pattern begins it with `$` */
};

/* The level is complete: with a substitution in it, it is a `+` as a whole. */
static bool end_level(struct slu_buf *out, const struct written *level)
{
    if (!level->has_value)
        return true;
    if (level->has_dollar)
        return false;
    slu_buf_cut(out, level->begin);
    return slu_buf_add_char(out, '+');
}

/* The level and all behind it may be anything. */
static bool end_filter(struct slu_buf *out, const struct written *level)
{
    if (level->has_dollar)
        return false;
    slu_buf_cut(out, level->begin);
    return slu_buf_add_char(out, '#');
}

static bool write_literal(struct slu_buf *out, struct slu_slice text, struct written *level)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '/') {
            if (!end_level(out, level) || !slu_buf_add_char(out, '/'))
                return false;
            *level = (struct written){.begin = out->len};
            continue;
        }
        if (level->is_first && out->len == level->begin && !level->has_value && text.data[i] == '$')
            level->has_dollar = true;
        slu_buf_add_char(out, text.data[i]);
    }
    return true;
}

bool slu_template_filter(const struct slu_template *pattern, struct slu_buf *out)
{
    struct written level = {.begin = out->len, .is_first = true};
    for (size_t i = 0; i < pattern->n_parts; i++) {
        const struct part *part = &pattern->parts[i];
        if (part->keeps_slashes)
            return end_filter(out, &level);
        if (part->kind == PART_LITERAL && !write_literal(out, part->text, &level))
            return false;
        level.has_value |= part->kind != PART_LITERAL;
    }
    return end_level(out, &level) && !out->failed;
}

struct slu_slice slu_template_text(const struct slu_template *pattern)
{
    return pattern->text;
}
