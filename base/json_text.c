/* json_text.c -- see json_text.h for who writes JSON this way.
 *
 * Strings are copied in runs: from one byte that needs attention to the next.
 */
#include "base/json_text.h"

#include "base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Bytes of `text` from `at` on that may stand in a string as they are. */
static size_t plain_run(struct slu_slice text, size_t at)
{
    const size_t first = at;

    while (at < text.len) {
        const unsigned char byte = (unsigned char)text.data[at];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            break;
        const size_t step = byte < 0x80 ? 1 : slu_utf8_step(text.data + at, text.len - at);
        if (step == 0)
            break;
        at += step;
    }
    return at - first;
}

/* One byte that may not stand as it is. */
static bool add_escaped(struct slu_buf *out, char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const struct {
        char byte, letter;
    } short_forms[] = {
        {'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'},
    };

    for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++) {
        if (short_forms[i].byte == byte)
            return slu_buf_add(out, (char[]){'\\', short_forms[i].letter}, 2);
    }
    const unsigned char code = (unsigned char)byte;
    if (code >= 0x80)
        return slu_buf_add(out, replacement, sizeof(replacement) - 1);
    return slu_buf_add(out, (char[]){'\\', 'u', '0', '0', hex[code >> 4], hex[code & 15]}, 6);
}

bool slu_json_text_string(struct slu_buf *out, struct slu_slice text)
{
    slu_buf_add_char(out, '"');
    for (size_t at = 0; at < text.len && !out->failed;) {
        const size_t run = plain_run(text, at);
        slu_buf_add(out, text.data + at, run);
        at += run;
        if (at < text.len)
            add_escaped(out, text.data[at++]);
    }
    return slu_buf_add_char(out, '"');
}

bool slu_json_text_int(struct slu_buf *out, int64_t number)
{
    char text[20]; /* "-9223372036854775808" */
    size_t first = sizeof(text);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        text[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        text[--first] = '-';
    return slu_buf_add(out, text + first, sizeof(text) - first);
}

/* Add a number as snprintf() wrote it. Its decimal point is the locale's, which may be any bytes:
 * whatever cannot be part of a JSON number is that point. */
static bool add_number(struct slu_buf *out, const char *text)
{
    char number[64];
    size_t n = 0;
    bool in_point = false;

    for (; *text != '\0' && n < sizeof(number); text++) {
        const bool foreign = strchr("0123456789+-e", *text) == NULL;
        if (!foreign)
            number[n++] = *text;
        else if (!in_point)
            number[n++] = '.';
        in_point = foreign;
    }
    return slu_buf_add(out, number, n);
}

bool slu_json_text_double(struct slu_buf *out, double number)
{
    if (!isfinite(number))
        return slu_buf_add(out, "null", 4);

    /* What has up to 15 digits survives %.15g, which drops zeros at the end; subnormal numbers have
     * less precision and may need fewer. 17 digits always do. */
    char text[64] = "0";
    const bool is_normal = number == 0 || fabs(number) >= DBL_MIN;
    for (int digits = is_normal ? 15 : 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return add_number(out, text);
}

bool slu_json_text_one_line(struct slu_buf *out, struct slu_slice json)
{
    if (json.len == 0)
        return !out->failed;
    char *line = slu_buf_room(out, json.len);
    if (line == NULL)
        return false;

    for (size_t i = 0; i < json.len; i++) {
        const char byte = json.data[i];
        line[i] = byte == '\n' || byte == '\r' ? ' ' : byte;
    }
    slu_buf_grew(out, json.len);
    return true;
}
