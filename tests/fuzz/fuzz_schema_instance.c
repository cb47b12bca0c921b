/* A schema and values for it, by the engine and by the naive evaluator (tests/conformance): both must
 * say the same. The input is lines: the schema, then the values.
 *
 * Left out is what the two mean to see differently: patterns that the naive one gives to PCRE2 as they
 * are, formats and content, which it takes for annotations, and whatever either gives up on.
 */
#include "base/err.h"
#include "base/problems.h"
#include "tests/conformance/naive.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;
static struct naive *naive;

static void start(void)
{
    reader = slu_payload_reader_new(MAX_BYTES);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    naive = naive_new(NAIVE_2020);
    if (reader == NULL || scratch == NULL)
        abort();
}

static struct slu_slice take_line(struct slu_slice *text)
{
    const char *end = text->len != 0 ? memchr(text->data, '\n', text->len) : NULL;
    const size_t n = end != NULL ? (size_t)(end - text->data) : text->len;
    const struct slu_slice line = slu_slice(text->data, n);
    text->data += n + (end != NULL);
    text->len -= n + (end != NULL);
    return line;
}

/* Words that say it is none of this target's business; escapes could hide them. */
static bool is_left_out(struct slu_slice schema)
{
    static const char *const words[] = {"attern", "ormat", "ontent", "\\"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (memmem(schema.data, schema.len, words[i], strlen(words[i])) != NULL)
            return true;
    }
    return false;
}

static bool ran_out_of_budget(void)
{
    for (size_t i = 0; i < verdict.n; i++) {
        if (strstr(verdict.violations[i].code, "budget") != NULL)
            return true;
    }
    return false;
}

static void judge(const struct slu_schema *schema, struct slu_slice value)
{
    struct slu_payload payload;
    struct slu_document *document = slu_document_parse(value, SLU_PAYLOAD_MAX_DEPTH, NULL);
    if (document == NULL)
        return;
    const enum naive_answer answer = naive_judge(naive, document->raw_root);
    slu_document_free(document);
    if (answer == NAIVE_GIVES_UP || !slu_payload_read(reader, SLU_FORMAT_JSON, value, &payload))
        return;
    const bool holds = slu_schema_judge(schema, scratch, &payload, NULL);
    slu_verdict_reset(&verdict);
    if (slu_schema_judge(schema, scratch, &payload, &verdict) != holds)
        abort();
    if (!ran_out_of_budget() && holds != (answer == NAIVE_HOLDS))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slu_schema_options options = {
        .name = "fuzz", .source = "fuzz", .formats = SLU_FORMATS_ANNOTATE};
    struct slu_slice text = slu_slice((const char *)data, size);
    struct slu_problems problems;

    if (naive == NULL)
        start();
    const struct slu_slice line = take_line(&text);
    if (size > MAX_BYTES || is_left_out(line))
        return 0;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(line, &options, &problems);
    slu_problems_fini(&problems);
    struct slu_document *document = schema != NULL ? slu_document_parse(line, 256, NULL) : NULL;
    if (document != NULL && naive_open(naive, document->raw_root)) {
        while (text.len != 0)
            judge(schema, take_line(&text));
    }
    slu_document_free(document);
    slu_schema_free(schema);
    return 0;
}
