/* instance.h -- one document or message against one schema: bytes in, verdict out. */
#ifndef SLU_PLUGIN_CLI_INSTANCE_H
#define SLU_PLUGIN_CLI_INSTANCE_H

#include "base/err.h"
#include "validation/avro/read.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#define SLU_INSTANCE_MAX_BYTES ((size_t)64 << 20)

struct slu_instance_judge {
    struct slu_payload_reader *reader;
    struct slu_avro_reader *avro;
    struct slu_schema_scratch *scratch;
    struct slu_verdict verdict; /* of the last one judged */
    bool could_not_judge;       /* the last one: it was no JSON that is read, or a budget ran out */
};

/* 0, or -1: no memory. Free with fini either way. */
int slu_instance_judge_init(struct slu_instance_judge *judge);
void slu_instance_judge_fini(struct slu_instance_judge *judge);

/* Does `bytes`, a JSON document, hold to the schema? */
bool slu_instance_holds(struct slu_instance_judge *judge, const struct slu_schema *schema,
                        struct slu_slice bytes);

/* Is `bytes` a value of the Avro schema, framed so? An id in a confluent frame may be any. */
bool slu_instance_is_avro(struct slu_instance_judge *judge, const struct slu_avro_schema *schema,
                          enum slu_avro_framing framing, struct slu_slice bytes);

/* Is `bytes` JSON that can be encoded by the Avro schema, in either dialect of unions? */
bool slu_instance_encodes(struct slu_instance_judge *judge, const struct slu_avro_schema *schema,
                          struct slu_slice bytes);

/* The same as JSON Schema's output "basic", appended to `out`. `schema` was compiled for it. What is no
 * JSON gets an output of the same form. */
bool slu_instance_output(struct slu_instance_judge *judge, const struct slu_schema *schema,
                         struct slu_slice bytes, struct slu_buf *out);

#endif
