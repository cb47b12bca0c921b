/* format_template.c -- uri-template (RFC 6570 §2).
 *
 *   http://example.com/{+path:3}{?x,y*}
 *   literals            expressions: operator, names, modifiers
 *
 * The apostrophe is a literal, by erratum 6937. The operators that §2.2 reserves are written well.
 */
#include "validation/json_schema/format_inside.h"

#include <string.h>

/* Bytes of the literal at the beginning; 0: there is none. */
static size_t take_literal(const char *text, size_t len)
{
    if ((text[0] & 0x80) != 0)
        return slu_format_ucschar(text, len, true);
    if (text[0] == '%')
        return slu_format_is_percent(text, len) ? 3 : 0;
    return text[0] > ' ' && text[0] != 0x7F && strchr("\"<>\\^`{|}", text[0]) == NULL ? 1 : 0;
}

/* Bytes of the character of a name; 0: there is none. */
static size_t take_name_character(const char *text, size_t len)
{
    if (len == 0)
        return 0;
    if (text[0] == '%')
        return slu_format_is_percent(text, len) ? 3 : 0;
    return slu_format_is_letter(text[0]) || slu_format_is_digit(text[0]) || text[0] == '_';
}

/* Bytes of a.b.c; 0: there is no name. */
static size_t take_name(const char *text, size_t len)
{
    size_t at = take_name_character(text, len);
    while (at != 0 && at < len) {
        const size_t dot = text[at] == '.';
        const size_t n = take_name_character(text + at + dot, len - at - dot);
        if (n == 0)
            return dot != 0 ? 0 : at;
        at += dot + n;
    }
    return at;
}

/* Bytes of ":1" to ":9999" or "*"; 0: there is none. */
static size_t take_modifier(const char *text, size_t len)
{
    if (len != 0 && text[0] == '*')
        return 1;
    if (len < 2 || text[0] != ':' || text[1] < '1' || text[1] > '9')
        return 0;
    size_t at = 2;
    while (at < len && at < 5 && slu_format_is_digit(text[at]))
        at++;
    return at;
}

/* Bytes of the expression at the beginning, braces included; 0: it is wrong. */
static size_t take_expression(const char *text, size_t len)
{
    size_t at = 1;
    if (at < len && text[at] != '\0' && strchr("+#./;?&=,!@|", text[at]) != NULL)
        at++;
    for (;;) {
        const size_t name = take_name(text + at, len - at);
        if (name == 0)
            return 0;
        at += name;
        at += take_modifier(text + at, len - at);
        if (at == len)
            return 0;
        if (text[at] == '}')
            return at + 1;
        if (text[at++] != ',')
            return 0;
    }
}

bool slu_format_uri_template(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const size_t n = text[at] == '{' ? take_expression(text + at, len - at)
                                         : take_literal(text + at, len - at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}
