/* decoder.h -- a spooled record's payload as a value tree, without the configuration that accepted it.
 *
 * Avro is read with the schema whose text the spool keeps beside the record. Compiled schemas are kept,
 * so a sink pays for each once.
 *
 * Threads: a decoder belongs to one thread, a sink's.
 */
#ifndef SLU_SINKS_DECODER_H
#define SLU_SINKS_DECODER_H

#include "base/slice.h"
#include "sinks/spool/record.h"

#include <stdbool.h>

struct slu_decoder;
struct slu_payload;

/* NULL: no memory. */
struct slu_decoder *slu_decoder_new(void);
void slu_decoder_free(struct slu_decoder *decoder);

/* Read an Avro record; `schema_text` is the text of its schema. The tree is borrowed until the next
 * call. False: it is not Avro, or cannot be read (no text, no memory, a damaged record). */
bool slu_decoder_read(struct slu_decoder *decoder, const struct slu_record *record,
                      struct slu_slice schema_text, struct slu_payload *payload);

/* An Avro record's value without the frame before it. Empty: it is not Avro, or shorter than that. */
struct slu_slice slu_decoder_body(const struct slu_record *record);

#endif
