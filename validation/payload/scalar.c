/* scalar.c -- see scalar.h. Payloads as small devices send them: 20.5, +3, ON, a word.
 *
 *   number    blanks around, one '+' in front, then RFC 8259 §6; nothing else that strtod() takes
 *   boolean   true false on off 1 0, in any case, blanks around
 *   string    UTF-8 without NUL, as it came: blanks belong to it; no bytes are the empty string
 *
 * Blanks are space, tab, CR and LF. A payload of nothing but blanks is empty for number and boolean.
 */
#include "validation/payload/scalar.h"

#include "base/utf8.h"
#include "validation/payload/place.h"

#include <string.h>
#include <strings.h>

static enum slu_payload_fault refuse(struct slu_json_fault *fault, enum slu_payload_fault what,
                                     size_t at, const char *text)
{
    *fault = (struct slu_json_fault){what, at, text};
    return what;
}

static size_t digits(struct slu_slice text, size_t at)
{
    size_t from = at;
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at - from;
}

static bool is_at(struct slu_slice text, size_t at, const char *any)
{
    return at < text.len && text.data[at] != '\0' && strchr(any, text.data[at]) != NULL;
}

/* Bytes of `text`, from its start, that are a JSON number; `*whole` when all of them are one. */
static size_t match_number(struct slu_slice text, bool *whole)
{
    size_t at = is_at(text, 0, "-") ? 1 : 0;
    *whole = false;
    size_t n = digits(text, at);
    if (n == 0)
        return at;
    if (n > 1 && text.data[at] == '0')
        return at + 1;
    at += n;
    if (is_at(text, at, ".")) {
        n = digits(text, ++at);
        if (n == 0)
            return at;
        at += n;
    }
    if (is_at(text, at, "eE")) {
        at++;
        if (is_at(text, at, "+-"))
            at++;
        n = digits(text, at);
        if (n == 0)
            return at;
        at += n;
    }
    *whole = at == text.len;
    return at;
}

enum slu_payload_fault slu_scalar_number(struct slu_slice bytes, struct slu_slice *number,
                                         struct slu_json_fault *fault)
{
    struct slu_slice text = slu_slice_trim(bytes);
    if (text.len == 0)
        return refuse(fault, SLU_PAYLOAD_EMPTY, 0, "there is no number");
    if (is_at(text, 0, "+") && !is_at(text, 1, "-")) {
        text.data++;
        text.len--;
    }
    bool whole;
    size_t at = match_number(text, &whole);
    if (!whole)
        return refuse(fault, SLU_PAYLOAD_MALFORMED, (size_t)(text.data - bytes.data) + at,
                      "not a number");
    *number = text;
    return SLU_PAYLOAD_OK;
}

enum slu_payload_fault slu_scalar_boolean(struct slu_slice bytes, struct slu_value *cell,
                                          struct slu_json_fault *fault)
{
    static const struct {
        struct slu_slice word;
        uint8_t variant;
    } words[] = {
        {{"true", 4}, SLU_VALUE_TRUE}, {{"false", 5}, SLU_VALUE_FALSE},
        {{"1", 1}, SLU_VALUE_TRUE},    {{"0", 1}, SLU_VALUE_FALSE},
        {{"on", 2}, SLU_VALUE_TRUE},   {{"off", 3}, SLU_VALUE_FALSE},
    };
    struct slu_slice text = slu_slice_trim(bytes);
    if (text.len == 0)
        return refuse(fault, SLU_PAYLOAD_EMPTY, 0, "there is no boolean");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text.len == words[i].word.len &&
            strncasecmp(text.data, words[i].word.data, text.len) == 0) {
            *cell = (struct slu_value){.tag = words[i].variant, .u64 = 0};
            return SLU_PAYLOAD_OK;
        }
    }
    return refuse(fault, SLU_PAYLOAD_MALFORMED, (size_t)(text.data - bytes.data),
                  "not one of true, false, on, off, 1, 0");
}

enum slu_payload_fault slu_scalar_string(struct slu_slice bytes, struct slu_value *cell,
                                         struct slu_json_fault *fault)
{
    if (bytes.len == 0)
        bytes = SLU_SLICE("");
    const char *nul = memchr(bytes.data, '\0', bytes.len);
    if (!slu_utf8_valid(bytes.data, bytes.len))
        return refuse(fault, SLU_PAYLOAD_UTF8, slu_place_of_bad_utf8(bytes),
                      "a byte that is not UTF-8");
    if (nul != NULL)
        return refuse(fault, SLU_PAYLOAD_MALFORMED, (size_t)(nul - bytes.data),
                      "a NUL in a string");
    *cell =
        (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)bytes.len << 8, .text = bytes.data};
    return SLU_PAYLOAD_OK;
}
