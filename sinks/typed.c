/* typed.c -- see typed.h. */
#include "sinks/typed.h"

#include "base/buf.h"
#include "sinks/decoder.h"
#include "validation/avro/encode.h"
#include "validation/avro/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX_BYTES \
    ((size_t)8 << 20) /* an encoded value; defaults may make it larger than the payload */
#define KEEP_BYTES      ((size_t)1 << 20) /* of it between two records */
#define FRAME_MAX_BYTES 10

struct slu_typed {
    struct slu_avro_schema *schema; /* owned */
    enum slu_avro_framing framing;  /* never auto */
    struct slu_avro_options options;
    int64_t id;
    struct slu_buf out;
};

/* ---- the section ----------------------------------------------------------------------------------------- */

/* What it says, as long as the section is there. */
struct wish {
    const struct slu_node *section, *document;
    enum slu_avro_framing framing;
    struct slu_avro_options options;
    int64_t id;
    struct slu_problems *problems;
};

static void tell(struct wish *wish, const char *key, const char *sentence)
{
    const struct slu_node *node = slu_node_get(wish->section, key);

    if (node == NULL)
        node = wish->section;
    slu_problems_error(wish->problems, node->file, node->line, node->column, NULL, "%s: %s", key,
                       sentence);
}

/* Which of the words the option has; the fallback when it is absent. */
static unsigned word(struct wish *wish, const char *key, const char *const words[3],
                     unsigned fallback, const char *expected)
{
    const struct slu_node *node = slu_node_get(wish->section, key);

    for (unsigned i = 0; i < 3 && node != NULL && words[i] != NULL; i++)
        if (strcmp(slu_node_text(node, ""), words[i]) == 0)
            return i;
    if (node != NULL)
        tell(wish, key, expected);
    return fallback;
}

/* A schema that a registry knows is framed as the registry's readers expect it. */
static enum slu_avro_framing default_framing(const struct wish *wish)
{
    return wish->id >= 0 ? SLU_AVRO_CONFLUENT : SLU_AVRO_SINGLE_OBJECT;
}

static void read_wish(struct wish *wish)
{
    static const char *const unions[3] = {"natural", "avro_json", NULL};
    static const char *const unknown[3] = {"dead_letter", "drop", NULL};

    wish->document = slu_node_get(wish->section, "schema_document");
    wish->id = slu_node_int(slu_node_get(wish->document, "registry_id"), -1);
    wish->framing =
        (enum slu_avro_framing)word(wish, "framing", slu_avro_framing_names, default_framing(wish),
                                    "is raw, single_object or confluent");
    wish->options.dialect = word(wish, "unions", unions, 0, "is natural or avro_json") == 0
                                ? SLU_AVRO_NATURAL
                                : SLU_AVRO_JSON;
    wish->options.drop_unknown =
        word(wish, "unknown_fields", unknown, 0, "is dead_letter or drop") == 1;
    if (slu_node_get(wish->section, "schema") == NULL)
        tell(wish, "schema", "is missing: `value: avro` needs the Avro schema of the values");
    else if (wish->document != NULL && wish->framing == SLU_AVRO_CONFLUENT && wish->id < 0 &&
             slu_node_get(wish->section, "registry") == NULL)
        tell(wish, "framing",
             "confluent needs the id that the registry gave the schema: its registry_id, or a "
             "`registry` at the top of the configuration that can be asked");
}

static struct slu_avro_schema *compile(const struct wish *wish, bool no_second_opinion)
{
    const struct slu_avro_schema_options options = {
        .name = slu_node_text(slu_node_get(wish->document, "name"), ""),
        .source = slu_node_text(slu_node_get(wish->document, "file"), ""),
        .registry_id = wish->id,
        .no_second_opinion = no_second_opinion,
    };
    const char *text = slu_node_text(slu_node_get(wish->document, "text"), "");

    return slu_avro_schema_compile(slu_slice_of(text), &options, wish->problems);
}

/* Without a document the loader has told why. */
void slu_typed_check(const struct slu_node *section, struct slu_problems *problems)
{
    struct wish wish = {.section = section, .problems = problems};

    read_wish(&wish);
    if (wish.document != NULL)
        slu_avro_schema_free(compile(&wish, false));
}

struct slu_typed *slu_typed_new(const struct slu_node *section, struct slu_err *err)
{
    struct slu_problems problems;
    struct slu_typed *typed = calloc(1, sizeof(*typed));
    struct wish wish = {.section = section, .problems = &problems};

    slu_problems_init(&problems);
    if (typed != NULL) {
        read_wish(&wish);
        slu_buf_init(&typed->out, VALUE_MAX_BYTES);
        typed->framing = wish.framing;
        typed->options = wish.options;
        typed->id = wish.id;
        typed->schema = problems.n_errors == 0 ? compile(&wish, true) : NULL;
    }
    for (size_t i = 0; i < problems.n; i++)
        if (!problems.items[i].is_warning)
            slu_err_set(err, SLU_EINVAL, "%s", problems.items[i].err.text);
    slu_problems_fini(&problems);
    if (typed != NULL && typed->schema != NULL)
        return typed;
    slu_err_set(err, SLU_ENOMEM, "no memory for the schema of a typed topic"); /* unless told */
    slu_typed_free(typed);
    return NULL;
}

void slu_typed_free(struct slu_typed *typed)
{
    if (typed == NULL)
        return;
    slu_avro_schema_free(typed->schema);
    slu_buf_fini(&typed->out);
    free(typed);
}

bool slu_typed_wants_id(const struct slu_typed *typed)
{
    return typed->framing == SLU_AVRO_CONFLUENT;
}

