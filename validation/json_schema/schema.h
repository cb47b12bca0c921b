/* schema.h -- JSON Schema, compiled once and judged per message.
 *
 *   at load, once:   text ──slu_schema_compile──▶ struct slu_schema, immutable
 *   per message:     value tree ──slu_schema_judge──▶ holds, or violations in a verdict
 *
 * Judging allocates nothing, never recurses beyond the payload's and the schema's own bounded depth,
 * and always ends: every step draws on an evaluation budget (violation schema.budget) and every
 * pattern on a match limit (schema.pattern_budget).
 *
 * Threads: a compiled schema never changes; any thread may judge with it, each with its own scratch.
 */
#ifndef SLU_VALIDATION_JSON_SCHEMA_SCHEMA_H
#define SLU_VALIDATION_JSON_SCHEMA_SCHEMA_H

#include "base/problems.h"
#include "base/slice.h"

#include <stdbool.h>

struct slu_payload;
struct slu_schema;
struct slu_schema_scratch;
struct slu_value;
struct slu_verdict;

struct slu_schema_options {
    const char *name;   /* in violations and messages: "oven:1" */
    const char *source; /* file, for places in errors */
};

/* Compile the JSON text of one schema. Everything that is wrong with it goes to `problems` (with
 * file, line, column and pointer) and the result is NULL; warnings may come with a result. Free with
 * slu_schema_free(). */
struct slu_schema *slu_schema_compile(struct slu_slice text,
                                      const struct slu_schema_options *options,
                                      struct slu_problems *problems);
void slu_schema_free(struct slu_schema *schema);

/* Its name, as in the options. */
const char *slu_schema_name(const struct slu_schema *schema);

/* Working memory for judging, one a thread, good for every schema. NULL: no memory. */
struct slu_schema_scratch *slu_schema_scratch_new(void);
void slu_schema_scratch_free(struct slu_schema_scratch *scratch);

/* Does payload->root hold? When not, and `verdict` is not NULL, every violation is added to it. */
bool slu_schema_judge(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                      const struct slu_payload *payload, struct slu_verdict *verdict);

/* Did the last judgement, in passing, meet every key of the payload's root object as another name? Then
 * no key is there twice. False: not known. */
bool slu_schema_keys_differ(const struct slu_schema_scratch *scratch);

#endif
