/* Schemas that refer to other documents, and to metaschemas of their own: the library, $schema,
 * $vocabulary, and who decides whether formats are asserted. What the drafts mean is judged by the
 * official suite and the random schemas of tests/conformance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "validation/json_schema/content.h"
#include "validation/json_schema/library.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"

#include <stdio.h>
#include <string.h>

#define VOCABULARY "https://json-schema.org/draft/2020-12/vocab/"

/* Lengths are filled in by set_up(). */
static const struct slu_library_document documents[] = {
    {.uri = "https://plant/units.json",
     .source = "units.json",
     .text = {"{\"$defs\":{\"c\":{\"$id\":\"celsius\",\"minimum\":-273}}}", 0}},
    {.source = "oven.json",
     .text = {"{\"$id\":\"https://plant/oven\",\"$ref\":\"units.json#/$defs/c\"}", 0}},
    {.uri = "https://plant/old",
     .source = "old.json",
     .text = {"{\"minimum\":1,\"exclusiveMinimum\":true}", 0},
     .default_draft = SLU_DRAFT_4},
    {.uri = "https://plant/no-validation",
     .source = "meta.json",
     .text = {"{\"$schema\":\"https://json-schema.org/draft/2020-12/"
              "schema\",\"$vocabulary\":{\"" VOCABULARY "core\":true,\"" VOCABULARY
              "applicator\":true,\"https://plant/own\":false}}",
              0}},
    {.uri = "https://plant/unknown",
     .source = "unknown.json",
     .text = {"{\"$schema\":\"https://json-schema.org/draft/2020-12/"
              "schema\",\"$vocabulary\":{\"" VOCABULARY
              "core\":true,\n\"https://plant/own\":true}}",
              0}},
    {.uri = "https://plant/asserts",
     .source = "asserts.json",
     .text = {"{\"$schema\":\"https://json-schema.org/draft/2020-12/"
              "schema\",\"$vocabulary\":{\"" VOCABULARY "format-assertion\":true}}",
              0}},
    {.uri = "https://plant/meta-of-meta",
     .source = "above.json",
     .text = {"{\"$schema\":\"https://plant/asserts\"}", 0}},
    {.uri = "https://plant/circle",
     .source = "c.json",
     .text = {"{\"$schema\":\"https://plant/circle\"}", 0}},
    {.uri = "https://plant/bad", .source = "bad.json", .text = {"{\"type\":\n5}", 0}},
};

static struct slu_library *library;

static int set_up(void **state)
{
    (void)state;
    library = slu_library_new();
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct slu_err err = {0};
        struct slu_library_document document = documents[i];
        document.text = slu_slice_of(document.text.data);
        if (slu_library_add(library, &document, &err) != 0)
            fail_msg("%s: %s", document.source, err.text);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    slu_library_free(library);
    return 0;
}

/* 1: holds; 0: fails; -1: the schema is refused, and `problem` says why. */
static int judge(const char *text, struct slu_schema_options options, const char *payload_text,
                 char problem[1024])
{
    struct slu_problems problems;
    struct slu_payload payload;
    struct slu_payload_reader *reader = slu_payload_reader_new(1u << 20);
    struct slu_schema_scratch *scratch = slu_schema_scratch_new();
    int outcome = -1;
    options.name = "s:1";
    options.source = "s.json";
    options.library = library;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(slu_slice_of(text), &options, &problems);
    problem[0] = '\0';
    for (size_t i = 0; schema == NULL && i < problems.n && problem[0] == '\0'; i++)
        if (!problems.items[i].is_warning)
            slu_err_format(&problems.items[i].err, problem, 1024);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(payload_text), &payload));
    if (schema != NULL)
        outcome = slu_schema_judge(schema, scratch, &payload, NULL);
    slu_schema_free(schema);
    slu_problems_fini(&problems);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return outcome;
}

