/* scalar.h -- which type has a plain (unquoted) scalar? YAML 1.2.2 §10.3.2, the core schema:
 *
 *   null    empty, ~, null, Null, NULL
 *   bool    true, True, TRUE, false, False, FALSE        (no, off, yes, on are strings)
 *   int     12  +12  -12  007 (= 7)  0o17  0x1F
 *   float   1.5  .5  5.  1e3  -1.5E-3  .inf  .nan
 *   string  everything else
 */
#ifndef SLU_BASE_SCALAR_H
#define SLU_BASE_SCALAR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/node.h"

/* Set kind and text of `node` from the characters of a plain scalar. Numbers are written anew as JSON
 * writes them, with every digit kept; texts live in `arena`. Errors: .inf and .nan, an octal or
 * hexadecimal number beyond 64 bits, no memory. */
int slu_scalar_read(struct slu_slice plain, struct slu_arena *arena, struct slu_node *node,
                    struct slu_err *err);

#endif
