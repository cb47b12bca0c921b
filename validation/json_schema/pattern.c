/* pattern.c -- see pattern.h. Recursive descent over ECMA-262 §22.2.1, as deep as
 * SLU_PATTERN_MAX_DEPTH parentheses. The text is UTF-8: the schema's reader saw to that.
 */
#include "validation/json_schema/pattern.h"

#include <stdlib.h>
#include <string.h>

#define END_OF_TEXT UINT32_MAX

struct group_name {
    struct group_name *next;
    struct slu_slice name;
    uint32_t number;
};

struct parser {
    const char *text;
    size_t len, at; /* bytes */
    struct slu_arena *arena;
    struct slu_err *err;
    unsigned depth;
    uint32_t n_groups;
    struct group_name *names;
    bool failed;
};

static void *fail_at(struct parser *parser, size_t at, const char *what)
{
    size_t character = 1;
    for (size_t i = 0; i < at && i < parser->len; i++)
        character += ((unsigned char)parser->text[i] & 0xC0) != 0x80;
    slu_err_set(parser->err, SLU_EINVAL, "is wrong at character %zu: %s", character, what);
    parser->failed = true;
    return NULL;
}

static void *fail(struct parser *parser, const char *what)
{
    return fail_at(parser, parser->at, what);
}

/* The code point at `at` and the bytes it has. */
static uint32_t decode(const struct parser *parser, size_t at, size_t *bytes)
{
    if (at >= parser->len) {
        *bytes = 0;
        return END_OF_TEXT;
    }
    const unsigned char *text = (const unsigned char *)parser->text + at;
    const size_t n = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    uint32_t point = n == 1 ? text[0] : text[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n && at + i < parser->len; i++)
        point = point << 6 | (text[i] & 0x3F);
    *bytes = n;
    return point;
}

static uint32_t peek(const struct parser *parser)
{
    size_t bytes;
    return decode(parser, parser->at, &bytes);
}

static uint32_t take(struct parser *parser)
{
    size_t bytes;
    const uint32_t point = decode(parser, parser->at, &bytes);
    parser->at += bytes;
    return point;
}

static bool take_if(struct parser *parser, const char *text)
{
    const size_t n = strlen(text);
    if (parser->len - parser->at < n || memcmp(parser->text + parser->at, text, n) != 0)
        return false;
    parser->at += n;
    return true;
}

static struct slu_pattern *node_new(struct parser *parser, enum slu_pattern_kind kind)
{
    struct slu_pattern *node = slu_arena_alloc(parser->arena, sizeof(*node));
    if (node == NULL)
        return fail(parser, "no memory for the pattern");
    node->kind = kind;
    return node;
}

static int digit_of(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return (int)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (int)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (int)(c - 'A') + 10 : -1;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Exactly `n` hexadecimal digits. */
static bool take_hex(struct parser *parser, unsigned n, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < n; i++) {
        const int digit = digit_of(peek(parser));
        if (digit < 0)
            return fail(parser, "a hexadecimal digit is missing") != NULL;
        *value = *value << 4 | (uint32_t)digit;
        parser->at++;
    }
    return true;
}

