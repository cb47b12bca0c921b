/* schema.h -- an Avro schema (specification 1.12), checked and compiled.
 *
 *   text ──lint, compile──▶ struct slu_avro_schema ──┬ slu_avro_read()     binary → value tree
 *             │                    │                 └ slu_avro_encode()   JSON → binary
 *             │                    └ canonical form, CRC-64-AVRO fingerprint
 *             └ a second opinion by Avro C: what it does not take is a warning
 *
 * Checked beyond what most libraries do: names and namespaces, everything defined once and before it
 * is used, symbols and fields that differ, branches that can be told apart, defaults against their
 * types (and encoded), sizes, logical types, and that no record contains itself without a union,
 * array or map in between. Unknown attributes are metadata and ignored.
 *
 * Threads: a compiled schema never changes. Compiling: one thread at a time in a process, for Avro C's
 * sake, which keeps its last error for all threads.
 */
#ifndef SLU_AVRO_SCHEMA_H
#define SLU_AVRO_SCHEMA_H

#include "base/problems.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_avro_schema;

struct slu_avro_schema_options {
    const char *name;       /* in violations and messages: "press:3" */
    const char *source;     /* file, for places in errors */
    int64_t registry_id;    /* what messages of a schema registry call it; -1: nothing */
    bool no_second_opinion; /* do not ask Avro C: the text was accepted before */
};

/* Compile the JSON text of one schema. Everything that is wrong with it goes to `problems` (with file,
 * line, column and pointer) and the result is NULL; warnings may come with a result. Free with
 * slu_avro_schema_free(). */
struct slu_avro_schema *slu_avro_schema_compile(struct slu_slice text,
                                                const struct slu_avro_schema_options *options,
                                                struct slu_problems *problems);
void slu_avro_schema_free(struct slu_avro_schema *schema);

/* Its name, as in the options. */
const char *slu_avro_schema_name(const struct slu_avro_schema *schema);

/* The document it was compiled from. */
struct slu_slice slu_avro_schema_text(const struct slu_avro_schema *schema);

/* Parsing Canonical Form, and the CRC-64-AVRO of it (specification, "Schema Fingerprints"). */
struct slu_slice slu_avro_schema_canonical(const struct slu_avro_schema *schema);
uint64_t slu_avro_schema_fingerprint(const struct slu_avro_schema *schema);

/* CRC-64-AVRO of any bytes. */
uint64_t slu_avro_fingerprint(struct slu_slice bytes);

#endif
