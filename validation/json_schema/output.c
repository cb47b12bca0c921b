/* output.c -- JSON Schema's own output of the form "basic": one flat list of units. Declared in
 * schema.h and run.h.
 *
 *   {"valid": false, "keywordLocation": "", "instanceLocation": "", "errors": [
 *     {"valid": false, "keywordLocation": "/properties/t/$ref/maximum",        the way that was taken
 *      "absoluteKeywordLocation": "https://plant/oven#/$defs/temp/maximum",   where it is written
 *      "instanceLocation": "/t", "error": "500 is above the maximum of 400"}]}
 *
 * A judgement like any other, but one that collects everywhere, branches included, and where nothing
 * holds at sight (the schema was compiled for it). Two lists grow while it goes on; a node that holds
 * cuts off the errors of its inside, one that fails the annotations. What holds gets a unit for each of
 * its keywords, with its value as `annotation` where the keyword makes one. (The lists of evaluated
 * properties and items that 2019-09 and 2020-12 know as annotations of applicators are not shown.)
 */
#include "validation/json_schema/run.h"

#include "base/json_text.h"
#include "validation/json_schema/compile.h"
#include "validation/json_schema/schema.h"
#include "validation/verdict.h"

#include <stdio.h>

#define LIST_MAX       ((size_t)64 << 20)
#define PATH_MAX_BYTES ((size_t)1 << 20)

/* An output is for people at a terminal, who wait longer than a broker. */
#define PATIENCE 50

struct slu_output {
    struct slu_buf path;                /* keywordLocation of the node being judged */
    struct slu_buf errors, annotations; /* units, comma behind each */
    struct slu_buf text;                /* passing */
};

static bool is_reference(const struct slu_op *op)
{
    return op->keyword == &slu_keywords[SLU_KEYWORD_REF] ||
           op->keyword == &slu_keywords[SLU_KEYWORD_DYNAMIC_REF] ||
           op->keyword == &slu_keywords[SLU_KEYWORD_RECURSIVE_REF];
}

void slu_output_enter(struct slu_run *run, struct slu_frame *frame, const struct slu_node *node)
{
    struct slu_output *output = run->output;
    const struct slu_frame *outer = run->frame;
    *frame = (struct slu_frame){
        outer, node, NULL, output->path.len, output->errors.len, output->annotations.len};
    if (outer != NULL && outer->op != NULL && is_reference(outer->op))
        slu_buf_printf(&output->path, "/%s", outer->op->keyword->name);
    else if (outer != NULL)
        slu_value_pointer(outer->node->raw, node->raw, &output->path);
    run->frame = frame;
}

void slu_output_op(struct slu_run *run, const struct slu_op *op)
{
    run->frame->op = op;
}

size_t slu_output_errors(const struct slu_run *run)
{
    return run->output->errors.len;
}

void slu_output_op_holds(struct slu_run *run, size_t errors)
{
    slu_buf_cut(&run->output->errors, errors);
}

/* RFC 3986 §3.5: what may stand in a fragment as it is. */
static void add_fragment(struct slu_buf *out, struct slu_slice text)
{
    static const char allowed[] = "-._~!$&'()*+,;=:@/?";
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (c != '\0' && strchr(allowed, c) != NULL))
            slu_buf_add_char(out, c);
        else
            slu_buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

static void add_member(struct slu_buf *out, const char *name, const struct slu_buf *text)
{
    slu_buf_printf(out, ",\"%s\":", name);
    slu_json_text_string(out, slu_buf_slice(text));
}

/* {"valid":…,"keywordLocation":…,"absoluteKeywordLocation":…,"instanceLocation":… of `keyword` (empty:
 * the node itself) */
static void begin_unit(struct slu_run *run, struct slu_buf *out, bool valid,
                       struct slu_slice keyword, const struct slu_value *value)
{
    struct slu_output *output = run->output;
    const struct slu_node *node = run->frame->node;
    const struct slu_program_resource *resource = &run->schema->resources[node->resource];
    struct slu_buf *text = &output->text;
    const size_t path = output->path.len;

    slu_buf_printf(out, "{\"valid\":%s", valid ? "true" : "false");
    slu_buf_reset(text);
    slu_value_pointer(resource->raw_root, node->raw, text);
    const size_t inside = text->len;
    for (size_t i = 0; i < keyword.len; i++) {
        const char c = keyword.data[i];
        if (i == 0)
            slu_buf_add_char(text, '/');
        slu_buf_add_text(text, c == '~' ? "~0" : c == '/' ? "~1" : "");
        if (c != '~' && c != '/')
            slu_buf_add_char(text, c);
    }
    slu_buf_add(&output->path, text->data + inside, text->len - inside);
    add_member(out, "keywordLocation", &output->path);
    slu_buf_cut(&output->path, path);

    struct slu_buf place;
    slu_buf_init(&place, PATH_MAX_BYTES);
    slu_buf_add_slice(&place, resource->uri);
    slu_buf_add_char(&place, '#');
    add_fragment(&place, slu_buf_slice(text));
    add_member(out, "absoluteKeywordLocation", &place);
    slu_buf_fini(&place);

