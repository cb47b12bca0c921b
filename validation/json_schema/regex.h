/* regex.h -- ECMA-262 patterns, compiled once, matched within bounds.
 *
 *   text ──pattern.c──▶ tree ──automaton.c──▶ table of a deterministic automaton: one step a byte
 *                         └───translate.c──▶ PCRE2, for what no automaton can do: look-around,
 *                                            back-references, \b, \p{…}, or too many states
 *
 * PCRE2 lives in regex.c and nowhere else.
 *
 * Threads: a compiled pattern never changes; the scratch is the thread's.
 */
#ifndef SLU_JSON_SCHEMA_REGEX_H
#define SLU_JSON_SCHEMA_REGEX_H

#include "base/slice.h"

#include <stdbool.h>

struct slu_err;
struct slu_regex;
struct slu_regex_scratch;
struct slu_run;
struct slu_value;

/* NULL: `err` says what is wrong with it, and where. Free with slu_regex_free(). */
struct slu_regex *slu_regex_compile(struct slu_slice pattern, struct slu_err *err);
void slu_regex_free(struct slu_regex *regex);

/* Is it run by an automaton (linear, whatever the text)? */
bool slu_regex_is_linear(const struct slu_regex *regex);

struct slu_regex_scratch *slu_regex_scratch_new(void);
void slu_regex_scratch_free(struct slu_regex_scratch *scratch);

/* Does the pattern match anywhere in `text` (a string or key of the payload, so UTF-8)? Draws on the
 * run's budget; stops the run and returns false when it is too dear. */
bool slu_regex_matches(const struct slu_regex *regex, struct slu_run *run,
                       const struct slu_value *text);

#endif