/* Behind \u: XXXX, a pair of surrogates as two of them, or {…}. */
static bool take_unicode(struct parser *parser, uint32_t *value)
{
    if (take_if(parser, "{")) {
        uint32_t point = 0;
        if (peek(parser) == '}')
            return fail(parser, "\\u{} names no character") != NULL;
        while (peek(parser) != '}') {
            uint32_t digit;
            if (!take_hex(parser, 1, &digit))
                return false;
            point = point << 4 | digit;
            if (point > SLU_PATTERN_LAST)
                return fail(parser, "there is no character beyond \\u{10FFFF}") != NULL;
        }
        parser->at++;
        *value = point;
        return true;
    }
    if (!take_hex(parser, 4, value))
        return false;
    const size_t behind = parser->at;
    if (*value < 0xD800 || *value > 0xDBFF || !take_if(parser, "\\u"))
        return true;
    uint32_t low = 0;
    if (digit_of(peek(parser)) >= 0 && take_hex(parser, 4, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
        return true;
    }
    if (!parser->failed)
        parser->at = behind;
    return !parser->failed;
}

/* The character that an escape means; the backslash is behind us. */
static bool take_character_escape(struct parser *parser, uint32_t *value)
{
    static const char controls[] = "t\tn\nv\vf\fr\r";
    const size_t start = parser->at - 1;
    const uint32_t c = take(parser);

    for (size_t i = 0; i < sizeof(controls) - 1; i += 2) {
        if (c == (uint32_t)controls[i]) {
            *value = (uint32_t)controls[i + 1];
            return true;
        }
    }
    if (c == 'x')
        return take_hex(parser, 2, value);
    if (c == 'u')
        return take_unicode(parser, value);
    if (c == 'c') {
        const uint32_t letter = take(parser);
        *value = letter & 0x1F;
        return is_letter(letter) || fail_at(parser, start, "\\c takes a letter") != NULL;
    }
    if (c == '0' && !is_digit(peek(parser))) {
        *value = 0;
        return true;
    }
    *value = c;
    if (c == END_OF_TEXT)
        return fail_at(parser, start, "a backslash with nothing behind it") != NULL;
    if (is_letter(c) || is_digit(c))
        return fail_at(parser, start, "ECMA-262 has no such escape") != NULL;
    return true;
}

/* \p{…} or \P{…}; the letter is behind us. */
static bool take_property(struct parser *parser, bool negated,
                          struct slu_pattern_property **properties)
{
    const size_t start = parser->at - 2;
    if (!take_if(parser, "{"))
        return fail_at(parser, start, "\\p takes a property in braces") != NULL;
    const char *end = memchr(parser->text + parser->at, '}', parser->len - parser->at);
    if (end == NULL)
        return fail_at(parser, start, "\\p{ is not closed") != NULL;
    const char *name = parser->text + parser->at;
    bool inverted = false;
    struct slu_pattern_property *property = slu_arena_alloc(parser->arena, sizeof(*property));
    const char *known =
        slu_pattern_property_name(slu_slice(name, (size_t)(end - name)), parser->arena, &inverted);
    if (property == NULL || known == NULL)
        return fail_at(parser, start, "ECMA-262 has no such property") != NULL;
    *property = (struct slu_pattern_property){*properties, known, negated != inverted};
    *properties = property;
    parser->at = (size_t)(end - parser->text) + 1;
    return true;
}

static bool is_set_letter(uint32_t c)
{
    return c < 0x80 && c != 0 && strchr("dDwWsS", (int)c) != NULL;
}

/* One member of a class: a character in `value`, or a set that was added (`*single` false). */
static bool take_class_atom(struct parser *parser, struct slu_pattern_set *set,
                            struct slu_pattern_property **properties, bool *single,
                            uint32_t *value)
{
    *single = true;
    *value = take(parser);
    if (*value == END_OF_TEXT)
        return fail(parser, "a class is not closed") != NULL;
    if (*value != '\\')
        return true;

    const uint32_t c = peek(parser);
    if (is_set_letter(c) || c == 'p' || c == 'P') {
        *single = false;
        parser->at++;
        return is_set_letter(c) ? slu_pattern_set_add_escape(set, (char)c)
                                : take_property(parser, c == 'P', properties);
    }
    if (c == 'b') {
        parser->at++;
        *value = '\b';
        return true;
    }
    return take_character_escape(parser, value);
}

static bool take_class_members(struct parser *parser, struct slu_pattern_set *set,
                               struct slu_pattern_property **properties, size_t open)
{
    while (!take_if(parser, "]")) {
        const size_t start = parser->at;
        if (start == parser->len)
            return fail_at(parser, open, "a class is not closed") != NULL;
        bool single, last_single;
        uint32_t first, last;
        if (!take_class_atom(parser, set, properties, &single, &first))
            return false;
        const size_t behind = parser->at;
        if (!single || !take_if(parser, "-") || peek(parser) == ']') {
            parser->at = behind;
            if (single)
                slu_pattern_set_add(set, first, first);
            continue;
        }
        if (!take_class_atom(parser, set, properties, &last_single, &last))
            return false;
        if (!last_single) { /* [a-\d]: the three of them */
            slu_pattern_set_add(set, first, first);
            slu_pattern_set_add(set, '-', '-');
            continue;
        }
        if (last < first)
            return fail_at(parser, start, "a range that ends before it begins") != NULL;
        slu_pattern_set_add(set, first, last);
    }
    return true;
}

/* A SET node out of what was gathered. */
static struct slu_pattern *set_node(struct parser *parser, struct slu_pattern_set *set,
                                    struct slu_pattern_property *properties, bool negated)
{
    slu_pattern_set_normalise(set);
    if (negated && properties == NULL)
        slu_pattern_set_negate(set);
    struct slu_pattern *node = node_new(parser, SLU_PATTERN_SET);
    if (node == NULL || set->no_memory)
        return fail(parser, "no memory for the pattern");
    node->ranges = set->ranges;
    node->n_ranges = set->n;
    node->properties = properties;
    node->negated = negated && properties != NULL;
    return node;
}

static struct slu_pattern *take_class(struct parser *parser)
{
    struct slu_pattern_set set = {.arena = parser->arena};
    struct slu_pattern_property *properties = NULL;
    const size_t start = parser->at - 1;
    const bool negated = take_if(parser, "^");
    if (!take_class_members(parser, &set, &properties, start))
        return NULL;
    return set_node(parser, &set, properties, negated);
}

static struct slu_pattern *character_node(struct parser *parser, uint32_t value)
{
    struct slu_pattern_set set = {.arena = parser->arena};
    slu_pattern_set_add(&set, value, value);
    return set_node(parser, &set, NULL, false);
}

static struct slu_pattern *backref_node(struct parser *parser, uint32_t number)
{
    struct slu_pattern *node = node_new(parser, SLU_PATTERN_BACKREF);
    if (node != NULL)
        node->min = number;
    return node;
}

/* \1 … : a group that exists. \k<name> likewise. */
static struct slu_pattern *take_backref(struct parser *parser, size_t start)
{
    if (take_if(parser, "k")) {
        const char *name = parser->text + parser->at + 1;
        const char *end = take_if(parser, "<")
                              ? memchr(name, '>', parser->len - parser->at)
                              : NULL;
        for (const struct group_name *known = parser->names; end != NULL && known != NULL;
             known = known->next) {
            if (!slu_slice_equal(known->name, slu_slice(name, (size_t)(end - name))))
                continue;
            parser->at = (size_t)(end - parser->text) + 1;
            return backref_node(parser, known->number);
        }
        return fail_at(parser, start, "no group has this name");
    }
    uint32_t number = 0;
    while (is_digit(peek(parser)) && number <= parser->n_groups)
        number = number * 10 + (take(parser) - '0');
    if (number > parser->n_groups)
        return fail_at(parser, start, "there is no group of this number");
    return backref_node(parser, number);
}

static struct slu_pattern *take_escape(struct parser *parser)
{
    const size_t start = parser->at - 1;
    const uint32_t c = peek(parser);
    struct slu_pattern_set set = {.arena = parser->arena};

    if (c == 'b' || c == 'B') {
        parser->at++;
        struct slu_pattern *node = node_new(parser, SLU_PATTERN_BOUNDARY);
        if (node != NULL)
            node->negated = c == 'B';
        return node;
    }
    if (is_set_letter(c)) {
        parser->at++;
        slu_pattern_set_add_escape(&set, (char)c);
        return set_node(parser, &set, NULL, false);
    }
    if (c == 'p' || c == 'P') {
        struct slu_pattern_property *properties = NULL;
        parser->at++;
        if (!take_property(parser, c == 'P', &properties))
            return NULL;
        return set_node(parser, &set, properties, false);
    }
    if (c == 'k' || (c >= '1' && c <= '9'))
        return take_backref(parser, start);
    uint32_t value;
    return take_character_escape(parser, &value) ? character_node(parser, value) : NULL;
}

static struct slu_pattern *take_choice(struct parser *parser);

/* Behind "(": what kind of group, its inside, ")". */
static struct slu_pattern *take_group(struct parser *parser)
{
    const size_t start = parser->at - 1;
    struct slu_pattern *node = NULL;
    bool plain = false;

    if (!take_if(parser, "?")) {
        node = node_new(parser, SLU_PATTERN_GROUP);
    } else if (take_if(parser, ":")) {
        plain = true;
    } else if (peek(parser) == '=' || peek(parser) == '!') {
        node = node_new(parser, SLU_PATTERN_LOOK);
        if (node != NULL)
            node->negated = take(parser) == '!';
    } else if (take_if(parser, "<=") || take_if(parser, "<!")) {
        node = node_new(parser, SLU_PATTERN_LOOK);
        if (node != NULL) {
            node->behind = true;
            node->negated = parser->text[parser->at - 1] == '!';
        }
    } else if (take_if(parser, "<")) {
        node = node_new(parser, SLU_PATTERN_GROUP);
        const char *end = memchr(parser->text + parser->at, '>', parser->len - parser->at);
        parser->at = end != NULL ? (size_t)(end - parser->text) + 1 : parser->len;
    } else {
        return fail_at(parser, start, "ECMA-262 has no such group");
    }
    if (parser->failed)
        return NULL;
    if (++parser->depth > SLU_PATTERN_MAX_DEPTH)
        return fail_at(parser, start, "parentheses nested too deep");
    struct slu_pattern *inside = take_choice(parser);
    parser->depth--;
    if (inside == NULL)
        return NULL;
    if (!take_if(parser, ")"))
        return fail_at(parser, start, "a parenthesis is not closed");
    if (plain)
        return inside;
    node->child = inside;
    return node;
}

/* {n}, {n,} or {n,m}. False: it is none, and nothing was taken. */
static bool take_braces(struct parser *parser, uint32_t *min, uint32_t *max)
{
    const size_t start = parser->at;
    uint64_t bounds[2] = {0, 0};
    size_t n = 0;
    bool digits = false, comma = false;

    for (parser->at++; n < 2; parser->at++) {
        const uint32_t c = peek(parser);
        if (is_digit(c)) {
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
    if (peek(parser) != '}' || (!digits && !comma)) {
        parser->at = start;
        return false;
    }
    parser->at++;
    *min = (uint32_t)bounds[0];
    *max = comma ? (digits ? (uint32_t)bounds[1] : SLU_PATTERN_INFINITE) : *min;
    return true;
}

/* A { that stands for itself, or a quantifier that has nothing before it. */
static struct slu_pattern *take_brace(struct parser *parser, size_t start)
{
    uint32_t min, max;
    parser->at = start;
    if (take_braces(parser, &min, &max))
        return fail_at(parser, start, "there is nothing to repeat");
    parser->at = start + 1;
    return character_node(parser, '{');
}

static struct slu_pattern *take_atom(struct parser *parser)
{
    const size_t start = parser->at;
    struct slu_pattern_set set = {.arena = parser->arena};
    const uint32_t c = take(parser);

    switch (c) {
    case '^':
        return node_new(parser, SLU_PATTERN_START);
    case '$':
        return node_new(parser, SLU_PATTERN_END);
    case '.':
        slu_pattern_set_add_dot(&set);
        return set_node(parser, &set, NULL, false);
    case '[':
        return take_class(parser);
    case '(':
        return take_group(parser);
    case '{':
        return take_brace(parser, start);
    case '\\':
        return take_escape(parser);
    case '*':
    case '+':
    case '?':
        return fail_at(parser, start, "there is nothing to repeat");
    default:
        return character_node(parser, c);
    }
}

/* A quantifier behind `atom`, if there is one. */
static struct slu_pattern *take_repeat(struct parser *parser, struct slu_pattern *atom)
{
    const size_t start = parser->at;
    uint32_t min = 0, max = SLU_PATTERN_INFINITE;

    if (take_if(parser, "*")) {
        min = 0;
    } else if (take_if(parser, "+")) {
        min = 1;
    } else if (take_if(parser, "?")) {
        max = 1;
    } else if (peek(parser) != '{' || !take_braces(parser, &min, &max)) {
        if (parser->len - parser->at > 1 && memcmp(parser->text + parser->at, "{,", 2) == 0)
            return fail(parser, "{, is no quantifier: write {0,");
        return atom;
    }
    if (max < min)
        return fail_at(parser, start, "a quantifier whose end is below its start");
    if (atom->kind >= SLU_PATTERN_START && atom->kind != SLU_PATTERN_BACKREF)
        return fail_at(parser, start, "there is nothing to repeat");
    struct slu_pattern *node = node_new(parser, SLU_PATTERN_REPEAT);
    if (node == NULL)
        return NULL;
    node->child = atom;
    node->min = min;
    node->max = max;
    node->lazy = take_if(parser, "?");
    return node;
}

static struct slu_pattern *take_sequence(struct parser *parser)
{
    struct slu_pattern *sequence = node_new(parser, SLU_PATTERN_SEQUENCE);
    struct slu_pattern **link = sequence != NULL ? &sequence->child : NULL;
    while (!parser->failed && peek(parser) != END_OF_TEXT && peek(parser) != '|' &&
           peek(parser) != ')') {
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

static struct slu_pattern *take_choice(struct parser *parser)
{
    struct slu_pattern *first = take_sequence(parser);
    if (first == NULL || peek(parser) != '|')
        return first;
    struct slu_pattern *choice = node_new(parser, SLU_PATTERN_CHOICE);
    if (choice == NULL)
        return NULL;
    choice->child = first;
    struct slu_pattern *last = first;
    while (take_if(parser, "|")) {
        last->next = take_sequence(parser);
        last = last->next;
        if (last == NULL)
            return NULL;
    }
    return choice;
}

static bool name_group(struct parser *parser, size_t at)
{
    const char *name = parser->text + at;
    const char *end = memchr(name, '>', parser->len - at);
    if (end == NULL || end == name)
        return fail_at(parser, at, "a group's name is missing") != NULL;
    const struct slu_slice text = slu_slice(name, (size_t)(end - name));
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)name[i];
        if (c < 0x80 && !is_letter(c) && c != '_' && c != '$' && (i == 0 || !is_digit(c)))
            return fail_at(parser, at, "a group's name takes letters, digits, _ and $") != NULL;
    }
    for (const struct group_name *known = parser->names; known != NULL; known = known->next)
        if (slu_slice_equal(known->name, text))
            return fail_at(parser, at, "another group has this name") != NULL;
    struct group_name *group = slu_arena_alloc(parser->arena, sizeof(*group));
    if (group == NULL)
        return fail(parser, "no memory for the pattern") != NULL;
    *group = (struct group_name){parser->names, text, parser->n_groups};
    parser->names = group;
    return true;
}

/* Groups are counted before they are needed: a reference may stand before its group. */
static bool count_groups(struct parser *parser)
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
            const bool named = special && left > 2 && behind[1] == '<' && behind[2] != '=' &&
                               behind[2] != '!';
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
    struct parser parser = {.text = text.data, .len = text.len, .arena = arena, .err = err};
    if (text.len > SLU_PATTERN_MAX_BYTES)
        return fail_at(&parser, 0, "it is longer than 64 KiB");
    if (!count_groups(&parser))
        return NULL;
    const struct slu_pattern *pattern = take_choice(&parser);
    if (pattern == NULL)
        return parser.failed ? NULL : fail(&parser, "no memory for the pattern");
    return parser.at == parser.len ? pattern
                                   : fail(&parser, "a parenthesis that was never opened");
}
