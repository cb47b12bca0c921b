/* envelope.h -- a record as one line of JSON: what files, Kafka's `value: envelope`, `spool dump` and
 * the dead letters hold. The fields are described in schemas/record.schema.json. */
#ifndef SLU_SINKS_ENVELOPE_H
#define SLU_SINKS_ENVELOPE_H

#include "base/buf.h"
#include "sinks/spool/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Six times the largest record (every byte escaped) and the rest of the envelope: no line is longer. */
#define SLU_ENVELOPE_MAX_BYTES (8u * SLU_RECORD_MAX_BYTES)

/* An Avro payload as JSON names its fields again and again: more than this is shown as bytes. */
#define SLU_ENVELOPE_DECODED_MAX (4u * SLU_RECORD_MAX_BYTES)

struct slu_decoder;

struct slu_envelope {
    const char *instance;
    const uint8_t *spool_id;      /* 16 bytes */
    const char *policy;           /* NULL: unknown, left out */
    const char *schema;           /* NULL: none */
    struct slu_slice schema_text; /* its document; empty: not known */
    struct slu_decoder *decoder;  /* NULL: Avro is shown as its bytes */
};

/* Append the record as one JSON object, without newline. Digits of numbers stay as they came; a
 * payload that is not what its format says (a damaged writer), or Avro that would be larger than
 * SLU_ENVELOPE_DECODED_MAX as JSON, becomes payload_base64. False when
 * `out` failed; what it holds beyond its old length is then of no use. */
bool slu_envelope_write(struct slu_buf *out, const struct slu_envelope *envelope,
                        const struct slu_record *record);

/* Append the payload alone, as JSON on one line. False: it has no form in JSON, or `out` has
 * failed. */
bool slu_envelope_payload_json(struct slu_buf *out, const struct slu_envelope *envelope,
                               const struct slu_record *record);

/* slu_envelope_write() with "dead":{sink, code, message, time} added. */
bool slu_envelope_write_dead(struct slu_buf *out, const struct slu_envelope *envelope,
                             const struct slu_record *record, const char *sink, const char *code,
                             const char *message, int64_t time_ns);

/* The first bytes of an envelope hold its `id` and `seq`. */
#define SLU_ENVELOPE_HEAD_BYTES 88u

/* Read the place back from the first bytes of a line that slu_envelope_write() made (the whole line,
 * or at least SLU_ENVELOPE_HEAD_BYTES of it): `*seq`, and in `*ours` whether its id is that of this
 * spool's record `seq`. False when it is no envelope. */
bool slu_envelope_place(struct slu_slice line, const uint8_t spool_id[16], uint64_t *seq,
                        bool *ours);

#endif
