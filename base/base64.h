/* base64.h -- RFC 4648 §4 with padding. */
#ifndef SLU_BASE_BASE64_H
#define SLU_BASE_BASE64_H

#include "base/buf.h"

bool slu_base64_encode(struct slu_buf *out, struct slu_slice bytes);

/* Strict: alphabet, padding and length must be right. Returns 0, or -1 (`out` is cut back). */
int slu_base64_decode(struct slu_buf *out, struct slu_slice text);

#endif
