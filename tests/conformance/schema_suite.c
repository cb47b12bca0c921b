/* schema_suite.c -- the engine against the official suite: five drafts, required, format, other optional
 * cases, and the suite's tests of the output.
 *
 *   schema_suite [SUITE]      exit 0: every case as the suite says; 1: one is not; 77: there is no suite
 *
 * No case is left out. Required cases are judged as schemas are by default (formats are asserted in
 * drafts 4, 6, 7), optional ones with formats asserted: one of them is about a pattern that only the
 * metaschema's `format: regex` can refuse. The remotes are documents of a library by the URI
 * that the suite gives them; the metaschemas are the program's own. stdout ends with the table that the
 * README shows.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/problems.h"
#include "tests/conformance/suite_files.h"
#include "validation/json_schema/library.h"
#include "validation/json_schema/schema.h"
#include "validation/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DOCUMENTS 2000
#define MAX_TEXT      ((size_t)16 << 20)

enum part { REQUIRED, FORMAT, OPTIONAL, OUTPUT, PARTS };

static const char *const part_names[PARTS] = {"required", "format", "optional", "output"};

static const struct {
    enum slu_schema_draft draft;
    const char *name, *folder;
} drafts[] = {
    {SLU_DRAFT_2020, "2020-12", "draft2020-12"},
    {SLU_DRAFT_2019, "2019-09", "draft2019-09"},
    {SLU_DRAFT_7, "7", "draft7"},
    {SLU_DRAFT_6, "6", "draft6"},
    {SLU_DRAFT_4, "4", "draft4"},
};

#define DRAFTS (sizeof(drafts) / sizeof(drafts[0]))

struct score {
    unsigned passed, failed;
};

/* One folder of cases. */
struct folder {
    enum slu_schema_draft draft;
    enum part part;
    struct score score;
};

static struct slu_library *library;
static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;
static struct slu_document *documents[MAX_DOCUMENTS];
static char *uris[MAX_DOCUMENTS];
static size_t n_documents;

static void add_document(void *context, const char *file, const char *inside)
{
    struct slu_err err = {0};
    char uri[2048];
    struct slu_document *document = suite_read(file);
    if (document == NULL || n_documents == MAX_DOCUMENTS)
        exit(2);
    snprintf(uri, sizeof(uri), "%s%s", (const char *)context, inside);
    documents[n_documents] = document;
    uris[n_documents] = strdup(uri);
    const struct slu_library_document added = {
        .uri = uris[n_documents], .source = uris[n_documents], .text = document->text};
    n_documents++;
    if (slu_library_add(library, &added, &err) != 0) {
        fprintf(stderr, "%s: %s\n", file, err.text);
        exit(2);
    }
}

static struct slu_schema *compile(const struct slu_value *schema_value, const char *file,
                                  const struct slu_schema_options *options)
{
    struct slu_problems problems;
    struct slu_schema *schema = NULL;
    struct slu_buf text;
    slu_problems_init(&problems);
    slu_buf_init(&text, MAX_TEXT);
    if (slu_value_json(schema_value, &text))
        schema = slu_schema_compile(slu_buf_slice(&text), options, &problems);
    for (size_t i = 0; schema == NULL && i < problems.n; i++)
        if (!problems.items[i].is_warning)
            printf("REFUSED %s: %s: %s: %s\n", file, problems.items[i].err.source,
                   problems.items[i].err.pointer, problems.items[i].err.text);
    slu_problems_fini(&problems);
    slu_buf_fini(&text);
    return schema;
}

static void read_instance(const struct slu_value *test, struct slu_buf *text,
                          struct slu_payload *payload)
{
    slu_buf_reset(text);
    slu_value_json(suite_member(test, "data"), text);
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, slu_buf_slice(text), payload)) {
        printf("no payload: %s\n", payload->fault_text);
        exit(2);
    }
}

/* Fast, told, and as output: the three must agree. */
static bool judge(const struct slu_schema *schema, const struct slu_schema *for_output,
                  const struct slu_value *test, bool expected)
{
    struct slu_payload payload;
    struct slu_buf text, out;
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&out, MAX_TEXT);
    read_instance(test, &text, &payload);
    slu_verdict_reset(&verdict);
    const bool fast = slu_schema_judge(schema, scratch, &payload, NULL);
    const bool told = slu_schema_judge(schema, scratch, &payload, &verdict);
    const bool output = slu_schema_output(for_output, scratch, &payload, &out);
    slu_buf_fini(&text);
    slu_buf_fini(&out);
    return fast == expected && told == expected && output == expected &&
           slu_verdict_holds(&verdict) == expected;
}

static void count(struct folder *folder, bool good, const char *file, const struct slu_value *group,
                  const struct slu_value *test)
{
    *(good ? &folder->score.passed : &folder->score.failed) += 1;
    if (!good)
        printf("WRONG %s: %.*s: %.*s\n", file,
               SLU_SLICE_ARG(slu_value_text(suite_member(group, "description"))),
               SLU_SLICE_ARG(slu_value_text(suite_member(test, "description"))));
}