static void references_lead_into_the_library(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *payload;
        int outcome;
        const char *problem;
    } rows[] = {
        {"{\"$ref\":\"https://plant/units.json#/$defs/c\"}", "-300", 0, ""},
        {"{\"$ref\":\"https://plant/units.json#/$defs/c\"}", "0", 1, ""},
        {"{\"$ref\":\"https://plant/celsius\"}", "-300", 0, ""}, /* inside of a document */
        {"{\"$ref\":\"https://plant/oven\"}", "-300", 0, ""},    /* by its $id, and on */
        {"{\"$id\":\"https://plant/x\",\"$ref\":\"oven\"}", "-300", 0, ""},
        {"{\"$id\":\"https://plant/celsius\",\"$ref\":\"oven\"}", "-300", -1,
         "units.json:1:22: /$defs/c/$id: another schema has this $id already"},
        {"{\"$ref\":\"https://plant/nobody\"}", "0", -1,
         "s.json:1:9: /$ref: the reference leads to a schema that is not here: "
         "https://plant/nobody"},
        {"{\"$ref\":\"https://plant/units.json#/$defs/d\"}", "0", -1,
         "s.json:1:9: /$ref: the reference leads nowhere: there is no /$defs/d"},
        {"{\"$ref\":\"https://plant/bad\"}", "0", -1, "bad.json:2:1: /type: type takes"},
        {"{\"$ref\":\"https://plant/old\"}", "1", 0, ""}, /* its own draft, not ours */
        {"{\"$ref\":\"http://json-schema.org/draft-07/schema\"}", "{\"type\":\"x\"}", 0, ""},
        {"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}",
         "{\"anyOf\":[{\"type\":1}]}", 0, ""},
        {"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", "{\"anyOf\":[{}]}", 1, ""},
        {"{\"$ref\":\"https://json-schema.org/draft/2019-09/schema\"}",
         "{\"items\":[{\"type\":1}]}", 0, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char problem[1024];
        const int outcome =
            judge(rows[i].schema, (struct slu_schema_options){0}, rows[i].payload, problem);
        if (outcome != rows[i].outcome || strstr(problem, rows[i].problem) == NULL)
            fail_msg("%s at %s: %d %s", rows[i].schema, rows[i].payload, outcome, problem);
    }
}

static void a_metaschema_chooses_the_vocabularies(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *payload;
        int outcome;
        const char *problem;
    } rows[] = {
        {"{\"$schema\":\"https://plant/no-validation\",\"minimum\":3}", "1", 1, ""},
        {"{\"$schema\":\"https://plant/no-validation\",\"properties\":{\"a\":false}}", "{\"a\":1}",
         0, ""},
        {"{\"$schema\":\"https://plant/"
         "no-validation\",\"properties\":{\"a\":{\"$id\":\"i\",\"$schema\":"
         "\"https://json-schema.org/draft/2020-12/schema\",\"minimum\":3}}}",
         "{\"a\":1}", 0, ""},
        {"{\"$schema\":\"https://plant/asserts\",\"format\":\"ipv4\"}", "\"x\"", 0, ""},
        {"{\"$schema\":\"https://plant/asserts\",\"properties\":false}", "{\"a\":1}", 1, ""},
        {"{\"$schema\":\"https://plant/meta-of-meta\",\"minimum\":3}", "1", 0, ""},
        {"{\"$schema\":\"https://plant/meta-of-meta\",\"format\":\"ipv4\"}", "\"x\"", 1, ""},
        {"{\"$schema\":\"https://plant/unknown\"}", "1", -1,
         "unknown.json:2:1: /$vocabulary/https:~1~1plant~1own: a vocabulary that is needed is not "
         "known"},
        {"{\"$schema\":\"https://plant/circle\",\"title\":\"\"}", "1", -1,
         "c.json:1:12: /$schema: $schema names a schema of no draft itself"},
        {"{\"$schema\":\"https://plant/units.json\"}", "1", -1,
         "s.json:1:12: /$schema: $schema names a schema of no draft itself"},
        {"{\"$schema\":\"https://plant/nobody\"}", "1", -1,
         "s.json:1:12: /$schema: $schema is of no"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char problem[1024];
        const int outcome =
            judge(rows[i].schema, (struct slu_schema_options){0}, rows[i].payload, problem);
        if (outcome != rows[i].outcome || strstr(problem, rows[i].problem) == NULL)
            fail_msg("%s at %s: %d %s", rows[i].schema, rows[i].payload, outcome, problem);
    }
}

