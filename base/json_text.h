/* json_text.h -- JSON as text, written piece by piece: for record envelopes and violations, where
 * every digit must leave as it came. (Alerts and status go through Jansson.) */
#ifndef SLU_BASE_JSON_TEXT_H
#define SLU_BASE_JSON_TEXT_H

#include "base/buf.h"

#include <stdint.h>

/* "…" with what RFC 8259 §7 demands escaped. Bytes that are not UTF-8 become U+FFFD. */
bool slu_json_text_string(struct slu_buf *out, struct slu_slice text);

bool slu_json_text_int(struct slu_buf *out, int64_t number);

/* The fewest digits that read back as the same double; NaN and infinities become null. */
bool slu_json_text_double(struct slu_buf *out, double number);

/* A whole JSON text on one line: raw CR and LF, which can only stand between tokens, become
 * spaces. */
bool slu_json_text_one_line(struct slu_buf *out, struct slu_slice json);

#endif
