/* pattern_escape.c -- characters, escapes and classes of a pattern (ECMA-262 §22.2.1, CharacterClass and
 * AtomEscape). Declared in pattern_parser.h.
 */
#include "validation/json_schema/pattern_parser.h"

void *slu_pattern_fail(struct slu_pattern_parser *parser, size_t at, const char *what)
{
    size_t character = 1;
    for (size_t i = 0; i < at && i < parser->len; i++)
        character += ((unsigned char)parser->text[i] & 0xC0) != 0x80;
    slu_err_set(parser->err, SLU_EINVAL, "is wrong at character %zu: %s", character, what);
    parser->failed = true;
    return NULL;
}

static void *fail(struct slu_pattern_parser *parser, const char *what)
{
    return slu_pattern_fail(parser, parser->at, what);
}

struct slu_pattern *slu_pattern_node(struct slu_pattern_parser *parser, enum slu_pattern_kind kind)
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

/* Exactly `n` hexadecimal digits. */
static bool take_hex(struct slu_pattern_parser *parser, unsigned n, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < n; i++) {
        const int digit = digit_of(slu_pattern_peek(parser));
        if (digit < 0)
            return fail(parser, "a hexadecimal digit is missing") != NULL;
        *value = *value << 4 | (uint32_t)digit;
        parser->at++;
    }
    return true;
}