static void run_group(struct folder *folder, const char *file, const struct slu_value *group)
{
    struct slu_schema_options options = {.name = "suite",
                                         .source = "schema",
                                         .default_draft = folder->draft,
                                         .formats = folder->part == REQUIRED ? SLU_FORMATS_BY_DRAFT
                                                                             : SLU_FORMATS_ASSERT,
                                         .library = library};
    const struct slu_value *tests = suite_member(group, "tests"), *test = slu_value_first(tests);
    struct slu_schema *schema = compile(suite_member(group, "schema"), file, &options);
    options.for_output = true;
    struct slu_schema *for_output = compile(suite_member(group, "schema"), file, &options);
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const bool expected = slu_value_variant(suite_member(test, "valid")) == SLU_VALUE_TRUE;
        count(folder,
              schema != NULL && for_output != NULL && judge(schema, for_output, test, expected),
              file, group, test);
    }
    slu_schema_free(schema);
    slu_schema_free(for_output);
}

/* What the engine puts out must hold by the schema that the suite has for it. */
static bool output_is_right(const struct slu_schema *schema, const struct slu_value *test,
                            const struct slu_schema *expected)
{
    struct slu_payload payload;
    struct slu_buf text, out;
    bool holds = false;
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&out, MAX_TEXT);
    read_instance(test, &text, &payload);
    slu_schema_output(schema, scratch, &payload, &out);
    if (slu_payload_read(reader, SLU_FORMAT_JSON, slu_buf_slice(&out), &payload))
        holds = slu_schema_judge(expected, scratch, &payload, NULL);
    if (!holds)
        printf("%.*s\n", (int)out.len, out.data);
    slu_buf_fini(&text);
    slu_buf_fini(&out);
    return holds;
}

static void run_output_group(struct folder *folder, const char *file, const struct slu_value *group)
{
    struct slu_schema_options options = {.name = "suite",
                                         .source = "schema",
                                         .default_draft = folder->draft,
                                         .library = library,
                                         .for_output = true};
    const struct slu_value *tests = suite_member(group, "tests"), *test = slu_value_first(tests);
    struct slu_schema *schema = compile(suite_member(group, "schema"), file, &options);
    options.for_output = false;
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        struct slu_schema *expected =
            compile(suite_member(suite_member(test, "output"), "basic"), file, &options);
        count(folder, schema != NULL && expected != NULL && output_is_right(schema, test, expected),
              file, group, test);
        slu_schema_free(expected);
    }
    slu_schema_free(schema);
}

static void run_file(void *context, const char *file, const char *inside)
{
    struct folder *folder = context;
    struct slu_document *document = suite_read(file);
    (void)inside;
    if (document == NULL)
        exit(2);
    const struct slu_value *group = slu_value_first(document->raw_root);
    for (size_t i = 0; i < slu_value_len(document->raw_root); i++, group = slu_value_next(group)) {
        if (folder->part == OUTPUT)
            run_output_group(folder, file, group);
        else
            run_group(folder, file, group);
    }
    slu_document_free(document);
}

static struct score run(const char *suite, size_t draft, enum part part)
{
    static const struct {
        const char *before, *behind;
    } paths[PARTS] = {{"tests", ""},
                      {"tests", "/optional/format"},
                      {"tests", "/optional"},
                      {"output-tests", "/content"}};
    struct folder folder = {drafts[draft].draft, part, {0, 0}};
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s/%s%s", suite, paths[part].before, drafts[draft].folder,
             paths[part].behind);
    suite_walk(path, false, run_file, &folder);
    return folder.score;
}

/* The remotes, and the schemas of outputs by their $id. */
static void fill_library(const char *suite, size_t draft)
{
    char path[2048];
    snprintf(path, sizeof(path), "%s/remotes", suite);
    suite_walk(path, true, add_document, (char *)SUITE_REMOTES_URI);
    snprintf(path, sizeof(path), "%s/output-tests/%s", suite, drafts[draft].folder);
    suite_walk(path, false, add_document, (char *)"urn:output-tests:");
}

static void show(struct score score, char *out, size_t size)
{
    const unsigned all = score.passed + score.failed;
    snprintf(out, size, "–");
    if (all != 0)
        snprintf(out, size, "%u of %u", score.passed, all);
}

int main(int argc, char **argv)
{
    const char *suite = argc > 1 ? argv[1] : SLU_SUITE_DIR;
    struct score scores[DRAFTS][PARTS];
    char remotes[2048], cell[64];
    bool sound = true;

    snprintf(remotes, sizeof(remotes), "%s/remotes", suite);
    if (access(remotes, R_OK) != 0) {
        printf("SKIP: no test suite in %s\n", suite);
        return 77;
    }
    reader = slu_payload_reader_new(MAX_TEXT);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    for (size_t draft = 0; draft < DRAFTS; draft++) {
        library = slu_library_new();
        if (library == NULL || reader == NULL || scratch == NULL)
            return 2;
        fill_library(suite, draft);
        for (enum part part = 0; part < PARTS; part++) {
            scores[draft][part] = run(suite, draft, part);
            sound = sound && scores[draft][part].failed == 0 &&
                    (part == OUTPUT || scores[draft][part].passed != 0);
        }
        slu_library_free(library);
        for (; n_documents != 0; free(uris[n_documents]))
            slu_document_free(documents[--n_documents]);
    }
    printf("| draft |");
    for (enum part part = 0; part < PARTS; part++)
        printf(" %s |", part_names[part]);
    printf("\n|---|---|---|---|---|\n");
    for (size_t draft = 0; draft < DRAFTS; draft++) {
        printf("| %s |", drafts[draft].name);
        for (enum part part = 0; part < PARTS; part++) {
            show(scores[draft][part], cell, sizeof(cell));
            printf(" %s |", cell);
        }
        printf("\n");
    }
    slu_verdict_fini(&verdict);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return sound ? 0 : 1;
}
