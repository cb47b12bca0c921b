/* postgresql_json.c -- see postgresql_json.h.
 *
 * Nearly every payload is fine and has neither "\u0000" nor an exponent of four digits: two quick looks
 * say so. Only a text that has one is walked token by token.
 */
#include "sinks/postgresql_json.h"

#include "base/json_text.h"
#include "sinks/postgresql_numeric.h"

#include <string.h>

#define LONG_NUMBER \
    16000u /* digits; a number without exponent that might be too long has as many */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "\\u0000" anywhere? Most texts have no backslash at all, which is much quicker to see. */
static bool has_escaped_nul(struct slu_slice json)
{
    const char *at = memchr(json.data, '\\', json.len);
    return at != NULL && memmem(at, json.len - (size_t)(at - json.data), "\\u0000", 6) != NULL;
}

/* Something like 1e1234 anywhere, strings included? */
static bool has_long_exponent(struct slu_slice json, char letter)
{
    const char *end = json.data + json.len;
    const char *at = json.data;

    while (at < end && (at = memchr(at, letter, (size_t)(end - at))) != NULL) {
        const char *digit = ++at;
        if (digit < end && (*digit == '+' || *digit == '-'))
            digit++;
        size_t n = 0;
        while (n < 4 && digit + n < end && is_digit(digit[n]))
            n++;
        if (n == 4)
            return true;
    }
    return false;
}

/* The string that begins behind its quote at `*at`; leaves `*at` behind its end. */
static bool string_has_nul(struct slu_slice json, size_t *at)
{
    bool has_nul = false;
    for (; *at < json.len && json.data[*at] != '"'; (*at)++) {
        if (json.data[*at] != '\\')
            continue;
        (*at)++;
        has_nul = has_nul || (json.len - *at >= 5 && memcmp(json.data + *at, "u0000", 5) == 0);
    }
    (*at)++;
    return has_nul;
}

static const char *look_closely(struct slu_slice json)
{
    for (size_t at = 0; at < json.len;) {
        const char c = json.data[at];
        if (c == '"') {
            at++;
            if (string_has_nul(json, &at))
                return "holds U+0000, which jsonb cannot";
        } else if (c == '-' || is_digit(c)) {
            const size_t first = at;
            while (at < json.len && (is_digit(json.data[at]) || strchr("+-.eE", json.data[at])))
                at++;
            if (!slu_pg_numeric_holds(slu_slice(json.data + first, at - first)))
                return "holds a number beyond what jsonb can";
        } else {
            at++;
        }
    }
    return NULL;
}

const char *slu_pg_json_refused(struct slu_slice json)
{
    if (json.len == 0)
        return NULL;
    if (json.len < LONG_NUMBER && !has_escaped_nul(json) && !has_long_exponent(json, 'e') &&
        !has_long_exponent(json, 'E'))
        return NULL;
    return look_closely(json);
}

static bool add_scalar(struct slu_buf *out, const struct slu_payload *payload,
                       const struct slu_value *cell)
{
    char scratch[32];

    switch (slu_value_kind(cell)) {
    case SLU_VALUE_STRING:
        return slu_json_text_string(out, slu_value_text(cell));
    case SLU_VALUE_NUMBER:
    case SLU_VALUE_BIG:
        return slu_buf_add_slice(out, slu_payload_number_text(payload, cell, scratch));
    case SLU_VALUE_BOOL:
        return slu_buf_add_text(out, slu_value_variant(cell) == SLU_VALUE_TRUE ? "true" : "false");
    default:
        return slu_buf_add_text(out, "null");
    }
}

/* The containers around a cell. */
struct level {
    const struct slu_value *end; /* the cell behind it */
    bool is_object, is_value;    /* is_value: the next cell of the object is a value, not a key */
    bool has_any;
};

static void separate(struct slu_buf *out, struct level *level)
{
    if (level->is_object && level->is_value)
        slu_buf_add_char(out, ':');
    else if (level->has_any)
        slu_buf_add_char(out, ',');
    level->is_value = level->is_object && !level->is_value;
    level->has_any = true;
}

bool slu_pg_json_add(struct slu_buf *out, const struct slu_payload *payload,
                     const struct slu_value *cell)
{
    struct level levels[SLU_PAYLOAD_MAX_DEPTH + 1];
    size_t depth = 0;
    const struct slu_value *end = slu_value_next(cell);

    while (!out->failed) {
        while (depth > 0 && cell == levels[depth - 1].end)
            slu_buf_add_char(out, levels[--depth].is_object ? '}' : ']');
        if (cell == end)
            break;
        if (depth > 0)
            separate(out, &levels[depth - 1]);
        if (!slu_value_is_container(cell)) {
            add_scalar(out, payload, cell);
            cell = slu_value_next(cell);
            continue;
        }
        if (depth == sizeof(levels) / sizeof(levels[0]))
            return false; /* deeper than any payload that was read */
        const bool is_object = slu_value_kind(cell) == SLU_VALUE_OBJECT;
        levels[depth++] = (struct level){.end = slu_value_next(cell), .is_object = is_object};
        slu_buf_add_char(out, is_object ? '{' : '[');
        cell = slu_value_first(cell);
    }
    return !out->failed;
}
