/* envelope_avro.h -- a record as an Avro object: what the file sink's container files hold. The fields are
 * described in schemas/record.avsc.
 *
 * With a schema of its own for the payload the record has one more field, typed:
 *
 *   {…, "payload": ["null", <the payload's schema, word for word>], "id": …, "seq": …}
 */
#ifndef SLU_SINKS_ENVELOPE_AVRO_H
#define SLU_SINKS_ENVELOPE_AVRO_H

#include "base/problems.h"
#include "sinks/envelope.h"

/* Append the schema of records: schemas/record.avsc, and in it `payload`, the text of an Avro schema
 * (empty: without). A payload that is a union (or null) itself, which no union may hold, becomes the one field
 * `value` of a record `sluice_payload`. False: no memory, or `problems` says what is wrong with it. */
bool slu_envelope_avro_schema(struct slu_buf *out, struct slu_slice payload,
                              struct slu_problems *problems);

/* How records are written. */
struct slu_envelope_avro {
    struct slu_slice payload; /* text of the schema whose payloads are typed; empty: of none */
    struct slu_buf scratch;   /* the caller's, kept from record to record */
};

/* Append the record's fields. A payload that was read with the very schema is copied as it came; another
 * is JSON text, or else its bytes. False: no memory; what `out` holds beyond its old length is then of no
 * use. */
bool slu_envelope_avro_write(struct slu_buf *out, struct slu_envelope_avro *avro,
                             const struct slu_envelope *envelope, const struct slu_record *record);

/* The place of the last object of a block's, which ends with its id and seq: as slu_envelope_place(). */
bool slu_envelope_avro_place(struct slu_slice objects, const uint8_t spool_id[16], uint64_t *seq,
                             bool *ours);

#endif
