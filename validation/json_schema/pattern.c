/* pattern.c -- see pattern.h. Recursive descent over ECMA-262 §22.2.1, as deep as
 * SLU_PATTERN_MAX_DEPTH parentheses; characters, escapes and classes are read by pattern_escape.c.
 */
#include "validation/json_schema/pattern_parser.h"

static void *fail(struct slu_pattern_parser *parser, const char *what)
{
    return slu_pattern_fail(parser, parser->at, what);
}

static struct slu_pattern *take_choice(struct slu_pattern_parser *parser);

/* Behind "(": what kind of group, its inside, ")". */
static struct slu_pattern *take_group(struct slu_pattern_parser *parser)
{
    const size_t start = parser->at - 1;
    struct slu_pattern *node = NULL;
    bool plain = false;

    if (!slu_pattern_take_if(parser, "?")) {
        node = slu_pattern_node(parser, SLU_PATTERN_GROUP);
    } else if (slu_pattern_take_if(parser, ":")) {
        plain = true;
    } else if (slu_pattern_peek(parser) == '=' || slu_pattern_peek(parser) == '!') {
        node = slu_pattern_node(parser, SLU_PATTERN_LOOK);
        if (node != NULL)
            node->negated = slu_pattern_take(parser) == '!';
    } else if (slu_pattern_take_if(parser, "<=") || slu_pattern_take_if(parser, "<!")) {
        node = slu_pattern_node(parser, SLU_PATTERN_LOOK);
        if (node != NULL) {
            node->behind = true;
            node->at = start;
            node->negated = parser->text[parser->at - 1] == '!';
        }
    } else if (slu_pattern_take_if(parser, "<")) {
        node = slu_pattern_node(parser, SLU_PATTERN_GROUP);
        const char *end = memchr(parser->text + parser->at, '>', parser->len - parser->at);
        parser->at = end != NULL ? (size_t)(end - parser->text) + 1 : parser->len;
    } else {
        return slu_pattern_fail(parser, start, "ECMA-262 has no such group");
    }
    if (parser->failed)
        return NULL;
    if (++parser->depth > SLU_PATTERN_MAX_DEPTH)
        return slu_pattern_fail(parser, start, "parentheses nested too deep");
    struct slu_pattern *inside = take_choice(parser);
    parser->depth--;
    if (inside == NULL)
        return NULL;
    if (!slu_pattern_take_if(parser, ")"))
        return slu_pattern_fail(parser, start, "a parenthesis is not closed");
    if (plain)
        return inside;
    node->child = inside;
    return node;
}

/* {n}, {n,} or {n,m}. False: it is none, and nothing was taken. */
static bool take_braces(struct slu_pattern_parser *parser, uint32_t *min, uint32_t *max)
{
    const size_t start = parser->at;
    uint64_t bounds[2] = {0, 0};
    size_t n = 0;
    bool digits = false, comma = false;

    for (parser->at++; n < 2; parser->at++) {
        const uint32_t c = slu_pattern_peek(parser);
        if (slu_pattern_is_digit(c)) {
            digits = true;
            bounds[n] = bounds[n] * 10 + (c - '0');
            bounds[n] = bounds[n] < SLU_PATTERN_INFINITE ? bounds[n] : SLU_PATTERN_INFINITE - 1;
        } else if (c == ',' && digits && !comma) {
            comma = true;
            digits = false;
            n = 1;
        } else {
            break;
        }
    }
    if (slu_pattern_peek(parser) != '}' || (!digits && !comma)) {
        parser->at = start;
        return false;
    }
    parser->at++;
    *min = (uint32_t)bounds[0];
    *max = comma ? (digits ? (uint32_t)bounds[1] : SLU_PATTERN_INFINITE) : *min;
    return true;
}

/* A { that stands for itself, or a quantifier that has nothing before it. */
static struct slu_pattern *take_brace(struct slu_pattern_parser *parser, size_t start)
{
    uint32_t min, max;
    parser->at = start;
    if (take_braces(parser, &min, &max))
        return slu_pattern_fail(parser, start, "there is nothing to repeat");
    parser->at = start + 1;
    return slu_pattern_character(parser, '{');
}

static struct slu_pattern *take_atom(struct slu_pattern_parser *parser)
{
    const size_t start = parser->at;
    struct slu_pattern_set set = {.arena = parser->arena};
    const uint32_t c = slu_pattern_take(parser);

    switch (c) {
    case '^':
        return slu_pattern_node(parser, SLU_PATTERN_START);
    case '$':
        return slu_pattern_node(parser, SLU_PATTERN_END);
    case '.':
        slu_pattern_set_add_dot(&set);
        return slu_pattern_set_node(parser, &set, NULL, false);
    case '[':
        return slu_pattern_take_class(parser);
    case '(':
        return take_group(parser);
    case '{':
        return take_brace(parser, start);
    case '\\':
        return slu_pattern_take_escape(parser);
    case '*':
    case '+':
    case '?':
        return slu_pattern_fail(parser, start, "there is nothing to repeat");
    default:
        return slu_pattern_character(parser, c);
    }
}

/* A quantifier behind `atom`, if there is one. */
static struct slu_pattern *take_repeat(struct slu_pattern_parser *parser, struct slu_pattern *atom)
{
    const size_t start = parser->at;
    uint32_t min = 0, max = SLU_PATTERN_INFINITE;

