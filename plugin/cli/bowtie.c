/* bowtie.c -- `sluice validate --bowtie`: the harness side of Bowtie's protocol (IHOP, version 1).
 *
 *   stdin, a line each                        stdout, a line each
 *   {"cmd":"start","version":1}               {"version":1,"implementation":{…}}
 *   {"cmd":"dialect","dialect":"https://…"}   {"ok":true}
 *   {"cmd":"run","seq":7,"case":{…}}          {"seq":7,"results":[{"valid":true},…]}
 *   {"cmd":"stop"}                            ends
 *
 * A case that cannot be run answers {"seq":…,"errored":true,"context":{"message":…}}; nothing that
 * comes in ends the program but `stop` and the end of the input. The dialect is that of schemas without
 * $schema, until the next one; the case's `registry` has the documents that references may lead to.
 */
#include "plugin/cli/cli.h"
#include "plugin/cli/instance.h"
#include "plugin/cli/out.h"
#include "validation/json_schema/library.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)64 << 20)
#define MAX_DEPTH      512 /* of a line; instances are bounded by SLU_PAYLOAD_MAX_DEPTH */
#define PROJECT        "urn:sluice"

static const char *const dialects[] = {
    "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema#",      "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema#",
};

struct harness {
    struct slu_schema_options options; /* of the schemas to come */
    struct slu_buf line;               /* that came in */
    struct slu_buf out;                /* the answer */
    struct slu_buf text;               /* schema or instance */
    struct slu_instance_judge judge;
};

enum line { LINE_READ, LINE_TOO_LONG, LINE_END };

/* One line, without its newline; of one that is too long the rest is skipped. */
static enum line read_line(struct slu_buf *line)
{
    int c = getc_unlocked(stdin);

    slu_buf_reset(line);
    if (c == EOF)
        return LINE_END;
    for (; c != EOF && c != '\n'; c = getc_unlocked(stdin))
        slu_buf_add_char(line, (char)c);
    return line->failed ? LINE_TOO_LONG : LINE_READ;
}

static struct slu_slice member_text(const struct slu_value *object, const char *key)
{
    const struct slu_value *value = slu_value_get(object, slu_slice_of(key));

    if (value == NULL || slu_value_kind(value) != SLU_VALUE_STRING)
        return slu_slice("", 0);
    return slu_value_text(value);
}

static void add_error(struct slu_buf *out, const char *message)
{
    slu_out_bool(out, "errored", true);
    slu_out_open(out, "context", '{');
    slu_out_text(out, "message", message);
    slu_out_close(out, '}');
}

static void answer_start(struct slu_buf *out)
{
    slu_out_open(out, NULL, '{');
    slu_out_int(out, "version", 1);
    slu_out_open(out, "implementation", '{');
    slu_out_text(out, "language", "c");
    slu_out_text(out, "name", "sluice");
    slu_out_text(out, "version", SLUICE_VERSION);
    slu_out_text(out, "homepage", PROJECT);
    slu_out_text(out, "issues", PROJECT ":issues");
    slu_out_text(out, "source", PROJECT ":source");
    slu_out_open(out, "dialects", '[');
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
        slu_out_text(out, NULL, dialects[i]);
    slu_out_close(out, ']');
    slu_out_close(out, '}');
    slu_out_close(out, '}');
}

static void answer_dialect(struct harness *harness, const struct slu_value *command)
{
    const enum slu_schema_draft draft = slu_schema_draft_of_uri(member_text(command, "dialect"));

    if (draft != 0)
        harness->options.default_draft = draft;
    slu_out_open(&harness->out, NULL, '{');
    slu_out_bool(&harness->out, "ok", draft != 0);
    slu_out_close(&harness->out, '}');
}

/* ---- run --------------------------------------------------------------------------------------------- */

/* The documents of the case's registry, an object of schemas by URI (NULL: none). Their texts are one
 * after the other, terminated, in `texts`. */
