/* instance.c -- see instance.h. */
#include "plugin/cli/instance.h"

#include "plugin/cli/out.h"
#include "validation/avro/encode.h"

#include <string.h>

int slu_instance_judge_init(struct slu_instance_judge *judge)
{
    *judge = (struct slu_instance_judge){.reader = slu_payload_reader_new(SLU_INSTANCE_MAX_BYTES),
                                         .avro = slu_avro_reader_new(SLU_INSTANCE_MAX_BYTES),
                                         .scratch = slu_schema_scratch_new()};
    slu_verdict_init(&judge->verdict);
    return judge->reader != NULL && judge->avro != NULL && judge->scratch != NULL ? 0 : -1;
}

void slu_instance_judge_fini(struct slu_instance_judge *judge)
{
    slu_payload_reader_free(judge->reader);
    slu_avro_reader_free(judge->avro);
    slu_schema_scratch_free(judge->scratch);
    slu_verdict_fini(&judge->verdict);
}

/* What cannot be read is one violation, as in the plugin. */
static void add_fault(struct slu_verdict *verdict, const struct slu_payload *payload)
{
    struct slu_violation *violation = slu_verdict_add(verdict, slu_payload_codes[payload->fault]);
    uint32_t begin = slu_verdict_begin(verdict);

    if (violation == NULL)
        return;
    slu_buf_add_slice(&verdict->scratch, payload->fault_pointer);
    violation->pointer = slu_verdict_end_text(verdict, begin);
    begin = slu_verdict_begin(verdict);
    slu_buf_printf(&verdict->scratch, "%s at byte %zu",
                   payload->fault_text != NULL ? payload->fault_text : "cannot be read",
                   payload->fault_at);
    violation->message = slu_verdict_end_text(verdict, begin);
}

static bool ran_out(const struct slu_verdict *verdict)
{
    for (size_t i = 0; i < verdict->n; i++)
        if (strcmp(verdict->violations[i].code, "schema.budget") == 0 ||
            strcmp(verdict->violations[i].code, "schema.pattern_budget") == 0)
            return true;
    return false;
}

bool slu_instance_holds(struct slu_instance_judge *judge, const struct slu_schema *schema,
                        struct slu_slice bytes)
{
    struct slu_payload payload;

    slu_verdict_reset(&judge->verdict);
    judge->could_not_judge = false;
    if (!slu_payload_read(judge->reader, SLU_FORMAT_JSON, bytes, &payload)) {
        add_fault(&judge->verdict, &payload);
        judge->could_not_judge = true;
        return false;
    }
    if (slu_schema_judge(schema, judge->scratch, &payload, &judge->verdict))
        return true;
    judge->could_not_judge = ran_out(&judge->verdict);
    return false;
}

bool slu_instance_is_avro(struct slu_instance_judge *judge, const struct slu_avro_schema *schema,
                          enum slu_avro_framing framing, struct slu_slice bytes)
{
    const struct slu_avro_choice choice = {
        .schemas = &schema, .n = 1, .framing = framing, .any_id = framing == SLU_AVRO_CONFLUENT};
    struct slu_payload payload;

    slu_verdict_reset(&judge->verdict);
    judge->could_not_judge = false;
    if (slu_avro_read(judge->avro, &choice, bytes, &payload, NULL))
        return true;
    add_fault(&judge->verdict, &payload);
    return false;
}

/* The first complaint is the one that is told: the natural dialect's. */
static bool encodes(const struct slu_avro_schema *schema, const struct slu_payload *payload,
                    struct slu_avro_complaint *complaint)
{
    const struct slu_avro_source source = slu_avro_source_of(payload);
    const enum slu_avro_dialect dialects[] = {SLU_AVRO_JSON, SLU_AVRO_NATURAL};
    struct slu_buf out;
    bool done = false;

    slu_buf_init(&out, SLU_INSTANCE_MAX_BYTES);
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]) && !done; i++) {
        const struct slu_avro_options options = {.dialect = dialects[i]};
        slu_buf_reset(&out);
        done = slu_avro_encode(schema, &source, &options, &out, complaint);
    }
    slu_buf_fini(&out);
    return done;
}

bool slu_instance_encodes(struct slu_instance_judge *judge, const struct slu_avro_schema *schema,
                          struct slu_slice bytes)
{
    struct slu_verdict *verdict = &judge->verdict;
    struct slu_avro_complaint complaint;
    struct slu_payload payload;

    slu_verdict_reset(verdict);
    judge->could_not_judge = false;
    if (!slu_payload_read(judge->reader, SLU_FORMAT_JSON, bytes, &payload)) {
        add_fault(verdict, &payload);
        return false;
    }
    if (encodes(schema, &payload, &complaint))
        return true;
    struct slu_violation *violation = slu_verdict_add(verdict, slu_payload_codes[complaint.fault]);
    uint32_t begin = slu_verdict_begin(verdict);
    if (violation == NULL)
        return false;
    slu_value_pointer(payload.root, complaint.at, &verdict->scratch);
    violation->pointer = slu_verdict_end_text(verdict, begin);
    begin = slu_verdict_begin(verdict);
    slu_buf_add_text(&verdict->scratch, complaint.text);
    violation->message = slu_verdict_end_text(verdict, begin);
    return false;
}

bool slu_instance_output(struct slu_instance_judge *judge, const struct slu_schema *schema,
                         struct slu_slice bytes, struct slu_buf *out)
{
    struct slu_payload payload;

    slu_verdict_reset(&judge->verdict);
    judge->could_not_judge = !slu_payload_read(judge->reader, SLU_FORMAT_JSON, bytes, &payload);
    if (!judge->could_not_judge)
        return slu_schema_output(schema, judge->scratch, &payload, out);
    add_fault(&judge->verdict, &payload);
    slu_buf_add_char(out, '{');
    slu_out_bool(out, "valid", false);
    slu_out_text(out, "keywordLocation", "");
    slu_out_text(out, "instanceLocation", "");
    slu_out_string(out, "error",
                   slu_verdict_text(&judge->verdict, judge->verdict.violations[0].message));
    slu_out_close(out, '}');
    return false;
}
