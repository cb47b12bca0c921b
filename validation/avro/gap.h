/* gap.h -- what a JSON Schema allows that an Avro schema cannot hold, where that can be said for sure.
 *
 *   {"type": "object", "properties": {"v": {"type": ["number", "null"]}}}      allows
 *   record R { double v; }                                                     cannot hold
 *
 *     ""               a member that R has not       ""               an object without v
 *     /properties/v    null
 *
 * Sure means: a value is known that the JSON Schema takes and the encoder refuses. A place with keywords
 * that this does not follow (allOf, if, pattern, multipleOf and so on) is passed over, as is what lies
 * below it; a $ref within the document is followed. Whole numbers without bounds count as fitting
 * a long, which they do in practice, but not as fitting an int.
 *
 * For warnings when a configuration is loaded. Threads: pure.
 */
#ifndef SLU_AVRO_GAP_H
#define SLU_AVRO_GAP_H

#include "base/slice.h"
#include "validation/avro/encode.h"

#include <stddef.h>

struct slu_avro_gap_options {
    struct slu_avro_options encoding; /* how the values will be encoded */
    /* JSON Pointers of values that something else looks at, limits or a timestamp: not judged here. */
    const struct slu_slice *others;
    size_t n_others;
};

/* One gap: the place in the JSON Schema, and what is allowed there, for "… allows <what>". */
typedef void slu_avro_gap_tell(void *context, const char *pointer, const char *what);

/* Find the gaps, at most SLU_AVRO_GAPS of them. A document that is no JSON, or no memory: none. */
#define SLU_AVRO_GAPS 8
void slu_avro_gaps(const struct slu_avro_schema *schema, struct slu_slice json_schema,
                   const struct slu_avro_gap_options *options, slu_avro_gap_tell *tell,
                   void *context);

#endif