    if (slu_pattern_take_if(parser, "*")) {
        min = 0;
    } else if (slu_pattern_take_if(parser, "+")) {
        min = 1;
    } else if (slu_pattern_take_if(parser, "?")) {
        max = 1;
    } else if (slu_pattern_peek(parser) != '{' || !take_braces(parser, &min, &max)) {
        if (parser->len - parser->at > 1 && memcmp(parser->text + parser->at, "{,", 2) == 0)
            return fail(parser, "{, is no quantifier: write {0,");
        return atom;
    }
    if (max < min)
        return slu_pattern_fail(parser, start, "a quantifier whose end is below its start");
    if (atom->kind >= SLU_PATTERN_START && atom->kind != SLU_PATTERN_BACKREF)
        return slu_pattern_fail(parser, start, "there is nothing to repeat");
    struct slu_pattern *node = slu_pattern_node(parser, SLU_PATTERN_REPEAT);
    if (node == NULL)
        return NULL;
    node->child = atom;
    node->at = start;
    node->min = min;
    node->max = max;
    node->lazy = slu_pattern_take_if(parser, "?");
    return node;
}

static struct slu_pattern *take_sequence(struct slu_pattern_parser *parser)
{
    struct slu_pattern *sequence = slu_pattern_node(parser, SLU_PATTERN_SEQUENCE);
    struct slu_pattern **link = sequence != NULL ? &sequence->child : NULL;
    while (!parser->failed && slu_pattern_peek(parser) != SLU_PATTERN_END_OF_TEXT &&
           slu_pattern_peek(parser) != '|' && slu_pattern_peek(parser) != ')') {
        struct slu_pattern *atom = take_atom(parser);
        if (atom != NULL)
            atom = take_repeat(parser, atom);
        if (atom == NULL)
            return NULL;
        *link = atom;
        link = &atom->next;
    }
    return parser->failed ? NULL : sequence;
}

static struct slu_pattern *take_choice(struct slu_pattern_parser *parser)
{
    struct slu_pattern *first = take_sequence(parser);
    if (first == NULL || slu_pattern_peek(parser) != '|')
        return first;
    struct slu_pattern *choice = slu_pattern_node(parser, SLU_PATTERN_CHOICE);
    if (choice == NULL)
        return NULL;
    choice->child = first;
    struct slu_pattern *last = first;
    while (slu_pattern_take_if(parser, "|")) {
        last->next = take_sequence(parser);
        last = last->next;
        if (last == NULL)
            return NULL;
    }
    return choice;
}

static bool name_group(struct slu_pattern_parser *parser, size_t at)
{
    const char *name = parser->text + at;
    const char *end = memchr(name, '>', parser->len - at);
    if (end == NULL || end == name)
        return slu_pattern_fail(parser, at, "a group's name is missing") != NULL;
    const struct slu_slice text = slu_slice(name, (size_t)(end - name));
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)name[i];
        if (c < 0x80 && !slu_pattern_is_letter(c) && c != '_' && c != '$' &&
            (i == 0 || !slu_pattern_is_digit(c)))
            return slu_pattern_fail(parser, at, "a group's name takes letters, digits, _ and $") !=
                   NULL;
    }
    for (const struct slu_pattern_group_name *known = parser->names; known != NULL;
         known = known->next)
        if (slu_slice_equal(known->name, text))
            return slu_pattern_fail(parser, at, "another group has this name") != NULL;
    struct slu_pattern_group_name *group = slu_arena_alloc(parser->arena, sizeof(*group));
    if (group == NULL)
        return fail(parser, "no memory for the pattern") != NULL;
    *group = (struct slu_pattern_group_name){parser->names, text, parser->n_groups};
    parser->names = group;
    return true;
}

/* Groups are counted before they are needed: a reference may stand before its group. */
static bool count_groups(struct slu_pattern_parser *parser)
{
    bool in_class = false;
    for (size_t i = 0; i < parser->len; i++) {
        const char c = parser->text[i];
        if (c == '\\') {
            i++;
        } else if (c == '[') {
            in_class = true;
        } else if (c == ']') {
            in_class = false;
        } else if (c == '(' && !in_class) {
            const char *behind = parser->text + i + 1;
            const size_t left = parser->len - i - 1;
            const bool special = left > 0 && behind[0] == '?';
            const bool named =
                special && left > 2 && behind[1] == '<' && behind[2] != '=' && behind[2] != '!';
            parser->n_groups += !special || named;
            if (named && !name_group(parser, i + 3))
                return false;
        }
    }
    return true;
}

const struct slu_pattern *slu_pattern_parse(struct slu_slice text, struct slu_arena *arena,
                                            struct slu_err *err)
{
    struct slu_pattern_parser parser = {
        .text = text.data, .len = text.len, .arena = arena, .err = err};
    if (text.len > SLU_PATTERN_MAX_BYTES)
        return slu_pattern_fail(&parser, 0, "it is longer than 64 KiB");
    if (!count_groups(&parser))
        return NULL;
    const struct slu_pattern *pattern = take_choice(&parser);
    if (pattern == NULL)
        return parser.failed ? NULL : fail(&parser, "no memory for the pattern");
    return parser.at == parser.len ? pattern : fail(&parser, "a parenthesis that was never opened");
}
