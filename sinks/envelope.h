/* envelope.h -- a record as one line of JSON: what files, Kafka's `value: envelope`, `spool dump` and
 * the dead letters hold. The fields are described in schemas/record.schema.json. */
#ifndef SLU_SINKS_ENVELOPE_H
#define SLU_SINKS_ENVELOPE_H

#include "base/buf.h"
#include "sinks/spool/record.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_envelope {
    const char *instance;
    const uint8_t *spool_id; /* 16 bytes */
    const char *policy;      /* NULL: unknown, left out */
    const char *schema;      /* NULL: none */
};

/* Append the record as one JSON object, without newline. Digits of numbers stay as they came; a
 * payload that is not what its format says (a damaged writer) becomes payload_base64. */
bool slu_envelope_write(struct slu_buf *out, const struct slu_envelope *envelope,
                        const struct slu_record *record);

/* The same with "dead":{sink, code, message, time} added. */
bool slu_envelope_write_dead(struct slu_buf *out, const struct slu_envelope *envelope,
                             const struct slu_record *record, const char *sink, const char *code,
                             const char *message, int64_t time_ns);

#endif