static struct slu_library *read_registry(const struct slu_value *registry, struct slu_buf *texts,
                                         struct slu_err *err)
{
    struct slu_library *library = slu_library_new();
    const bool is_map = registry != NULL && slu_value_kind(registry) == SLU_VALUE_OBJECT;
    const size_t n = is_map ? slu_value_len(registry) : 0;
    const struct slu_value *key = n != 0 ? slu_value_first(registry) : NULL;

    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        slu_value_json(key + 1, texts);
        slu_buf_add_char(texts, '\0');
    }
    bool sound = library != NULL && !texts->failed;
    const char *at = texts->data;
    key = n != 0 ? slu_value_first(registry) : NULL;
    for (size_t i = 0; i < n && sound; i++, key = slu_value_next(key + 1)) {
        const struct slu_library_document document = {
            .uri = key->text, .source = key->text, .text = slu_slice_of(at)};
        sound = slu_library_add(library, &document, err) == 0;
        at += document.text.len + 1;
    }
    if (sound)
        return library;
    slu_library_free(library);
    return NULL;
}

static void first_error(const struct slu_problems *problems, char *message, size_t size)
{
    snprintf(message, size, "no memory for the schema");
    for (size_t i = 0; i < problems->n; i++) {
        if (problems->items[i].is_warning)
            continue;
        slu_err_format(&problems->items[i].err, message, size);
        return;
    }
}

/* The schema of the case; NULL and a sentence when it cannot be used. */
static struct slu_schema *compile(struct harness *harness, const struct slu_value *test_case,
                                  const struct slu_value *schema_value, char *message, size_t size)
{
    struct slu_schema_options options = harness->options;
    struct slu_schema *schema = NULL;
    struct slu_problems problems;
    struct slu_err err = {0};
    struct slu_buf texts;

    slu_problems_init(&problems);
    slu_buf_init(&texts, 2 * LINE_MAX_BYTES);
    slu_buf_reset(&harness->text);
    struct slu_library *library =
        read_registry(slu_value_get(test_case, SLU_SLICE("registry")), &texts, &err);
    options.library = library;
    if (library == NULL && err.kind != SLU_OK)
        slu_problems_error(&problems, "registry", err.line, err.column, err.pointer, "%s",
                           err.text);
    if (library != NULL && slu_value_json(schema_value, &harness->text))
        schema = slu_schema_compile(slu_buf_slice(&harness->text), &options, &problems);
    first_error(&problems, message, size);
    slu_library_free(library);
    slu_buf_fini(&texts);
    slu_problems_fini(&problems);
    return schema;
}

static void add_result(struct harness *harness, const struct slu_schema *schema,
                       const struct slu_value *test)
{
    const struct slu_value *instance = slu_value_get(test, SLU_SLICE("instance"));
    const struct slu_verdict *verdict = &harness->judge.verdict;
    char message[600] = "";

    slu_out_open(&harness->out, NULL, '{');
    slu_buf_reset(&harness->text);
    if (instance == NULL || !slu_value_json(instance, &harness->text)) {
        add_error(&harness->out, instance == NULL ? "the test has no instance" : "no memory");
    } else {
        const bool valid =
            slu_instance_holds(&harness->judge, schema, slu_buf_slice(&harness->text));
        if (harness->judge.could_not_judge && verdict->n != 0) {
            const struct slu_slice text = slu_verdict_text(verdict, verdict->violations[0].message);
            snprintf(message, sizeof(message), "%s: %.*s", verdict->violations[0].code,
                     SLU_SLICE_ARG(text));
            add_error(&harness->out, message);
        } else {
            slu_out_bool(&harness->out, "valid", valid);
        }
    }
    slu_out_close(&harness->out, '}');
}

static void add_results(struct harness *harness, const struct slu_schema *schema,
                        const struct slu_value *tests)
{
    const struct slu_value *test = slu_value_first(tests);

    slu_out_open(&harness->out, "results", '[');
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test))
        add_result(harness, schema, test);
    slu_out_close(&harness->out, ']');
}

static bool is_array(const struct slu_value *value)
{
    return value != NULL && slu_value_kind(value) == SLU_VALUE_ARRAY;
}

