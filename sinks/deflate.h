/* deflate.h -- zlib's part of this room: gzip in slices for finished files, raw deflate (RFC 1951) for the
 * blocks of Avro container files. */
#ifndef SLU_SINKS_DEFLATE_H
#define SLU_SINKS_DEFLATE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct slu_gzip;

/* NULL: no memory. */
struct slu_gzip *slu_gzip_new(void);
void slu_gzip_free(struct slu_gzip *gzip);

/* Pack `n` more bytes; `is_last` ends the stream. What is ready goes to `write`, which says whether to
 * go on. False when it said no. */
bool slu_gzip_pack(struct slu_gzip *gzip, const void *bytes, size_t n, bool is_last,
                   bool (*write)(void *context, const void *bytes, size_t n), void *context);

/* Append `raw`, packed. False: no room or memory; `out` may have failed. */
bool slu_deflate_pack(struct slu_slice raw, struct slu_buf *out);

/* Append what `packed` holds, which may be hostile. 1; 0: it is damaged, or longer than `max` bytes; -1:
 * there is no room or memory, `out` may have failed. */
int slu_deflate_unpack(struct slu_slice packed, size_t max, struct slu_buf *out);

#endif
