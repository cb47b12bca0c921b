/* format_pointer.c -- json-pointer (RFC 6901 §3) and relative-json-pointer.
 *
 *   /foo/0/a~1b          2/foo   0#   and since 2020-12   1+1/foo
 */
#include "validation/json_schema/format_inside.h"

bool slu_format_json_pointer(const char *text, size_t len)
{
    if (len != 0 && text[0] != '/')
        return false;
    for (size_t at = 0; at < len; at++) {
        if (text[at] == '~' && (at + 1 == len || (text[at + 1] != '0' && text[at + 1] != '1')))
            return false;
    }
    return true;
}

/* Bytes of the number at the beginning, which has no leading zeros; 0: there is none. */
static size_t take_number(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len && slu_format_is_digit(text[at]))
        at++;
    return at > 1 && text[0] == '0' ? 0 : at;
}

static bool pointer_or_hash(const char *text, size_t len)
{
    return (len == 1 && text[0] == '#') || slu_format_json_pointer(text, len);
}

/* draft-handrews-relative-json-pointer-01 §3. */
bool slu_format_relative_pointer(const char *text, size_t len)
{
    const size_t up = take_number(text, len);
    return up != 0 && pointer_or_hash(text + up, len - up);
}

/* draft-bhutton-relative-json-pointer-00 §3: a step to a neighbour may come between. */
bool slu_format_relative_pointer_2020(const char *text, size_t len)
{
    size_t at = take_number(text, len);
    if (at == 0)
        return false;
    if (at < len && (text[at] == '+' || text[at] == '-')) {
        const size_t step = take_number(text + at + 1, len - at - 1);
        if (step == 0)
            return false;
        at += 1 + step;
    }
    return pointer_or_hash(text + at, len - at);
}
