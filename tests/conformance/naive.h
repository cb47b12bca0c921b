/* naive.h -- a second JSON Schema evaluator, straight from the specifications: slow and obvious.
 *
 * It shares nothing with the engine but the reader of JSON (its trees, its UTF-8): numbers are GMP's
 * rationals, patterns go to PCRE2 as they are, references are looked up each time they are met. So
 * where the two agree on random schemas, both misread the specification in the same way or not at all.
 *
 * Drafts 4, 6, 7, 2019-09, 2020-12, every required keyword, $vocabulary, other documents. Formats and
 * content are annotations. What it cannot decide within bounds (an endless recursion, a number of too
 * many digits, a reference that leads nowhere) it gives up on, which is an answer of its own.
 *
 *   naive_new ─▶ naive_add(uri, document)… ─▶ naive_open(schema) ─▶ naive_judge(instance)…
 *
 * Threads: one struct, one thread.
 */
#ifndef SLU_CONFORMANCE_NAIVE_H
#define SLU_CONFORMANCE_NAIVE_H

#include "validation/payload/value.h"

#include <stdbool.h>

enum naive_draft { NAIVE_4, NAIVE_6, NAIVE_7, NAIVE_2019, NAIVE_2020, NAIVE_DRAFTS };

/* "http://json-schema.org/draft-04/schema", …: what $schema says, without a "#". */
extern const char *const naive_draft_uris[NAIVE_DRAFTS];

enum naive_answer { NAIVE_FAILS, NAIVE_HOLDS, NAIVE_GIVES_UP };

struct naive;

/* `draft` is for schemas and documents without $schema. Aborts when there is no memory, like all of
 * this: it is a test. */
struct naive *naive_new(enum naive_draft draft);
void naive_free(struct naive *naive);

/* Another document, by the URI it would be fetched from; "": by its own $id only. Its metaschema, if
 * it is none of the five, must have been added before. Trees are raw_root's (numbers as text) and stay
 * with the caller. False: its dialect is unknown, and it was left out. */
bool naive_add(struct naive *naive, const char *uri, const struct slu_value *root);

/* Judge by this schema from now on; the one before is forgotten. False: its dialect is unknown. */
bool naive_open(struct naive *naive, const struct slu_value *schema);
enum naive_answer naive_judge(struct naive *naive, const struct slu_value *instance);

/* JSON Schema's equality of two raw trees. */
bool naive_equal(const struct slu_value *a, const struct slu_value *b, bool *gave_up);

#endif