struct slu_slice slu_typed_text(const struct slu_typed *typed)
{
    return slu_avro_schema_text(typed->schema);
}

int64_t slu_typed_id(const struct slu_typed *typed)
{
    return typed->id;
}

void slu_typed_set_id(struct slu_typed *typed, int64_t id)
{
    typed->id = id;
}

/* ---- values ---------------------------------------------------------------------------------------------- */

static enum slu_typed_made unfit(struct slu_sink_reject *reject, const char *code,
                                 struct slu_slice pointer, const char *text)
{
    snprintf(reject->code, sizeof(reject->code), "%s", code);
    snprintf(reject->message, sizeof(reject->message), "%.*s%s%s",
             (int)(pointer.len < 100 ? pointer.len : 100), pointer.data != NULL ? pointer.data : "",
             pointer.len != 0 ? ": " : "", text);
    return SLU_TYPED_UNFIT;
}

static void add_frame(struct slu_typed *typed)
{
    const uint64_t fingerprint = slu_avro_schema_fingerprint(typed->schema);
    uint8_t frame[FRAME_MAX_BYTES];
    size_t n = 0;

    if (typed->framing == SLU_AVRO_SINGLE_OBJECT) {
        frame[n++] = 0xC3;
        frame[n++] = 0x01;
        for (unsigned shift = 0; shift < 64; shift += 8)
            frame[n++] = (uint8_t)(fingerprint >> shift);
    } else if (typed->framing == SLU_AVRO_CONFLUENT) {
        frame[n++] = 0x00;
        for (unsigned shift = 32; shift > 0; shift -= 8)
            frame[n++] = (uint8_t)((uint64_t)typed->id >> (shift - 8));
    }
    slu_buf_add(&typed->out, frame, n);
}

/* Written with this very schema: there is nothing to convert. */
static bool is_same_schema(const struct slu_typed *typed, const struct slu_record *record,
                           struct slu_slice schema_text)
{
    return record->format == SLU_RECORD_AVRO && schema_text.len != 0 &&
           slu_slice_equal(schema_text, slu_avro_schema_text(typed->schema));
}

/* The buffer has failed: beyond its ceiling, or no memory? */
static enum slu_typed_made no_room(struct slu_typed *typed, struct slu_sink_reject *reject)
{
    slu_buf_reset(&typed->out);
    if (slu_buf_room(&typed->out, VALUE_MAX_BYTES) == NULL)
        return SLU_TYPED_NO_MEMORY;
    slu_buf_reset(&typed->out);
    return unfit(reject, "record.too_large", SLU_SLICE(""), "its value would have more than 8 MiB");
}

static enum slu_typed_made not_read(const struct slu_record *record,
                                    const struct slu_payload *payload,
                                    struct slu_sink_reject *reject)
{
    if (record->format == SLU_RECORD_BYTES)
        return unfit(reject, "avro.malformed", SLU_SLICE(""),
                     "the payload is bytes that nobody can read, no value of the schema");
    if (payload->fault == SLU_PAYLOAD_OK || payload->fault == SLU_PAYLOAD_TOO_LARGE)
        return SLU_TYPED_NO_MEMORY;
    return unfit(reject, slu_payload_codes[payload->fault], payload->fault_pointer,
                 payload->fault_text != NULL ? payload->fault_text : "the payload cannot be read");
}

static enum slu_typed_made encode(struct slu_typed *typed, const struct slu_payload *payload,
                                  struct slu_sink_reject *reject)
{
    const struct slu_avro_source source = slu_avro_source_of(payload);
    struct slu_avro_complaint complaint;
    struct slu_buf pointer;

    if (slu_avro_encode(typed->schema, &source, &typed->options, &typed->out, &complaint))
        return SLU_TYPED_MADE;
    if (complaint.fault == SLU_PAYLOAD_TOO_LARGE)
        return no_room(typed, reject);
    slu_buf_init(&pointer, 4096); /* a longer one is cut, as the message is */
    if (complaint.at != NULL)
        slu_value_pointer(payload->root, complaint.at, &pointer);
    unfit(reject, slu_payload_codes[complaint.fault], slu_buf_slice(&pointer), complaint.text);
    slu_buf_fini(&pointer);
    return SLU_TYPED_UNFIT;
}

enum slu_typed_made slu_typed_make(struct slu_typed *typed, const struct slu_sink_env *env,
                                   const struct slu_record *record, struct slu_slice *value,
                                   struct slu_sink_reject *reject)
{
    const struct slu_slice schema_text = slu_sink_schema_text(env, record);
    struct slu_payload payload = {.fault = SLU_PAYLOAD_OK};
    struct slu_slice body;
    enum slu_typed_made made = SLU_TYPED_MADE;

    if (record->kind != SLU_RECORD_MESSAGE)
        return unfit(reject, "avro.malformed", SLU_SLICE(""),
                     "an alert record is no value of the schema");
    if (typed->framing == SLU_AVRO_CONFLUENT && typed->id < 0)
        return SLU_TYPED_NO_ID;
    if (typed->out.cap > KEEP_BYTES) {
        slu_buf_fini(&typed->out);
        slu_buf_init(&typed->out, VALUE_MAX_BYTES);
    }
    slu_buf_reset(&typed->out);
    add_frame(typed);
    if (is_same_schema(typed, record, schema_text) && slu_decoder_body(record, &body))
        slu_buf_add_slice(&typed->out, body);
    else if (!slu_decoder_read(env->decoder, record, schema_text, &payload))
        return not_read(record, &payload, reject);
    else
        made = encode(typed, &payload, reject);
    if (made == SLU_TYPED_MADE && typed->out.failed)
        made = no_room(typed, reject);
    *value = slu_buf_slice(&typed->out);
    return made;
}