/* Behind \u: XXXX, a pair of surrogates as two of them, or {…}. */
static bool take_unicode(struct slu_pattern_parser *parser, uint32_t *value)
{
    if (slu_pattern_take_if(parser, "{")) {
        uint32_t point = 0;
        if (slu_pattern_peek(parser) == '}')
            return fail(parser, "\\u{} names no character") != NULL;
        while (slu_pattern_peek(parser) != '}') {
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
    if (*value < 0xD800 || *value > 0xDBFF || !slu_pattern_take_if(parser, "\\u"))
        return true;
    uint32_t low = 0;
    if (digit_of(slu_pattern_peek(parser)) >= 0 && take_hex(parser, 4, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        *value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
        return true;
    }
    if (!parser->failed)
        parser->at = behind;
    return !parser->failed;
}

/* The character that an escape means; the backslash is behind us. */
static bool take_character_escape(struct slu_pattern_parser *parser, uint32_t *value)
{
    static const char controls[] = "t\tn\nv\vf\fr\r";
    const size_t start = parser->at - 1;
    const uint32_t c = slu_pattern_take(parser);

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
        const uint32_t letter = slu_pattern_take(parser);
        *value = letter & 0x1F;
        return slu_pattern_is_letter(letter) ||
               slu_pattern_fail(parser, start, "\\c takes a letter") != NULL;
    }
    if (c == '0' && !slu_pattern_is_digit(slu_pattern_peek(parser))) {
        *value = 0;
        return true;
    }
    *value = c;
    if (c == SLU_PATTERN_END_OF_TEXT)
        return slu_pattern_fail(parser, start, "a backslash with nothing behind it") != NULL;
    if (slu_pattern_is_letter(c) || slu_pattern_is_digit(c))
        return slu_pattern_fail(parser, start, "ECMA-262 has no such escape") != NULL;
    return true;
}

/* \p{…} or \P{…}; the letter is behind us. */
static bool take_property(struct slu_pattern_parser *parser, bool negated,
                          struct slu_pattern_property **properties)
{
    const size_t start = parser->at - 2;
    if (!slu_pattern_take_if(parser, "{"))
        return slu_pattern_fail(parser, start, "\\p takes a property in braces") != NULL;
    const char *end = memchr(parser->text + parser->at, '}', parser->len - parser->at);
    if (end == NULL)
        return slu_pattern_fail(parser, start, "\\p{ is not closed") != NULL;
    const char *name = parser->text + parser->at;
    bool inverted = false;
    struct slu_pattern_property *property = slu_arena_alloc(parser->arena, sizeof(*property));
    const char *known =
        slu_pattern_property_name(slu_slice(name, (size_t)(end - name)), parser->arena, &inverted);
    if (property == NULL || known == NULL)
        return slu_pattern_fail(parser, start, "ECMA-262 has no such property") != NULL;
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
static bool take_class_atom(struct slu_pattern_parser *parser, struct slu_pattern_set *set,
                            struct slu_pattern_property **properties, bool *single, uint32_t *value)
{
    *single = true;
    *value = slu_pattern_take(parser);
    if (*value == SLU_PATTERN_END_OF_TEXT)
        return fail(parser, "a class is not closed") != NULL;
    if (*value != '\\')
        return true;

    const uint32_t c = slu_pattern_peek(parser);
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

static bool take_class_members(struct slu_pattern_parser *parser, struct slu_pattern_set *set,
                               struct slu_pattern_property **properties, size_t open)
{
    while (!slu_pattern_take_if(parser, "]")) {
        const size_t start = parser->at;
        if (start == parser->len)
            return slu_pattern_fail(parser, open, "a class is not closed") != NULL;
        bool single, last_single;
        uint32_t first, last;
        if (!take_class_atom(parser, set, properties, &single, &first))
            return false;
        const size_t behind = parser->at;
        if (!single || !slu_pattern_take_if(parser, "-") || slu_pattern_peek(parser) == ']') {
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
            return slu_pattern_fail(parser, start, "a range that ends before it begins") != NULL;
        slu_pattern_set_add(set, first, last);
    }
    return true;
}

/* A SET node out of what was gathered. */
struct slu_pattern *slu_pattern_set_node(struct slu_pattern_parser *parser,
                                         struct slu_pattern_set *set,
                                         struct slu_pattern_property *properties, bool negated)
{
    slu_pattern_set_normalise(set);
    if (negated && properties == NULL)
        slu_pattern_set_negate(set);
    struct slu_pattern *node = slu_pattern_node(parser, SLU_PATTERN_SET);
    if (node == NULL || set->no_memory)
        return fail(parser, "no memory for the pattern");
    node->ranges = set->ranges;
    node->n_ranges = set->n;
    node->properties = properties;
    node->negated = negated && properties != NULL;
    return node;
}

struct slu_pattern *slu_pattern_take_class(struct slu_pattern_parser *parser)
{
    struct slu_pattern_set set = {.arena = parser->arena};
    struct slu_pattern_property *properties = NULL;
    const size_t start = parser->at - 1;
    const bool negated = slu_pattern_take_if(parser, "^");
    if (!take_class_members(parser, &set, &properties, start))
        return NULL;
    return slu_pattern_set_node(parser, &set, properties, negated);
}

struct slu_pattern *slu_pattern_character(struct slu_pattern_parser *parser, uint32_t value)
{
    struct slu_pattern_set set = {.arena = parser->arena};
    slu_pattern_set_add(&set, value, value);
    return slu_pattern_set_node(parser, &set, NULL, false);
}

static struct slu_pattern *backref_node(struct slu_pattern_parser *parser, uint32_t number)
{
    struct slu_pattern *node = slu_pattern_node(parser, SLU_PATTERN_BACKREF);
    if (node != NULL)
        node->min = number;
    return node;
}

/* \1 … : a group that exists. \k<name> likewise. */
static struct slu_pattern *take_backref(struct slu_pattern_parser *parser, size_t start)
{
    if (slu_pattern_take_if(parser, "k")) {
        const char *name = parser->text + parser->at + 1;
        const char *end =
            slu_pattern_take_if(parser, "<") ? memchr(name, '>', parser->len - parser->at) : NULL;
        for (const struct slu_pattern_group_name *known = parser->names;
             end != NULL && known != NULL; known = known->next) {
            if (!slu_slice_equal(known->name, slu_slice(name, (size_t)(end - name))))
                continue;
            parser->at = (size_t)(end - parser->text) + 1;
            return backref_node(parser, known->number);
        }
        return slu_pattern_fail(parser, start, "no group has this name");
    }
    uint32_t number = 0;
    while (slu_pattern_is_digit(slu_pattern_peek(parser)) && number <= parser->n_groups)
        number = number * 10 + (slu_pattern_take(parser) - '0');
    if (number > parser->n_groups)
        return slu_pattern_fail(parser, start, "there is no group of this number");
    return backref_node(parser, number);
}

struct slu_pattern *slu_pattern_take_escape(struct slu_pattern_parser *parser)
{
    const size_t start = parser->at - 1;
    const uint32_t c = slu_pattern_peek(parser);
    struct slu_pattern_set set = {.arena = parser->arena};

    if (c == 'b' || c == 'B') {
        parser->at++;
        struct slu_pattern *node = slu_pattern_node(parser, SLU_PATTERN_BOUNDARY);
        if (node != NULL)
            node->negated = c == 'B';
        return node;
    }
    if (is_set_letter(c)) {
        parser->at++;
        slu_pattern_set_add_escape(&set, (char)c);
        return slu_pattern_set_node(parser, &set, NULL, false);
    }
    if (c == 'p' || c == 'P') {
        struct slu_pattern_property *properties = NULL;
        parser->at++;
        if (!take_property(parser, c == 'P', &properties))
            return NULL;
        return slu_pattern_set_node(parser, &set, properties, false);
    }
    if (c == 'k' || (c >= '1' && c <= '9'))
        return take_backref(parser, start);
    uint32_t value;
    return take_character_escape(parser, &value) ? slu_pattern_character(parser, value) : NULL;
}
