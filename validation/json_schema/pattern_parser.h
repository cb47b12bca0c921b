/* pattern_parser.h -- what pattern.c (groups, quantifiers, choices) and pattern_escape.c (characters,
 * escapes, classes) share while they read a pattern. Inside these two only.
 */
#ifndef SLU_JSON_SCHEMA_PATTERN_PARSER_H
#define SLU_JSON_SCHEMA_PATTERN_PARSER_H

#include "validation/json_schema/pattern.h"

#include <string.h>

#define SLU_PATTERN_END_OF_TEXT UINT32_MAX

struct slu_pattern_group_name {
    struct slu_pattern_group_name *next;
    struct slu_slice name;
    uint32_t number;
};

struct slu_pattern_parser {
    const char *text; /* UTF-8: the schema's reader saw to that */
    size_t len, at;   /* bytes */
    struct slu_arena *arena;
    struct slu_err *err;
    unsigned depth;
    uint32_t n_groups;
    struct slu_pattern_group_name *names;
    bool failed;
};

/* The code point at `at` and the bytes it has. */
static inline uint32_t slu_pattern_decode(const struct slu_pattern_parser *parser, size_t at,
                                          size_t *bytes)
{
    if (at >= parser->len) {
        *bytes = 0;
        return SLU_PATTERN_END_OF_TEXT;
    }
    const unsigned char *text = (const unsigned char *)parser->text + at;
    const size_t n = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    uint32_t point = n == 1 ? text[0] : text[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n && at + i < parser->len; i++)
        point = point << 6 | (text[i] & 0x3F);
    *bytes = n;
    return point;
}

static inline uint32_t slu_pattern_peek(const struct slu_pattern_parser *parser)
{
    size_t bytes;
    return slu_pattern_decode(parser, parser->at, &bytes);
}

static inline uint32_t slu_pattern_take(struct slu_pattern_parser *parser)
{
    size_t bytes;
    const uint32_t point = slu_pattern_decode(parser, parser->at, &bytes);
    parser->at += bytes;
    return point;
}

static inline bool slu_pattern_take_if(struct slu_pattern_parser *parser, const char *text)
{
    const size_t n = strlen(text);
    if (parser->len - parser->at < n || memcmp(parser->text + parser->at, text, n) != 0)
        return false;
    parser->at += n;
    return true;
}

static inline bool slu_pattern_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool slu_pattern_is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Set the error, with the number of the character at byte `at`. Always NULL. */
void *slu_pattern_fail(struct slu_pattern_parser *parser, size_t at, const char *what);

/* Each NULL: failed. */
struct slu_pattern *slu_pattern_node(struct slu_pattern_parser *parser, enum slu_pattern_kind kind);
struct slu_pattern *slu_pattern_set_node(struct slu_pattern_parser *parser,
                                         struct slu_pattern_set *set,
                                         struct slu_pattern_property *properties, bool negated);
struct slu_pattern *slu_pattern_character(struct slu_pattern_parser *parser, uint32_t point);
struct slu_pattern *slu_pattern_take_class(struct slu_pattern_parser *parser);  /* behind [ */
struct slu_pattern *slu_pattern_take_escape(struct slu_pattern_parser *parser); /* behind \ */

#endif
