/* registry_whole.h -- an Avro schema and those it refers to, as one text that stands by itself: each type
 * is written out where it is used first, as the specification wants it ("Names").
 *
 *   {…, "fields": [{"name": "unit", "type": "plant.Unit"}]}        refers to plant.Unit, an enum
 *   {…, "fields": [{"name": "unit", "type": {"type": "enum", "name": "Unit", "namespace": "plant", …}}]}
 *
 * A spool must be readable without a registry, so it keeps this text. Without references it is the
 * registry's own, byte for byte; with them, white space goes and real numbers in defaults are written
 * with the digits that give the same double.
 *
 * Threads: any.
 */
#ifndef SLU_SINKS_REGISTRY_WHOLE_H
#define SLU_SINKS_REGISTRY_WHOLE_H

#include "sinks/registry.h"

/* The text, in `arena`. Empty and err: it is no JSON, a reference is no named type,
 * it is nested too deep, no memory. */
struct slu_slice slu_registry_whole(const struct slu_registry_schema *schema,
                                    struct slu_arena *arena, struct slu_err *err);

#endif
