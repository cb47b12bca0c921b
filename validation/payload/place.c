/* place.c -- see place.h. Walks the text token by token and counts; knows no grammar, because the
 * text was read before. */
#include "validation/payload/place.h"

#include "base/utf8.h"

#include <limits.h>

static bool is_between(char c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
    case ']':
    case '}':
        return true;
    default:
        return false;
    }
}

static size_t string_end(struct slu_slice text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\')
            at++;
    }
    return at < text.len ? at + 1 : text.len;
}

struct slu_slice slu_place_token(struct slu_slice text, size_t at)
{
    if (at >= text.len)
        return slu_slice("", 0);
    size_t end = at + 1;
    if (text.data[at] == '"') {
        end = string_end(text, at);
    } else if (text.data[at] != '[' && text.data[at] != '{') {
        while (end < text.len && !is_between(text.data[end]))
            end++;
    }
    return slu_slice(text.data + at, end - at);
}

size_t slu_place_of_cell(struct slu_slice text, size_t index)
{
    for (size_t at = 0; at < text.len;) {
        if (is_between(text.data[at])) {
            at++;
            continue;
        }
        if (index-- == 0)
            return at;
        at += slu_place_token(text, at).len;
    }
    return text.len;
}

void slu_place_of_byte(struct slu_slice text, size_t at, unsigned *line, unsigned *column)
{
    size_t lines = 1;
    size_t start = 0;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.data[i] == '\n') {
            lines++;
            start = i + 1;
        }
    }
    *line = lines < UINT_MAX ? (unsigned)lines : UINT_MAX;
    *column = at - start < UINT_MAX ? (unsigned)(at - start + 1) : UINT_MAX;
}

size_t slu_place_of_bad_utf8(struct slu_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        const unsigned char lead = (unsigned char)text.data[at];
        size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (n > text.len - at || !slu_utf8_valid(text.data + at, n))
            break;
        at += n;
    }
    return at;
}
