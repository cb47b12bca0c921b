/* secret.h -- `${env:NAME}` and `${file:PATH}` in a scalar of the configuration.
 *
 *     "user=sluice password=${file:/run/secrets/pg}"      the file's text, less one newline at its end
 *     "${env:PGUSER}@$${x}"                               $${ writes ${
 *     "plant/${policy}"                                   any other ${name} stays for the template
 *
 * Expanded once: what a variable or file brings in is literal, whatever it looks like.
 */
#ifndef SLU_BASE_SECRET_H
#define SLU_BASE_SECRET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

#define SLU_SECRET_MAX_BYTES (64u << 10) /* of one file or variable */

/* Expand `text`; the result lives in `arena`, terminated. Relative paths start at `folder`. `*secret`
 * is set when something was brought in. Returns 0, or -1 and `err`, which names the variable or the
 * path and never a value: not set, not readable, too large, not UTF-8, NUL inside, no closing brace. */
int slu_secret_expand(struct slu_slice text, const char *folder, struct slu_arena *arena,
                      struct slu_slice *out, bool *secret, struct slu_err *err);

#endif
