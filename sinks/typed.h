/* typed.h -- a record's payload as a value of one Avro schema, framed: what is in a typed topic.
 *
 *   payload ──decoder──▶ value tree ──slu_avro_encode()──▶ frame, body
 *
 *   raw            body
 *   single_object  C3 01, the schema's CRC-64-AVRO in little endian, body
 *   confluent      00, the id that a registry gave the schema in big endian (4 bytes), body
 *
 * A payload that was written with the very schema is not made anew: its body stays as it is.
 *
 * The section names the schema and says the rest; the configuration's loader puts the document beside
 * it (users write no such key):
 *
 *   schema: press:3                    framing: confluent   unions: natural   unknown_fields: dead_letter
 *   schema_document: {name: press:3, file: /etc/…/press.avsc, text: "{…}", registry_id: 9}
 *
 * Threads: belongs to one thread, a sink's.
 */
#ifndef SLU_SINKS_TYPED_H
#define SLU_SINKS_TYPED_H

#include "base/err.h"
#include "base/node.h"
#include "base/problems.h"
#include "sinks/sink.h"

#include <stdint.h>

struct slu_typed;

/* Are the section's options of it good, and the schema? Tells everything; with the second opinion. */
void slu_typed_check(const struct slu_node *section, struct slu_problems *problems);

/* Nothing of the section is kept. NULL and err: what check would tell, or no memory. */
struct slu_typed *slu_typed_new(const struct slu_node *section, struct slu_err *err);
void slu_typed_free(struct slu_typed *typed);

/* Do its values carry an id? The text of its schema. */
bool slu_typed_wants_id(const struct slu_typed *typed);
struct slu_slice slu_typed_text(const struct slu_typed *typed);

/* The id that frames of confluent carry. At first the section's registry_id; who learns one later (from
 * a registry) sets it before the next value is made. -1: none is known yet. */
int64_t slu_typed_id(const struct slu_typed *typed);
void slu_typed_set_id(struct slu_typed *typed, int64_t id);

enum slu_typed_made {
    SLU_TYPED_MADE,
    SLU_TYPED_UNFIT, /* it can never be one: `reject` has avro.…, payload.… or record.too_large, and
                        where in the payload the reason is */
    SLU_TYPED_NO_MEMORY,
    SLU_TYPED_NO_ID, /* framing is confluent, and the schema has no id yet */
};

/* The record's value, borrowed until the next call. `env` says how payloads are read. */
enum slu_typed_made slu_typed_make(struct slu_typed *typed, const struct slu_sink_env *env,
                                   const struct slu_record *record, struct slu_slice *value,
                                   struct slu_sink_reject *reject);

#endif