static void answer_run(struct harness *harness, const struct slu_value *command)
{
    const struct slu_value *seq = slu_value_get(command, SLU_SLICE("seq"));
    const struct slu_value *test_case = slu_value_get(command, SLU_SLICE("case"));
    const struct slu_value *schema_value = NULL, *tests = NULL;
    struct slu_schema *schema = NULL;
    char message[2048] = "the case needs schema and tests";

    if (test_case != NULL) {
        schema_value = slu_value_get(test_case, SLU_SLICE("schema"));
        tests = slu_value_get(test_case, SLU_SLICE("tests"));
    }
    slu_buf_reset(&harness->text);
    if (seq == NULL || !slu_value_json(seq, &harness->text)) {
        slu_buf_reset(&harness->text);
        slu_buf_add_text(&harness->text, "null");
    }
    slu_out_open(&harness->out, NULL, '{');
    slu_out_json(&harness->out, "seq", slu_buf_slice(&harness->text));
    if (schema_value != NULL && is_array(tests))
        schema = compile(harness, test_case, schema_value, message, sizeof(message));
    if (schema != NULL)
        add_results(harness, schema, tests);
    else
        add_error(&harness->out, message);
    slu_out_close(&harness->out, '}');
    slu_schema_free(schema);
}

/* ---- the conversation -------------------------------------------------------------------------------- */

static void answer_error(struct slu_buf *out, const char *message)
{
    slu_out_open(out, NULL, '{');
    slu_out_text(out, "seq", NULL);
    add_error(out, message);
    slu_out_close(out, '}');
}

/* False: it was `stop`. */
static bool answer(struct harness *harness)
{
    struct slu_err err = {0};
    struct slu_document *document =
        slu_document_parse(slu_buf_slice(&harness->line), MAX_DEPTH, &err);
    bool go_on = true;

    if (document == NULL) {
        answer_error(&harness->out, err.text);
        return true;
    }
    /* The raw tree: numbers are their texts, so no digit is lost on the way. */
    const struct slu_slice command = member_text(document->raw_root, "cmd");
    if (slu_slice_equal(command, SLU_SLICE("run")))
        answer_run(harness, document->raw_root);
    else if (slu_slice_equal(command, SLU_SLICE("dialect")))
        answer_dialect(harness, document->raw_root);
    else if (slu_slice_equal(command, SLU_SLICE("start")))
        answer_start(&harness->out);
    else if (slu_slice_equal(command, SLU_SLICE("stop")))
        go_on = false;
    else
        answer_error(&harness->out, "unknown cmd");
    slu_document_free(document);
    return go_on;
}

static bool is_blank(const struct slu_buf *line)
{
    return strspn(slu_buf_text(line), " \t\r\n") == line->len;
}

static int converse(struct harness *harness)
{
    enum line line;

    while ((line = read_line(&harness->line)) != LINE_END) {
        slu_buf_reset(&harness->out);
        if (line == LINE_TOO_LONG)
            answer_error(&harness->out, "the line is longer than 64 MiB");
        else if (is_blank(&harness->line))
            continue;
        else if (!answer(harness))
            return SLU_EXIT_GOOD;
        if (harness->out.failed) {
            slu_buf_reset(&harness->out);
            answer_error(&harness->out, "no memory for the answer");
        }
        fwrite(slu_buf_text(&harness->out), 1, harness->out.len, stdout);
        fputc('\n', stdout);
        if (fflush(stdout) != 0)
            return SLU_EXIT_FAILED;
    }
    return SLU_EXIT_GOOD;
}

int slu_cli_bowtie(enum slu_schema_draft default_draft, enum slu_schema_formats formats)
{
    struct harness harness;
    int status = SLU_EXIT_FAILED;

    harness.options = (struct slu_schema_options){
        .name = "case", .source = "schema", .default_draft = default_draft, .formats = formats};
    slu_buf_init(&harness.line, LINE_MAX_BYTES);
    slu_buf_init(&harness.out, SLU_OUT_MAX_BYTES);
    slu_buf_init(&harness.text, 2 * LINE_MAX_BYTES);
    if (slu_instance_judge_init(&harness.judge) == 0)
        status = converse(&harness);
    else
        fputs("sluice validate: no memory to judge with\n", stderr);
    slu_instance_judge_fini(&harness.judge);
    slu_buf_fini(&harness.line);
    slu_buf_fini(&harness.out);
    slu_buf_fini(&harness.text);
    return status;
}