static void a_chain_of_metaschemas_is_bounded(void **state)
{
    (void)state;
    enum { N = 2000 };
    static char texts[N][80], uris[N][40];
    char problem[1024];
    for (int i = 0; i < N; i++) {
        struct slu_err err = {0};
        snprintf(uris[i], sizeof(uris[i]), "https://chain/%d", i);
        snprintf(texts[i], sizeof(texts[i]), "{\"$schema\":\"https://chain/%d\"}", i + 1);
        const struct slu_library_document document = {
            .uri = uris[i], .source = "chain.json", .text = slu_slice_of(texts[i])};
        assert_int_equal(slu_library_add(library, &document, &err), 0);
    }
    assert_int_equal(judge("{\"$schema\":\"https://chain/0\",\"type\":\"string\"}",
                           (struct slu_schema_options){0}, "1", problem),
                     -1);
    assert_non_null(strstr(problem, "chain.json: more than 16 metaschemas"));
}

static void formats_are_asserted_by_draft_or_as_told(void **state)
{
    (void)state;
    static const struct {
        enum slu_schema_draft draft;
        bool by_draft;
    } rows[] = {{0, false},          {SLU_DRAFT_2020, false}, {SLU_DRAFT_2019, false},
                {SLU_DRAFT_7, true}, {SLU_DRAFT_6, true},     {SLU_DRAFT_4, true}};
    static const char schema[] = "{\"format\":\"ipv4\"}";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slu_schema_options options = {.default_draft = rows[i].draft};
        char problem[1024];
        assert_int_equal(judge(schema, options, "\"x\"", problem), !rows[i].by_draft);
        options.formats = SLU_FORMATS_ASSERT;
        assert_int_equal(judge(schema, options, "\"x\"", problem), 0);
        assert_int_equal(judge(schema, options, "\"1.2.3.4\"", problem), 1);
        assert_int_equal(judge(schema, options, "5", problem), 1);
        assert_int_equal(judge("{\"format\":\"moonphase\"}", options, "\"x\"", problem), 1);
        options.formats = SLU_FORMATS_ANNOTATE;
        assert_int_equal(judge(schema, options, "\"x\"", problem), 1);
        assert_int_equal(judge("{\"$schema\":\"https://plant/asserts\",\"format\":\"ipv4\"}",
                               options, "\"x\"", problem),
                         1);
    }
}

static void content_is_json_or_not(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1",
        "-0.5e+3",
        "\"\"",
        "[]",
        "{}",
        " [1 , {\"a\":[true,false,null]} ] ",
        "\"\\u00e9\\n\\/\"",
        "{\"a\":1,\"a\":2}",
        "[[],[{}]]",
        "0",
        "1E5",
    };
    static const char *const bad[] = {
        "",       " ",   "[",         "]",     "[1,]",    "{\"a\"}",   "{\"a\":}",
        "{a:1}",  "{,}", "[1 2]",     "01",    "1.",      ".5",        "-",
        "1e",     "+1",  "nul",       "truex", "\"\\x\"", "\"\\u12\"", "\"a",
        "\"\t\"", "[1}", "{\"a\":1]", "1 1",   "[1]]",    "'a'",       "{\"a\":1,}",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!slu_content_is_json(good[i], strlen(good[i])))
            fail_msg("%s is JSON", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (slu_content_is_json(bad[i], strlen(bad[i])))
            fail_msg("%s is no JSON", bad[i]);
    char deep[2 * SLU_CONTENT_MAX_DEPTH + 3];
    for (size_t depth = SLU_CONTENT_MAX_DEPTH; depth <= SLU_CONTENT_MAX_DEPTH + 1; depth++) {
        memset(deep, '[', depth);
        deep[depth] = '1';
        memset(deep + depth + 1, ']', depth);
        assert_int_equal(slu_content_is_json(deep, 2 * depth + 1), depth == SLU_CONTENT_MAX_DEPTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_lead_into_the_library),
        cmocka_unit_test(a_metaschema_chooses_the_vocabularies),
        cmocka_unit_test(a_chain_of_metaschemas_is_bounded),
        cmocka_unit_test(formats_are_asserted_by_draft_or_as_told),
        cmocka_unit_test(content_is_json_or_not),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
