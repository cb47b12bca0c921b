/* postgresql_json.h -- JSON on its way into jsonb: what jsonb holds, and a part of a payload as text.
 *
 * jsonb is narrower than JSON: no U+0000 in strings, no number beyond numeric.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_JSON_H
#define SLU_SINKS_POSTGRESQL_JSON_H

#include "base/buf.h"
#include "validation/payload/payload.h"

#include <stdbool.h>

/* Can jsonb hold this JSON text (well-formed, as payloads are)? NULL: yes; else why not, a clause. */
const char *slu_pg_json_refused(struct slu_slice json);

/* Append the tree at `cell` as JSON text, numbers with every digit they came with. False when `out`
 * failed. */
bool slu_pg_json_add(struct slu_buf *out, const struct slu_payload *payload,
                     const struct slu_value *cell);

#endif
