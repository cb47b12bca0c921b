/* zstandard.h -- libzstd's part of this room: blocks of Avro container files as one frame each (RFC 8878),
 * with its checksum. */
#ifndef SLU_SINKS_ZSTANDARD_H
#define SLU_SINKS_ZSTANDARD_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Append `raw`, packed. False: no room or memory; `out` may have failed. */
bool slu_zstandard_pack(struct slu_slice raw, struct slu_buf *out);

/* Append what `packed` holds, which may be hostile. 1; 0: it is damaged, or longer than `max` bytes; -1:
 * there is no room or memory, `out` may have failed. */
int slu_zstandard_unpack(struct slu_slice packed, size_t max, struct slu_buf *out);

#endif
