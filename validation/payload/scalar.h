/* scalar.h -- payloads that are one bare number, boolean or string. Inside this room only. */
#ifndef SLU_VALIDATION_PAYLOAD_SCALAR_H
#define SLU_VALIDATION_PAYLOAD_SCALAR_H

#include "validation/payload/json.h"

/* The JSON number inside `bytes`: blanks around and one leading '+' taken off. OK, EMPTY or
 * MALFORMED. */
enum slu_payload_fault slu_scalar_number(struct slu_slice bytes, struct slu_slice *number,
                                         struct slu_json_fault *fault);

/* Fill `cell`. */
enum slu_payload_fault slu_scalar_boolean(struct slu_slice bytes, struct slu_value *cell,
                                          struct slu_json_fault *fault);
enum slu_payload_fault slu_scalar_string(struct slu_slice bytes, struct slu_value *cell,
                                         struct slu_json_fault *fault);

#endif
