/* A schema in the first line, a payload in the rest. The schema may be refused, with a problem; what is
 * accepted must judge anything: fast and collecting agree, twice gives the same, a failure is told,
 * and every text of a violation is sound. */
#include "base/arena.h"
#include "base/utf8.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <stdint.h>
#include <stdlib.h>

#define MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;

static void check(bool sound)
{
    if (!sound)
        abort();
}

static void check_text(struct slu_text_ref ref)
{
    const struct slu_slice text = slu_verdict_text(&verdict, ref);
    check(slu_utf8_valid(text.data, text.len));
}

static void check_json(struct slu_text_ref ref)
{
    const struct slu_slice text = slu_verdict_text(&verdict, ref);
    if (text.len == 0)
        return;
    struct slu_document *document = slu_document_parse(text, 1024, NULL);
    check(document != NULL);
    slu_document_free(document);
}

static void check_verdict(const struct slu_value *root)
{
    check(verdict.total != 0 && verdict.n != 0);
    for (size_t i = 0; i < verdict.n; i++) {
        const struct slu_violation *violation = &verdict.violations[i];
        struct slu_arena arena;
        struct slu_pointer pointer;
        check_text(violation->message);
        check_text(violation->pointer);
        check_json(violation->expected);
        check_json(violation->actual);
        slu_arena_init(&arena, 1u << 20);
        if (violation->pointer.len < SLU_VERDICT_TEXT_MAX - 8 &&
            slu_pointer_compile(slu_verdict_text(&verdict, violation->pointer), &arena, &pointer,
                                NULL) == 0)
            check(slu_pointer_find(&pointer, root) != NULL);
        slu_arena_fini(&arena);
    }
}

static void judge(const struct slu_schema *schema, struct slu_slice text)
{
    struct slu_payload payload;
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, text, &payload))
        return;
    const bool first = slu_schema_judge(schema, scratch, &payload, NULL);
    check(slu_schema_judge(schema, scratch, &payload, NULL) == first);
    slu_verdict_reset(&verdict);
    check(slu_schema_judge(schema, scratch, &payload, &verdict) == first);
    check(slu_verdict_holds(&verdict) == first);
    if (!first)
        check_verdict(payload.root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MAX_BYTES)
        return 0;
    if (reader == NULL) {
        reader = slu_payload_reader_new(MAX_BYTES);
        scratch = slu_schema_scratch_new();
        slu_verdict_init(&verdict);
        check(reader != NULL && scratch != NULL);
    }
    const char *text = (const char *)data;
    const char *line_end = memchr(text, '\n', size);
    const size_t n = line_end != NULL ? (size_t)(line_end - text) : size;
    const struct slu_schema_options options = {.name = "fuzz", .source = "fuzz.json"};
    struct slu_problems problems;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(slu_slice(text, n), &options, &problems);
    check((schema == NULL) == (problems.n_errors != 0));
    if (schema != NULL)
        judge(schema, slu_slice(text + n, size - n));
    slu_problems_fini(&problems);
    slu_schema_free(schema);
    return 0;
}
