/* random_avro.h -- Avro schemas and messages, made up; what they are made of are the dice of random_json.h.
 */
#ifndef SLU_CONFORMANCE_RANDOM_AVRO_H
#define SLU_CONFORMANCE_RANDOM_AVRO_H

#include "base/buf.h"
#include "tests/conformance/avro_meaning.h"
#include "tests/conformance/random_json.h"

/* A sound schema: every type and logical type, names in and out of namespaces, types that refer to themselves
 * through unions, arrays and maps, logical types that have to be ignored. In the dice's arena. */
struct json *random_avro_schema(struct dice *dice);

/* A sound body of it, appended to `out`, in every form that the specification lets a writer choose: blocks
 * with and without their size, several of them, numbers with more bytes than they need. */
void random_avro_body(struct dice *dice, const struct meaning *meaning, struct slu_buf *out);

/* Damage a body: bits, bytes, its end, parts of it and of another one. */
void random_avro_damage(struct dice *dice, struct slu_slice other, struct slu_buf *body);

#endif