    slu_buf_reset(text);
    slu_value_pointer(run->payload->root, value, text);
    add_member(out, "instanceLocation", text);
}

void slu_output_error(struct slu_run *run, const struct slu_keyword *row,
                      const struct slu_value *value, struct slu_slice message)
{
    struct slu_buf *out = &run->output->errors;
    begin_unit(run, out, false, slu_slice_of(row != NULL ? row->name : ""), value);
    slu_buf_add_text(out, ",\"error\":");
    slu_json_text_string(out, message);
    slu_buf_add_text(out, "},");
}

/* A keyword of a schema that held. */
static void add_keyword(struct slu_run *run, struct slu_dialect dialect,
                        const struct slu_value *key, const struct slu_value *value)
{
    struct slu_buf *out = &run->output->annotations;
    const struct slu_keyword *row = slu_keyword_find(slu_value_text(key), dialect);
    const bool since_2019 = (dialect.draft & SLU_DRAFTS_FROM_2019) != 0;
    const unsigned annotating =
        SLU_VOCABULARY_META_DATA | SLU_VOCABULARY_FORMAT | SLU_VOCABULARY_CONTENT;
    const bool annotates = row != NULL ? (row->vocabulary & annotating) != 0 : since_2019;
    const bool asks =
        row != NULL && (row->kinds != SLU_KINDS_NONE || row == &slu_keywords[SLU_KEYWORD_TYPE]);
    if (!annotates && !asks)
        return;
    begin_unit(run, out, true, slu_value_text(key), value);
    if (annotates) {
        slu_buf_add_text(out, ",\"annotation\":");
        slu_value_json(key + 1, out);
    }
    slu_buf_add_text(out, "},");
}

void slu_output_leave(struct slu_run *run, const struct slu_value *value, bool holds)
{
    struct slu_output *output = run->output;
    const struct slu_frame *frame = run->frame;
    const struct slu_value *raw = frame->node->raw;
    const struct slu_dialect dialect = run->schema->resources[frame->node->resource].dialect;
    const bool alone =
        (dialect.draft & SLU_DRAFTS_TO_7) != 0 && slu_value_get(raw, SLU_SLICE("$ref")) != NULL;

    slu_buf_cut(holds ? &output->errors : &output->annotations,
                holds ? frame->errors : frame->annotations);
    if (holds && slu_value_kind(raw) == SLU_VALUE_OBJECT) {
        const struct slu_value *key = slu_value_first(raw);
        for (size_t i = 0; i < slu_value_len(raw); i++, key = slu_value_next(key + 1))
            if (!alone || slu_slice_equal(slu_value_text(key), SLU_SLICE("$ref")))
                add_keyword(run, dialect, key, value);
    }
    slu_buf_cut(&output->path, frame->path);
    run->frame = (struct slu_frame *)frame->outer;
}

/* The list, without the comma at its end. */
static void add_list(struct slu_buf *out, const char *name, const struct slu_buf *units)
{
    slu_buf_printf(out, ",\"%s\":[", name);
    slu_buf_add(out, units->data, units->len != 0 ? units->len - 1 : 0);
    slu_buf_add_char(out, ']');
}

static bool write_output(struct slu_run *run, bool holds, struct slu_buf *out)
{
    struct slu_output *output = run->output;
    slu_buf_printf(out, "{\"valid\":%s,\"keywordLocation\":\"\",\"instanceLocation\":\"\"",
                   holds ? "true" : "false");
    if (run->stop != SLU_RUN_GOES) {
        run->output = NULL;
        slu_verdict_reset(run->verdict);
        slu_run_report_stop(run);
        slu_buf_add_text(out, ",\"error\":");
        slu_json_text_string(
            out, run->verdict->n != 0
                     ? slu_verdict_text(run->verdict, run->verdict->violations[0].message)
                     : slu_slice("", 0));
    } else {
        add_list(out, holds ? "annotations" : "errors",
                 holds ? &output->annotations : &output->errors);
    }
    slu_buf_add_char(out, '}');
    out->failed |= output->path.failed || output->errors.failed || output->annotations.failed ||
                   output->text.failed;
    return holds;
}

bool slu_schema_output(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                       const struct slu_payload *payload, struct slu_buf *out)
{
    struct slu_output output;
    struct slu_verdict verdict;
    struct slu_run run = {.schema = schema,
                          .payload = payload,
                          .scratch = scratch,
                          .verdict = &verdict,
                          .output = &output,
                          .collect = true,
                          .collect_branches = true};
    slu_verdict_init(&verdict);
    slu_buf_init(&output.path, PATH_MAX_BYTES);
    slu_buf_init(&output.errors, LIST_MAX);
    slu_buf_init(&output.annotations, LIST_MAX);
    slu_buf_init(&output.text, PATH_MAX_BYTES);
    const bool holds =
        payload->root != NULL && slu_run_judge(&run, PATIENCE * slu_run_budget_of(payload));
    write_output(&run, holds, out);
    slu_buf_fini(&output.path);
    slu_buf_fini(&output.errors);
    slu_buf_fini(&output.annotations);
    slu_buf_fini(&output.text);
    slu_verdict_fini(&verdict);
    return holds;
}
