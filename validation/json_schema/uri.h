/* uri.h -- URI references, as far as $id and $ref need them (RFC 3986 §5). */
#ifndef SLU_JSON_SCHEMA_URI_H
#define SLU_JSON_SCHEMA_URI_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>

/* Split `uri` at its first '#'; `fragment` is without it, and NULL/0 when there is none. */
void slu_uri_split(struct slu_slice uri, struct slu_slice *rest, struct slu_slice *fragment);

bool slu_uri_is_absolute(struct slu_slice uri);

/* `reference` (without a fragment) seen from `base` (RFC 3986 §5.2.2; a base without a scheme is
 * taken as it is). In the arena; data is NULL when there is no memory. */
struct slu_slice slu_uri_resolve(struct slu_arena *arena, struct slu_slice base,
                                 struct slu_slice reference);

/* `text` with its %XX decoded; data is NULL when one is malformed or there is no memory. */
struct slu_slice slu_uri_decode(struct slu_arena *arena, struct slu_slice text);

#endif
