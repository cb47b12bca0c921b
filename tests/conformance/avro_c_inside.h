/* avro_c_inside.h -- what avro_c_values.c (schemas, bodies, containers) and avro_c_scalars.c share.
 */
#ifndef SLU_CONFORMANCE_AVRO_C_INSIDE_H
#define SLU_CONFORMANCE_AVRO_C_INSIDE_H

#include "tests/conformance/avro_c_values.h"
#include "tests/conformance/avro_meaning.h"

#include <avro.h>

/* How it differs. Returns false. */
bool avro_c_differ(struct avro_c_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put a step in front of where it differs, a name or, without `data`, an item; a way too long loses its end.
 * Returns false. */
bool avro_c_step_out(struct avro_c_answer *answer, struct slu_slice name, size_t item);

/* Is the value that text? */
bool avro_c_same_text(const struct slu_value *value, const void *theirs, size_t size,
                      struct avro_c_answer *answer);

/* Are they the same value of that type, which is no container and no union, and Avro C's as well? */
bool avro_c_same_scalar(const struct meaning *meaning, const struct slu_value *value,
                        avro_value_t *theirs, struct avro_c_answer *answer);

#endif
