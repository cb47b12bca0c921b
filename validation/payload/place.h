/* place.h -- where in the text is a cell? The k-th value or key of a JSON text is the k-th cell of
 * its tree. Inside this room only; for messages and documents that failed. */
#ifndef SLU_VALIDATION_PAYLOAD_PLACE_H
#define SLU_VALIDATION_PAYLOAD_PLACE_H

#include "base/slice.h"

#include <stddef.h>

/* Byte offset of the cell with this index in a well-formed JSON text; text.len when it has fewer. */
size_t slu_place_of_cell(struct slu_slice text, size_t index);

/* The token (string with its quotes, number, word, bracket) that begins at byte `at`. */
struct slu_slice slu_place_token(struct slu_slice text, size_t at);

/* Line and column of a byte, both from 1; the column in bytes. */
void slu_place_of_byte(struct slu_slice text, size_t at, unsigned *line, unsigned *column);

/* Offset of the first byte that is not UTF-8; text.len: all are. */
size_t slu_place_of_bad_utf8(struct slu_slice text);

#endif
