/* test_schema_suite.c -- the official JSON Schema test suite, required cases of draft 2020-12.
 *
 * It is read where Debian's libtest-json-schema-acceptance-perl puts it, or from the directory in
 * SLU_SCHEMA_SUITE (which holds the files of one draft). Without either the test is skipped.
 *
 * A group whose schema is refused at load counts as refused and is listed: it must be for a reason
 * that is known (another dialect, a document that is not here). Anything else that is refused, and
 * every case judged wrongly, fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define DEBIAN "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12"

struct score {
    unsigned passed, failed, refused;
};

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;

static const struct slu_value *member(const struct slu_value *object, const char *name)
{
    return slu_value_get(object, slu_slice_of(name));
}

static struct slu_document *read_file(const char *path)
{
    struct slu_buf text;
    char chunk[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    slu_buf_init(&text, 16u << 20);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        slu_buf_add(&text, chunk, n);
    fclose(file);
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(slu_buf_slice(&text), 256, &err);
    if (document == NULL)
        fail_msg("%s: %s", path, err.text);
    slu_buf_fini(&text);
    return document;
}

/* The subtree as it was written, every digit kept. */
static void text_of(const struct slu_document *document, const struct slu_value *value,
                    struct slu_buf *out)
{
    slu_buf_reset(out);
    slu_value_json(document->raw_root + (value - document->root), out);
}

static bool is_known_reason(const struct slu_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        const char *text = problems->items[i].err.text;
        if (problems->items[i].is_warning)
            continue;
        if (strstr(text, "not supported yet") == NULL &&
            strstr(text, "a schema that is not here") == NULL)
            return false;
    }
    return true;
}

static bool judge(const struct slu_schema *schema, struct slu_slice text, const char *what)
{
    struct slu_payload payload;
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, text, &payload))
        fail_msg("%s: the data is no payload: %s", what, payload.fault_text);
    slu_verdict_reset(&verdict);
    const bool fast = slu_schema_judge(schema, scratch, &payload, NULL);
    const bool told = slu_schema_judge(schema, scratch, &payload, &verdict);
    assert_int_equal(fast, told);
    assert_int_equal(told, slu_verdict_holds(&verdict));
    return fast;
}

static void run_group(const char *file, const struct slu_document *document,
                      const struct slu_value *group, struct score *score)
{
    const struct slu_value *tests = member(group, "tests");
    const struct slu_slice name = slu_value_text(member(group, "description"));
    const struct slu_schema_options options = {"suite", file};
    struct slu_problems problems;
    struct slu_buf text;
    slu_problems_init(&problems);
    slu_buf_init(&text, 16u << 20);

    text_of(document, member(group, "schema"), &text);
    struct slu_schema *schema = slu_schema_compile(slu_buf_slice(&text), &options, &problems);
    const struct slu_value *test = slu_value_first(tests);
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const struct slu_slice what = slu_value_text(member(test, "description"));
        if (schema == NULL)
            break;
        text_of(document, member(test, "data"), &text);
        const bool expected = slu_value_variant(member(test, "valid")) == SLU_VALUE_TRUE;
        if (judge(schema, slu_buf_slice(&text), file) == expected) {
            score->passed++;
            continue;
        }
        score->failed++;
        print_message("WRONG %s: %.*s: %.*s\n", file, SLU_SLICE_ARG(name), SLU_SLICE_ARG(what));
    }
    if (schema == NULL) {
        const bool known = is_known_reason(&problems);
        char line[1024] = "";
        if (problems.n != 0)
            slu_err_format(&problems.items[0].err, line, sizeof(line));
        print_message("%s %.*s: %s\n", known ? "refused" : "WRONGLY REFUSED", SLU_SLICE_ARG(name),
                      line);
        *(known ? &score->refused : &score->failed) += (unsigned)slu_value_len(tests);
    }
    slu_schema_free(schema);
    slu_problems_fini(&problems);
    slu_buf_fini(&text);
}

static void run_file(const char *directory, const char *file, struct score *total)
{
    char path[4096];
    struct score score = {0, 0, 0};
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    struct slu_document *document = read_file(path);
    const struct slu_value *group = slu_value_first(document->root);
    for (size_t i = 0; i < slu_value_len(document->root); i++, group = slu_value_next(group))
        run_group(file, document, group, &score);
    slu_document_free(document);
    print_message("%-28s passed %4u  failed %3u  refused %3u\n", file, score.passed, score.failed,
                  score.refused);
    total->passed += score.passed;
    total->failed += score.failed;
    total->refused += score.refused;
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

static void the_official_suite_is_judged_as_it_says(void **state)
{
    (void)state;
    const char *given = getenv("SLU_SCHEMA_SUITE");
    const char *directory = given != NULL ? given : DEBIAN;
    struct dirent **files = NULL;
    struct score total = {0, 0, 0};
    const int n = scandir(directory, &files, is_json, alphasort);
    if (n <= 0) {
        print_message("no test suite in %s\n", directory);
        skip();
    }
    reader = slu_payload_reader_new(16u << 20);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    assert_non_null(reader);
    assert_non_null(scratch);
    for (int i = 0; i < n; i++) {
        run_file(directory, files[i]->d_name, &total);
        free(files[i]);
    }
    free(files);
    slu_verdict_fini(&verdict);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    print_message("%-28s passed %4u  failed %3u  refused %3u\n", "all", total.passed, total.failed,
                  total.refused);
    assert_int_equal(total.failed, 0);
    assert_true(total.passed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_suite_is_judged_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
