/* content.c -- contentEncoding and contentMediaType. Assertions in draft 7, when `format` is one there;
 * annotations since 2019-09 (validation §8.1), and wherever `format` is an annotation.
 *
 *   {"contentEncoding": "base64", "contentMediaType": "application/json"}
 *
 *   "eyJhIjoxfQ=="  ──base64──▶ {"a":1} ──content_json.c──▶ it is JSON
 *
 * Other encodings and media types ask for nothing. The decoded bytes lie in the judgement's scratch.
 */
#include "validation/json_schema/content.h"

#include "base/utf8.h"
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

static bool asserts(const struct slu_build *build)
{
    return build->dialect.draft == SLU_DRAFT_7 && build->dialect.asserts;
}

static bool says(const struct slu_value *value, const char *word)
{
    return value != NULL && slu_value_kind(value) == SLU_VALUE_STRING &&
           slu_slice_equal(slu_value_text(value), slu_slice_of(word));
}

void slu_keyword_content_encoding_compile(struct slu_build *build, const struct slu_keyword *row,
                                          const struct slu_value *value)
{
    if (slu_build_expect(build, row, value, SLU_VALUE_STRING) && asserts(build) &&
        says(value, "base64"))
        slu_build_op(build, row, value);
}

/* op->count: 1 when the text is base64. */
void slu_keyword_content_media_type_compile(struct slu_build *build, const struct slu_keyword *row,
                                            const struct slu_value *value)
{
    const struct slu_value *encoding = build->values[SLU_KEYWORD_CONTENT_ENCODING];
    const bool base64 = says(encoding, "base64");
    if (slu_build_expect(build, row, value, SLU_VALUE_STRING) && asserts(build) &&
        says(value, "application/json") && (encoding == NULL || base64))
        slu_build_op(build, row, value)->count = base64;
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 §4, padded. `out` (NULL: only look) takes 3 bytes for 4. Bytes, or -1. */
static ptrdiff_t decode(const char *text, size_t len, char *out)
{
    size_t pad = 0, n = 0;
    uint32_t group = 0;
    if (len % 4 != 0)
        return -1;
    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < len; i++) {
        const int bits = i < len - pad ? sextet(text[i]) : 0;
        if (bits < 0)
            return -1;
        group = group << 6 | (uint32_t)bits;
        for (int shift = 16; i % 4 == 3 && shift >= 0; shift -= 8, n++)
            if (out != NULL)
                out[n] = (char)(group >> shift & 0xFF);
    }
    return (ptrdiff_t)(n - pad);
}

bool slu_keyword_content_encoding_judge(struct slu_run *run, const struct slu_op *op,
                                        const struct slu_value *value, struct slu_seen *seen)
{
    const size_t len = slu_value_len(value);
    (void)seen;
    if (!slu_run_draw(run, 4 + len))
        return false;
    return decode(value->text, len, NULL) >= 0 || slu_run_report(run, op, value);
}

static bool holds_json(const char *text, size_t len)
{
    return slu_utf8_valid(text, len) && slu_content_is_json(text, len);
}

bool slu_keyword_content_media_type_judge(struct slu_run *run, const struct slu_op *op,
                                          const struct slu_value *value, struct slu_seen *seen)
{
    const size_t len = slu_value_len(value);
    (void)seen;
    if (!slu_run_draw(run, 8 + 3 * len))
        return false;
    if (op->count == 0)
        return holds_json(value->text, len) || slu_run_report(run, op, value);

    const size_t n_words = len / 8 + 1;
    uint64_t *words = slu_run_take(run, n_words);
    if (words == NULL)
        return false;
    const ptrdiff_t n = decode(value->text, len, (char *)words);
    const bool holds = n < 0 || holds_json((const char *)words, (size_t)n); /* <0: told already */
    slu_run_give(run, n_words, n_words);
    return holds || slu_run_report(run, op, value);
}
