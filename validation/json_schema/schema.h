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

struct slu_buf;
struct slu_library;
struct slu_payload;
struct slu_schema;
struct slu_schema_scratch;
struct slu_value;
struct slu_verdict;

enum slu_schema_draft { /* bits */
                        SLU_DRAFT_4 = 1,
                        SLU_DRAFT_6 = 2,
                        SLU_DRAFT_7 = 4,
                        SLU_DRAFT_2019 = 8,
                        SLU_DRAFT_2020 = 16,
};

/* "4", "6", "7", "2019-09", "2020-12"; 0: another word. */
enum slu_schema_draft slu_schema_draft_named(struct slu_slice name);

/* The draft whose metaschema this is ("https://json-schema.org/draft/2020-12/schema", a '#' at its end
 * or none); 0: of none. */
enum slu_schema_draft slu_schema_draft_of_uri(struct slu_slice uri);

/* Whether `format` is an assertion (and with it, in draft 7, contentEncoding and contentMediaType). */
enum slu_schema_formats {
    SLU_FORMATS_BY_DRAFT, /* asserted in 4, 6 and 7; later if the metaschema's $vocabulary says so */
    SLU_FORMATS_ASSERT,
    SLU_FORMATS_ANNOTATE,
};

struct slu_schema_options {
    const char *name;                    /* in violations and messages: "oven:1" */
    const char *source;                  /* file, for places in errors */
    enum slu_schema_draft default_draft; /* of a schema without $schema; 0: 2020-12 */
    enum slu_schema_formats formats;     /* of the schema and of all that it refers to */
    const struct slu_library *library; /* what references may lead to, besides the schema itself and
                                          the metaschemas of the drafts; NULL: nothing. Borrowed
                                          until it is compiled */
    bool for_output;                   /* judged by slu_schema_output() only */
};

/* Compile the JSON text of one schema. Everything that is wrong with it goes to `problems` (with
 * file, line, column and pointer) and the result is NULL; warnings may come with a result. The same
 * goes for the documents that it refers to. Free with slu_schema_free(). */
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

/* The same with a verdict, right after slu_schema_judge() said it of this payload by this schema without
 * one: only what is wrong is still to be found. */
bool slu_schema_tell(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                     const struct slu_payload *payload, struct slu_verdict *verdict);

/* Does it hold, as JSON Schema's own output of the form "basic" (2019-09 and 2020-12 core, §10.4 and
 * §12.4): a JSON object appended to `out`, with a unit for every keyword that failed, or for every one
 * that held and the annotations they make. The schema was compiled `for_output`. */
bool slu_schema_output(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                       const struct slu_payload *payload, struct slu_buf *out);

/* Did the last judgement, in passing, meet every key of the payload's root object as another name? Then
 * no key is there twice. False: not known. */
bool slu_schema_keys_differ(const struct slu_schema_scratch *scratch);

#endif
