/* out.h -- what the verbs print: one JSON object, written as text so that every digit that was judged
 * leaves as it came, and problems as lines.
 *
 *   slu_out_open(out, NULL, '{'); slu_out_string(out, "id", …); slu_out_close(out, '}');
 *
 * Commas are set by what stands before. A name of NULL is an item of a list.
 */
#ifndef SLU_PLUGIN_CLI_OUT_H
#define SLU_PLUGIN_CLI_OUT_H

#include "base/buf.h"
#include "base/problems.h"
#include "validation/verdict.h"

#include <stdbool.h>
#include <stdint.h>

#define SLU_OUT_MAX_BYTES ((size_t)512 << 20)

void slu_out_open(struct slu_buf *out, const char *name, char bracket);
void slu_out_close(struct slu_buf *out, char bracket);
void slu_out_string(struct slu_buf *out, const char *name, struct slu_slice text);
void slu_out_text(struct slu_buf *out, const char *name, const char *text); /* NULL: null */
void slu_out_int(struct slu_buf *out, const char *name, int64_t number);
void slu_out_bool(struct slu_buf *out, const char *name, bool value);
void slu_out_json(struct slu_buf *out, const char *name, struct slu_slice json); /* as it is */

/* "violations":[…] as in the alert record, and "violations_total" when there are more. */
void slu_out_violations(struct slu_buf *out, const struct slu_verdict *verdict);

/* One line a violation: `prefix`, code, pointer, message. */
void slu_out_violation_lines(struct slu_buf *out, const char *prefix,
                             const struct slu_verdict *verdict);

/* "errors":[…] or "warnings":[…]: {file, line, column, pointer, message} each. */
void slu_out_problems(struct slu_buf *out, const char *name, const struct slu_problems *problems,
                      bool warnings);

/* All of them as lines `file:line:col: /ptr: sentence` to stderr. */
void slu_out_problem_lines(const struct slu_problems *problems);

/* What a verb that cannot run says: the lines to stderr and, with `json`, {"ok":false,"errors":[…],"warnings":[…]} to
 * stdout. Returns SLU_EXIT_FAILED. */
int slu_out_failed(bool json, const struct slu_problems *problems);
int slu_out_failed_err(bool json, const struct slu_err *err);

/* `out` and a newline to stdout; frees it. Returns `status`, or SLU_EXIT_FAILED when stdout is lost. */
int slu_out_print(struct slu_buf *out, int status);

/* Text for a terminal: control bytes and what is no UTF-8 as \xNN. */
void slu_out_safe(struct slu_buf *out, struct slu_slice text);

#endif
